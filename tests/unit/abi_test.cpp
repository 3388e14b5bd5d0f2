// SPDX-License-Identifier: BSD-2-Clause
//
// abi.hpp against its sources. The numbers of the ioctls are compared with what the system's own
// macros make of them, everywhere. All the rest is compared with <net/netmap.h> where the system
// has it: the suite AbiAgainstSystemHeader exists only then, and the property system_header of the
// test report says so. That header comes first here, so that its macros would hit ours.

#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/types.h>

#if __has_include(<net/netmap.h>)
#define NETMAPXX_HAVE_SYSTEM_HEADER 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <net/netmap.h>
#pragma GCC diagnostic pop
#endif

#include <netmap/abi.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace netmap {
namespace {

TEST(Abi, IoctlNumbersAreWhatTheSystemsMacrosMake) {
#if defined(NETMAPXX_HAVE_SYSTEM_HEADER)
  RecordProperty("system_header", "compared");
#else
  RecordProperty("system_header", "absent");
#endif
  EXPECT_EQ(abi::ioctl_number::ginfo, _IOWR('i', 145, abi::nmreq));
  EXPECT_EQ(abi::ioctl_number::regif, _IOWR('i', 146, abi::nmreq));
  EXPECT_EQ(abi::ioctl_number::txsync, static_cast<unsigned long>(_IO('i', 148)));
  EXPECT_EQ(abi::ioctl_number::rxsync, static_cast<unsigned long>(_IO('i', 149)));
  EXPECT_EQ(abi::ioctl_number::config, _IOWR('i', 150, abi::nm_ifreq));
  EXPECT_EQ(abi::ioctl_number::ctrl, _IOWR('i', 151, abi::nmreq_header));
}

TEST(Abi, ArraysFollowTheirStructures) {
  struct RingAndSlot {
    abi::netmap_ring ring;
    abi::netmap_slot slot;
  } ring{};
  EXPECT_EQ(abi::slots_of(ring.ring), &ring.slot);

  struct InterfaceAndOffset {
    abi::netmap_if interface;
    std::int64_t offset;
  } port{};
  EXPECT_EQ(abi::ring_offsets_of(port.interface), &port.offset);

  struct OptionAndFds {
    abi::nmreq_opt_sync_kloop_eventfds option;
    abi::EventFds fds;
  } option{};
  EXPECT_EQ(abi::event_fds_of(option.option), &option.fds);
}

TEST(Abi, FragmentCountIsTheUpperByteOfTheFlags) {
  const auto count = [](std::uint16_t flags) {
    return abi::fragment_count({.buf_idx = 2, .len = 60, .flags = flags, .ptr = 0});
  };
  EXPECT_EQ(count(abi::slot_flags::more_fragments), 0U);
  EXPECT_EQ(count(0x0100), 1U);
  EXPECT_EQ(count(0x4000 | abi::slot_flags::more_fragments), abi::max_fragments);
  EXPECT_EQ(count(abi::slot_flags::port_mask), 255U);
}

TEST(Abi, FlagsAreDistinctBits) {
  const auto bits_in = [](auto... flags) { return std::popcount((std::uint64_t{flags} + ...)); };
  {
    using namespace abi::slot_flags;
    EXPECT_EQ(bits_in(buf_changed, report, abi::slot_flags::forward, no_learn, indirect,
                      more_fragments, txmon),
              7);
    EXPECT_EQ(bits_in(port_mask, txmon, more_fragments), 10);
  }
  {
    using namespace abi::register_flags;
    EXPECT_EQ(bits_in(monitor_tx, monitor_rx, zcopy_mon, exclusive, rx_rings_only, tx_rings_only,
                      accept_vnet_hdr, do_rx_poll, no_tx_poll),
              9);
    EXPECT_NE(no_tx_poll, abi::legacy_ringid::no_tx_poll);
    EXPECT_NE(do_rx_poll, abi::legacy_ringid::do_rx_poll);
  }
}

#if defined(NETMAPXX_HAVE_SYSTEM_HEADER)

/// Whether two fields have one type, or, being structures of their own, one size.
template <class Ours, class Theirs>
consteval bool alike() {
  if constexpr (std::is_class_v<Ours>) return sizeof(Ours) == sizeof(Theirs);
  return std::is_same_v<Ours, std::remove_cv_t<Theirs>>;
}

#define EXPECT_SAME_SIZE(type)                  \
  EXPECT_EQ(sizeof(abi::type), sizeof(::type)); \
  EXPECT_EQ(alignof(abi::type), alignof(::type))

#define EXPECT_SAME_FIELD(type, field)                                                 \
  EXPECT_EQ(offsetof(abi::type, field), offsetof(::type, field)) << #type "::" #field; \
  EXPECT_TRUE((alike<decltype(abi::type::field), decltype(::type::field)>())) << #type "::" #field

#define EXPECT_SAME_NUMBER(ours, theirs) \
  EXPECT_EQ(static_cast<std::uint64_t>(abi::ours), static_cast<std::uint64_t>(theirs)) << #theirs

TEST(AbiAgainstSystemHeader, Slot) {
  EXPECT_SAME_SIZE(netmap_slot);
  EXPECT_SAME_FIELD(netmap_slot, buf_idx);
  EXPECT_SAME_FIELD(netmap_slot, len);
  EXPECT_SAME_FIELD(netmap_slot, flags);
  EXPECT_SAME_FIELD(netmap_slot, ptr);
}

TEST(AbiAgainstSystemHeader, Ring) {
  EXPECT_SAME_SIZE(netmap_ring);
  EXPECT_SAME_FIELD(netmap_ring, buf_ofs);
  EXPECT_SAME_FIELD(netmap_ring, num_slots);
  EXPECT_SAME_FIELD(netmap_ring, nr_buf_size);
  EXPECT_SAME_FIELD(netmap_ring, ringid);
  EXPECT_SAME_FIELD(netmap_ring, dir);
  EXPECT_SAME_FIELD(netmap_ring, head);
  EXPECT_SAME_FIELD(netmap_ring, cur);
  EXPECT_SAME_FIELD(netmap_ring, tail);
  EXPECT_SAME_FIELD(netmap_ring, flags);
  EXPECT_SAME_FIELD(netmap_ring, ts);
  EXPECT_SAME_FIELD(timeval, tv_sec);
  EXPECT_SAME_FIELD(timeval, tv_usec);
  EXPECT_SAME_FIELD(netmap_ring, offset_mask);
  EXPECT_SAME_FIELD(netmap_ring, buf_align);
  EXPECT_SAME_FIELD(netmap_ring, sem);
  EXPECT_EQ(sizeof(abi::netmap_ring), offsetof(::netmap_ring, slot));
}

TEST(AbiAgainstSystemHeader, Interface) {
  EXPECT_SAME_SIZE(netmap_if);
  EXPECT_SAME_FIELD(netmap_if, ni_name);
  EXPECT_SAME_FIELD(netmap_if, ni_version);
  EXPECT_SAME_FIELD(netmap_if, ni_flags);
  EXPECT_SAME_FIELD(netmap_if, ni_tx_rings);
  EXPECT_SAME_FIELD(netmap_if, ni_rx_rings);
  EXPECT_SAME_FIELD(netmap_if, ni_bufs_head);
  EXPECT_SAME_FIELD(netmap_if, ni_host_tx_rings);
  EXPECT_SAME_FIELD(netmap_if, ni_host_rx_rings);
  EXPECT_SAME_FIELD(netmap_if, ni_spare1);
  EXPECT_EQ(sizeof(abi::netmap_if), offsetof(::netmap_if, ring_ofs));
  EXPECT_EQ(sizeof(std::int64_t), sizeof(ssize_t));
}

TEST(AbiAgainstSystemHeader, Header) {
  EXPECT_SAME_SIZE(nmreq_header);
  EXPECT_SAME_FIELD(nmreq_header, nr_version);
  EXPECT_SAME_FIELD(nmreq_header, nr_reqtype);
  EXPECT_SAME_FIELD(nmreq_header, nr_reserved);
  EXPECT_SAME_FIELD(nmreq_header, nr_name);
  EXPECT_SAME_FIELD(nmreq_header, nr_options);
  EXPECT_SAME_FIELD(nmreq_header, nr_body);
}

TEST(AbiAgainstSystemHeader, Register) {
  EXPECT_SAME_SIZE(nmreq_register);
  EXPECT_SAME_FIELD(nmreq_register, nr_offset);
  EXPECT_SAME_FIELD(nmreq_register, nr_memsize);
  EXPECT_SAME_FIELD(nmreq_register, nr_tx_slots);
  EXPECT_SAME_FIELD(nmreq_register, nr_rx_slots);
  EXPECT_SAME_FIELD(nmreq_register, nr_tx_rings);
  EXPECT_SAME_FIELD(nmreq_register, nr_rx_rings);
  EXPECT_SAME_FIELD(nmreq_register, nr_host_tx_rings);
  EXPECT_SAME_FIELD(nmreq_register, nr_host_rx_rings);
  EXPECT_SAME_FIELD(nmreq_register, nr_mem_id);
  EXPECT_SAME_FIELD(nmreq_register, nr_ringid);
  EXPECT_SAME_FIELD(nmreq_register, nr_mode);
  EXPECT_SAME_FIELD(nmreq_register, nr_extra_bufs);
  EXPECT_SAME_FIELD(nmreq_register, nr_flags);
}

TEST(AbiAgainstSystemHeader, PortInfo) {
  EXPECT_SAME_SIZE(nmreq_port_info_get);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_memsize);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_tx_slots);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_rx_slots);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_tx_rings);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_rx_rings);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_host_tx_rings);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_host_rx_rings);
  EXPECT_SAME_FIELD(nmreq_port_info_get, nr_mem_id);
  EXPECT_SAME_FIELD(nmreq_port_info_get, pad);
}

TEST(AbiAgainstSystemHeader, Vale) {
  EXPECT_SAME_SIZE(nmreq_vale_attach);
  EXPECT_SAME_FIELD(nmreq_vale_attach, reg);
  EXPECT_SAME_FIELD(nmreq_vale_attach, port_index);
  EXPECT_SAME_FIELD(nmreq_vale_attach, pad1);
  EXPECT_SAME_SIZE(nmreq_vale_detach);
  EXPECT_SAME_FIELD(nmreq_vale_detach, port_index);
  EXPECT_SAME_FIELD(nmreq_vale_detach, pad1);
  EXPECT_SAME_SIZE(nmreq_vale_list);
  EXPECT_SAME_FIELD(nmreq_vale_list, nr_bridge_idx);
  EXPECT_SAME_FIELD(nmreq_vale_list, pad1);
  EXPECT_SAME_FIELD(nmreq_vale_list, nr_port_idx);
  EXPECT_SAME_SIZE(nmreq_vale_newif);
  EXPECT_SAME_FIELD(nmreq_vale_newif, nr_tx_slots);
  EXPECT_SAME_FIELD(nmreq_vale_newif, nr_rx_slots);
  EXPECT_SAME_FIELD(nmreq_vale_newif, nr_tx_rings);
  EXPECT_SAME_FIELD(nmreq_vale_newif, nr_rx_rings);
  EXPECT_SAME_FIELD(nmreq_vale_newif, nr_mem_id);
  EXPECT_SAME_FIELD(nmreq_vale_newif, pad1);
  EXPECT_SAME_SIZE(nmreq_vale_polling);
  EXPECT_SAME_FIELD(nmreq_vale_polling, nr_mode);
  EXPECT_SAME_FIELD(nmreq_vale_polling, nr_first_cpu_id);
  EXPECT_SAME_FIELD(nmreq_vale_polling, nr_num_polling_cpus);
  EXPECT_SAME_FIELD(nmreq_vale_polling, pad1);
}

TEST(AbiAgainstSystemHeader, OtherBodies) {
  EXPECT_SAME_SIZE(nmreq_port_hdr);
  EXPECT_SAME_FIELD(nmreq_port_hdr, nr_hdr_len);
  EXPECT_SAME_FIELD(nmreq_port_hdr, pad1);
  EXPECT_SAME_SIZE(nmreq_pools_info);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_memsize);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_mem_id);
  EXPECT_SAME_FIELD(nmreq_pools_info, pad1);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_if_pool_offset);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_if_pool_objtotal);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_if_pool_objsize);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_ring_pool_offset);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_ring_pool_objtotal);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_ring_pool_objsize);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_buf_pool_offset);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_buf_pool_objtotal);
  EXPECT_SAME_FIELD(nmreq_pools_info, nr_buf_pool_objsize);
  EXPECT_SAME_SIZE(nmreq_sync_kloop_start);
  EXPECT_SAME_FIELD(nmreq_sync_kloop_start, sleep_us);
  EXPECT_SAME_FIELD(nmreq_sync_kloop_start, pad1);
}

TEST(AbiAgainstSystemHeader, Options) {
  EXPECT_SAME_SIZE(nmreq_option);
  EXPECT_SAME_FIELD(nmreq_option, nro_next);
  EXPECT_SAME_FIELD(nmreq_option, nro_reqtype);
  EXPECT_SAME_FIELD(nmreq_option, nro_status);
  EXPECT_SAME_FIELD(nmreq_option, nro_size);
  EXPECT_SAME_SIZE(nmreq_opt_extmem);
  EXPECT_SAME_FIELD(nmreq_opt_extmem, nro_opt);
  EXPECT_SAME_FIELD(nmreq_opt_extmem, nro_usrptr);
  EXPECT_SAME_FIELD(nmreq_opt_extmem, nro_info);
  EXPECT_SAME_SIZE(nmreq_opt_sync_kloop_mode);
  EXPECT_SAME_FIELD(nmreq_opt_sync_kloop_mode, nro_opt);
  EXPECT_SAME_FIELD(nmreq_opt_sync_kloop_mode, mode);
  EXPECT_SAME_SIZE(nmreq_opt_csb);
  EXPECT_SAME_FIELD(nmreq_opt_csb, nro_opt);
  EXPECT_SAME_FIELD(nmreq_opt_csb, csb_atok);
  EXPECT_SAME_FIELD(nmreq_opt_csb, csb_ktoa);
  EXPECT_SAME_SIZE(nmreq_opt_offsets);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_opt);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_max_offset);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_initial_offset);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_offset_bits);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_tx_align);
  EXPECT_SAME_FIELD(nmreq_opt_offsets, nro_min_gap);
}

TEST(AbiAgainstSystemHeader, EventFds) {
  using Theirs = std::remove_extent_t<decltype(::nmreq_opt_sync_kloop_eventfds::eventfds)>;
  EXPECT_SAME_SIZE(nmreq_opt_sync_kloop_eventfds);
  EXPECT_SAME_FIELD(nmreq_opt_sync_kloop_eventfds, nro_opt);
  EXPECT_EQ(sizeof(abi::nmreq_opt_sync_kloop_eventfds),
            offsetof(::nmreq_opt_sync_kloop_eventfds, eventfds));
  EXPECT_EQ(sizeof(abi::EventFds), sizeof(Theirs));
  EXPECT_EQ(offsetof(abi::EventFds, ioeventfd), offsetof(Theirs, ioeventfd));
  EXPECT_EQ(offsetof(abi::EventFds, irqfd), offsetof(Theirs, irqfd));
}

TEST(AbiAgainstSystemHeader, Csb) {
  EXPECT_SAME_SIZE(nm_csb_atok);
  EXPECT_SAME_FIELD(nm_csb_atok, head);
  EXPECT_SAME_FIELD(nm_csb_atok, cur);
  EXPECT_SAME_FIELD(nm_csb_atok, appl_need_kick);
  EXPECT_SAME_FIELD(nm_csb_atok, sync_flags);
  EXPECT_SAME_FIELD(nm_csb_atok, pad);
  EXPECT_SAME_SIZE(nm_csb_ktoa);
  EXPECT_SAME_FIELD(nm_csb_ktoa, hwcur);
  EXPECT_SAME_FIELD(nm_csb_ktoa, hwtail);
  EXPECT_SAME_FIELD(nm_csb_ktoa, kern_need_kick);
  EXPECT_SAME_FIELD(nm_csb_ktoa, pad);
}

TEST(AbiAgainstSystemHeader, LegacyRequests) {
  EXPECT_SAME_SIZE(nmreq);
  EXPECT_SAME_FIELD(nmreq, nr_name);
  EXPECT_SAME_FIELD(nmreq, nr_version);
  EXPECT_SAME_FIELD(nmreq, nr_offset);
  EXPECT_SAME_FIELD(nmreq, nr_memsize);
  EXPECT_SAME_FIELD(nmreq, nr_tx_slots);
  EXPECT_SAME_FIELD(nmreq, nr_rx_slots);
  EXPECT_SAME_FIELD(nmreq, nr_tx_rings);
  EXPECT_SAME_FIELD(nmreq, nr_rx_rings);
  EXPECT_SAME_FIELD(nmreq, nr_ringid);
  EXPECT_SAME_FIELD(nmreq, nr_cmd);
  EXPECT_SAME_FIELD(nmreq, nr_arg1);
  EXPECT_SAME_FIELD(nmreq, nr_arg2);
  EXPECT_SAME_FIELD(nmreq, nr_arg3);
  EXPECT_SAME_FIELD(nmreq, nr_flags);
  EXPECT_SAME_FIELD(nmreq, spare2);
  EXPECT_SAME_SIZE(nm_ifreq);
  EXPECT_SAME_FIELD(nm_ifreq, nifr_name);
  EXPECT_SAME_FIELD(nm_ifreq, data);
}

TEST(AbiAgainstSystemHeader, VersionsAndLimits) {
  EXPECT_SAME_NUMBER(version::current, NETMAP_API);
  EXPECT_SAME_NUMBER(version::oldest, NETMAP_MIN_API);
  EXPECT_SAME_NUMBER(version::newest, NETMAP_MAX_API);
  EXPECT_SAME_NUMBER(cache_align, NM_CACHE_ALIGN);
  EXPECT_SAME_NUMBER(interface_name_size, IFNAMSIZ);
  EXPECT_SAME_NUMBER(request_name_size, NETMAP_REQ_IFNAMSIZ);
  EXPECT_SAME_NUMBER(max_request_size, NETMAP_REQ_MAXSIZE);
  EXPECT_SAME_NUMBER(max_fragments, NETMAP_MAX_FRAGS);
  EXPECT_EQ(std::string_view(abi::vale_prefix), NM_BDG_NAME);
}

TEST(AbiAgainstSystemHeader, FlagsInSharedMemory) {
  EXPECT_SAME_NUMBER(slot_flags::buf_changed, NS_BUF_CHANGED);
  EXPECT_SAME_NUMBER(slot_flags::report, NS_REPORT);
  EXPECT_SAME_NUMBER(slot_flags::forward, NS_FORWARD);
  EXPECT_SAME_NUMBER(slot_flags::no_learn, NS_NO_LEARN);
  EXPECT_SAME_NUMBER(slot_flags::indirect, NS_INDIRECT);
  EXPECT_SAME_NUMBER(slot_flags::more_fragments, NS_MOREFRAG);
  EXPECT_SAME_NUMBER(slot_flags::txmon, NS_TXMON);
  EXPECT_SAME_NUMBER(slot_flags::port_shift, NS_PORT_SHIFT);
  EXPECT_SAME_NUMBER(slot_flags::port_mask, NS_PORT_MASK);
  EXPECT_SAME_NUMBER(ring_flags::timestamp, NR_TIMESTAMP);
  EXPECT_SAME_NUMBER(ring_flags::forward, NR_FORWARD);
  EXPECT_SAME_NUMBER(if_flags::priv_mem, NI_PRIV_MEM);

  const ::netmap_slot theirs{.buf_idx = 2, .len = 60, .flags = 0x2a7f, .ptr = 0};
  const abi::netmap_slot ours{.buf_idx = 2, .len = 60, .flags = 0x2a7f, .ptr = 0};
  EXPECT_EQ(abi::fragment_count(ours), static_cast<unsigned>(NS_RFRAGS(&theirs)));
}

TEST(AbiAgainstSystemHeader, RequestsAndOptions) {
  EXPECT_SAME_NUMBER(request::port_register, NETMAP_REQ_REGISTER);
  EXPECT_SAME_NUMBER(request::port_info_get, NETMAP_REQ_PORT_INFO_GET);
  EXPECT_SAME_NUMBER(request::vale_attach, NETMAP_REQ_VALE_ATTACH);
  EXPECT_SAME_NUMBER(request::vale_detach, NETMAP_REQ_VALE_DETACH);
  EXPECT_SAME_NUMBER(request::vale_list, NETMAP_REQ_VALE_LIST);
  EXPECT_SAME_NUMBER(request::port_hdr_set, NETMAP_REQ_PORT_HDR_SET);
  EXPECT_SAME_NUMBER(request::port_hdr_get, NETMAP_REQ_PORT_HDR_GET);
  EXPECT_SAME_NUMBER(request::vale_newif, NETMAP_REQ_VALE_NEWIF);
  EXPECT_SAME_NUMBER(request::vale_delif, NETMAP_REQ_VALE_DELIF);
  EXPECT_SAME_NUMBER(request::vale_polling_enable, NETMAP_REQ_VALE_POLLING_ENABLE);
  EXPECT_SAME_NUMBER(request::vale_polling_disable, NETMAP_REQ_VALE_POLLING_DISABLE);
  EXPECT_SAME_NUMBER(request::pools_info_get, NETMAP_REQ_POOLS_INFO_GET);
  EXPECT_SAME_NUMBER(request::sync_kloop_start, NETMAP_REQ_SYNC_KLOOP_START);
  EXPECT_SAME_NUMBER(request::sync_kloop_stop, NETMAP_REQ_SYNC_KLOOP_STOP);
  EXPECT_SAME_NUMBER(request::csb_enable, NETMAP_REQ_CSB_ENABLE);
  EXPECT_SAME_NUMBER(option::extmem, NETMAP_REQ_OPT_EXTMEM);
  EXPECT_SAME_NUMBER(option::sync_kloop_eventfds, NETMAP_REQ_OPT_SYNC_KLOOP_EVENTFDS);
  EXPECT_SAME_NUMBER(option::csb, NETMAP_REQ_OPT_CSB);
  EXPECT_SAME_NUMBER(option::sync_kloop_mode, NETMAP_REQ_OPT_SYNC_KLOOP_MODE);
  EXPECT_SAME_NUMBER(option::offsets, NETMAP_REQ_OPT_OFFSETS);
  EXPECT_SAME_NUMBER(option::first_unknown, NETMAP_REQ_OPT_MAX);
}

TEST(AbiAgainstSystemHeader, ModesAndRegisterFlags) {
  EXPECT_SAME_NUMBER(mode::unset, NR_REG_DEFAULT);
  EXPECT_SAME_NUMBER(mode::all_nic, NR_REG_ALL_NIC);
  EXPECT_SAME_NUMBER(mode::sw, NR_REG_SW);
  EXPECT_SAME_NUMBER(mode::nic_sw, NR_REG_NIC_SW);
  EXPECT_SAME_NUMBER(mode::one_nic, NR_REG_ONE_NIC);
  EXPECT_SAME_NUMBER(mode::pipe_master, NR_REG_PIPE_MASTER);
  EXPECT_SAME_NUMBER(mode::pipe_slave, NR_REG_PIPE_SLAVE);
  EXPECT_SAME_NUMBER(mode::null, NR_REG_NULL);
  EXPECT_SAME_NUMBER(mode::one_sw, NR_REG_ONE_SW);
  EXPECT_SAME_NUMBER(register_flags::monitor_tx, NR_MONITOR_TX);
  EXPECT_SAME_NUMBER(register_flags::monitor_rx, NR_MONITOR_RX);
  EXPECT_SAME_NUMBER(register_flags::zcopy_mon, NR_ZCOPY_MON);
  EXPECT_SAME_NUMBER(register_flags::exclusive, NR_EXCLUSIVE);
  EXPECT_SAME_NUMBER(register_flags::rx_rings_only, NR_RX_RINGS_ONLY);
  EXPECT_SAME_NUMBER(register_flags::tx_rings_only, NR_TX_RINGS_ONLY);
  EXPECT_SAME_NUMBER(register_flags::accept_vnet_hdr, NR_ACCEPT_VNET_HDR);
  EXPECT_SAME_NUMBER(register_flags::do_rx_poll, NR_DO_RX_POLL);
  EXPECT_SAME_NUMBER(register_flags::no_tx_poll, NR_NO_TX_POLL);
  EXPECT_SAME_NUMBER(polling_mode::single_cpu, NETMAP_POLLING_MODE_SINGLE_CPU);
  EXPECT_SAME_NUMBER(polling_mode::multi_cpu, NETMAP_POLLING_MODE_MULTI_CPU);
  EXPECT_SAME_NUMBER(kloop_mode::direct_tx, NM_OPT_SYNC_KLOOP_DIRECT_TX);
  EXPECT_SAME_NUMBER(kloop_mode::direct_rx, NM_OPT_SYNC_KLOOP_DIRECT_RX);
}

TEST(AbiAgainstSystemHeader, LegacyNumbers) {
  EXPECT_SAME_NUMBER(legacy_mode_mask, NR_REG_MASK);
  EXPECT_SAME_NUMBER(legacy_ringid::hw_ring, NETMAP_HW_RING);
  EXPECT_SAME_NUMBER(legacy_ringid::sw_ring, NETMAP_SW_RING);
  EXPECT_SAME_NUMBER(legacy_ringid::ring_mask, NETMAP_RING_MASK);
  EXPECT_SAME_NUMBER(legacy_ringid::no_tx_poll, NETMAP_NO_TX_POLL);
  EXPECT_SAME_NUMBER(legacy_ringid::do_rx_poll, NETMAP_DO_RX_POLL);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_attach, NETMAP_BDG_ATTACH);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_detach, NETMAP_BDG_DETACH);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_regops, NETMAP_BDG_REGOPS);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_list, NETMAP_BDG_LIST);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_vnet_hdr, NETMAP_BDG_VNET_HDR);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_newif, NETMAP_BDG_NEWIF);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_delif, NETMAP_BDG_DELIF);
  EXPECT_SAME_NUMBER(legacy_cmd::pt_host_create, NETMAP_PT_HOST_CREATE);
  EXPECT_SAME_NUMBER(legacy_cmd::pt_host_delete, NETMAP_PT_HOST_DELETE);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_polling_on, NETMAP_BDG_POLLING_ON);
  EXPECT_SAME_NUMBER(legacy_cmd::bdg_polling_off, NETMAP_BDG_POLLING_OFF);
  EXPECT_SAME_NUMBER(legacy_cmd::vnet_hdr_get, NETMAP_VNET_HDR_GET);
  EXPECT_SAME_NUMBER(legacy_bdg_host, NETMAP_BDG_HOST);
}

TEST(AbiAgainstSystemHeader, IoctlNumbers) {
  EXPECT_SAME_NUMBER(ioctl_number::ginfo, NIOCGINFO);
  EXPECT_SAME_NUMBER(ioctl_number::regif, NIOCREGIF);
  EXPECT_SAME_NUMBER(ioctl_number::txsync, NIOCTXSYNC);
  EXPECT_SAME_NUMBER(ioctl_number::rxsync, NIOCRXSYNC);
  EXPECT_SAME_NUMBER(ioctl_number::config, NIOCCONFIG);
  EXPECT_SAME_NUMBER(ioctl_number::ctrl, NIOCCTRL);
}

#endif  // NETMAPXX_HAVE_SYSTEM_HEADER

}  // namespace
}  // namespace netmap
