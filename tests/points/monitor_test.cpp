// SPDX-License-Identifier: BSD-2-Clause
//
// The same where monitors watch: a pipe of two rings, of whose master one process has a ring and
// the victim the other. Whatever the victim does there, or with monitors of its own, the living go
// on, monitors show the living's frames, each undamaged, and nothing is left of the dead.
#include "device/embedded/mailbox.hpp"
#include "device/embedded/monitors.hpp"
#include "points/points.hpp"
#include "support/frames.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string>

namespace netmap::embedded {
namespace {

class PointsOfMonitors : public Points {
 protected:
  static constexpr test::Address living = 1;
  static constexpr test::Address dying = 2;
  static constexpr test::Address slave = 3;

  static PortOptions of_two_rings() {
    return {.conf = {.tx_rings = 2, .rx_rings = 2, .tx_slots = 16, .rx_slots = 16}, .memory_id = 1};
  }
  static PortOptions of_slots(std::uint32_t slots) {
    return {.conf = {.tx_slots = 16, .rx_slots = slots}};
  }

  void serve() override {
    for (int count = 0; count != 2; ++count) send(left_.tx_rings()[0], living, sent_by_living_);
    must(left_.sync_tx());
    for (TxRing& ring : right_.tx_rings()) send(ring, slave, sent_by_slave_);
    must(right_.sync_tx());
    (void)must(right_.wait(Direction::rx, blink));
    take(right_);
    take(left_);
    for (Port* const monitor : {&copier_, &taker_, &second_}) take(*monitor);
    for (Port* const pipe : {&source_, &sink_}) must(pipe->sync_rx());  // answers a recount
    ASSERT_EQ(seen_, sent_by_living_) << "by the monitor, of the living's frames";
  }

  void forward_some(Random random) override {
    auto port = open("y{1-1", of_two_rings());
    std::vector<Port> monitors;
    if (random.below(2) == 0) monitors.push_back(open("y}1/rt", of_slots(32)));
    if (random.below(2) == 0) monitors.push_back(open("y{1/z", of_slots(32)));
    for (std::uint64_t turns = 1 + random.below(20); turns != 0; --turns) {
      send(port.tx_rings()[0], dying, *sent_by_victim_);
      must(port.sync_tx());
      (void)must(port.wait(Direction::rx, blink));
      take(port);
      for (Port& monitor : monitors) take(monitor);
    }
  }

  void settle() override {
    for (int life = 0; life != 2; ++life) {
      auto port = open("y{1-1", of_two_rings());
      for (int turn = 0; turn != 3; ++turn) {
        serve();
        must(port.sync_tx());
        take(port);
      }
    }
    serve();
    EXPECT_EQ(must(netmap::open_ports(device())).size(), 7U);
    expect_no_doubles();
    expect_empty_mailboxes();
  }

  [[nodiscard]] std::vector<InUse> in_use() const override {
    return {InDomain::in_use(1), InDomain::in_use(copier_.info().memory_id)};
  }

  /// Of one slot, and all of its number.
  static void send(TxRing& ring, test::Address from, std::uint32_t& number) {
    test::Frame frame{from, test::everybody, number};
    while (!frame.has_number() || frame.size() > 1000) ++frame.number;
    if (test::send_frame(ring, frame)) number = frame.number + 1;
  }
  void take(Port& port) {
    must(port.sync_rx());
    for (RxRing& ring : port.rx_rings()) {
      ring.for_each([&](const Packet& packet) {
        const auto frame = test::frame_of(packet);
        ASSERT_TRUE(frame) << "a frame was damaged";
        if (&port != &copier_ || frame->from != living) return;
        EXPECT_GE(frame->number, seen_) << "in their order, each once";
        seen_ = frame->number + 1;
      });
    }
    must(port.sync_rx());
  }
  /// No buffer is in two slots that the living own.
  void expect_no_doubles() {
    std::set<std::uint32_t> buffers;
    const auto add = [&](std::span<TxRing> rings) {
      for (TxRing& ring : rings) {
        for (const auto& slot : ring.slots()) {
          EXPECT_TRUE(buffers.insert(slot.buffer_index()).second) << slot.buffer_index();
        }
      }
    };
    add(left_.tx_rings());
    add(right_.tx_rings());
    add(source_.tx_rings());
  }
  /// But for the one cell that each keeps: what the dead had claimed is there again.
  void expect_empty_mailboxes() {
    const auto domain = must(Domain::at(path()));
    for_each_monitor(domain->state(), [&](const SwitchPort& monitor) {
      const auto memory = must(Memory::existing(*domain, monitor.memory_id));
      for (std::uint32_t k = 0; k != monitor.rx_rings; ++k) {
        const auto mailbox = Mailbox::in(*memory, mailbox_object(monitor, k), monitor.rx_slots);
        EXPECT_EQ(std::count_if(mailbox.cells, mailbox.cells + mailbox.size,
                                [](const Cell& cell) { return cell.owner != owner::nobody; }),
                  1);
      }
    });
  }

 private:
  Port left_ = open("y{1-0", of_two_rings());
  Port right_ = open("y}1", of_two_rings());
  Port copier_ = open("y{1/Rrt", of_slots(1024));
  Port taker_ = open("y{1/Rz", of_slots(64));
  Port second_ = open("y{1/Rz", of_slots(32));
  Shared<std::uint32_t> sent_by_victim_;
  std::uint32_t sent_by_living_ = 0;
  std::uint32_t sent_by_slave_ = 0;
  std::uint32_t seen_ = 0;
};

TEST_F(PointsOfMonitors, KillNobodyElse) {
  kill_at(points_of({"watch: ", "take: ", "deliver: begun", "deliver: cell", "deliver: chain",
                     "deliver: put", "vale: buffers", "vale: port", "vale: rings",
                     "vale: withdrawn", "close: "}));
}

TEST_F(PointsOfMonitors, StopNobodyElse) {
  stop_at(points_of({"watch: ", "take: ", "deliver: begun", "deliver: cell", "deliver: chain",
                     "deliver: put"}),
          0);
}

}  // namespace
}  // namespace netmap::embedded
