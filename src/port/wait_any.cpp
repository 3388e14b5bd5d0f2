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

/// What is polled for a port: a handle a direction, and the news; negative ones are not polled.
using Handles = std::array<pollfd, 3>;

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

Handles handles_of(const Wanted& wanted) {
  Handles handles;
  handles.fill({-1, 0, 0});
  auto& [first, second, news] = handles;
  for (const Direction one : {Direction::rx, Direction::tx}) {
    if (!wanted.directions.has(one)) continue;
    const WaitHandle handle = wanted.port->wait_handle(one);
    pollfd& place = first.fd < 0 || first.fd == handle.fd ? first : second;
    place = {handle.fd, static_cast<short>(place.events | handle.events), 0};
    news = {handle.news, POLLIN, 0};
  }
  return handles;
}

/// Whether the port was woken.
Result<bool> was_woken(const Port& port, const Handles& handles) {
  const auto& [first, second, news] = handles;
  if (news.revents != 0) os::hush(news.fd);
  const int events = first.revents | second.revents;
  if ((events & POLLERR) != 0) return std::unexpected(poll_error(port.info().name));
  return (events | news.revents) != 0;
}

/// Sleeps with all ports armed. Yields false if the timeout or a signal ended the sleep.
Result<bool> sleep_armed(std::span<const Wanted> wanted, nanoseconds timeout) {
  constexpr std::size_t each = std::tuple_size_v<Handles>;
  std::array<pollfd, 4 * each> few;  // so that waiting for few ports allocates nothing
  std::vector<pollfd> many(wanted.size() * each > few.size() ? wanted.size() * each : 0);
  const auto polled = (many.empty() ? std::span<pollfd>(few) : many).first(wanted.size() * each);
  for (std::size_t n = 0; n != wanted.size(); ++n) {
    std::ranges::copy(handles_of(wanted[n]), polled.subspan(n * each).begin());
  }
  if (const auto slept = os::poll(polled, timeout); !slept) {
    return std::unexpected(Error(
        slept.error(),
        "cannot wait on '" + wanted.front().port->info().name + "': " + slept.error().message()));
  }
  bool is_woken = false;
  for (std::size_t n = 0; n != wanted.size(); ++n) {
    Handles handles;
    std::ranges::copy(polled.subspan(n * each, each), handles.begin());
    const auto woken = was_woken(*wanted[n].port, handles);
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

/// Where polling is a sync, nothing else is called: one system call a batch, for all ports. With
/// something there already there is no need to sleep, and the sync costs less.
Result<bool> wait_any(std::span<const Wanted> wanted, nanoseconds timeout) {
  const bool poll_syncs = std::ranges::all_of(
      wanted, [](const Wanted& one) { return one.port->poll_syncs(one.directions); });
  bool must_poll = poll_syncs && !is_any_ready(wanted);
  auto found = must_poll ? Result<bool>(false) : look(wanted);
  if (!found || *found) return found;  // without a look at the clock
  const Deadline deadline(timeout);
  while (found && !*found && (must_poll || !deadline.has_passed())) {
    const auto woken =
        sleep(wanted, must_poll ? std::max(timeout, nanoseconds(0)) : deadline.left());
    if (!woken) return woken;
    must_poll = false;
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
