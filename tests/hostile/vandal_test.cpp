// SPDX-License-Identifier: BSD-2-Clause
//
// Another process writes into every word that it shares with this one, as fast as it can, while
// this one opens, uses and closes ports: calls fail, packets are lost or garbled, but nothing
// outside the mappings is touched, nothing throws, and everything comes to an end. NETMAP_ROUNDS
// says how many rounds there are of each kind of damage.
#include "hostile/vandal.hpp"
#include "hostile/exercise.hpp"

namespace netmap::embedded {
namespace {

/// A program that tries everything, again and again, while monitors watch its ports.
class Program {
 public:
  Program(const DeviceOptions& device, Port left, Port right) : device_(device) {
    ports_.push_back(std::move(left));
    ports_.push_back(std::move(right));
    for (const char* const name : {"x{1/rt", "x{1/z", "x}1/z", "x{1/z"}) {
      auto monitor = try_open(name, {});
      if (monitor) ports_.push_back(std::move(*monitor));
    }
  }

  void work() {
    for (Port& port : ports_) use(port);
    test::Exercise(ports_[0], ports_[1], [] {}).all();
    test::Exercise(ports_[1], ports_[0], [] {}).all();
    (void)netmap::open_ports(device_);
    (void)port_info("x}1", device_);
    for (const char* const name : {"x{1", "x}1", "x{2", "y{1", "x{1/rt", "x}1/z"}) open(name, {});
    open("n", {.memory_id = ports_[0].info().memory_id, .null_port = true});
  }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  static constexpr auto both = Direction::rx | Direction::tx;

  void use(Port& port) {
    for (TxRing& ring : port.tx_rings()) (void)ring.send(std::array<std::byte, 60>{});
    (void)port.sync_tx();
    (void)port.wait(both, std::chrono::microseconds(10));
    for (RxRing& ring : port.rx_rings()) {
      ring.for_each([](const Packet& packet) { (void)number_of(packet); });
    }
    (void)port.sync_rx();
    (void)port.drain(std::chrono::microseconds(10));
  }
  [[nodiscard]] Result<Port> try_open(const char* name, PortOptions options) const {
    options.device = device_;
    options.conf = {.tx_slots = 8, .rx_slots = 8};
    options.extra_buffers = 4;
    options.shared = true;
    return netmap::open(name, options);
  }
  void open(const char* name, const PortOptions& options) {
    auto port = try_open(name, options);
    if (!port) return;
    ++opened_;
    use(*port);
  }

  DeviceOptions device_;
  std::vector<Port> ports_;
  std::uint64_t opened_ = 0;
};

/// One kind of damage: which words, and for how long a program works meanwhile: so many turns, and
/// until there were so many writes.
std::uint64_t round(const std::vector<SharedWord>& words, std::uint64_t seed, int turns,
                    std::uint64_t writes) {
  const ScratchDirectory directory;
  const PortOptions options{.device = {DeviceKind::embedded, directory.path()},
                            .conf = {.tx_slots = 8, .rx_slots = 8},
                            .extra_buffers = 4,
                            .shared = seed % 2 == 0};
  const Shared<Strikes> strikes;
  std::uint64_t opened = 0;
  {
    auto left = must(netmap::open("x{1", options));
    auto right = must(netmap::open("x}1", options));
    const std::uint16_t memory_id = left.info().memory_id;
    Process vandal([&, memory_id] {
      return vandalise(SharedFiles(directory.path(), memory_id), words, seed, *strikes);
    });
    EXPECT_TRUE(await([&] { return strikes->has_begun.load(); }));
    Program program(options.device, std::move(left), std::move(right));
    EXPECT_TRUE(await([&] {
      program.work();
      return --turns <= 0 && strikes->count >= writes;
    }));
    opened = program.opened();
    strikes->is_over = true;
    EXPECT_TRUE(vandal.succeeded());
  }
  std::printf("%llu writes, %llu times a port was opened\n",
              static_cast<unsigned long long>(strikes->count.load()),
              static_cast<unsigned long long>(opened));
  return strikes->count;
}

void all_rounds(const std::vector<SharedWord>& words) {
  std::uint64_t writes = 0;
  for (std::uint64_t seed = 0; seed != rounds(); ++seed) writes += round(words, seed, 20, 1000);
  std::printf("%llu hostile writes\n", static_cast<unsigned long long>(writes));
}

TEST(Vandal, OfARegionHarmsNobody) {
  all_rounds(region_words());
}

TEST(Vandal, OfRecordsHarmsNobody) {
  all_rounds(record_words());
}

/// Of few, so that a port can be opened now and then: a record that was looked at may change.
TEST(Vandal, OfOneRecordsWordHarmsNobody) {
  for (const SharedWord& word : record_words()) {
    SCOPED_TRACE(word.name);
    for (std::uint64_t seed = 0; seed != rounds(); ++seed) round({word}, seed, 1, 10);
  }
}

TEST(Vandal, OfEverythingHarmsNobody) {
  auto words = region_words();
  const auto records = record_words();
  words.insert(words.end(), records.begin(), records.end());
  all_rounds(words);
}

}  // namespace
}  // namespace netmap::embedded
