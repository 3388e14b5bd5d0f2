// SPDX-License-Identifier: BSD-2-Clause
#include "capturer.hpp"

#include "awake.hpp"
#include "ports.hpp"
#include "stop.hpp"

#include <algorithm>
#include <utility>

namespace nmx {

using netmap::Packet;
using netmap::Result;
using netmap::RxRing;

namespace {

pcapng::Time wall_clock() {
  return std::chrono::system_clock::now();
}

/// What a monitor shows of the monitored port's sending, and what the host sends, goes out.
pcapng::Way way_of(const Packet& packet, bool is_host) {
  const bool is_sent =
      ((*packet.fragments().begin()).flags() & netmap::abi::slot_flags::txmon) != 0;
  return is_sent || is_host ? pcapng::Way::outbound : pcapng::Way::inbound;
}

bool is_broken_pipe(const netmap::Error& error) {
  return error.code() == std::errc::broken_pipe;
}

}  // namespace

Capturer::Capturer(netmap::Port& port, CaptureOutput output, PacketFilter filter,
                   const CapturerOptions& options)
    : port_(&port),
      output_(std::move(output)),
      filter_(std::move(filter)),
      options_(options),
      start_(wall_clock()) {
  blocks_.begin("nmx capture", {.name = port.info().name,
                                .description = describe(port.info()),
                                .filter = options_.filter,
                                .snaplen = options_.snaplen});
}

Result<> Capturer::run(Counters& counters) {
  auto done = write();
  if (done) done = capture(counters);
  if (!done && is_end(done.error())) done = {};
  if (done && !is_reader_gone_) {
    blocks_.end(statistics());
    done = write();
  }
  if (counters.has_moved()) counters.set_last(Clock::now());
  is_reader_gone_ = is_reader_gone_ || (!done && is_broken_pipe(done.error()));
  return is_reader_gone_ ? Result<>() : done;
}

/// A write tells that the reader has gone, but there is none while nothing comes through the
/// filter.
Result<> Capturer::capture(Counters& counters) {
  Awake awake(default_spin);
  auto looked = Clock::now();
  while (!stop_requested() && accepted_ != options_.count) {
    const auto ready = port_->wait(netmap::Direction::rx, awake.timeout());
    if (!ready) return std::unexpected(ready.error());
    ready->empty() ? awake.found_nothing() : awake.found_something();
    if (const auto now = Clock::now(); now - looked >= slice) {
      looked = now;
      is_reader_gone_ = !output_.has_reader();
      if (is_reader_gone_) return {};
    }
    if (ready->empty()) continue;
    if (auto taken = take_round(counters); !taken) return taken;
  }
  return port_->sync_rx();  // gives back the last packets' slots
}

/// One batch from each ring, written at once.
Result<> Capturer::take_round(Counters& counters) {
  const auto now = wall_clock();
  if (!counters.has_moved()) {
    counters.set_first(Clock::now());
    counters.set_moved();
  }
  const std::uint64_t packets = accepted_;
  const std::uint64_t bytes = bytes_;
  for (RxRing& ring : port_->rx_rings()) {
    counters.see_free_slots(ring.num_slots() - 1 - ring.slots().size());
    if (auto taken = take(ring, now); !taken) return taken;
  }
  if (accepted_ == packets) return {};
  if (auto written = write(); !written) return written;
  counters.add(accepted_ - packets, bytes_ - bytes);
  return {};
}

Result<> Capturer::take(RxRing& ring, pcapng::Time now) {
  const auto waiting = ring.packets();
  auto packet = waiting.begin();
  for (std::uint32_t left = options_.batch;
       packet != waiting.end() && left != 0 && accepted_ != options_.count; ++packet, --left) {
    add(*packet, ring.is_host(), now);
  }
  if (!waiting.empty()) {
    if (auto released = ring.release(packet); !released) return released;
  }
  // A packet whose end has yet to come must not wake us again and again.
  if (!ring.packets().empty()) return {};
  return ring.seen(ring.slots().end());
}

void Capturer::add(const Packet& packet, bool is_host, pcapng::Time now) {
  ++received_;
  const auto bytes = linear(packet);
  if (!filter_.accepts(bytes)) return;
  ++accepted_;
  bytes_ += bytes.size();
  const auto kept = bytes.first(std::min<std::size_t>(bytes.size(), options_.snaplen));
  blocks_.add(now, kept, static_cast<std::uint32_t>(bytes.size()), way_of(packet, is_host));
}

std::span<const std::byte> Capturer::linear(const Packet& packet) {
  if (packet.is_linear()) return packet.front();
  joined_.clear();
  for (const netmap::RxSlot fragment : packet.fragments()) {
    const auto part = fragment.bytes();
    joined_.insert(joined_.end(), part.begin(), part.end());
  }
  return joined_;
}

Result<> Capturer::write() {
  auto done = output_.write(blocks_.bytes());
  blocks_.clear();
  return done;
}

/// Only switches, monitors and drivers say what they dropped.
pcapng::Statistics Capturer::statistics() const {
  pcapng::Statistics all{
      .start = start_, .end = wall_clock(), .received = received_, .accepted = accepted_};
  if (port_->info().device == netmap::DeviceKind::embedded) {
    const netmap::PortStats stats = port_->stats();
    all.dropped = stats.dropped + stats.xdp.rx_dropped + stats.xdp.rx_ring_full;
  }
  return all;
}

}  // namespace nmx
