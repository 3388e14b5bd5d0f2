// SPDX-License-Identifier: BSD-2-Clause
#include "sleep_on.hpp"

#include "ports.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <poll.h>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::Result;

namespace {

/// A signal ends the sleep early and is no error.
Result<> poll_for(std::vector<pollfd>& handles, std::chrono::nanoseconds timeout) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  const timespec time{seconds.count(), (timeout - seconds).count()};
  if (::ppoll(handles.data(), handles.size(), &time, nullptr) >= 0 || errno == EINTR) return {};
  const std::error_code code(errno, std::system_category());
  return std::unexpected(Error(code, "cannot wait for packets: " + code.message()));
}

}  // namespace

Result<> sleep_on(std::span<const Wanted> wanted, std::chrono::nanoseconds timeout) {
  std::vector<pollfd> handles;
  Result<bool> idle = true;
  std::size_t armed = 0;
  for (; armed < wanted.size() && idle && *idle; ++armed) {
    const auto [port, directions] = wanted[armed];
    if (directions.empty()) continue;
    idle = port->arm(directions);
    for (const Direction one : {Direction::rx, Direction::tx}) {
      if (!directions.has(one)) continue;
      const auto handle = port->wait_handle(one);
      handles.push_back({handle.fd, handle.events, 0});
    }
  }
  const bool must_sleep = idle && *idle;
  const auto polled = must_sleep ? poll_for(handles, timeout) : Result<>();
  // arm() that yields false or fails has taken itself back.
  for (const auto& [port, directions] : wanted.first(must_sleep ? armed : armed - 1)) {
    if (!directions.empty()) port->disarm(directions);
  }
  if (!idle && !is_end(idle.error())) return std::unexpected(idle.error());
  if (!polled) return polled;
  if (std::ranges::any_of(handles,
                          [](const pollfd& one) { return (one.revents & POLLERR) != 0; })) {
    return std::unexpected(Error(netmap::errc::ring_corrupt,
                                 "a port reports an error: a ring is broken or an interface gone"));
  }
  return {};
}

}  // namespace nmx
