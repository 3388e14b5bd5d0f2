// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's kernel interface, restated: what lies in shared memory, what the ioctls take, and every
// number and flag that either may hold. Nothing here does anything. The ring code, both devices and
// programs that want to speak to the module themselves all read this one page.
//
// It includes no header of the operating system, and none can disturb it: the system's own
// <net/netmap.h> spells its constants as macros, which would overwrite constants of the same name,
// so ours follow a rule instead. The kernel's prefix becomes a small namespace and the rest goes to
// lower case (NR_EXCLUSIVE is register_flags::exclusive); the kernel's spelling stands in a comment
// beside it, and now and then a keyword or a reader asked for another word. Structures and fields
// keep the kernel's names. Both headers can be included, in either order.
//
// Sizes and offsets are asserted, at the end; they are those of 64-bit machines and API versions 14
// and 15. The arrays of unknown length behind some structures are not members, since C++ has none
// such; the functions …_of() lead to them. No field is const, because the embedded device writes
// what the kernel would. "in" and "out" are the caller's: what it fills in, what it finds
// afterwards. Where the module does not do what its documentation says, the comments say what the
// module does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netmap::abi {

static_assert(sizeof(void*) == 8, "the layouts below are those of 64-bit kernels");

// ---- Versions, names, limits --------------------------------------------------------------------

/// What nmreq_header::nr_version may hold. A request in any other version is refused.
namespace version {
inline constexpr std::uint16_t current = 14;  // NETMAP_API
inline constexpr std::uint16_t oldest = 14;   // NETMAP_MIN_API
inline constexpr std::uint16_t newest = 15;   // NETMAP_MAX_API
}  // namespace version

inline constexpr char device_path[] = "/dev/netmap";  // NETMAP_DEVICE_NAME
inline constexpr char vale_prefix[] = "vale";         // NM_BDG_NAME

inline constexpr std::size_t cache_align = 128;         // NM_CACHE_ALIGN
inline constexpr std::size_t interface_name_size = 16;  // IFNAMSIZ, the closing NUL included
inline constexpr std::size_t request_name_size = 64;    // NETMAP_REQ_IFNAMSIZ, likewise
inline constexpr std::size_t max_request_size = 4096;   // NETMAP_REQ_MAXSIZE, body and options
inline constexpr std::size_t max_fragments = 64;        // NETMAP_MAX_FRAGS, slots of one packet

// ---- Shared memory: slots, rings, interfaces ----------------------------------------------------
//
// A region is one contiguous mapping: interface objects, then rings, then buffers. A netmap_if is
// nmreq_register::nr_offset bytes into it, a ring is ring_offsets_of() bytes from its netmap_if,
// buffer 0 is buf_ofs bytes from any ring, and buffer i lies i * nr_buf_size bytes further on.

/// One place in a ring: which buffer is there, and how much of it is packet.
struct netmap_slot {
  std::uint32_t buf_idx;  ///< the buffer; to put another here, see slot_flags::buf_changed
  std::uint16_t len;      ///< bytes of packet, a data offset not included
  std::uint16_t flags;    ///< slot_flags
  std::uint64_t ptr;      ///< user address (slot_flags::indirect) or data offset (offset_mask)
};

/// netmap_slot::flags. Set by the user except where said otherwise; a sync clears the first two.
namespace slot_flags {
/// NS_BUF_CHANGED: buf_idx was replaced, in whichever direction. Some drivers, and every port
/// behind an IOMMU, go on using the old buffer without it.
inline constexpr std::uint16_t buf_changed = 0x01;
/// NS_REPORT: tx, say soon that this slot was sent, not at the driver's leisure.
inline constexpr std::uint16_t report = 0x02;
/// NS_FORWARD: rx, between host and NIC rings: pass this packet on to the other side.
inline constexpr std::uint16_t forward = 0x04;
/// NS_NO_LEARN: tx on VALE, do not learn the source address. The module ignores it.
inline constexpr std::uint16_t no_learn = 0x08;
/// NS_INDIRECT: tx on VALE, the packet is at address ptr. Other ports ignore it, and would send
/// what the buffer holds.
inline constexpr std::uint16_t indirect = 0x10;
/// NS_MOREFRAG: either side, the packet goes on in the next slot.
inline constexpr std::uint16_t more_fragments = 0x20;
/// NS_TXMON: kernel, what a zero-copy monitor shows here was sent, not received.
inline constexpr std::uint16_t txmon = 0x40;
/// NS_PORT_SHIFT, NS_PORT_MASK: kernel, the upper byte. In what a VALE port receives it is the
/// number of fragments of the whole packet, the same in each and 1 if it is alone, so mask it away
/// before comparing flags. (Its name is from another plan, which the module never carried out.)
inline constexpr int port_shift = 8;
inline constexpr std::uint16_t port_mask = 0xff00;
}  // namespace slot_flags

/// NS_RFRAGS: how many slots the packet in `slot` has altogether, or 0 if the port does not say.
[[nodiscard]] constexpr unsigned fragment_count(const netmap_slot& slot) noexcept {
  return static_cast<unsigned>(slot.flags) >> slot_flags::port_shift;
}

/// The operating system's `struct timeval`.
struct timeval {
  std::int64_t tv_sec;
  std::int64_t tv_usec;
};

/// The head of a ring; slots_of() are behind it. Positions count modulo num_slots. The user owns
/// head … tail - 1; the kernel reads head and cur and moves tail inside a sync, at no other time.
struct netmap_ring {
  std::int64_t buf_ofs;       ///< kernel: bytes from this ring to buffer 0
  std::uint32_t num_slots;    ///< kernel
  std::uint32_t nr_buf_size;  ///< kernel: bytes of each buffer
  std::uint16_t ringid;       ///< kernel: index in its direction; host rings follow the NIC's
  std::uint16_t dir;          ///< kernel: ring_dir, the opposite of what the documentation says
  std::uint32_t head;         ///< user: the first slot the user still owns
  std::uint32_t cur;          ///< user: wake me when tail gets beyond this
  std::uint32_t tail;         ///< kernel: the first slot it owns itself
  std::uint32_t flags;        ///< user: ring_flags
  timeval ts;                 ///< kernel: when the last rx sync was
  std::uint64_t offset_mask;  ///< kernel: the bits of ptr that are a data offset; 0 is no offsets
  std::uint64_t buf_align;    ///< kernel: the alignment data must have, a power of two; 0 is any
  alignas(cache_align) std::uint8_t sem[128];  ///< user: scratch that the kernel never touches
};

/// netmap_ring::flags, read at each sync of an rx ring.
namespace ring_flags {
inline constexpr std::uint32_t timestamp = 0x2;  // NR_TIMESTAMP: keep ts even if a sysctl stops it
inline constexpr std::uint32_t forward = 0x4;    // NR_FORWARD: heed slot_flags::forward
}  // namespace ring_flags

/// netmap_ring::dir, as the module stores it.
namespace ring_dir {
inline constexpr std::uint16_t rx = 0;
inline constexpr std::uint16_t tx = 1;
}  // namespace ring_dir

/// The slots of `ring`. A bare pointer: their number is in shared memory, and whoever knows the
/// size of the region has to check it before making a span.
[[nodiscard]] inline netmap_slot* slots_of(netmap_ring& ring) noexcept {
  return reinterpret_cast<netmap_slot*>(&ring + 1);
}

/// What one descriptor sees of its port; ring_offsets_of() are behind it.
struct alignas(8) netmap_if {
  char ni_name[interface_name_size];  ///< kernel: the port's name, cut to fit
  std::uint32_t ni_version;           ///< never written
  std::uint32_t ni_flags;             ///< kernel: if_flags
  std::uint32_t ni_tx_rings;          ///< kernel: not counting host rings
  std::uint32_t ni_rx_rings;          ///< kernel: not counting host rings
  std::uint32_t ni_bufs_head;         ///< user: the first extra buffer, 0 if there is none
  std::uint32_t ni_host_tx_rings;     ///< kernel: at least 1, even on a port without host rings
  std::uint32_t ni_host_rx_rings;     ///< kernel: likewise
  std::uint32_t ni_spare1[3];
};

/// netmap_if::ni_flags.
namespace if_flags {
inline constexpr std::uint32_t priv_mem = 0x1;  // NI_PRIV_MEM: the region is this port's alone
}  // namespace if_flags

/// ring_ofs: the distances in bytes from `port` to its rings: tx of the NIC, tx of the host, rx of
/// the NIC, rx of the host, each as many as the matching ni_… count. A ring that this descriptor
/// did not bind has distance 0.
[[nodiscard]] inline std::int64_t* ring_offsets_of(netmap_if& port) noexcept {
  return reinterpret_cast<std::int64_t*>(&port + 1);
}

// ---- Shared memory: regions and buffers ---------------------------------------------------------

/// Indices that no slot of the user's may hold, and the first that one may. Extra buffers form a
/// list: the first four bytes of each are the index of the next, 0 in the last.
namespace buffer_index {
inline constexpr std::uint32_t sink = 0;  ///< where the kernel points a slot it had to repair
inline constexpr std::uint32_t spare = 1;
inline constexpr std::uint32_t first_usable = 2;
}  // namespace buffer_index

/// Ports with equal ids share one region, and can exchange buffers.
namespace memory_id {
inline constexpr std::uint16_t any = 0;     ///< in a request: the kernel decides
inline constexpr std::uint16_t global = 1;  ///< what NICs share; other ids are handed out
}  // namespace memory_id

/// One of the three pools of a region: bytes of an object and number of objects, as they are in the
/// global region unless a sysctl says otherwise (given pages of 4096 bytes), and the range within
/// which they may be changed.
struct Pool {
  std::uint32_t size, min_size, max_size;
  std::uint32_t count, min_count, max_count;
};

namespace pool {
inline constexpr std::size_t object_align = 64;  ///< every object begins on a multiple of it
inline constexpr Pool interfaces{1024, 56, 4096, 100, 10, 10'000};
inline constexpr Pool rings{36'864, 256, 131'072, 200, 2, 1024};
inline constexpr Pool buffers{2048, 64, 65'536, 163'840, 4, 1'000'000};
}  // namespace pool

// ---- Requests: header and numbers ---------------------------------------------------------------

/// The argument of ioctl_number::ctrl. The body is written back only if the request succeeds; the
/// heads of the options, with their status, even if it fails.
struct nmreq_header {
  std::uint16_t nr_version;         ///< in: version
  std::uint16_t nr_reqtype;         ///< in: request
  std::uint32_t nr_reserved;        ///< in: 0, or the request is refused
  char nr_name[request_name_size];  ///< in: the port, without the library's "netmap:" prefix
  std::uint64_t nr_options;         ///< in: address of the first nmreq_option, or 0
  std::uint64_t nr_body;            ///< in: address of the body; 0 if and only if it takes none
};

/// nmreq_header::nr_reqtype: NETMAP_REQ_…, and in the comment the body.
namespace request {
inline constexpr std::uint16_t port_register = 1;          // REGISTER: nmreq_register
inline constexpr std::uint16_t port_info_get = 2;          // nmreq_port_info_get
inline constexpr std::uint16_t vale_attach = 3;            // nmreq_vale_attach
inline constexpr std::uint16_t vale_detach = 4;            // nmreq_vale_detach
inline constexpr std::uint16_t vale_list = 5;              // nmreq_vale_list
inline constexpr std::uint16_t port_hdr_set = 6;           // nmreq_port_hdr
inline constexpr std::uint16_t port_hdr_get = 7;           // nmreq_port_hdr
inline constexpr std::uint16_t vale_newif = 8;             // nmreq_vale_newif
inline constexpr std::uint16_t vale_delif = 9;             // none
inline constexpr std::uint16_t vale_polling_enable = 10;   // nmreq_vale_polling
inline constexpr std::uint16_t vale_polling_disable = 11;  // nmreq_vale_polling
inline constexpr std::uint16_t pools_info_get = 12;        // nmreq_pools_info
inline constexpr std::uint16_t sync_kloop_start = 13;      // nmreq_sync_kloop_start
inline constexpr std::uint16_t sync_kloop_stop = 14;       // none
inline constexpr std::uint16_t csb_enable = 15;            // none, but option::csb
}  // namespace request

// ---- Requests: bodies ---------------------------------------------------------------------------

/// request::port_register: bind the descriptor to rings of a port, and learn where they are. The
/// numbers of slots and rings count only if this request creates the port (VALE port, pipe, null
/// port), those of host rings if nobody else has it open; 0 asks for the default. On return they
/// say what is.
struct nmreq_register {
  std::uint64_t nr_offset;         ///< out: bytes from the start of the region to the netmap_if
  std::uint64_t nr_memsize;        ///< out: bytes of the region, to be mapped
  std::uint32_t nr_tx_slots;       ///< in, out: in each tx ring
  std::uint32_t nr_rx_slots;       ///< in, out
  std::uint16_t nr_tx_rings;       ///< in, out
  std::uint16_t nr_rx_rings;       ///< in, out
  std::uint16_t nr_host_tx_rings;  ///< in, out: may be 0, unlike ni_host_tx_rings
  std::uint16_t nr_host_rx_rings;  ///< in, out
  std::uint16_t nr_mem_id;         ///< in, out: memory_id; a wish, so look what came of it
  std::uint16_t nr_ringid;         ///< in: which one, for mode::one_nic and mode::one_sw
  std::uint32_t nr_mode;           ///< in: mode
  std::uint32_t nr_extra_bufs;     ///< in, out: buffers wanted beside the rings', and obtained
  std::uint64_t nr_flags;          ///< in: register_flags; out: with both directions if zcopy_mon
};

/// nmreq_register::nr_mode: NR_REG_…, which rings. "sw" are the host rings.
namespace mode {
inline constexpr std::uint32_t unset = 0;  // DEFAULT: only in a legacy nmreq
inline constexpr std::uint32_t all_nic = 1;
inline constexpr std::uint32_t sw = 2;
inline constexpr std::uint32_t nic_sw = 3;
inline constexpr std::uint32_t one_nic = 4;      ///< ring nr_ringid, 0 in a direction with fewer
inline constexpr std::uint32_t pipe_master = 5;  // only in a legacy nmreq: now "port{id"
inline constexpr std::uint32_t pipe_slave = 6;   // only in a legacy nmreq: now "port}id"
inline constexpr std::uint32_t null = 7;         ///< no interface, only region nr_mem_id
inline constexpr std::uint32_t one_sw = 8;       ///< host ring nr_ringid
}  // namespace mode

/// nmreq_register::nr_flags: NR_….
namespace register_flags {
inline constexpr std::uint64_t monitor_tx = 0x100;        ///< watch what the port sends
inline constexpr std::uint64_t monitor_rx = 0x200;        ///< watch what the port receives
inline constexpr std::uint64_t zcopy_mon = 0x400;         ///< … without copying it; implies both
inline constexpr std::uint64_t exclusive = 0x800;         ///< nobody else on these rings
inline constexpr std::uint64_t rx_rings_only = 0x2000;    ///< leave the tx rings alone
inline constexpr std::uint64_t tx_rings_only = 0x4000;    ///< leave the rx rings alone
inline constexpr std::uint64_t accept_vnet_hdr = 0x8000;  ///< needed for virtio-net headers
inline constexpr std::uint64_t do_rx_poll = 0x10000;      ///< the module ignores it
inline constexpr std::uint64_t no_tx_poll = 0x20000;      ///< poll for input does not transmit
}  // namespace register_flags

/// request::port_info_get: what a port looks like, or with an empty name a region. Looking up a
/// VALE port or pipe that nobody has open creates it for the moment.
struct nmreq_port_info_get {
  std::uint64_t nr_memsize;        ///< out
  std::uint32_t nr_tx_slots;       ///< out
  std::uint32_t nr_rx_slots;       ///< out
  std::uint16_t nr_tx_rings;       ///< out
  std::uint16_t nr_rx_rings;       ///< out
  std::uint16_t nr_host_tx_rings;  ///< in, out: a number here configures a port not open yet
  std::uint16_t nr_host_rx_rings;  ///< in, out
  std::uint16_t nr_mem_id;         ///< in, out
  std::uint16_t pad[3];
};

/// request::vale_attach: give an interface to a switch.
struct nmreq_vale_attach {
  nmreq_register reg;        ///< in: mode::all_nic, or mode::nic_sw to add its host rings as a port
  std::uint32_t port_index;  ///< out
  std::uint32_t pad1;
};

/// request::vale_detach: take it back.
struct nmreq_vale_detach {
  std::uint32_t port_index;  ///< out
  std::uint32_t pad1;
};

inline constexpr std::uint32_t no_vale_port = 255;  // NM_BDG_NOPORT

/// request::vale_list: the place of a named port; with an empty name, the name of the first port
/// at or after a place (ENOENT once there is none).
struct nmreq_vale_list {
  std::uint16_t nr_bridge_idx;  ///< in, out
  std::uint16_t pad1;
  std::uint32_t nr_port_idx;  ///< in, out: 255 if the switch exists and the port does not
};

/// request::port_hdr_set (VALE ports only) and request::port_hdr_get.
struct nmreq_port_hdr {
  std::uint32_t nr_hdr_len;  ///< in, out: vnet_hdr_len
  std::uint32_t pad1;
};

/// nmreq_port_hdr::nr_hdr_len: the virtio-net header (virtio 1.2, 5.1.6) before each packet.
namespace vnet_hdr_len {
inline constexpr std::uint32_t none = 0;
inline constexpr std::uint32_t legacy = 10;
inline constexpr std::uint32_t mergeable = 12;  ///< with num_buffers
}  // namespace vnet_hdr_len

/// request::vale_newif: create an interface that stays until request::vale_delif. 0 asks for the
/// default; too much is cut to what the module allows, and written back.
struct nmreq_vale_newif {
  std::uint32_t nr_tx_slots;  ///< in, out
  std::uint32_t nr_rx_slots;  ///< in, out
  std::uint16_t nr_tx_rings;  ///< in, out
  std::uint16_t nr_rx_rings;  ///< in, out
  std::uint16_t nr_mem_id;    ///< in, out
  std::uint16_t pad1;
};

/// request::vale_polling_enable and …_disable: kernel threads that poll an attached NIC (Linux).
struct nmreq_vale_polling {
  std::uint32_t nr_mode;              ///< in: polling_mode
  std::uint32_t nr_first_cpu_id;      ///< in
  std::uint32_t nr_num_polling_cpus;  ///< in
  std::uint32_t pad1;
};

/// nmreq_vale_polling::nr_mode: NETMAP_POLLING_MODE_….
namespace polling_mode {
inline constexpr std::uint32_t single_cpu = 1;  ///< the first CPU polls every ring
inline constexpr std::uint32_t multi_cpu = 2;   ///< one CPU a ring, from the first on
}  // namespace polling_mode

/// request::pools_info_get: the pools of a port's region (out), and what option::extmem asks for
/// (in, 0 is the default) and gets (out). Offsets are from the start of the region.
struct nmreq_pools_info {
  std::uint64_t nr_memsize;
  std::uint16_t nr_mem_id;
  std::uint16_t pad1[3];
  std::uint64_t nr_if_pool_offset;
  std::uint32_t nr_if_pool_objtotal;
  std::uint32_t nr_if_pool_objsize;
  std::uint64_t nr_ring_pool_offset;
  std::uint32_t nr_ring_pool_objtotal;
  std::uint32_t nr_ring_pool_objsize;
  std::uint64_t nr_buf_pool_offset;
  std::uint32_t nr_buf_pool_objtotal;
  std::uint32_t nr_buf_pool_objsize;
};

/// request::sync_kloop_start: let the calling thread sync in the kernel until it is stopped.
struct nmreq_sync_kloop_start {
  std::uint32_t sleep_us;  ///< in: microseconds between rounds, at most max_kloop_sleep_us
  std::uint32_t pad1;
};

inline constexpr std::uint32_t max_kloop_sleep_us = 1'000'000;

// ---- Requests: options --------------------------------------------------------------------------

/// The head of every option. Only request::port_register fails for want of an option; the others
/// succeed, and leave EOPNOTSUPP in the status of what they passed over. So look at each.
struct nmreq_option {
  std::uint64_t nro_next;     ///< in: address of the next one, or 0
  std::uint32_t nro_reqtype;  ///< in: option
  std::uint32_t nro_status;   ///< out: 0, or an errno (positive)
  std::uint64_t nro_size;     ///< in: bytes of nmreq_opt_sync_kloop_eventfds and its pairs, else 0
};

/// nmreq_option::nro_reqtype: NETMAP_REQ_OPT_…, and in the comment where it belongs.
namespace option {
inline constexpr std::uint32_t extmem = 1;               // port_register
inline constexpr std::uint32_t sync_kloop_eventfds = 2;  // sync_kloop_start
inline constexpr std::uint32_t csb = 3;                  // port_register, csb_enable
inline constexpr std::uint32_t sync_kloop_mode = 4;      // sync_kloop_start
inline constexpr std::uint32_t offsets = 5;              // port_register
inline constexpr std::uint32_t first_unknown = 6;        // MAX
}  // namespace option

/// option::extmem: use the caller's memory as the region. It is not mapped from the device.
struct nmreq_opt_extmem {
  nmreq_option nro_opt;
  std::uint64_t nro_usrptr;   ///< in: its address, on a page boundary
  nmreq_pools_info nro_info;  ///< in, out: its length in nr_memsize
};

/// option::sync_kloop_eventfds: how the loop is woken and wakes. event_fds_of() are behind it, one
/// pair for each bound ring, tx before rx, and counted in nro_opt.nro_size.
struct nmreq_opt_sync_kloop_eventfds {
  nmreq_option nro_opt;
};

/// Descriptors of eventfd(2); -1 does without (without ioeventfd the whole loop sleeps and polls).
struct EventFds {
  std::int32_t ioeventfd;  ///< the program rings the loop
  std::int32_t irqfd;      ///< the loop rings the program
};

[[nodiscard]] inline EventFds* event_fds_of(nmreq_opt_sync_kloop_eventfds& option) noexcept {
  return reinterpret_cast<EventFds*>(&option + 1);
}

/// option::sync_kloop_mode.
struct nmreq_opt_sync_kloop_mode {
  nmreq_option nro_opt;
  std::uint32_t mode;  ///< in: kloop_mode
};

/// nmreq_opt_sync_kloop_mode::mode: NM_OPT_SYNC_KLOOP_…, do the work inside the wake-up itself.
/// Needs every ioeventfd: without option::sync_kloop_eventfds such rings are never looked at.
namespace kloop_mode {
inline constexpr std::uint32_t direct_tx = 1;
inline constexpr std::uint32_t direct_rx = 2;
}  // namespace kloop_mode

/// option::csb: exchange ring pointers through two arrays instead of syncs. The rings must be held
/// exclusively; afterwards sync and poll fail on this descriptor.
struct nmreq_opt_csb {
  nmreq_option nro_opt;
  std::uint64_t csb_atok;  ///< in: address of an array of nm_csb_atok, one a bound ring, tx first
  std::uint64_t csb_ktoa;  ///< in: address of an array of nm_csb_ktoa, likewise
};

/// option::offsets: let packets begin at an offset inside their buffer, kept in netmap_slot::ptr.
struct nmreq_opt_offsets {
  nmreq_option nro_opt;
  std::uint64_t nro_max_offset;      ///< in, out: bytes; where a ring is in use the larger one wins
  std::uint64_t nro_initial_offset;  ///< in: written to all slots of a ring not yet in use
  std::uint32_t nro_offset_bits;     ///< in: how many low bits of ptr; 0 is all 64
  std::uint32_t nro_tx_align;        ///< in: alignment of data to be sent
  std::uint64_t nro_min_gap;  ///< in: least distance of offsets sharing a buffer; 0 is not shared
};

// ---- CSB: ring pointers without system calls ----------------------------------------------------
//
// Two entries a ring, on different cache lines, each written by one side. Order matters. The
// program stores cur, then head; it loads hwtail, then hwcur. After publishing it looks at
// kern_need_kick, behind a full barrier, and rings the ioeventfd if that is set.

inline constexpr std::size_t csb_align = 64;  ///< of both arrays

/// From the program to the kernel.
struct nm_csb_atok {
  std::uint32_t head;
  std::uint32_t cur;
  std::uint32_t appl_need_kick;  ///< wake me by the irqfd
  std::uint32_t sync_flags;      ///< 1: look for packets even without an interrupt, 2: reclaim
  std::uint32_t pad[12];
};

/// From the kernel to the program.
struct nm_csb_ktoa {
  std::uint32_t hwcur;           ///< how far the kernel has taken what was released to it
  std::uint32_t hwtail;          ///< what netmap_ring::tail would be
  std::uint32_t kern_need_kick;  ///< wake me by the ioeventfd
  std::uint32_t pad[13];
};

// ---- Legacy requests ----------------------------------------------------------------------------
//
// What programs before API 14 use, and the module still answers.

/// The argument of ioctl_number::ginfo and ioctl_number::regif.
struct nmreq {
  char nr_name[interface_name_size];
  std::uint32_t nr_version;   ///< in: at least 14, without upper bound
  std::uint32_t nr_offset;    ///< out: the lower 32 bits
  std::uint32_t nr_memsize;   ///< out: the lower 32 bits
  std::uint32_t nr_tx_slots;  ///< in, out
  std::uint32_t nr_rx_slots;  ///< in, out
  std::uint16_t nr_tx_rings;  ///< in, out
  std::uint16_t nr_rx_rings;  ///< in, out
  std::uint16_t nr_ringid;    ///< in: legacy_ringid
  std::uint16_t nr_cmd;       ///< in: legacy_cmd
  std::uint16_t nr_arg1;      ///< in: of the command
  std::uint16_t nr_arg2;      ///< in, out: memory_id
  std::uint32_t nr_arg3;      ///< in, out: extra buffers
  std::uint32_t nr_flags;     ///< in: a mode (legacy_mode_mask) and register_flags
  std::uint32_t spare2[1];
};

inline constexpr std::uint32_t legacy_mode_mask = 0xf;  // NR_REG_MASK

/// nmreq::nr_ringid: NETMAP_…. The first two count only if nr_flags holds mode::unset; the last
/// two have the same names as register_flags, and other values.
namespace legacy_ringid {
inline constexpr std::uint16_t hw_ring = 0x4000;  ///< mode::one_nic
inline constexpr std::uint16_t sw_ring = 0x2000;  ///< mode::sw
inline constexpr std::uint16_t ring_mask = 0x0fff;
inline constexpr std::uint16_t no_tx_poll = 0x1000;
inline constexpr std::uint16_t do_rx_poll = 0x8000;
}  // namespace legacy_ringid

/// nmreq::nr_cmd: NETMAP_….
namespace legacy_cmd {
inline constexpr std::uint16_t none = 0;  ///< register, or information
inline constexpr std::uint16_t bdg_attach = 1;
inline constexpr std::uint16_t bdg_detach = 2;
inline constexpr std::uint16_t bdg_regops = 3;  ///< inside the kernel only
inline constexpr std::uint16_t bdg_list = 4;
inline constexpr std::uint16_t bdg_vnet_hdr = 5;
inline constexpr std::uint16_t bdg_newif = 6;
inline constexpr std::uint16_t bdg_delif = 7;
inline constexpr std::uint16_t pt_host_create = 8;
inline constexpr std::uint16_t pt_host_delete = 9;
inline constexpr std::uint16_t bdg_polling_on = 10;
inline constexpr std::uint16_t bdg_polling_off = 11;
inline constexpr std::uint16_t vnet_hdr_get = 12;
}  // namespace legacy_cmd

inline constexpr std::uint16_t legacy_bdg_host = 1;  // NETMAP_BDG_HOST: nr_arg1 of bdg_attach

/// The argument of ioctl_number::config.
struct nm_ifreq {
  char nifr_name[interface_name_size];
  char data[256];  ///< NM_IFRDATA_LEN bytes for whichever module listens
};

// ---- Numbers of the ioctls ----------------------------------------------------------------------
//
// Group 'i', a number, and for those with an argument its size and "both ways". Linux (on x86, Arm
// and RISC-V) and FreeBSD agree on all that, but for the mark FreeBSD puts on having no argument.

namespace ioctl_number {
namespace detail {
#if defined(__FreeBSD__)
inline constexpr unsigned long no_argument = 0x2000'0000;
#else
inline constexpr unsigned long no_argument = 0;
#endif
inline constexpr unsigned long both_ways = 0xc000'0000;

consteval unsigned long encode(unsigned long ways, unsigned long number, std::size_t size = 0) {
  return ways | size << 16 | 'i' << 8 | number;
}
}  // namespace detail

inline constexpr unsigned long ginfo = detail::encode(detail::both_ways, 145, sizeof(nmreq));
inline constexpr unsigned long regif = detail::encode(detail::both_ways, 146, sizeof(nmreq));
inline constexpr unsigned long txsync = detail::encode(detail::no_argument, 148);
inline constexpr unsigned long rxsync = detail::encode(detail::no_argument, 149);
inline constexpr unsigned long config = detail::encode(detail::both_ways, 150, sizeof(nm_ifreq));
inline constexpr unsigned long ctrl = detail::encode(detail::both_ways, 151, sizeof(nmreq_header));
static_assert(ginfo == 0xc03c6991 && regif == 0xc03c6992 && config == 0xc1106996 &&
              ctrl == 0xc0586997 && (txsync & 0xffff) == 0x6994 && (rxsync & 0xffff) == 0x6995);
}  // namespace ioctl_number

// ---- Layout -------------------------------------------------------------------------------------

static_assert(sizeof(netmap_slot) == 16 && alignof(netmap_slot) == 8);
static_assert(offsetof(netmap_slot, buf_idx) == 0 && offsetof(netmap_slot, len) == 4 &&
              offsetof(netmap_slot, flags) == 6 && offsetof(netmap_slot, ptr) == 8);

static_assert(sizeof(netmap_ring) == 256 && alignof(netmap_ring) == cache_align);
static_assert(offsetof(netmap_ring, buf_ofs) == 0 && offsetof(netmap_ring, num_slots) == 8 &&
              offsetof(netmap_ring, nr_buf_size) == 12 && offsetof(netmap_ring, ringid) == 16 &&
              offsetof(netmap_ring, dir) == 18 && offsetof(netmap_ring, head) == 20 &&
              offsetof(netmap_ring, cur) == 24 && offsetof(netmap_ring, tail) == 28 &&
              offsetof(netmap_ring, flags) == 32 && offsetof(netmap_ring, ts) == 40 &&
              offsetof(netmap_ring, offset_mask) == 56 && offsetof(netmap_ring, buf_align) == 64 &&
              offsetof(netmap_ring, sem) == 128);

static_assert(sizeof(netmap_if) == 56 && alignof(netmap_if) == 8);
static_assert(offsetof(netmap_if, ni_name) == 0 && offsetof(netmap_if, ni_version) == 16 &&
              offsetof(netmap_if, ni_flags) == 20 && offsetof(netmap_if, ni_tx_rings) == 24 &&
              offsetof(netmap_if, ni_rx_rings) == 28 && offsetof(netmap_if, ni_bufs_head) == 32 &&
              offsetof(netmap_if, ni_host_tx_rings) == 36 &&
              offsetof(netmap_if, ni_host_rx_rings) == 40 && offsetof(netmap_if, ni_spare1) == 44);

static_assert(sizeof(nmreq_header) == 88 && alignof(nmreq_header) == 8);
static_assert(offsetof(nmreq_header, nr_version) == 0 && offsetof(nmreq_header, nr_reqtype) == 2 &&
              offsetof(nmreq_header, nr_reserved) == 4 && offsetof(nmreq_header, nr_name) == 8 &&
              offsetof(nmreq_header, nr_options) == 72 && offsetof(nmreq_header, nr_body) == 80);

static_assert(sizeof(nmreq_register) == 56 && alignof(nmreq_register) == 8);
static_assert(
    offsetof(nmreq_register, nr_offset) == 0 && offsetof(nmreq_register, nr_memsize) == 8 &&
    offsetof(nmreq_register, nr_tx_slots) == 16 && offsetof(nmreq_register, nr_rx_slots) == 20 &&
    offsetof(nmreq_register, nr_tx_rings) == 24 && offsetof(nmreq_register, nr_rx_rings) == 26 &&
    offsetof(nmreq_register, nr_host_tx_rings) == 28 &&
    offsetof(nmreq_register, nr_host_rx_rings) == 30 && offsetof(nmreq_register, nr_mem_id) == 32 &&
    offsetof(nmreq_register, nr_ringid) == 34 && offsetof(nmreq_register, nr_mode) == 36 &&
    offsetof(nmreq_register, nr_extra_bufs) == 40 && offsetof(nmreq_register, nr_flags) == 48);

static_assert(sizeof(nmreq_port_info_get) == 32 && alignof(nmreq_port_info_get) == 8);
static_assert(offsetof(nmreq_port_info_get, nr_memsize) == 0 &&
              offsetof(nmreq_port_info_get, nr_tx_slots) == 8 &&
              offsetof(nmreq_port_info_get, nr_rx_slots) == 12 &&
              offsetof(nmreq_port_info_get, nr_tx_rings) == 16 &&
              offsetof(nmreq_port_info_get, nr_rx_rings) == 18 &&
              offsetof(nmreq_port_info_get, nr_host_tx_rings) == 20 &&
              offsetof(nmreq_port_info_get, nr_host_rx_rings) == 22 &&
              offsetof(nmreq_port_info_get, nr_mem_id) == 24 &&
              offsetof(nmreq_port_info_get, pad) == 26);

static_assert(sizeof(nmreq_vale_attach) == 64 && alignof(nmreq_vale_attach) == 8);
static_assert(offsetof(nmreq_vale_attach, reg) == 0 &&
              offsetof(nmreq_vale_attach, port_index) == 56 &&
              offsetof(nmreq_vale_attach, pad1) == 60);

static_assert(sizeof(nmreq_vale_detach) == 8 && alignof(nmreq_vale_detach) == 4);
static_assert(offsetof(nmreq_vale_detach, port_index) == 0 &&
              offsetof(nmreq_vale_detach, pad1) == 4);

static_assert(sizeof(nmreq_vale_list) == 8 && alignof(nmreq_vale_list) == 4);
static_assert(offsetof(nmreq_vale_list, nr_bridge_idx) == 0 &&
              offsetof(nmreq_vale_list, pad1) == 2 && offsetof(nmreq_vale_list, nr_port_idx) == 4);

static_assert(sizeof(nmreq_port_hdr) == 8 && alignof(nmreq_port_hdr) == 4);
static_assert(offsetof(nmreq_port_hdr, nr_hdr_len) == 0 && offsetof(nmreq_port_hdr, pad1) == 4);

static_assert(sizeof(nmreq_vale_newif) == 16 && alignof(nmreq_vale_newif) == 4);
static_assert(offsetof(nmreq_vale_newif, nr_tx_slots) == 0 &&
              offsetof(nmreq_vale_newif, nr_rx_slots) == 4 &&
              offsetof(nmreq_vale_newif, nr_tx_rings) == 8 &&
              offsetof(nmreq_vale_newif, nr_rx_rings) == 10 &&
              offsetof(nmreq_vale_newif, nr_mem_id) == 12 &&
              offsetof(nmreq_vale_newif, pad1) == 14);

static_assert(sizeof(nmreq_vale_polling) == 16 && alignof(nmreq_vale_polling) == 4);
static_assert(offsetof(nmreq_vale_polling, nr_mode) == 0 &&
              offsetof(nmreq_vale_polling, nr_first_cpu_id) == 4 &&
              offsetof(nmreq_vale_polling, nr_num_polling_cpus) == 8 &&
              offsetof(nmreq_vale_polling, pad1) == 12);

static_assert(sizeof(nmreq_pools_info) == 64 && alignof(nmreq_pools_info) == 8);
static_assert(offsetof(nmreq_pools_info, nr_memsize) == 0 &&
              offsetof(nmreq_pools_info, nr_mem_id) == 8 && offsetof(nmreq_pools_info, pad1) == 10);
static_assert(offsetof(nmreq_pools_info, nr_if_pool_offset) == 16 &&
              offsetof(nmreq_pools_info, nr_if_pool_objtotal) == 24 &&
              offsetof(nmreq_pools_info, nr_if_pool_objsize) == 28 &&
              offsetof(nmreq_pools_info, nr_ring_pool_offset) == 32 &&
              offsetof(nmreq_pools_info, nr_ring_pool_objtotal) == 40 &&
              offsetof(nmreq_pools_info, nr_ring_pool_objsize) == 44 &&
              offsetof(nmreq_pools_info, nr_buf_pool_offset) == 48 &&
              offsetof(nmreq_pools_info, nr_buf_pool_objtotal) == 56 &&
              offsetof(nmreq_pools_info, nr_buf_pool_objsize) == 60);

static_assert(sizeof(nmreq_sync_kloop_start) == 8 && alignof(nmreq_sync_kloop_start) == 4);
static_assert(offsetof(nmreq_sync_kloop_start, sleep_us) == 0 &&
              offsetof(nmreq_sync_kloop_start, pad1) == 4);

static_assert(sizeof(nmreq_option) == 24 && alignof(nmreq_option) == 8);
static_assert(offsetof(nmreq_option, nro_next) == 0 && offsetof(nmreq_option, nro_reqtype) == 8 &&
              offsetof(nmreq_option, nro_status) == 12 && offsetof(nmreq_option, nro_size) == 16);

static_assert(sizeof(nmreq_opt_extmem) == 96 && alignof(nmreq_opt_extmem) == 8);
static_assert(offsetof(nmreq_opt_extmem, nro_opt) == 0 &&
              offsetof(nmreq_opt_extmem, nro_usrptr) == 24 &&
              offsetof(nmreq_opt_extmem, nro_info) == 32);

static_assert(sizeof(nmreq_opt_sync_kloop_eventfds) == 24 &&
              alignof(nmreq_opt_sync_kloop_eventfds) == 8);

static_assert(sizeof(EventFds) == 8 && alignof(EventFds) == 4);
static_assert(offsetof(EventFds, ioeventfd) == 0 && offsetof(EventFds, irqfd) == 4);

static_assert(sizeof(nmreq_opt_sync_kloop_mode) == 32 && alignof(nmreq_opt_sync_kloop_mode) == 8);
static_assert(offsetof(nmreq_opt_sync_kloop_mode, nro_opt) == 0 &&
              offsetof(nmreq_opt_sync_kloop_mode, mode) == 24);

static_assert(sizeof(nmreq_opt_csb) == 40 && alignof(nmreq_opt_csb) == 8);
static_assert(offsetof(nmreq_opt_csb, nro_opt) == 0 && offsetof(nmreq_opt_csb, csb_atok) == 24 &&
              offsetof(nmreq_opt_csb, csb_ktoa) == 32);

static_assert(sizeof(nmreq_opt_offsets) == 56 && alignof(nmreq_opt_offsets) == 8);
static_assert(offsetof(nmreq_opt_offsets, nro_opt) == 0 &&
              offsetof(nmreq_opt_offsets, nro_max_offset) == 24 &&
              offsetof(nmreq_opt_offsets, nro_initial_offset) == 32 &&
              offsetof(nmreq_opt_offsets, nro_offset_bits) == 40 &&
              offsetof(nmreq_opt_offsets, nro_tx_align) == 44 &&
              offsetof(nmreq_opt_offsets, nro_min_gap) == 48);

static_assert(sizeof(nm_csb_atok) == csb_align && alignof(nm_csb_atok) == 4);
static_assert(offsetof(nm_csb_atok, head) == 0 && offsetof(nm_csb_atok, cur) == 4 &&
              offsetof(nm_csb_atok, appl_need_kick) == 8 &&
              offsetof(nm_csb_atok, sync_flags) == 12 && offsetof(nm_csb_atok, pad) == 16);

static_assert(sizeof(nm_csb_ktoa) == csb_align && alignof(nm_csb_ktoa) == 4);
static_assert(offsetof(nm_csb_ktoa, hwcur) == 0 && offsetof(nm_csb_ktoa, hwtail) == 4 &&
              offsetof(nm_csb_ktoa, kern_need_kick) == 8 && offsetof(nm_csb_ktoa, pad) == 12);

static_assert(sizeof(nmreq) == 60 && alignof(nmreq) == 4);
static_assert(offsetof(nmreq, nr_name) == 0 && offsetof(nmreq, nr_version) == 16 &&
              offsetof(nmreq, nr_offset) == 20 && offsetof(nmreq, nr_memsize) == 24 &&
              offsetof(nmreq, nr_tx_slots) == 28 && offsetof(nmreq, nr_rx_slots) == 32 &&
              offsetof(nmreq, nr_tx_rings) == 36 && offsetof(nmreq, nr_rx_rings) == 38 &&
              offsetof(nmreq, nr_ringid) == 40 && offsetof(nmreq, nr_cmd) == 42 &&
              offsetof(nmreq, nr_arg1) == 44 && offsetof(nmreq, nr_arg2) == 46 &&
              offsetof(nmreq, nr_arg3) == 48 && offsetof(nmreq, nr_flags) == 52 &&
              offsetof(nmreq, spare2) == 56);

static_assert(sizeof(nm_ifreq) == 272 && alignof(nm_ifreq) == 1);
static_assert(offsetof(nm_ifreq, nifr_name) == 0 && offsetof(nm_ifreq, data) == 16);

}  // namespace netmap::abi
