// SPDX-License-Identifier: BSD-2-Clause
//
// Packets that begin at an offset in their buffers: how it is asked for, and that it goes where the
// buffer goes.
#include "conformance/ethernet.hpp"
#include "support/interfaces.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace netmap::conformance {
namespace {

constexpr DataOffset offsets{.initial = 64, .bits = 0, .max = 128};

class DataOffsets : public OnDevice {
 protected:
  [[nodiscard]] Pipe open_pipe_with_offsets() const { return open_pipe({.offset = offsets}); }

  /// Puts a packet at the given offset and hands it over.
  static void send_at(Port& port, std::size_t offset, std::uint32_t number) {
    TxSlot slot = port.tx_rings()[0].slots().front();
    must(slot.set_offset(offset));
    must(slot.write(numbered(number)));
    must(port.tx_rings()[0].commit(slot.after()));
    must(port.sync_tx());
  }
  static RxSlot received(Port& port) {
    must(port.sync_rx());
    const auto slots = port.rx_rings()[0].slots();
    if (slots.empty()) throw std::runtime_error("nothing was received");
    return slots.front();
  }
  /// How far into its buffer the slot's first byte is.
  static std::ptrdiff_t place_of(Ring& ring, const RxSlot& slot) {
    auto* const start = reinterpret_cast<std::byte*>(ring.raw()) + ring.raw()->buf_ofs;
    return slot.bytes().data() - start - std::ptrdiff_t{slot.buffer_index()} * ring.buffer_size();
  }
};
ON_EVERY_BARE_DEVICE(DataOffsets);

TEST_P(DataOffsets, AreWherePacketsBegin) {
  auto [master, slave] = open_pipe_with_offsets();
  const TxSlot free = master.tx_rings()[0].slots().front();
  EXPECT_EQ(free.offset(), 64U);
  EXPECT_EQ(free.buffer().size(), 2048U - 64U);
  send_and_sync(master, 0, 3);
  const RxSlot first = received(slave);
  EXPECT_EQ(first.offset(), 64U);
  EXPECT_EQ(place_of(slave.rx_rings()[0], first), 64);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(0, 3));
}

TEST_P(DataOffsets, CanBeAskedForInTheName) {
  auto master = open(base() + "{1@offset:initial=32,bits=10");
  auto slave = open(base() + "}1@offset:initial=32,bits=10");
  EXPECT_EQ(master.tx_rings()[0].slots().front().offset(), 32U);
  EXPECT_EQ(master.tx_rings()[0].raw()->offset_mask, 1023U);
  send_and_sync(master, 0, 1);
  EXPECT_EQ(received(slave).offset(), 32U);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(0, 1));
  EXPECT_EQ(code_of(try_open(base() + "x{1@offset=32", {.offset = offsets})),
            errc::conflicting_options);
}

TEST_P(DataOffsets, AreKnownToTheEndThatOpensLater) {
  auto master = open(base() + "{1", {.offset = offsets});
  auto slave = open(base() + "}1");
  send_and_sync(master, 0, 1);
  EXPECT_EQ(received(slave).offset(), 64U);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(0, 1));
  EXPECT_EQ(slave.tx_rings()[0].slots().front().offset(), 64U);
}

TEST_P(DataOffsets, CanGrowUpToTheLargest) {
  auto [master, slave] = open_pipe_with_offsets();
  EXPECT_EQ(master.info().offset->max, 128U);
  EXPECT_EQ(code_of(master.tx_rings()[0].slots().front().set_offset(129)), errc::packet_too_large);
  send_at(master, 100, 7);
  const RxSlot slot = received(slave);
  EXPECT_EQ(slot.offset(), 100U);
  EXPECT_EQ(number_of(slot.bytes()), 7U);
}

TEST_P(DataOffsets, TakeRoomFromThePacket) {
  auto [master, slave] = open_pipe_with_offsets();
  TxRing& tx = master.tx_rings()[0];
  TxSlot free = tx.slots().front();
  EXPECT_EQ(code_of(free.set_length(2048 - 64 + 1)), errc::packet_too_large);
  must(free.set_length(2048 - 64));
  must(tx.send(numbered(0, 2000)));
  must(tx.send(numbered(1, 5000)));
  must(master.sync_tx());
  must(slave.sync_rx());
  EXPECT_EQ((*slave.rx_rings()[0].packets().begin()).front().size(), 2048U - 64U);
  EXPECT_EQ(take_numbers(slave.rx_rings()[0]), numbers(0, 2));
}

TEST_P(DataOffsets, AreNotThereUnlessAskedFor) {
  auto [master, slave] = open_pipe();
  TxSlot free = master.tx_rings()[0].slots().front();
  EXPECT_EQ(free.offset(), 0U);
  EXPECT_EQ(code_of(free.set_offset(0)), errc::not_supported);
}

TEST_P(DataOffsets, SetByTheReceiverComeBackToTheSender) {
  auto [master, slave] = open_pipe({.conf = {.tx_slots = 4, .rx_slots = 4}, .offset = offsets});
  send_and_sync(master, 0, 1);
  RxSlot slot = received(slave);
  must(slot.set_offset(90));
  must(slave.rx_rings()[0].release(slot.after()));
  must(slave.sync_rx());
  send_and_sync(master, 1, 2);
  EXPECT_EQ(sync_and_take(slave), numbers(1, 2));
  must(slave.sync_rx());
  must(master.sync_tx());
  const auto free = master.tx_rings()[0].slots();
  ASSERT_GE(free.size(), 2U);
  EXPECT_EQ(free[0].offset(), 64U);
  EXPECT_EQ(free[1].offset(), 90U) << "the slot of packet 0 is the next but one";
}

// ---- Buffers that change places -----------------------------------------------------------------

TEST_P(DataOffsets, GoWithTheirBuffersWhenForwarded) {
  auto [source, in] = open_pipe_with_offsets();
  auto out = open(base() + "{2", {.offset = offsets});
  auto sink = open(base() + "}2", {.offset = offsets});
  send_at(source, 100, 5);
  must(in.sync_rx());
  const Forwarded done = must(forward(in.rx_rings()[0], out.tx_rings()[0]));
  EXPECT_TRUE(done.zero_copy);
  EXPECT_EQ(done.packets, 1U);
  must(out.sync_tx());
  const RxSlot slot = received(sink);
  EXPECT_EQ(slot.offset(), 100U);
  EXPECT_EQ(number_of(slot.bytes()), 5U);
}

TEST_P(DataOffsets, GoWithTheirBuffersWhenSwapped) {
  auto [source, in] = open_pipe_with_offsets();
  auto out = open(base() + "{2", {.offset = offsets});
  send_at(source, 100, 5);
  RxSlot full = received(in);
  TxSlot empty = out.tx_rings()[0].slots().front();
  const std::uint32_t index = full.buffer_index();
  must(swap(full, empty));
  EXPECT_EQ(empty.buffer_index(), index);
  EXPECT_EQ(empty.offset(), 100U);
  EXPECT_EQ(full.offset(), 64U);
  EXPECT_EQ(number_of(empty.buffer().first(60)), 5U);
}

TEST_P(DataOffsets, OfDifferentRingsMakeForwardingCopy) {
  auto [source, in] = open_pipe_with_offsets();
  auto out = open(base() + "{2");
  auto sink = open(base() + "}2");
  send_at(source, 100, 5);
  RxSlot full = received(in);
  TxSlot empty = out.tx_rings()[0].slots().front();
  EXPECT_EQ(code_of(swap(full, empty)), errc::not_supported);
  const Forwarded done = must(forward(in.rx_rings()[0], out.tx_rings()[0]));
  EXPECT_FALSE(done.zero_copy);
  must(out.sync_tx());
  EXPECT_EQ(sync_and_take(sink), numbers(5, 1));
}

TEST_P(DataOffsets, OfExtraBuffersAreTheInitialOnes) {
  auto master = open(base() + "{1", {.extra_buffers = 1, .offset = offsets});
  auto slave = open(base() + "}1", {.extra_buffers = 1, .offset = offsets});
  auto prepared = must(master.take_buffer());
  EXPECT_EQ(prepared.bytes().size(), 2048U - 64U);
  std::ranges::copy(numbered(9), prepared.bytes().begin());
  TxSlot slot = master.tx_rings()[0].slots().front();
  must(slot.swap(prepared));
  must(slot.set_length(60));
  must(master.tx_rings()[0].commit(slot.after()));
  send_at(master, 111, 10);

  auto kept = must(slave.take_buffer());
  must(slave.sync_rx());
  RxSlot second = slave.rx_rings()[0].slots()[1];
  EXPECT_EQ(number_of(slave.rx_rings()[0].slots()[0].bytes()), 9U);
  must(second.swap(kept));
  EXPECT_EQ(second.offset(), 64U);
  EXPECT_EQ(number_of(kept.bytes().first(60)), 10U);
  auto stranger = open(base() + "{2");
  EXPECT_EQ(code_of(stranger.tx_rings()[0].slots().front().swap(kept)), errc::not_supported);
}

TEST_P(DataOffsets, OfANullPort) {
  auto [master, slave] = open_pipe();
  OPEN_OR_END(null_port, "window",
              {.memory_id = master.info().memory_id, .offset = offsets, .null_port = true});
  EXPECT_EQ(null_port.tx_rings()[0].slots().front().offset(), 64U);
}

// ---- Of ports that are closed
// ---------------------------------------------------------------------

TEST_P(DataOffsets, EndWithThePortThatAskedForThem) {
  const std::string name = "vale" + base() + ":a@1";
  OPEN_OR_END(first, name, {.offset = offsets});
  EXPECT_EQ(first.tx_rings()[0].slots().front().offset(), 64U);
  close(first);
  Port second = open(name);
  EXPECT_EQ(code_of(second.tx_rings()[0].slots().front().set_offset(0)), errc::not_supported);
  EXPECT_EQ(second.tx_rings()[0].raw()->offset_mask, 0U);
  EXPECT_EQ(second.rx_rings()[0].raw()->offset_mask, 0U);
}

TEST_P(DataOffsets, OfAnEarlierPipeMakeForwardingCopyNothing) {
  const auto open_ends = [&](const PortOptions& options) {
    return Pipe{open(base() + "{1@1", options), open(base() + "}1@1", options)};
  };
  OPEN_OR_END(out, "vale" + base() + ":out@1");
  Port to = open("vale" + base() + ":to@1");
  Pipe earlier = open_ends({.offset = offsets});
  close(earlier.master);
  close(earlier.slave);
  auto [source, in] = open_ends({});
  for (std::uint32_t sent = 0; sent != 2000; sent += 100) {
    send_frames(source, 0, sent, 100, 1);
    must(in.sync_rx());
    EXPECT_TRUE(must(forward(in.rx_rings()[0], out.tx_rings()[0])).zero_copy);
    must(out.sync_tx());
    must(to.sync_rx());
    EXPECT_TRUE(must(forward(to.rx_rings()[0], in.tx_rings()[0])).zero_copy);
    must(in.sync_tx());
    must(source.sync_rx());
    EXPECT_EQ(receive_frames(source, 0, 100), numbers(sent, 100));
  }
}

// ---- Of interfaces ------------------------------------------------------------------------------

class DataOffsetsOfNics : public OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    auto joined = test::joined_interfaces();
    if (!joined) GTEST_SKIP() << test::no_interfaces;
    joined_ = std::move(*joined);
  }
  [[nodiscard]] const std::string& near() const { return joined_.near; }
  [[nodiscard]] const std::string& far() const { return joined_.far; }

 private:
  test::JoinedInterfaces joined_;
};
ON_EVERY_BARE_DEVICE(DataOffsetsOfNics);

TEST_P(DataOffsetsOfNics, AreWherePacketsBeginOrBefore) {
  for (const std::uint64_t initial : {64U, 256U}) {
    const PortOptions options{.offset = DataOffset{.initial = initial, .bits = 0, .max = 512}};
    OPEN_OR_END(a, near(), options);
    Port b = open(far(), options);
    EXPECT_EQ(a.tx_rings()[0].slots().front().offset(), initial);
    for (std::uint32_t sent = 0; sent != 2000; sent += 100) {
      send_frames(a, 0, sent, 100, 1);
      ASSERT_FALSE(must(b.wait(Direction::rx, patience)).empty());
      for (const RxSlot slot : b.rx_rings()[0].slots()) EXPECT_GE(slot.offset(), initial);
      auto received = receive_frames(b, 0, 100);
      std::ranges::sort(received);  // veth may have them in another order
      EXPECT_EQ(received, numbers(sent, 100));
    }
  }
}

// ---- The option ---------------------------------------------------------------------------------

struct Asked {
  std::uint64_t max;
  std::uint64_t initial;
  std::uint32_t bits;
  int answer;
};

class OffsetOption : public OnDevice {
 protected:
  /// Registers with the option; yields what that answers.
  static Result<> ask(const std::string& name, abi::nmreq_opt_offsets& option) {
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    option.nro_opt.nro_reqtype = abi::option::offsets;
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = abi::request::port_register;
    name.copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
    header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
    return request(header, device());
  }
};
ON_EVERY_BARE_DEVICE(OffsetOption);

TEST_P(OffsetOption, IsCheckedAsTheModuleDoes) {
  constexpr std::array table{
      Asked{64, 64, 0, 0},       Asked{2048, 0, 64, 0}, Asked{64, 0, 65, EINVAL},
      Asked{2049, 0, 0, EINVAL}, Asked{255, 255, 8, 0}, Asked{256, 0, 8, EINVAL},
      Asked{64, 65, 0, EINVAL},  Asked{0, 0, 0, 0},     Asked{UINT64_MAX, 0, 0, EINVAL},
  };
  for (const Asked& asked : table) {
    abi::nmreq_opt_offsets option{};
    option.nro_max_offset = asked.max;
    option.nro_initial_offset = asked.initial;
    option.nro_offset_bits = asked.bits;
    const auto answer = ask(base() + "{1", option);
    const std::string what = std::to_string(asked.max) + ", " + std::to_string(asked.initial) +
                             ", " + std::to_string(asked.bits) + " bits";
    EXPECT_EQ(code_of(answer), std::error_code(asked.answer, std::system_category())) << what;
    EXPECT_EQ(option.nro_opt.nro_status, static_cast<std::uint32_t>(asked.answer)) << what;
    EXPECT_EQ(option.nro_max_offset, asked.max) << what;
    if (!answer) {
      EXPECT_NE(answer.error().message().find("offset"), std::string::npos)
          << answer.error().message();
    }
  }
  EXPECT_TRUE(try_open(base() + "{1")) << "nothing stays registered";
}

TEST_P(OffsetOption, YieldsToWhatARingHasAlready) {
  auto first = open(base() + "{1", {.shared = true, .offset = offsets});
  auto smaller = open(base() + "{1", {.shared = true, .offset = DataOffset{.initial = 8}});
  EXPECT_EQ(smaller.info().offset->max, 128U);
  EXPECT_EQ(smaller.tx_rings()[0].slots().front().offset(), 64U) << "the ring is in use";
  const auto larger =
      try_open(base() + "{1", {.shared = true, .offset = DataOffset{.initial = 200}});
  EXPECT_EQ(code_of(larger), std::errc::device_or_resource_busy);
  EXPECT_NE(larger.error().message().find("smaller data offsets"), std::string::npos)
      << larger.error().message();
}

TEST_P(DataOffsets, OfAVALEPortsReceiverAreWhereASwitchPutsPackets) {
  const std::string name = "vale" + base() + ":";
  Port from = open(name + "from", {.offset = offsets});
  Port plain = open(name + "plain");
  Port to = open(name + "to", {.offset = DataOffset{.initial = 128, .bits = 0, .max = 128}});
  const auto packet = frame(7, 1);
  TxSlot slot = from.tx_rings()[0].slots().front();
  EXPECT_EQ(slot.offset(), 64U);
  must(slot.write(packet));
  must(from.tx_rings()[0].commit(slot.after()));
  must(from.sync_tx());
  for (Port* receiver : {&plain, &to}) {
    const RxSlot arrived = received(*receiver);
    EXPECT_EQ(arrived.offset(), receiver == &to ? 128U : 0U);
    EXPECT_EQ(number_in_frame(arrived.bytes()), 7U);
  }
}

}  // namespace
}  // namespace netmap::conformance
