// SPDX-License-Identifier: BSD-2-Clause
//
// From the name in a registration to a port and its rings. Under the domain's lock.
#pragma once

#include "device/embedded/domain.hpp"
#include "device/embedded/pipe.hpp"
#include "os/interface.hpp"

#include <optional>
#include <string>

namespace netmap::embedded {

/// The interface that a registration names, if it is not about another kind of port.
[[nodiscard]] Result<std::optional<os::Interface>> interface_of(const DomainState& state,
                                                                const std::string& name,
                                                                const abi::nmreq_register& body);

/// Which port, memory and rings a registration is about; makes the pipe, the switch's port or the
/// monitor, or records the interface, if it names a new one. `body` gets its shape.
Result<> resolve(Domain& domain, const std::string& name,
                 const std::optional<os::Interface>& interface, abi::nmreq_register& body,
                 EndpointRecord& endpoint);

/// Which rings of a port of that shape the request's mode and flags select; module's rules,
/// netmap(4).
Result<> select_rings(const abi::nmreq_register& body, const PortShape& shape,
                      EndpointRecord& endpoint);

/// The ring object of the endpoint's tx ring `k`, or of its rx ring.
[[nodiscard]] std::uint32_t ring_object(const DomainState& state, const EndpointRecord& endpoint,
                                        bool is_tx, std::uint32_t k);

}  // namespace netmap::embedded
