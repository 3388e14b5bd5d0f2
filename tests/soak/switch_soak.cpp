// SPDX-License-Identifier: BSD-2-Clause
#include "soak/switch_soak.hpp"

#include "device/embedded/state.hpp"
#include "os/files.hpp"

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>

namespace netmap::soak {
namespace {

using namespace std::chrono_literals;

/// So long may anything take; the library's own longest wait is 5 seconds.
constexpr auto longest_wait = 60s;
constexpr std::uint16_t shared_region = 1;

void pause_for(std::uint64_t microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

template <class T>
class Mapped {
 public:
  Mapped(const std::string& file, std::uint64_t offset)
      : mapping_(os::map_at(os::open(AT_FDCWD, file, O_RDWR).value(), offset, sizeof(T)).value()) {}
  const T* operator->() const { return reinterpret_cast<const T*>(mapping_.bytes().data()); }

 private:
  os::Mapping mapping_;
};

std::size_t ports_in(const std::string& domain) {
  std::size_t ports = 0;
  const Mapped<embedded::DomainState> state(domain + "/domain", 0);
  for (const auto& vale : state->switches) {
    for (const auto& port : vale.ports) ports += port.presence != 0;
  }
  return ports;
}

}  // namespace

SwitchSoak::SwitchSoak(std::chrono::seconds least, std::uint64_t seed)
    : least_(least), random_(seed), opener_(*stage_, domain_.path()) {
  begin(Act::Kind::rest);
}

void SwitchSoak::run() {
  const auto end_of_all = Clock::now() + least_;
  for (std::uint32_t member = 0; member != members; ++member) start(member);
  wreak_havoc(Clock::now() + 200ms);
  rest();
  while (Clock::now() < end_of_all) {
    wreak_havoc(std::min(end_of_all, Clock::now() + 2s));
    rest();
  }
  end();
}

// ---- Havoc --------------------------------------------------------------------------------------

void SwitchSoak::start(std::uint32_t member) {
  members_[member] = soak::start(*stage_, [this, member, seed = random_.bits()] {
    be_member(opener_, *table_, member, seed);
  });
}

void SwitchSoak::wreak_havoc(Clock::time_point until) {
  begin(Act::Kind::chaos);
  while (Clock::now() < until) {
    pause_for(random_.below(20'000));
    strike();
    check_members();
  }
}

void SwitchSoak::strike() {
  const std::uint32_t member = random_.below(members);
  if (random_.one_in(4)) {
    stop(member);
  } else {
    kill(member);
  }
}

void SwitchSoak::kill(std::uint32_t member) {
  members_[member]->kill();
  ++kills_;
  if (random_.one_in(2)) pause_for(random_.below(5'000));
  start(member);
}

/// Others are killed meanwhile, and so may this one be.
void SwitchSoak::stop(std::uint32_t member) {
  ::kill(members_[member]->id(), SIGSTOP);
  ++stops_;
  for (std::uint32_t others = random_.below(4); others != 0; --others) {
    pause_for(random_.below(random_.one_in(8) ? 200'000 : 10'000));
    const std::uint32_t other = random_.below(members);
    if (other != member) kill(other);
  }
  if (random_.one_in(4)) return kill(member);
  ::kill(members_[member]->id(), SIGCONT);
}

// ---- Rest ---------------------------------------------------------------------------------------

void SwitchSoak::begin(Act::Kind kind, std::uint32_t member) {
  table_->act = Act{kind, static_cast<std::uint8_t>(member), ++acts_};
}

void SwitchSoak::do_together(Act::Kind kind, std::uint32_t member) {
  begin(kind, member);
  await("that all members rest", [this] {
    return std::ranges::all_of(table_->at, [this](const auto& at) { return at.done == acts_; });
  });
}

/// When all have stopped sending, and all have taken what was sent until then.
void SwitchSoak::rest() {
  do_together(Act::Kind::rest);
  do_together(Act::Kind::rest);
  check_losses();
  collect();
  take_turns();
  check_figures();
  ++rests_;
}

/// What there was to recount has been when two have opened after the last that died.
void SwitchSoak::collect() {
  for (int life = 0; life != 3; ++life) {
    {
      const auto probe = opener_.open("vale:probe", {.memory_id = shared_region});
    }
    std::array<std::uint64_t, members> beats;
    std::ranges::transform(table_->at, beats.begin(), [](auto& at) { return at.beats.load(); });
    await("that all members sync", [&] {
      return std::ranges::equal(table_->at, beats, [](const auto& at, std::uint64_t before) {
        return at.beats >= before + 2;
      });
    });
  }
}

/// One sends to all others, so that there is room for everything, and everything must come.
void SwitchSoak::take_turns() {
  const std::uint64_t strays = sum(&Table::Member::strays);
  for (std::uint32_t member = 0; member != members; ++member) {
    const std::uint64_t before = sum(&Table::Member::received);
    do_together(Act::Kind::turn, member);
    await("what one member sent to all others",
          [&] { return sum(&Table::Member::received) >= before + (members - 1) * in_a_turn; });
    do_together(Act::Kind::rest);
    if (sum(&Table::Member::received) != before + (members - 1) * in_a_turn) {
      throw std::runtime_error("members got more than was sent to them");
    }
  }
  if (sum(&Table::Member::full) != members) {
    throw std::runtime_error("cells that the dead had claimed were not found");
  }
  if (sum(&Table::Member::strays) != strays) {
    throw std::runtime_error("members got what was for others, whose addresses are known");
  }
}

/// A frame is missing if it was dropped, or if its sender died before it had sent it; or while the
/// switch did not know yet where the receiver had gone.
void SwitchSoak::check_losses() const {
  const std::uint64_t lives = sum(&Table::Member::lives);
  for (const auto& at : table_->at) {
    if (at.lost <= at.dropped + lives * most_in_a_batch) continue;
    throw std::runtime_error("a member misses " + std::to_string(at.lost) + " frames, but only " +
                             std::to_string(at.dropped) + " were dropped");
  }
}

void SwitchSoak::check_figures() {
  const Figures now = measure();
  if (!first_) first_ = now;
  if (now == *first_) return;
  const auto told = [](const Figures& figures) {
    return std::to_string(figures.ports) + " ports, " + std::to_string(figures.regions) +
           " regions, " + std::to_string(figures.files) + " files, and in one region " +
           std::to_string(figures.buffers) + " buffers, " + std::to_string(figures.rings) +
           " rings, " + std::to_string(figures.interfaces) + " interfaces";
  };
  throw std::runtime_error("there were " + told(*first_) + "; now there are " + told(now));
}

SwitchSoak::Figures SwitchSoak::measure() const {
  Figures figures{.ports = ports_in(domain_.path())};
  for (const std::string& file : domain_.files()) {
    ++figures.files;
    figures.regions += file.starts_with("mem");
  }
  const Mapped<embedded::RegionState> region(
      domain_.path() + "/mem" + std::to_string(shared_region), embedded::region_bytes);
  figures.buffers = region->buffers.count();
  figures.rings = region->rings.count();
  figures.interfaces = region->interfaces.count();
  return figures;
}

void SwitchSoak::end() {
  begin(Act::Kind::end);
  await("that all members end", [this] {
    return std::ranges::all_of(members_, [](const auto& member) {
      siginfo_t info{};
      (void)::waitid(P_PID, static_cast<id_t>(member->id()), &info, WEXITED | WNOHANG | WNOWAIT);
      return info.si_pid != 0;
    });
  });
  for (auto& member : members_) {
    if (!member->succeeded()) throw std::runtime_error("a member failed when it closed");
  }
  if (domain_.files() != embedded::at_rest) {
    throw std::runtime_error("everything is closed, but the domain has more files than it should");
  }
  std::printf("%" PRIu64 " kills, %" PRIu64 " stops, %" PRIu64 " rests; %" PRIu64
              " frames sent, %" PRIu64 " received, %" PRIu64 " seen by monitors\n",
              kills_, stops_, rests_, sum(&Table::Member::sent), sum(&Table::Member::received),
              sum(&Table::Member::watched));
}

// ---- Waiting ------------------------------------------------------------------------------------

std::uint64_t SwitchSoak::sum(std::atomic<std::uint64_t> Table::Member::* figure) const {
  std::uint64_t all = 0;
  for (const auto& at : table_->at) all += at.*figure;
  return all;
}

template <class Holds>
void SwitchSoak::await(const char* what, Holds holds) {
  const auto last = Clock::now() + longest_wait;
  while (!holds()) {
    if (table_->act.load().kind != Act::Kind::end) check_members();
    if (Clock::now() > last) throw std::runtime_error(std::string("waited a minute for ") + what);
    pause_for(100);
  }
}

/// None may end of itself.
void SwitchSoak::check_members() {
  for (const auto& member : members_) {
    siginfo_t info{};
    (void)::waitid(P_PID, static_cast<id_t>(member->id()), &info, WEXITED | WNOHANG | WNOWAIT);
    if (info.si_pid == 0) continue;
    throw std::runtime_error(std::string("a member has ended: ") + stage_->failure);
  }
}

}  // namespace netmap::soak
