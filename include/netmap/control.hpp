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

/// The ports that anybody has open. The embedded device knows all of its domain; the kernel module
/// tells only of those on VALE switches.
[[nodiscard]] Result<std::vector<OpenPort>> open_ports(const DeviceOptions& options = {});

}  // namespace netmap
