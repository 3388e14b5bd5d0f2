// SPDX-License-Identifier: BSD-2-Clause
//
// Questions about the ports of VALE switches: their rings, their memory, their places, and the
// headers before their packets.
#include "conformance/vale.hpp"

#include <algorithm>
#include <cerrno>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

using ValeRequests = OnSwitch;
ON_EVERY_BARE_DEVICE(ValeRequests);

// ---- Questions ----------------------------------------------------------------------------------

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

// ---- Places -------------------------------------------------------------------------------------

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
    auto header = make_request(req::vale_list, "", &body);
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

// ---- Headers ------------------------------------------------------------------------------------

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

TEST_P(ValeRequests, ForHeadersHaveToBeAccepted) {
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

TEST_P(ValeRequests, ForHeadersLetThemBeAFragment) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  for (const char* port : {"a", "b"}) must(set_vnet_header(port_name(port), 12, device()));
  const auto send = [&port = a](std::size_t first, std::size_t second) {
    auto packet = port.tx_rings()[0].writer();
    must(packet.append(std::vector(first, std::byte{0xff})));
    if (second != 0) {
      must(packet.next_fragment());
      must(packet.append(std::vector(second, std::byte{0xff})));
    }
    must(packet.commit());
  };
  send(12, 60);
  send(12, 0);
  send(12, 13);
  send(25, 100);
  send(11, 100);
  send(26, 0);
  must(a.sync_tx());
  must(b.sync_rx());
  const auto slots = b.rx_rings()[0].slots();
  ASSERT_EQ(slots.size(), 3U) << "an Ethernet header is all behind the first, or all in it";
  EXPECT_EQ(slots[0].length(), 12U);
  EXPECT_EQ(slots[1].length(), 60U);
  EXPECT_EQ(slots[2].length(), 26U);
}

}  // namespace
}  // namespace netmap::conformance
