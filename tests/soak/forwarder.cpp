// SPDX-License-Identifier: BSD-2-Clause
#include "soak/forwarder.hpp"

#include "point.hpp"
#include "soak/lane.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include <unistd.h>

namespace netmap::soak {
namespace {

using Clock = std::chrono::steady_clock;

/// A forwarder that has not come by its point by then will not.
constexpr int max_cycles = 100;
constexpr auto longest_traffic = std::chrono::milliseconds(50);
constexpr auto blink = std::chrono::microseconds(200);

// A point is a plain function's business.
const char* struck_at = nullptr;
std::atomic<std::int64_t> passes_left = 0;
int signal_there = 0;

void come_by(const char* name) {
  if (name != struck_at || passes_left-- != 0) return;
  ::kill(::getpid(), signal_there);
}

struct Middle {
  Port from;
  Port to;
};

class Forwarder {
 public:
  Forwarder(const Opener& opener, const Plan& plan)
      : opener_(&opener), plan_(plan), random_(plan.seed), strike_(std::max(plan.signal, 1)) {}

  void run() {
    if (plan_.is_early) arm();
    cycle_once(true);
    if (plan_.when == Plan::When::never) return;
    arm();
    for (int cycle = 0; cycle != max_cycles && !is_ending(); ++cycle) cycle_once(false);
    is_armed_ = false;
    cycle_once(true);
  }

 private:
  [[nodiscard]] bool is_ending() const { return stage().is_ending; }
  [[nodiscard]] Stage& stage() const { return opener_->stage(); }

  void cycle_once(bool brings_home) {
    enter(Phase::open);
    std::vector<Middle> middles = open();
    enter(Phase::traffic);
    if (brings_home) {
      bring_home(middles);
    } else {
      forward_some(middles);
    }
    enter(Phase::close);
    middles.clear();
    leave_phase();
  }

  // ---- Being struck -----------------------------------------------------------------------------

  void arm() {
    if (std::exchange(is_armed_, true) || plan_.when != Plan::When::at_a_point) return;
    passes_left = plan_.passes;
    signal_there = plan_.signal;
    struck_at = plan_.point;
    points::reached = come_by;
  }
  void leave_phase() {
    strike_.never();
    const auto took = Clock::now() - since_;
    stage().nanoseconds[static_cast<std::size_t>(stage().phase.load())] =
        static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count());
  }
  void enter(Phase phase) {
    if (since_ != Clock::time_point()) leave_phase();
    stage().phase = phase;
    since_ = Clock::now();
    set_strike();
  }
  /// At any time of this phase, if it takes as long as it did last.
  void set_strike() {
    const Phase phase = stage().phase;
    if (!is_armed_ || plan_.when != Plan::When::at_an_instant || plan_.phase != phase) return;
    if (is_ending()) return;
    const std::uint64_t last = stage().nanoseconds[static_cast<std::size_t>(phase)];
    strike_.after(random_.bits() % std::max<std::uint64_t>(last, 1000));
  }

  // ---- Forwarding -------------------------------------------------------------------------------

  std::vector<Middle> open() {
    std::vector<Middle> middles;
    for (const LaneKind& lane : lanes) {
      const auto options = lane.options(random_.below(4));
      Port from = opener_->open(lane.from, options);
      middles.push_back({std::move(from), opener_->open(lane.to, options)});
    }
    return middles;
  }

  static std::size_t forward_once(Middle& middle, std::size_t limit) {
    must(middle.from.sync_rx());
    must(middle.to.sync_tx());
    RxRing& in = middle.from.rx_rings()[0];
    TxRing& out = middle.to.tx_rings()[0];
    const std::size_t packets = must(forward(in, out, limit)).packets;
    must(middle.to.sync_tx());
    must(middle.from.sync_rx());
    return packets;
  }

  std::size_t forward_all(std::vector<Middle>& middles, std::size_t limit) {
    std::size_t packets = forward_once(middles[0], limit);
    if (++turns_ % 16 == 0) packets += forward_once(middles[1], limit);
    return packets;
  }

  void bring_home(std::vector<Middle>& middles) {
    const std::uint32_t asked = ++stage().asked;
    stage().hold = asked;
    while (stage().home != asked) {
      if (forward_all(middles, SIZE_MAX) == 0) ::usleep(0);
    }
    if (!stage().is_calm) stage().hold = 0;
  }

  void forward_some(std::vector<Middle>& middles) {
    use_another_pipe_sometimes();
    const auto last = Clock::now() + longest_traffic;
    std::size_t packets = std::size_t{1} << random_.below(20);
    const std::size_t limit = random_.one_in(4) ? 1 + random_.below(64) : SIZE_MAX;
    const int patience = random_.one_in(8) ? 1 : 200;
    for (int idle = 0; packets != 0 && Clock::now() < last && !is_ending();) {
      const std::size_t moved = forward_all(middles, limit);
      packets -= std::min(packets, moved);
      idle = moved != 0 ? 0 : idle + 1;
      if (idle < patience) continue;
      doze(middles[random_.one_in(8) ? 1 : 0]);
      idle = 0;
    }
  }
  void doze(Middle& middle) {
    if (random_.one_in(2)) {
      (void)must(middle.from.wait(Direction::rx, blink));
    } else {
      (void)must(middle.to.wait(Direction::tx, blink));
    }
  }

  /// One with a sync loop, in a region that comes and goes.
  void use_another_pipe_sometimes() {
    if (!random_.one_in(4)) return;
    Port from = opener_->open_alone("y{1", lanes[1].options(1));
    Port to = opener_->open("y}1", lanes[1].options(1));
    SyncLoop loop = must(SyncLoop::attach(from));
    Result<> ended;
    std::thread helper([&] { ended = loop.run(); });
    (void)embedded::send_number(from.tx_rings()[0], 0);
    must(from.sync_tx());
    const auto came = to.wait(Direction::rx, embedded::patience);
    must(loop.stop());
    helper.join();
    must(ended);
    if (must(came).empty()) throw std::runtime_error("a sync loop did not bring its packet");
  }

  const Opener* opener_;
  Plan plan_;
  Random random_;
  Strike strike_;
  Clock::time_point since_{};
  bool is_armed_ = false;
  std::uint64_t turns_ = 0;
};

}  // namespace

void forward_until_struck(const Opener& opener, const Plan& plan) {
  Forwarder(opener, plan).run();
}

}  // namespace netmap::soak
