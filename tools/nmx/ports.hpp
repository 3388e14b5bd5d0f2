// SPDX-License-Identifier: BSD-2-Clause
//
// Opening ports for a transfer, and saying what they turned out to be.
#pragma once

#include "addresses.hpp"
#include "options.hpp"

#include <netmap/netmap.hpp>

#include <optional>
#include <string>
#include <vector>

namespace nmx {

/// The port, or one per ring if several threads are asked for. Fails with no_such_ring if the port
/// has no ring of `direction` for one of them.
[[nodiscard]] netmap::Result<std::vector<netmap::Port>> open_ports(const TransferOptions& options,
                                                                   netmap::Direction direction);

/// One port. On the embedded device, where looking again costs no system call, it looks a while
/// before it sleeps.
[[nodiscard]] netmap::Result<netmap::Port> open_port(
    const std::string& name, const netmap::DeviceOptions& device,
    const std::optional<netmap::Faults>& faults = {});

/// One port with rings of both directions, which spins as asked. Fails with no_such_ring.
[[nodiscard]] netmap::Result<netmap::Port> open_ping_port(const PingPortOptions& options);

/// Fails with no_such_ring if the port has no ring of this direction.
[[nodiscard]] netmap::Result<> check_rings(netmap::Port& port, netmap::Direction direction);

/// "embedded device, domain /dev/shm/netmap-0, port 'x{1', 1 tx ring of 1024 slots, …"
[[nodiscard]] std::string describe(const netmap::PortInfo& info);
/// The first fields of a transfer's JSON.
[[nodiscard]] Json identify(const char* command, const netmap::PortInfo& info);
/// What to say when nothing has moved for a second.
[[nodiscard]] std::string alone(const netmap::PortInfo& info);

[[nodiscard]] bool is_capture(const netmap::PortInfo& info);
[[nodiscard]] bool is_pipe(const netmap::PortInfo& info);
/// A network card of the kernel device, which links up anew when it is opened.
[[nodiscard]] bool is_interface(const netmap::PortInfo& info);
/// An interface's own address; any other port has none, and takes the one given here.
[[nodiscard]] MacAddress mac_of(const netmap::PortInfo& info, const MacAddress& otherwise);
/// Whether nothing failed, but a capture has been read to its end.
[[nodiscard]] bool is_end(const netmap::Error& error);
/// Fails if the port writes the file `read`, or reads the file `written`: that would be emptied
/// first. Before either is opened; an empty name is no file.
[[nodiscard]] netmap::Result<> check_apart(const std::string& port, const std::string& read,
                                           const std::string& written);
/// Waits as asked, or 2 s for an interface, or until stopped.
void wait_for_link(const netmap::PortInfo& info, std::optional<double> seconds);

}  // namespace nmx
