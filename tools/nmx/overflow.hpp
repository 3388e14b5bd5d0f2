// SPDX-License-Identifier: BSD-2-Clause
//
// Queues of packets that wait for room, in a fixed number of cells that all queues share. A cell
// holds one slot's worth; what it holds is the caller's to keep, under the cell's number. When all
// cells are taken, the longest queue loses its oldest packets, so that whoever does not take its
// packets cannot keep the cells from the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nmx {

/// One slot of a packet, apart from its bytes.
struct Piece {
  std::uint32_t hash = 0;  ///< its packet's
  std::uint16_t length = 0;
  bool more = false;  ///< the packet goes on
};

class Overflow {
 public:
  using Cell = std::uint32_t;

  Overflow(std::uint32_t cells, std::size_t queues);

  [[nodiscard]] std::uint32_t free() const { return lists_.back().cells; }
  [[nodiscard]] bool empty(std::size_t queue) const { return lists_[queue].cells == 0; }
  /// Packets whose last slot is in.
  [[nodiscard]] std::uint64_t packets(std::size_t queue) const { return lists_[queue].packets; }

  /// Appends a slot; yields its cell. Precondition: free() > 0.
  Cell push(std::size_t queue, const Piece& piece);
  /// The oldest slot. Precondition: !empty(queue).
  [[nodiscard]] Cell front(std::size_t queue) const { return lists_[queue].first; }
  [[nodiscard]] const Piece& at(Cell cell) const { return pieces_[cell]; }
  /// Slots of the oldest packet, as far as they are in. Precondition: !empty(queue).
  [[nodiscard]] std::uint32_t front_slots(std::size_t queue) const;
  /// Frees the cell of the oldest slot. Precondition: !empty(queue).
  void pop(std::size_t queue);

  /// Discards oldest packets of whatever queue is the longest until so many cells are free, and
  /// calls tell(queue) for each. Yields false, having discarded nothing, if there are not so many
  /// cells in all. Precondition: packets in queues are whole.
  template <class Tell>
  [[nodiscard]] bool make_room(std::uint32_t cells, Tell tell) {
    if (cells > pieces_.size()) return false;
    while (free() < cells) {
      const std::size_t queue = longest();
      for (std::uint32_t slots = front_slots(queue); slots != 0; --slots) pop(queue);
      tell(queue);
    }
    return true;
  }

 private:
  struct List {
    Cell first = 0;
    Cell last = 0;
    std::uint32_t cells = 0;
    std::uint64_t packets = 0;
  };

  [[nodiscard]] std::size_t longest() const;
  void append(List& list, Cell cell);
  Cell take_first(List& list);

  std::vector<Piece> pieces_;
  std::vector<Cell> next_;
  std::vector<List> lists_;  ///< the queues, and last the free cells
};

}  // namespace nmx
