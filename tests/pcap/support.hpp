// SPDX-License-Identifier: BSD-2-Clause
//
// Capture files, written byte by byte from the formats' descriptions, and ports on them.
#pragma once

#include <netmap/netmap.hpp>

#include "cli/domain.hpp"
#include "support/oracle.hpp"
#include "support/result.hpp"

#include <chrono>
#include <cstdint>
#include <ostream>
#include <source_location>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netmap::pcap {

using test::Bytes;
using test::code_of;
using test::content;
using test::must;
using namespace std::chrono_literals;

/// How long to wait for what must happen.
inline constexpr auto patience = std::chrono::seconds(60);

struct Format {
  const char* name;
  bool is_pcapng;
  bool is_big_endian;
  bool has_nanoseconds;
};
inline constexpr Format formats[] = {
    {"pcap", false, false, false},
    {"pcap_big_endian", false, true, false},
    {"nanoseconds", false, false, true},
    {"nanoseconds_big_endian", false, true, true},
    {"pcapng", true, false, false},
    {"pcapng_big_endian", true, true, false},
    {"pcapng_nanoseconds", true, false, true},
};
inline constexpr const Format& classic = formats[0];
inline constexpr const Format& pcapng = formats[4];
inline std::ostream& operator<<(std::ostream& out, const Format& format) {
  return out << format.name;
}
inline std::string format_name(const testing::TestParamInfo<Format>& info) {
  return info.param.name;
}

inline constexpr std::uint16_t ethernet = 1;

struct Record {
  Bytes bytes;
  std::chrono::nanoseconds time{0};
  std::uint32_t cut = 0;  ///< how many bytes more the packet had when it was captured
};

/// A whole file.
[[nodiscard]] Bytes capture(const Format& format, const std::vector<Record>& records,
                            std::uint16_t link_type = ethernet);
/// Packets of these sizes, all different, a microsecond apart.
[[nodiscard]] std::vector<Record> records(const std::vector<std::size_t>& sizes);

/// A case with a directory for its files.
class WithFiles : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name = "capture") const {
    return directory_.path() + "/" + name;
  }
  /// Writes the file and yields its path.
  std::string write(const Bytes& bytes, const std::string& name = "capture") const;
  [[nodiscard]] static Bytes read(const std::string& path);

  static Port open(const std::string& name, const PortOptions& options = {},
                   std::source_location at = std::source_location::current()) {
    return must(netmap::open(name, options), at);
  }

 private:
  nmx_test::Directory directory_{"/dev/shm"};
};

/// Copies of the packets that are there; they are released.
[[nodiscard]] std::vector<Bytes> take(RxRing& ring);

/// What a port shows until a sync fails, and that failure.
struct Shown {
  std::vector<Bytes> packets;
  std::error_code end;
};
[[nodiscard]] Shown read_all(Port& port);

[[nodiscard]] std::vector<Bytes> bytes_of(const std::vector<Record>& records);

}  // namespace netmap::pcap
