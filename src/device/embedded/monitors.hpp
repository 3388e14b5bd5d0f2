// SPDX-License-Identifier: BSD-2-Clause
//
// Monitors as records of a domain. A monitor is a port like one of a switch, with a mailbox for
// each rx ring; into that, whoever syncs a ring that it watches puts what passes (taps.hpp). Under
// the domain's lock.
#pragma once

#include "device/embedded/vale.hpp"
#include "os/interface.hpp"

#include <optional>
#include <string>

namespace netmap::embedded {

/// use(port) for each monitor of a port that is open. Also without the lock, within a delivery.
template <class Use>
void for_each_monitor(const DomainState& state, Use&& use) {
  if (state.switches[monitors].in_use == 0) return;
  for (const SwitchPort& port : state.switches[monitors].ports) {
    const bool is_there = port.presence.load(std::memory_order_acquire) == SwitchPort::there;
    if (is_there && port.is_orphan == 0) use(port);
  }
}

/// Whether a registration asks for a monitor.
[[nodiscard]] bool is_monitor(const abi::nmreq_register& body);

/// Makes a monitor of the port named, which must be open; writes to `body` what it is like and to
/// `endpoint` which port it is.
Result<> make_monitor_of(Domain& domain, const std::string& name,
                         const std::optional<os::Interface>& interface, abi::nmreq_register& body,
                         EndpointRecord& endpoint);

/// A monitor, or a user of what one watches, has come or gone: whoever syncs that is to look for
/// monitors anew, and monitors for whom they watch.
void tell_watched(Domain& domain);
/// Monitors of which nobody has open any more what they watch see nothing from now on.
void orphan_monitors(Domain& domain);
/// Somebody died: gives cells that have no buffer one, and has all monitors look for what the dead
/// had claimed.
void refill_monitors(Domain& domain);

}  // namespace netmap::embedded
