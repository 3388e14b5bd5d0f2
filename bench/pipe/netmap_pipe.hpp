// SPDX-License-Identifier: BSD-2-Clause
//
// A pipe of the embedded device, as a program uses it: fill or read slots in place, hand them over,
// sync.
#pragma once

#include "sides.hpp"

#include <netmap/netmap.hpp>

#include <filesystem>
#include <string>

namespace bench {

/// A directory that nobody else uses, gone at the end.
class Domain {
 public:
  Domain() {
    if (::mkdtemp(path_.data()) == nullptr) fail("cannot make a domain under /dev/shm");
  }
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;
  ~Domain() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] netmap::Port open(const char* name, std::chrono::nanoseconds spin = {}) const {
    auto port = netmap::open(
        name, {.device = {.kind = netmap::DeviceKind::embedded, .domain = path_},
               .conf = {.tx_rings = 1, .rx_rings = 1, .tx_slots = 1024, .rx_slots = 1024},
               .spin = spin});
    if (!port) fail(port.error().message().c_str());
    return std::move(*port);
  }

 private:
  std::string path_ = "/dev/shm/netmapxx-bench-XXXXXX";
};

/// Fills as many slots as make a batch; there have to be so many. Calls filled() after each.
template <class Filled>
void fill(netmap::TxRing& ring, std::uint32_t batch, Writer& write, Filled filled) {
  auto at = ring.slots().begin();
  for (const auto end = at + batch; at != end; ++at) {
    netmap::TxSlot slot = *at;
    if (!slot.set_length(write.bytes())) fail("a slot has no buffer");
    write(slot.buffer().data());
    filled();
  }
  if (!ring.commit(at)) fail("cannot send");
}
inline void fill(netmap::TxRing& ring, std::uint32_t batch, Writer& write) {
  fill(ring, batch, write, [] {});
}
inline void fill_ahead(netmap::TxRing& ring, std::uint32_t batch, Writer& write) {
  netmap::LookAhead ahead(ring.slots());
  fill(ring, batch, write, [&] { ahead.step(); });
}

inline std::size_t read_batch(netmap::RxRing& ring, std::uint32_t batch, Reader& read) {
  return ring.for_each([&read](const netmap::Packet& packet) { read(packet.front()); }, batch);
}

class PipeSender {
 public:
  /// `looks_ahead`: fetches buffers before it writes them.
  PipeSender(const Domain& domain, bool looks_ahead)
      : port_(domain.open("netmap:bench{1")), looks_ahead_(looks_ahead) {}

  bool send(std::uint32_t batch, Writer& write) {
    netmap::TxRing& ring = port_.tx_rings()[0];
    if (ring.slots().size() < batch) {
      if (!port_.sync_tx()) fail("cannot sync");
      return false;
    }
    looks_ahead_ ? fill_ahead(ring, batch, write) : fill(ring, batch, write);
    if (!port_.sync_tx()) fail("cannot send");
    return true;
  }

 private:
  netmap::Port port_;
  bool looks_ahead_;
};

class PipeReceiver {
 public:
  explicit PipeReceiver(const Domain& domain) : port_(domain.open("netmap:bench}1")) {}

  std::size_t receive(std::uint32_t batch, Reader& read) {
    if (!port_.sync_rx()) fail("cannot sync");
    return read_batch(port_.rx_rings()[0], batch, read);
  }

 private:
  netmap::Port port_;
};

}  // namespace bench
