// SPDX-License-Identifier: BSD-2-Clause
//
// Which ports can be watched, and what a monitor is then.
#include "conformance/device.hpp"
#include "port/request.hpp"

#include <cerrno>
#include <cstdint>
#include <set>
#include <string>

namespace netmap::conformance {
namespace {

namespace flag = abi::register_flags;

class MonitorRegistrations : public OnDevice {
 protected:
  /// Registers a monitor, and closes it again.
  static Result<> watch(const std::string& name, abi::nmreq_register& body) {
    if (body.nr_mode == 0) body.nr_mode = abi::mode::all_nic;
    abi::nmreq_header header = make_request(abi::request::port_register, name, &body);
    return request(header, device());
  }
  static std::error_code watch(const std::string& name, std::uint32_t mode = abi::mode::all_nic,
                               std::uint16_t ring = 0) {
    abi::nmreq_register body{};
    body.nr_mode = mode;
    body.nr_ringid = ring;
    body.nr_flags = flag::monitor_tx;
    return code_of(watch(name, body));
  }
};
ON_EVERY_BARE_DEVICE(MonitorRegistrations);

TEST_P(MonitorRegistrations, TellWhatTheMonitorIs) {
  const Port port = open(base() + "{1",
                         {.conf = {.tx_rings = 3, .rx_rings = 2, .tx_slots = 64, .rx_slots = 128}});
  abi::nmreq_register body{};
  body.nr_flags = flag::monitor_tx | flag::monitor_rx;
  must(watch(base() + "{1", body));
  EXPECT_EQ(body.nr_tx_rings, 1);
  EXPECT_EQ(body.nr_rx_rings, 3) << "one for each number";
  EXPECT_EQ(body.nr_tx_slots, 64U);
  EXPECT_EQ(body.nr_rx_slots, 128U);
  EXPECT_EQ(body.nr_host_rx_rings, 0);
  EXPECT_NE(body.nr_mem_id, port.info().memory_id);
  EXPECT_EQ(body.nr_flags, flag::monitor_tx | flag::monitor_rx);
}

TEST_P(MonitorRegistrations, MayAskForSlots) {
  const Port port = open(base() + "{1");
  abi::nmreq_register body{};
  body.nr_flags = flag::monitor_rx;
  body.nr_tx_slots = 8;
  body.nr_rx_slots = 32;
  must(watch(base() + "{1", body));
  EXPECT_EQ(body.nr_tx_slots, 8U);
  EXPECT_EQ(body.nr_rx_slots, 32U);
  body.nr_mem_id = 0;
  body.nr_rx_slots = 100'000;
  must(watch(base() + "{1", body));
  EXPECT_EQ(body.nr_rx_slots, 4096U);
}

TEST_P(MonitorRegistrations, WithoutCopiesAreForBothDirections) {
  const Port port = open(base() + "{1");
  abi::nmreq_register body{};
  body.nr_flags = flag::zcopy_mon;
  must(watch(base() + "{1", body));
  EXPECT_EQ(body.nr_flags, flag::zcopy_mon | flag::monitor_tx | flag::monitor_rx);
  EXPECT_EQ(body.nr_mem_id, port.info().memory_id);
}

TEST_P(MonitorRegistrations, NeedThatEndOfThePipe) {
  EXPECT_EQ(watch(base() + "{1"), std::errc::invalid_argument);
  const Port slave = open(base() + "}1");
  EXPECT_EQ(watch(base() + "{1"), std::errc::invalid_argument) << "only the other end is open";
  EXPECT_FALSE(watch(base() + "}1"));
}

TEST_P(MonitorRegistrations, OfWhatIsNotThereFailAsThatDoes) {
  EXPECT_EQ(watch(base()), std::errc::no_such_device_or_address);
  EXPECT_EQ(watch("vale" + base() + ":a"), std::errc::invalid_argument);
  EXPECT_EQ(watch(base() + "{"), std::errc::invalid_argument);
}

TEST_P(MonitorRegistrations, SelectRingsOfWhatIsWatched) {
  const Port port = open(base() + "{1", {.conf = {.tx_rings = 2, .rx_rings = 4}});
  EXPECT_FALSE(watch(base() + "{1", abi::mode::one_nic, 3));
  EXPECT_EQ(watch(base() + "{1", abi::mode::one_nic, 4), std::errc::invalid_argument);
  for (const std::uint32_t mode : {abi::mode::sw, abi::mode::nic_sw, abi::mode::one_sw}) {
    EXPECT_EQ(watch(base() + "{1", mode), std::errc::invalid_argument) << mode;
  }
}

TEST_P(MonitorRegistrations, DisturbNobodyWhoIsExclusive) {
  const Port port = open(base() + "{1/x");
  const Port one = open(base() + "{1/xt");
  const Port two = open(base() + "{1/xt");
  EXPECT_NE(one.info().memory_id, two.info().memory_id);
}

TEST_P(MonitorRegistrations, MayNotHaveDataOffsetsWithoutCopies) {
  const Port port = open(base() + "{1");
  EXPECT_TRUE(try_open(base() + "{1/t@offset=64"));
  EXPECT_EQ(code_of(try_open(base() + "{1/z@offset=64")), std::errc::operation_not_supported);
}

TEST_P(MonitorRegistrations, ComeAndGoAndNoBufferIsInTwoSlots) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 64, .rx_slots = 64}});
  for (int round = 0; round != 3; ++round) {
    Port monitor = open(base() + "{1/z");
    send_and_sync(master, 0, 20);
    EXPECT_EQ(sync_and_take(slave), numbers(0, 20));
    must(slave.sync_rx());
    must(master.sync_tx());
    EXPECT_EQ(sync_and_take(monitor), numbers(0, 20));
  }
  std::set<std::uint32_t> buffers;
  std::size_t slots = 0;
  for (const auto& slot : master.tx_rings()[0].slots())
    slots += buffers.insert(slot.buffer_index()).second ? 1 : 0;
  EXPECT_EQ(slots, master.tx_rings()[0].slots().size()) << "no buffer is in two slots";
}

}  // namespace
}  // namespace netmap::conformance
