// SPDX-License-Identifier: BSD-2-Clause
#include "histogram.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace nmx {
namespace {

/// A value's bits below the highest one that decide on its bucket.
constexpr unsigned fine_bits = 7;
constexpr std::size_t per_doubling = std::size_t{1} << fine_bits;

}  // namespace

std::size_t Histogram::bucket_of(std::uint64_t value) {
  const auto bits = static_cast<unsigned>(std::bit_width(value));
  const unsigned dropped = bits <= fine_bits + 1 ? 0 : bits - (fine_bits + 1);
  return dropped * per_doubling + (value >> dropped);
}

/// One bucket above the highest begins at 2^64, which is 0.
std::uint64_t Histogram::first_of(std::size_t bucket) {
  if (bucket < 2 * per_doubling) return bucket;
  const std::size_t dropped = bucket / per_doubling - 1;
  const std::uint64_t kept = bucket % per_doubling + per_doubling;
  return kept << dropped;
}

void Histogram::add(std::uint64_t value) {
  const std::size_t bucket = bucket_of(value);
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  std::ranges::transform(other.counts_, counts_, counts_.begin(), std::plus());
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::per_mille(std::uint32_t thousandths) const {
  // Rounded up, without a product that could overflow.
  const std::uint64_t whole = count_ / 1000 * thousandths;
  const std::uint64_t rank = whole + (count_ % 1000 * thousandths + 999) / 1000;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank && seen != 0) return std::min(last_of(bucket), max_);
  }
  return 0;
}

std::vector<Histogram::Row> Histogram::rows(std::size_t most) const {
  std::vector<Row> rows;
  if (count_ == 0) return rows;
  const std::size_t lowest = bucket_of(min_);
  const std::size_t highest = counts_.size() - 1;
  unsigned shift = 0;
  while ((highest >> shift) - (lowest >> shift) >= most) ++shift;
  for (std::size_t row = lowest >> shift; row <= highest >> shift; ++row) {
    const std::size_t begin = row << shift;
    const std::size_t end = (row + 1) << shift;
    Row& added = rows.emplace_back(first_of(begin), first_of(end) - 1, 0);
    for (std::size_t bucket = begin; bucket < std::min(end, counts_.size()); ++bucket) {
      added.count += counts_[bucket];
    }
  }
  return rows;
}

}  // namespace nmx
