// SPDX-License-Identifier: BSD-2-Clause
//
// One of the processes that share a switch: sends frames to the others, checks those that it gets,
// watches ports with monitors now and then, and may be killed or stopped any time.
#pragma once

#include "soak/stage.hpp"
#include "support/frames.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace netmap::soak {

inline constexpr std::uint32_t members = 8;
/// Frames that a member has drawn numbers for, and not sent, when it dies.
inline constexpr std::uint32_t most_in_a_batch = 32;
/// Frames that a member sends in its turn, each with a buffer or more for everybody.
inline constexpr std::uint32_t in_a_turn = 2;

/// What all members are to do now.
struct Act {
  enum class Kind : std::uint8_t { chaos, rest, turn, end };
  Kind kind;
  std::uint8_t member;  ///< whose turn it is
  std::uint16_t count;  ///< of acts
};

/// In memory that all of them see.
struct Table {
  std::atomic<Act> act;
  /// The next number of each member's frames, to each and to everybody, in all its lives.
  std::atomic<std::uint32_t> drawn[members][members + 1];
  struct Member {
    std::atomic<std::uint16_t> done;   ///< the count of the last act that it has done
    std::atomic<std::uint64_t> beats;  ///< how often it has synced
    std::atomic<std::uint64_t> sent;   ///< frames
    std::atomic<std::uint64_t> received;
    std::atomic<std::uint64_t> watched;  ///< frames that its monitors saw
    std::atomic<std::uint64_t> lost;     ///< of what was sent to it, in this life
    std::atomic<std::uint64_t> dropped;  ///< of all, by the switch, likewise
    std::atomic<std::uint64_t> full;     ///< cells of its mailbox that are not empty
    std::atomic<std::uint64_t> strays;   ///< frames for others
    std::atomic<std::uint64_t> lives;
  };
  std::array<Member, members> at;
};
static_assert(std::atomic<Act>::is_always_lock_free);

/// Opens a port and uses it, over and over, until the end. Throws what is wrong.
void be_member(const Opener& opener, Table& table, std::uint32_t number, std::uint64_t seed);

}  // namespace netmap::soak
