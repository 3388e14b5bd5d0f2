// SPDX-License-Identifier: BSD-2-Clause
//
// How the switches of VALE move frames.
#include "conformance/vale.hpp"

namespace netmap::conformance {
namespace {

using Vale = OnSwitch;
ON_EVERY_DEVICE(Vale);

// ---- Learning -----------------------------------------------------------------------------------

TEST_P(Vale, FloodsWhatItDoesNotKnowAndDeliversWhatItLearnt) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_frames(a, 0, 0, 10, 1, 2);
  EXPECT_EQ(take(b), numbers(0, 10)) << "nobody knows address 2 yet";
  EXPECT_EQ(take(c), numbers(0, 10));
  send_frames(b, 0, 10, 10, 2, 1);
  EXPECT_EQ(take(a), numbers(10, 10));
  EXPECT_TRUE(take(c).empty()) << "address 1 was learnt from the first frame";
  send_frames(a, 0, 20, 10, 1, 2);
  EXPECT_EQ(take(b), numbers(20, 10));
  EXPECT_TRUE(take(c).empty());
  send_frames(c, 0, 30, 10, 3);
  EXPECT_EQ(take(a), numbers(30, 10));
  EXPECT_EQ(take(b), numbers(30, 10));
}

TEST_P(Vale, FollowsAnAddressThatMoves) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_frames(a, 0, 0, 1, 1);
  send_frames(b, 0, 1, 1, 1);
  EXPECT_EQ(take(a), numbers(1, 1));
  EXPECT_EQ(take(b), numbers(0, 1));
  send_frames(c, 0, 2, 1, 3, 1);
  EXPECT_TRUE(take(a).empty());
  EXPECT_EQ(take(b), numbers(2, 1)) << "where it was seen last";
}

TEST_P(Vale, LearnsAPortsSourceOnlyWhenItChanges) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  for (Port* const port : {&a, &b, &a}) send_frames(*port, 0, 0, 1, 1);
  (void)take(a), (void)take(b);
  send_frames(c, 0, 1, 1, 3, 1);
  EXPECT_EQ(take(b), numbers(1, 1)) << "of a nothing was learnt, its source was 1 before";
  send_frames(a, 0, 2, 1, 4);
  send_frames(a, 0, 3, 1, 1);
  send_frames(c, 0, 4, 1, 3, 1);
  EXPECT_EQ(take(a), numbers(4, 1));
}

TEST_P(Vale, DeliversNothingToItsSender) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send_frames(a, 0, 0, 3, 1, 1);
  send_frames(a, 0, 3, 3, 1);
  EXPECT_TRUE(take(a).empty());
  EXPECT_EQ(take(b), numbers(3, 3)) << "what a sent to itself is for nobody else either";
}

TEST_P(Vale, DropsWhatIsTooShortForAnEthernetHeader) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  for (const std::size_t size : {0U, 1U, 13U, 14U, 15U}) {
    must(a.tx_rings()[0].send(std::vector(size, std::byte{0xff})));
  }
  must(a.sync_tx());
  EXPECT_EQ(a.tx_rings()[0].pending(), 0U);
  must(b.sync_rx());
  const auto slots = b.rx_rings()[0].slots();
  ASSERT_EQ(slots.size(), 2U);
  EXPECT_EQ(slots[0].length(), 14U);
  EXPECT_EQ(slots[1].length(), 15U);
}

TEST_P(Vale, KeepsSwitchesApart) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("a", "x"));
  send_frames(a, 0, 0, 3, 1);
  EXPECT_TRUE(take(b).empty());
}

// ---- Ports that come and go ---------------------------------------------------------------------

TEST_P(Vale, DropsFramesForAPortThatClosed) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_frames(b, 0, 0, 1, 2);
  close(b);
  (void)take(c);
  send_frames(a, 0, 1, 3, 1, 2);
  EXPECT_TRUE(take(c).empty()) << "they are not flooded";
  send_frames(a, 0, 4, 3, 1);
  EXPECT_EQ(take(c), numbers(4, 3));
  send_frames(c, 0, 7, 1, 2);
  send_frames(a, 0, 8, 1, 1, 2);
  EXPECT_EQ(take(c), numbers(8, 1)) << "until another port has the address";
}

TEST_P(Vale, GivesWhoTakesAPlaceWhatWasLearntOfIt) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_frames(b, 0, 0, 1, 2);
  (void)take(c);
  close(b);
  Port d = open(port_name("d"));
  send_frames(a, 0, 1, 1, 1, 2);
  EXPECT_TRUE(take(c).empty());
  EXPECT_EQ(take(d), numbers(1, 1)) << "addresses are learnt of indices, and d has b's";
}

TEST_P(Vale, ForgetsAllWithItsLastPort) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send_frames(b, 0, 0, 1, 2);
  close(a), close(b);
  a = open(port_name("a"));
  b = open(port_name("b"));
  Port c = open(port_name("c"));
  send_frames(a, 0, 1, 1, 1, 2);
  EXPECT_EQ(take(b), numbers(1, 1));
  EXPECT_EQ(take(c), numbers(1, 1));
}

TEST_P(Vale, HasPortsOfTwoHalves) {
  OPEN_OR_END(sender, port_name("a") + "/T");
  Port b = open(port_name("b"));
  send_frames(sender, 0, 0, 3, 1);
  EXPECT_EQ(take(b), numbers(0, 3));
  send_frames(b, 0, 3, 3, 2, 1);
  Port receiver = open(port_name("a") + "/R");
  EXPECT_TRUE(take(receiver).empty()) << "nobody had the rx ring then";
  send_frames(b, 0, 6, 3, 2, 1);
  EXPECT_EQ(take(receiver), numbers(6, 3));
  close(sender);
  send_frames(b, 0, 9, 3, 2, 1);
  EXPECT_EQ(take(receiver), numbers(9, 3)) << "the port is there while one half is";
}

// ---- Rings --------------------------------------------------------------------------------------

TEST_P(Vale, KeepsTheRingOfWhatItDeliversAndFloodsToTheFirst) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.tx_rings = 4, .rx_rings = 4}});
  Port b = open(port_name("b"), {.conf = {.tx_rings = 3, .rx_rings = 2}});
  Port c = open(port_name("c"));
  send_frames(b, 2, 0, 1, 2);
  send_frames(c, 0, 1, 1, 3);
  EXPECT_EQ(take(a), numbers(0, 2));
  EXPECT_EQ(take(c), numbers(0, 1));
  EXPECT_EQ(take(b), numbers(1, 1));
  for (std::uint32_t ring = 0; ring != 4; ++ring) {
    send_frames(a, ring, ring * 10, 1, 1, 2);
    EXPECT_EQ(take(b, ring % 2), numbers(ring * 10, 1)) << "b has two rings";
    send_frames(a, ring, ring * 10 + 1, 1, 1, 3);
    EXPECT_EQ(take(c), numbers(ring * 10 + 1, 1));
    send_frames(a, ring, ring * 10 + 2, 1, 1, 9);
    EXPECT_EQ(take(b), numbers(ring * 10 + 2, 1));
    EXPECT_TRUE(take(b, 1).empty());
    EXPECT_EQ(take(c), numbers(ring * 10 + 2, 1));
  }
}

TEST_P(Vale, DropsWhatIsForARingThatNobodyOpened) {
  OPEN_OR_END(b, port_name("b"), {.conf = {.tx_rings = 2, .rx_rings = 2}});
  Port first = open(port_name("a") + "-1", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  send_frames(first, 0, 0, 1, 1);
  EXPECT_EQ(take(b), numbers(0, 1)) << "wherever it comes from, it is flooded to ring 0";
  for (const std::size_t ring : {0U, 1U})
    send_frames(b, ring, static_cast<std::uint32_t>(ring), 1, 2, 1);
  send_frames(b, 1, 2, 1, 2);
  EXPECT_EQ(take(first), numbers(1, 1));
  Port second = open(port_name("a") + "-0");
  for (const std::size_t ring : {0U, 1U})
    send_frames(b, ring, static_cast<std::uint32_t>(ring), 1, 2, 1);
  EXPECT_EQ(take(second), numbers(0, 1));
  EXPECT_EQ(take(first), numbers(1, 1));
}

TEST_P(Vale, KeepsTheOrderOfOneSender) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  send_frames(b, 0, 0, 1, 2);
  for (std::uint32_t number = 0; number != 300; ++number) {
    must(a.tx_rings()[0].send(frame(number, 1, number % 3 == 0 ? broadcast : 2)));
  }
  must(a.sync_tx());
  EXPECT_EQ(take(b), numbers(0, 300)) << "what is flooded does not overtake what is delivered";
}

// ---- Receivers that are full, senders that never wait -------------------------------------------

TEST_P(Vale, DropsWhatAFullReceiverCannotHoldAndNeverStopsTheSender) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  const auto room = b.rx_rings()[0].num_slots() - 1;
  for (std::uint32_t sent = 0; sent != 4000; sent += 1000) {
    send_frames(a, 0, sent, 1000, 1);
    EXPECT_EQ(a.tx_rings()[0].pending(), 0U);
  }
  EXPECT_EQ(take(b), numbers(0, room));
}

TEST_P(Vale, FillsWhatAReceiverFrees) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 32}});
  RxRing& rx = b.rx_rings()[0];
  send_frames(a, 0, 0, 40, 1);
  must(b.sync_rx());
  ASSERT_EQ(rx.slots().size(), 31U);
  must(rx.release(rx.slots()[9].after()));
  send_frames(a, 0, 40, 1, 1);
  must(b.sync_rx());
  EXPECT_EQ(rx.slots().size(), 21U) << "what is released is free after the receiver's sync";
  send_frames(a, 0, 41, 40, 1);
  must(b.sync_rx());
  ASSERT_EQ(rx.slots().size(), 31U);
  auto expected = numbers(10, 21);
  for (const std::uint32_t number : numbers(41, 10)) expected.push_back(number);
  EXPECT_EQ(take(b), expected);
}

TEST_P(Vale, TakesAWholeRingInOneSync) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.tx_slots = 4096}});
  Port b = open(port_name("b"), {.conf = {.rx_slots = 4096}});
  Port c = open(port_name("c"));
  send_frames(a, 0, 0, 4095, 1);
  EXPECT_EQ(a.tx_rings()[0].pending(), 0U);
  EXPECT_EQ(take(b), numbers(0, 4095));
  EXPECT_EQ(take(c), numbers(0, 1023));
}

TEST_P(Vale, DropsForTheFullOnly) {
  OPEN_OR_END(a, port_name("a"));
  Port full = open(port_name("b"), {.conf = {.rx_slots = 8}});
  Port c = open(port_name("c"));
  send_frames(a, 0, 0, 100, 1);
  EXPECT_EQ(take(full), numbers(0, 7));
  EXPECT_EQ(take(c), numbers(0, 100));
}

TEST_P(Vale, IsAlwaysReadyToSend) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.tx_slots = 16}});
  for (std::uint32_t round = 0; round != 5; ++round) {
    for (std::uint32_t number = 0; number != 15; ++number) {
      must(a.tx_rings()[0].send(frame(number, 1)));
    }
    EXPECT_TRUE(a.tx_rings()[0].slots().empty());
    EXPECT_EQ(must(a.wait(Direction::tx, patience)), Directions(Direction::tx));
    EXPECT_EQ(a.tx_rings()[0].slots().size(), 15U) << "alone or not";
  }
}

TEST_P(Vale, BringsTheFramesOfSeveralSendersToOne) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.rx_slots = 4096}});
  constexpr std::uint32_t count = 1000;
  const auto send = [&](const std::string& port, std::uint32_t first, Address from) {
    Port sender = open(port_name(port));
    for (std::uint32_t sent = 0; sent != count; sent += 10) {
      send_frames(sender, 0, first + sent, 10, from, 1);
    }
    return true;
  };
  Child b([&] { return send("b", 0, 2); });
  Child c([&] { return send("c", count, 3); });
  std::vector<std::uint32_t> of_b;
  std::vector<std::uint32_t> of_c;
  for (const std::uint32_t number : receive_frames(a, 0, 2 * count)) {
    (number < count ? of_b : of_c).push_back(number);
  }
  EXPECT_TRUE(b.succeeded());
  EXPECT_TRUE(c.succeeded());
  EXPECT_EQ(of_b, numbers(0, count));
  EXPECT_EQ(of_c, numbers(count, count));
}

TEST_P(Vale, WakesAReceiver) {
  OPEN_OR_END(a, port_name("a"));
  EXPECT_TRUE(must(a.wait(Direction::rx, moment)).empty());
  Child sender([&] {
    Port b = open(port_name("b"));
    send_frames(b, 0, 0, 100, 2);
    return true;
  });
  EXPECT_EQ(receive_frames(a, 0, 100), numbers(0, 100));
  EXPECT_TRUE(sender.succeeded());
}

TEST_P(Vale, ShowsMonitorsWhatItMoves) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  OPEN_OR_END(sent, port_name("a") + "/t");
  OPEN_OR_END(arrived, port_name("b") + "/r");
  send_frames(a, 0, 0, 5, 1);
  EXPECT_EQ(take(sent), numbers(0, 5));
  EXPECT_EQ(take(arrived), numbers(0, 5)) << "before the receiver looks";
  EXPECT_EQ(take(b), numbers(0, 5));
}

// ---- Memory -------------------------------------------------------------------------------------

TEST_P(Vale, GivesEachPortMemoryOfItsOwnUnlessAskedNotTo) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c") + "@1");
  Port d = open(port_name("d") + "@1");
  EXPECT_NE(a.info().memory_id, b.info().memory_id);
  EXPECT_EQ(c.info().memory_id, abi::memory_id::global);
  EXPECT_EQ(c.tx_rings()[0].same_region(d.tx_rings()[0]), !has_faults());
  send_frames(a, 0, 0, 5, 1);
  EXPECT_EQ(take(d), numbers(0, 5));
}

TEST_P(Vale, ForwardsByCopy) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  auto pipe = open_pipe();
  send_frames(a, 0, 0, 20, 1);
  must(b.sync_rx());
  const auto done = must(forward(b.rx_rings()[0], pipe.master.tx_rings()[0]));
  EXPECT_EQ(done.packets, 20U);
  EXPECT_FALSE(done.zero_copy);
  must(pipe.master.sync_tx());
  EXPECT_EQ(receive_frames(pipe.slave, 0, 20), numbers(0, 20));
}

TEST_P(Vale, TakesAndKeepsBuffersThatWereSwapped) {
  OPEN_OR_END(a, port_name("a") + "@1");
  Port b = open(port_name("b") + "@1");
  const auto on_one = [&](const char* end) { return open(base() + end + "@1"); };
  Port from = on_one("{1"), to_a = on_one("}1"), from_b = on_one("{2"), to = on_one("}2");
  for (std::uint32_t round = 0; round != 4; ++round) {
    send_frames(from, 0, round * 1000, 800, 1);
    must(to_a.sync_rx());
    const auto sent = must(forward(to_a.rx_rings()[0], a.tx_rings()[0]));
    must(to_a.sync_rx());
    must(a.sync_tx());
    must(b.sync_rx());
    must(from_b.sync_tx());
    const auto received = must(forward(b.rx_rings()[0], from_b.tx_rings()[0]));
    EXPECT_EQ(sent.zero_copy, !has_faults());
    EXPECT_EQ(received.zero_copy, !has_faults());
    must(b.sync_rx());
    must(from_b.sync_tx());
    EXPECT_EQ(take(to), numbers(round * 1000, 800)) << "round " << round;
    must(from.sync_tx());
  }
}

}  // namespace
}  // namespace netmap::conformance
