// SPDX-License-Identifier: BSD-2-Clause
//
// The same where the ports are queues of two interfaces that are joined to each other.
#include "hostile/exercise.hpp"
#include "hostile/vandal.hpp"
#include "support/interfaces.hpp"

#include <optional>
#include <string_view>

namespace netmap::embedded {
namespace {

enum class Who { here, other_process };

class VandalOfInterfaces : public testing::Test {
 protected:
  void SetUp() override {
    joined_ = test::joined_interfaces();
    if (!joined_) GTEST_SKIP() << test::no_interfaces;
  }
  void TearDown() override {
    std::printf(
        "%llu hostile writes, %llu syncs, of which %llu failed, %llu times a port was opened\n",
        static_cast<unsigned long long>(writes_), static_cast<unsigned long long>(syncs_),
        static_cast<unsigned long long>(failures_), static_cast<unsigned long long>(opened_));
  }

  /// The interface is open here, or in another process, so that who opens it here joins that.
  void round(const std::vector<SharedWord>& words, std::uint64_t seed, Who who, int turns) {
    const ScratchDirectory directory;
    path_ = directory.path();
    const Shared<Strikes> strikes;
    const Shared<std::atomic<bool>> is_ready;
    // Before any port is open: sockets that it inherited would keep the queues.
    Process vandal([&] {
      if (!await([&] { return is_ready->load(); })) return false;
      return vandalise(SharedFiles(path_, 1), words, seed, *strikes);
    });
    {
      std::optional<Process> other;
      std::vector<Port> ports;
      if (who == Who::here) ports.push_back(must(open(joined_->near + "-1")));
      if (who == Who::other_process) other.emplace(open_elsewhere());
      ports.push_back(must(open(joined_->far + "-1")));
      const auto opened = opened_;
      const auto failures = failures_;
      work(ports);
      EXPECT_TRUE(opened_ == opened + 1 && failures_ == failures) << "before anybody does harm";
      *is_ready = true;
      ASSERT_TRUE(await([&] { return strikes->has_begun.load(); }));
      for (; turns != 0; --turns) work(ports);
      strikes->is_over = true;
      EXPECT_TRUE(vandal.succeeded());
    }
    writes_ += strikes->count;
  }

  std::uint64_t syncs_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t opened_ = 0;

 private:
  [[nodiscard]] Result<Port> open(const std::string& name) const {
    return netmap::open(name, {.device = {DeviceKind::embedded, path_},
                               .conf = {.tx_slots = 8, .rx_slots = 8},
                               .extra_buffers = 4});
  }
  [[nodiscard]] Process open_elsewhere() const {
    const Shared<std::atomic<bool>> is_open;
    Process other([&] {
      const auto port = must(open(joined_->near + "-0"));
      *is_open = true;
      for (;;) ::pause();
      return false;
    });
    EXPECT_TRUE(await([&] { return is_open->load(); }));
    return other;
  }
  void work(std::vector<Port>& ports) {
    for (Port& port : ports) use(port, ports.back());
    (void)netmap::open_ports({DeviceKind::embedded, path_});
    (void)port_info(joined_->near, {DeviceKind::embedded, path_});
    auto another = open(joined_->near + "-2");
    if (!another) return;
    ++opened_;
    use(*another, ports.back());
  }
  void use(Port& port, Port& other) {
    for (TxRing& ring : port.tx_rings()) (void)ring.send(std::array<std::byte, 60>{});
    for (const bool is_done : {port.sync_tx().has_value(), port.sync_rx().has_value()}) {
      ++syncs_;
      failures_ += is_done ? 0 : 1;
    }
    const bool has_both = !port.tx_rings().empty() && !port.rx_rings().empty();
    if (has_both) test::Exercise(port, other, [] {}).all();  // the record may have said otherwise
  }

  std::optional<test::JoinedInterfaces> joined_;
  std::string path_;
  std::uint64_t writes_ = 0;
};

constexpr int few_turns = 20;

TEST_F(VandalOfInterfaces, InTheirRingsHarmsNobody) {
  for (std::uint64_t seed = 0; seed != rounds(); ++seed) {
    round(region_words(), seed, Who::here, few_turns);
  }
}

TEST_F(VandalOfInterfaces, InTheirRecordsHarmsNobody) {
  for (std::uint64_t seed = 0; seed != rounds(); ++seed) {
    round(record_words(), seed, Who::here, few_turns);
  }
}

/// So that recounts, which every sync answers, go by the records.
TEST_F(VandalOfInterfaces, InEverythingHarmsNobody) {
  auto words = region_words();
  const auto records = record_words();
  words.insert(words.end(), records.begin(), records.end());
  for (std::uint64_t seed = 0; seed != rounds(); ++seed)
    round(words, seed, Who::here, 10 * few_turns);
}

/// By rings that there are, so that the list is believed.
TEST_F(VandalOfInterfaces, InTheListOfRingsHarmsNobody) {
  const SharedWord listed{
      "listed ring", [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) {
        std::int64_t* const offsets = abi::ring_offsets_of(files.interface(n % 4));
        detail::store(offsets[n / 4 % 8], detail::load(offsets[value % 8]));
      }};
  for (std::uint64_t seed = 0; seed != rounds(); ++seed)
    round({listed}, seed, Who::here, few_turns);
}

/// Of few, so that a queue can be opened now and then.
TEST_F(VandalOfInterfaces, InOneRecordsWordHarmsNobody) {
  for (const SharedWord& word : record_words()) {
    const std::string_view name = word.name;
    if (name.starts_with("pipe.")) continue;
    SCOPED_TRACE(name);
    for (std::uint64_t seed = 0; seed != rounds(); ++seed) {
      round({word}, seed, name.starts_with("nic.") ? Who::other_process : Who::here, 1);
    }
  }
}

}  // namespace
}  // namespace netmap::embedded
