// SPDX-License-Identifier: BSD-2-Clause
//
// Interfaces whose packets are lost on purpose: none is lost beside those.
#include "xdp/support.hpp"

#include <algorithm>
#include <functional>

namespace netmap::xdp {
namespace {

class XdpFaults : public Xdp {
 protected:
  static constexpr std::uint32_t sent = 1000;  // they fit into a ring

  [[nodiscard]] Port open_lossy(const std::string& name, std::uint64_t seed) const {
    return open(name, {.faults = Faults{.drop = 0.1, .seed = seed}});
  }
  /// Adds the numbers of what is there.
  static void take(Port& port, std::vector<std::uint32_t>& into) {
    must(port.sync_rx());
    RxRing& ring = port.rx_rings()[0];
    for (const Packet& packet : ring.packets()) {
      into.push_back(conformance::number_in_frame(packet.front()).value());
    }
    must(ring.release(ring.slots().end()));
  }
  /// Sends all and expects that what was not dropped arrives, in order; yields its numbers.
  static std::vector<std::uint32_t> expect_the_rest(Port& from, Port& to, const Port& lossy) {
    send_frames(from, 0, 0, sent, 1);
    EXPECT_EQ(must(from.drain(patience)), 0U);
    std::vector<std::uint32_t> received;
    EXPECT_TRUE(embedded::await([&] {
      take(to, received);
      return received.size() + lossy.stats().faults.dropped >= sent;
    }));
    take(to, received);
    EXPECT_EQ(received.size() + lossy.stats().faults.dropped, sent);
    EXPECT_NEAR(static_cast<double>(received.size()), 0.9 * sent, 0.05 * sent);
    EXPECT_EQ(std::ranges::adjacent_find(received, std::greater_equal()), received.end());
    return received;
  }
};

TEST_F(XdpFaults, OfTheSenderAreCounted) {
  Port from = open_lossy(near(), 7);
  Port to = open(far());
  expect_the_rest(from, to, from);
}

TEST_F(XdpFaults, OfTheReceiverAreCounted) {
  Port from = open(near());
  Port to = open_lossy(far(), 7);
  expect_the_rest(from, to, to);
}

TEST_F(XdpFaults, OfOneSeedAreTheSame) {
  const auto received = [this](std::uint64_t seed) {
    Port from = open_lossy(near(), seed);
    Port to = open(far());
    return expect_the_rest(from, to, from);
  };
  const auto once = received(7);
  EXPECT_EQ(received(7), once);
  EXPECT_NE(received(8), once);
}

}  // namespace
}  // namespace netmap::xdp
