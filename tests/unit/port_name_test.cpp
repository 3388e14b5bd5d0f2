// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/port_name.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace netmap {
namespace {

constexpr auto exclusive = abi::register_flags::exclusive;
constexpr auto rx_only = abi::register_flags::rx_rings_only;
constexpr auto tx_only = abi::register_flags::tx_rings_only;
constexpr std::uint64_t all_flags = 0x6f00;

constexpr auto host = RingSelection::host;
constexpr auto both = RingSelection::nic_and_host;
constexpr auto one_nic = RingSelection::one_nic;
constexpr auto one_host = RingSelection::one_host;

auto letters(std::size_t count) {
  return std::string(count, 'a');
}

/// Names the line of a table. A `difference` says why libnetmap does not answer as we do.
testing::Message line(const std::string& text, const std::string& difference) {
  testing::Message line;
  line << text;
  if (!difference.empty()) line << " (unlike libnetmap: " << difference << ")";
  return line;
}

// ---- What is accepted ---------------------------------------------------------------------------

struct Accepted {
  std::string text;
  PortName port;
  std::string difference = {};
};

void expect_accepted(const std::vector<Accepted>& table) {
  for (const auto& [text, port, difference] : table) {
    SCOPED_TRACE(line(text, difference));
    const auto parsed = parse_port_name(text);
    if (!parsed) {
      ADD_FAILURE() << parsed.error().message();
      continue;
    }
    EXPECT_TRUE(*parsed == port) << "read as " << to_string(*parsed);
    EXPECT_EQ(to_string(*parsed), to_string(port));
    EXPECT_TRUE(parse_port_name(to_string(port)) == port) << to_string(port);
  }
}

TEST(PortName, Names) {
  const std::string no_prefix = "the prefix may be left out";
  const std::string free_end = "an id in both brackets is whichever end is free";
  expect_accepted({
      {"netmap:eth0", {.name = "eth0"}},
      {"netmap:eth0+", {.name = "eth0+"}},
      {"netmap:eth0&", {.name = "eth0&"}},
      {"netmap:eth0.100", {.name = "eth0.100"}},
      {"netmap:a b", {.name = "a b"}},
      {"netmap:eth0:1", {.name = "eth0:1"}},
      {"netmap:vale0:0", {.name = "vale0:0"}},
      {"netmap:valet", {.name = "valet"}},
      {"netmap:vale.1:0", {.name = "vale.1:0"}},
      {"netmap:netmap:eth0", {.name = "netmap:eth0"}},
      {"vale:0", {.name = "vale:0"}},
      {"vale0:0", {.name = "vale0:0"}},
      {"vale_X1:p", {.name = "vale_X1:p"}},
      {"vale0:", {.name = "vale0:"}},
      {"vale:", {.name = "vale:"}},
      {"vale0:p.q", {.name = "vale0:p.q"}},
      {"netmap:pipe{1", {.name = "pipe{1"}},
      {"netmap:pipe{in", {.name = "pipe{in"}},
      {"netmap:pipe}in_2", {.name = "pipe}in_2"}},
      {"vale0:p{1", {.name = "vale0:p{1"}},
      {"eth0", {.name = "eth0"}, no_prefix},
      {"netmap", {.name = "netmap"}, no_prefix},
      {"netmapX", {.name = "netmapX"}, no_prefix},
      {"val0", {.name = "val0"}, no_prefix},
      {"x{1", {.name = "x{1"}, no_prefix},
      {"x}1", {.name = "x}1"}, no_prefix},
      {"x{1}", {.name = "x{1", .free_pipe_end = true}, free_end},
      {"netmap:x{1}-2/R",
       {.name = "x{1", .free_pipe_end = true, .selection = one_nic, .ring = 2, .flags = rx_only},
       free_end},
      {"vale0:p{a}", {.name = "vale0:p{a", .free_pipe_end = true}, free_end},
  });
}

TEST(PortName, NamesOfTheGreatestLength) {
  expect_accepted({
      {"netmap:" + letters(63), {.name = letters(63)}},
      {letters(63) + "/x", {.name = letters(63), .flags = exclusive}, "no prefix"},
      {"vale0:" + letters(57), {.name = "vale0:" + letters(57)}},
      {"netmap:" + letters(61) + "{1}",
       {.name = letters(61) + "{1", .free_pipe_end = true},
       "free end"},
  });
}

TEST(PortName, Rings) {
  expect_accepted({
      {"netmap:eth0^", {.name = "eth0", .selection = host}},
      {"netmap:eth0^0", {.name = "eth0", .selection = one_host}},
      {"netmap:eth0^1", {.name = "eth0", .selection = one_host, .ring = 1}},
      {"netmap:eth0*", {.name = "eth0", .selection = both}},
      {"netmap:eth0-0", {.name = "eth0", .selection = one_nic}},
      {"netmap:eth0-3", {.name = "eth0", .selection = one_nic, .ring = 3}},
      {"netmap:eth0-0003", {.name = "eth0", .selection = one_nic, .ring = 3}},
      {"netmap:eth0-4094", {.name = "eth0", .selection = one_nic, .ring = 4094}},
      {"netmap:pipe{in-7", {.name = "pipe{in", .selection = one_nic, .ring = 7}},
      {"netmap:pipe}in^", {.name = "pipe}in", .selection = host}},
      {"valeXXX:YYY-4", {.name = "valeXXX:YYY", .selection = one_nic, .ring = 4}},
      {"vale0:p^", {.name = "vale0:p", .selection = host}},
  });
  EXPECT_EQ(static_cast<int>(RingSelection::all_nic), 1);
  EXPECT_EQ(static_cast<int>(host), 2);
  EXPECT_EQ(static_cast<int>(both), 3);
  EXPECT_EQ(static_cast<int>(one_nic), 4);
  EXPECT_EQ(static_cast<int>(one_host), 8);
}

TEST(PortName, FlagsAndMemoryId) {
  expect_accepted({
      {"netmap:eth0/x", {.name = "eth0", .flags = 0x800}},
      {"netmap:eth0/z", {.name = "eth0", .flags = 0x400}},
      {"netmap:eth0/t", {.name = "eth0", .flags = 0x100}},
      {"netmap:eth0/r", {.name = "eth0", .flags = 0x200}},
      {"netmap:eth0/R", {.name = "eth0", .flags = 0x2000}},
      {"netmap:eth0/T", {.name = "eth0", .flags = 0x4000}},
      {"netmap:eth0/xzRTtr", {.name = "eth0", .flags = all_flags}},
      {"netmap:eth0/xx", {.name = "eth0", .flags = exclusive}},
      {"netmap:pipe}1/xR", {.name = "pipe}1", .flags = exclusive | rx_only}},
      {"netmap:eth0@1", {.name = "eth0", .memory_id = 1}},
      {"netmap:eth0@65535", {.name = "eth0", .memory_id = 65535}},
      {"netmap:eth0/x@1", {.name = "eth0", .flags = exclusive, .memory_id = 1}},
      {"netmap:eth0@1/x", {.name = "eth0", .flags = exclusive, .memory_id = 1}},
      {"netmap:eth0*@2", {.name = "eth0", .selection = both, .memory_id = 2}},
      {"netmap:eth0@2/R@2", {.name = "eth0", .flags = rx_only, .memory_id = 2}},
      {"netmap:eth0/x@2/R", {.name = "eth0", .flags = exclusive | rx_only, .memory_id = 2}},
  });
}

TEST(PortName, Conf) {
  const PortName plain{.name = "vale0:1"};
  const auto with = [](PortConf conf) { return PortName{.name = "vale0:1", .conf = conf}; };
  expect_accepted({
      {"vale0:1@conf:", plain},
      {"vale0:1@conf:rings=", plain},
      {"vale0:1@conf:rings=4", with({.tx_rings = 4, .rx_rings = 4})},
      {"vale0:1@conf:rings=4,tx-rings=2,rx_slots=64",
       with({.tx_rings = 2, .rx_rings = 4, .rx_slots = 64})},
      {"vale0:1@conf:tx-rings=2,rings=4", with({.tx_rings = 2, .rx_rings = 4})},
      {"vale0:1@conf:rings=4,tx-rings=", with({.tx_rings = 4, .rx_rings = 4})},
      {"vale0:1@conf:rings=4,tx-rings=0", with({.rx_rings = 4})},
      {"vale0:1@conf:rings=,slots=2", with({.tx_slots = 2, .rx_slots = 2})},
      {"vale0:1@conf:host-rings=3,host-tx-rings=2", with({.host_tx_rings = 2, .host_rx_rings = 3})},
      {"vale0:1@conf:host_rx_rings=9", with({.host_rx_rings = 9})},
      {"vale0:1@conf:rx-rings=65535,tx-slots=4294967295",
       with({.rx_rings = 65535, .tx_slots = 4294967295})},
      {"vale0:1@conf:rings=2@conf:slots=64",
       with({.tx_rings = 2, .rx_rings = 2, .tx_slots = 64, .rx_slots = 64})},
      {"vale0:1@conf:tx-rings=2@conf:rings=4", with({.tx_rings = 4, .rx_rings = 4})},
      {"vale0:1-2/xT@3@conf:slots=128",
       {.name = "vale0:1",
        .selection = one_nic,
        .ring = 2,
        .flags = exclusive | tx_only,
        .memory_id = 3,
        .conf = {.tx_slots = 128, .rx_slots = 128}}},
      {"netmap:eth0x^2@conf:host-rings=4",
       {.name = "eth0x",
        .selection = one_host,
        .ring = 2,
        .conf = {.host_tx_rings = 4, .host_rx_rings = 4}}},
  });
}

TEST(PortName, MemoryAndOffsets) {
  const std::string no_device = "the text is read without asking the device or opening the file";
  const std::string enabled = "offsets need not be enabled first";
  expect_accepted({
      {"netmap:eth0@share=netmap:lo", {.name = "eth0", .share = "lo"}, no_device},
      {"netmap:eth0@share:port=vale0:b", {.name = "eth0", .share = "vale0:b"}, no_device},
      {"netmap:eth0@share=a,b", {.name = "eth0", .share = "a,b"}, no_device},
      {"netmap:eth0@1@share=x{1}", {.name = "eth0", .memory_id = 1, .share = "x{1"}, no_device},
      {"netmap:eth0@extmem=/mnt/huge/f",
       {.name = "eth0", .extmem = ExternalMemory{.file = "/mnt/huge/f"}}},
      {"netmap:eth0@extmem=a,b=c", {.name = "eth0", .extmem = ExternalMemory{.file = "a,b=c"}}},
      {"netmap:eth0@extmem:file=f,buf-num=100,buf-size=512,ring-num=4",
       {.name = "eth0",
        .extmem = ExternalMemory{.file = "f",
                                 .pools = {.ring_num = 4, .buf_num = 100, .buf_size = 512}}}},
      {"netmap:eth0@extmem:if_num=1,if-size=2,ring_size=3,file=f",
       {.name = "eth0",
        .extmem =
            ExternalMemory{.file = "f", .pools = {.if_num = 1, .if_size = 2, .ring_size = 3}}}},
      {"netmap:eth0@offset=16", {.name = "eth0", .offset = DataOffset{16}}, enabled},
      {"netmap:eth0@offset=0", {.name = "eth0", .offset = DataOffset{0}}, enabled},
      {"netmap:eth0@offset:bits=64,initial=18446744073709551615",
       {.name = "eth0", .offset = DataOffset{18446744073709551615U, 64}},
       enabled},
  });
}

TEST(PortName, Captures) {
  const auto capture = [](const std::string& name, const Capture& files) {
    return PortName{.name = name, .capture = files};
  };
  const std::string odd = "/a-1*^x{2}1@3@conf:rings=2/R=b.pcap";
  const std::string ours = "captures are this library's";
  expect_accepted({
      {"pcap:in.pcap", capture("pcap:rx=in.pcap", {.rx = "in.pcap"}), ours},
      {"pcap:-", capture("pcap:rx=-", {.rx = "-"}), ours},
      {"pcap:rx=in", capture("pcap:rx=in", {.rx = "in"}), ours},
      {"pcap:tx=out", capture("pcap:tx=out", {.tx = "out"}), ours},
      {"pcap:rx=rx=in", capture("pcap:rx=rx=in", {.rx = "rx=in"}), ours},
      {"pcap:rx=timed", capture("pcap:rx=timed", {.rx = "timed"}), ours},
      {"pcap:in,timed", capture("pcap:rx=in,timed", {.rx = "in", .timed = true}), ours},
      {"pcap:tx=out,timed,rx=in",
       capture("pcap:rx=in,tx=out,timed", {.rx = "in", .tx = "out", .timed = true}), ours},
      {"pcap:" + odd, capture("pcap:rx=" + odd, {.rx = odd}), ours},
      {"pcap:" + letters(200), capture("pcap:rx=" + letters(200), {.rx = letters(200)}), ours},
  });
}

TEST(PortName, CanonicalSpelling) {
  const std::vector<std::array<const char*, 2>> table = {
      {"eth0", "netmap:eth0"},
      {"netmap:vale0:p", "vale0:p"},
      {"netmap:valet", "netmap:valet"},
      {"netmap:vale.1:p", "netmap:vale.1:p"},
      {"x{1}*", "netmap:x{1}*"},
      {"x@7/RTrxx", "netmap:x/xrRT@7"},
      {"x@conf:slots=2,rx_rings=3", "netmap:x@conf:rx-rings=3,tx-slots=2,rx-slots=2"},
      {"x@offset=1@extmem:file=f@share=y", "netmap:x@share=netmap:y@extmem=f@offset=1"},
      {"x@offset:initial=0,bits=8", "netmap:x@offset:initial=0,bits=8"},
  };
  for (const auto& [text, canonical] : table) {
    const auto port = parse_port_name(text);
    ASSERT_TRUE(port) << port.error().message();
    EXPECT_EQ(to_string(*port), canonical);
  }
}

// ---- What is refused ----------------------------------------------------------------------------

struct Refused {
  std::string text;
  std::size_t column;
  std::string expected;  ///< how the sentence goes on
  std::string difference = {};
};

void expect_refused(const std::vector<Refused>& table) {
  for (const auto& [text, column, expected, difference] : table) {
    SCOPED_TRACE(line(text, difference));
    const auto parsed = parse_port_name(text);
    if (parsed) {
      ADD_FAILURE() << "read as " << to_string(*parsed);
      continue;
    }
    EXPECT_EQ(parsed.error().code(), errc::bad_name);
    testing::Message sentence;
    sentence << "port name '" << text << "' at column " << column << ": expected " << expected;
    EXPECT_EQ(parsed.error().message(), sentence.GetString());
  }
}

TEST(PortName, BadNames) {
  const std::string prefix = "the prefix 'netmap:', 'vale<switch>:' or 'pcap:'";
  const std::string after_switch = "':' after the name of the VALE switch";
  const std::string id_ends = "the pipe id (letters, digits, '_') to end the name";
  const std::string too_long = "a name of at most 63 characters";
  expect_refused({
      {"", 1, "a port name"},
      {"-1", 1, "a port name"},
      {"netmap:", 8, "a port name"},
      {"netmap:^", 8, "a port name"},
      {"netmapX:eth0", 1, prefix},
      {"file:name", 1, prefix},
      {"eth0:1", 1, prefix},
      {"vale", 5, after_switch},
      {"vale0", 6, after_switch},
      {"valet/x", 6, after_switch},
      {"vale-1:p", 5, after_switch},
      {"vale0.1:p", 6, after_switch},
      {"netmap:{", 8, "the name of a port before the pipe's bracket"},
      {"netmap:{x", 8, "the name of a port before the pipe's bracket",
       "left to the kernel, which refuses it"},
      {"netmap:pipe{", 13, "a pipe id (letters, digits, '_') after '{'"},
      {"netmap:pipe}-1", 13, "a pipe id (letters, digits, '_') after '}'",
       "left to the kernel, which refuses it"},
      {"netmap:pipe{}", 13, "a pipe id (letters, digits, '_') after '{'"},
      {"netmap:pipe{1}2", 15, id_ends},
      {"netmap:pipe{1{2", 14, id_ends},
      {"netmap:pipe}1}", 14, id_ends},
      {"netmap:pipe{1}}", 15, id_ends},
      {"netmap:pipe{a.b", 14, id_ends},
      {"netmap:" + letters(64), 71, too_long},
      {"netmap:" + letters(64) + "-0", 71, too_long},
      {letters(64), 64, too_long},
      {"vale0:" + letters(58), 64, too_long},
      {"netmap:" + letters(62) + "{1}", 71, too_long},
  });
}

TEST(PortName, BadCaptures) {
  const std::string file = "the name of a file";
  const std::string item = "rx=FILE, tx=FILE or timed";
  expect_refused({
      {"pcap:", 6, file},
      {"pcap:rx=", 9, file},
      {"pcap:a,tx=", 11, file},
      {"pcap:a,", 8, item},
      {"pcap:,tx=a", 6, file},
      {"pcap:a,b", 8, item},
      {"pcap:a,timed=1", 8, item},
      {"pcap:a,rx=b", 8, "only one file to be read, and one to be written"},
      {"pcap:tx=a,tx=b", 11, "only one file to be read, and one to be written"},
      {"pcap:timed", 6, "a file to read, rx=FILE, to be timed"},
      {"pcap:tx=a,timed", 6, "a file to read, rx=FILE, to be timed"},
      {"netmap:x@share=pcap:a", 16, "a port that shares its memory, which no capture does"},
  });
}

TEST(PortName, BadRingsFlagsAndMemoryIds) {
  const std::string ring = "a ring number after '-'";
  const std::string ring_range = ring + ", from 0 to 4094";
  const std::string flag = "one of the flags x z t r R T";
  const std::string next = "'/', '@' or the end of the name";
  const std::string memory_range = "a memory id after '@', from 1 to 65535";
  const std::string at =
      "an option after '@' (conf, share, extmem, offset) or, before any, a memory id";
  expect_refused({
      {"netmap:eth0-", 13, ring},
      {"netmap:eth0--1", 13, ring},
      {"netmap:eth0-x", 13, ring},
      {"netmap:eth0-4095", 13, ring_range},
      {"netmap:eth0-4096", 13, ring_range},
      {"netmap:eth0-65536", 13, ring_range},
      {"netmap:eth0-99999999999999999999", 13, ring_range},
      {"netmap:eth0^4095", 13, "a ring number after '^', from 0 to 4094"},
      {"netmap:eth0*5", 13, next},
      {"netmap:eth0^^", 13, next},
      {"netmap:eth0-1x", 14, next},
      {"netmap:eth0/", 13, flag},
      {"netmap:eth0/q", 13, flag},
      {"netmap:eth0/x/R", 14, flag},
      {"netmap:eth0/@1", 13, flag, "a slash needs no flag if a memory id follows"},
      {"netmap:eth0@2*", 14, next},
      {"netmap:eth0@0", 13, memory_range},
      {"netmap:eth0@65536", 13, memory_range},
      {"netmap:eth0@65537", 13, memory_range, "its 16 bits wrap to 1"},
      {"netmap:eth0@", 13, at},
      {"netmap:eth0@2/R@3", 17, "the same memory id as before, 2"},
      {"netmap:eth0@2@1", 15, "the same memory id as before, 2"},
  });
}

TEST(PortName, BadOptions) {
  const std::string option =
      "an option after '@' (conf, share, extmem, offset) or, before any, a memory id";
  const std::string conf_key =
      "one of the keys rings, host-rings, slots, tx-rings, rx-rings, host-tx-rings, host-rx-rings, "
      "tx-slots, rx-slots";
  const std::string number = "a number after '='";
  const std::string digits = "only digits in a number";
  const std::string range16 = number + ", from 0 to 65535";
  const std::string lenient = "anything is a number there";
  const std::string comma = "a comma at the end makes it read past its buffer";
  const std::string once = "this option only once";
  expect_refused({
      {"vale0:1@opt", 9, option},
      {"vale0:1@conf", 13, "':' after the option"},
      {"vale0:1@conf=4", 13, "':' after the option"},
      {"vale0:1@conf:rings", 19, "'=' after the key 'rings'"},
      {"vale0:1@conf:rings=a", 20, number, lenient},
      {"vale0:1@conf:rings=-1", 20, number, lenient},
      {"vale0:1@conf:rings= 1", 20, number, lenient},
      {"vale0:1@conf:rings=1x", 21, digits, lenient},
      {"vale0:1@conf:rings=65536", 20, range16, "its 16 bits wrap to 0"},
      {"vale0:1@conf:slots=4294967296", 20, number + ", from 0 to 4294967295", "wraps"},
      {"vale0:1@conf:slots=2,", 22, conf_key, comma},
      {"vale0:1@conf:rings=1,rings=2", 22, "the key 'rings' only once"},
      {"vale0:1@conf:rx-slots=1,rx_slots=2", 25, "the key 'rx-slots' only once"},
      {"vale0:1@conf:bogus=1", 14, conf_key},
      {"vale0:1@conf:,rings=1", 14, conf_key},
      {"vale0:1@conf:rings=2@", 22, option},
      {"vale0:1@@conf:rings=2", 9, option},
      {"vale0:1@conf:slots=128@3", 24, option},
      {"vale0:1@share", 14, "':' or '=' after the option"},
      {"vale0:1@share=", 15, "a value after '='"},
      {"vale0:1@share:port=", 20, "the key 'port' with a value"},
      {"vale0:1@share=vale9", 20, "':' after the name of the VALE switch"},
      {"vale0:1@share:port=netmap:", 27, "a port name"},
      {"vale0:1@share=netmap:lo-1", 24, "only a port's name to share memory with",
       "the rest is not looked at"},
      {"vale0:1@share=a@share=a", 17, once, "sharing with the same memory again is allowed"},
      {"vale0:1@extmem=", 16, "a value after '='"},
      {"vale0:1@extmem:", 16, "the key 'file' with a value"},
      {"vale0:1@extmem:buf-num=100", 27, "the key 'file' with a value"},
      {"vale0:1@extmem:bufs=100,file=f", 16,
       "one of the keys file, if-num, if-size, ring-num, ring-size, buf-num, buf-size"},
      {"vale0:1@extmem=f@extmem=f", 18, once},
      {"vale0:1@offset:bits=4", 22, "the key 'initial' with a value"},
      {"vale0:1@offset=x", 16, number, lenient},
      {"vale0:1@offset:initial=1,bits=65", 31, number + ", from 0 to 64", lenient},
      {"vale0:1@offset=1@offset=2", 18, once, "left to the kernel, which refuses it"},
  });
}

TEST(PortName, BadNulCharacter) {
  const auto parsed = parse_port_name(std::string_view("netmap:eth0\0^", 13));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message(),
            "port name 'netmap:eth0' at column 12: expected any character but NUL");
}

// ---- Any name -----------------------------------------------------------------------------------

/// Names and parts of names, drawn at random from everything the grammar can say.
class Source {
 public:
  explicit Source(unsigned seed) : random_(seed) {}

  std::uint64_t number(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }
  bool coin() { return number(0, 1) == 1; }

  PortName port() {
    PortName port{.name = name()};
    port.free_pipe_end = port.name.contains('{') && coin();
    constexpr std::array selections{RingSelection::all_nic, host, both, one_nic, one_host};
    port.selection = selections[number(0, 4)];
    if (port.selection == one_nic || port.selection == one_host) {
      port.ring = static_cast<std::uint16_t>(number(0, 4094));
    }
    port.flags = number(0, ~0ULL) & all_flags;
    if (coin()) port.memory_id = static_cast<std::uint16_t>(number(1, 65535));
    if (coin()) port.conf = conf();
    if (coin()) port.share = name();
    if (coin()) port.extmem = extmem();
    if (coin()) port.offset = DataOffset{number(0, ~0ULL), small<std::uint32_t>(64)};
    return port;
  }

  /// One character replaced, removed or put in; mostly one that means something.
  std::string mutate(std::string text) {
    constexpr std::string_view characters = "-*^/@:=,_{}0129xzTconfvale \xff";
    const std::size_t place = number(0, text.size() - 1);
    const char character = characters[number(0, characters.size() - 1)];
    switch (number(0, 2)) {
      case 0: text[place] = character; break;
      case 1: text.erase(place, 1); break;
      default: text.insert(place, 1, character);
    }
    return text;
  }

 private:
  std::string word(std::string_view characters, std::size_t least, std::size_t most) {
    std::string word(number(least, most), ' ');
    for (char& c : word) c = characters[number(0, characters.size() - 1)];
    return word;
  }

  std::string name() {
    constexpr std::string_view id = "abcXYZ019_";
    std::string name = coin() ? "vale" + word(id, 0, 5) + ":" : word("vale0: .,=+&\xc3", 1, 20);
    name += word(id, 0, 20);
    if (coin()) name += (coin() ? "{" : "}") + word(id, 1, 10);
    return name;
  }

  /// 0 half of the time, since it is the value that means "not given".
  template <class Number>
  Number small(std::uint64_t most = std::numeric_limits<Number>::max()) {
    return coin() ? Number{0} : static_cast<Number>(number(0, most));
  }

  PortConf conf() {
    using Rings = std::uint16_t;
    using Slots = std::uint32_t;
    return {small<Rings>(), small<Rings>(), small<Rings>(),
            small<Rings>(), small<Slots>(), small<Slots>()};
  }

  ExternalMemory extmem() {
    using N = std::uint32_t;
    if (coin()) return {.file = word("/file-name*,=.{ ", 1, 30)};
    return {word("/file-name*=.{ ", 1, 30),
            {small<N>(), small<N>(), small<N>(), small<N>(), small<N>(), small<N>()}};
  }

  std::mt19937 random_;
};

TEST(PortNameProperty, WhatIsPrintedReadsBackEqual) {
  Source source(1);
  for (int i = 0; i < 20'000; ++i) {
    const PortName port = source.port();
    const auto again = parse_port_name(to_string(port));
    ASSERT_TRUE(again) << again.error().message();
    ASSERT_TRUE(*again == port) << to_string(port) << "\n" << to_string(*again);
  }
}

TEST(PortNameProperty, WhatIsReadPrintsCanonically) {
  Source source(2);
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = source.mutate(to_string(source.port()));
    const auto port = parse_port_name(text);
    if (!port) continue;
    ++accepted;
    ASSERT_TRUE(parse_port_name(to_string(*port)) == *port) << text << "\n" << to_string(*port);
  }
  EXPECT_GT(accepted, 5'000);
  EXPECT_LT(accepted, 45'000);
}

}  // namespace
}  // namespace netmap
