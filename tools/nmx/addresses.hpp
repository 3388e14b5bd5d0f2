// SPDX-License-Identifier: BSD-2-Clause
//
// Who a generated packet claims to come from and go to: addresses as pkt-gen writes them, and the
// walk through their ranges, one step a packet.
#pragma once

#include "random.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace nmx {

using MacAddress = std::array<std::uint8_t, 6>;

/// The first 96 bits of an IPv6 address.
using Prefix = std::array<std::uint8_t, 12>;

struct Endpoint {
  std::uint32_t address;  ///< IPv4, or the last 32 bits of IPv6, in the machine's byte order
  std::uint16_t port;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct EndpointRange {
  Endpoint first;
  Endpoint last;
  std::optional<Prefix> prefix = {};  ///< of all addresses between, if they are IPv6

  [[nodiscard]] bool is_single() const { return first == last; }
  friend bool operator==(const EndpointRange&, const EndpointRange&) = default;
};

/// "02:00:00:00:00:01". The error is a phrase that says what was expected.
[[nodiscard]] std::expected<MacAddress, std::string> parse_mac(std::string_view text);

/// "IP[:PORT][-IP[:PORT]]", the port being 1234 where none is given; IPv6 with a port is in
/// brackets. Ends in the wrong order are exchanged.
[[nodiscard]] std::expected<EndpointRange, std::string> parse_range(std::string_view text);

struct Endpoints {
  Endpoint source;
  Endpoint destination;

  friend bool operator==(const Endpoints&, const Endpoints&) = default;
};

struct SweepOptions {
  EndpointRange source = {};
  EndpointRange destination = {};
  bool random_source = false;
  bool random_destination = false;
};

/// Walks through both ranges. The source port turns fastest, then the source address, the
/// destination port and the destination address, each starting over when it is through; a random
/// side is drawn anew for every packet, anywhere outside its range too.
class Sweep {
 public:
  Sweep(const SweepOptions& options, std::uint64_t seed)
      : options_(options), now_{options.source.first, options.destination.first}, random_(seed) {}

  [[nodiscard]] bool is_constant() const {
    return options_.source.is_single() && options_.destination.is_single() &&
           !options_.random_source && !options_.random_destination;
  }
  [[nodiscard]] const Endpoints& current() const { return now_; }
  void advance();

 private:
  SweepOptions options_;
  Endpoints now_;
  Random random_;
};

}  // namespace nmx
