// SPDX-License-Identifier: BSD-2-Clause
//
// Opening ports of VALE switches: what they may be called, what they are given, and what is
// refused.
#include "conformance/vale.hpp"

#include <cerrno>

namespace netmap::conformance {
namespace {

using ValeRegistrations = OnSwitch;
ON_EVERY_BARE_DEVICE(ValeRegistrations);

/// Registers a port, or ends the case if the device refuses; the body says what it got.
#define REGISTER_OR_END(name, body)                               \
  if (const auto done = register_once(name, body); refused(done)) \
    return;                                                       \
  else                                                            \
    must(done)

// ---- Registrations ------------------------------------------------------------------------------

TEST_P(ValeRegistrations, TellWhatThePortIs) {
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  REGISTER_OR_END(port_name("a"), body);
  EXPECT_EQ(body.nr_tx_rings, 1);
  EXPECT_EQ(body.nr_rx_rings, 1);
  EXPECT_EQ(body.nr_tx_slots, 1024U);
  EXPECT_EQ(body.nr_rx_slots, 1024U);
  EXPECT_EQ(body.nr_host_tx_rings, 0);
  EXPECT_EQ(body.nr_host_rx_rings, 0);
  EXPECT_EQ(body.nr_extra_bufs, 0U);
  EXPECT_GT(body.nr_mem_id, abi::memory_id::global);
  EXPECT_GT(body.nr_memsize, 2048 * 2048U + body.nr_offset);
}

TEST_P(ValeRegistrations, GiveWhatWasAskedFor) {
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  body.nr_tx_rings = 3;
  body.nr_rx_rings = 2;
  body.nr_tx_slots = 1;
  body.nr_rx_slots = 100;
  body.nr_host_tx_rings = 4;
  body.nr_extra_bufs = 10;
  REGISTER_OR_END(port_name("a"), body);
  EXPECT_EQ(body.nr_tx_rings, 3);
  EXPECT_EQ(body.nr_rx_rings, 2);
  EXPECT_EQ(body.nr_tx_slots, 1U);
  EXPECT_EQ(body.nr_rx_slots, 100U);
  EXPECT_EQ(body.nr_host_tx_rings, 0);
  EXPECT_EQ(body.nr_extra_bufs, 10U);
}

TEST_P(ValeRegistrations, TooMuchAreCutToTheLimits) {
  abi::nmreq_register rings{};
  rings.nr_mode = abi::mode::all_nic;
  rings.nr_tx_rings = 17;
  rings.nr_rx_rings = UINT16_MAX;
  rings.nr_tx_slots = rings.nr_rx_slots = 8;
  REGISTER_OR_END(port_name("a"), rings);
  EXPECT_EQ(rings.nr_tx_rings, 16);
  EXPECT_EQ(rings.nr_rx_rings, 16);
  abi::nmreq_register slots{};
  slots.nr_mode = abi::mode::all_nic;
  slots.nr_tx_slots = 4097;
  slots.nr_rx_slots = UINT32_MAX;
  must(register_once(port_name("a"), slots));
  EXPECT_EQ(slots.nr_tx_slots, 4096U);
  EXPECT_EQ(slots.nr_rx_slots, 4096U);
}

TEST_P(ValeRegistrations, AgainChangeNothing) {
  OPEN_OR_END(first, port_name("a"), {.conf = {.tx_rings = 2, .rx_slots = 64}, .shared = true});
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  body.nr_tx_rings = 5;
  body.nr_rx_rings = 5;
  body.nr_tx_slots = 128;
  body.nr_mem_id = abi::memory_id::global;
  must(register_once(port_name("a"), body));
  EXPECT_EQ(body.nr_tx_rings, 2);
  EXPECT_EQ(body.nr_rx_rings, 1);
  EXPECT_EQ(body.nr_tx_slots, 1024U);
  EXPECT_EQ(body.nr_rx_slots, 64U);
  EXPECT_EQ(body.nr_mem_id, first.info().memory_id);
}

TEST_P(ValeRegistrations, WhatCannotBeLeaveNoPort) {
  using namespace abi::mode;
  OPEN_OR_END(a, port_name("a"));
  struct Bad {
    const char* what;
    std::uint32_t mode;
    std::uint16_t ring;
    std::uint16_t memory_id;
  };
  constexpr Bad table[] = {
      {"the mode of old requests", unset, 0, 0},
      {"host rings", sw, 0, 0},
      {"all rings", nic_sw, 0, 0},
      {"a host ring", one_sw, 0, 0},
      {"a pipe's mode", pipe_master, 0, 0},
      {"a pipe's mode", pipe_slave, 0, 0},
      {"an unknown mode", 9, 0, 0},
      {"a ring beyond the last", one_nic, 1, 0},
      {"an unknown memory id", all_nic, 0, 9999},
      {"a null port without memory", null, 0, 0},
  };
  for (const Bad& bad : table) {
    abi::nmreq_register body{};
    body.nr_mode = bad.mode;
    body.nr_ringid = bad.ring;
    body.nr_mem_id = bad.memory_id;
    EXPECT_EQ(code_of(register_once(port_name("b"), body)), os(EINVAL)) << bad.what;
    EXPECT_FALSE(is_there(port_name("b"))) << bad.what;
  }
}

TEST_P(ValeRegistrations, ForOneRingTakeTheFirstOfADirectionThatHasFewer) {
  OPEN_OR_END(port, port_name("a") + "-1", {.conf = {.tx_rings = 2}});
  ASSERT_EQ(port.tx_rings().size(), 1U);
  ASSERT_EQ(port.rx_rings().size(), 1U);
  EXPECT_EQ(port.tx_rings()[0].index(), 1);
  EXPECT_EQ(port.rx_rings()[0].index(), 0);
}

TEST_P(ValeRegistrations, ForNeitherDirectionBindNoRing) {
  namespace flags = abi::register_flags;
  OPEN_OR_END(port, port_name("a"), {.flags = flags::rx_rings_only | flags::tx_rings_only});
  EXPECT_TRUE(port.tx_rings().empty());
  EXPECT_TRUE(port.rx_rings().empty());
  EXPECT_TRUE(is_there(port_name("a")));
}

TEST_P(ValeRegistrations, ForRingsThatAreTakenAreRefused) {
  OPEN_OR_END(a, port_name("a"));
  EXPECT_EQ(code_of(try_open(port_name("a"))), os(EBUSY));
  EXPECT_EQ(code_of(try_open(port_name("a"), {.shared = true})), os(EBUSY));
  close(a);
  const Port shared = open(port_name("a"), {.shared = true});
  EXPECT_EQ(code_of(try_open(port_name("a"))), os(EBUSY));
  EXPECT_TRUE(try_open(port_name("a"), {.shared = true}));
  const Port sender = open(port_name("b") + "/T");
  EXPECT_EQ(code_of(try_open(port_name("b") + "/T")), os(EBUSY));
  EXPECT_EQ(code_of(try_open(port_name("b"))), os(EBUSY));
  const Port receiver = open(port_name("b") + "/R");
  const Port first = open(port_name("c") + "-0", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  EXPECT_EQ(code_of(try_open(port_name("c") + "-0")), os(EBUSY));
  EXPECT_TRUE(try_open(port_name("c") + "-1"));
}

TEST_P(ValeRegistrations, OfSeveralRingsAreSharedByTurns) {
  const PortOptions two{.conf = {.tx_rings = 2, .rx_rings = 2}, .shared = true};
  OPEN_OR_END(one, port_name("a"), two);
  Port b = open(port_name("b"));
  Port other = open(port_name("a"), two);
  std::uint32_t sent = 0;
  for (Port* user : {&one, &other, &one}) {
    for (const std::size_t ring : {0U, 1U}) must(user->tx_rings()[ring].send(frame(sent++, 1)));
    must(user->sync_tx());
  }
  EXPECT_EQ(take(b), numbers(0, sent));
}

TEST_P(ValeRegistrations, ForExtraBuffersGetThem) {
  OPEN_OR_END(a, port_name("a"), {.extra_buffers = 500});
  EXPECT_EQ(a.extra_buffers(), 500U);
  EXPECT_EQ(open(port_name("b") + "@1", {.extra_buffers = 10}).extra_buffers(), 10U);
}

TEST_P(ValeRegistrations, MayShareTheRegionOfAnotherPort) {
  OPEN_OR_END(a, port_name("a"));
  const std::string in_it = "@" + std::to_string(a.info().memory_id);
  Port b = open(port_name("b") + in_it);
  EXPECT_EQ(b.info().memory_id, a.info().memory_id);
  EXPECT_TRUE(b.tx_rings()[0].same_region(a.tx_rings()[0]));
  send_frames(a, 0, 0, 3, 1);
  EXPECT_EQ(take(b), numbers(0, 3));
  close(a);
  Port c = open(port_name("c") + in_it);
  EXPECT_TRUE(c.tx_rings()[0].same_region(b.tx_rings()[0])) << "whoever made it";
  close(b), close(c);
  EXPECT_EQ(code_of(try_open(port_name("d") + in_it)), os(EINVAL)) << "it went with its last port";
}

TEST_P(ValeRegistrations, ForAPipeMakeThePortBehindIt) {
  OPEN_OR_END(b, port_name("b"));
  OPEN_OR_END(master, port_name("a") + "{1");
  Port slave = open(port_name("a") + "}1");
  EXPECT_EQ(index_of(port_name("a")), 1U);
  send_frames(master, 0, 0, 3, 1);
  send_frames(b, 0, 3, 3, 2);
  EXPECT_EQ(take(slave), numbers(0, 3)) << "pipe and switch have nothing to do with each other";
  EXPECT_TRUE(take(b).empty());
  const Port a = open(port_name("a"));
  EXPECT_EQ(a.info().memory_id, master.info().memory_id);
  close(master), close(slave);
  EXPECT_EQ(index_of(port_name("a")), 1U);
}

// ---- Names --------------------------------------------------------------------------------------

TEST_P(ValeRegistrations, ByTheseNamesAreUnderstood) {
  const std::string longest_switch = ("vale" + base() + "_Az_Az_Az_Az").substr(0, 15);
  for (const std::string& name :
       {port_name("a"), port_name(""), port_name("a.b-c d/e"), port_name("a:b"),
        longest_switch + ":a23456789012345", std::string("vale:a")}) {
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    body.nr_tx_slots = body.nr_rx_slots = 8;
    const auto done = register_once(name, body);
    if (refused(done)) return;
    EXPECT_EQ(code_of(done), std::error_code()) << name;
    EXPECT_EQ(code_of(place_of(name)), os(ENOENT)) << name << ": its switch is gone with it";
  }
}

TEST_P(ValeRegistrations, ByTheseNamesFindNoSwitch) {
  for (const std::string name :
       {"vale", "vale1", "vale 1:a", "vale-1:a", "vale.1:a", "vale{1:a", "vale1234567890ab:a",
        "vale1234567890abcdef:a", "vale1:a234567890123456", "vale\xe4:a"}) {
    const auto done = register_once(name);
    if (refused(done)) return;
    EXPECT_EQ(code_of(done), os(ENOMEM)) << name;
  }
}

TEST_P(ValeRegistrations, ForAnInterfaceOfTheSystemAreRefused) {
  OPEN_OR_END(a, port_name("a"));
  const auto done = register_once(port_name("lo"));
  if (refused(done)) return;
  EXPECT_EQ(code_of(done), os(EINVAL)) << "it has to be attached";
  EXPECT_EQ(index_of(port_name("lo")), no_port);
}

TEST_P(ValeRegistrations, ForTheNinthSwitchAreRefused) {
  std::vector<Port> ports;
  for (const char* other : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
    OPEN_OR_END(port, port_name("a", other), {.conf = {.tx_slots = 8, .rx_slots = 8}});
    ports.push_back(std::move(port));
  }
  EXPECT_EQ(code_of(register_once(port_name("a", "9"))), os(ENOMEM));
  EXPECT_TRUE(register_once(port_name("b", "8"))) << "the others go on";
  ports.erase(ports.begin() + 3);
  EXPECT_TRUE(register_once(port_name("a", "9")));
}

}  // namespace
}  // namespace netmap::conformance
