// SPDX-License-Identifier: BSD-2-Clause
//
// Ports of VALE switches.
#include "conformance/ethernet.hpp"

#include <algorithm>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

class Vale : public OnDevice {
 protected:
  [[nodiscard]] std::string port_name(const std::string& port) const {
    return "vale" + base() + ":" + port;
  }
  /// Everything that is there now, without waiting: a switch delivers inside the sender's sync.
  static std::vector<std::uint32_t> take(Port& port) {
    must(port.sync_rx());
    std::vector<std::uint32_t> taken;
    port.rx_rings()[0].for_each([&](const Packet& packet) {
      std::vector<std::byte> bytes(packet.size());
      must(packet.copy_to(bytes));
      if (const auto number = number_in_frame(bytes)) taken.push_back(*number);
    });
    must(port.sync_rx());
    return taken;
  }
};
ON_EVERY_DEVICE(Vale);

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

TEST_P(Vale, CarriesPacketsOfSeveralSlotsAndCountsThem) {
  OPEN_OR_END(a, port_name("a"));
  Port b = open(port_name("b"));
  must(a.tx_rings()[0].send(frame(1, 1, broadcast, 9000)));
  must(a.tx_rings()[0].send(frame(2, 1)));
  must(a.sync_tx());
  must(b.sync_rx());
  const auto slots = b.rx_rings()[0].slots();
  ASSERT_EQ(slots.size(), 6U);
  for (std::size_t i = 0; i != 6; ++i) {
    EXPECT_EQ(abi::fragment_count(*slots[i].raw()), i < 5 ? 5U : 1U) << i;
    EXPECT_EQ(slots[i].more_fragments(), i < 4) << i;
  }
  EXPECT_EQ(take(b), (std::vector<std::uint32_t>{1, 2}));
}

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

TEST_P(Vale, HasPortsOfSeveralRings) {
  OPEN_OR_END(a, port_name("a"), {.conf = {.tx_rings = 2, .rx_rings = 2}});
  Port b = open(port_name("b"), {.conf = {.tx_rings = 2, .rx_rings = 2}});
  send_frames(b, 0, 0, 1, 2);
  EXPECT_EQ(take(a), numbers(0, 1));
  send_frames(a, 1, 10, 5, 1, 2);
  must(b.sync_rx());
  EXPECT_TRUE(b.rx_rings()[0].slots().empty());
  EXPECT_EQ(b.rx_rings()[1].slots().size(), 5U) << "known addresses keep the sender's ring";
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

TEST_P(Vale, WakesAReceiver) {
  OPEN_OR_END(a, port_name("a"));
  Child sender([&] {
    Port b = open(port_name("b"));
    send_frames(b, 0, 0, 100, 2);
    return true;
  });
  EXPECT_EQ(receive_frames(a, 0, 100), numbers(0, 100));
  EXPECT_TRUE(sender.succeeded());
}

TEST_P(Vale, PutsHeadersBeforePacketsOfThoseWhoAcceptThem) {
  const std::string name = port_name("a");
  OPEN_OR_END(a, name, {.shared = true});
  for (const std::uint32_t bytes : {12U, 0U, 10U}) {
    must(set_vnet_header(name, bytes, device()));
    EXPECT_EQ(must(vnet_header(name, device())), bytes);
  }
  EXPECT_EQ(code_of(set_vnet_header(name, 11, device())), std::errc::invalid_argument);
  EXPECT_EQ(code_of(try_open(name, {.shared = true})), std::errc::io_error);
  const Port second = open(name, {.flags = abi::register_flags::accept_vnet_hdr, .shared = true});
  EXPECT_EQ(code_of(vnet_header(port_name("nobody"), device())),
            std::errc::no_such_device_or_address);
}

TEST_P(Vale, RefusesNamesThatAreTooLong) {
  const auto port = try_open("vale0:a234567890123456");
  if (refused(port)) return;
  EXPECT_EQ(code_of(port), std::errc::not_enough_memory);
}

TEST_P(Vale, SwitchesAreListedWhileTheyExist) {
  OPEN_OR_END(a, port_name("a"));
  const auto find = [](const std::string& name, abi::nmreq_vale_list& found) {
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = req::vale_list;
    name.copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(&found);
    return request(header, device());
  };
  abi::nmreq_vale_list found{};
  must(find(port_name("a"), found));
  EXPECT_EQ(found.nr_port_idx, 0U);
  EXPECT_TRUE(find(port_name("b"), found));
  EXPECT_EQ(found.nr_port_idx, 255U) << "the switch exists, the port does not";
  close(a);
  EXPECT_EQ(code_of(find(port_name("a"), found)), std::errc::no_such_file_or_directory);
}

}  // namespace
}  // namespace netmap::conformance
