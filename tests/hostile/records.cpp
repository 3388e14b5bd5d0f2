// SPDX-License-Identifier: BSD-2-Clause
#include "hostile/records.hpp"

#include <bit>
#include <cstring>

#include <fcntl.h>

namespace netmap::embedded {
namespace {

/// Whatever its type allows.
template <class Word>
void write_to(Word& word, std::uint64_t value) {
  std::memcpy(static_cast<void*>(&word), &value, sizeof word);
}

os::Mapping map(const std::string& file, std::size_t bytes) {
  return os::map(os::open(AT_FDCWD, file, O_RDWR).value(), bytes).value();
}

constexpr std::uint32_t few = 4;  // instances of which some are in use

/// Each port of a switch has a tx ring, an rx ring and the mailbox of that.
constexpr std::uint32_t mailbox_number(std::uint32_t n) {
  return n % few * 3 + 2;
}

}  // namespace

SharedFiles::SharedFiles(const std::string& domain, std::uint16_t memory_id)
    : domain_(map(domain + "/domain", sizeof(DomainState))),
      region_(
          map(domain + "/mem" + std::to_string(memory_id), region_bytes + sizeof(RegionState))) {}

#define ENDPOINT_WORD(word)                                                                 \
  SharedWord {                                                                              \
    "endpoint." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().endpoints[n % few].word, value);                               \
    }                                                                                       \
  }
#define PIPE_WORD(word)                                                                 \
  SharedWord {                                                                          \
    "pipe." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().pipes[n % few].word, value);                               \
    }                                                                                   \
  }

#define NIC_WORD(word)                                                                 \
  SharedWord {                                                                         \
    "nic." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().nics[n % few].word, value);                               \
    }                                                                                  \
  }

std::vector<SharedWord> record_words() {
  return {ENDPOINT_WORD(in_use),
          ENDPOINT_WORD(epoch),
          ENDPOINT_WORD(process),
          ENDPOINT_WORD(owner),
          ENDPOINT_WORD(memory_id),
          ENDPOINT_WORD(pipe),
          ENDPOINT_WORD(nic),
          ENDPOINT_WORD(end),
          ENDPOINT_WORD(exclusive),
          ENDPOINT_WORD(lane),
          ENDPOINT_WORD(is_closed),
          ENDPOINT_WORD(is_raw),
          ENDPOINT_WORD(answered),
          ENDPOINT_WORD(tx.first),
          ENDPOINT_WORD(tx.count),
          ENDPOINT_WORD(rx.first),
          ENDPOINT_WORD(rx.count),
          ENDPOINT_WORD(interface),
          ENDPOINT_WORD(first_ring),
          PIPE_WORD(in_use),
          PIPE_WORD(openings[0]),
          PIPE_WORD(openings[1]),
          PIPE_WORD(memory_id),
          PIPE_WORD(rings[0]),
          PIPE_WORD(rings[1]),
          PIPE_WORD(slots[0]),
          PIPE_WORD(slots[1]),
          PIPE_WORD(first_ring),
          PIPE_WORD(parent[0]),
          PIPE_WORD(parent[1]),
          PIPE_WORD(parent[63]),
          PIPE_WORD(id[1]),
          PIPE_WORD(id[63]),
          NIC_WORD(in_use),
          NIC_WORD(memory_id),
          NIC_WORD(interface),
          NIC_WORD(network),
          NIC_WORD(tx_rings),
          NIC_WORD(rx_rings),
          NIC_WORD(tx_slots),
          NIC_WORD(rx_slots),
          NIC_WORD(name[0]),
          NIC_WORD(name[63]),
          NIC_WORD(link),
          NIC_WORD(map),
          NIC_WORD(mode),
          NIC_WORD(queues[0].tx),
          NIC_WORD(queues[0].rx),
          NIC_WORD(queues[63].tx_was_left),
          NIC_WORD(queues[63].rx_was_left),
          {"attention", [](const SharedFiles& files, std::uint32_t, std::uint64_t value) {
             write_to(files.state().attention, value);
           }}};
}

#define SWITCH_WORD(word)                                                                 \
  SharedWord {                                                                            \
    "switch." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().switches[n % 2].word, value);                                \
    }                                                                                     \
  }
#define PORT_WORD(word)                                                                        \
  SharedWord {                                                                                 \
    "switch port." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().switches[0].ports[n % few].word, value);                          \
    }                                                                                          \
  }
#define MONITOR_WORD(word)                                                                 \
  SharedWord {                                                                             \
    "monitor." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.state().switches[monitors].ports[n % few].word, value);               \
    }                                                                                      \
  }
#define MAILBOX_WORD(word)                                                                 \
  SharedWord {                                                                             \
    "mailbox." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.mailbox(mailbox_number(n)).word, value);                              \
    }                                                                                      \
  }
#define CELL_WORD(word)                                                                 \
  SharedWord {                                                                          \
    "cell." #word, [](const SharedFiles& files, std::uint32_t n, std::uint64_t value) { \
      write_to(files.cell(mailbox_number(n), n / few % 8).word, value);                 \
    }                                                                                   \
  }

std::vector<SharedWord> switch_words() {
  return {ENDPOINT_WORD(vale),
          ENDPOINT_WORD(port),
          ENDPOINT_WORD(deliveries),
          ENDPOINT_WORD(is_watched),
          ENDPOINT_WORD(epoch),
          ENDPOINT_WORD(tx.count),
          ENDPOINT_WORD(rx.count),
          SWITCH_WORD(in_use),
          SWITCH_WORD(changes),
          SWITCH_WORD(name[0]),
          SWITCH_WORD(name[15]),
          PORT_WORD(presence),
          PORT_WORD(memory_id),
          PORT_WORD(tx_rings),
          PORT_WORD(rx_rings),
          PORT_WORD(tx_slots),
          PORT_WORD(rx_slots),
          PORT_WORD(first_ring),
          PORT_WORD(rx_open),
          PORT_WORD(rx_was_open),
          PORT_WORD(tx_was_left),
          PORT_WORD(rx_was_left),
          PORT_WORD(header_bytes),
          PORT_WORD(name[0]),
          PORT_WORD(name[15]),
          {"switch.stations",
           [](const SharedFiles& files, std::uint32_t, std::uint64_t value) {
             // of the address that is known, too
             for (auto& station : files.state().switches[0].stations) {
               write_to(station, (station & ~std::uint64_t{UINT16_MAX}) | (value & UINT16_MAX));
             }
           }},
          MONITOR_WORD(presence),
          MONITOR_WORD(memory_id),
          MONITOR_WORD(rx_rings),
          MONITOR_WORD(rx_slots),
          MONITOR_WORD(first_ring),
          MONITOR_WORD(rx_open),
          MONITOR_WORD(watched.pipe),
          MONITOR_WORD(watched.nic),
          MONITOR_WORD(watched.vale),
          MONITOR_WORD(watched.port),
          MONITOR_WORD(watched.end),
          MONITOR_WORD(sees_tx),
          MONITOR_WORD(sees_rx),
          MONITOR_WORD(takes_buffers),
          MONITOR_WORD(is_orphan),
          MONITOR_WORD(turn),
          MAILBOX_WORD(newest),
          MAILBOX_WORD(empty),
          MAILBOX_WORD(dropped),
          MAILBOX_WORD(deaths),
          MAILBOX_WORD(progress),
          CELL_WORD(buffer),
          CELL_WORD(length),
          CELL_WORD(flags),
          CELL_WORD(owner),
          CELL_WORD(next),
          CELL_WORD(older),
          CELL_WORD(offset)};
}

#undef ENDPOINT_WORD
#undef PIPE_WORD
#undef NIC_WORD
#undef SWITCH_WORD
#undef PORT_WORD
#undef MONITOR_WORD
#undef MAILBOX_WORD
#undef CELL_WORD

#define REGION_WORD(name, place)                                                          \
  SharedWord {                                                                            \
    name, []([[maybe_unused]] const SharedFiles& files, [[maybe_unused]] std::uint32_t n, \
             std::uint64_t value) { write_to(place, value); }                             \
  }

std::vector<SharedWord> region_words() {
  return {
      REGION_WORD("published", files.words(n % few).published),
      REGION_WORD("returned", files.words(n % few).returned),
      REGION_WORD("rx_sleepers", files.words(n % few).rx_sleepers),
      REGION_WORD("tx_sleepers", files.words(n % few).tx_sleepers),
      REGION_WORD("rx_seen", files.words(n % few).rx_seen),
      REGION_WORD("tx_wanted", files.words(n % few).tx_wanted),
      REGION_WORD("offset_mask", files.words(n % few).offset_mask),
      REGION_WORD("max_offset", files.words(n % few).max_offset),
      REGION_WORD("was_bound", files.words(n % few).was_bound),
      REGION_WORD("ring's offset_mask", files.ring(n % few).offset_mask),
      REGION_WORD("head", files.ring(n % few).head),
      REGION_WORD("cur", files.ring(n % few).cur),
      REGION_WORD("tail", files.ring(n % few).tail),
      REGION_WORD("ring flags", files.ring(n % few).flags),
      REGION_WORD("num_slots", files.ring(n % few).num_slots),
      REGION_WORD("nr_buf_size", files.ring(n % few).nr_buf_size),
      REGION_WORD("buf_ofs", files.ring(n % few).buf_ofs),
      REGION_WORD("buf_idx", abi::slots_of(files.ring(n % few))[n / few % 8].buf_idx),
      REGION_WORD("len", abi::slots_of(files.ring(n % few))[n / few % 8].len),
      REGION_WORD("slot flags", abi::slots_of(files.ring(n % few))[n / few % 8].flags),
      REGION_WORD("ptr", abi::slots_of(files.ring(n % few))[n / few % 8].ptr),
      REGION_WORD("ni_tx_rings", files.interface(n % few).ni_tx_rings),
      REGION_WORD("ni_rx_rings", files.interface(n % few).ni_rx_rings),
      REGION_WORD("ni_host_tx_rings", files.interface(n % few).ni_host_tx_rings),
      REGION_WORD("ni_host_rx_rings", files.interface(n % few).ni_host_rx_rings),
      REGION_WORD("ni_bufs_head", files.interface(n % few).ni_bufs_head),
      REGION_WORD("ring_ofs", abi::ring_offsets_of(files.interface(n % few))[n / few % 4]),
      REGION_WORD("link", files.link(n % 64)),
      REGION_WORD("interfaces in use",
                  *(std::bit_cast<std::uint64_t*>(&files.pools().interfaces) + n % 4)),
      REGION_WORD("rings in use", *(std::bit_cast<std::uint64_t*>(&files.pools().rings) + n % 16)),
      REGION_WORD("buffers in use",
                  *(std::bit_cast<std::uint64_t*>(&files.pools().buffers) + n % 2048)),
      REGION_WORD("recounts", files.pools().recounts),
      REGION_WORD("buffer_limit", files.pools().buffer_limit),
      REGION_WORD("is_recounting", files.pools().is_recounting),
      REGION_WORD("recount_again", files.pools().recount_again),
      REGION_WORD("seen", files.pools().seen[n % 2048])};
}

#undef REGION_WORD

std::vector<std::uint64_t> edges() {
  return {0, 1, 9, 257, 4097, UINT16_MAX, 1U << 31, UINT32_MAX, UINT64_MAX};
}

}  // namespace netmap::embedded
