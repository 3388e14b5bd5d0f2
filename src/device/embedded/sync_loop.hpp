// SPDX-License-Identifier: BSD-2-Clause
//
// CSB mode: the program and a loop tell each other through two arrays how far they are, and the
// loop, in a thread that the program lends, does what syncs do. The module runs that loop in the
// kernel; here it runs in the call.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include "device/embedded/bell.hpp"
#include "device/embedded/pipe_ring.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace netmap::embedded {

class SyncLoop {
 public:
  /// Whether a port can be put into CSB mode with these arrays; tells the option. EINVAL, or
  /// EFAULT if there is none.
  [[nodiscard]] static Result<> check(abi::nmreq_opt_csb& arrays, bool is_exclusive);

  /// Takes over the rings and fills in the arrays, an entry a ring, senders first.
  SyncLoop(const abi::nmreq_opt_csb& arrays, const std::vector<PipeSender>& senders,
           const std::vector<PipeReceiver>& receivers);

  /// Syncs, and sleeps so long after each round, until stop(). Fails with EBUSY if it runs already.
  Result<> run(std::uint32_t sleep_us, Ringer& ringer);
  /// Returns when nobody runs the loop. If nobody did, the next run() ends at once.
  void stop() noexcept;
  [[nodiscard]] bool is_running() const noexcept { return is_running_; }

 private:
  /// One ring: the program's entry, the answer, and the head, cur and tail that they stand for.
  template <class Side>
  struct Line {
    Side side;
    abi::nm_csb_atok* from_program;
    abi::nm_csb_ktoa* to_program;
    abi::netmap_ring user;
  };
  template <class Side>
  void add(std::vector<Line<Side>>& lines, const Side& side, const abi::netmap_ring& ring,
           const abi::nmreq_opt_csb& arrays, std::size_t n);
  template <class Side>
  static void sync(Line<Side>& line, const std::atomic<std::uint32_t>& taken) noexcept;
  void round(Ringer& ringer) noexcept;

  std::vector<Line<PipeSender>> senders_;
  std::vector<Line<PipeReceiver>> receivers_;
  std::atomic<bool> is_running_{false};
  std::atomic<bool> is_stopping_{false};
};

}  // namespace netmap::embedded
