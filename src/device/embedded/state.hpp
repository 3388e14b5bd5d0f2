// SPDX-License-Identifier: BSD-2-Clause
//
// What processes of one domain share, byte for byte. Four kinds of files lie in the domain's
// directory:
//
//     domain       DomainState: which pipes, interfaces, switches and endpoints there are. Changed
//                  under the lock.
//     mem<id>      a region: netmap's own layout (interfaces, rings, buffers), and behind it a
//                  RegionState that says which of them are in use. Changed under the lock. Of a
//                  region in a file of somebody's own (external memory) the RegionState alone.
//     <n>.rx .tx   FIFOs of endpoint n. A byte wakes it.
//     <n>.life     a FIFO that endpoint n has open to be read; no reader, no endpoint.
//
// Packets pass through RingWords alone, without any lock: a release store publishes slots, another
// gives them back; on a switch, and to monitors, through mailboxes (mailbox.hpp), without one, too.
// All else of a ring is in netmap's structures, in the region, so whoever takes over after a crash
// finds the ring as its last user left it. A process may die between any two stores: records become
// valid by the store of one word, and what nobody uses is collected (collect.hpp), packets that
// were being forwarded are put back (repair.hpp), and buffers that were in its hands are found
// (recount.hpp).
//
// Any process of the domain can write anything here, at any time and without the lock: whatever the
// words say, who reads them stays inside the mappings and comes to an end. That is why a number of
// an object is cut to those that there are where it becomes an address, and why there is no bool
// here. One thing cannot be survived: a file that is truncated while it is mapped (SIGBUS).
#pragma once

#include <netmap/abi.hpp>

#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>

namespace netmap::embedded {

/// The first words of each file: two of different layout must never be taken for each other.
/// Stored last when a file is made, so that a file whose magic is zero may be made over again.
struct FileHeader {
  std::uint64_t magic;
  std::uint32_t version;
};
inline constexpr std::uint64_t domain_magic = 0x4e'4d'58'58'64'6f'6d'31;
inline constexpr std::uint64_t region_magic = 0x4e'4d'58'58'6d'65'6d'31;
inline constexpr std::uint32_t layout_version = 8;

// ---- A region ----------------------------------------------------------------------------------

/// Objects of one kind, one behind the other. Those not in use cost no memory.
struct PoolGeometry {
  std::uint64_t offset;  ///< bytes into the region
  std::uint32_t objects;
  std::uint32_t object_bytes;

  [[nodiscard]] constexpr std::uint64_t bytes() const {
    return std::uint64_t{objects} * object_bytes;
  }
  /// Where an object is; of a number that there is not, the first.
  [[nodiscard]] constexpr std::uint64_t at(std::uint32_t object) const {
    return offset + std::uint64_t{object < objects ? object : 0} * object_bytes;
  }
};

/// A region's pools.
struct Pools {
  PoolGeometry interfaces;
  PoolGeometry rings;
  PoolGeometry buffers;
};

inline constexpr std::uint32_t max_rings = 256;   // of a pipe, each way
inline constexpr std::uint32_t max_slots = 4096;  // of a ring
inline constexpr std::uint32_t max_queues = 64;   // of an interface

// VALE, as the module has them.
inline constexpr std::uint32_t max_switches = 8;
/// The place of VALE interfaces that are on no switch, and that of monitors. Neither forwards.
inline constexpr std::uint16_t unattached = max_switches;
inline constexpr std::uint16_t monitors = max_switches + 1;
inline constexpr std::uint32_t switch_records = max_switches + 2;
inline constexpr std::uint32_t max_switch_ports = 254;  // of a switch
inline constexpr std::uint32_t max_switch_rings = 16;   // of a port, each way
inline constexpr std::uint32_t max_monitor_rings = 64;
inline constexpr std::uint32_t max_stations = 1024;  // that a switch knows

// The pools of a region that is not external memory; no region has more objects than these.
inline constexpr PoolGeometry interface_pool{0, 256, 8192};
inline constexpr PoolGeometry ring_pool{interface_pool.bytes(), 1024, 17 * 4096};
inline constexpr PoolGeometry buffer_pool{ring_pool.offset + ring_pool.bytes(), 163'840, 2048};
inline constexpr Pools own_pools{interface_pool, ring_pool, buffer_pool};
inline constexpr std::uint64_t region_bytes = buffer_pool.offset + buffer_pool.bytes();

/// How two ends of one direction of a pipe ring speak to each other. Each word has one writer
/// unless said otherwise, and a cache line of its own. All are slot indices, not counts: the same
/// numbers that netmap's head and tail are.
struct RingWords {
  /// Sender: the rx ring's tail. Stored with release after the slots before it were written; the
  /// receiver loads it with acquire.
  alignas(abi::cache_align) std::atomic<std::uint32_t> published;
  /// What moved through a pipe's direction, or a VALE port's ring; see counts.hpp. Of its user, in
  /// turns.
  std::atomic<std::uint64_t> packets;
  std::atomic<std::uint64_t> bytes;
  /// Receiver: the rx ring's head at its last sync. Stored with release after the buffers swapped
  /// before it were handed back; the sender loads it with acquire.
  alignas(abi::cache_align) std::atomic<std::uint32_t> returned;
  /// Who sleeps until something is published: up to four endpoint numbers plus one, 16 bits each.
  /// A sleeper sets its own; whoever publishes clears all and rings.
  alignas(abi::cache_align) std::atomic<std::uint64_t> rx_sleepers;
  /// Sleeping receiver in CSB mode, where the ring's cur says nothing: in_csb and what was
  /// published before. 0: not in that mode.
  std::atomic<std::uint32_t> rx_seen;
  /// Who sleeps until something is returned, likewise.
  alignas(abi::cache_align) std::atomic<std::uint64_t> tx_sleepers;
  /// Sleeping sender: how many free slots it wants or, in CSB mode, where the ring's head says
  /// nothing, in_csb and what was returned before.
  std::atomic<std::uint32_t> tx_wanted;
  /// Under the lock, and of this ring object alone, be it a tx or an rx ring: which bits of its
  /// slots' ptr are data offsets, how many bytes they may be, and whether anybody ever opened it.
  std::uint64_t offset_mask;
  std::uint64_t max_offset;
  std::uint8_t was_bound;
};
inline constexpr std::uint32_t in_csb = 1U << 31;
static_assert(sizeof(RingWords) == 512 && std::atomic<std::uint64_t>::is_always_lock_free);

/// A ring object: RingWords, then netmap's ring and its slots. The words of a tx ring are those of
/// its direction; of those in front of an rx ring only what is its own is used.
inline constexpr std::uint64_t ring_in_object = sizeof(RingWords);
static_assert(ring_in_object + sizeof(abi::netmap_ring) + max_slots * sizeof(abi::netmap_slot) <=
              ring_pool.object_bytes);

struct RegionState {
  FileHeader header;
  Pools pools;
  /// Where the pools are: in front of this, or else in a file of this path, device and inode.
  char file[4096];
  std::uint64_t file_device;
  std::uint64_t file_inode;
  std::bitset<interface_pool.objects> interfaces;
  std::bitset<ring_pool.objects> rings;
  std::bitset<buffer_pool.objects> buffers;
  /// Under the lock: no buffer beyond these is taken, 0: of all there are. The kernel has these as
  /// the frames of an interface, and will not have more.
  std::uint32_t buffer_limit;
  /// How many recounts of the buffers there were, the running one included; see recount.hpp.
  std::atomic<std::uint32_t> recounts;
  std::atomic<std::uint8_t> is_recounting;
  std::uint8_t recount_again;  ///< somebody died during this one, or it was put off
  std::atomic<std::uint64_t> seen[buffer_pool.objects / 64];
};

// ---- A domain ----------------------------------------------------------------------------------

enum class End : std::uint8_t { master, slave };
[[nodiscard]] constexpr std::size_t number(End end) {
  return end == End::master ? 0 : 1;
}
[[nodiscard]] constexpr End other(End end) {
  return end == End::master ? End::slave : End::master;
}

/// A pipe lives as long as an endpoint of either end. Its ring objects lie one behind the other:
/// the master's tx rings, the slave's rx rings, the slave's tx rings, the master's rx rings.
struct PipeRecord {
  std::atomic<std::uint32_t> in_use;
  std::atomic<std::uint32_t> openings[2];  ///< how often master and slave were opened
  std::uint16_t memory_id;
  std::uint16_t rings[2];  ///< tx rings of master and slave
  std::uint32_t slots[2];  ///< in each of these
  std::uint32_t first_ring;
  char parent[abi::request_name_size];
  char id[abi::request_name_size];
};

/// A network interface in one region. It lives as long as that is used, even if nobody has it open:
/// the kernel may have its buffers until a socket is bound to their queue again.
struct NicRecord {
  std::atomic<std::uint32_t> in_use;
  std::uint16_t memory_id;
  std::uint32_t interface;  ///< its index in
  std::uint64_t network;    ///< its network namespace
  std::uint16_t tx_rings;   ///< queues, when it was recorded
  std::uint16_t rx_rings;
  std::uint32_t tx_slots;
  std::uint32_t rx_slots;
  char name[abi::request_name_size];
  /// How its XDP program is attached, see xdp/nic.hpp.
  std::uint32_t link;
  std::uint32_t map;
  std::uint8_t mode;
  /// The ring objects of each queue, made when it is first opened; else no_object.
  struct Queue {
    std::uint32_t tx;
    std::uint32_t rx;
    std::uint8_t tx_was_left;  ///< by a process that died: its slots may name what is not its own
    std::uint8_t rx_was_left;
  } queues[max_queues];
};

inline constexpr std::uint16_t no_pipe = UINT16_MAX;
inline constexpr std::uint16_t no_nic = UINT16_MAX;
inline constexpr std::uint16_t no_switch = UINT16_MAX;

/// Which port: an end of a pipe, an interface, a port of a switch or, with none of these, a null
/// port.
struct PortId {
  std::uint16_t pipe = no_pipe;    ///< index of its pipe
  std::uint16_t nic = no_nic;      ///< index of its interface
  std::uint16_t vale = no_switch;  ///< index of its switch
  std::uint16_t port = 0;          ///< of that switch, counted from 0
  End end = End::master;
};

/// A port of a VALE switch, or a monitor. Its ring objects lie one behind the other: tx rings, rx
/// rings, and the mailbox of each rx ring, see mailbox.hpp.
struct SwitchPort {
  /// One that is leaving is found by no sender any more; its memory is kept until those are done
  /// that had found it before.
  enum Presence : std::uint32_t { none, there, leaving };
  std::atomic<std::uint32_t> presence;
  std::uint16_t memory_id;
  std::uint16_t tx_rings;
  std::uint16_t rx_rings;
  std::uint32_t tx_slots;
  std::uint32_t rx_slots;
  std::uint32_t first_ring;
  std::uint64_t left;                  ///< greater than that of ports that were left before
  std::atomic<std::uint64_t> rx_open;  ///< a bit for each rx ring that somebody has open
  std::uint64_t rx_was_open;           ///< or ever had, so that senders may know it
  /// Of a user that died, likewise: their slots may name what is not their own.
  std::uint64_t tx_was_left;
  std::uint64_t rx_was_left;
  std::atomic<std::uint16_t> header_bytes;  ///< of virtio-net header before each packet
  std::atomic<std::uint8_t> stays;          ///< an interface: it is there until it is removed
  char name[abi::interface_name_size];      ///< behind the colon

  // Of a monitor alone: what it watches, ring by ring of its own rx rings' numbers.
  PortId watched;
  std::uint8_t sees_tx;
  std::uint8_t sees_rx;
  std::uint8_t takes_buffers;           ///< instead of copies
  std::atomic<std::uint8_t> is_orphan;  ///< the last user of what it watches has left
  std::uint64_t turn;                   ///< greater than that of monitors that came before
};

/// A VALE switch lives as long as a port of it.
struct Switch {
  std::atomic<std::uint32_t> in_use;
  std::atomic<std::uint32_t> changes;  ///< of its ports, so that senders look again
  char name[abi::interface_name_size];
  SwitchPort ports[max_switch_ports];
  /// Which port a MAC address was last seen at: the address in the upper 48 bits, then the number
  /// of the port plus one. Written by all senders at will, each entry at its address's hash.
  std::atomic<std::uint64_t> stations[max_stations];
};

/// A range of rings of one direction.
struct RingRange {
  std::uint16_t first;
  std::uint16_t count;

  [[nodiscard]] constexpr bool overlaps(RingRange other) const {
    return count != 0 && other.count != 0 && first < other.first + other.count &&
           other.first < first + count;
  }
  [[nodiscard]] constexpr std::uint32_t end() const { return std::uint32_t{first} + count; }
};

/// One open port: some rings of one end of a pipe, of an interface or of a switch's port, or a null
/// port with rings of its own.
struct EndpointRecord : PortId {
  std::atomic<std::uint32_t> in_use;
  std::atomic<std::uint32_t> epoch;  ///< counts the users of this record, so that none is mistaken
  std::uint32_t process;             ///< who opened it, for messages
  std::uint64_t owner;               ///< the same, told from all other processes
  std::uint16_t memory_id;
  std::uint8_t exclusive;
  std::uint8_t lane;  ///< which 16 bits of the sleepers are its own
  std::uint8_t xdp;   ///< an interface's: its XdpMode, once it is attached
  /// Its owner closed it, after listing in ni_bufs_head what it held; not set if the owner died.
  std::atomic<std::uint8_t> is_closed;
  /// Its owner has bare pointers and answers no recount. Set by the owner without the lock, and
  /// never cleared while it is in use.
  std::atomic<std::uint8_t> is_raw;
  std::atomic<std::uint32_t> answered;   ///< the last recount that its owner answered
  std::atomic<std::uint8_t> is_watched;  ///< monitors get something in its syncs
  /// Odd while its owner looks for ports of its switch, or for monitors, or writes to their
  /// mailboxes. Counted by the owner, without the lock.
  std::atomic<std::uint32_t> deliveries;
  RingRange tx;
  RingRange rx;
  std::uint32_t interface;   ///< its netmap_if, or no_object
  std::uint32_t first_ring;  ///< null port: its own ring objects, tx before rx; else no_object
};

/// Whether two endpoints' rings of one number are one.
[[nodiscard]] inline bool is_same_port(const PortId& a, const PortId& b) {
  return a.pipe == b.pipe && a.end == b.end && a.nic == b.nic && a.vale == b.vale &&
         (a.vale == no_switch || a.port == b.port);
}
[[nodiscard]] inline bool is_null_port(const PortId& id) {
  return id.pipe == no_pipe && id.nic == no_nic && id.vale == no_switch;
}
/// Whether `other` can send to `own`, having the other end of its pipe or another port of its
/// switch open.
[[nodiscard]] inline bool is_peer(const EndpointRecord& other, const EndpointRecord& own) {
  if (other.in_use == 0 || is_null_port(own)) return false;
  if (own.pipe != no_pipe) return other.pipe == own.pipe && other.end != own.end;
  return own.vale < unattached && other.vale == own.vale && other.port != own.port;
}
inline constexpr std::uint32_t no_object = UINT32_MAX;
inline constexpr std::uint32_t max_pipes = 512;
inline constexpr std::uint32_t max_nics = 64;
inline constexpr std::uint32_t max_endpoints = 1024;
inline constexpr std::uint8_t lanes = 4;

namespace attention {
/// Set once by the first process whose kernel has no membarrier: from then on everybody fences.
inline constexpr std::uint32_t fences = 1;
/// The buffers of a region are recounted.
inline constexpr std::uint32_t recount = 2;
}  // namespace attention

struct DomainState {
  FileHeader header;
  std::atomic<std::uint32_t> attention;    ///< what a sync has to do beside its work
  std::atomic<std::uint32_t> lock_holder;  ///< process, 0 if none; of one that died in it, it stays
  PipeRecord pipes[max_pipes];
  NicRecord nics[max_nics];
  Switch switches[switch_records];
  EndpointRecord endpoints[max_endpoints];

  /// The pipe of a port that has one; some pipe, if the record is damaged.
  [[nodiscard]] PipeRecord& pipe_of(const PortId& id) { return pipes[id.pipe % max_pipes]; }
  [[nodiscard]] const PipeRecord& pipe_of(const PortId& id) const {
    return pipes[id.pipe % max_pipes];
  }
  /// The same for its interface.
  [[nodiscard]] NicRecord& nic_of(const PortId& id) { return nics[id.nic % max_nics]; }
  [[nodiscard]] const NicRecord& nic_of(const PortId& id) const { return nics[id.nic % max_nics]; }
  /// The same for its switch and its port there.
  [[nodiscard]] Switch& switch_of(const PortId& id) { return switches[id.vale % switch_records]; }
  [[nodiscard]] const Switch& switch_of(const PortId& id) const {
    return switches[id.vale % switch_records];
  }
  [[nodiscard]] SwitchPort& port_of(const PortId& id) {
    return switch_of(id).ports[id.port % max_switch_ports];
  }
  [[nodiscard]] const SwitchPort& port_of(const PortId& id) const {
    return switch_of(id).ports[id.port % max_switch_ports];
  }
};

}  // namespace netmap::embedded
