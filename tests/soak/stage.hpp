// SPDX-License-Identifier: BSD-2-Clause
//
// What the processes of a soak tell each other, in memory that all of them see.
#pragma once

#include "embedded/support.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include <signal.h>

namespace netmap::soak {

using embedded::Process;
using embedded::ScratchDirectory;
using embedded::Shared;
using test::must;
using test::Random;

/// What a forwarder is at.
enum class Phase : std::uint8_t { open, traffic, close };
inline constexpr std::array phases{Phase::open, Phase::traffic, Phase::close};
inline constexpr std::array phase_names{"open", "traffic", "close"};

struct Stage {
  // The survivor writes.
  alignas(64) std::atomic<std::uint64_t> published;
  std::atomic<std::uint64_t> received;
  std::atomic<const char*> survivor_is;  ///< what it does, for messages
  std::atomic<std::uint32_t> home;       ///< the last `hold` for which everything has come home
  std::atomic<std::uint16_t> memory_id;

  // A forwarder writes.
  alignas(64) std::atomic<Phase> phase;
  std::atomic<std::uint64_t> nanoseconds[phases.size()];  ///< how long each phase took last

  // Anybody writes.
  alignas(64) std::atomic<std::uint32_t> hold;  ///< if not 0: publish nothing more
  std::atomic<std::uint32_t> asked;             ///< how often that was asked for
  std::atomic<bool> is_calm;                    ///< and then sleep once at every port
  std::atomic<bool> is_ending;                  ///< the forwarder is to end of itself
  std::atomic<bool> is_over;                    ///< the survivor is
  std::atomic<std::uint64_t> opens;
  std::atomic<std::uint64_t> regions;
  std::atomic<std::uint64_t> operations;
  char failure[1024];  ///< what a process said that failed
};

void die_with_parent();
void leave_failure(Stage& stage, const char* what);

/// Makes a process of `work()`, which dies when its parent does and leaves what it fails with on
/// the stage.
template <std::invocable Work>
[[nodiscard]] Process start(Stage& stage, Work work) {
  return Process([&stage, &work] {
    die_with_parent();
    try {
      work();
      return true;
    } catch (const std::exception& failure) {
      leave_failure(stage, failure.what());
      return false;
    }
  });
}

/// Sends this process a signal after some time, unless set again: it is the kernel that strikes,
/// so it may be anywhere, and needs no other processor for it.
class Strike {
 public:
  explicit Strike(int signal);
  Strike(const Strike&) = delete;
  Strike& operator=(const Strike&) = delete;
  ~Strike();
  void after(std::uint64_t nanoseconds) { set(nanoseconds + 1); }
  void never() { set(0); }

 private:
  void set(std::uint64_t nanoseconds);
  timer_t timer_{};
};

/// Opens ports in the domain of the soak, and counts them.
class Opener {
 public:
  Opener(Stage& stage, std::string domain) : stage_(&stage), domain_(std::move(domain)) {}
  [[nodiscard]] Port open(const std::string& name, PortOptions options = {}) const;
  /// In a region that only this port needs.
  [[nodiscard]] Port open_alone(const std::string& name, const PortOptions& options = {}) const;
  [[nodiscard]] Result<Port> try_open(const std::string& name, PortOptions options = {}) const;
  [[nodiscard]] DeviceOptions device() const { return {DeviceKind::embedded, domain_}; }
  [[nodiscard]] Stage& stage() const { return *stage_; }

 private:
  Stage* stage_;
  std::string domain_;
};

}  // namespace netmap::soak
