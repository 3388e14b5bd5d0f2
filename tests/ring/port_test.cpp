// SPDX-License-Identifier: BSD-2-Clause
//
// How a port syncs, waits and drains. Nothing here takes time: either the time-out is 0 or the
// handle is ready.
#include "ring/support.hpp"

#include <cerrno>

#include <poll.h>
#include <sys/eventfd.h>

namespace netmap::test {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds no_time{0};
constexpr auto both = Direction::rx | Direction::tx;

class Ports : public testing::Test {
 protected:
  /// Has `act` done by the n-th sync of the rx rings.
  template <class Act>
  void at_rx_sync(int n, const Act& act) {
    port_.hooks().rx_sync = [this, n, act] {
      if (++rx_syncs_ == n) act();
    };
  }
  void fill_tx() {
    while (port_.tx().send({})) {
    }
  }
  /// A handle that is ready whenever it is polled.
  void be_ready() {
    ready_ = os::File(::eventfd(1, EFD_CLOEXEC));
    port_.hooks().handle = {ready_.fd(), POLLIN};
  }

  FakePort port_{{.tx_slots = 4}};
  Port& open_ = port_.port();
  int rx_syncs_ = 0;
  os::File ready_;
};

TEST_F(Ports, GiveTheirRingsByNumber) {
  EXPECT_EQ(&open_.rx(0)->get(), &open_.rx_rings()[0]);
  EXPECT_EQ(&open_.tx()->get(), &open_.tx_rings()[0]);
  EXPECT_EQ(code_of(open_.rx(1)), errc::no_such_ring);
  EXPECT_EQ(code_of(open_.tx(SIZE_MAX)), errc::no_such_ring);
}

TEST_F(Ports, KeepTheirRingsWhenTheyAreMoved) {
  port_.arrivals().arrives({bytes_of("a")});
  RxRing& rx = port_.rx();
  Port moved = std::move(open_);
  EXPECT_EQ(&moved.rx_rings()[0], &rx);
  EXPECT_EQ(rx.slots().size(), 1U);
  EXPECT_TRUE(rx.release(Position(1)));
}

TEST_F(Ports, SyncOneDirectionAtATime) {
  int tx_syncs = 0;
  port_.hooks().tx_sync = [&tx_syncs] { ++tx_syncs; };
  at_rx_sync(0, [] {});
  ASSERT_TRUE(open_.sync_rx());
  EXPECT_EQ(rx_syncs_, 1);
  EXPECT_EQ(tx_syncs, 0);
  ASSERT_TRUE(open_.sync_tx());
  EXPECT_EQ(rx_syncs_, 1);
  EXPECT_EQ(tx_syncs, 1);
  ASSERT_TRUE(open_.wait(Direction::rx, no_time));
  EXPECT_EQ(tx_syncs, 1) << "waiting for rx never sends";
  EXPECT_EQ(open_.stats().tx_syncs, 1U);
  EXPECT_EQ(open_.stats().rx_syncs, static_cast<std::uint64_t>(rx_syncs_));
}

TEST_F(Ports, SayWhichSyncFailedAndWhy) {
  port_.hooks().status = errc::ring_corrupt;
  const auto sent = open_.sync_tx();
  EXPECT_EQ(code_of(sent), errc::ring_corrupt);
  EXPECT_NE(sent.error().message().find("tx"), std::string::npos);
  port_.hooks().status = std::error_code(ENXIO, std::system_category());
  const auto received = open_.sync_rx();
  EXPECT_EQ(code_of(received), std::errc::no_such_device_or_address);
  EXPECT_NE(received.error().message().find("rx"), std::string::npos);
  EXPECT_EQ(code_of(open_.wait(both, no_time)), std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(open_.drain(no_time)), std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(open_.arm(both)), std::errc::no_such_device_or_address);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, WaitNoTimeForNothing) {
  fill_tx();
  EXPECT_EQ(open_.wait(both, no_time), Directions());
  EXPECT_EQ(open_.wait(both, nanoseconds(-1)), Directions());
  EXPECT_EQ(open_.wait(both, nanoseconds::min()), Directions());
  EXPECT_EQ(open_.stats().polls, 0U);
}

TEST_F(Ports, WaitForTheDirectionsThatAreWanted) {
  port_.arrivals().arrives({bytes_of("a")});
  EXPECT_EQ(open_.wait(both), both);
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.wait(Direction::tx), Direction::tx);
  fill_tx();
  EXPECT_EQ(open_.wait(both), Direction::rx);
  ASSERT_TRUE(port_.rx().release(Position(1)));
  (void)port_.departures().take();
  EXPECT_EQ(open_.wait(both), Direction::tx);
  EXPECT_EQ(open_.stats().polls, 0U);
}

TEST_F(Ports, WaitTakesWhatItsFirstSyncBrings) {
  at_rx_sync(1, [this] { port_.arrivals().arrives({bytes_of("a")}); });
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 0U);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, WaitDoesNotSleepOverWhatArrivesWhileItArms) {
  at_rx_sync(2, [this] {
    EXPECT_EQ(port_.hooks().armed, 1) << "armed before the last look";
    port_.arrivals().arrives({bytes_of("a")});
  });
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 0U);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, WaitSyncsOnceMoreWhenItIsWoken) {
  be_ready();
  at_rx_sync(3, [this] {
    EXPECT_EQ(port_.hooks().armed, 0);
    port_.arrivals().arrives({bytes_of("a")});
  });
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 1U);
}

TEST_F(Ports, WaitGoesBackToSleepIfItWasWokenForNothing) {
  be_ready();
  at_rx_sync(7, [this] { port_.arrivals().arrives({bytes_of("a")}); });
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 3U);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, WaitThatSpinsStillSaysThatASyncFailed) {
  open_.set_spin(std::chrono::milliseconds(1));
  port_.hooks().status = errc::ring_corrupt;
  port_.hooks().rx_sync = [this] {
    if (++rx_syncs_ > 1) port_.hooks().status = {};
  };
  EXPECT_EQ(code_of(open_.wait(Direction::rx, no_time)), errc::ring_corrupt);
}

// ---- Where polling is a sync --------------------------------------------------------------------

TEST_F(Ports, WaitPollsAndDoesNotSyncBesides) {
  port_.hooks().poll_syncs = true;
  at_rx_sync(1, [] { FAIL() << "a sync too many"; });
  EXPECT_EQ(open_.wait(Direction::rx, no_time), Directions());
  EXPECT_EQ(open_.stats().polls, 1U) << "the only sync there is";
  be_ready();
  port_.hooks().arm = [this] { port_.arrivals().arrives({bytes_of("a")}); };
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 2U);
  EXPECT_EQ(open_.stats().rx_syncs, 2U);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, WaitSpinsByOtherSyncsBeforeItPolls) {
  port_.hooks().poll_syncs = true;
  open_.set_spin(std::chrono::milliseconds(1));
  at_rx_sync(3, [this] { port_.arrivals().arrives({bytes_of("a")}); });
  EXPECT_EQ(open_.wait(Direction::rx), Direction::rx);
  EXPECT_EQ(open_.stats().polls, 0U);
}

TEST_F(Ports, ArmLeavesSendersAloneUnlessTheyAreToWait) {
  fill_tx();
  (void)port_.departures().take();
  (void)port_.departures().take();
  ASSERT_TRUE(port_.tx().want(2));
  const auto cur = port_.departures().ring().cur;
  ASSERT_TRUE(port_.tx().want(1));
  ASSERT_NE(port_.departures().ring().cur, cur);
  port_.departures().ring().cur = cur;
  EXPECT_EQ(open_.arm(Direction::rx), true);
  EXPECT_EQ(port_.departures().ring().cur, cur);
}

TEST_F(Ports, WaitFailsWithAHandleInError) {
  os::File writer;
  {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    writer = os::File(ends[1]);
    const os::File closed(ends[0]);
  }
  port_.hooks().handle = {writer.fd(), POLLOUT};
  EXPECT_EQ(code_of(open_.wait(Direction::rx)), errc::ring_corrupt);
  EXPECT_EQ(port_.hooks().armed, 0);
}

TEST_F(Ports, ArmSaysWhetherThereIsAReasonToSleep) {
  EXPECT_EQ(open_.arm(Direction::rx), true);
  EXPECT_EQ(port_.hooks().armed, 1);
  open_.disarm(Direction::rx);
  port_.arrivals().arrives({bytes_of("a")});
  EXPECT_EQ(open_.arm(Direction::rx), false);
  EXPECT_EQ(port_.hooks().armed, 0);
  EXPECT_EQ(open_.arm(both), false);
  ASSERT_TRUE(port_.rx().seen(Position(1)));
  EXPECT_EQ(open_.arm(Direction::rx), true) << "what was seen is no reason to stay awake";
}

TEST_F(Ports, ArmParksCurWhereTheWantedSlotIs) {
  fill_tx();
  ASSERT_TRUE(port_.tx().want(2));
  (void)port_.departures().take();
  (void)port_.departures().take();
  EXPECT_EQ(open_.arm(Direction::tx), false);
  EXPECT_EQ(stand_of(port_.departures()), (Stand{3, 0, 1}));
}

TEST_F(Ports, DrainWithNobodyTakingSaysHowManyAreLeft) {
  EXPECT_EQ(open_.drain(no_time), 0U);
  ASSERT_TRUE(port_.tx().send({}));
  ASSERT_TRUE(port_.tx().send({}));
  EXPECT_EQ(open_.drain(no_time), 2U);
  EXPECT_EQ(port_.departures().waiting(), 2U);
}

TEST_F(Ports, DrainSyncsUntilAllWasTaken) {
  fill_tx();
  be_ready();
  int tx_syncs = 0;
  port_.hooks().tx_sync = [this, &tx_syncs] {
    if (++tx_syncs % 3 == 0) (void)port_.departures().take();
  };
  EXPECT_EQ(open_.drain(forever), 0U);
  EXPECT_EQ(port_.departures().waiting(), 0U);
  EXPECT_EQ(port_.hooks().armed, 0);
  EXPECT_TRUE(port_.tx().is_ready()) << "one free slot is enough again";
  EXPECT_EQ(stand_of(port_.departures()), (Stand{3, 3, 2}));
}

TEST_F(Ports, WaitForTxHonoursWant) {
  fill_tx();
  ASSERT_TRUE(port_.tx().want(3));
  (void)port_.departures().take();
  (void)port_.departures().take();
  EXPECT_EQ(open_.wait(Direction::tx, no_time), Directions());
  (void)port_.departures().take();
  EXPECT_EQ(open_.wait(Direction::tx, no_time), Direction::tx);
}

TEST_F(Ports, AddUpWhatTheirRingsMoved) {
  EXPECT_EQ(open_.stats().rx.packets, 0U);
  FakePort near_the_wrap({}, [](FakeDevice& device) {
    device.ledger(Direction::rx, 0).stats = {UINT32_MAX, UINT64_MAX};
    device.ledger(Direction::tx, 0).stats = {UINT32_MAX + 1ULL, 1};
  });
  EXPECT_EQ(near_the_wrap.port().stats().rx.packets, UINT32_MAX);
  EXPECT_EQ(near_the_wrap.port().stats().rx.bytes, UINT64_MAX);
  EXPECT_EQ(near_the_wrap.port().stats().tx.packets, 1ULL << 32);
  EXPECT_EQ(near_the_wrap.tx().stats().bytes, 1U);
}

TEST(Ledgers, CountPacketsOnceAndBytesOfEveryFragmentPastTheWrapOf32Bits) {
  RingStats stats{UINT32_MAX, UINT32_MAX};
  detail::count(stats, {2, 10, abi::slot_flags::more_fragments});
  EXPECT_EQ(stats.packets, UINT32_MAX);
  detail::count(stats, {2, 5, 0});
  EXPECT_EQ(stats.packets, UINT32_MAX + 1ULL);
  EXPECT_EQ(stats.bytes, UINT32_MAX + 15ULL);
}

// ---- Memory that is no port's -------------------------------------------------------------------

std::error_code assembled_with(const FakePort::Prepare& damage) {
  const GuardedMemory memory(Plan(Shape{}).bytes);
  auto device = std::make_unique<FakeDevice>(Shape{}, std::make_shared<Hooks>(), memory);
  damage(*device);
  return code_of(Port::assemble(std::move(device), {}, {}));
}

TEST(DamagedRegion, IsNotMadeAPort) {
  EXPECT_EQ(assembled_with([](FakeDevice&) {}), std::error_code());
  const auto set_slots = [](std::uint32_t slots) {
    return [slots](FakeDevice& device) { device.rx_ring()->num_slots = slots; };
  };
  for (const std::uint32_t slots : {0U, 1U << 28, 1U << 31, UINT32_MAX}) {
    EXPECT_EQ(assembled_with(set_slots(slots)), errc::region_damaged) << slots;
  }
  for (const std::int64_t offset : {INT64_MIN, std::int64_t{-512}, std::int64_t{8}, INT64_MAX}) {
    EXPECT_EQ(assembled_with([offset](FakeDevice& device) {
                abi::ring_offsets_of(*device.interface())[1] = offset;
              }),
              errc::region_damaged)
        << offset;
  }
  EXPECT_EQ(assembled_with([](FakeDevice& device) { device.interface()->ni_tx_rings = 2000; }),
            errc::region_damaged);
}

}  // namespace
}  // namespace netmap::test
