// SPDX-License-Identifier: BSD-2-Clause
//
// A device in CSB mode: syncs exchange ring positions with a loop, through two arrays, and leave
// the device itself alone.
#pragma once

#include <netmap/device.hpp>

#include "port/layout.hpp"

#include <memory>
#include <vector>

namespace netmap {

class CsbDevice final : public Device {
 public:
  /// `layout`: the rings of the registered port that `device` is.
  CsbDevice(std::unique_ptr<Device> device, const Layout& layout);

  /// Switches the device over. Afterwards only this one is synced.
  Result<> enable();

  Result<> control(abi::nmreq_header& request) override;
  Result<std::vector<OpenPort>> open_ports() override { return device_->open_ports(); }
  Result<std::shared_ptr<Region>> map() override { return device_->map(); }
  void lend(const detail::BufferPool& buffers) noexcept override { device_->lend(buffers); }
  SyncStatus sync_tx() noexcept override { return exchange(0, tx_rings_); }
  SyncStatus sync_rx() noexcept override { return exchange(tx_rings_, lines_.size()); }
  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t n) noexcept override {
    return device_->ledger(direction, n);
  }
  [[nodiscard]] WaitHandle wait_handle(Direction) const noexcept override { return {}; }
  [[nodiscard]] bool poll_syncs(Directions) const noexcept override { return false; }
  void arm(Directions) noexcept override {}
  void disarm(Directions) noexcept override {}

  /// Gives the device back, not switched over.
  [[nodiscard]] std::unique_ptr<Device> release() noexcept { return std::move(device_); }

 private:
  /// Entries of the arrays, whose alignment the structures do not ask for.
  struct alignas(abi::csb_align) ToLoop : abi::nm_csb_atok {};
  struct alignas(abi::csb_align) FromLoop : abi::nm_csb_ktoa {};
  struct Line {
    RingPlace at;
    detail::Ledger* ledger;
    std::uint32_t upto;  ///< up to which slot the ring was counted
  };

  SyncStatus exchange(std::size_t first, std::size_t end) noexcept;
  bool exchange(std::size_t n) noexcept;

  std::unique_ptr<Device> device_;
  std::vector<Line> lines_;  ///< tx rings, then rx rings
  std::size_t tx_rings_;
  std::vector<ToLoop> to_loop_;
  std::vector<FromLoop> from_loop_;
};

}  // namespace netmap
