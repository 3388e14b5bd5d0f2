// SPDX-License-Identifier: BSD-2-Clause
//
// Network interfaces as records of a domain: which rings they have, and who has these open. The
// packets are src/device/xdp's. Under the domain's lock.
#pragma once

#include "device/embedded/memory.hpp"
#include "device/embedded/pipe.hpp"
#include "device/xdp/nic.hpp"

#include <netmap/port_name.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace netmap::embedded {

/// Whether a port of this name would be an interface.
[[nodiscard]] bool is_nic_name(std::string_view name);

[[nodiscard]] std::optional<std::uint16_t> find_nic(const DomainState& state,
                                                    const os::Interface& interface);

/// Rings and slots of an interface, whether it is recorded or would be now. In a request 0 slots
/// are the default.
[[nodiscard]] PortShape shape_of(const NicRecord& nic);
[[nodiscard]] PortShape shape_of(const os::Interface& interface, const abi::nmreq_register& asked);

/// How an endpoint has its interface attached, or others than that have; no link before that.
[[nodiscard]] xdp::Attachment attachment_of(const DomainState& state, const EndpointRecord& user);
[[nodiscard]] xdp::Attachment attachment_of_others(const DomainState& state,
                                                   const EndpointRecord& user);

/// Records an interface. Its rings are made when they are opened.
[[nodiscard]] Result<std::uint16_t> make_nic(DomainState& state, const os::Interface& interface,
                                             std::string_view name, std::uint16_t memory_id,
                                             const PortShape& shape);

/// What may have changed while nobody had it open: its name, how many queues it has and, if none of
/// its rings was made, the slots of these.
void renew(NicRecord& nic, std::string_view name, const PortShape& shape);

/// Whether an endpoint has that interface open, or is about to.
[[nodiscard]] bool is_open(const DomainState& state, std::size_t nic);

/// Forgets the interfaces of a network namespace, the calling thread's, that are no more. What they
/// had a recount finds.
void forget_deleted(Domain& domain, std::uint64_t network);

/// The endpoint's rings, made if nobody had them yet, and emptied; the kernel has let go of them.
/// Those whose last user died get other buffers, and a recount finds their former ones.
Result<> prepare_rings(DomainState& state, Memory& memory, const EndpointRecord& endpoint);
/// The endpoint's user died.
void leave_rings(NicRecord& nic, const EndpointRecord& endpoint) noexcept;
/// use(ring object) for each ring that an interface has.
template <class Use>
void for_each_object(const NicRecord& nic, Use&& use) {
  for (const NicRecord::Queue& queue : nic.queues) {
    for (const std::uint32_t object : {detail::load(queue.tx), detail::load(queue.rx)}) {
      if (object != no_object) use(object);
    }
  }
}

/// Marks what a ring's slots name; see recount.hpp.
void mark_slots(Memory& memory, std::uint32_t object) noexcept;
/// The same for all rings of an endpoint.
void mark_slots(Memory& memory, const NicRecord& nic, const EndpointRecord& endpoint) noexcept;

/// What is asked of an interface.
struct NicRequest {
  std::string name;
  os::Interface interface;
  std::optional<DataOffset> offset;
  XdpMode mode;
  bool busy_poll;
};

/// What the endpoint is to have of its interface. The region does not grow from here on. Fails with
/// not_supported if it cannot be had without copies, and has to be.
[[nodiscard]] Result<xdp::Claim> claim_of(const DomainState& state, Memory& memory,
                                          const EndpointRecord& endpoint, const NicRequest& asked);

}  // namespace netmap::embedded
