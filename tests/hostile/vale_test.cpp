// SPDX-License-Identifier: BSD-2-Clause
//
// The same for ports of a switch: whatever its records, its stations, its mailboxes and what lies
// in the rings hold, or come to hold meanwhile, who uses it goes on or is told that something is
// damaged.
#include "hostile/exercise.hpp"
#include "hostile/vandal.hpp"
#include "hostile/word_parameter.hpp"
#include "support/frames.hpp"

#include <vector>

namespace netmap::embedded {

namespace {

using test::Address;
using test::Frame;

constexpr std::uint16_t common_memory = 1;

/// Two ports of a switch in one region, whom monitors watch, and others that come and go there.
class SwitchPlace {
 public:
  SwitchPlace() {
    for (const char* const name : {"vale:a", "vale:b"}) ports_.push_back(must(try_open(name)));
    for (const char* const name : {"vale:a/rt", "vale:a/z", "vale:b/z", "vale:a/z"}) {
      monitors_.push_back(must(try_open(name)));
    }
    use_all();
  }
  /// All that a program may do; nothing need succeed.
  void work() {
    use_all();
    (void)netmap::open_ports(device());
    (void)port_info("vale:a", device());
    for (const char* const name : {"vale:c", "vale:a", "x{1", "valeb:a", "vale:b/rt", "x{1/z"}) {
      auto port = try_open(name);
      if (port) use(*port, 2);
      opened_ += port.has_value();
    }
  }
  void use_all() {
    for (std::size_t n = 0; n != ports_.size(); ++n) use(ports_[n], static_cast<Address>(n));
    for (Port& monitor : monitors_) use(monitor, 2);
  }
  void close_last() { ports_.pop_back(); }
  void exercise() {
    test::Exercise(ports_[0], ports_[1], [] {}).all();
    test::Exercise(ports_[1], ports_[0], [] {}).all();
  }
  [[nodiscard]] Result<Port> try_open(const std::string& name) const {
    return netmap::open(name, {.device = device(),
                               .conf = {.tx_slots = 8, .rx_slots = 8},
                               .extra_buffers = 4,
                               .memory_id = common_memory,
                               .shared = true});
  }
  [[nodiscard]] SharedFiles files() const { return {directory_.path(), common_memory}; }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  [[nodiscard]] DeviceOptions device() const { return {DeviceKind::embedded, directory_.path()}; }

  void use(Port& port, Address own) {
    constexpr auto both = Direction::rx | Direction::tx;
    for (TxRing& ring : port.tx_rings()) {
      for (const Address to : {test::everybody, Address{0}, Address{1}}) {
        (void)ring.send(bytes_of({own, to, number_++}));
      }
    }
    (void)port.sync_tx();
    (void)port.wait(both, std::chrono::microseconds(10));
    for (RxRing& ring : port.rx_rings()) {
      ring.for_each([](const Packet& packet) {
        for (RxSlot slot : packet.fragments()) {
          for (std::byte& byte : slot.bytes()) byte ^= std::byte{1};
        }
      });
    }
    (void)port.sync_rx();
    if (port.arm(both)) port.disarm(both);
    (void)port.drain(std::chrono::microseconds(10));
  }
  static std::vector<std::byte> bytes_of(const Frame& frame) {
    std::vector<std::byte> bytes(frame.size());
    frame.write(bytes);
    return bytes;
  }

  ScratchDirectory directory_;
  std::vector<Port> ports_;
  std::vector<Port> monitors_;
  std::uint32_t number_ = 0;
  std::uint64_t opened_ = 0;
};

class DamagedSwitchWord : public testing::TestWithParam<SharedWord> {};

TEST_P(DamagedSwitchWord, HarmsNobody) {
  for (const std::uint64_t value : edges()) {
    for (const std::uint32_t n : {0U, 1U}) {
      SCOPED_TRACE(testing::Message() << "number " << n << " is " << value);
      SwitchPlace place;
      const SharedFiles files = place.files();
      GetParam().write(files, n, value);
      place.work();
      place.close_last();
      place.use_all();
      GetParam().write(files, n, value);
      place.close_last();
      (void)place.try_open("vale:a");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, DamagedSwitchWord, testing::ValuesIn(switch_words()), name_of);

class IndirectSlot : public InDomain {
 protected:
  /// What is received of a slot that says that its packet is there.
  std::vector<Frame> send_from(const void* address, std::size_t bytes) {
    abi::netmap_ring& ring = *from_.tx_rings()[0].raw();
    abi::netmap_slot& slot = abi::slots_of(ring)[ring.head];
    slot.len = static_cast<std::uint16_t>(bytes);
    slot.flags = abi::slot_flags::indirect;
    slot.ptr = reinterpret_cast<std::uintptr_t>(address);
    ring.head = ring.cur = ring.head + 1;
    must(from_.sync_tx());
    slot.flags = 0;
    must(to_.sync_rx());
    std::vector<Frame> received;
    to_.rx_rings()[0].for_each(
        [&](const Packet& packet) { received.push_back(test::frame_of(packet).value()); });
    return received;
  }

 private:
  Port from_ = open("vale:from");
  Port to_ = open("vale:to");
};

TEST_F(IndirectSlot, IsReadWhereItSaysIfThatIsMemory) {
  const Frame frame{1, test::everybody, 1};
  std::vector<std::byte> bytes(frame.size());
  frame.write(bytes);
  EXPECT_EQ(send_from(bytes.data(), bytes.size()).size(), 1U);
  for (const std::uintptr_t nowhere : {std::uintptr_t{0}, std::uintptr_t{64}, UINTPTR_MAX - 10}) {
    EXPECT_TRUE(send_from(reinterpret_cast<const void*>(nowhere), bytes.size()).empty());
  }
  EXPECT_EQ(send_from(bytes.data(), bytes.size()).size(), 1U);
}

/// One kind of damage, for so many turns and until there were so many writes.
void switch_round(const std::vector<SharedWord>& words, std::uint64_t seed, int times,
                  std::uint64_t writes) {
  const Shared<Strikes> strikes;
  SwitchPlace place;
  Process vandal([&] { return vandalise(place.files(), words, seed, *strikes); });
  EXPECT_TRUE(await([&] { return strikes->has_begun.load(); }));
  EXPECT_TRUE(await([&] {
    place.work();
    place.exercise();
    return --times <= 0 && strikes->count >= writes;
  }));
  strikes->is_over = true;
  EXPECT_TRUE(vandal.succeeded());
  std::printf("%llu writes, %llu times a port was opened\n",
              static_cast<unsigned long long>(strikes->count.load()),
              static_cast<unsigned long long>(place.opened()));
}

void switch_rounds(const std::vector<SharedWord>& words, int times, std::uint64_t writes) {
  for (std::uint64_t seed = 0; seed != rounds(); ++seed) switch_round(words, seed, times, writes);
}

TEST(VandalOfSwitches, HarmsNobody) {
  switch_rounds(switch_words(), 20, 1000);
}

TEST(VandalOfSwitches, OfOneWordHarmsNobody) {
  for (const SharedWord& word : switch_words()) {
    SCOPED_TRACE(word.name);
    switch_rounds({word}, 1, 10);
  }
}

TEST(VandalOfSwitches, OfTheirRegionHarmsNobody) {
  auto words = switch_words();
  const auto region = region_words();
  words.insert(words.end(), region.begin(), region.end());
  switch_rounds(words, 20, 1000);
}

}  // namespace
}  // namespace netmap::embedded
