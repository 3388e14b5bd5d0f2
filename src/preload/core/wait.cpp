// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/wait.hpp"

#include "preload/core/cancel.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ranges>
#include <vector>

namespace netmap::preload {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

/// A peer is mostly about to do something; to sleep, and to be woken, costs more.
constexpr auto spin = 50us;

/// More than a year is for ever.
nanoseconds duration_of(const timespec& time) {
  constexpr time_t year = time_t{365} * 24 * 60 * 60;
  return std::chrono::seconds(std::min(time.tv_sec, year)) + nanoseconds(time.tv_nsec);
}

bool has_found(Watched& one) {
  const short there = one.file ? one.file->look(one.events, one.known) : POLLERR;
  one.found = static_cast<short>(there & ~one.known);
  return one.found != 0;
}

int look(std::span<Watched> watched) {
  return static_cast<int>(std::ranges::count_if(watched, has_found));
}

int spin_for_them(std::span<Watched> watched, const Deadline& deadline) {
  const auto end = Clock::now() + spin;
  int found = 0;
  while (found == 0 && Clock::now() < end && !deadline.has_passed()) found = look(watched);
  return found;
}

/// Armed as long as it lives.
class Armed {
 public:
  Armed(std::span<Watched> watched, std::vector<pollfd>& waits) : watched_(watched) {
    for (Watched& one : watched) {
      if (one.file) one.armed = one.file->arm(one.events, waits);
    }
  }
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed() {
    const int error = errno;
    for (const Watched& one : watched_) {
      if (one.file) one.file->disarm(one.armed);
    }
    errno = error;
  }

 private:
  std::span<Watched> watched_;
};

/// Sleeps until something may have come; what there is of `others` is said there.
int sleep(std::span<Watched> watched, std::span<pollfd> others, const timespec* timeout,
          const sigset_t* signals) {
  constexpr timespec no_time{};
  std::vector<pollfd> waits(others.begin(), others.end());
  const Armed armed(watched, waits);
  const bool is_there = look(watched) != 0;
  const int woken = [&] {
    const Cancellable here;
    return ::ppoll(waits.data(), waits.size(), is_there ? &no_time : timeout, signals);
  }();
  std::ranges::copy(waits | std::views::take(others.size()), others.begin());
  return woken;
}

/// What has come of them already.
int poll_now(std::span<pollfd> others, const sigset_t* signals) {
  constexpr timespec no_time{};
  return others.empty() ? 0 : ::ppoll(others.data(), others.size(), &no_time, signals);
}

}  // namespace

Deadline::Deadline(const timespec* timeout) {
  if (timeout != nullptr) end_ = Clock::now() + duration_of(*timeout);
}

bool Deadline::has_passed() const {
  return end_ && Clock::now() >= *end_;
}

const timespec* Deadline::left() {
  if (!end_) return nullptr;
  const auto rest = std::max(nanoseconds(0), nanoseconds(*end_ - Clock::now()));
  left_ = {static_cast<time_t>(rest / 1s), static_cast<long>((rest % 1s).count())};
  return &left_;
}

int wait(std::span<Watched> watched, std::span<pollfd> others, Deadline& deadline,
         const sigset_t* signals) {
  int found = look(watched);
  if (found == 0 && deadline.has_passed()) return poll_now(others, signals);
  if (found == 0 && others.empty()) found = spin_for_them(watched, deadline);
  if (found != 0) return found + std::max(poll_now(others, signals), 0);
  for (;;) {
    if (sleep(watched, others, deadline.left(), signals) < 0) return -1;
    found = look(watched);
    const auto more = std::ranges::count_if(others, [](pollfd one) { return one.revents != 0; });
    if (found + more != 0 || deadline.has_passed()) return found + static_cast<int>(more);
  }
}

}  // namespace netmap::preload
