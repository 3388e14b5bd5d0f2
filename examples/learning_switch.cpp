// SPDX-License-Identifier: BSD-2-Clause
//
// A learning switch between any ports: it remembers from which port each address sends, and passes
// packets on to where their destination is; those for addresses that it does not know, or for many,
// go to all other ports. Packets move without being copied between ports of one region.
//
//     example_learning_switch PORT PORT [PORT…]       until SIGINT; cards must be promiscuous
#include <netmap/netmap.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

using netmap::Direction;
using Address = std::array<std::byte, 6>;

volatile std::sig_atomic_t stop = 0;

struct Switch {
  std::vector<netmap::Port> ports;
  std::map<Address, std::size_t> places;  // where who is
  std::size_t forwarded = 0, uncopied = 0, flooded = 0, dropped = 0;
};

Address address_at(const netmap::Packet& packet, std::size_t offset) {
  Address address;
  std::memcpy(address.data(), packet.front().data() + offset, address.size());
  return address;
}

/// Packets may have several fragments. Whoever has no room goes without.
bool copy(const netmap::Packet& packet, netmap::TxRing& to) {
  auto copied = to.writer();
  for (const netmap::RxSlot fragment : packet.fragments()) {
    if (!copied.append(fragment.bytes())) return false;
  }
  return copied.commit().has_value();
}

void flood(Switch& self, const netmap::Packet& packet, std::size_t from) {
  for (std::size_t to = 0; to != self.ports.size(); ++to) {
    if (to != from && !copy(packet, self.ports[to].tx_rings()[0])) ++self.dropped;
  }
  ++self.flooded;
}

/// Takes the oldest packet out of the ring.
void pass_on(Switch& self, netmap::RxRing& rx, std::size_t from) {
  const netmap::Packet packet = *rx.packets().begin();
  const netmap::Position after = packet.after();
  if (packet.front().size() >= 12) {
    if (self.places.size() == 10'000) self.places.clear();  // somebody invents addresses
    self.places[address_at(packet, 6)] = from;
    const auto to = self.places.find(address_at(packet, 0));
    if (to == self.places.end()) {
      flood(self, packet, from);
    } else if (to->second != from) {
      const auto moved = netmap::forward(rx, self.ports[to->second].tx_rings()[0], 1).value();
      self.forwarded += moved.packets;
      self.uncopied += moved.zero_copy ? moved.packets : 0;
      if (moved.packets == 1) return;  // and is released
      ++self.dropped;
    }
  }
  rx.release(after).value();
}

void run(Switch& self) {
  while (stop == 0) {
    netmap::wait_any(self.ports, Direction::rx, std::chrono::seconds(1)).value();
    for (std::size_t from = 0; from != self.ports.size(); ++from) {
      for (netmap::RxRing& rx : self.ports[from].rx_rings()) {
        while (!rx.packets().empty()) pass_on(self, rx, from);
      }
    }
    for (netmap::Port& port : self.ports) port.sync_tx().value();
  }
}

int main(int argc, char** argv) try {
  if (argc < 3) return std::fprintf(stderr, "usage: %s PORT PORT [PORT…]\n", argv[0]), 2;
  Switch self;
  for (int n = 1; n < argc; ++n) {
    self.ports.push_back(netmap::open(argv[n]).value());
    (void)self.ports.back().tx().value();  // fails if there is none
  }
  std::signal(SIGINT, [](int) { stop = 1; });
  std::fprintf(stderr, "switching between %zu ports\n", self.ports.size());
  run(self);
  std::printf("%zu forwarded, %zu of them without a copy; %zu flooded; %zu dropped\n",
              self.forwarded, self.uncopied, self.flooded, self.dropped);
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
