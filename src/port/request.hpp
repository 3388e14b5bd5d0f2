// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <netmap/abi.hpp>
#include <netmap/port_name.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace netmap {

/// A request's header; `body` stays the caller's and must outlive it.
[[nodiscard]] inline abi::nmreq_header make_request(std::uint16_t type, std::string_view name,
                                                    void* body) noexcept {
  abi::nmreq_header header{};
  header.nr_version = abi::version::current;
  header.nr_reqtype = type;
  name.copy(header.nr_name, sizeof header.nr_name - 1);
  header.nr_body = reinterpret_cast<std::uintptr_t>(body);
  return header;
}

/// Puts an option before those that the header has. It stays the caller's.
inline void add_option(abi::nmreq_header& header, abi::nmreq_option& option,
                       std::uint32_t type) noexcept {
  option.nro_reqtype = type;
  option.nro_next = header.nr_options;
  header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
}

/// The request's option of a type, or null. A list without end has one. `Option` is the structure
/// that goes with the type.
template <class Option>
[[nodiscard]] Option* find_option(const abi::nmreq_header& request, std::uint32_t type) {
  auto address = request.nr_options;
  constexpr std::size_t most = abi::max_request_size / sizeof(abi::nmreq_option);
  for (std::size_t count = 0; address != 0 && count != most; ++count) {
    auto* option = reinterpret_cast<abi::nmreq_option*>(static_cast<std::uintptr_t>(address));
    if (option->nro_reqtype == type) return reinterpret_cast<Option*>(option);
    address = option->nro_next;
  }
  return nullptr;
}

/// Rings and slots as a registration or a port_info_get answers them.
template <class Body>
[[nodiscard]] PortConf conf_of(const Body& body) noexcept {
  return {.tx_rings = body.nr_tx_rings,
          .rx_rings = body.nr_rx_rings,
          .host_tx_rings = body.nr_host_tx_rings,
          .host_rx_rings = body.nr_host_rx_rings,
          .tx_slots = body.nr_tx_slots,
          .rx_slots = body.nr_rx_slots};
}

}  // namespace netmap
