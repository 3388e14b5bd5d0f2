// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/endpoint.hpp"

#include "device/embedded/collect.hpp"
#include "device/embedded/embedded.hpp"
#include "device/embedded/nic.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/recount.hpp"
#include "device/embedded/requests.hpp"
#include "device/embedded/vale.hpp"
#include "point.hpp"

#include <algorithm>

#include <poll.h>

namespace netmap::embedded {

Result<OpenDevice> open_device(const DeviceOptions& options, const PortName& name) {
  auto domain = Domain::at(options.domain);
  if (!domain) return std::unexpected(domain.error());
  const std::string path = (*domain)->path();
  return OpenDevice{
      std::make_unique<Endpoint>(std::move(*domain), name.extmem ? name.extmem->file : "", options),
      DeviceKind::embedded, path};
}

/// Letting go of the bell is what closes an endpoint; if the lock cannot be had, the next process
/// that opens a port collects what is left.
Endpoint::~Endpoint() {
  if (!binding_) return;
  if (is_shared_) {
    close_unless_held();
    return;
  }
  domain_->state().endpoints[binding_->endpoint].is_closed = true;
  NETMAP_POINT("close: said");
  binding_.reset();
  NETMAP_POINT("close: let go");
  if (const auto locked = domain_->lock()) (void)collect(*domain_);
}

Result<> Endpoint::control(abi::nmreq_header& request) {
  if (auto checked = check_request(request); !checked) return checked;
  switch (request.nr_reqtype) {
    case abi::request::csb_enable: return enable_csb(request);
    case abi::request::sync_kloop_start: return run_loop(request);
    case abi::request::sync_kloop_stop: return stop_loop();
    default: break;
  }
  auto locked = domain_->lock();
  if (!locked) return std::unexpected(locked.error());
  if (auto collected = collect(*domain_); !collected) return collected;
  if (request.nr_reqtype != abi::request::port_register) return answer(*domain_, request);
  return register_port(*locked, request);
}

Result<> Endpoint::register_port(Domain::Lock& lock, abi::nmreq_header& request) {
  if (binding_) {
    return refuse(std::errc::device_or_resource_busy, "the descriptor is registered already");
  }
  auto& body =
      *reinterpret_cast<abi::nmreq_register*>(static_cast<std::uintptr_t>(request.nr_body));
  const abi::nmreq_register asked = body;
  auto binding = embedded::register_port(*domain_, lock, request, external_file_, options_);
  if (!binding) {
    if (lock) (void)collect(*domain_);
    return std::unexpected(binding.error());
  }
  binding_ = std::move(*binding);
  EndpointRecord& record = domain_->state().endpoints[binding_->endpoint];
  if (auto taken = take_options(request, record); !taken) {
    body = asked;
    record.is_closed = true;
    binding_.reset();
    if (lock) (void)collect(*domain_);
    return taken;
  }
  begin(record);
  return {};
}

/// Once what was registered is bound.
void Endpoint::begin(const EndpointRecord& record) {
  if (record.vale != no_switch) {
    binding_->vale = std::make_unique<ValePort>(domain_, *binding_->memory, binding_->endpoint);
  }
  is_sole_user_ = record.exclusive && record.pipe != no_pipe;
  if (is_sole_user_ && !loop_) care_ = &record.is_watched;
  if (record.vale == monitors) watch_peers();
  answer_recount();
}

/// Those that are about what is registered already: CSB mode, and those that nobody takes.
Result<> Endpoint::take_options(const abi::nmreq_header& request, const EndpointRecord& record) {
  auto* const arrays = find_option<abi::nmreq_opt_csb>(request, abi::option::csb);
  if (arrays != nullptr) {
    auto checked = SyncLoop::check(*arrays, record.exclusive);
    if (!checked) return checked;
  }
  if (auto consumed = check_consumed(request); !consumed) return consumed;
  if (arrays != nullptr) start_csb(*arrays);
  return {};
}

Result<std::vector<OpenPort>> Endpoint::open_ports() {
  const auto locked = domain_->lock();
  if (!locked) return std::unexpected(locked.error());
  if (auto collected = collect(*domain_); !collected) return std::unexpected(collected.error());
  return list_ports(*domain_);
}

Result<std::shared_ptr<Region>> Endpoint::map() {
  if (!binding_) return refuse(std::errc::invalid_argument, "the descriptor is not registered");
  return binding_->memory->region();
}

namespace {

SyncStatus not_registered() {
  return std::make_error_code(std::errc::no_such_device_or_address);
}

}  // namespace

// Nothing is called from the two loops below, so that they need no registers but their own: a store
// to the stack waits its turn behind the stores that wait for a line from the other core.

[[gnu::always_inline]] inline SyncStatus Endpoint::publish() noexcept {
  bool is_sound = true;
  std::uint64_t waiting = 0;
  for (PipeSender& sender : binding_->senders) {
    is_sound &= sender.sync();
    waiting |= ringer_.publish_barrier();
    waiting |= sender.words().rx_sleepers.load(std::memory_order_relaxed);
  }
  if (!is_sound) [[unlikely]]
    return reset_rings();
  if (waiting != 0) [[unlikely]]
    return wake_receivers();
  return {};
}

[[gnu::always_inline]] inline SyncStatus Endpoint::take() noexcept {
  bool is_sound = true;
  std::uint64_t waiting = 0;
  for (PipeReceiver& receiver : binding_->receivers) {
    is_sound &= receiver.sync();
    waiting |= ringer_.publish_barrier();
    waiting |= receiver.words().tx_sleepers.load(std::memory_order_relaxed);
  }
  if (!is_sound) [[unlikely]]
    return reset_rings();
  if (waiting != 0) [[unlikely]]
    return wake_senders();
  return {};
}

[[gnu::flatten]] SyncStatus Endpoint::sync_tx() noexcept {
  if (care_->load(std::memory_order_relaxed) != 0) [[unlikely]]
    return publish_with_care();
  return publish();
}

[[gnu::flatten]] SyncStatus Endpoint::sync_rx() noexcept {
  if (care_->load(std::memory_order_relaxed) != 0) [[unlikely]]
    return take_with_care();
  return take();
}

SyncStatus Endpoint::publish_with_care() noexcept {
  if (!binding_) return not_registered();
  if (loop_) return std::make_error_code(std::errc::device_or_resource_busy);
  return sync_for_loop(Direction::tx);
}

SyncStatus Endpoint::sync_for_loop(Direction direction) noexcept {
  const auto sync = [&] { return direction == Direction::tx ? publish_at_port() : take_at_port(); };
  answer_recount();
  if (own().is_watched == 0) return sync();
  show_before(direction);
  const SyncStatus done = sync();
  show_after(direction);
  return done;
}

SyncStatus Endpoint::publish_at_port() noexcept {
  if (binding_->nic) return binding_->nic->sync_tx();
  if (own().vale == monitors) return std::make_error_code(std::errc::io_error);
  if (binding_->vale) return binding_->vale->sync_tx(ringer_);
  return publish_by_pipe();
}

SyncStatus Endpoint::publish_by_pipe() noexcept {
  if (!is_sole_user_) std::ranges::for_each(binding_->senders, &PipeSender::catch_up);
  const auto is_stuck = [this] {
    return std::ranges::all_of(binding_->senders, &PipeSender::is_full);
  };
  SyncStatus done = publish();
  if (!ends_with_peer_ || !done.is_ok() || !is_stuck() || !is_peer_gone()) return done;
  done = publish();  // what the peer did last
  return done.is_ok() && is_stuck() ? SyncStatus(errc::peer_gone) : done;
}

SyncStatus Endpoint::take_with_care() noexcept {
  if (!binding_) return not_registered();
  if (loop_) return std::make_error_code(std::errc::device_or_resource_busy);
  return sync_for_loop(Direction::rx);
}

SyncStatus Endpoint::take_at_port() noexcept {
  if (binding_->nic) return binding_->nic->sync_rx();
  if (!binding_->vale) return take_by_pipe();
  const SyncStatus done = binding_->vale->sync_rx();
  if (own().vale != monitors || !done.is_ok() || !binding_->vale->is_empty()) return done;
  watch_peers();
  return is_orphan() ? SyncStatus(std::make_error_code(std::errc::io_error)) : done;
}

SyncStatus Endpoint::take_by_pipe() noexcept {
  if (!is_sole_user_) std::ranges::for_each(binding_->receivers, &PipeReceiver::catch_up);
  const auto is_stuck = [this] {
    return std::ranges::all_of(binding_->receivers, &PipeReceiver::is_empty);
  };
  SyncStatus done = take();
  if (!ends_with_peer_ || !done.is_ok() || !is_stuck() || !is_peer_gone()) return done;
  done = take();
  return done.is_ok() && is_stuck() ? SyncStatus(errc::peer_gone) : done;
}

/// Gives monitors what this sync has for them.
void Endpoint::show_before(Direction direction) noexcept {
  if (!taps_) taps_ = std::make_unique<Taps>(domain_, binding_->memory, binding_->endpoint);
  if (!is_sole_user_) {
    std::ranges::for_each(binding_->senders, &PipeSender::catch_up);
    std::ranges::for_each(binding_->receivers, &PipeReceiver::catch_up);
  }
  const RingRange rings = direction == Direction::tx ? own().tx : own().rx;
  for (std::size_t n = 0; n != rings.count; ++n) {
    const bool is_swapped = taps_->before(direction, n, handed_over(direction, n), ringer_);
    if (is_swapped) ledger(direction, n).has_swapped = true;
  }
}

void Endpoint::show_after(Direction direction) noexcept {
  const RingRange rings = direction == Direction::tx ? own().tx : own().rx;
  for (std::size_t n = 0; n != rings.count; ++n) taps_->after(direction, n, ringer_);
}

void Endpoint::serve(Direction direction, std::size_t n, abi::netmap_ring& user) noexcept {
  if (binding_->nic) binding_->nic->serve(direction, n, user);
  if (binding_->vale) binding_->vale->serve(direction, n, user);
  if (!taps_) taps_ = std::make_unique<Taps>(domain_, binding_->memory, binding_->endpoint);
  taps_->serve(direction, n, user);
}

SlotRange Endpoint::handed_over(Direction direction, std::size_t n) noexcept {
  if (binding_->nic) return binding_->nic->handed_over(direction, n);
  if (binding_->vale) return binding_->vale->handed_over(direction, n);
  const auto of = [n](const auto& sides) {
    return n < sides.size() ? sides[n].handed_over() : SlotRange();
  };
  return direction == Direction::tx ? of(binding_->senders) : of(binding_->receivers);
}

SyncStatus Endpoint::wake_receivers() noexcept {
  answer_recount();
  for (PipeSender& sender : binding_->senders) {
    if (sender.has_news()) ringer_.wake(sender.words().rx_sleepers, Direction::rx);
  }
  return {};
}

SyncStatus Endpoint::wake_senders() noexcept {
  answer_recount();
  for (PipeReceiver& receiver : binding_->receivers) {
    RingWords& words = receiver.words();
    if (receiver.has_room()) {
      ringer_.wake(words.tx_sleepers, Direction::tx);
    }
  }
  return {};
}

/// A program that has bare pointers may have buffers anywhere: it says so instead of answering, and
/// what is lost is found when it has left. If it got them after it had answered, it goes on to
/// mark.
void Endpoint::answer_recount() noexcept {
  auto& [endpoint, bell, memory, senders, receivers, nic, vale, nothing] = *binding_;
  const std::uint32_t recount = memory->recount();
  if (recount == 0 || recount == settled_) return;
  DomainState& state = domain_->state();
  EndpointRecord& own = state.endpoints[endpoint];
  if (is_raw() && own.answered != recount) {
    own.is_raw.store(true, std::memory_order_release);
    settled_ = recount;
    return;
  }
  for (const PipeSender& sender : senders) mark_buffers(sender.ring(), *memory);
  for (const PipeReceiver& receiver : receivers) mark_buffers(receiver.ring(), *memory);
  if (nic) mark_slots(*memory, state.nic_of(own), own);
  if (vale) {
    for_each_object(state.port_of(own), [&](std::uint32_t ring) { mark_slots(*memory, ring); });
  }
  if (extra_ != nullptr) {
    for (const auto& held : extra_->held()) memory->mark(held.index);
  }
  NETMAP_POINT("recount: marked");
  own.answered.store(recount, std::memory_order_release);
  if (++answers_ % 16 != 0) return;  // the look costs as much as marking does
  if (is_settled(state, own.memory_id, recount)) settled_ = recount;
}

bool Endpoint::is_raw() noexcept {
  const auto has_raw = [](auto& side) { return side.ledger().is_raw; };
  return is_shared_ || loop_ || std::ranges::any_of(binding_->senders, has_raw) ||
         std::ranges::any_of(binding_->receivers, has_raw) || binding_->nothing.is_raw ||
         (binding_->nic && binding_->nic->is_raw()) || (binding_->vale && binding_->vale->is_raw());
}

/// What was sound has been synced all the same, and somebody may sleep on it.
SyncStatus Endpoint::reset_rings() noexcept {
  wake_receivers();
  wake_senders();
  for (PipeSender& sender : binding_->senders) sender.reset();
  for (PipeReceiver& receiver : binding_->receivers) receiver.reset();
  return errc::ring_corrupt;
}

detail::Ledger& Endpoint::ledger(Direction direction, std::size_t n) noexcept {
  auto& [endpoint, bell, memory, senders, receivers, nic, vale, nothing] = *binding_;
  if (nic) return nic->ledger(direction, n);
  if (vale) return vale->ledger(direction, n);
  if (direction == Direction::tx) return n < senders.size() ? senders[n].ledger() : nothing;
  return n < receivers.size() ? receivers[n].ledger() : nothing;
}

WaitHandle Endpoint::wait_handle(Direction direction) const noexcept {
  if (!binding_) return {};
  if (binding_->nic) return binding_->nic->wait_handle(direction);
  return {.fd = binding_->bell.fd(direction), .events = POLLIN, .syncs = false};
}

std::optional<XdpMode> Endpoint::xdp() const noexcept {
  if (!binding_ || !binding_->nic) return {};
  return binding_->nic->mode();
}

XdpCounts Endpoint::xdp_counts() const noexcept {
  return binding_ && binding_->nic ? binding_->nic->counts() : XdpCounts();
}

std::uint64_t Endpoint::dropped() const noexcept {
  return binding_ && binding_->vale ? binding_->vale->dropped() : 0;
}

template <class Use>
void Endpoint::for_each_rx_words(Use&& use) noexcept {
  for (PipeReceiver& receiver : binding_->receivers) use(receiver.words());
  if (!binding_->vale) return;
  for (ValeReceiver& receiver : binding_->vale->receivers()) use(receiver.words());
}

void Endpoint::arm(Directions directions) noexcept {
  if (!binding_) return;
  if (binding_->nic) return binding_->nic->arm(directions);
  if (directions.has(Direction::rx)) {
    for_each_rx_words([this](RingWords& words) {
      words.rx_seen = loop_ ? in_csb | words.published : 0;
      mark(words.rx_sleepers);
    });
  }
  if (directions.has(Direction::tx)) {
    for (PipeSender& sender : binding_->senders) {
      RingWords& words = sender.words();
      const std::uint32_t wanted = is_sole_user_ && !loop_ ? sender.ledger().wanted : 1;
      words.tx_wanted = loop_ ? in_csb | words.returned : wanted;
      mark(words.tx_sleepers);
    }
  }
  NETMAP_POINT("sleep: marked");
  ringer_.sleep_barrier();
  watch_peers();
}

void Endpoint::disarm(Directions directions) noexcept {
  if (!binding_) return;
  if (binding_->nic) return binding_->nic->disarm(directions);
  if (directions.has(Direction::rx)) {
    for_each_rx_words([this](RingWords& words) { unmark(words.rx_sleepers); });
    binding_->bell.drain(Direction::rx);
  }
  if (directions.has(Direction::tx)) {
    for (PipeSender& sender : binding_->senders) unmark(sender.words().tx_sleepers);
    binding_->bell.drain(Direction::tx);
  }
}

/// A peer that dies between publishing something and ringing wakes whoever sleeps all the same. Who
/// opens an end of a pipe, or a port of a switch, rings those who sleep at the others, which then
/// come by here. A monitor's are those who have open what it watches.
void Endpoint::watch_peers() noexcept {
  const DomainState& state = domain_->state();
  const EndpointRecord& own = state.endpoints[binding_->endpoint];
  if (own.pipe == no_pipe && own.vale == no_switch) return;
  const auto is_to_be_watched = [&](const EndpointRecord& endpoint) {
    if (own.vale != monitors) return is_peer(endpoint, own);
    return endpoint.in_use != 0 && is_same_port(endpoint, state.port_of(own).watched);
  };
  const std::uint32_t openings = own.vale != no_switch
                                     ? state.switch_of(own).changes.load()
                                     : state.pipe_of(own).openings[number(other(own.end))].load();
  if (std::exchange(openings_, openings) == openings) return;
  had_peer_ = true;
  binding_->bell.watch_nobody();
  for (std::uint32_t index = 0; index != max_endpoints; ++index) {
    if (is_to_be_watched(state.endpoints[index])) binding_->bell.watch(*domain_, index);
  }
}

bool Endpoint::is_peer_gone() noexcept {
  watch_peers();
  return had_peer_ && !binding_->bell.has_company();
}

/// Of a monitor: whether nobody has open any more what it watches.
bool Endpoint::is_orphan() const noexcept {
  const Bell& bell = binding_->bell;
  const bool is_known = domain_->state().port_of(own()).is_orphan != 0;
  return is_known || (bell.watches_anybody() && !bell.has_company());
}

std::string Endpoint::reason(std::error_code why) const {
  if (!binding_ || own().vale != monitors || why != std::errc::io_error) return {};
  return is_orphan() ? "nobody has open any more what it watched; open it anew when somebody has"
                     : "a monitor sends nothing; open it to receive alone";
}

/// A peer that went before this port was opened was not its peer.
Result<> Endpoint::end_with_peer() {
  if (!is_sole_user_) return Device::end_with_peer();
  watch_peers();
  had_peer_ = binding_->bell.watches_anybody();
  ends_with_peer_ = true;
  care_ = &always;
  return {};
}

/// The lane may still hold the mark of one who slept here and is gone.
void Endpoint::mark(std::atomic<std::uint64_t>& sleepers) const noexcept {
  unmark(sleepers);
  sleepers |= std::uint64_t{binding_->endpoint + 1} << (16 * lane());
}

void Endpoint::unmark(std::atomic<std::uint64_t>& sleepers) const noexcept {
  sleepers &= ~(std::uint64_t{0xffff} << (16 * lane()));
}

std::uint32_t Endpoint::lane() const noexcept {
  return domain_->state().endpoints[binding_->endpoint].lane % lanes;
}

}  // namespace netmap::embedded
