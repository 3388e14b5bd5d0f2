// SPDX-License-Identifier: BSD-2-Clause
//
// Where the embedded device answers as netmap's module was seen to answer, beyond what programs
// that open ports by name can ask.
#include "embedded/support.hpp"

#include "device/device.hpp"

#include <cstring>
#include <vector>

namespace netmap::embedded {
namespace {

/// A descriptor as the kernel's programs have it: registered by a request of their own.
class Requests : public InDomain {
 protected:
  struct Registered {
    std::unique_ptr<Device> device;
    abi::nmreq_register body;
    std::shared_ptr<Region> region;

    [[nodiscard]] abi::netmap_if& interface() const {
      return *reinterpret_cast<abi::netmap_if*>(region->bytes().data() + body.nr_offset);
    }
    /// The list of extra buffers, followed as netmap(4) says.
    [[nodiscard]] std::vector<std::uint32_t> extra_buffers(
        const abi::nmreq_pools_info& pools) const {
      std::vector<std::uint32_t> list;
      for (std::uint32_t index = interface().ni_bufs_head; index != 0 && list.size() < 1000;) {
        list.push_back(index);
        const auto* buffer = region->bytes().data() + pools.nr_buf_pool_offset +
                             std::size_t{index} * pools.nr_buf_pool_objsize;
        std::memcpy(&index, buffer, sizeof index);
      }
      return list;
    }
  };

  Result<Registered> try_register(const std::string& name, abi::nmreq_register body) {
    auto opened = must(open_device(device()));
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = abi::request::port_register;
    name.copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
    if (auto done = opened.device->control(header); !done) return std::unexpected(done.error());
    auto region = must(opened.device->map());
    return Registered{std::move(opened.device), body, std::move(region)};
  }
  static abi::nmreq_register all_rings(std::uint16_t memory_id = 0) {
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    body.nr_mem_id = memory_id;
    return body;
  }
  static abi::nmreq_register null_port(std::uint16_t memory_id, std::uint16_t rings = 0,
                                       std::uint32_t slots = 0) {
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::null;
    body.nr_mem_id = memory_id;
    body.nr_tx_rings = body.nr_rx_rings = rings;
    body.nr_tx_slots = body.nr_rx_slots = slots;
    return body;
  }
};

TEST_F(Requests, NumbersAreAlwaysThoseOfTheMasterEnd) {
  auto body = all_rings();
  body.nr_tx_slots = 512;
  body.nr_rx_slots = 256;
  body.nr_tx_rings = 4;
  body.nr_rx_rings = 2;
  const auto slave = must(try_register("x}1", body));
  EXPECT_EQ(slave.body.nr_tx_slots, 256U);
  EXPECT_EQ(slave.body.nr_rx_slots, 512U);
  EXPECT_EQ(slave.body.nr_tx_rings, 2);
  EXPECT_EQ(slave.body.nr_rx_rings, 4);
  const auto master = must(try_register("x{1", all_rings()));
  EXPECT_EQ(master.body.nr_tx_slots, 512U);
  EXPECT_EQ(master.body.nr_rx_rings, 2);
}

TEST_F(Requests, TheInterfaceListsEveryRingAndHostRingsAsNotBound) {
  auto body = all_rings();
  body.nr_tx_rings = 3;
  body.nr_rx_rings = 2;
  const auto port = must(try_register("x{1", body));
  abi::netmap_if& interface = port.interface();
  EXPECT_STREQ(interface.ni_name, "x{1");
  EXPECT_EQ(interface.ni_version, 0U);
  EXPECT_EQ(interface.ni_flags, abi::if_flags::priv_mem);
  EXPECT_EQ(interface.ni_host_tx_rings, 1U);
  EXPECT_EQ(interface.ni_host_rx_rings, 1U);
  const std::int64_t* offsets = abi::ring_offsets_of(interface);
  for (int i = 0; i != 7; ++i) EXPECT_EQ(offsets[i] == 0, i == 3 || i == 6) << i;
  EXPECT_EQ(port.body.nr_host_tx_rings, 0);
}

TEST_F(Requests, UnknownFlagsAndTheVersionAreLeftAlone) {
  auto body = all_rings();
  body.nr_flags = std::uint64_t{1} << 40;
  abi::nmreq_header header{};
  header.nr_version = 14;
  header.nr_reqtype = abi::request::port_register;
  std::strcpy(header.nr_name, "x{1");
  header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
  must(request(header, device()));
  EXPECT_EQ(header.nr_version, 14);
  EXPECT_EQ(body.nr_flags, std::uint64_t{1} << 40);
}

TEST_F(Requests, OnARegisteredDescriptorRegisterNothing) {
  auto port = must(try_register("x{1", all_rings()));
  abi::nmreq_header header{};
  auto body = all_rings();
  header.nr_version = abi::version::current;
  header.nr_reqtype = abi::request::port_register;
  std::strcpy(header.nr_name, "x{2");
  header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
  EXPECT_EQ(code_of(port.device->control(header)), os_error(EBUSY));
}

TEST_F(Requests, OnAFreshDescriptorNothingMoves) {
  auto opened = must(open_device(device()));
  EXPECT_EQ(opened.device->sync_tx().code(), os_error(ENXIO));
  EXPECT_EQ(opened.device->sync_rx().code(), os_error(ENXIO));
  EXPECT_EQ(code_of(opened.device->map()), os_error(EINVAL));
}

// ---- Names --------------------------------------------------------------------------------------

TEST_F(Requests, NamesAreSplitAtTheLastOpeningBracket) {
  const auto master = must(try_register("a{b}1", all_rings()));
  const auto sibling = must(try_register("a}c", all_rings()));
  EXPECT_EQ(master.body.nr_mem_id, sibling.body.nr_mem_id) << "of one parent";
  EXPECT_EQ(code_of(try_register("{1", all_rings())), os_error(EINVAL));
  EXPECT_EQ(code_of(try_register("x{", all_rings())), os_error(EINVAL));
  EXPECT_EQ(code_of(try_register("x}", all_rings())), os_error(EINVAL));
  EXPECT_EQ(code_of(try_register("", all_rings())), os_error(ENXIO));
}

TEST_F(Requests, NamesOfParentsAreThoseOfInterfaces) {
  const std::string fifteen(15, 'b');
  EXPECT_TRUE(try_register(fifteen + "{1", all_rings()));
  EXPECT_TRUE(try_register("b{" + std::string(38, '1'), all_rings()));
  const auto longer = try_register(fifteen + "b{1", all_rings());
  EXPECT_EQ(code_of(longer), os_error(ENXIO));
  EXPECT_NE(message_of(longer).find("15"), std::string::npos) << message_of(longer);
}

// ---- Memory -------------------------------------------------------------------------------------

TEST_F(Requests, MemoryIdsAreChecked) {
  EXPECT_EQ(code_of(try_register("x{1", all_rings(999))), os_error(EINVAL));
  const auto port = must(try_register("x{1", all_rings()));
  EXPECT_EQ(code_of(try_register("x}1", all_rings(999))), os_error(EINVAL)) << "of a pipe that is";
  EXPECT_EQ(code_of(try_register("x{2", all_rings(999))), os_error(EINVAL)) << "of its sibling";
  EXPECT_EQ(code_of(try_register("n", null_port(999))), os_error(EINVAL));
  EXPECT_EQ(code_of(try_register("n", null_port(0))), os_error(EINVAL));
}

TEST_F(Requests, ANewPipeGoesWhereItIsTold) {
  const auto first = must(try_register("x{1", all_rings()));
  const auto sibling = must(try_register("x{2", all_rings()));
  EXPECT_EQ(sibling.body.nr_mem_id, first.body.nr_mem_id);
  const auto elsewhere = must(try_register("x{3", all_rings(1)));
  EXPECT_EQ(elsewhere.body.nr_mem_id, 1);
  const auto other = must(try_register("z{1", all_rings(first.body.nr_mem_id)));
  EXPECT_EQ(other.body.nr_mem_id, first.body.nr_mem_id);
  const auto slave = must(try_register("x}1", all_rings(1)));
  EXPECT_EQ(slave.body.nr_mem_id, first.body.nr_mem_id) << "a pipe keeps its region";
  const auto info = must(port_info("x{3", device()));
  EXPECT_EQ(info.memory_id, 1) << "not its sibling's";
}

TEST_F(Requests, MemoryIdsAreUsedAgain) {
  for (int i = 0; i != 10; ++i) {
    EXPECT_EQ(must(try_register("x{1", all_rings())).body.nr_mem_id, 2);
  }
}

TEST_F(Requests, ANullPortKeepsItsRegion) {
  auto pipe = must(try_register("x{1", all_rings()));
  const std::uint16_t memory_id = pipe.body.nr_mem_id;
  auto null = must(try_register("n", null_port(memory_id)));
  pipe.device.reset();
  EXPECT_NE(must(try_register("x{1", all_rings())).body.nr_mem_id, memory_id);
  EXPECT_EQ(must(try_register("y{1", all_rings(memory_id))).body.nr_mem_id, memory_id);
  null.device.reset();
  EXPECT_EQ(code_of(try_register("y{1", all_rings(memory_id))), os_error(EINVAL));
}

// ---- Null ports ---------------------------------------------------------------------------------

TEST_F(Requests, NullPortsMayHaveNoRingsAndNoSlots) {
  const auto pipe = must(try_register("x{1", all_rings()));
  const std::uint16_t memory_id = pipe.body.nr_mem_id;
  abi::nmreq_pools_info pools{};
  must(send(abi::request::pools_info_get, "x{1", &pools));
  for (const auto& [rings, slots] :
       {std::pair<std::uint16_t, std::uint32_t>{0, 0}, {2, 0}, {0, 7}, {1, 1}, {3, 4096}}) {
    SCOPED_TRACE(testing::Message() << rings << " rings of " << slots << " slots");
    auto body = null_port(memory_id, rings, slots);
    body.nr_extra_bufs = 16;
    const auto null = must(try_register("n", body));
    EXPECT_EQ(null.body.nr_tx_rings, rings);
    EXPECT_EQ(null.body.nr_rx_slots, slots);
    EXPECT_EQ(null.body.nr_extra_bufs, 16U);
    EXPECT_EQ(null.body.nr_mem_id, memory_id);
    EXPECT_EQ(null.extra_buffers(pools).size(), 16U);
    EXPECT_STREQ(null.interface().ni_name, "null:n");
    EXPECT_TRUE(null.device->sync_tx().is_ok() && null.device->sync_rx().is_ok());
  }
}

TEST_F(Requests, NullPortsThatAreTooLargeAreRefused) {
  const auto pipe = must(try_register("x{1", all_rings()));
  const std::uint16_t memory_id = pipe.body.nr_mem_id;
  EXPECT_EQ(code_of(try_register("n", null_port(memory_id, 1, 5000))), os_error(ENOMEM));
  EXPECT_EQ(code_of(try_register("n", null_port(memory_id, 2000, 1))), os_error(ENOMEM));
}

TEST_F(Requests, NullPortsOfOneNameAreMany) {
  const auto pipe = must(try_register("x{1", all_rings()));
  auto body = null_port(pipe.body.nr_mem_id);
  body.nr_flags = abi::register_flags::exclusive;
  const auto first = must(try_register("x{1", body));
  EXPECT_TRUE(try_register("x{1", body));
}

// ---- Too much -----------------------------------------------------------------------------------

TEST_F(Requests, ExtraBuffersAreCutToWhatThereIs) {
  auto body = all_rings();
  body.nr_extra_bufs = 2'000'000;
  const auto greedy = must(try_register("x{1", body));
  EXPECT_GT(greedy.body.nr_extra_bufs, 50'000U);
  EXPECT_LT(greedy.body.nr_extra_bufs, 163'840U);
}

TEST_F(Requests, ThatFailLeaveNothingBehind) {
  auto body = all_rings();
  body.nr_tx_rings = body.nr_rx_rings = 200;
  body.nr_tx_slots = body.nr_rx_slots = 4096;
  EXPECT_EQ(code_of(try_register("x{1", body)), os_error(ENOMEM));
  EXPECT_EQ(files(), at_rest);
  EXPECT_EQ(code_of(try_register("n", null_port(1, 2000, 1))), os_error(ENOMEM));
  EXPECT_EQ(files(), at_rest);
  body = all_rings();
  body.nr_mode = abi::mode::one_nic;
  body.nr_ringid = 7;
  EXPECT_EQ(code_of(try_register("x{1", body)), os_error(EINVAL));
  EXPECT_EQ(files(), at_rest);
}

TEST_F(Requests, LeaveNothingBehindWhenTheirPortsClose) {
  {
    auto pipe = must(try_register("x{1", all_rings()));
    auto null = must(try_register("n", null_port(1, 1, 8)));
    EXPECT_EQ(files(), (std::set<std::string>{"domain", "lock", "mem1", "mem2", "0.life", "0.rx",
                                              "0.tx", "1.life", "1.rx", "1.tx"}));
  }
  EXPECT_EQ(files(), at_rest);
  (void)must(port_info("x{1", device()));
  EXPECT_EQ(files(), at_rest);
}

}  // namespace
}  // namespace netmap::embedded
