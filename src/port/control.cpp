// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/control.hpp>

#include "device/device.hpp"
#include "port/request.hpp"

namespace netmap {

Result<> request(abi::nmreq_header& header, const DeviceOptions& options) {
  auto opened = open_device(options);
  if (!opened) return std::unexpected(opened.error());
  return opened->device->control(header);
}

Result<PortInfo> port_info(std::string_view text, const DeviceOptions& options) {
  const auto name = text.empty() ? PortName() : parse_port_name(text);
  if (!name) return std::unexpected(name.error());
  auto opened = open_device(options, *name);
  if (!opened) return std::unexpected(opened.error());
  abi::nmreq_port_info_get body{};
  body.nr_mem_id = name->memory_id.value_or(0);
  auto header = make_request(abi::request::port_info_get, name->name, &body);
  if (auto done = opened->device->control(header); !done) {
    return std::unexpected(Error(done.error().code(), "cannot ask about '" + std::string(text) +
                                                          "': " + done.error().message()));
  }
  return PortInfo{.name = name->name,
                  .device = opened->kind,
                  .domain = opened->domain,
                  .memory_id = body.nr_mem_id,
                  .memory_bytes = body.nr_memsize,
                  .conf = conf_of(body)};
}

namespace {

/// port_hdr_get or port_hdr_set; yields what the body says afterwards.
Result<std::uint32_t> ask_header(std::uint16_t type, std::string_view text, std::uint32_t bytes,
                                 const DeviceOptions& options) {
  const auto name = parse_port_name(text);
  if (!name) return std::unexpected(name.error());
  abi::nmreq_port_hdr body{};
  body.nr_hdr_len = bytes;
  auto header = make_request(type, name->name, &body);
  if (auto done = request(header, options); !done) {
    return std::unexpected(
        Error(done.error().code(),
              "the virtio-net header of '" + std::string(text) + "': " + done.error().message()));
  }
  return body.nr_hdr_len;
}

}  // namespace

Result<std::uint32_t> vnet_header(std::string_view name, const DeviceOptions& options) {
  return ask_header(abi::request::port_hdr_get, name, 0, options);
}

Result<> set_vnet_header(std::string_view name, std::uint32_t bytes, const DeviceOptions& options) {
  auto set = ask_header(abi::request::port_hdr_set, name, bytes, options);
  if (!set) return std::unexpected(set.error());
  return {};
}

Result<std::vector<OpenPort>> open_ports(const DeviceOptions& options) {
  auto opened = open_device(options);
  if (!opened) return std::unexpected(opened.error());
  return opened->device->open_ports();
}

}  // namespace netmap
