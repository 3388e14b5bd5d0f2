// SPDX-License-Identifier: BSD-2-Clause
//
// What is done to every packet, whatever carries it: the sender writes all its bytes, the receiver
// reads them all and finds out whether this is the packet that had to come next.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

namespace bench {

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "bench: %s\n", what);
  std::_Exit(1);
}

using Word = std::uint64_t;

/// Eight-byte words that look like data; the first is the packet's number.
inline std::vector<Word> pattern(std::size_t bytes) {
  std::vector<Word> words((bytes + sizeof(Word) - 1) / sizeof(Word));
  for (std::size_t i = 0; i != words.size(); ++i) words[i] = i * 0x9e3779b97f4a7c15;
  return words;
}

class Writer {
 public:
  explicit Writer(std::size_t bytes) : bytes_(bytes), pattern_(pattern(bytes)) {}

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void operator()(std::byte* packet) {
    std::memcpy(packet, pattern_.data(), bytes_);
    std::memcpy(packet, &number_, sizeof number_);
    ++number_;
  }

 private:
  std::size_t bytes_;
  std::vector<Word> pattern_;
  Word number_ = 0;
};

class Reader {
 public:
  explicit Reader(std::size_t bytes) : bytes_(bytes) {
    const auto words = pattern(bytes / sizeof(Word) * sizeof(Word));
    first_ = next_ = std::accumulate(words.begin(), words.end(), Word{0});
  }

  void operator()(std::span<const std::byte> packet) {
    if (packet.size() != bytes_ || sum(packet) != next_) [[unlikely]]
      fail("a packet is not the one that was sent");
    ++next_;
  }
  /// The same where packets may be missing: any that was sent will do.
  void read_any(std::span<const std::byte> packet) {
    Word number = 0;
    if (packet.size() == bytes_) std::memcpy(&number, packet.data(), sizeof number);
    if (packet.size() != bytes_ || sum(packet) != first_ + number) [[unlikely]]
      fail("a packet is not one that was sent");
  }

 private:
  /// Two words at a time, so that the limit is the memory and not the addition.
  [[nodiscard]] static Word sum(std::span<const std::byte> packet) {
    using Pair [[gnu::vector_size(16)]] = Word;
    Pair sums[2] = {};
    while (packet.size() >= sizeof sums) {
      Pair words[2];
      std::memcpy(&words, packet.data(), sizeof words);
      sums[0] += words[0];
      sums[1] += words[1];
      packet = packet.subspan(sizeof words);
    }
    Word rest = 0;
    for (; packet.size() >= sizeof(Word); packet = packet.subspan(sizeof(Word))) {
      Word word = 0;
      std::memcpy(&word, packet.data(), sizeof word);
      rest += word;
    }
    sums[0] += sums[1];
    return sums[0][0] + sums[0][1] + rest;
  }

  std::size_t bytes_;
  Word first_;  ///< what the words of the first packet add up to, whose number is 0
  Word next_;   ///< what the words of the next packet add up to
};

}  // namespace bench
