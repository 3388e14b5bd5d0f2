// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/bell.hpp"

#include "point.hpp"

#include <algorithm>
#include <charconv>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

std::string fifo_name(std::uint32_t endpoint, Direction direction) {
  return std::to_string(endpoint) + (direction == Direction::rx ? ".rx" : ".tx");
}
std::string life_name(std::uint32_t endpoint) {
  return std::to_string(endpoint) + ".life";
}

os::Outcome<os::File> open_fifo(const Domain& domain, const std::string& name, int mode) {
  return os::open(domain.directory().fd(), name, mode | O_NONBLOCK | O_NOFOLLOW);
}

/// To ring: for both ways, so that a missing reader is no error.
os::Outcome<os::File> open_fifo(const Domain& domain, std::uint32_t endpoint, Direction direction) {
  return open_fifo(domain, fifo_name(endpoint, direction), O_RDWR);
}

/// Fails with no_such_device_or_address if the endpoint is dead.
os::Outcome<os::File> open_life(const Domain& domain, std::uint32_t endpoint) {
  return open_fifo(domain, life_name(endpoint), O_WRONLY);
}

Result<os::File> make_fifo(const Domain& domain, const std::string& name, int mode) {
  auto made = os::remove(domain.directory(), name);
  if (made) made = os::make_fifo(domain.directory(), name);
  if (made && domain.is_shared()) made = os::set_mode(domain.directory(), name, shared_mode);
  auto file = made ? open_fifo(domain, name, mode) : std::unexpected(made.error());
  if (!file) {
    return std::unexpected(cannot("make '" + name + "' in '" + domain.path() + "'", file.error()));
  }
  return std::move(*file);
}

}  // namespace

Result<Bell::Side> Bell::make_side(const Domain& domain, const std::string& name,
                                   Result<os::File> fifo) {
  if (!fifo) return std::unexpected(fifo.error());
  auto wake = os::WakeSet::make(*fifo);
  if (!wake) {
    return std::unexpected(
        cannot("wait on '" + name + "' in '" + domain.path() + "'", wake.error()));
  }
  return Side{std::move(*fifo), std::move(*wake)};
}

Result<Bell> Bell::make(const Domain& domain, std::uint32_t endpoint) {
  const auto make = [&](Direction direction) {
    const std::string name = fifo_name(endpoint, direction);
    return make_side(domain, name, make_fifo(domain, name, O_RDWR));
  };
  auto rx = make(Direction::rx);
  if (!rx) return std::unexpected(rx.error());
  auto tx = make(Direction::tx);
  if (!tx) return std::unexpected(tx.error());
  auto life = make_fifo(domain, life_name(endpoint), O_RDONLY);
  if (!life) return std::unexpected(life.error());
  return Bell(std::move(*rx), std::move(*tx), std::move(*life));
}

Result<Bell> Bell::share(const Domain& domain, std::uint32_t endpoint, os::File life) {
  const auto open = [&](Direction direction) -> Result<Side> {
    const std::string name = fifo_name(endpoint, direction);
    auto fifo = open_fifo(domain, endpoint, direction);
    if (fifo) return make_side(domain, name, std::move(*fifo));
    return std::unexpected(cannot("open '" + name + "' in '" + domain.path() + "'", fifo.error()));
  };
  auto rx = open(Direction::rx);
  if (!rx) return std::unexpected(rx.error());
  auto tx = open(Direction::tx);
  if (!tx) return std::unexpected(tx.error());
  return Bell(std::move(*rx), std::move(*tx), std::move(life));
}

bool Bell::is_held(const Domain& domain, std::uint32_t endpoint) {
  const auto life = open_life(domain, endpoint);
  return life || (life.error() != std::errc::no_such_device_or_address &&
                  life.error() != std::errc::no_such_file_or_directory);
}

void Bell::watch(const Domain& domain, std::uint32_t endpoint) {
  auto life = open_life(domain, endpoint);
  if (!life || !rx_.wake.watch(*life) || !tx_.wake.watch(*life)) return;
  watched_.push_back(std::move(*life));
}

bool Bell::has_company() const noexcept {
  return std::ranges::any_of(watched_, [](const os::File& life) {
    std::array peer{pollfd{life.fd(), 0, 0}};
    return !os::poll(peer, std::chrono::nanoseconds(0)) || (peer[0].revents & POLLERR) == 0;
  });
}

void Bell::ring(const Domain& domain, std::uint32_t endpoint) {
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (const auto file = open_fifo(domain, endpoint, direction)) os::ring(*file);
  }
}

std::optional<std::uint32_t> Bell::owner_of(std::string_view file) {
  std::uint32_t endpoint = 0;
  const char* const last = file.data() + file.size();
  const auto [end, error] = std::from_chars(file.data(), last, endpoint);
  const std::string_view rest(end, last);
  if (error != std::errc{} || (rest != ".rx" && rest != ".tx" && rest != ".life")) return {};
  return endpoint;
}

Ringer::Ringer(std::shared_ptr<Domain> domain) : domain_(std::move(domain)), known_(max_endpoints) {
  if (!os::register_barrier()) domain_->state().attention |= attention::fences;
}

void Ringer::sleep_barrier() const noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  os::barrier();
}

/// Who cannot be rung now, because this process has no descriptor to spare, is rung later.
void Ringer::wake(std::atomic<std::uint64_t>& sleepers, Direction direction) noexcept {
  if (sleepers.load(std::memory_order_relaxed) == 0) return;
  const std::uint64_t marks = sleepers.exchange(0);
  NETMAP_POINT("wake: marks taken");
  for_each_sleeper(marks, [&](std::uint32_t endpoint, std::uint64_t mark) {
    if (const auto fifo = fifo_of(endpoint, direction)) {
      os::ring(**fifo);
      NETMAP_POINT("wake: rung");
    } else if (fifo.error() != std::errc::no_such_file_or_directory) {
      sleepers |= mark;
    }
  });
}

os::Outcome<const os::File*> Ringer::fifo_of(std::uint32_t endpoint, Direction direction) noexcept {
  Known& known = known_[endpoint];
  const std::uint32_t epoch = domain_->state().endpoints[endpoint].epoch;
  if (known.epoch != epoch) known = {.epoch = epoch, .fifos = {}};
  os::File& fifo = known.fifos[direction == Direction::rx ? 0 : 1];
  if (!fifo) {
    auto opened = open_fifo(*domain_, endpoint, direction);
    if (!opened) return std::unexpected(opened.error());
    fifo = std::move(*opened);
  }
  return &fifo;
}

}  // namespace netmap::embedded
