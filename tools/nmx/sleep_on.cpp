// SPDX-License-Identifier: BSD-2-Clause
#include "sleep_on.hpp"

#include "ports.hpp"
#include "stop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <poll.h>

namespace nmx {

using netmap::Direction;
using netmap::Error;
using netmap::Result;

Result<> sleep_on(std::span<const Wanted> wanted) {
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
  const auto ms = static_cast<int>(slice.count());
  const int polled = must_sleep ? ::poll(handles.data(), handles.size(), ms) : 0;
  const int why = errno;
  // arm() that yields false or fails has taken itself back.
  for (const auto& [port, directions] : wanted.first(must_sleep ? armed : armed - 1)) {
    if (!directions.empty()) port->disarm(directions);
  }
  if (!idle && !is_end(idle.error())) return std::unexpected(idle.error());
  if (polled < 0 && why != EINTR) {
    const std::error_code code(why, std::system_category());
    return std::unexpected(Error(code, "cannot wait for packets: " + code.message()));
  }
  if (std::ranges::any_of(handles,
                          [](const pollfd& one) { return (one.revents & POLLERR) != 0; })) {
    return std::unexpected(Error(netmap::errc::ring_corrupt,
                                 "a port reports an error: a ring is broken or an interface gone"));
  }
  return {};
}

}  // namespace nmx
