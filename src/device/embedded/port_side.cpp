// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/port_side.hpp"

#include "device/embedded/endpoint.hpp"

namespace netmap::embedded {

using detail::load;

PortSide::PortSide(Endpoint& port, Direction direction, std::size_t n, abi::netmap_ring& ring)
    : port_(&port),
      direction_(direction),
      n_(n),
      ring_(&ring),
      user_(&ring),
      words_(std::make_unique<RingWords>()) {
  look();
}

void PortSide::serve(abi::netmap_ring& user) noexcept {
  user_ = &user;
  port_->serve(direction_, n_, user);
}

bool PortSide::sync() noexcept {
  look();
  return true;
}

/// The module's loop does not tell either that a sync failed.
void PortSide::look() noexcept {
  (void)port_->sync_for_loop(direction_);
  auto& taken = direction_ == Direction::tx ? words_->published : words_->returned;
  auto& given = direction_ == Direction::tx ? words_->returned : words_->published;
  taken = handed_over().first;
  given = load(user_->tail);
}

SlotRange PortSide::handed_over() const noexcept {
  return port_->handed_over(direction_, n_);
}

detail::Ledger& PortSide::ledger() const noexcept {
  return port_->ledger(direction_, n_);
}

}  // namespace netmap::embedded
