// SPDX-License-Identifier: BSD-2-Clause
//
// CSB mode: the program and a loop tell each other through two arrays how far they are, and the
// loop, in a thread that the program lends, does what syncs do. The module runs that loop in the
// kernel; here it runs in the call.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include "device/device.hpp"
#include "device/embedded/bell.hpp"
#include "device/embedded/kicks.hpp"
#include "device/embedded/pipe_ring.hpp"
#include "device/embedded/port_side.hpp"
#include "device/embedded/taps.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace netmap::embedded {

class SyncLoop {
 public:
  /// Whether a port can be put into CSB mode with these arrays; tells the option. EINVAL, or
  /// EFAULT if there is none.
  [[nodiscard]] static Result<> check(abi::nmreq_opt_csb& arrays, bool is_exclusive);

  SyncLoop() = default;
  SyncLoop(const SyncLoop&) = delete;
  SyncLoop& operator=(const SyncLoop&) = delete;
  virtual ~SyncLoop() = default;

  /// Syncs what `request`, a sync_kloop_start, says, until it is told to stop: pauses after each
  /// round or, if there is a kick for every ring, sleeps until one comes or a peer has news for
  /// `port`, whose loop this is. Fails with EBUSY if it runs already.
  Result<> run(const abi::nmreq_header& request, Device& port, Ringer& ringer);
  /// Tells the loop to end; it does not look while it sleeps, so its port has to be rung. If nobody
  /// runs it, the next run() ends at once.
  void ask_to_stop() noexcept { is_stopping_ = true; }
  /// Returns when nobody runs the loop.
  void await_end() noexcept { is_running_.wait(true); }
  [[nodiscard]] bool is_running() const noexcept { return is_running_; }

 protected:
  virtual Result<> run_rings(const abi::nmreq_header& request, Device& port, Ringer& ringer) = 0;
  [[nodiscard]] bool is_stopping() const noexcept { return is_stopping_; }

 private:
  std::atomic<bool> is_running_{false};
  std::atomic<bool> is_stopping_{false};
};

/// Of a pipe's rings, PipeSender and PipeReceiver, or of others, PortSender and PortReceiver.
template <class Sender, class Receiver>
class SyncLoopOf final : public SyncLoop {
 public:
  /// Takes over the rings and fills in the arrays, an entry a ring, senders first. `taps` are the
  /// port's, if `is_watched` says that there are any.
  SyncLoopOf(const abi::nmreq_opt_csb& arrays, std::vector<Sender> senders,
             std::vector<Receiver> receivers, Taps taps,
             const std::atomic<std::uint8_t>& is_watched);

 private:
  /// One ring: the program's entry, the answer, and the head, cur and tail that they stand for.
  template <class Side>
  struct Line {
    abi::netmap_ring user;
    abi::nm_csb_atok* from_program;
    abi::nm_csb_ktoa* to_program;
    const os::File* interrupt = nullptr;  ///< tells the program, if it is to be told
    Side side;
    std::size_t number;       ///< of the ring, in its direction
    std::uint32_t known = 0;  ///< of a direct line: up to where the program was told
    bool is_direct = false;   ///< synced when kicked, and only then
  };
  template <class Side>
  void add(std::vector<Line<Side>>& lines, Side side, const abi::nmreq_opt_csb& arrays,
           std::size_t n);
  Result<> run_rings(const abi::nmreq_header& request, Device& port, Ringer& ringer) override;
  void equip(const Kicks& kicks) noexcept;
  void sleep(os::Signals& kicks, Device& port, Ringer& ringer) noexcept;
  void take_kicks(os::Signals& kicks, Ringer& ringer) noexcept;
  void tell_of_news() noexcept;
  void want_kicks(bool wanted) noexcept;
  template <class Side>
  bool sync(Line<Side>& line, const std::atomic<std::uint32_t>& taken, Ringer& ringer) noexcept;
  bool sync(Line<Sender>& line, Ringer& ringer) noexcept;
  bool sync(Line<Receiver>& line, Ringer& ringer) noexcept;
  template <class Side>
  void sync_watched(Line<Side>& line, Ringer& ringer) noexcept;
  /// Syncs all but direct lines; whether anything moved.
  bool round(Ringer& ringer) noexcept;

  Taps taps_;
  const std::atomic<std::uint8_t>* is_watched_;
  std::vector<Line<Sender>> senders_;
  std::vector<Line<Receiver>> receivers_;
};

}  // namespace netmap::embedded
