// SPDX-License-Identifier: BSD-2-Clause
//
// What is counted at the ports of VALE switches, for whoever asks; and switches as programs manage
// them without requests of their own.
#include "conformance/vale.hpp"

#include <algorithm>
#include <cerrno>

namespace netmap::conformance {
namespace {

class ValeCounts : public OnSwitch {
 protected:
  [[nodiscard]] static std::optional<OpenPort> find(const std::string& name) {
    const auto ports = must(open_ports(device()));
    const auto found = std::ranges::find(ports, name, &OpenPort::name);
    if (found == ports.end()) return {};
    return *found;
  }
  /// What everybody can read; nothing if the device counts nothing.
  [[nodiscard]] static std::optional<PortCounts> counts(const std::string& name) {
    const auto port = find(name);
    if (!port) throw std::runtime_error("nobody has " + name + " open");
    EXPECT_EQ(port->counts.has_value(), !is_kernel());
    return port->counts;
  }
  static void expect(const PortCounts& counts, std::uint64_t sent, std::uint64_t received,
                     std::uint64_t dropped) {
    EXPECT_EQ(counts.tx.packets, sent);
    EXPECT_EQ(counts.tx.bytes, 60 * sent);
    EXPECT_EQ(counts.rx.packets, received);
    EXPECT_EQ(counts.rx.bytes, 60 * received);
    EXPECT_EQ(counts.dropped, dropped);
  }
};
ON_EVERY_BARE_DEVICE(ValeCounts);

/// Ends the case on devices that count nothing.
#define COUNTS_OR_END(variable, name)         \
  const auto found_##variable = counts(name); \
  if (!found_##variable) return;              \
  const PortCounts variable = *found_##variable

TEST_P(ValeCounts, TellPacketsSentReceivedAndDropped) {
  Port a = open(port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 32}});
  Port c = open(port_name("c"));
  send_frames(a, 0, 0, 100, 1);
  EXPECT_EQ(take(b), numbers(0, 31));
  EXPECT_EQ(take(c), numbers(0, 100));
  send_frames(b, 0, 0, 7, 2);
  COUNTS_OR_END(of_a, port_name("a"));
  expect(of_a, 100, 0, 0);
  expect(*counts(port_name("b")), 7, 31, 69);
  expect(*counts(port_name("c")), 0, 100, 0);
}

TEST_P(ValeCounts, CountWhatWasReleasedNotWhatIsThere) {
  Port a = open(port_name("a"));
  Port b = open(port_name("b"));
  send_frames(a, 0, 0, 10, 1);
  must(b.sync_rx());
  COUNTS_OR_END(before, port_name("b"));
  expect(before, 0, 0, 0);
  EXPECT_EQ(take(b), numbers(0, 10));
  expect(*counts(port_name("b")), 0, 10, 0);
}

TEST_P(ValeCounts, CountPacketsNotFragments) {
  Port a = open(port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 8}});
  for (std::uint32_t i = 0; i != 3; ++i) must(a.tx_rings()[0].send(frame(i, 1, broadcast, 5000)));
  must(a.sync_tx());
  (void)take(b);
  COUNTS_OR_END(of_a, port_name("a"));
  EXPECT_EQ(of_a.tx.packets, 3U);
  EXPECT_EQ(of_a.tx.bytes, 15'000U);
  const auto of_b = *counts(port_name("b"));
  EXPECT_EQ(of_b.rx.packets, 2U);
  EXPECT_EQ(of_b.rx.bytes, 10'000U);
  EXPECT_EQ(of_b.dropped, 1U);
}

TEST_P(ValeCounts, AreReadByOtherProcesses) {
  Port a = open(port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 16}});
  if (is_kernel()) return;
  send_frames(a, 0, 0, 20, 1);
  (void)take(b);
  Child reader([&] {
    const auto of_b = counts(port_name("b"));
    return counts(port_name("a"))->tx.packets == 20 && of_b->rx.packets == 15 && of_b->dropped == 5;
  });
  EXPECT_TRUE(reader.succeeded());
}

TEST_P(ValeCounts, GoOnWhileAPortHasUsersAndBeginAnewWithTheNextFirst) {
  Port a = open(port_name("a"), {.shared = true});
  Port b = open(port_name("b"));
  if (is_kernel()) return;
  send_frames(a, 0, 0, 5, 1);
  {
    Port other = open(port_name("a"), {.shared = true});
    send_frames(other, 0, 5, 4, 1);
    expect(*counts(port_name("a")), 9, 0, 0);
  }
  EXPECT_EQ(take(b).size(), 9U);
  send_frames(b, 0, 0, 2000, 2);
  EXPECT_EQ(counts(port_name("a"))->dropped, 2000U - 1023);
  close(a);
  a = open(port_name("a"));
  expect(*counts(port_name("a")), 0, 0, 0);
  expect(*counts(port_name("b")), 2000, 9, 0);
}

TEST_P(ValeCounts, AreOfTheRingsThatAreOpen) {
  Port other = open(port_name("b"));
  Port zero = open(port_name("a") + "-0@conf:rings=2");
  Port one = open(port_name("a") + "-1");
  if (is_kernel()) return;
  send_frames(zero, 0, 0, 3, 1);
  send_frames(one, 0, 0, 4, 1);
  std::vector<std::uint64_t> sent;
  for (const OpenPort& port : must(open_ports(device()))) {
    if (port.name == port_name("a")) sent.push_back(port.counts->tx.packets);
  }
  std::ranges::sort(sent);
  EXPECT_EQ(sent, (std::vector<std::uint64_t>{3, 4}));
}

TEST_P(ValeCounts, APortKnowsWhatItsRingsHadNoRoomFor) {
  Port a = open(port_name("a"));
  Port b = open(port_name("b"), {.conf = {.rx_slots = 8}});
  send_frames(a, 0, 0, 100, 1);
  EXPECT_EQ(b.stats().dropped, is_kernel() ? 0U : 93U);
  EXPECT_EQ(a.stats().dropped, 0U);
}

// ---- Managing switches --------------------------------------------------------------------------

class ValeManagement : public ValeCounts {
 protected:
  void TearDown() override {
    if (IsSkipped()) return;
    (void)detach_from_switch(attached(), device());
    (void)remove_vale_interface(name(), device());
  }
  [[nodiscard]] std::string name() const { return base() + "v"; }
  [[nodiscard]] std::string attached() const { return port_name(name()); }
};
ON_EVERY_BARE_DEVICE(ValeManagement);

TEST_P(ValeManagement, MakesAttachesDetachesAndRemoves) {
  const auto made = must(make_vale_interface(name() + "@1@conf:rings=2,slots=64", device()));
  EXPECT_EQ(made.name, name());
  EXPECT_EQ(made.memory_id, abi::memory_id::global);
  EXPECT_EQ(made.conf.tx_rings, 2);
  EXPECT_EQ(made.conf.rx_slots, 64U);
  must(attach_to_switch(attached(), device()));
  EXPECT_TRUE(is_there(attached()));
  EXPECT_EQ(find(attached()).value().process, 0U) << "listed, though nobody has it open";
  must(detach_from_switch(attached(), device()));
  EXPECT_FALSE(is_there(attached()));
  EXPECT_EQ(find(name()).has_value(), !is_kernel());
  must(remove_vale_interface(name(), device()));
  EXPECT_FALSE(find(name()));
}

TEST_P(ValeManagement, SaysWhatItWasAndWhyNot) {
  must(make_vale_interface(name(), device()));
  const auto again = make_vale_interface(name(), device());
  EXPECT_EQ(code_of(again), os(EEXIST));
  EXPECT_TRUE(again.error().message().starts_with("cannot make the VALE interface '" + name()));
  EXPECT_EQ(code_of(detach_from_switch(attached(), device())), os(ENXIO));
  must(attach_to_switch(attached(), device()));
  EXPECT_EQ(code_of(remove_vale_interface(name(), device())), os(EBUSY));
  must(detach_from_switch(attached(), device()));
  Port port = open(name());
  EXPECT_EQ(code_of(remove_vale_interface(name(), device())), os(EBUSY));
  EXPECT_EQ(code_of(attach_to_switch(attached(), device())), os(EBUSY));
  close(port);
}

TEST_P(ValeManagement, RefusesNamesThatSayMore) {
  for (const char* const more : {"-0", "^", "/x", "@extmem=f"}) {
    EXPECT_EQ(code_of(make_vale_interface(name() + more, device())), errc::bad_name) << more;
    EXPECT_EQ(code_of(remove_vale_interface(name() + more, device())), errc::bad_name) << more;
  }
  EXPECT_EQ(code_of(make_vale_interface(name() + "{1", device())), errc::bad_name);
  EXPECT_EQ(code_of(detach_from_switch(attached() + "@1", device())), errc::bad_name);
  EXPECT_EQ(code_of(attach_to_switch(attached() + "@conf:rings=2", device())), errc::bad_name);
  EXPECT_EQ(code_of(make_vale_interface(attached(), device())), os(EINVAL));
  EXPECT_EQ(code_of(attach_to_switch(name(), device())), os(EINVAL));
}

}  // namespace
}  // namespace netmap::conformance
