// SPDX-License-Identifier: BSD-2-Clause
//
// The same with a forwarder that has a queue of an interface open, too, and joins it to a pipe:
// what it got from there comes back whole, and when it is gone its rings, its buffers and its XDP
// program are.
#include "points/points.hpp"
#include "support/interfaces.hpp"

#include <functional>
#include <optional>
#include <set>
#include <span>

namespace netmap::embedded {
namespace {

class PointsOfInterfaces : public Points {
 protected:
  void SetUp() override {
    const auto joined = test::joined_interfaces();
    if (!joined) GTEST_SKIP() << test::no_interfaces;
    near_ = joined->near;
    queue_ = near_ + "-1";
    far_ = open(joined->far + "-1", small);
    elsewhere_ = open("w{1", small_rings);
  }

  void serve() override {
    Points::serve();
    for (int count = 0; count != 4; ++count) {
      (void)send_number(far_->tx_rings()[0], frames_sent_++ % 60);  // these are small
    }
    must(far_->sync_tx());
    must(far_->sync_rx());
    far_->rx_rings()[0].for_each([this](const Packet& packet) {
      EXPECT_TRUE(number_of(packet)) << "a frame was damaged";
      ++frames_received_;
    });
    must(elsewhere_->sync_rx());
  }

  void forward_some(Random random) override {
    if (is_due() && random.one_in(3)) use_one_that_is_deleted();
    {
      auto interface = open(queue_, small);
      auto to = open("x{8", small);
      auto from = open("x}8", small);
      (void)send_numbers(to.tx_rings()[0], 0, 4);
      for (std::uint64_t turns = 1 + random.below(20); turns != 0; --turns) {
        echo(interface, to, from);
        (void)must(interface.wait(Direction::rx, blink));
      }
      if (random.below(2) == 0) return Points::forward_some(random);
    }
    Points::forward_some(random);
  }

  /// What the dead had is found whether or not the interface is opened before the last of it is.
  void settle() override {
    test::shell("! ip link show dev vc >/dev/null 2>&1 || ip link del vc");
    Points::settle();
    move_frames();
    Points::settle();
  }

  [[nodiscard]] std::vector<InUse> in_use() const override {
    return {InDomain::in_use(1), InDomain::in_use(elsewhere_->info().memory_id)};
  }
  void await_end() override {
    ASSERT_TRUE(await([this] { return test::attached_mode(near_) == "none"; }));
  }
  [[nodiscard]] const std::string& queue() const { return queue_; }
  using Points::source_;

 private:
  void move_frames() {
    auto interface = open(queue_, small);
    auto to = open("x{8", small);
    auto from = open("x}8", small);
    const std::uint64_t before = frames_received_;
    ASSERT_TRUE(await([&] {
      serve();
      echo(interface, to, from);
      return frames_received_ > before || HasFailure();
    }));
  }
  /// What comes in goes through a pipe, and back.
  static void echo(Port& interface, Port& to, Port& from) {
    must(to.sync_tx());
    must(from.sync_rx());
    (void)must(forward(from.rx_rings()[0], interface.tx_rings()[0], 1));
    must(interface.sync_tx());
    must(from.sync_rx());
    (void)must(forward(interface.rx_rings()[0], to.tx_rings()[0], 1));
    must(interface.sync_rx());
  }
  void use_one_that_is_deleted() {
    test::shell("ip link add vc up type veth");
    (void)open("vc", {.conf = small.conf, .memory_id = elsewhere_->info().memory_id});
    test::shell("ip link del vc");
  }

  std::string near_;
  std::string queue_;
  std::optional<Port> far_;
  std::optional<Port> elsewhere_;
  std::uint64_t frames_sent_ = 0;
  std::uint64_t frames_received_ = 0;
};

/// But for those of pipes' packets, of their offsets and of what sleeps at them.
std::vector<const char*> points_of_records() {
  std::vector<const char*> some;
  for (const char* point : points::all()) {
    for (const char* part :
         {"nic: ", "open: ", "close: ", "collect: ", "recount: ", "grow: ", "forward: "}) {
      if (std::string_view(point).starts_with(part)) some.push_back(point);
    }
  }
  return some;
}

TEST_F(PointsOfInterfaces, KillNobodyElse) {
  kill_at(points_of_records());
}

TEST_F(PointsOfInterfaces, StopNobodyElse) {
  auto points = points::all();
  std::erase_if(points, std::not_fn(points::is_of_interfaces));
  stop_at(points, 10);
}

std::span<abi::netmap_slot> slots_of(auto& ring) {
  return {abi::slots_of(*ring.raw()), ring.num_slots()};
}

TEST_F(PointsOfInterfaces, KillInTheMiddleOfAnExchangeLeavesEachBufferInOnePlace) {
  serve();
  Process victim([this] {
    auto interface = open(queue(), small);
    auto from = open("x}1", small);
    if (must(from.wait(Direction::rx, patience)).empty()) return false;
    slots_of(interface.tx_rings()[0])[0].buf_idx = slots_of(from.rx_rings()[0])[0].buf_idx;
    return ::kill(::getpid(), SIGKILL) == 0;
  });
  EXPECT_FALSE(victim.succeeded());
  auto interface = open(queue(), small);
  std::set<std::uint32_t> seen;
  for (const auto slots : {slots_of(interface.tx_rings()[0]), slots_of(interface.rx_rings()[0]),
                           slots_of(source_.tx_rings()[0])}) {
    for (const abi::netmap_slot& slot : slots) {
      EXPECT_TRUE(seen.insert(slot.buf_idx).second) << "buffer " << slot.buf_idx;
    }
  }
}

}  // namespace
}  // namespace netmap::embedded
