// SPDX-License-Identifier: BSD-2-Clause
//
// pthread_cancel(3): a thread must not end within the device, but where it sleeps.
#pragma once

#include <pthread.h>

namespace netmap::preload {

/// As long as one lives, the thread is not cancelled.
class NotCancelled {
 public:
  NotCancelled() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before); }
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;
  ~NotCancelled() { ::pthread_setcancelstate(before, nullptr); }

  /// What the program has.
  static inline thread_local int before = PTHREAD_CANCEL_ENABLE;
};

/// As long as one lives, within a NotCancelled, it is if the program has it so.
class Cancellable {
 public:
  Cancellable() noexcept { ::pthread_setcancelstate(NotCancelled::before, nullptr); }
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
  ~Cancellable() { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); }
};

}  // namespace netmap::preload
