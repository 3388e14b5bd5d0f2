// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/control.hpp>
#include <netmap/port.hpp>

#include "device/device.hpp"
#include "device/fault/fault.hpp"
#include "device/kernel/kernel.hpp"
#include "port/external.hpp"
#include "port/request.hpp"

#include <algorithm>

namespace netmap {
namespace {

/// What name and options ask for together, or why they cannot be had together.
class Merge {
 public:
  template <class T>
  T operator()(T named, T option, const char* what) {
    if (named != 0 && option != 0 && named != option && conflict_.empty()) {
      conflict_ = std::string("the name asks for ") + what + ' ' + std::to_string(named) +
                  ", the options for " + std::to_string(option);
    }
    return named != 0 ? named : option;
  }
  [[nodiscard]] const std::string& conflict() const noexcept { return conflict_; }

 private:
  std::string conflict_;
};

Error cannot_open(std::string_view name, const Error& why) {
  return {why.code(), "cannot open '" + std::string(name) + "': " + why.message()};
}

Result<std::uint16_t> memory_of(const PortName& name, const PortOptions& options) {
  if (!name.share) return name.memory_id.value_or(0);
  const auto info = port_info(*name.share, options.device);
  if (!info) return std::unexpected(info.error());
  return info->memory_id;
}

/// A registration and what goes beside it.
struct Wish {
  abi::nmreq_register body{};
  std::optional<DataOffset> offset{};
  std::shared_ptr<External> external{};  ///< kept until a port is open in it
};

Result<std::optional<DataOffset>> offset_of(const PortName& name, const PortOptions& options) {
  if (name.offset && options.offset && name.offset != options.offset) {
    return std::unexpected(Error(errc::conflicting_options,
                                 "the name asks for other data offsets than the options do"));
  }
  auto offset = name.offset ? name.offset : options.offset;
  if (offset && options.faults) {
    return std::unexpected(
        Error(errc::not_supported,
              "packets of a port with faults begin at the first byte of their buffers; open it "
              "without data offsets, or without faults"));
  }
  if (offset && offset->max == 0) offset->max = offset->initial;
  return offset;
}

Result<Wish> registration(const PortName& name, const PortOptions& options) {
  const auto offset = offset_of(name, options);
  if (!offset) return std::unexpected(offset.error());
  const auto memory_id = memory_of(name, options);
  if (!memory_id) return std::unexpected(memory_id.error());
  Merge merge;
  abi::nmreq_register body{};
  body.nr_tx_rings = merge(name.conf.tx_rings, options.conf.tx_rings, "tx rings");
  body.nr_rx_rings = merge(name.conf.rx_rings, options.conf.rx_rings, "rx rings");
  body.nr_host_tx_rings =
      merge(name.conf.host_tx_rings, options.conf.host_tx_rings, "host tx rings");
  body.nr_host_rx_rings =
      merge(name.conf.host_rx_rings, options.conf.host_rx_rings, "host rx rings");
  body.nr_tx_slots = merge(name.conf.tx_slots, options.conf.tx_slots, "tx slots");
  body.nr_rx_slots = merge(name.conf.rx_slots, options.conf.rx_slots, "rx slots");
  body.nr_mem_id = merge(*memory_id, options.memory_id, "memory id");
  body.nr_extra_bufs = options.extra_buffers;
  body.nr_mode = static_cast<std::uint32_t>(name.selection);
  body.nr_ringid = name.ring;
  body.nr_flags = name.flags | options.flags | abi::register_flags::no_tx_poll;
  if (!options.shared) body.nr_flags |= abi::register_flags::exclusive;
  if (!merge.conflict().empty()) {
    return std::unexpected(Error(errc::conflicting_options, merge.conflict()));
  }
  if (options.null_port) {
    // One small ring each way says where the region's buffers are.
    body.nr_mode = abi::mode::null;
    body.nr_tx_rings = std::max<std::uint16_t>(body.nr_tx_rings, 1);
    body.nr_rx_rings = std::max<std::uint16_t>(body.nr_rx_rings, 1);
    body.nr_tx_slots = std::max<std::uint32_t>(body.nr_tx_slots, 2);
    body.nr_rx_slots = std::max<std::uint32_t>(body.nr_rx_slots, 2);
  }
  auto external = open_external(name, options);
  if (!external) return std::unexpected(external.error());
  if (*external) body.nr_mem_id = (*external)->memory_id;
  return Wish{body, *offset, std::move(*external)};
}

PortInfo describe(const std::string& name, const OpenDevice& opened,
                  const abi::nmreq_register& body) {
  return {.name = name,
          .device = opened.kind,
          .domain = opened.domain,
          .memory_id = body.nr_mem_id,
          .memory_bytes = body.nr_memsize,
          .conf = conf_of(body),
          .xdp = opened.device ? opened.device->xdp() : std::nullopt};
}

Result<Port> register_port(const PortName& name, Wish wish, const PortOptions& options) {
  auto opened = open_device(options.device, name);
  if (!opened) return std::unexpected(opened.error());
  auto header = make_request(abi::request::port_register, name.name, &wish.body);
  abi::nmreq_opt_offsets offsets{};
  if (wish.offset) {
    offsets.nro_initial_offset = wish.offset->initial;
    offsets.nro_max_offset = wish.offset->max;
    offsets.nro_offset_bits = wish.offset->bits;
    add_option(header, offsets.nro_opt, abi::option::offsets);
  }
  if (auto done = opened->device->control(header); !done) return std::unexpected(done.error());
  if (wish.external && wish.body.nr_mem_id != wish.external->memory_id) {
    return std::unexpected(Error(
        errc::conflicting_options,
        "it lives in other memory already, with memory id " + std::to_string(wish.body.nr_mem_id) +
            "; close its other ports first, or do without external memory here"));
  }
  if (options.ends_with_peer) {
    if (auto told = opened->device->end_with_peer(); !told) return std::unexpected(told.error());
  }
  auto info = describe(name.name, *opened, wish.body);
  info.offset = wish.offset;
  if (info.offset) info.offset->max = offsets.nro_max_offset;
  auto port = Port::assemble(std::move(opened->device), std::move(info), wish.body);
  if (port && options.faults) port = fault::inflict(std::move(*port), *options.faults);
  if (port) port->set_spin(options.spin);
  return port;
}

Result<Port> open_parsed(const PortName& name, const PortOptions& options) {
  const auto wish = registration(name, options);
  if (!wish) return std::unexpected(wish.error());
  auto port = register_port(name, *wish, options);
  const bool is_taken = !port && port.error() == std::errc::device_or_resource_busy;
  if (!name.free_pipe_end || !is_taken) return port;
  PortName other_end = name;
  other_end.name[name.name.rfind('{')] = '}';
  return register_port(other_end, *wish, options);
}

/// The name of a ring of the port whose rings before it are `ports`. Where a port has more rings of
/// one direction than of the other, the module would give the other's first ring once more.
PortName one_ring(PortName name, const std::vector<Port>& ports) {
  if (ports.empty()) return name;
  const PortInfo& port = ports.front().info();
  name.name = port.name;
  name.free_pipe_end = false;
  if (name.ring >= port.conf.tx_rings) name.flags |= abi::register_flags::rx_rings_only;
  if (name.ring >= port.conf.rx_rings) name.flags |= abi::register_flags::tx_rings_only;
  return name;
}

}  // namespace

Result<Port> open(std::string_view text, const PortOptions& options) {
  const auto name = parse_port_name(text);
  if (!name) return std::unexpected(name.error());
  auto port = open_parsed(*name, options);
  if (!port) return std::unexpected(cannot_open(text, port.error()));
  return port;
}

Result<std::vector<Port>> open_each_ring(std::string_view text, const PortOptions& options) {
  auto name = parse_port_name(text);
  if (!name) return std::unexpected(name.error());
  if (name->selection != RingSelection::all_nic) {
    return std::unexpected(Error(
        errc::conflicting_options,
        "cannot open each ring of '" + std::string(text) + "': the name selects rings itself"));
  }
  name->selection = RingSelection::one_nic;
  std::vector<Port> ports;
  std::size_t rings = 1;
  for (; ports.size() != rings; ++name->ring) {
    auto port = open_parsed(one_ring(*name, ports), options);
    if (!port) return std::unexpected(cannot_open(to_string(*name), port.error()));
    rings = std::max(port->info().conf.tx_rings, port->info().conf.rx_rings);
    ports.push_back(std::move(*port));
  }
  return ports;
}

Result<Port> adopt(int fd, std::string_view text, const abi::nmreq_register& registered) {
  os::File file(fd);
  const auto name = parse_port_name(text);
  if (!name) return std::unexpected(name.error());
  auto device = kernel::adopt(std::move(file), name->name, registered);
  const OpenDevice opened{nullptr, DeviceKind::kernel, {}};
  auto port =
      Port::assemble(std::move(device), describe(name->name, opened, registered), registered);
  if (!port) {
    return std::unexpected(Error(port.error().code(), "cannot adopt '" + std::string(text) +
                                                          "': " + port.error().message()));
  }
  return port;
}

}  // namespace netmap
