// SPDX-License-Identifier: BSD-2-Clause
//
// The user's side of an rx ring of a VALE port: moves packets from its mailbox into its slots.
#pragma once

#include "device/embedded/mailbox.hpp"
#include "device/own_ring.hpp"

#include <cstdint>
#include <vector>

namespace netmap::embedded {

class ValeReceiver {
 public:
  /// What is shown together, room or none: a packet, or each slot alone, since a monitor may have
  /// missed what came before it.
  enum class Unit : std::uint8_t { packet, slot };
  /// `owner` keeps cells whose packets are in slots.
  ValeReceiver(const RingPlace& at, RingWords& words, const Mailbox& mailbox, std::uint16_t owner,
               Unit unit);

  /// What the next sync will give back.
  [[nodiscard]] SlotRange handed_over() noexcept;
  /// Gives back the slots before head, then shows the whole packets for which there is room. Fails
  /// with ring_corrupt if head or cur is not owned, or if a sender wrote what cannot be.
  SyncStatus sync(const DomainState& state) noexcept;

  /// Whether the user has no slot to read.
  [[nodiscard]] bool is_empty() const noexcept {
    return detail::load(ring_.raw().head) == detail::load(ring_.raw().tail);
  }
  [[nodiscard]] RingWords& words() const noexcept { return *words_; }
  void serve(abi::netmap_ring& user) noexcept { ring_.serve(user); }
  [[nodiscard]] detail::Ledger& ledger() noexcept { return ring_.ledger(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return mailbox_.words->dropped.load(std::memory_order_relaxed);
  }

 private:
  /// How far a receiver is, in one word that others who have the ring open read.
  struct Progress {
    std::uint16_t taken;  ///< the first cell of the last chain all of which was taken
    std::uint16_t at;     ///< the next cell of the chain after that, plus one; 0: its first
    std::uint16_t tail;   ///< the slot for that cell
    std::uint16_t turn;   ///< counts the stores of this word
  };
  static_assert(sizeof(Progress) == sizeof(std::uint64_t));
  /// Since then the packets of `count` cells came into slots. Of the last the cell may not have the
  /// slot's former buffer yet.
  struct Moved {
    std::uint16_t turn;
    std::uint16_t count;
  };
  static_assert(sizeof(Moved) == sizeof(std::uint32_t));

  void catch_up() noexcept;
  void set_tail(std::uint32_t tail) noexcept;
  [[nodiscard]] std::uint32_t slots_of(const Cell& first) const noexcept;
  [[nodiscard]] bool list_chains() noexcept;
  [[nodiscard]] bool show() noexcept;
  [[nodiscard]] std::uint32_t moved_by_dead() const noexcept;
  [[nodiscard]] bool move(Cell& cell, std::uint32_t index, std::uint32_t count) noexcept;
  void finish_move(Cell& cell, std::uint32_t index) noexcept;
  void set_moved(std::uint32_t count) noexcept;
  void finish_chain() noexcept;
  void keep(std::uint16_t cell) noexcept;
  void let_go() noexcept;
  void save_progress() noexcept;
  void reclaim(const DomainState& state) noexcept;
  [[nodiscard]] std::vector<bool> full_cells() const noexcept;

  OwnRing ring_;
  RingWords* words_;
  Mailbox mailbox_;
  std::uint16_t owner_;
  Unit unit_;
  Progress progress_{};
  std::vector<std::uint16_t> chains_;  ///< that were put in and not taken, by their first cells
  std::size_t next_chain_ = 0;         ///< the one that is being taken
  /// Cells that are empty, but not for senders yet: as many as the user has slots with packets, so
  /// that both together are no more than the ring has slots. A circle, the oldest first.
  std::vector<std::uint16_t> kept_;
  std::uint32_t first_kept_ = 0;
  std::uint32_t kept_count_ = 0;
  std::uint32_t deaths_;  ///< as last looked for
};

}  // namespace netmap::embedded
