// SPDX-License-Identifier: BSD-2-Clause
#include "device/legacy.hpp"

#include "device/c_name.hpp"

#include <cstdint>
#include <string>

namespace netmap {
namespace {

namespace cmd = abi::legacy_cmd;
namespace ringid = abi::legacy_ringid;

std::unexpected<Error> refuse(std::errc code, std::string sentence) {
  return std::unexpected(Error(std::make_error_code(code), std::move(sentence)));
}

/// Of a request that does not say it today's way.
std::uint32_t mode_of(const abi::nmreq& legacy) {
  const std::uint32_t mode = legacy.nr_flags & abi::legacy_mode_mask;
  if (mode != abi::mode::unset) return mode;
  if ((legacy.nr_ringid & ringid::sw_ring) != 0) return abi::mode::sw;
  return (legacy.nr_ringid & ringid::hw_ring) != 0 ? abi::mode::one_nic : abi::mode::all_nic;
}

std::uint64_t flags_of(const abi::nmreq& legacy) {
  std::uint64_t flags = legacy.nr_flags & ~abi::legacy_mode_mask;
  if ((legacy.nr_ringid & ringid::no_tx_poll) != 0) flags |= abi::register_flags::no_tx_poll;
  if ((legacy.nr_ringid & ringid::do_rx_poll) != 0) flags |= abi::register_flags::do_rx_poll;
  return flags;
}

template <class Body>
void copy_shape(Body& to, const auto& from) {
  to.nr_tx_slots = from.nr_tx_slots;
  to.nr_rx_slots = from.nr_rx_slots;
  to.nr_tx_rings = from.nr_tx_rings;
  to.nr_rx_rings = from.nr_rx_rings;
}

abi::nmreq_register registration_of(const abi::nmreq& legacy) {
  abi::nmreq_register body{};
  copy_shape(body, legacy);
  body.nr_mem_id = legacy.nr_arg2;
  body.nr_ringid = legacy.nr_ringid & ringid::ring_mask;
  body.nr_mode = mode_of(legacy);
  body.nr_flags = flags_of(legacy);
  body.nr_extra_bufs = legacy.nr_arg3;
  return body;
}

/// The modes of old that name an end of a pipe by its number, which today is in the port's name.
void name_pipe(abi::nmreq_header& header, abi::nmreq_register& body) {
  const bool is_master = body.nr_mode == abi::mode::pipe_master;
  if (!is_master && body.nr_mode != abi::mode::pipe_slave) return;
  store_name(header.nr_name, std::string(stored_name(header.nr_name))
                                 .append(is_master ? "{" : "}")
                                 .append(std::to_string(body.nr_ringid)));
  body.nr_mode = abi::mode::all_nic;
  body.nr_ringid = 0;
}

abi::nmreq_vale_attach attachment_of(const abi::nmreq& legacy) {
  abi::nmreq_vale_attach body{};
  body.reg = registration_of(legacy);
  const bool has_host = (legacy.nr_arg1 & abi::legacy_bdg_host) != 0;
  body.reg.nr_mode = has_host ? abi::mode::nic_sw : abi::mode::all_nic;
  return body;
}

abi::nmreq_vale_newif newif_of(const abi::nmreq& legacy) {
  abi::nmreq_vale_newif body{};
  copy_shape(body, legacy);
  body.nr_mem_id = legacy.nr_arg2;
  return body;
}

abi::nmreq_vale_polling polling_of(const abi::nmreq& legacy) {
  abi::nmreq_vale_polling body{};
  const std::uint32_t mode = legacy.nr_flags & abi::legacy_mode_mask;
  if (mode == abi::mode::one_nic) body.nr_mode = abi::polling_mode::multi_cpu;
  if (mode == abi::mode::all_nic) body.nr_mode = abi::polling_mode::single_cpu;
  body.nr_first_cpu_id = legacy.nr_ringid & ringid::ring_mask;
  body.nr_num_polling_cpus = legacy.nr_arg1;
  return body;
}

}  // namespace

Result<LegacyRequest> LegacyRequest::from(const abi::nmreq& legacy, LegacyCall call) {
  if (legacy.nr_version < abi::version::oldest) {
    return refuse(std::errc::invalid_argument,
                  "requests of API " + std::to_string(legacy.nr_version) +
                      " are too old: 14 is the first that is answered");
  }
  LegacyRequest request;
  request.header_.nr_version = abi::version::current;
  store_name(request.header_.nr_name, stored_name(legacy.nr_name));
  if (call == LegacyCall::info) {
    request.ask_for_info(legacy);
    return request;
  }
  if (auto taken = request.take_command(legacy); !taken) return std::unexpected(taken.error());
  return request;
}

/// Every command but one asks for the same.
void LegacyRequest::ask_for_info(const abi::nmreq& legacy) {
  if (legacy.nr_cmd == cmd::bdg_list) {
    abi::nmreq_vale_list body{};
    body.nr_bridge_idx = legacy.nr_arg1;
    body.nr_port_idx = legacy.nr_arg2;
    return ask(abi::request::vale_list, body);
  }
  abi::nmreq_port_info_get body{};
  copy_shape(body, legacy);
  body.nr_mem_id = legacy.nr_arg2;
  ask(abi::request::port_info_get, body);
}

/// A command that there is not becomes a request that there is not.
Result<> LegacyRequest::take_command(const abi::nmreq& legacy) {
  switch (legacy.nr_cmd) {
    case cmd::none: {
      abi::nmreq_register body = registration_of(legacy);
      name_pipe(header_, body);
      ask(abi::request::port_register, body);
      break;
    }
    case cmd::bdg_attach: ask(abi::request::vale_attach, attachment_of(legacy)); break;
    case cmd::bdg_detach: ask(abi::request::vale_detach, abi::nmreq_vale_detach{}); break;
    case cmd::bdg_vnet_hdr:
      ask(abi::request::port_hdr_set, abi::nmreq_port_hdr{legacy.nr_arg1, {}});
      break;
    case cmd::vnet_hdr_get: ask(abi::request::port_hdr_get, abi::nmreq_port_hdr{}); break;
    case cmd::bdg_newif: ask(abi::request::vale_newif, newif_of(legacy)); break;
    case cmd::bdg_delif: ask(abi::request::vale_delif, std::monostate()); break;
    case cmd::bdg_polling_on: ask(abi::request::vale_polling_enable, polling_of(legacy)); break;
    case cmd::bdg_polling_off: ask(abi::request::vale_polling_disable, polling_of(legacy)); break;
    case cmd::pt_host_create:
    case cmd::pt_host_delete:
      return refuse(std::errc::not_enough_memory,
                    "pass-through of this kind is no longer supported; use sync loops");
    default: break;
  }
  return {};
}

template <class Body>
void LegacyRequest::ask(std::uint16_t type, const Body& body) {
  header_.nr_reqtype = type;
  body_ = body;
}

abi::nmreq_header& LegacyRequest::header() {
  header_.nr_body = std::visit(
      []<class Body>(Body& body) {
        return std::is_same_v<Body, std::monostate> ? 0 : reinterpret_cast<std::uintptr_t>(&body);
      },
      body_);
  return header_;
}

namespace {

void write(abi::nmreq& to, const abi::nmreq_register& from) {
  copy_shape(to, from);
  to.nr_offset = static_cast<std::uint32_t>(from.nr_offset);
  to.nr_memsize = static_cast<std::uint32_t>(from.nr_memsize);
  to.nr_arg2 = from.nr_mem_id;
  to.nr_arg3 = from.nr_extra_bufs;
}
void write(abi::nmreq& to, const abi::nmreq_vale_attach& from) {
  write(to, from.reg);
}
void write(abi::nmreq& to, const abi::nmreq_port_info_get& from) {
  copy_shape(to, from);
  to.nr_memsize = static_cast<std::uint32_t>(from.nr_memsize);
  to.nr_arg2 = from.nr_mem_id;
}
void write(abi::nmreq& to, const abi::nmreq_vale_newif& from) {
  copy_shape(to, from);
  to.nr_arg2 = from.nr_mem_id;
}
void write(abi::nmreq& to, const abi::nmreq_port_hdr& from) {
  to.nr_arg1 = static_cast<std::uint16_t>(from.nr_hdr_len);
}
void write(abi::nmreq& to, const abi::nmreq_vale_list& from) {
  to.nr_arg1 = static_cast<std::uint16_t>(from.nr_bridge_idx);
  to.nr_arg2 = static_cast<std::uint16_t>(from.nr_port_idx);
}
void write(abi::nmreq&, const auto&) {}

}  // namespace

void LegacyRequest::write_to(abi::nmreq& legacy) const {
  std::visit([&](const auto& body) { write(legacy, body); }, body_);
  if (header_.nr_reqtype == abi::request::vale_list) {
    store_name(legacy.nr_name, stored_name(header_.nr_name));
  }
}

}  // namespace netmap
