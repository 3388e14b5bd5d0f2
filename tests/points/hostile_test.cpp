// SPDX-License-Identifier: BSD-2-Clause
//
// What a process that writes into shared records at random does by luck (hostile/vandal_test.cpp)
// is done here at every point, of each word: it changes between two looks at it while a port is
// opened, used and closed. Calls may fail then, but none crashes, throws or goes on forever. The
// values take turns: with 9 as NETMAP_ROUNDS each is written at each point.
#include "hostile/vandal.hpp"
#include "hostile/word_parameter.hpp"
#include "point.hpp"

#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

namespace netmap::embedded {
namespace {

/// As long as it lives, counts moments: of each stretch, the first passes of points.
class Moments {
 public:
  /// `act()` is called at moment `chosen`, counted from 0.
  Moments(std::size_t chosen, std::function<void()> act) : chosen_(chosen), act_(std::move(act)) {
    current_ = this;
    points::reached = [](const char* point) { current_->pass(point); };
  }
  Moments(const Moments&) = delete;
  Moments& operator=(const Moments&) = delete;
  ~Moments() {
    points::reached = [](const char*) {};
  }
  void begin_stretch() { passed_.clear(); }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  void pass(const char* point) {
    if (passed_.insert(point).second && count_++ == chosen_) act_();
  }

  static inline Moments* current_ = nullptr;
  std::size_t chosen_;
  std::function<void()> act_;
  std::set<std::string_view> passed_;
  std::size_t count_ = 0;
};

/// A port, and the one that it has to do with, which is open before.
struct Scene {
  const char* first;
  const char* second;
};
constexpr std::array scenes{Scene{"x{1", "x}1"}, Scene{"vale:a", "vale:b"},
                            Scene{"vale:a", "vale:a/z"}, Scene{"x{1", "x{1/rt"}};

/// A domain in which a scene is played, once.
class Stage {
 public:
  explicit Stage(const Scene& scene)
      : first_(must(try_open(scene.first))),
        second_name_(scene.second),
        files_(directory_.path(), common) {}

  /// Nothing need succeed. Yields how many moments there are.
  std::size_t play(std::size_t moment, const std::function<void(const SharedFiles&)>& act) {
    Moments moments(moment, [&] { act(files_); });
    auto second = try_open(second_name_);
    has_opened_ = second.has_value();
    moments.begin_stretch();
    for (Port* const port : {&first_, second ? &*second : &first_, &first_}) use(*port);
    moments.begin_stretch();
    if (second) close(*second);
    close(first_);
    return moments.count();
  }
  /// Whether both ports were open.
  [[nodiscard]] bool has_opened() const { return has_opened_; }

 private:
  static constexpr std::uint16_t common = 1;

  [[nodiscard]] Result<Port> try_open(const std::string& name) const {
    return netmap::open(name, {.device = {DeviceKind::embedded, directory_.path()},
                               .conf = {.tx_slots = 4, .rx_slots = 4},
                               .extra_buffers = 2,
                               .memory_id = common,
                               .null_port = name == "null"});
  }
  static void use(Port& port) {
    for (TxRing& ring : port.tx_rings()) (void)ring.send(std::array<std::byte, 60>{});
    (void)port.sync_tx();
    (void)port.wait(Direction::rx | Direction::tx, std::chrono::microseconds(1));
    for (RxRing& ring : port.rx_rings()) {
      ring.for_each([](const Packet& packet) { (void)number_of(packet); });
    }
    (void)port.sync_rx();
  }

  ScratchDirectory directory_;
  Port first_;
  const char* second_name_;
  SharedFiles files_;
  bool has_opened_ = false;
};

std::size_t moments_of(const Scene& scene) {
  Stage stage(scene);
  const std::size_t count = stage.play(SIZE_MAX, [](const SharedFiles&) {});
  EXPECT_TRUE(stage.has_opened()) << scene.second << " could not be opened by itself";
  return count;
}

class ChangingWord : public testing::TestWithParam<SharedWord> {
 protected:
  /// What is of either port: records are taken in the order in which ports are opened.
  static void write(const SharedFiles& files, std::uint64_t value) {
    for (const std::uint32_t n : {0U, 1U}) GetParam().write(files, n, value);
  }
};

TEST_P(ChangingWord, HarmsNobody) {
  const auto values = edges();
  for (const Scene& scene : scenes) {
    const std::size_t moments = moments_of(scene);
    EXPECT_GE(moments, 10U);
    for (std::uint64_t round = 0; round != rounds(); ++round) {
      for (std::size_t moment = 0; moment != moments; ++moment) {
        const std::uint64_t value = values[(moment + round) % values.size()];
        SCOPED_TRACE(testing::Message()
                     << scene.second << ", moment " << moment << ", value " << value);
        Stage(scene).play(moment, [=](const SharedFiles& files) { write(files, value); });
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfARecord, ChangingWord, testing::ValuesIn(record_words()), name_of);
INSTANTIATE_TEST_SUITE_P(OfASwitch, ChangingWord, testing::ValuesIn(switch_words()), name_of);

}  // namespace
}  // namespace netmap::embedded
