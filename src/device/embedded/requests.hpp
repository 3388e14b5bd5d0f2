// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's requests, answered from a domain's records. Under the domain's lock, after collect().
#pragma once

#include "device/embedded/endpoint.hpp"
#include "device/embedded/pipe.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace netmap::embedded {

/// The memory id that is there without anybody having made it.
inline constexpr std::uint16_t global_memory = 1;

template <class Body>
[[nodiscard]] Body& body_of(const abi::nmreq_header& request) {
  return *reinterpret_cast<Body*>(static_cast<std::uintptr_t>(request.nr_body));
}

/// Opens a port: makes what does not exist yet, claims rings, and answers in the request's body.
/// `external_file` is what option::extmem is about, if it is named; `options` say how an
/// interface is opened. Others have the lock while it waits for an interface's queues.
/// After a failure the domain is to be collected, unless the lock could not be had again.
[[nodiscard]] Result<Binding> register_port(Domain& domain, Domain::Lock& lock,
                                            abi::nmreq_header& request,
                                            const std::string& external_file,
                                            const DeviceOptions& options);

/// The same port once more, of an endpoint that lives and of which `life` is a copy; see
/// Endpoint::share(). Fails with not_supported if it is an interface's, whose queues are one
/// process's.
[[nodiscard]] Result<Binding> share_port(Domain& domain, std::uint32_t index, os::File life);

/// Every request but a registration.
Result<> answer(Domain& domain, abi::nmreq_header& request);

/// Who has what open, and the VALE interfaces that nobody has.
[[nodiscard]] std::vector<OpenPort> list_ports(Domain& domain);

/// The pipe that `name` names, or why it can name nothing here. The result views into `name`.
[[nodiscard]] Result<PipeName> pipe_of(const DomainState& state, std::string_view name);

/// Whether a request may ask for this region; 0 leaves the choice to the device.
[[nodiscard]] Result<> check_memory(const DomainState& state, std::uint16_t memory_id);

/// The memory id of a new region.
[[nodiscard]] std::uint16_t unused_memory(const DomainState& state);

/// The region of a new pipe: the one asked for, else its siblings', else one of its own.
[[nodiscard]] std::uint16_t memory_of_new_pipe(const DomainState& state, std::string_view parent,
                                               std::uint16_t asked);

}  // namespace netmap::embedded
