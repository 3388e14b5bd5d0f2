// SPDX-License-Identifier: BSD-2-Clause
//
// Requests to ports of VALE switches that are there while somebody has them open: what they are
// called, what they are given, where they are.
#include "conformance/vale.hpp"

#include <algorithm>
#include <cerrno>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

class ValeRequests : public OnSwitch {
 protected:
  static std::error_code os(int code) { return {code, std::system_category()}; }
  /// Whether there is a switch with a port of this name.
  static bool is_there(const std::string& name) {
    const auto place = place_of(name);
    return place && place->second != no_port;
  }
};
ON_EVERY_BARE_DEVICE(ValeRequests);

/// Registers a port, or ends the case if the device refuses; the body says what it got.
#define REGISTER_OR_END(name, body)                               \
  if (const auto done = register_once(name, body); refused(done)) \
    return;                                                       \
  else                                                            \
    must(done)

// ---- Registrations
// -------------------------------------------------------------------------------

TEST_P(ValeRequests, ToRegisterTellWhatThePortIs) {
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

TEST_P(ValeRequests, ToRegisterGiveWhatWasAskedFor) {
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

TEST_P(ValeRequests, ToRegisterTooMuchAreCutToTheLimits) {
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

TEST_P(ValeRequests, ToRegisterAgainChangeNothing) {
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

TEST_P(ValeRequests, ToRegisterWhatCannotBeLeaveNoPort) {
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

TEST_P(ValeRequests, ForOneRingTakeTheFirstOfADirectionThatHasFewer) {
  OPEN_OR_END(port, port_name("a") + "-1", {.conf = {.tx_rings = 2}});
  ASSERT_EQ(port.tx_rings().size(), 1U);
  ASSERT_EQ(port.rx_rings().size(), 1U);
  EXPECT_EQ(port.tx_rings()[0].index(), 1);
  EXPECT_EQ(port.rx_rings()[0].index(), 0);
}

TEST_P(ValeRequests, ForNeitherDirectionBindNoRing) {
  namespace flags = abi::register_flags;
  OPEN_OR_END(port, port_name("a"), {.flags = flags::rx_rings_only | flags::tx_rings_only});
  EXPECT_TRUE(port.tx_rings().empty());
  EXPECT_TRUE(port.rx_rings().empty());
  EXPECT_TRUE(is_there(port_name("a")));
}

TEST_P(ValeRequests, ForRingsThatAreTakenAreRefused) {
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

TEST_P(ValeRequests, ForExtraBuffersGetThem) {
  OPEN_OR_END(a, port_name("a"), {.extra_buffers = 500});
  EXPECT_EQ(a.extra_buffers(), 500U);
  EXPECT_EQ(open(port_name("b") + "@1", {.extra_buffers = 10}).extra_buffers(), 10U);
}

// ---- Names
// ---------------------------------------------------------------------------------------

TEST_P(ValeRequests, ByTheseNamesAreUnderstood) {
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

TEST_P(ValeRequests, ByTheseNamesFindNoSwitch) {
  for (const std::string name :
       {"vale", "vale1", "vale 1:a", "vale-1:a", "vale.1:a", "vale{1:a", "vale1234567890ab:a",
        "vale1234567890abcdef:a", "vale1:a234567890123456", "vale\xe4:a"}) {
    const auto done = register_once(name);
    if (refused(done)) return;
    EXPECT_EQ(code_of(done), os(ENOMEM)) << name;
  }
}

TEST_P(ValeRequests, ForAnInterfaceOfTheSystemAreRefused) {
  OPEN_OR_END(a, port_name("a"));
  const auto done = register_once(port_name("lo"));
  if (refused(done)) return;
  EXPECT_EQ(code_of(done), os(EINVAL)) << "it has to be attached";
  EXPECT_EQ(index_of(port_name("lo")), no_port);
}

TEST_P(ValeRequests, ForTheNinthSwitchAreRefused) {
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

// ---- Questions
// -----------------------------------------------------------------------------------

TEST_P(ValeRequests, AboutAPortTellItsRings) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.tx_rings = 3, .rx_rings = 2, .rx_slots = 64}});
  abi::nmreq_port_info_get body{};
  body.nr_tx_rings = 7;
  must(ask(req::port_info_get, port_name("a"), &body));
  EXPECT_EQ(body.nr_tx_rings, 3);
  EXPECT_EQ(body.nr_rx_rings, 2);
  EXPECT_EQ(body.nr_tx_slots, 1024U);
  EXPECT_EQ(body.nr_rx_slots, 64U);
  EXPECT_EQ(body.nr_host_tx_rings, 0);
  EXPECT_EQ(body.nr_host_rx_rings, 0);
  EXPECT_EQ(body.nr_mem_id, a.info().memory_id);
  EXPECT_EQ(body.nr_memsize, a.info().memory_bytes);
}

TEST_P(ValeRequests, AboutAPortNobodyOpenedTellWhatItWouldBe) {
  abi::nmreq_port_info_get body{};
  body.nr_tx_rings = 20;
  body.nr_rx_slots = 77;
  const auto done = ask(req::port_info_get, port_name("a"), &body);
  if (refused(done)) return;
  must(done);
  EXPECT_EQ(body.nr_tx_rings, 16);
  EXPECT_EQ(body.nr_rx_rings, 1);
  EXPECT_EQ(body.nr_tx_slots, 1024U);
  EXPECT_EQ(body.nr_rx_slots, 77U);
  EXPECT_GT(body.nr_mem_id, abi::memory_id::global);
  EXPECT_GT(body.nr_memsize, 16 * 1024 * 2048U);
  EXPECT_EQ(code_of(place_of(port_name("a"))), os(ENOENT)) << "no port is left of it";
}

TEST_P(ValeRequests, AboutPoolsTellWhereBuffersAre) {
  OPEN_OR_END(a, port_name("a"));
  abi::nmreq_pools_info body{};
  must(ask(req::pools_info_get, port_name("a"), &body));
  EXPECT_EQ(body.nr_memsize, a.info().memory_bytes);
  EXPECT_EQ(body.nr_mem_id, a.info().memory_id);
  EXPECT_EQ(body.nr_buf_pool_objsize, 2048U);
  EXPECT_GE(body.nr_buf_pool_objtotal, 2 + 2 * 1024U);
  EXPECT_EQ(body.nr_if_pool_offset, 0U);
  EXPECT_GT(body.nr_ring_pool_offset, 0U);
  EXPECT_GT(body.nr_buf_pool_offset, body.nr_ring_pool_offset);
}

TEST_P(ValeRequests, AboutPoolsOfAPortNobodyOpenedLeaveNone) {
  abi::nmreq_pools_info body{};
  const auto done = ask(req::pools_info_get, port_name("a"), &body);
  if (refused(done)) return;
  must(done);
  EXPECT_GT(body.nr_mem_id, abi::memory_id::global);
  EXPECT_GE(body.nr_buf_pool_objtotal, 2 + 2 * 1024U);
  EXPECT_EQ(code_of(place_of(port_name("a"))), os(ENOENT));
  body.nr_mem_id = abi::memory_id::global;
  must(ask(req::pools_info_get, port_name("a"), &body));
  EXPECT_EQ(body.nr_mem_id, abi::memory_id::global);
}

TEST_P(ValeRequests, AboutWhatCannotBeAreRefused) {
  OPEN_OR_END(a, port_name("a"));
  abi::nmreq_port_info_get info{};
  info.nr_mem_id = 9999;
  EXPECT_EQ(code_of(ask(req::port_info_get, port_name("b"), &info)), os(EINVAL));
  abi::nmreq_pools_info pools{};
  pools.nr_mem_id = 9999;
  EXPECT_EQ(code_of(ask(req::pools_info_get, port_name("b"), &pools)), os(EINVAL));
  info.nr_mem_id = pools.nr_mem_id = 0;
  EXPECT_EQ(code_of(ask(req::port_info_get, "vale-1:a", &info)), os(ENOMEM));
  EXPECT_EQ(code_of(ask(req::pools_info_get, "vale-1:a", &pools)), os(ENOMEM));
  EXPECT_EQ(code_of(ask(req::port_info_get, port_name("lo"), &info)), os(EINVAL));
}

// ---- Places
// --------------------------------------------------------------------------------------

TEST_P(ValeRequests, AboutAPlaceByName) {
  const auto nothing = place_of(port_name("a"));
  if (refused(nothing)) return;
  EXPECT_EQ(code_of(nothing), os(ENOENT)) << "no switch";
  Port a = open(port_name("a"));
  const Port b = open(port_name("b"));
  const Port other = open(port_name("a", "x"));
  EXPECT_EQ(index_of(port_name("a")), 0U);
  EXPECT_EQ(index_of(port_name("b")), 1U);
  EXPECT_EQ(must(place_of(port_name("a"))).first, must(place_of(port_name("b"))).first);
  EXPECT_NE(must(place_of(port_name("a"))).first, must(place_of(port_name("a", "x"))).first);
  EXPECT_EQ(index_of(port_name("nobody")), no_port) << "a switch, but no port";
  EXPECT_EQ(index_of(port_name("")), no_port);
  for (const std::string& name : {std::string("lo"), base(), "val" + base() + ":a"}) {
    EXPECT_EQ(code_of(place_of(name)), os(EINVAL)) << name << " does not begin as a switch";
  }
  EXPECT_EQ(code_of(place_of("vale" + base())), os(ENOENT)) << "no colon";
  EXPECT_EQ(code_of(place_of("vale-1:a")), os(ENOENT));
}

TEST_P(ValeRequests, AboutPlacesAreReused) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  const Port c = open(port_name("c"));
  close(a);
  EXPECT_EQ(index_of(port_name("c")), 2U);
  close(b);
  const Port d = open(port_name("d"));
  const Port e = open(port_name("e"));
  const Port f = open(port_name("f"));
  EXPECT_EQ(index_of(port_name("d")), 1U) << "the one that was freed last";
  EXPECT_EQ(index_of(port_name("e")), 0U);
  EXPECT_EQ(index_of(port_name("f")), 3U);
}

TEST_P(ValeRequests, AboutPlacesLeadFromOneToTheNext) {
  OPEN_OR_END(a, port_name("a"));
  Port gone = open(port_name("b"));
  const Port c = open(port_name("c"));
  const Port other = open(port_name("d", "x"));
  close(gone);
  abi::nmreq_vale_list body{};
  std::vector<std::string> found;
  for (;; ++body.nr_port_idx) {
    auto header = header_of(req::vale_list, "", &body);
    const auto done = request(header, device());
    if (!done) {
      EXPECT_EQ(code_of(done), os(ENOENT));
      break;
    }
    found.emplace_back(header.nr_name);
    EXPECT_EQ(must(place_of(header.nr_name)), Place(body.nr_bridge_idx, body.nr_port_idx));
  }
  std::ranges::sort(found);
  std::vector expected{port_name("a"), port_name("c"), port_name("d", "x")};
  std::ranges::sort(expected);
  EXPECT_EQ(found, expected);
}

TEST_P(ValeRequests, AboutPlacesBeyondTheLastFindNone) {
  OPEN_OR_END(a, port_name("a"));
  abi::nmreq_vale_list body{};
  body.nr_bridge_idx = 8;
  EXPECT_EQ(code_of(ask(req::vale_list, "", &body)), os(ENOENT));
  body.nr_bridge_idx = must(place_of(port_name("a"))).first;
  body.nr_port_idx = 254;
  EXPECT_EQ(code_of(ask(req::vale_list, "", &body)), os(ENOENT)) << "no switch follows";
}

// ---- Headers
// -------------------------------------------------------------------------------------

TEST_P(ValeRequests, ForHeadersAreOfOpenPorts) {
  OPEN_OR_END(a, port_name("a"), {.shared = true});
  for (const std::string& nobody : {port_name("b"), port_name("a", "x")}) {
    EXPECT_EQ(code_of(set_vnet_header(nobody, 12, device())), os(ENXIO)) << nobody;
    EXPECT_EQ(code_of(set_vnet_header(nobody, 11, device())), os(EINVAL)) << nobody;
    EXPECT_EQ(code_of(vnet_header(nobody, device())), os(ENXIO)) << nobody;
  }
  for (const std::uint32_t bytes : {12U, 0U, 10U}) {
    must(set_vnet_header(port_name("a"), bytes, device()));
    EXPECT_EQ(must(vnet_header(port_name("a"), device())), bytes);
  }
  for (const std::uint32_t bytes : {1U, 11U, 14U, 0x1000aU}) {
    EXPECT_EQ(code_of(set_vnet_header(port_name("a"), bytes, device())), os(EINVAL)) << bytes;
  }
  EXPECT_EQ(must(vnet_header(port_name("a"), device())), 10U) << "as before";
  close(a);
  EXPECT_EQ(code_of(vnet_header(port_name("a"), device())), os(ENXIO));
  a = open(port_name("a"));
  EXPECT_EQ(must(vnet_header(port_name("a"), device())), 0U) << "they go with the port";
}

TEST_P(ValeRequests, ToRegisterAcceptHeadersOrFail) {
  OPEN_OR_END(first, port_name("a"), {.shared = true});
  must(set_vnet_header(port_name("a"), 12, device()));
  EXPECT_EQ(code_of(try_open(port_name("a"), {.shared = true})), os(EIO));
  EXPECT_TRUE(is_there(port_name("a")));
  const PortOptions accepting{.flags = abi::register_flags::accept_vnet_hdr, .shared = true};
  EXPECT_TRUE(try_open(port_name("a"), accepting));
  EXPECT_TRUE(try_open(port_name("b"), accepting)) << "there need be none";
}

TEST_P(ValeRequests, ForHeadersLetThemThroughBetweenPortsThatAgree) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  Port c = open(port_name("c"));
  for (const char* port : {"a", "b", "c"}) must(set_vnet_header(port_name(port), 12, device()));
  const auto send = [](Port& port, const std::vector<std::byte>& ethernet, std::byte fill) {
    std::vector<std::byte> packet(12 + ethernet.size(), fill);
    std::ranges::copy(ethernet, packet.begin() + 12);
    must(port.tx_rings()[0].send(packet));
    must(port.sync_tx());
    return packet;
  };
  const auto receive = [](Port& port) {
    must(port.sync_rx());
    std::vector<std::byte> packet(4096);
    const auto bytes = port.rx_rings()[0].receive(packet);
    packet.resize(bytes ? *bytes : 0);
    return packet;
  };
  const auto flooded = send(a, frame(1, 1), std::byte{0xff});
  EXPECT_EQ(receive(b), flooded);
  EXPECT_EQ(receive(c), flooded);
  const auto delivered = send(b, frame(2, 2, 1), std::byte{0});
  EXPECT_EQ(receive(a), delivered) << "the address learnt is behind the header";
  EXPECT_TRUE(receive(c).empty());
}

}  // namespace
}  // namespace netmap::conformance
