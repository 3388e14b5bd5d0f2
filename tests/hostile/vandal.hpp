// SPDX-License-Identifier: BSD-2-Clause
//
// Who writes into words that processes share, as fast as it can.
#pragma once

#include "embedded/support.hpp"
#include "hostile/records.hpp"

#include <atomic>
#include <cstdlib>
#include <vector>

#include <unistd.h>

namespace netmap::embedded {

/// NETMAP_ROUNDS: how many rounds there are of each kind of damage.
inline std::uint64_t rounds() {
  const char* const asked = std::getenv("NETMAP_ROUNDS");
  return asked == nullptr ? 1 : std::strtoull(asked, nullptr, 10);
}

struct Strikes {
  ::pid_t victim = ::getpid();
  std::atomic<std::uint64_t> count;
  std::atomic<bool> has_begun;
  std::atomic<bool> is_over;
};

/// Writes random and chosen values to `words` until told to stop, or until nobody is left to tell.
inline bool vandalise(const SharedFiles& files, const std::vector<SharedWord>& words,
                      std::uint64_t seed, Strikes& strikes) {
  const auto chosen = edges();
  Random random(seed);
  const auto has_victim = [&] { return ::getppid() == strikes.victim; };
  while (!strikes.is_over && (strikes.count % 1024 != 0 || has_victim())) {
    const std::uint64_t bits = random.bits();
    const auto number = static_cast<std::uint32_t>(bits >> 8);
    const std::uint64_t value = bits % 4 == 0   ? random.bits()
                                : bits % 4 == 1 ? random.below(12)
                                                : chosen[random.below(chosen.size())];
    words[random.below(words.size())].write(files, number, value);
    ++strikes.count;
    strikes.has_begun = true;
  }
  return true;
}

}  // namespace netmap::embedded
