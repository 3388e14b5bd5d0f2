// SPDX-License-Identifier: BSD-2-Clause
#include "asio/support.hpp"

#include <future>
#include <memory>
#include <span>
#include <variant>

namespace netmap::async_test {
namespace {

/// What a handler was told.
template <class Value = std::monostate>
struct Told {
  int times = 0;
  AsioError error{};
  Value value{};

  auto handler() {
    if constexpr (std::is_same_v<Value, std::monostate>) {
      return [this](AsioError told) { ++times, error = told; };
    } else {
      return
          [this](AsioError told, Value given) { ++times, error = told, value = std::move(given); };
    }
  }
};

class Rings : public OnPipe {
 protected:
  AsyncPort left_ = open("netmap:p{1");
  AsyncPort right_ = open("netmap:p}1");
  AsyncTxRing& tx_ = left_.tx_rings()[0];
  AsyncRxRing& rx_ = right_.rx_rings()[0];

  void send(const Bytes& packet) {
    Told<std::size_t> sent;
    tx_.async_send(net::buffer(packet), sent.handler());
    run();
    ASSERT_FALSE(sent.error) << sent.error.message();
  }
};

TEST_F(Rings, WaitingReceiverIsWokenBySend) {
  Bytes into(2048);
  Told<std::size_t> received;
  rx_.async_receive(net::buffer(into), received.handler());
  poll();
  EXPECT_EQ(received.times, 0);
  send(bytes(60, 7));
  EXPECT_EQ(received.times, 1);
  EXPECT_FALSE(received.error) << received.error.message();
  into.resize(received.value);
  EXPECT_EQ(into, bytes(60, 7));
}

TEST_F(Rings, CompletesOnlyAfterTheCallThatStartedIt) {
  send(bytes(60));
  Bytes into(2048);
  Told<std::size_t> received;
  rx_.async_receive(net::buffer(into), received.handler());
  EXPECT_EQ(received.times, 0);
  run();
  EXPECT_EQ(received.times, 1);
}

TEST_F(Rings, TooLargePacketStaysAndTellsItsSize) {
  send(bytes(100, 3));
  Bytes into(99);
  Told<std::size_t> received;
  rx_.async_receive(net::buffer(into), received.handler());
  run();
  EXPECT_TRUE(is(received.error, errc::packet_too_large)) << received.error.message();
  EXPECT_EQ(received.value, 100U);
  rx_.async_read_some(net::buffer(into), received.handler());
  run();
  EXPECT_TRUE(is(received.error, errc::packet_too_large));
  EXPECT_EQ(received.value, 0U);
  into.resize(100);
  rx_.async_receive(net::buffer(into), received.handler());
  run();
  EXPECT_FALSE(received.error) << received.error.message();
  EXPECT_EQ(into, bytes(100, 3));
}

TEST_F(Rings, BuffersAndFragmentsNeedNotMatch) {
  const Bytes packet = bytes(5000, 1);
  const std::array parts{net::buffer(packet.data(), 1), net::buffer(packet.data() + 1, 2999),
                         net::buffer(packet.data() + 3000, 2000)};
  Told<std::size_t> sent;
  tx_.async_send(parts, sent.handler());
  Bytes into(6000);
  const std::array rooms{net::buffer(into.data(), 2500), net::buffer(into.data() + 2500, 0),
                         net::buffer(into.data() + 2500, 3500)};
  Told<std::size_t> received;
  rx_.async_receive(rooms, received.handler());
  run();
  EXPECT_EQ(sent.value, 5000U);
  EXPECT_EQ(received.value, 5000U);
  into.resize(5000);
  EXPECT_EQ(into, packet);
}

TEST_F(Rings, EmptyBuffersMoveNoPacketThroughAStream) {
  send(bytes(60));
  Told<std::size_t> moved;
  rx_.async_read_some(net::mutable_buffer(), moved.handler());
  run();
  EXPECT_FALSE(moved.error);
  tx_.async_write_some(net::const_buffer(), moved.handler());
  run();
  EXPECT_FALSE(moved.error);
  Bytes into(60);
  rx_.async_receive(net::buffer(into), moved.handler());
  run();
  EXPECT_EQ(into, bytes(60));
  must(rx_.sync());
  EXPECT_TRUE(rx_.ring().packets().empty());
}

TEST_F(Rings, StreamPassesOverPacketsOfNoBytes) {
  for (const std::size_t size : {60U, 0U, 0U, 60U}) send(bytes(size));
  Bytes into(120);
  auto read = net::async_read(rx_, net::buffer(into), net::use_future);
  run();
  EXPECT_EQ(read.get(), 120U);
}

TEST_F(Rings, SenderWaitsForRoomAndSendsAll) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(200, net::buffer(packet));
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets), sent.handler());
  poll();
  EXPECT_EQ(sent.times, 0);
  Bytes into(2048);
  for (int n = 0; n != 200; ++n) {
    Told<std::size_t> received;
    rx_.async_receive(net::buffer(into), received.handler());
    while (received.times == 0 && !HasFailure()) run_one();
    EXPECT_EQ(received.value, 60U);
  }
  right_.cancel();
  run();
  EXPECT_EQ(sent.times, 1);
  EXPECT_FALSE(sent.error) << sent.error.message();
  EXPECT_EQ(sent.value, 200U);
}

TEST_F(Rings, CancelledBatchSaysHowManyItSent) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(200, net::buffer(packet));
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets), sent.handler());
  poll();
  left_.cancel();
  run();
  EXPECT_TRUE(is_aborted(sent.error)) << sent.error.message();
  EXPECT_EQ(sent.value, 63U);
  Told<> waited;
  rx_.async_wait(waited.handler());
  run();
  EXPECT_EQ(rx_.ring().slots().size(), 63U);
}

TEST_F(Rings, BatchIsReleasedWhenItGoes) {
  send(bytes(60, 1));
  send(bytes(60, 2));
  Told<Batch> first;
  rx_.async_receive_batch(1, first.handler());
  run();
  ASSERT_FALSE(first.error) << first.error.message();
  int count = 0;
  for (const Packet& packet : first.value.packets()) count += static_cast<int>(packet.front()[0]);
  EXPECT_EQ(count, 1);

  Told<Batch> second;
  rx_.async_receive_batch(second.handler());
  run();
  EXPECT_TRUE(is(second.error, make_error_code(std::errc::operation_in_progress)));
  first.value = {};
  rx_.async_receive_batch(second.handler());
  run();
  ASSERT_FALSE(second.error) << second.error.message();
  EXPECT_EQ((*second.value.packets().begin()).front()[0], std::byte{2});
}

TEST_F(Rings, BatchKeepsTheMemoryOfAClosedPort) {
  send(bytes(60, 9));
  Told<Batch> batch;
  rx_.async_receive_batch(batch.handler());
  run();
  right_.close();
  EXPECT_EQ((*batch.value.packets().begin()).front()[0], std::byte{9});
}

TEST_F(Rings, CloseCompletesWhatWaits) {
  Bytes into(2048);
  Told<std::size_t> received;
  Told<> waited;
  rx_.async_receive(net::buffer(into), received.handler());
  left_.rx_rings()[0].async_wait(waited.handler());
  poll();
  right_.close();
  left_.close();
  run();
  EXPECT_TRUE(is_aborted(received.error)) << received.error.message();
  EXPECT_TRUE(is_aborted(waited.error)) << waited.error.message();
  rx_.async_receive(net::buffer(into), received.handler());
  run();
  EXPECT_EQ(received.times, 2);
  EXPECT_TRUE(is_aborted(received.error));
}

TEST_F(Rings, ShutdownWaitsUntilAllWasTakenAndEndsSending) {
  send(bytes(60));
  Told<> ended;
  tx_.async_shutdown(ended.handler());
  poll();
  EXPECT_EQ(ended.times, 0);
  Bytes into(60);
  Told<std::size_t> received;
  rx_.async_receive(net::buffer(into), received.handler());
  poll();
  EXPECT_EQ(received.times, 1);
  rx_.async_receive(net::buffer(into), received.handler());  // its sync gives the slot back
  while (ended.times == 0 && !HasFailure()) run_one();
  EXPECT_FALSE(ended.error) << ended.error.message();
  right_.cancel();
  Told<std::size_t> sent;
  tx_.async_send(net::buffer(into), sent.handler());
  run();
  EXPECT_TRUE(is(sent.error, make_error_code(std::errc::broken_pipe))) << sent.error.message();
}

TEST_F(Rings, ShutdownTellsWhoeverWaitsForRoom) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(64, net::buffer(packet));
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets).first(63), sent.handler());
  run();
  tx_.async_send(net::buffer(packet), sent.handler());
  poll();
  Told<> ended;
  tx_.async_shutdown(ended.handler());
  poll();
  EXPECT_EQ(sent.times, 2);
  EXPECT_TRUE(is(sent.error, make_error_code(std::errc::broken_pipe))) << sent.error.message();
  EXPECT_EQ(ended.times, 0);
  Told<> waited;
  tx_.async_wait(1, waited.handler());
  poll();
  EXPECT_TRUE(is(waited.error, make_error_code(std::errc::broken_pipe))) << waited.error.message();
  left_.cancel();
  run();
}

TEST_F(Rings, EndAndMoveOfThePortCompleteWhatWaits) {
  AsyncPort port = open("netmap:e{1");
  Told<> first;
  port.rx_rings()[0].async_wait(first.handler());
  poll();
  port = open("netmap:e}1");
  run();
  EXPECT_TRUE(is_aborted(first.error)) << first.times;
  Told<> second;
  port.rx_rings()[0].async_wait(second.handler());
  poll();
  {
    const AsyncPort gone = std::move(port);
  }
  run();
  EXPECT_TRUE(is_aborted(second.error)) << second.times;
}

TEST_F(Rings, SyncOfAClosedPortFails) {
  left_.close();
  EXPECT_FALSE(tx_.sync());
}

TEST_F(Rings, BatchMayOutliveTheEventLoop) {
  Told<Batch> batch;
  {
    net::io_context context;
    AsyncPort port = must(AsyncPort::open(context.get_executor(), "netmap:o{1", options()));
    Port sender = must(netmap::open("netmap:o}1", options()));
    must(sender.tx_rings()[0].send(std::as_bytes(std::span("seven"))));
    must(sender.sync_tx());
    port.rx_rings()[0].async_receive_batch(batch.handler());
    context.run_for(patience);
  }
  ASSERT_TRUE(batch.value);
  EXPECT_EQ((*batch.value.packets().begin()).front()[0], std::byte{'s'});
}

TEST_F(Rings, BatchIgnoresTotalCancellation) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(100, net::buffer(packet));
  Told<std::size_t> sent;
  net::cancellation_signal signal;
  tx_.async_send_batch(std::span(packets),
                       net::bind_cancellation_slot(signal.slot(), sent.handler()));
  poll();
  signal.emit(net::cancellation_type::total);
  poll();
  EXPECT_EQ(sent.times, 0);
  signal.emit(net::cancellation_type::partial);
  run();
  EXPECT_EQ(sent.value, 63U);
}

/// Counts what it is asked for.
template <class Value>
struct CountingAllocator {
  using value_type = Value;
  int* count;
  explicit CountingAllocator(int& counter) : count(&counter) {}
  template <class Other>
  CountingAllocator(const CountingAllocator<Other>& other) : count(other.count) {}
  Value* allocate(std::size_t n) {
    ++*count;
    return std::allocator<Value>().allocate(n);
  }
  void deallocate(Value* at, std::size_t n) { std::allocator<Value>().deallocate(at, n); }
  friend bool operator==(const CountingAllocator&, const CountingAllocator&) = default;
};

TEST_F(Rings, UsesTheHandlersAllocatorAndExecutor) {
  struct Handler {
    using allocator_type = CountingAllocator<char>;
    using executor_type = net::strand<net::io_context::executor_type>;
    int& count;
    executor_type strand;
    bool& on_strand;
    [[nodiscard]] allocator_type get_allocator() const { return allocator_type(count); }
    [[nodiscard]] executor_type get_executor() const { return strand; }
    void operator()(AsioError) { on_strand = strand.running_in_this_thread(); }
  };
  int count = 0;
  bool on_strand = false;
  rx_.async_wait(Handler{count, net::make_strand(context_.get_executor()), on_strand});
  poll();
  EXPECT_GT(count, 0);
  send(bytes(60));
  run();
  EXPECT_TRUE(on_strand);
}

TEST_F(Rings, FlushHandsOverWhatWasCommittedDirectly) {
  const Bytes packet = bytes(60, 5);
  must(tx_.ring().send(std::as_bytes(std::span(packet))));
  Told<> waited;
  rx_.async_wait(waited.handler());
  poll();
  EXPECT_EQ(waited.times, 0);
  Told<> flushed;
  tx_.async_flush(flushed.handler());
  run();
  EXPECT_FALSE(flushed.error);
  EXPECT_EQ(waited.times, 1);
}

TEST_F(Rings, SyncNeedsNoTurnOfTheLoop) {
  const Bytes packet = bytes(60, 5);
  Told<> waited;
  left_.rx_rings()[0].async_wait(waited.handler());  // syncs disturb nobody who waits
  poll();
  must(tx_.ring().send(std::as_bytes(std::span(packet))));
  must(tx_.sync());
  must(rx_.sync());
  EXPECT_EQ(rx_.ring().slots().size(), 1U);
  must(left_.rx_rings()[0].sync());
  must(right_.tx_rings()[0].ring().send(std::as_bytes(std::span(packet))));
  must(right_.tx_rings()[0].sync());
  run();
  EXPECT_EQ(waited.times, 1);
}

TEST_F(Rings, PacketThatNeverFitsIsRefused) {
  const Bytes packet = bytes(64 * 2048);
  Told<std::size_t> sent;
  tx_.async_send(net::buffer(packet), sent.handler());
  run();
  EXPECT_TRUE(is(sent.error, errc::packet_too_large)) << sent.error.message();
}

TEST_F(Rings, BatchStopsAtAPacketThatNeverFits) {
  const Bytes small = bytes(60);
  const Bytes large = bytes(200'000);
  const std::array packets{net::buffer(small), net::buffer(large)};
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets), sent.handler());
  run();
  EXPECT_TRUE(is(sent.error, errc::packet_too_large)) << sent.error.message();
  EXPECT_EQ(sent.value, 1U);
  Told<> waited;
  rx_.async_wait(waited.handler());
  run();
  EXPECT_EQ(waited.times, 1);
}

TEST_F(Rings, BatchOfNothingNeedsNoRoom) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(63, net::buffer(packet));
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets), sent.handler());
  tx_.async_send_batch(std::span(packets).first(0), sent.handler());
  run();
  EXPECT_EQ(sent.times, 2);
}

TEST_F(Rings, LastSlotWithoutABufferIsAnError) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(62, net::buffer(packet));
  Told<std::size_t> sent;
  tx_.async_send_batch(std::span(packets), sent.handler());
  run();
  abi::netmap_slot* const slot = tx_.ring().slots().front().raw();
  const std::uint32_t buffer = std::exchange(slot->buf_idx, 0xffff'ffffU);
  tx_.async_send(net::buffer(packet), sent.handler());
  context_.restart();
  for (int n = 0; n != 10 && sent.times == 1; ++n) context_.poll_one();
  EXPECT_TRUE(is(sent.error, errc::ring_corrupt)) << sent.error.message();
  slot->buf_idx = buffer;
  left_.close();
}

TEST_F(Rings, PacketOfNoBytesGoesIntoNoBuffers) {
  send({});
  Told<std::size_t> received;
  rx_.async_receive(std::vector<net::mutable_buffer>(), received.handler());
  run();
  EXPECT_EQ(received.times, 1);
  EXPECT_FALSE(received.error) << received.error.message();
}

TEST_F(Rings, ComposeWithAsiosOwnOperations) {
  const Bytes sent = bytes(120);
  Bytes received(120);
  auto write = net::async_write(tx_, net::buffer(sent), net::use_future);
  auto read = net::async_read(rx_, net::buffer(received), net::use_future);
  run();
  EXPECT_EQ(write.get(), 120U);
  EXPECT_EQ(read.get(), 120U);
  EXPECT_EQ(received, sent);
}

TEST_F(Rings, SlotCancelsOneOperation) {
  Bytes into(2048);
  Told<std::size_t> received;
  net::cancellation_signal signal;
  rx_.async_receive(net::buffer(into),
                    net::bind_cancellation_slot(signal.slot(), received.handler()));
  poll();
  signal.emit(net::cancellation_type::total);
  run();
  EXPECT_EQ(received.times, 1);
  EXPECT_TRUE(is_aborted(received.error)) << received.error.message();
}

class ManyRings : public OnPipe {
 protected:
  AsyncPort left_ = open("netmap:m{1", 2);
  AsyncPort right_ = open("netmap:m}1", 2);
};

TEST_F(ManyRings, ReceiverDoesNotTakeAnothersWakeUp) {
  Bytes into(2048);
  Told<> first;
  Told<std::size_t> second;
  right_.rx_rings()[0].async_wait(first.handler());
  poll();
  const Bytes packet = bytes(60);
  Told<std::size_t> sent;
  left_.tx_rings()[0].async_send(net::buffer(packet), sent.handler());
  while (sent.times == 0 && !HasFailure()) run_one();
  right_.rx_rings()[1].async_receive(net::buffer(into), second.handler());
  while (first.times == 0 && !HasFailure()) run_one();
  EXPECT_EQ(second.times, 0);
  right_.cancel();
  run();
}

TEST_F(ManyRings, SenderDoesNotTakeAnothersWakeUp) {
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(64, net::buffer(packet));
  std::array<Told<std::size_t>, 2> sent;
  left_.tx_rings()[0].async_send_batch(std::span(packets), sent[0].handler());
  poll();
  Told<Batch> batch;
  right_.rx_rings()[0].async_receive_batch(batch.handler());
  poll();
  batch.value = {};
  Told<> waited;
  right_.rx_rings()[0].async_wait(waited.handler());  // its sync gives the slots back
  left_.tx_rings()[1].async_send_batch(std::span(packets), sent[1].handler());
  while (sent[1].times == 0 && sent[0].times == 0 && !HasFailure()) run_one();
  EXPECT_EQ(sent[0].times, 1);
  left_.cancel();
  right_.cancel();
  run();
}

TEST_F(ManyRings, RoomInAnotherRingWakesNobody) {
  AsyncPort sender = open("netmap:w{1", 2);
  Port receiver = must(netmap::open("netmap:w}1", options(2)));
  const Bytes packet = bytes(60);
  const std::vector<net::const_buffer> packets(64, net::buffer(packet));
  Told<std::size_t> sent;
  sender.tx_rings()[0].async_send_batch(std::span(packets), sent.handler());
  poll();
  must(receiver.sync_rx());
  EXPECT_EQ(context_.poll(), 0U);
  receiver.rx_rings()[0].for_each([](const Packet&) {}, 1);
  must(receiver.sync_rx());
  run();
  EXPECT_EQ(sent.times, 1);
}

TEST_F(ManyRings, RingThatNobodyWaitsOnWakesNobody) {
  const Bytes packet = bytes(60);
  Told<std::size_t> sent;
  left_.tx_rings()[0].async_send(net::buffer(packet), sent.handler());
  run();
  Told<> waited;
  right_.rx_rings()[1].async_wait(waited.handler());
  poll();
  EXPECT_EQ(context_.poll(), 0U);
  right_.cancel();
  run();
  Told<> other;
  right_.rx_rings()[0].async_wait(other.handler());
  run();
  EXPECT_FALSE(other.error);
}

TEST_F(Rings, SpinIsBounded) {
  PortOptions spinning = options();
  spinning.spin = std::chrono::milliseconds(50);
  AsyncPort port = must(AsyncPort::open(context_.get_executor(), "netmap:s{1", spinning));
  Told<> waited;
  port.rx_rings()[0].async_wait(waited.handler());
  poll();
  EXPECT_EQ(waited.times, 0);
  EXPECT_GT(port.port().stats().rx_syncs, 10U) << "it did not look again and again";
  port.cancel();
  run();
  EXPECT_TRUE(is_aborted(waited.error));
}

}  // namespace
}  // namespace netmap::async_test
