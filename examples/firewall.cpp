// SPDX-License-Identifier: BSD-2-Clause
//
// A firewall between a card and its host, or between any two ports. Of the rules, the first that
// matches an IPv4 packet from OUTSIDE decides; what none matches may pass, and so may all else, and
// whatever comes from INSIDE. Nothing is copied if the two are of one region.
//
//     example_firewall OUTSIDE INSIDE [RULE…]         until SIGINT
//     example_firewall eth0 eth0^ allow:tcp:22 deny:tcp deny:udp:53 allow:icmp deny:any
#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using netmap::Direction;

volatile std::sig_atomic_t stop = 0;

struct Rule {
  bool allows;
  std::optional<int> protocol;  // none: any
  std::optional<int> port;      // the destination's; none: any
};

Rule parse(const std::string& text) {
  static const std::map<std::string, std::optional<int>> protocols{
      {"any", {}}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}};
  std::array<char, 8> verb{}, name{};
  int port = -1, used = 0;
  const int fields = std::sscanf(text.c_str(), "%7[a-z]:%7[a-z]%n:%d%n", verb.data(), name.data(),
                                 &used, &port, &used);
  const auto protocol = protocols.find(name.data());
  const bool allows = std::string(verb.data()) == "allow";
  const bool has_port = fields == 3;
  if (fields < 2 || text[static_cast<std::size_t>(used)] != '\0' || protocol == protocols.end() ||
      (!allows && std::string(verb.data()) != "deny")) {
    throw std::runtime_error("'" + text +
                             "' is no rule: allow or deny, any, icmp, tcp or udp, and "
                             "perhaps a port, as in allow:tcp:22");
  }
  return {allows, protocol->second, has_port ? std::optional(port) : std::nullopt};
}

/// A later fragment of a datagram has no ports, and matches rules without one only.
bool is_allowed(std::span<const Rule> rules, const netmap::Packet& packet) {
  const auto frame = packet.front();
  const auto byte = [&](std::size_t at) {
    return at < frame.size() ? std::to_integer<int>(frame[at]) : 0;
  };
  const auto word = [&](std::size_t at) { return byte(at) << 8 | byte(at + 1); };
  if (word(12) != 0x0800) return true;
  const std::size_t payload = 14 + 4 * static_cast<std::size_t>(byte(14) & 0x0f);
  const bool has_ports = (word(20) & 0x1fff) == 0 && (byte(23) == 6 || byte(23) == 17);
  for (const Rule& rule : rules) {
    if (rule.protocol && rule.protocol != byte(23)) continue;
    if (rule.port && !(has_ports && rule.port == word(payload + 2))) continue;
    return rule.allows;
  }
  return true;
}

struct Counts {
  std::size_t passed = 0, denied = 0, dropped = 0;
};

void filter(netmap::Port& from, netmap::Port& to, std::span<const Rule> rules, Counts& counts) {
  netmap::TxRing& tx = to.tx().value();  // fails if there is none
  for (netmap::RxRing& rx : from.rx_rings()) {
    for (auto packets = rx.packets(); !packets.empty(); packets = rx.packets()) {
      const netmap::Packet packet = *packets.begin();
      const netmap::Position after = packet.after();
      const bool may_pass = is_allowed(rules, packet);
      if (may_pass && netmap::forward(rx, tx, 1).value().packets == 1) {
        ++counts.passed;
      } else {
        ++(may_pass ? counts.dropped : counts.denied);  // dropped for want of room
        rx.release(after).value();
      }
    }
  }
  to.sync_tx().value();
}

int main(int argc, char** argv) try {
  if (argc < 3) return std::fprintf(stderr, "usage: %s OUTSIDE INSIDE [RULE…]\n", argv[0]), 2;
  std::vector<Rule> rules;
  for (int n = 3; n < argc; ++n) rules.push_back(parse(argv[n]));
  std::array ports{netmap::open(argv[1]).value(), netmap::open(argv[2]).value()};
  auto& [outside, inside] = ports;
  std::signal(SIGINT, [](int) { stop = 1; });
  std::fprintf(stderr, "filtering\n");

  Counts in, out;
  while (stop == 0) {
    netmap::wait_any(ports, Direction::rx, std::chrono::seconds(1)).value();
    filter(outside, inside, rules, in);
    filter(inside, outside, {}, out);
  }
  std::printf("in: %zu passed, %zu denied, %zu dropped; out: %zu passed, %zu dropped\n", in.passed,
              in.denied, in.dropped, out.passed, out.dropped);
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
