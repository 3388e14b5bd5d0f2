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

Result<std::vector<OpenPort>> open_ports(const DeviceOptions& options) {
  auto opened = open_device(options);
  if (!opened) return std::unexpected(opened.error());
  return opened->device->open_ports();
}

}  // namespace netmap
