// SPDX-License-Identifier: BSD-2-Clause
#include "sequence.hpp"

#include "little.hpp"
#include "random.hpp"

#include <algorithm>
#include <cstring>

namespace nmx {
namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

constexpr std::size_t number_at = header_bytes;
constexpr std::size_t flow_at = header_bytes + 8;
constexpr std::size_t check_at = header_bytes + 12;

Stamp stamp_in(const std::byte* head) {
  return {get<std::uint64_t>(head + number_at), get<std::uint32_t>(head + flow_at)};
}

constexpr std::array<std::uint64_t, 8> odd{scatter(1) | 1, scatter(2) | 1, scatter(3) | 1,
                                           scatter(4) | 1, scatter(5) | 1, scatter(6) | 1,
                                           scatter(7) | 1, scatter(8) | 1};

/// What the check is made of, but for the length: each word times an odd number of its own, so
/// that a change in one place cannot but show. The products do not wait for each other.
std::uint64_t sum_of(const std::byte* header, const Stamp& stamp) {
  constexpr std::size_t words = 5;
  static_assert(header_bytes == words * word_bytes + 2);
  const std::uint64_t last = get<std::uint16_t>(header + words * word_bytes);
  std::uint64_t sum = (last << 32 | stamp.flow) * odd[words] + stamp.number * odd[words + 1];
  for (std::size_t i = 0; i < words; ++i) {
    sum += get<std::uint64_t>(header + i * word_bytes) * odd[i];
  }
  return sum;
}

std::uint32_t check_of(std::uint64_t sum, std::size_t frame_bytes) {
  return static_cast<std::uint32_t>(scatter(sum + frame_bytes * odd.back()));
}

/// A stretch of the pattern: bytes up to a word's end, whole words, and bytes from a word's start.
struct Stretch {
  std::size_t first_word;
  std::size_t skipped;  ///< bytes of the first word that lie before the stretch
  std::size_t lead;     ///< bytes of it in the stretch, 0 if it is whole
  std::size_t words;
  std::size_t tail;

  Stretch(std::size_t offset, std::size_t bytes)
      : first_word(offset / word_bytes),
        skipped(offset % word_bytes),
        lead(skipped == 0 ? 0 : std::min(word_bytes - skipped, bytes)),
        words((bytes - lead) / word_bytes),
        tail((bytes - lead) % word_bytes) {}

  [[nodiscard]] std::size_t first_whole() const { return first_word + (skipped != 0 ? 1 : 0); }
};

/// The first 1 to 7 bytes of a word, without a loop and without a call: two halves that overlap,
/// or up to three bytes of which some may be the same.
void put_part(std::byte* at, std::uint64_t word, std::size_t bytes) {
  if (bytes >= 4) {
    put_at<std::uint32_t>(at, static_cast<std::uint32_t>(word));
    put_at<std::uint32_t>(at + bytes - 4, static_cast<std::uint32_t>(word >> 8 * (bytes - 4)));
    return;
  }
  for (const std::size_t i : {std::size_t{0}, bytes / 2, bytes - 1}) {
    at[i] = static_cast<std::byte>(word >> 8 * i);
  }
}

/// Whether put_part() wrote this.
bool has_part(const std::byte* at, std::uint64_t word, std::size_t bytes) {
  if (bytes >= 4) {
    return get<std::uint32_t>(at) == static_cast<std::uint32_t>(word) &&
           get<std::uint32_t>(at + bytes - 4) ==
               static_cast<std::uint32_t>(word >> 8 * (bytes - 4));
  }
  bool good = true;
  for (const std::size_t i : {std::size_t{0}, bytes / 2, bytes - 1}) {
    good &= at[i] == static_cast<std::byte>(word >> 8 * i);
  }
  return good;
}

}  // namespace

Pattern::Pattern(const Stamp& stamp) : seed_(scatter(stamp.number + scatter(stamp.flow))) {}

void Pattern::fill(std::span<std::byte> into, std::size_t offset) const {
  const Stretch stretch(offset, into.size());
  std::byte* at = into.data();
  if (stretch.lead != 0) {
    put_part(at, word(stretch.first_word) >> (8 * stretch.skipped), stretch.lead);
    at += stretch.lead;
  }
  const std::uint64_t first = word(stretch.first_whole());
  for (std::size_t i = 0; i < stretch.words; ++i, at += word_bytes) {
    put_at<std::uint64_t>(at, first + i * step);
  }
  if (stretch.tail != 0) put_part(at, first + stretch.words * step, stretch.tail);
}

bool Pattern::matches(std::span<const std::byte> bytes, std::size_t offset) const {
  const Stretch stretch(offset, bytes.size());
  const std::byte* at = bytes.data();
  bool good = true;
  if (stretch.lead != 0) {
    good = has_part(at, word(stretch.first_word) >> (8 * stretch.skipped), stretch.lead);
    at += stretch.lead;
  }
  const std::uint64_t first = word(stretch.first_whole());
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < stretch.words; ++i, at += word_bytes) {
    difference |= get<std::uint64_t>(at) ^ (first + i * step);
  }
  if (stretch.tail != 0) good &= has_part(at, first + stretch.words * step, stretch.tail);
  return good && difference == 0;
}

void SequenceWriter::begin(std::span<const std::byte, header_bytes> header,
                           std::size_t frame_bytes) {
  std::memcpy(header_.data(), header.data(), header_bytes);
  stamp_.number = next_number_++;
  check_ = check_of(sum_of(header.data(), stamp_), frame_bytes);
  pattern_ = Pattern(stamp_);
  done_ = 0;
}

void SequenceWriter::write_head(std::byte* at) const {
  std::memcpy(at, header_.data(), header_bytes);
  put_at<std::uint64_t>(at + number_at, stamp_.number);
  put_at<std::uint32_t>(at + flow_at, stamp_.flow);
  put_at<std::uint32_t>(at + check_at, check_);
}

void SequenceWriter::put(std::span<std::byte> into) {
  Head head;
  if (done_ == 0 && into.size() >= head.size()) [[likely]] {
    write_head(into.data());
    done_ = head.size();
    into = into.subspan(head.size());
  } else if (done_ < head.size()) {
    const std::size_t part = std::min(into.size(), head.size() - done_);
    write_head(head.data());
    std::copy_n(head.begin() + static_cast<std::ptrdiff_t>(done_), part, into.begin());
    done_ += part;
    into = into.subspan(part);
  }
  if (into.empty()) return;
  pattern_.fill(into, done_ - head.size());
  done_ += into.size();
}

void SequenceReader::read_head(const std::byte* at) {
  stamp_ = stamp_in(at);
  sum_ = sum_of(at, stamp_);
  check_ = get<std::uint32_t>(at + check_at);
  pattern_ = Pattern(stamp_);
  looks_generated_ = looks_generated(at);
}

void SequenceReader::add(std::span<const std::byte> bytes) {
  if (done_ == 0 && bytes.size() >= head_.size()) [[likely]] {
    read_head(bytes.data());
    done_ = head_.size();
    bytes = bytes.subspan(head_.size());
  } else if (done_ < head_.size()) {
    const std::size_t part = std::min(bytes.size(), head_.size() - done_);
    std::copy_n(bytes.begin(), part, head_.begin() + static_cast<std::ptrdiff_t>(done_));
    done_ += part;
    bytes = bytes.subspan(part);
    if (done_ == head_.size()) read_head(head_.data());
  }
  if (bytes.empty()) return;
  matches_ &= pattern_.matches(bytes, done_ - head_.size());
  done_ += bytes.size();
}

Reading SequenceReader::finish() const {
  if (done_ < head_.size()) {
    const bool is_ours = done_ >= header_bytes && looks_generated(head_.data());
    return {is_ours ? Verdict::unreadable : Verdict::foreign, 0, 0};
  }
  if (check_ != check_of(sum_, done_)) {
    return {looks_generated_ ? Verdict::unreadable : Verdict::foreign, 0, 0};
  }
  return {matches_ ? Verdict::intact : Verdict::damaged, stamp_.flow, stamp_.number};
}

}  // namespace nmx
