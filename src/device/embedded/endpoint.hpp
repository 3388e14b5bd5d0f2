// SPDX-License-Identifier: BSD-2-Clause
//
// One open descriptor of the embedded device: the Device that a Port holds.
#pragma once

#include <netmap/buffer.hpp>

#include "device/device.hpp"
#include "device/embedded/bell.hpp"
#include "device/embedded/memory.hpp"
#include "device/embedded/pipe_ring.hpp"
#include "device/embedded/sync_loop.hpp"
#include "device/embedded/taps.hpp"
#include "device/embedded/vale_port.hpp"
#include "device/xdp/nic.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace netmap::embedded {

/// What a registration leaves behind in this process.
struct Binding {
  std::uint32_t endpoint;
  Bell bell;
  std::shared_ptr<Memory> memory;
  std::vector<PipeSender> senders;
  std::vector<PipeReceiver> receivers;
  std::unique_ptr<xdp::Nic> nic;   ///< of an interface
  std::unique_ptr<ValePort> vale;  ///< of a switch's port
  detail::Ledger nothing;          ///< of a null port's rings, which lead nowhere
};

class Endpoint final : public Device {
 public:
  /// `external_file` is what option::extmem will be about; empty: the memory that it points to.
  Endpoint(std::shared_ptr<Domain> domain, std::string external_file, DeviceOptions options)
      : domain_(std::move(domain)),
        external_file_(std::move(external_file)),
        options_(std::move(options)),
        ringer_(domain_) {}
  ~Endpoint() override;

  /// An endpoint that is registered already, by a copy of its life() that came from somewhere.
  /// Fails with no_such_device_or_address if `life` is no descriptor of that kind or its endpoint
  /// is gone.
  [[nodiscard]] static Result<std::unique_ptr<Endpoint>> of(os::File life);
  /// For programs that know netmap, not this library: they have bare pointers, and as long as
  /// anybody has a copy of life(), be it by dup, fork, exec or over a socket, the port is open.
  void share() noexcept;
  /// Precondition: it is registered.
  [[nodiscard]] int life() const noexcept { return binding_->bell.life(); }
  /// What sync_tx() and sync_rx() do of a port that has no sync loop.
  SyncStatus sync_for_loop(Direction direction) noexcept;
  /// As OwnRing::serve(), of ring `n` of a port that is no pipe.
  void serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept;
  /// What the next sync will take of ring `n`.
  [[nodiscard]] SlotRange handed_over(Direction direction, std::size_t n) noexcept;
  /// Where in its region its netmap_if is, in bytes.
  [[nodiscard]] std::uint64_t interface_offset() const noexcept {
    return binding_->memory->pools().interfaces.at(own().interface);
  }

  Result<> control(abi::nmreq_header& request) override;
  Result<std::vector<OpenPort>> open_ports() override;
  Result<std::shared_ptr<Region>> map() override;
  SyncStatus sync_tx() noexcept override;
  SyncStatus sync_rx() noexcept override;
  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override;
  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override;
  [[nodiscard]] bool poll_syncs(Directions) const noexcept override { return false; }
  [[nodiscard]] std::optional<XdpMode> xdp() const noexcept override;
  [[nodiscard]] XdpCounts xdp_counts() const noexcept override;
  [[nodiscard]] std::uint64_t dropped() const noexcept override;
  Result<> end_with_peer() override;
  [[nodiscard]] std::string reason(std::error_code why) const override;
  void lend(const detail::BufferPool& buffers) noexcept override { extra_ = &buffers; }
  void arm(Directions directions) noexcept override;
  void disarm(Directions directions) noexcept override;

 private:
  Result<> register_port(Domain::Lock& lock, abi::nmreq_header& request);
  void begin(const EndpointRecord& record);
  void close_unless_held() noexcept;
  Result<> take_options(const abi::nmreq_header& request, const EndpointRecord& record);
  Result<> enable_csb(const abi::nmreq_header& request);
  void start_csb(const abi::nmreq_opt_csb& arrays);
  template <class Side>
  [[nodiscard]] std::vector<Side> sides_of(RingRange rings, bool is_tx);
  Result<> run_loop(const abi::nmreq_header& request);
  Result<> stop_loop();
  SyncStatus publish() noexcept;
  SyncStatus publish_with_care() noexcept;
  SyncStatus publish_at_port() noexcept;
  SyncStatus publish_by_pipe() noexcept;
  SyncStatus take() noexcept;
  SyncStatus take_with_care() noexcept;
  SyncStatus take_at_port() noexcept;
  SyncStatus take_by_pipe() noexcept;
  void show_before(Direction direction) noexcept;
  void show_after(Direction direction) noexcept;
  SyncStatus wake_receivers() noexcept;
  SyncStatus wake_senders() noexcept;
  void answer_recount() noexcept;
  [[nodiscard]] bool is_raw() noexcept;
  template <class Use>
  void for_each_rx_words(Use&& use) noexcept;
  void watch_peers() noexcept;
  [[nodiscard]] bool is_peer_gone() noexcept;
  [[nodiscard]] bool is_orphan() const noexcept;
  SyncStatus reset_rings() noexcept;
  void mark(std::atomic<std::uint64_t>& sleepers) const noexcept;
  void unmark(std::atomic<std::uint64_t>& sleepers) const noexcept;
  [[nodiscard]] std::uint32_t lane() const noexcept;
  [[nodiscard]] EndpointRecord& own() const noexcept {
    return domain_->state().endpoints[binding_->endpoint];
  }

  static constexpr std::atomic<std::uint8_t> always{1};

  std::shared_ptr<Domain> domain_;
  std::string external_file_;
  DeviceOptions options_;
  Ringer ringer_;
  std::optional<Binding> binding_;
  std::unique_ptr<SyncLoop> loop_;  ///< in CSB mode
  std::unique_ptr<Taps> taps_;      ///< once monitors watch it
  bool is_sole_user_ = false;       ///< bound to a pipe, and exclusively
  bool is_shared_ = false;          ///< see share()
  /// Not zero if more is to be done in a sync than in that of such a pipe.
  const std::atomic<std::uint8_t>* care_ = &always;
  bool ends_with_peer_ = false;
  bool had_peer_ = false;
  const detail::BufferPool* extra_ = nullptr;
  std::uint32_t answers_ = 0;   ///< to recounts
  std::uint32_t settled_ = 0;   ///< the last recount for which nothing is to be marked any more
  std::uint32_t openings_ = 0;  ///< by peers, when these were last looked for
};

}  // namespace netmap::embedded
