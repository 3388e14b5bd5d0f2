// SPDX-License-Identifier: BSD-2-Clause
//
// Waiting for two ports at once. A lost wake-up shows as a wait that ends with nothing.
#include "conformance/device.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace netmap::conformance {
namespace {

using WaitsForAny = OnDevice;
ON_EVERY_DEVICE(WaitsForAny);

using TwoPorts = std::array<Port, 2>;

TEST_P(WaitsForAny, EndWithNothingAtTheTimeout) {
  const TwoPorts masters{open(base() + "{1"), open(base() + "{2")};
  TwoPorts slaves{open(base() + "}1"), open(base() + "}2")};
  EXPECT_FALSE(must(wait_any(slaves, Direction::rx, moment)));
  EXPECT_FALSE(must(wait_any(slaves, Direction::rx, std::chrono::nanoseconds(0))));
}

TEST_P(WaitsForAny, SyncEveryPortAndDoNotSleepIfOneHasSomething) {
  TwoPorts masters{open(base() + "{1"), open(base() + "{2")};
  TwoPorts slaves{open(base() + "}1"), open(base() + "}2")};
  for (const std::size_t one : {0U, 1U}) {
    send_and_sync(masters[one], 0, 3);
    EXPECT_TRUE(must(wait_any(slaves, Direction::rx)));
    EXPECT_EQ(take_numbers(slaves[one].rx_rings()[0]), numbers(0, 3)) << "the wait synced";
  }
  for (Port& master : masters) send_and_sync(master, 3, 1);
  EXPECT_TRUE(must(wait_any(slaves, Direction::rx)));
  for (Port& slave : slaves) EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(3, 1));
}

TEST_P(WaitsForAny, ForRoomEndWhenOneHasSome) {
  TwoPorts masters{open(base() + "{1"), open(base() + "{2")};
  TwoPorts slaves{open(base() + "}1"), open(base() + "}2")};
  for (Port& master : masters) send_numbered(master.tx_rings()[0], 0, 5000);
  EXPECT_FALSE(must(wait_any(masters, Direction::tx, moment)));
  EXPECT_FALSE(sync_and_take(slaves[1]).empty());
  must(slaves[1].sync_rx());
  EXPECT_TRUE(must(wait_any(masters, Direction::tx)));
  EXPECT_TRUE(masters[0].tx_rings()[0].slots().empty());
  EXPECT_FALSE(masters[1].tx_rings()[0].slots().empty());
}

TEST_P(WaitsForAny, OfEachPortForWhatIsWantedOfIt) {
  TwoPorts masters{open(base() + "{1"), open(base() + "{2")};
  TwoPorts slaves{open(base() + "}1"), open(base() + "}2")};
  send_numbered(masters[0].tx_rings()[0], 0, 5000);
  send_and_sync(masters[1], 0, 3);
  const std::array room_or_nothing{Wanted{&masters[0], Direction::tx}, Wanted{&slaves[1], {}}};
  EXPECT_FALSE(must(wait_any(room_or_nothing, moment)));
  const std::array room_or_packets{room_or_nothing[0], Wanted{&slaves[1], Direction::rx}};
  EXPECT_TRUE(must(wait_any(room_or_packets)));
  EXPECT_EQ(take_numbers(slaves[1].rx_rings()[0]), numbers(0, 3));
  EXPECT_TRUE(masters[0].tx_rings()[0].slots().empty());
}

TEST_P(WaitsForAny, FailWithOneOfThem) {
  const auto open_failing = [&](const std::string& name) {
    return must(netmap::open(name, {.device = device(), .faults = Faults{.fail = 1}}));
  };
  TwoPorts ports{open(base() + "{1"), open_failing(base() + "{2")};
  EXPECT_EQ(code_of(wait_any(ports, Direction::rx, patience)), errc::fault_injected);
}

/// Waits for number `n`, on whichever port it comes; yields that port, or null.
Port* receive(TwoPorts& ports, std::uint32_t n) {
  if (!must(wait_any(ports, Direction::rx, patience))) return nullptr;
  const auto at = std::ranges::find_if(
      ports, [&](Port& port) { return take_numbers(port.rx_rings()[0]) == numbers(n, 1); });
  return at == ports.end() ? nullptr : &*at;
}

void send(Port& port, std::uint32_t n) {
  must(port.tx_rings()[0].send(numbered(n)));
  must(port.sync_tx());
}

TEST_P(WaitsForAny, EndWhenAnotherThreadSendsToEither) {
  constexpr std::uint32_t rounds = 500;
  TwoPorts masters{open(base() + "{1"), open(base() + "{2")};
  TwoPorts slaves{open(base() + "}1"), open(base() + "}2")};
  std::jthread other([&slaves] {
    for (std::uint32_t n = 0; n != rounds; ++n) {
      Port* const from = receive(slaves, n);
      if (from == nullptr) return;
      send(*from, n);
    }
  });
  for (std::uint32_t n = 0; n != rounds; ++n) {
    Port& asked = masters[n / 3 % 2];
    send(asked, n);
    ASSERT_EQ(receive(masters, n), &asked) << n;
  }
}

}  // namespace
}  // namespace netmap::conformance
