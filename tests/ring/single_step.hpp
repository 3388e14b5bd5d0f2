// SPDX-License-Identifier: BSD-2-Clause
//
// Looks at memory between any two instructions of a call. The processor's own single stepping
// does it, so this exists on x86-64 only.
#pragma once

#if defined(__x86_64__)
#define NETMAP_TEST_STEPS 1

#include <functional>

#include <x86intrin.h>
#include <csignal>

namespace netmap::test {

class SingleStep {
 public:
  /// Calls `look` before each instruction of `act`; neither may throw.
  template <class Act>
  static void through(const Act& act, std::function<void()> look) {
    constexpr unsigned long long trap_flag = 0x100;
    look_ = std::move(look);
    struct sigaction handler{};
    struct sigaction before{};
    handler.sa_handler = [](int) { look_(); };
    ::sigaction(SIGTRAP, &handler, &before);
    __writeeflags(__readeflags() | trap_flag);
    act();
    __writeeflags(__readeflags() & ~trap_flag);
    ::sigaction(SIGTRAP, &before, nullptr);
  }

 private:
  inline static std::function<void()> look_;
};

}  // namespace netmap::test
#endif
