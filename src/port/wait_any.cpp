// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/wait_any.hpp>

#include "os/os.hpp"
#include "port/deadline.hpp"
#include "port/poll_error.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace netmap {
namespace {

using std::chrono::nanoseconds;

/// Looks at all of them, found or not, so that each is synced.
Result<bool> is_any_ready(std::span<Port> ports, Directions wanted) {
  bool found = false;
  for (Port& port : ports) {
    const auto ready = port.wait(wanted, nanoseconds(0));
    if (!ready) return std::unexpected(ready.error());
    found = found || !ready->empty();
  }
  return found;
}

/// What is polled for a port: one handle a direction, and the news; negative ones are not polled.
using Handles = std::array<pollfd, 3>;

Handles handles_of(const Port& port, Directions wanted) {
  Handles handles{{{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}}};
  for (const Direction one : {Direction::rx, Direction::tx}) {
    if (!wanted.has(one)) continue;
    const WaitHandle handle = port.wait_handle(one);
    handles[one == Direction::rx ? 0 : 1] = {handle.fd, handle.events, 0};
    handles[2] = {handle.news, POLLIN, 0};
  }
  return handles;
}

/// Whether the port was woken.
Result<bool> was_woken(const Port& port, std::span<const pollfd, 3> handles) {
  if (handles[2].revents != 0) os::hush(handles[2].fd);
  const int events = handles[0].revents | handles[1].revents;
  if ((events & POLLERR) != 0) return std::unexpected(poll_error(port.info().name));
  return (events | handles[2].revents) != 0;
}

/// Sleeps with all ports armed. Yields false if the timeout or a signal ended the sleep.
Result<bool> sleep_armed(std::span<Port> ports, Directions wanted, nanoseconds timeout) {
  std::vector<pollfd> polled;
  for (const Port& port : ports) {
    const Handles handles = handles_of(port, wanted);
    polled.insert(polled.end(), handles.begin(), handles.end());
  }
  if (const auto slept = os::poll(polled, timeout); !slept) {
    return std::unexpected(Error(slept.error(), "cannot wait on '" + ports.front().info().name +
                                                    "' and others: " + slept.error().message()));
  }
  bool is_woken = false;
  for (std::size_t n = 0; n != ports.size(); ++n) {
    const auto woken = was_woken(ports[n], std::span(polled).subspan(3 * n).first<3>());
    if (!woken) return woken;
    is_woken = is_woken || *woken;
  }
  return is_woken;
}

Result<bool> sleep(std::span<Port> ports, Directions wanted, nanoseconds timeout) {
  Result<bool> idle = true;
  std::size_t armed = 0;
  while (armed != ports.size() && idle && *idle) {
    idle = ports[armed].arm(wanted);
    if (idle && *idle) ++armed;  // else it has taken itself back
  }
  auto woken = idle && *idle ? sleep_armed(ports, wanted, timeout) : Result<bool>(true);
  for (Port& port : ports.first(armed)) port.disarm(wanted);
  return idle ? woken : idle;
}

}  // namespace

Result<bool> wait_any(std::span<Port> ports, Directions wanted, nanoseconds timeout) {
  const Deadline deadline(timeout);
  auto found = is_any_ready(ports, wanted);
  while (found && !*found && !deadline.has_passed()) {
    const auto woken = sleep(ports, wanted, deadline.left());
    if (!woken) return woken;
    found = is_any_ready(ports, wanted);
    if (!*woken) break;
  }
  return found;
}

}  // namespace netmap
