// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's control language without a port: one request on a fresh descriptor of a device.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/port.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace netmap {

/// Sends one request (see abi::request) and lets the device answer in its header, body and
/// options, which the caller owns. A request
/// that succeeds may still carry options the device passed over: their nro_status says so.
/// Fails with what the device answers; a registration lasts only for this call, use open().
Result<> request(abi::nmreq_header& header, const DeviceOptions& options = {});

/// Rings, slots and memory of a port, opened or not (abi::request::port_info_get). `name` follows
/// the grammar of open(); empty asks about the device itself and its common memory. Looking at a
/// pipe or a VALE port that does not exist creates it for the moment of the question.
[[nodiscard]] Result<PortInfo> port_info(std::string_view name, const DeviceOptions& options = {});

/// Bytes of virtio-net header that the packets of an open port begin with: 0, 10 or 12. A port
/// with such headers opens only for programs that expect them: abi::register_flags::accept_vnet_hdr
/// in PortOptions::flags. Fails with ENXIO if there is no such port, with ENODEV if the pipe is not
/// open.
[[nodiscard]] Result<std::uint32_t> vnet_header(std::string_view name,
                                                const DeviceOptions& options = {});

/// Sets it, on a VALE port that somebody has open. Fails with EINVAL if `bytes` is none of the
/// three, with ENXIO if there is no such VALE port: other ports have no headers to set.
Result<> set_vnet_header(std::string_view name, std::uint32_t bytes,
                         const DeviceOptions& options = {});

/// The ports that anybody has open, and what is on a switch though nobody has it open. The embedded
/// device knows all of its domain, and VALE interfaces that are on no switch; the kernel module
/// tells only of those on VALE switches.
[[nodiscard]] Result<std::vector<OpenPort>> open_ports(const DeviceOptions& options = {});

/// Makes a VALE interface: a port that is there until it is removed, whoever opens and closes it,
/// and that is on no switch until it is attached to one. `name` is 1 to 15 characters that do not
/// begin with "vale", and may go on with @conf and a memory id as in open(). Yields what was made:
/// by default a ring each way of 1024 slots, in memory of its own (abi::request::vale_newif). Fails
/// with EEXIST if there is an interface of that name, with EINVAL if the name or the memory is
/// none, with ENOMEM if there is no room.
Result<PortInfo> make_vale_interface(std::string_view name, const DeviceOptions& options = {});

/// Removes it. Fails with EBUSY while it is open or attached, with ENXIO if there is no such
/// interface, with EINVAL if it is not one of VALE's (abi::request::vale_delif).
Result<> remove_vale_interface(std::string_view name, const DeviceOptions& options = {});

/// Puts an interface on a switch, which is made if need be: "vale0:v0" puts v0 on vale0, where it
/// is until it is detached; nobody may have it open meanwhile. Of a network card, which the module
/// alone takes, "vale0:eth0*" puts the host's side there, too. Fails with EBUSY if it is open or on
/// a switch, with EINVAL if there is no such interface (abi::request::vale_attach).
Result<> attach_to_switch(std::string_view name, const DeviceOptions& options = {});

/// Takes it away from the switch. Fails with EBUSY if somebody has it open or it was not attached,
/// with ENXIO if the switch has no such port (abi::request::vale_detach).
Result<> detach_from_switch(std::string_view name, const DeviceOptions& options = {});

}  // namespace netmap
