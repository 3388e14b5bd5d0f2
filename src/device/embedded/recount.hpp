// SPDX-License-Identifier: BSD-2-Clause
//
// Finds the buffers that processes had in their hands when they died. Which these are nobody can
// tell, but the living can tell which they are not: every open port marks, at the end of its next
// sync, the buffers in its rings and in its hands, and from then on does so at the end of every
// sync, until all have answered. What nobody marked then is free, and is freed when the next port
// is opened or closed.
//
// A buffer that moves from port to port meanwhile is not missed: who sends it has marked it before,
// or marks it in that same sync, and who takes it marks it in the sync that shows it. One that is
// allocated is marked by the allocator.
//
// A program with bare pointers may have buffers anywhere, so it does not answer. While it has its
// port open no recount can be finished, and that nobody marks for ever in vain, it is put off once
// all others have answered. When that port goes, another begins: what others got from it meanwhile
// they have not marked.
#pragma once

#include "device/embedded/memory.hpp"
#include "device/embedded/pipe_ring.hpp"

#include <set>

namespace netmap::embedded {

/// The memory ids of the regions that open ports are in.
[[nodiscard]] std::set<std::uint16_t> used_memories(const DomainState& state);

/// Whether every open port of the region has answered, or never will, so that nobody need mark any
/// more. Needs no lock.
[[nodiscard]] bool is_settled(const DomainState& state, std::uint16_t memory_id,
                              std::uint32_t recount);

/// Somebody died who used `memory`. Under the domain's lock.
void start_recount(DomainState& state, Memory& memory);
/// Somebody goes who had bare pointers into `memory`. Under the domain's lock.
void renew_recount(DomainState& state, Memory& memory);
/// Frees what the recounts found to which everybody has answered. Under the domain's lock.
void finish_recounts(Domain& domain);

/// Marks what a ring's slots name: of one that is out both, since the receiver may have put what
/// the sender's names where nobody has marked it. If that was lost, a later recount finds it.
void mark_buffers(const PipeRing& ring, Memory& memory) noexcept;

}  // namespace netmap::embedded
