// SPDX-License-Identifier: BSD-2-Clause
//
// Where the packets for one rx ring of a VALE port wait until its user syncs. Any number of senders
// put them in, each in its own sync and its own process; one receiver takes them. Nobody waits for
// anybody: a sender that is stopped or killed between any two instructions keeps what it has
// claimed, a few cells, from the others and stops nothing else.
//
// A mailbox is a row of cells, each with an empty buffer of the receiver's region. A sender claims
// empty cells, writes packets to their buffers, links the cells into a chain, and puts the chain in
// front of those that came before, by one compare-and-swap of `newest`. The receiver goes from
// there back to the last chain it took, and exchanges the buffers of the cells with those of free
// slots of its ring. Such a cell is empty again when its packet's slot is released: a ring and its
// mailbox together hold no more packets than the ring has slots, as with the module. The newest
// chain that was taken keeps its first cell, for the next chain to be linked to.
//
// So each buffer has one name at every moment, in a slot or in a cell, and nothing has to be
// searched for when a sender dies: the cells that it had claimed, and did not put in, are empty.
// The receiver finds them when it is told of a death. When a receiver dies that is not the only
// user of its ring, the next goes on behind what it had moved; of one cell that was just being
// moved the free buffer may be lost. Such a cell has none, belongs to the mailbox until nobody has
// the ring open any more, and a recount finds the buffer.
#pragma once

#include "device/embedded/memory.hpp"

#include <atomic>
#include <cstdint>
#include <span>

namespace netmap::embedded {

/// In front of a mailbox's ring object, in the place of RingWords.
struct MailboxWords {
  /// The first cell of the chain that was put in last. Senders store it with release, after the
  /// chain was written.
  alignas(abi::cache_align) std::atomic<std::uint32_t> newest;
  /// Where to look for empty cells; a hint.
  alignas(abi::cache_align) std::atomic<std::uint32_t> empty;
  /// Packets that found no room.
  std::atomic<std::uint64_t> dropped;
  /// Of senders; the receiver is to look for what they had claimed. Under the lock.
  alignas(abi::cache_align) std::atomic<std::uint32_t> deaths;
  /// How far the receiver is, as Progress. Of whoever has the rx ring open, in turns.
  std::atomic<std::uint64_t> progress;
  /// What it has moved since, as Moved.
  std::atomic<std::uint32_t> moved;
};
static_assert(sizeof(MailboxWords) <= ring_in_object);

/// A slot of a mailbox's ring object. Whoever owns the cell writes it: nobody (then it is empty), a
/// sender, or, once it is in a chain, the receiver.
struct Cell {
  std::uint32_t buffer;
  std::uint16_t length;
  std::uint16_t flags;  ///< netmap's: fragments of the packet, and whether more of them follow
  std::atomic<std::uint16_t> owner;
  std::uint16_t next;    ///< in its chain, or no_cell
  std::uint16_t older;   ///< of a chain's first cell: the first of the chain before
  std::uint16_t offset;  ///< where in the buffer packets begin
};
static_assert(sizeof(Cell) == sizeof(abi::netmap_slot) &&
              offsetof(Cell, buffer) == offsetof(abi::netmap_slot, buf_idx));

inline constexpr std::uint16_t no_cell = UINT16_MAX;
static_assert(max_slots < no_cell);

/// Who owns a cell: nobody; an endpoint, told from the next few of its number; or the mailbox
/// itself, of the first cell of the chain that was taken last, and of cells without a buffer.
namespace owner {
inline constexpr std::uint16_t nobody = 0;
inline constexpr std::uint16_t mailbox = UINT16_MAX;

inline constexpr std::uint32_t bits = 11;
static_assert(max_endpoints < (1 << bits) - 1);

[[nodiscard]] constexpr std::uint16_t of(std::uint32_t endpoint, std::uint32_t epoch) {
  return static_cast<std::uint16_t>((endpoint + 1) | epoch << bits);
}
/// Whether the endpoint is still the one that claimed the cell.
[[nodiscard]] bool is_alive(std::uint16_t owner, const DomainState& state) noexcept;
}  // namespace owner

/// All buffers of a region, as this process has it.
[[nodiscard]] detail::BufferArea all_buffers(const Memory& memory) noexcept;

/// Where a mailbox lies in this process.
struct Mailbox {
  MailboxWords* words;
  Cell* cells;
  std::uint32_t size;
  detail::BufferArea buffers;

  /// The one in ring object `object`, of so many cells.
  static Mailbox in(const Memory& memory, std::uint32_t object, std::uint32_t size);

  /// Empties it. Nobody may be using it, nor when where packets begin in its buffers is set.
  void reset() const noexcept;
  void set_offset(std::uint64_t bytes) const noexcept;
  [[nodiscard]] std::uint32_t next(std::uint32_t cell) const noexcept {
    return cell + 1 == size ? 0 : cell + 1;
  }
  /// A number read from shared memory; the first cell if it is none.
  [[nodiscard]] Cell& at(std::uint32_t cell) const noexcept {
    return cells[cell < size ? cell : 0];
  }

  /// Where a packet goes in the cell's buffer; empty if it has none.
  [[nodiscard]] std::span<std::byte> room_in(const Cell& cell) const noexcept {
    const auto buffer = buffers.buffer(detail::load(cell.buffer));
    return buffer.subspan(std::min<std::size_t>(detail::load(cell.offset), buffer.size()));
  }

  // ---- Sending

  /// Claims empty cells for `owner`, as many as `into` has room for if there are as many; yields
  /// how many.
  [[nodiscard]] std::size_t claim(std::uint16_t owner,
                                  std::span<std::uint16_t> into) const noexcept;
  /// Gives back cells that were claimed and not used.
  void give_back(std::span<const std::uint16_t> cells) const noexcept;
  /// Puts in what was written to these cells, in this order. There is at least one.
  void put(std::span<const std::uint16_t> chain) const noexcept;
};

}  // namespace netmap::embedded
