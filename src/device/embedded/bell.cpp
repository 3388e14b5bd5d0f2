// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/bell.hpp"

#include <charconv>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

std::string fifo_name(std::uint32_t endpoint, Direction direction) {
  return std::to_string(endpoint) + (direction == Direction::rx ? ".rx" : ".tx");
}

/// Opened for both ways, so that neither a missing reader nor the last writer's end is an event.
os::Outcome<os::File> open_fifo(const Domain& domain, const std::string& name) {
  return os::open(domain.directory().fd(), name, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
}

Result<os::File> make_fifo(const Domain& domain, const std::string& name) {
  auto made = os::remove(domain.directory(), name);
  if (made) made = os::make_fifo(domain.directory(), name);
  auto file = made ? open_fifo(domain, name) : std::unexpected(made.error());
  if (!file) {
    return std::unexpected(cannot("make '" + name + "' in '" + domain.path() + "'", file.error()));
  }
  return std::move(*file);
}

}  // namespace

Result<Bell> Bell::make(const Domain& domain, std::uint32_t endpoint) {
  auto rx = make_fifo(domain, fifo_name(endpoint, Direction::rx));
  if (!rx) return std::unexpected(rx.error());
  auto tx = make_fifo(domain, fifo_name(endpoint, Direction::tx));
  if (!tx) return std::unexpected(tx.error());
  if (const auto locked = os::try_lock(*rx); !locked || !*locked) {
    const auto why = locked ? make_error_code(std::errc::device_or_resource_busy) : locked.error();
    return std::unexpected(cannot("lock a bell in '" + domain.path() + "'", why));
  }
  return Bell(std::move(*rx), std::move(*tx));
}

bool Bell::is_held(const Domain& domain, std::uint32_t endpoint) {
  const auto file = open_fifo(domain, fifo_name(endpoint, Direction::rx));
  if (!file) return file.error() != std::errc::no_such_file_or_directory;
  const auto locked = os::try_lock(*file);
  if (locked && *locked) os::unlock(*file);
  return !locked || !*locked;
}

void Bell::ring(const Domain& domain, std::uint32_t endpoint) {
  for (const Direction direction : {Direction::rx, Direction::tx}) {
    if (const auto file = open_fifo(domain, fifo_name(endpoint, direction))) os::ring(*file);
  }
}

std::optional<std::uint32_t> Bell::owner_of(std::string_view file) {
  std::uint32_t endpoint = 0;
  const char* const last = file.data() + file.size();
  const auto [end, error] = std::from_chars(file.data(), last, endpoint);
  const std::string_view rest(end, last);
  if (error != std::errc{} || (rest != ".rx" && rest != ".tx")) return {};
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
  for (std::uint32_t lane = 0; lane != lanes; ++lane) {
    const std::uint64_t mark = marks & std::uint64_t{0xffff} << (16 * lane);
    const auto number = static_cast<std::uint32_t>(mark >> (16 * lane));
    if (number == 0 || number > max_endpoints) continue;
    if (const auto fifo = fifo_of(number - 1, direction)) {
      os::ring(**fifo);
    } else if (fifo.error() != std::errc::no_such_file_or_directory) {
      sleepers |= mark;
    }
  }
}

os::Outcome<const os::File*> Ringer::fifo_of(std::uint32_t endpoint, Direction direction) noexcept {
  Known& known = known_[endpoint];
  const std::uint32_t epoch = domain_->state().endpoints[endpoint].epoch;
  if (known.epoch != epoch) known = {.epoch = epoch, .fifos = {}};
  os::File& fifo = known.fifos[direction == Direction::rx ? 0 : 1];
  if (!fifo) {
    auto opened = open_fifo(*domain_, fifo_name(endpoint, direction));
    if (!opened) return std::unexpected(opened.error());
    fifo = std::move(*opened);
  }
  return &fifo;
}

}  // namespace netmap::embedded
