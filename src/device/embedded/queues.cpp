// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/queues.hpp"

#include "device/embedded/collect.hpp"
#include "device/embedded/nic.hpp"
#include "point.hpp"

#include <chrono>

namespace netmap::embedded {
namespace {

/// Others have the lock while `use` runs; what is claimed is recorded.
template <class Use>
Result<> without_lock(Domain& domain, Domain::Lock& lock, Use&& use) {
  lock.release();
  use();
  auto locked = domain.lock();
  if (!locked) return std::unexpected(locked.error());
  lock = std::move(*locked);
  return collect(domain);
}

Result<> bind_queues(Domain& domain, Domain::Lock& lock, Binding& binding,
                     const xdp::Claim& claim) {
  Result<std::unique_ptr<xdp::Nic>> nic;
  auto locked = without_lock(domain, lock, [&] {
    nic = xdp::bind(claim);
    NETMAP_POINT("nic: queues bound");
  });
  if (!locked) return locked;
  if (!nic) return std::unexpected(nic.error());
  binding.nic = std::move(*nic);
  return {};
}

/// One who is closing the interface may have let go of the program, and not of the record that
/// names it yet.
Result<xdp::Attachment> attach(Domain& domain, Domain::Lock& lock, Binding& binding, XdpMode mode) {
  using Clock = std::chrono::steady_clock;
  const DomainState& state = domain.state();
  const EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  for (const auto end = Clock::now() + xdp::release_limit;;) {
    auto attached = binding.nic->attach(mode, attachment_of_others(state, endpoint));
    const bool may_come =
        !attached && attached.error().code() == std::errc::no_such_file_or_directory;
    if (!may_come || Clock::now() >= end) return attached;
    auto locked = without_lock(domain, lock, [] { os::pause(std::chrono::milliseconds(5)); });
    if (!locked) return std::unexpected(locked.error());
  }
}

/// A driver may do without copies, and then not take a program as it is; generic mode always does.
Result<xdp::Attachment> bind_and_attach(Domain& domain, Domain::Lock& lock, Binding& binding,
                                        xdp::Claim claim) {
  for (;;) {
    if (auto bound = bind_queues(domain, lock, binding, claim); !bound) {
      return std::unexpected(bound.error());
    }
    auto attached = attach(domain, lock, binding, claim.mode);
    const bool may_copy = claim.copying == os::Copying::if_needed && binding.nic->is_zero_copy();
    if (attached || !may_copy) return attached;
    binding.nic.reset();
    claim.copying = os::Copying::always;
  }
}

}  // namespace

Result<> take_queues(Domain& domain, Domain::Lock& lock, Binding& binding,
                     const NicRequest& asked) {
  DomainState& state = domain.state();
  EndpointRecord& endpoint = state.endpoints[binding.endpoint];
  NicRecord& record = state.nic_of(endpoint);
  const auto claim = claim_of(state, *binding.memory, endpoint, asked);
  if (!claim) return std::unexpected(claim.error());
  const auto attached = bind_and_attach(domain, lock, binding, *claim);
  if (!attached) return std::unexpected(attached.error());
  NETMAP_POINT("nic: attached");
  record.link = attached->link;
  record.map = attached->map;
  record.mode = static_cast<std::uint8_t>(attached->mode);
  endpoint.xdp = static_cast<std::uint8_t>(binding.nic->mode());
  return prepare_rings(state, *binding.memory, endpoint);
}

Result<> start_queues(Binding& binding, std::uint64_t offset) {
  const auto layout = find_rings(binding.memory->region()->bytes(), offset);
  if (!layout) return std::unexpected(layout.error());
  auto started = binding.nic->start(*layout);
  NETMAP_POINT("nic: started");
  return started;
}

}  // namespace netmap::embedded
