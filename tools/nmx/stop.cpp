// SPDX-License-Identifier: BSD-2-Clause
#include "stop.hpp"

#include <atomic>
#include <csignal>

namespace nmx {
namespace {

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may store to it

void handle(int) {
  request_stop();
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action{};
  action.sa_handler = handle;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

void request_stop() noexcept {
  stop.store(true, std::memory_order_relaxed);
}

bool stop_requested() noexcept {
  return stop.load(std::memory_order_relaxed);
}

}  // namespace nmx
