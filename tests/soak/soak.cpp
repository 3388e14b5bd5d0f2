// SPDX-License-Identifier: BSD-2-Clause
#include "soak/soak.hpp"

#include "point.hpp"
#include "soak/aside.hpp"
#include "soak/survivor.hpp"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>

namespace netmap::soak {
namespace {

using namespace std::chrono_literals;

/// So long may anything take; the library's own longest wait is 5 seconds.
constexpr auto hang = 60s;
/// So many forwarders in a row may not come by the point where they were awaited.
constexpr std::uint32_t most_missed = 100;

sigset_t signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int one : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, one);
  return set;
}

/// How a child has changed, if it has; what has ended is left to be waited for.
siginfo_t look(const Process& child) {
  siginfo_t info{};
  const auto id = static_cast<id_t>(child.id());
  (void)::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT);
  if (info.si_pid == 0) (void)::waitid(P_PID, id, &info, WSTOPPED | WNOHANG);
  return info;
}

std::string how(const siginfo_t& end) {
  return (end.si_code == CLD_EXITED ? "exited with status " : "died of signal ") +
         std::to_string(end.si_status);
}

}  // namespace

void block_signals() {
  const sigset_t set = signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

Soak::Soak(const Goals& goals, std::uint64_t seed)
    : goals_(goals), seed_(seed), random_(seed), opener_(*stage_, domain_.path()) {
  for (const char* point : points::all()) {
    if (points::is_of_interfaces(point) || points::is_of_switches(point)) continue;
    tally_.at_points[point] = 0;
  }
}

void Soak::run() {
  warm_up();
  auto next_minute = start_ + 1min;
  while (!is_done()) {
    live(draw_plan());
    look_beside(false);
    if (!beside_ && random_.one_in(8)) start_beside();
    if (Clock::now() < next_minute) continue;
    rest();
    print_line(tally_, last_, *stage_, since());
    next_minute += 1min;
  }
  end();
}

std::chrono::seconds Soak::since() const {
  return std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_);
}

bool Soak::is_done() const {
  return Clock::now() - start_ >= std::chrono::duration<double>(goals_.minutes * 60) &&
         stage_->received >= goals_.packets && tally_.has(goals_);
}

// ---- The plans ----------------------------------------------------------------------------------

Plan Soak::draw_plan() {
  Plan plan{.when = Plan::When::at_an_instant,
            .phase = phases[random_.below(phases.size())],
            .signal = random_.one_in(16) ? SIGSTOP : SIGKILL,
            .is_early = random_.one_in(4),
            .seed = random_.bits()};
  return was_killed_ && random_.one_in(7) ? draw_point(plan) : plan;
}

/// One of those that have come off worst. What somebody's death brings about happens soon after it,
/// so the forwarder before this one was killed.
Plan Soak::draw_point(Plan plan) {
  const std::uint64_t fewest = tally_.fewest_at_a_point();
  std::vector<const char*> choice;
  for (const auto& [point, kills] : tally_.at_points) {
    if (kills == fewest) choice.push_back(point.data());
  }
  plan.when = Plan::When::at_a_point;
  plan.point = choice[random_.below(choice.size())];
  plan.passes = random_.one_in(2) ? 0 : random_.below(50);
  plan.is_early |= plan.passes == 0;
  return plan;
}

// ---- A forwarder's life -------------------------------------------------------------------------

void Soak::live(const Plan& plan) {
  stage_->is_ending = false;
  Process forwarder = start(*stage_, [&] { forward_until_struck(opener_, plan); });
  const Fate fate = await_end(forwarder, plan);
  forwarder.kill();
  was_killed_ = fate == Fate::killed;
  count(plan, fate);
}

Soak::Fate Soak::await_end(Process& forwarder, const Plan& plan) {
  const auto last = Clock::now() + hang;
  for (;; await_signal()) {
    const siginfo_t change = look(forwarder);
    if (change.si_pid == 0) {
      check_survivor();
      if (Clock::now() > last) fail_hanging(plan);
    } else if (change.si_code == CLD_STOPPED) {
      let_it_go_on(forwarder);
    } else if (change.si_code == CLD_EXITED && change.si_status == 0) {
      return Fate::ended;
    } else if (change.si_code == CLD_KILLED && change.si_status == SIGKILL) {
      return Fate::killed;
    } else {
      fail_of("a forwarder", how(change));
    }
  }
}

void Soak::let_it_go_on(const Process& stopped) {
  std::this_thread::sleep_for(random_.one_in(50) ? 200ms : random_.below(2000) * 1us);
  ++tally_.stops;
  stage_->is_ending = true;
  ::kill(stopped.id(), SIGCONT);
}

void Soak::count(const Plan& plan, Fate fate) {
  if (fate == Fate::ended) {
    ++tally_.ended;
    if (plan.signal != SIGKILL) return;
    ++tally_.missed;
    if (plan.point == nullptr || ++missed_ != most_missed) return;
    fail_of("no forwarder", std::string("comes by the point '") + plan.point + "'");
  }
  if (plan.when == Plan::When::at_a_point) {
    missed_ = 0;
    ++tally_.at_points.at(plan.point);
  }
  if (plan.when == Plan::When::at_an_instant) {
    ++tally_.kills[static_cast<std::size_t>(stage_->phase.load())];
  }
  if (plan.is_early) ++tally_.early;
}

// ---- Beside -------------------------------------------------------------------------------------

void Soak::start_beside() {
  const std::uint64_t seed = random_.bits();
  beside_since_ = Clock::now();
  beside_ = start(*stage_, [this, seed] {
    Random random(seed);
    Strike strike(SIGKILL);
    if (random.one_in(4)) strike.after(random.below(3'000'000));
    Aside aside(opener_, "b", files_.path(), random.bits());
    for (std::uint32_t left = 1 + random.below(4); left != 0; --left) aside.do_something();
  });
}

void Soak::look_beside(bool waits) {
  while (beside_) {
    const siginfo_t change = look(*beside_);
    if (change.si_pid == 0) {
      if (Clock::now() - beside_since_ > hang) fail_of("a process beside", "hangs for 60 seconds");
      if (!waits) return;
      await_signal();
      continue;
    }
    const bool was_killed = change.si_code == CLD_KILLED && change.si_status == SIGKILL;
    const bool has_ended = change.si_code == CLD_EXITED && change.si_status == 0;
    if (!was_killed && !has_ended) fail_of("a process beside", how(change));
    if (was_killed) ++tally_.others;
    beside_->kill();
    beside_.reset();
  }
}

// ---- At rest ------------------------------------------------------------------------------------

/// As many objects as all others may have at a time, those included that wait for a recount.
void Soak::hoard() const {
  PortOptions options{.conf = {.tx_rings = 32, .rx_rings = 32, .tx_slots = 16, .rx_slots = 16},
                      .memory_id = stage_->memory_id,
                      .null_port = true};
  std::vector<Port> ports;
  ports.push_back(opener_.open("hoard", options));
  options.conf = {.tx_rings = 1, .rx_rings = 1, .tx_slots = 1, .rx_slots = 1};
  while (ports.size() != 32) ports.push_back(opener_.open("hoard", options));
}

/// Afterwards everything has been as large as it will ever be.
void Soak::warm_up() {
  survivor_ = start(*stage_, [this] { survive(opener_, files_.path(), seed_); });
  live({.when = Plan::When::at_an_instant, .signal = SIGKILL, .seed = random_.bits()});
  Process hoarder = start(*stage_, [this] { hoard(); });
  if (!hoarder.succeeded()) fail_of("the process that warms the region up", "failed");
  rest();
}

/// What there was to recount has been when two have opened after the last that died.
void Soak::rest() {
  look_beside(true);
  stage_->is_calm = true;
  for (int life = 0; life != 3; ++life) live({.seed = random_.bits()});
  last_ = measure(*stage_, domain_.path(), survivor_->id());
  if (!first_) first_ = last_;
  if (const auto imbalance = find_imbalance(*first_, last_)) throw std::runtime_error(*imbalance);
  ++tally_.rests;
  stage_->is_calm = false;
  stage_->hold = 0;
}

void Soak::end() {
  rest();
  stage_->is_over = true;
  if (!survivor_->succeeded()) fail_of("the survivor", "failed when it closed");
  survivor_.reset();
  if (domain_.files() != embedded::at_rest) {
    throw std::runtime_error("everything is closed, but the domain has more files than it should");
  }
  if (::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD) {
    throw std::runtime_error("there is a process left");
  }
  print_table(tally_, last_, *stage_, since());
}

// ---- Waiting ------------------------------------------------------------------------------------

void Soak::await_signal() const {
  const sigset_t set = signals();
  const timespec moment{0, 100'000'000};
  const int got = ::sigtimedwait(&set, nullptr, &moment);
  if (got > 0 && got != SIGCHLD) throw std::runtime_error("interrupted");
}

void Soak::check_survivor() const {
  const siginfo_t change = look(*survivor_);
  if (change.si_pid != 0) fail_of("the survivor", how(change));
}

void Soak::fail_of(const char* who, const std::string& how) const {
  const std::string why = stage_->failure;
  throw std::runtime_error(std::string(who) + " " + how + (why.empty() ? "" : ": " + why));
}

void Soak::fail_hanging(const Plan& plan) const {
  throw std::runtime_error(
      "no progress for 60 seconds: a forwarder" +
      (plan.point != nullptr ? std::string(", to be struck at '") + plan.point + "'," : "") +
      " is at phase " + phase_names[static_cast<std::size_t>(stage_->phase.load())] +
      ", the survivor is " + stage_->survivor_is.load() + ", " +
      std::to_string(stage_->published - stage_->received) + " packets are under way");
}

}  // namespace netmap::soak
