// SPDX-License-Identifier: BSD-2-Clause
//
// How often each value came, in buckets whose width grows with the value: 128 to each doubling, and
// one for each value below 256. A value found in a bucket is given as the highest that falls into
// it, so a percentile is never too low and less than 0.8 % (1/128) too high, whatever the values.
// Count, least, greatest and mean do not depend on buckets. After G. Tene's HdrHistogram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nmx {

class Histogram {
 public:
  /// Values from `first` to `last`, both included.
  struct Row {
    std::uint64_t first;
    std::uint64_t last;
    std::uint64_t count;

    friend bool operator==(const Row&, const Row&) = default;
  };

  void add(std::uint64_t value);
  void merge(const Histogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// This and what follows: 0 if there are no values.
  [[nodiscard]] std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;
  /// The least value that so many thousandths of all values do not exceed: 500 asks for the median.
  [[nodiscard]] std::uint64_t per_mille(std::uint32_t thousandths) const;

  /// The whole distribution in at most `most` rows, as narrow as can be and each as wide as the
  /// next on a logarithmic scale; none left out between the first and the last that are not empty.
  [[nodiscard]] std::vector<Row> rows(std::size_t most) const;

 private:
  [[nodiscard]] static std::size_t bucket_of(std::uint64_t value);
  [[nodiscard]] static std::uint64_t first_of(std::size_t bucket);
  [[nodiscard]] static std::uint64_t last_of(std::size_t bucket) {
    return first_of(bucket + 1) - 1;
  }

  std::vector<std::uint64_t> counts_;  ///< up to the greatest value's bucket
  std::uint64_t count_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace nmx
