// SPDX-License-Identifier: BSD-2-Clause
//
// The requests about VALE switches, their ports, and interfaces that stay (netmap(4):
// NETMAP_REQ_VALE_… and NETMAP_REQ_PORT_HDR_…). Under the domain's lock, after collect().
#pragma once

#include "device/embedded/vale.hpp"

#include <netmap/abi.hpp>

#include <optional>
#include <string_view>

namespace netmap::embedded {

/// The port that `name`, a VALE name, names or would name if it is made; the module has no memory
/// for what is not well-formed. One cannot have the name of an interface. The result views into
/// `name`.
[[nodiscard]] Result<ValeName> vale_name_of(const DomainState& state, std::string_view name);

/// The port that is there by that name, be it a switch's or an interface's own.
[[nodiscard]] std::optional<ValePlace> find_vale_named(const DomainState& state,
                                                       std::string_view name);

Result<> set_header(DomainState& state, const abi::nmreq_header& request);
Result<> get_vale_header(const DomainState& state, const abi::nmreq_header& request);
Result<> list_vale(const DomainState& state, abi::nmreq_header& request);
Result<> make_interface(Domain& domain, const abi::nmreq_header& request);
Result<> remove_interface(Domain& domain, const abi::nmreq_header& request);
Result<> attach_interface(DomainState& state, const abi::nmreq_header& request);
Result<> detach_interface(DomainState& state, const abi::nmreq_header& request);
/// Nothing is polled here: there are no threads for it.
Result<> poll_interface(const DomainState& state, const abi::nmreq_header& request);

}  // namespace netmap::embedded
