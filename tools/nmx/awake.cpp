// SPDX-License-Identifier: BSD-2-Clause
#include "awake.hpp"

#include "stop.hpp"

namespace nmx {

using namespace std::chrono_literals;

void Awake::found_something() {
  idle_since_.reset();
  looks_ = 0;
  may_sleep_ = false;
}

void Awake::found_nothing() {
  constexpr int enough = 32;  // where each is a system call, the time may be one or two
  const auto now = Clock::now();
  if (!idle_since_) idle_since_ = now;
  if (looks_ != enough) ++looks_;
  may_sleep_ = looks_ == enough && now - *idle_since_ >= spin_;
}

std::chrono::nanoseconds Awake::timeout() const {
  return may_sleep_ || spin_ == 0ns ? std::chrono::nanoseconds(slice) : 0ns;
}

}  // namespace nmx
