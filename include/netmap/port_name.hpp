// SPDX-License-Identifier: BSD-2-Clause
//
// Port names: the text that says which port, which of its rings, and how to open them.
//
//     netmap:eth0  -3     /xR    @7         @conf:slots=2048      (written without the gaps)
//     header       rings  flags  memory id  options
//
//     header     netmap:NAME | NAME      an interface
//                vale[ID]:[NAME]         a port of a VALE switch
//                …BASE{ID | …BASE}ID     the master end, the slave end of a pipe
//                …BASE{ID}               whichever end nobody holds, the master first
//     rings      (nothing) the NIC's | ^ the host's | * both | -N or ^N one of them
//     flags      x exclusive, R rx only, T tx only, r t monitor rx or tx, z zero-copy monitor
//     memory id  1 … 65535; may also stand before the flags
//     options    @conf:KEY=N,…   rings, slots, host-rings; tx-rings, … of one direction
//                @share=PORT     use the memory of that port
//                @extmem=FILE    or @extmem:file=FILE,KEY=N,…: if-num, if-size, ring-…, buf-…
//                @offset=N       or @offset:initial=N,bits=N
//
// or names captures, files in pcap's or pcapng's format, to be read or written as a port:
//
//     pcap:FILE                    FILE is read
//     pcap:rx=FILE,tx=FILE,timed   what is received is read from one, what is sent is written to
//                                  the other; either may be missing. timed: as fast as it was
//                                  captured, instead of as fast as it is taken
//
// A FILE holds any character but a comma; "-" is the standard input or output. Nothing else can be
// said behind it: a path may hold what begins rings, flags and options.
//
// A NAME ends at the first of - * ^ / @, so these cannot be part of it. This is libnetmap's grammar
// with two conveniences, the bare NAME and BASE{ID}; a bare NAME has no colon. What libnetmap reads
// by accident is refused: a number with something else in it, a memory id above 65535, a comma at
// the end, a pipe without base or id.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netmap {

/// Which rings of a port are meant; the values are those of the register request's nr_mode.
enum class RingSelection : std::uint32_t {
  all_nic = abi::mode::all_nic,
  host = abi::mode::sw,
  nic_and_host = abi::mode::nic_sw,
  one_nic = abi::mode::one_nic,
  one_host = abi::mode::one_sw,
};

/// Rings and slots asked for; 0 leaves the number to the device. They count only for what the open
/// itself creates: the rings of a VALE port or pipe, and host rings at the first open of a port.
struct PortConf {
  std::uint16_t tx_rings = 0;
  std::uint16_t rx_rings = 0;
  std::uint16_t host_tx_rings = 0;
  std::uint16_t host_rx_rings = 0;
  std::uint32_t tx_slots = 0;
  std::uint32_t rx_slots = 0;

  friend bool operator==(const PortConf&, const PortConf&) = default;
};

/// How to divide external memory: objects of each kind, and bytes in each. 0 leaves the number to
/// the device; what is left of the memory becomes buffers. See PortOptions::extmem.
struct PoolConf {
  std::uint32_t if_num = 0;
  std::uint32_t if_size = 0;
  std::uint32_t ring_num = 0;
  std::uint32_t ring_size = 0;
  std::uint32_t buf_num = 0;
  std::uint32_t buf_size = 0;

  friend bool operator==(const PoolConf&, const PoolConf&) = default;
};

/// A file to use as the region; see PortOptions::extmem.
struct ExternalMemory {
  std::string file;
  PoolConf pools{};

  friend bool operator==(const ExternalMemory&, const ExternalMemory&) = default;
};

/// Where packets begin in their buffers.
struct DataOffset {
  std::uint64_t initial = 0;  ///< bytes, in every slot of a ring that nobody used before
  std::uint32_t bits = 0;     ///< how many low bits of netmap_slot::ptr hold it; 0: all 64
  std::uint64_t max = 0;      ///< the largest that the program will set; 0: the initial one

  friend bool operator==(const DataOffset&, const DataOffset&) = default;
};

/// Files that stand for a port.
struct Capture {
  std::string rx = {};  ///< to be read; empty: none
  std::string tx = {};  ///< to be written; empty: none
  bool timed = false;   ///< whether packets keep their distances in time

  friend bool operator==(const Capture&, const Capture&) = default;
};

/// A port name taken apart. A plain value.
struct PortName {
  /// What the device is asked for: without "netmap:", with "vale0:", at most 63 bytes. For a free
  /// pipe end it is the master's name, for a capture all of the name.
  std::string name;
  bool free_pipe_end = false;  ///< take either end of the pipe, the master first
  RingSelection selection = RingSelection::all_nic;
  std::uint16_t ring = 0;   ///< for one_nic and one_host, otherwise 0
  std::uint64_t flags = 0;  ///< abi::register_flags
  std::optional<std::uint16_t> memory_id = {};
  std::optional<std::string> share = {};  ///< the port whose memory to use, written as `name` is
  PortConf conf = {};
  std::optional<ExternalMemory> extmem = {};
  std::optional<DataOffset> offset = {};
  std::optional<Capture> capture = {};  ///< then none of the above but the name is given

  friend bool operator==(const PortName&, const PortName&) = default;
};

/// Takes a port name apart without asking any device: the port need not exist.
/// Errors: errc::bad_name; the sentence gives the column (in bytes, the first is 1) and what was
/// expected there.
[[nodiscard]] Result<PortName> parse_port_name(std::string_view text);

/// The name in its canonical spelling. For everything that parse_port_name() returns,
/// parse_port_name(to_string(port)) is `port` again.
[[nodiscard]] std::string to_string(const PortName& port);

}  // namespace netmap
