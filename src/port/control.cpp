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

namespace {

/// A name that says no more than `part` of it, which is what the request can be told.
template <class Part>
Result<PortName> parse_part(std::string_view text, Part part) {
  auto name = parse_port_name(text);
  if (!name || part(*name) == *name) return name;
  return std::unexpected(Error(errc::bad_name, "'" + std::string(text) +
                                                   "' says more than counts here; '" +
                                                   to_string(part(*name)) + "' would do"));
}

/// Sends the body about the port of that name, whose failure is that of what was to be done.
Result<> tell(const DeviceOptions& options, std::uint16_t type, const PortName& name, void* body,
              const char* deed) {
  auto header = make_request(type, name.name, body);
  auto done = request(header, options);
  if (done) return done;
  return std::unexpected(
      Error(done.error().code(),
            std::string("cannot ") + deed + " '" + name.name + "': " + done.error().message()));
}

}  // namespace

Result<PortInfo> make_vale_interface(std::string_view text, const DeviceOptions& options) {
  const auto name = parse_part(text, [](const PortName& all) {
    return PortName{.name = all.name, .memory_id = all.memory_id, .conf = all.conf};
  });
  if (!name) return std::unexpected(name.error());
  if (name->name.find_first_of("{}") != std::string::npos) {
    return std::unexpected(
        Error(errc::bad_name, "'" + name->name + "' is a pipe's name; leave out the brackets"));
  }
  abi::nmreq_vale_newif body{};
  body.nr_tx_slots = name->conf.tx_slots;
  body.nr_rx_slots = name->conf.rx_slots;
  body.nr_tx_rings = name->conf.tx_rings;
  body.nr_rx_rings = name->conf.rx_rings;
  body.nr_mem_id = name->memory_id.value_or(0);
  const auto done =
      tell(options, abi::request::vale_newif, *name, &body, "make the VALE interface");
  if (!done) return std::unexpected(done.error());
  return port_info(name->name, options);
}

Result<> remove_vale_interface(std::string_view text, const DeviceOptions& options) {
  const auto name =
      parse_part(text, [](const PortName& all) { return PortName{.name = all.name}; });
  if (!name) return std::unexpected(name.error());
  return tell(options, abi::request::vale_delif, *name, nullptr, "remove the VALE interface");
}

Result<> attach_to_switch(std::string_view text, const DeviceOptions& options) {
  const auto name = parse_part(text, [](const PortName& all) {
    return PortName{
        .name = all.name, .selection = all.selection, .ring = all.ring, .memory_id = all.memory_id};
  });
  if (!name) return std::unexpected(name.error());
  abi::nmreq_vale_attach body{};
  body.reg.nr_mode = static_cast<std::uint32_t>(name->selection);
  body.reg.nr_mem_id = name->memory_id.value_or(0);
  return tell(options, abi::request::vale_attach, *name, &body, "attach");
}

Result<> detach_from_switch(std::string_view text, const DeviceOptions& options) {
  const auto name =
      parse_part(text, [](const PortName& all) { return PortName{.name = all.name}; });
  if (!name) return std::unexpected(name.error());
  abi::nmreq_vale_detach body{};
  return tell(options, abi::request::vale_detach, *name, &body, "detach");
}

Result<std::vector<OpenPort>> open_ports(const DeviceOptions& options) {
  auto opened = open_device(options);
  if (!opened) return std::unexpected(opened.error());
  return opened->device->open_ports();
}

}  // namespace netmap
