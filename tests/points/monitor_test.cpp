// SPDX-License-Identifier: BSD-2-Clause
//
// The same with monitors. The forwarder has one direction each of two ends whose other direction
// somebody else keeps open, so that monitors of these stay while forwarders come and go; what they
// are shown, a forwarder shows in its syncs. It opens monitors of its own, too. Those that copy see
// every packet, in order: again from where one died that had not sent what it had shown. In the end
// each buffer that is in use has one name.
#include "device/embedded/mailbox.hpp"
#include "device/embedded/monitors.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/vale.hpp"
#include "points/points.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <set>

namespace netmap::embedded {
namespace {

const PortOptions roomy{.conf = {.tx_slots = 4, .rx_slots = 256}};

/// One that lives, and what it has seen.
class Monitor {
 public:
  enum class Sees : std::uint8_t { copies, buffers };
  Monitor(Port port, Sees sees) : port_(std::move(port)), sees_(sees) {}

  void take() {
    must(port_.sync_rx());
    port_.rx_rings()[0].for_each([this](const Packet& packet) {
      const auto number = number_of(packet);
      if (sees_ == Sees::copies) {
        EXPECT_TRUE(number) << "a packet was damaged";
        EXPECT_LE(number.value_or(0), next_) << "a packet was not shown";
      }
      if (number) next_ = std::max(next_, *number + 1);
    });
    must(port_.sync_rx());
  }
  /// The number after the last that it has seen.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] Sees sees() const { return sees_; }
  [[nodiscard]] const Port& port() const { return port_; }

 private:
  Port port_;
  Sees sees_;
  std::uint64_t next_ = 0;
};

class PointsOfMonitors : public Points {
 protected:
  PointsOfMonitors() {
    inlet_ += "/R";
    outlet_ += "/T";
  }

  void serve() override {
    Points::serve();
    for (Port* const port : {&in_, &out_}) must(port->sync_tx());
    std::ranges::for_each(monitors_, &Monitor::take);
  }

  void forward_some(Random random) override {
    if (is_due() && random.below(2) == 0) leave_a_corpse_that_watches();
    auto copier = open("x{1/rt", roomy);
    auto taker = open("x}2/z", small);
    for (int turn = 0; turn != 3; ++turn) {
      Points::forward_some(random);
      for (Port* const port : {&copier, &taker}) {
        (void)must(port->wait(Direction::rx, blink));
        (void)port->rx_rings()[0].for_each([](const Packet&) {});
      }
    }
  }

  /// A recount keeps what a sender's slots were sent with, though it has gone elsewhere; if that
  /// died, it is found when somebody dies after the slots have come back.
  void settle() override {
    {
      auto from = open(inlet_, small);
      auto to = open(outlet_, small);
      carry_until(from, to, [&, before = sent_] {
        return std::ranges::all_of(monitors_,
                                   [&](const Monitor& monitor) { return monitor.next() > before; });
      });
    }
    leave_a_corpse();
    Points::settle();
    for (Monitor& monitor : monitors_) {
      monitor.take();
      if (monitor.sees() == Monitor::Sees::copies) {
        EXPECT_EQ(monitor.next(), received_);
      }
    }
    expect_one_name_each();
    expect_empty_mailboxes();
  }

  /// Carries packets until `holds()`.
  template <std::predicate Holds>
  void carry_until(Port& from, Port& to, Holds holds) {
    ASSERT_TRUE(await([&] {
      serve();
      must(from.sync_rx());
      (void)must(forward(from.rx_rings()[0], to.tx_rings()[0]));
      must(to.sync_tx());
      return HasFailure() || holds();
    }));
  }

  /// Where the record of a monitor is that is opened now.
  [[nodiscard]] std::size_t next_place() const { return monitors_.size(); }

  /// They come and go, though what would be shown to them may be under way.
  void meanwhile() override {
    Points::meanwhile();
    if (is_locked()) return;
    for (const char* const name : {"x{1/rtz", "x}2/rt"}) {
      auto monitor = open(name, small);
      serve();
      EXPECT_TRUE(monitor.sync_rx());
    }
  }

  [[nodiscard]] std::vector<InUse> in_use() const override {
    auto all = Points::in_use();
    for (const Monitor& monitor : monitors_) {
      all.push_back(InDomain::in_use(monitor.port().info().memory_id));
    }
    return all;
  }

 private:
  void leave_a_corpse_that_watches() {
    (void)Process([this] {
      chosen = nullptr;
      const std::array monitors{open("x{1/z", small), open("x}2/rt", small)};
      return ::kill(::getpid(), SIGKILL) == 0;
    }).succeeded();
  }

  /// Those of extra buffers are counted alone.
  void expect_one_name_each() {
    const auto domain = must(Domain::at(path()));
    const auto memory = must(Memory::existing(*domain, 1));
    std::multiset<std::uint32_t> names;
    for (const PipeRecord& pipe : domain->state().pipes) {
      if (pipe.in_use == 0 || pipe.memory_id != 1) continue;
      for_each_ring(pipe, *memory, [&](const PipeRing& ring, End, std::uint32_t) {
        for (const std::uint32_t buffer : buffers_of(ring)) names.insert(buffer);
      });
    }
    for_each_port(domain->state(), 1, [&](const SwitchPort& port) {
      for_each_object(port, [&](std::uint32_t object) {
        for_each_slot(*memory, object, [&](const auto& slot) { names.insert(slot.buf_idx); });
      });
    });
    for (const std::uint32_t name : names) {
      EXPECT_EQ(names.count(name), 1U) << "buffer " << name;
      EXPECT_GE(name, abi::buffer_index::first_usable);
    }
    const std::size_t extra = source_.extra_buffers() + sink_.extra_buffers();
    EXPECT_EQ(names.size() + extra + abi::buffer_index::first_usable, InDomain::in_use(1).buffers);
  }

  /// But for the one cell that each keeps, and those of slots that are shown: what the dead had
  /// claimed is there again.
  void expect_empty_mailboxes() {
    const auto domain = must(Domain::at(path()));
    for_each_monitor(domain->state(), [&](const SwitchPort& monitor) {
      const auto memory = must(Memory::existing(*domain, monitor.memory_id));
      const auto mailbox = Mailbox::in(*memory, mailbox_object(monitor, 0), monitor.rx_slots);
      EXPECT_EQ(std::count_if(mailbox.cells, mailbox.cells + mailbox.size,
                              [](const Cell& cell) { return cell.owner != owner::nobody; }),
                1);
    });
  }

  Port in_ = open("x}1/T");
  Port out_ = open("x{2/R");
  static constexpr auto see_copies = Monitor::Sees::copies;
  static constexpr auto see_buffers = Monitor::Sees::buffers;
  std::array<Monitor, 6> monitors_{{{open("x{2/t", roomy), see_copies},
                                    {open("x}2/r", roomy), see_copies},
                                    {open("x}1/z", small_rings), see_buffers},
                                    {open("x}1/z", small_rings), see_buffers},
                                    {open("x{2/z", small_rings), see_buffers},
                                    {open("x{2/z", small_rings), see_buffers}}};
};

/// All that a monitor's user comes by, and all that who shows it something does.
std::vector<const char*> points_of_monitors() {
  std::vector<const char*> some;
  for (const char* point : points::all()) {
    for (const char* part : {"watch: ", "deliver: ", "take: ", "vale: ", "publish: ", "release: ",
                             "open: described", "collect: endpoint released", "close: "}) {
      if (std::string_view(point).starts_with(part)) some.push_back(point);
    }
  }
  std::erase(some, std::string_view("deliver: copied"));  // which goes to another port
  return some;
}

TEST_F(PointsOfMonitors, KillNobodyElse) {
  kill_at(points_of_monitors());
}

/// Nor is anything exchanged with what they leave, which is free.
TEST_F(PointsOfMonitors, ThatAreClosedAreShownNothing) {
  const auto domain = must(Domain::at(path()));
  auto from = open(inlet_, small);
  auto to = open(outlet_, small);
  for (const char* const name : {"x{1/t", "x}2/z"}) {
    auto monitor = open(name, small_rings);
    const auto memory = must(Memory::existing(*domain, monitor.info().memory_id));
    const SwitchPort& record = domain->state().switches[monitors].ports[next_place()];
    const auto mailbox = Mailbox::in(*memory, mailbox_object(record, 0), record.rx_slots);
    carry_until(from, to, [&] { return mailbox.words->newest != 0; });
    close(monitor);
    mailbox.words->newest = 0;
    carry_until(from, to, [&, before = received_] { return received_ > before + 20; });
    EXPECT_EQ(mailbox.words->newest, 0U);
  }
}

TEST_F(PointsOfMonitors, StopNobodyElse) {
  stop_at(points_of_monitors(), 20);
}

}  // namespace
}  // namespace netmap::embedded
