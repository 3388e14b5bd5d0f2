// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers in packets, in little-endian order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace nmx {

/// To little-endian order and back.
template <class Word>
[[nodiscard]] constexpr Word little(Word word) {
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

template <class Word>
[[nodiscard]] Word get(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return little(word);
}

template <class Word>
void put_at(std::byte* at, std::type_identity_t<Word> word) {
  word = little(word);
  std::memcpy(at, &word, sizeof word);
}

}  // namespace nmx
