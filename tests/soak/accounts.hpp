// SPDX-License-Identifier: BSD-2-Clause
//
// What must be the same whenever everything is at rest.
#pragma once

#include "soak/stage.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#if defined(__SANITIZE_ADDRESS__)
#define NETMAP_SOAK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NETMAP_SOAK_SANITIZED 1
#endif
#endif

namespace netmap::soak {

struct Figures {
  std::uint64_t published = 0;
  std::uint64_t received = 0;
  // In use in the survivor's region.
  std::uint64_t buffers = 0;
  std::uint64_t rings = 0;
  std::uint64_t interfaces = 0;
  std::map<std::string, std::uint64_t> files{};  ///< of the domain, and the bytes each takes
  // Of the survivor.
  std::uint64_t descriptors = 0;  ///< but for those below
  std::uint64_t old_fifos = 0;    ///< of ports that are gone; kept until another takes the number
  std::uint64_t memory = 0;       ///< bytes of its own, RssAnon of proc(5)

  [[nodiscard]] std::uint64_t file_bytes() const;
};

/// How much memory the survivor may have more than at first: each processor counts its pages in
/// batches of some dozens, and an allocator breathes; a sanitizer's keeps for long what was freed.
#if defined(NETMAP_SOAK_SANITIZED)
inline constexpr std::uint64_t memory_tolerance = 64 << 20;
#else
inline constexpr std::uint64_t memory_tolerance = 1 << 20;
#endif
/// Two for each port that others may have had open at a time, for each of its own ports.
inline constexpr std::uint64_t most_old_fifos = 4 * 2 * 32;

[[nodiscard]] Figures measure(const Stage& stage, const std::string& domain, ::pid_t survivor);

/// What does not balance, in a sentence; nothing if everything does.
[[nodiscard]] std::optional<std::string> find_imbalance(const Figures& first, const Figures& now);

}  // namespace netmap::soak
