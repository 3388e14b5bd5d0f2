// SPDX-License-Identifier: BSD-2-Clause
//
// What the cases of VALE switches share. A switch delivers inside the sender's sync, so they look
// without waiting.
#pragma once

#include "conformance/ethernet.hpp"
#include "port/request.hpp"

#include <string>
#include <utility>

namespace netmap::conformance {

class OnSwitch : public OnDevice {
 protected:
  static std::error_code os(int code) { return {code, std::system_category()}; }

  /// A port of this case's own switch, or of another that is its own, too.
  [[nodiscard]] std::string port_name(const std::string& port,
                                      const std::string& other = "") const {
    return "vale" + other + base() + ":" + port;
  }

  /// Sends the body to the port of that name; an empty name is nobody's.
  static Result<> ask(std::uint16_t type, const std::string& name, void* body = nullptr) {
    abi::nmreq_header header = make_request(type, name, body);
    return request(header, device());
  }

  /// Registers a port, and closes it again.
  static Result<> register_once(const std::string& name, abi::nmreq_register& body) {
    return ask(abi::request::port_register, name, &body);
  }
  static Result<> register_once(const std::string& name, std::uint32_t mode = abi::mode::all_nic) {
    abi::nmreq_register body{};
    body.nr_mode = mode;
    return register_once(name, body);
  }

  /// The place of a port: the index of its switch, and its own.
  using Place = std::pair<std::uint16_t, std::uint32_t>;
  static constexpr std::uint32_t no_port = 255;
  [[nodiscard]] static Result<Place> place_of(const std::string& name) {
    abi::nmreq_vale_list body{};
    if (auto done = ask(abi::request::vale_list, name, &body); !done) {
      return std::unexpected(done.error());
    }
    return Place(body.nr_bridge_idx, body.nr_port_idx);
  }
  /// Whether there is a switch with a port of this name.
  [[nodiscard]] static bool is_there(const std::string& name) {
    const auto place = place_of(name);
    return place && place->second != no_port;
  }
  [[nodiscard]] static std::uint32_t index_of(const std::string& name) {
    return must(place_of(name)).second;
  }

  /// The numbers of the frames that are there now.
  [[nodiscard]] static std::vector<std::uint32_t> take(Port& port, std::size_t ring = 0) {
    must(port.sync_rx());
    std::vector<std::uint32_t> taken;
    port.rx_rings()[ring].for_each([&](const Packet& packet) {
      std::vector<std::byte> bytes(packet.size());
      must(packet.copy_to(bytes));
      if (const auto number = number_in_frame(bytes)) taken.push_back(*number);
    });
    must(port.sync_rx());
    return taken;
  }
};

}  // namespace netmap::conformance
