// SPDX-License-Identifier: BSD-2-Clause
#include "overflow.hpp"

#include <algorithm>

namespace nmx {

Overflow::Overflow(std::uint32_t cells, std::size_t queues)
    : pieces_(cells), next_(cells), lists_(queues + 1) {
  for (Cell cell = 0; cell != cells; ++cell) append(lists_.back(), cell);
}

Overflow::Cell Overflow::push(std::size_t queue, const Piece& piece) {
  const Cell cell = take_first(lists_.back());
  pieces_[cell] = piece;
  append(lists_[queue], cell);
  lists_[queue].packets += piece.more ? 0 : 1;
  return cell;
}

std::uint32_t Overflow::front_slots(std::size_t queue) const {
  std::uint32_t slots = 1;
  for (Cell cell = front(queue); pieces_[cell].more && slots != lists_[queue].cells;
       cell = next_[cell]) {
    ++slots;
  }
  return slots;
}

void Overflow::pop(std::size_t queue) {
  const Cell cell = take_first(lists_[queue]);
  lists_[queue].packets -= pieces_[cell].more ? 0 : 1;
  append(lists_.back(), cell);
}

std::size_t Overflow::longest() const {
  const auto queues_end = lists_.end() - 1;
  return static_cast<std::size_t>(
      std::ranges::max_element(lists_.begin(), queues_end, {}, &List::cells) - lists_.begin());
}

void Overflow::append(List& list, Cell cell) {
  if (list.cells == 0) {
    list.first = cell;
  } else {
    next_[list.last] = cell;
  }
  list.last = cell;
  ++list.cells;
}

Overflow::Cell Overflow::take_first(List& list) {
  const Cell cell = list.first;
  list.first = next_[cell];
  --list.cells;
  return cell;
}

}  // namespace nmx
