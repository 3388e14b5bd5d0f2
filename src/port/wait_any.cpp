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

/// How many handles are polled for a port: one a direction, and the news; negative ones are not.
constexpr std::size_t each = 3;
using Handles = std::span<pollfd, each>;

bool is_any_ready(std::span<const Wanted> wanted) {
  return std::ranges::any_of(
      wanted, [](const Wanted& one) { return !one.port->ready(one.directions).empty(); });
}

/// Looks at all of them, found or not, so that each is synced.
Result<bool> look(std::span<const Wanted> wanted) {
  bool found = false;
  for (const auto& [port, directions] : wanted) {
    const auto ready = port->look(directions);
    if (!ready) return std::unexpected(ready.error());
    found = found || !ready->empty();
  }
  return found;
}

void fill(Handles handles, const Wanted& wanted) {
  for (pollfd& one : handles) one = {-1, 0, 0};
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (!wanted.directions.has(direction)) continue;
    const WaitHandle handle = wanted.port->wait_handle(direction);
    pollfd& place = handles[handles[0].fd < 0 || handles[0].fd == handle.fd ? 0 : 1];
    place = {handle.fd, static_cast<short>(place.events | handle.events), 0};
    handles[2] = {handle.news, POLLIN, 0};
  }
}

/// Whether the port was woken.
Result<bool> was_woken(const Port& port, Handles handles) {
  if (handles[2].revents != 0) os::hush(handles[2].fd);
  const int events = handles[0].revents | handles[1].revents;
  if ((events & POLLERR) != 0) return std::unexpected(poll_error(port.info().name));
  return (events | handles[2].revents) != 0;
}

/// Sleeps with all ports armed. Yields false if the timeout or a signal ended the sleep.
Result<bool> sleep_armed(std::span<const Wanted> wanted, nanoseconds timeout) {
  std::array<pollfd, 4 * each> few;  // so that waiting for few ports allocates nothing
  std::vector<pollfd> many(wanted.size() * each > few.size() ? wanted.size() * each : 0);
  pollfd* const all = many.empty() ? few.data() : many.data();
  const auto handles_of = [&](std::size_t n) { return Handles(all + n * each, each); };
  for (std::size_t n = 0; n != wanted.size(); ++n) fill(handles_of(n), wanted[n]);
  std::size_t used = wanted.size() * each;
  while (used != 0 && all[used - 1].fd < 0) --used;  // those cost, too
  if (const auto slept = os::poll({all, used}, timeout); !slept) {
    const std::string on = wanted.empty() ? "" : " on '" + wanted[0].port->info().name + "'";
    return std::unexpected(
        Error(slept.error(), "cannot wait" + on + ": " + slept.error().message()));
  }
  for (const auto& [port, directions] : wanted) {
    if (!directions.empty()) port->count_poll(directions);
  }
  bool is_woken = false;
  for (std::size_t n = 0; n != wanted.size(); ++n) {
    const auto woken = was_woken(*wanted[n].port, handles_of(n));
    if (!woken) return woken;
    is_woken = is_woken || *woken;
  }
  return is_woken;
}

Result<bool> sleep(std::span<const Wanted> wanted, nanoseconds timeout) {
  Result<bool> idle = true;
  std::size_t armed = 0;
  while (armed != wanted.size() && idle && *idle) {
    idle = wanted[armed].port->arm(wanted[armed].directions);
    if (idle && *idle) ++armed;  // else it has taken itself back
  }
  auto woken = idle && *idle ? sleep_armed(wanted, timeout) : Result<bool>(true);
  for (const auto& [port, directions] : wanted.first(armed)) port->disarm(directions);
  return idle ? woken : idle;
}

}  // namespace

/// Where polling is a sync, nothing else is called: one system call a batch, for all ports.
Result<bool> wait_any(std::span<const Wanted> wanted, nanoseconds timeout) {
  const bool poll_syncs = std::ranges::all_of(wanted, [](const Wanted& one) {
    return one.directions.empty() || one.port->poll_syncs(one.directions);
  });
  auto found = poll_syncs ? Result<bool>(false) : look(wanted);
  if (!found || *found) return found;  // without a look at the clock
  const Deadline deadline(timeout);
  bool must_poll = poll_syncs;
  while (found && !*found && (must_poll || !deadline.has_passed())) {
    must_poll = false;
    const auto woken = sleep(wanted, deadline.left());
    if (!woken) return woken;
    found = poll_syncs ? is_any_ready(wanted) : look(wanted);
    if (!*woken) break;
  }
  return found;
}

Result<bool> wait_any(std::span<Port> ports, Directions wanted, nanoseconds timeout) {
  std::vector<Wanted> all;
  for (Port& port : ports) all.push_back({&port, wanted});
  return wait_any(all, timeout);
}

}  // namespace netmap
