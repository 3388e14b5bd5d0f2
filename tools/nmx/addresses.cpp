// SPDX-License-Identifier: BSD-2-Clause
#include "addresses.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <arpa/inet.h>

namespace nmx {
namespace {

constexpr std::uint16_t default_port = 1234;

/// Takes a number of at most `largest` off the front of `text`.
template <class Number>
bool take_number(std::string_view& text, Number& number, int base, Number largest) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || number > largest) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_address(std::string_view& text, std::uint32_t& address) {
  address = 0;
  for (int part = 0; part < 4; ++part) {
    std::uint32_t byte = 0;
    if (part != 0 && !take(text, '.')) return false;
    if (!take_number<std::uint32_t>(text, byte, 10, 255)) return false;
    address = address << 8 | byte;
  }
  return true;
}

bool take_port(std::string_view& text, Endpoint& endpoint) {
  return !take(text, ':') || take_number<std::uint16_t>(text, endpoint.port, 10, UINT16_MAX);
}

/// What stands in brackets, or else up to where a range goes on.
std::string take_ipv6_text(std::string_view& text) {
  const bool has_brackets = take(text, '[');
  const std::size_t end = std::min(text.find(has_brackets ? ']' : '-'), text.size());
  std::string address(text.substr(0, end));
  text.remove_prefix(end);
  return !has_brackets || take(text, ']') ? address : std::string();
}

bool take_ipv6(std::string_view& text, Endpoint& endpoint, std::optional<Prefix>& prefix) {
  std::array<std::uint8_t, 16> bytes{};
  if (::inet_pton(AF_INET6, take_ipv6_text(text).c_str(), bytes.data()) != 1) return false;
  prefix.emplace();
  std::copy_n(bytes.begin(), prefix->size(), prefix->begin());
  endpoint.address = 0;
  for (std::size_t i = prefix->size(); i < bytes.size(); ++i) {
    endpoint.address = endpoint.address << 8 | bytes[i];
  }
  return take_port(text, endpoint);
}

bool take_endpoint(std::string_view& text, Endpoint& endpoint, std::optional<Prefix>& prefix) {
  std::string_view rest = text;
  if (take_address(rest, endpoint.address) && take_port(rest, endpoint)) {
    text = rest;
    return true;
  }
  return take_ipv6(text, endpoint, prefix);
}

/// One wheel of the odometer; yields whether it came round.
template <class Number>
bool turn(Number& now, Number first, Number last) {
  const bool is_last = now >= last;
  now = is_last ? first : static_cast<Number>(now + 1);
  return is_last;
}

bool turn(Endpoint& now, const EndpointRange& range) {
  return turn(now.port, range.first.port, range.last.port) &&
         turn(now.address, range.first.address, range.last.address);
}

Endpoint draw(Random& random) {
  const std::uint64_t bits = random.next();
  return {static_cast<std::uint32_t>(bits), static_cast<std::uint16_t>(bits >> 32)};
}

}  // namespace

std::expected<MacAddress, std::string> parse_mac(std::string_view text) {
  MacAddress mac{};
  std::string_view rest = text;
  bool good = true;
  for (std::size_t i = 0; i < mac.size() && good; ++i) {
    good = (i == 0 || take(rest, ':')) && take_number<std::uint8_t>(rest, mac[i], 16, UINT8_MAX);
  }
  if (!good || !rest.empty()) {
    return std::unexpected("'" + std::string(text) +
                           "' is no MAC address; one looks like 02:00:00:00:00:01");
  }
  return mac;
}

std::expected<EndpointRange, std::string> parse_range(std::string_view text) {
  EndpointRange range{{0, default_port}, {}};
  std::string_view rest = text;
  bool good = take_endpoint(rest, range.first, range.prefix);
  range.last = range.first;
  std::optional<Prefix> second = range.prefix;
  if (good && take(rest, '-')) {
    second.reset();
    good = take_endpoint(rest, range.last, second);
  }
  if (!good || !rest.empty()) {
    return std::unexpected("'" + std::string(text) +
                           "' is no range of addresses; one looks like "
                           "10.0.0.1:1000-10.0.0.9:2000, or [fd00::1]:1000-[fd00::9]:2000");
  }
  if (second != range.prefix) {
    return std::unexpected("the ends of '" + std::string(text) +
                           "' differ in more than the last 32 bits");
  }
  if (range.first.address > range.last.address) std::swap(range.first.address, range.last.address);
  if (range.first.port > range.last.port) std::swap(range.first.port, range.last.port);
  return range;
}

void Sweep::advance() {
  if (options_.random_source) now_.source = draw(random_);
  const bool carries = options_.random_source || turn(now_.source, options_.source);
  if (options_.random_destination) {
    now_.destination = draw(random_);
  } else if (carries) {
    turn(now_.destination, options_.destination);
  }
}

}  // namespace nmx
