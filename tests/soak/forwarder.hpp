// SPDX-License-Identifier: BSD-2-Clause
//
// The victim: opens the middle ends of all lanes, forwards, closes, over and over, until it is
// struck.
#pragma once

#include "soak/stage.hpp"

#include <cstdint>

namespace netmap::soak {

/// What is to become of a forwarder.
struct Plan {
  enum class When : std::uint8_t { never, at_an_instant, at_a_point };

  When when = When::never;
  Phase phase = Phase::traffic;  ///< that of the instant
  const char* point = nullptr;
  std::uint32_t passes = 0;  ///< how often it comes by the point before
  int signal = 0;            ///< SIGKILL or SIGSTOP; 0 with `never`
  bool is_early = false;     ///< may be struck before it has brought anything home
  std::uint64_t seed = 0;
};

/// Returns if it was not struck, or only stopped, and everything has come home.
void forward_until_struck(const Opener& opener, const Plan& plan);

}  // namespace netmap::soak
