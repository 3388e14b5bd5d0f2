// SPDX-License-Identifier: BSD-2-Clause
#include "pcapng.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace nmx::pcapng {
namespace {

namespace block {
constexpr std::uint32_t section_header = 0x0A0D0D0A;
constexpr std::uint32_t interface_description = 1;
constexpr std::uint32_t interface_statistics = 5;
constexpr std::uint32_t enhanced_packet = 6;
}  // namespace block

namespace code {
constexpr std::uint16_t end_of_options = 0;
constexpr std::uint16_t shb_userappl = 4;
constexpr std::uint16_t if_name = 2;
constexpr std::uint16_t if_description = 3;
constexpr std::uint16_t if_tsresol = 9;
constexpr std::uint16_t if_filter = 11;
constexpr std::uint16_t epb_flags = 2;
constexpr std::uint16_t isb_starttime = 2;
constexpr std::uint16_t isb_endtime = 3;
constexpr std::uint16_t isb_ifrecv = 4;
constexpr std::uint16_t isb_ifdrop = 5;
constexpr std::uint16_t isb_filteraccept = 6;
}  // namespace code

constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::uint32_t version_1_0 = 1;  // the major number's 16 bits, then the minor's
constexpr std::uint32_t unknown_length = 0xFFFFFFFF;
constexpr std::uint32_t ethernet = 1;  // and 16 bits of 0
constexpr std::byte nanoseconds{9};    // of if_tsresol: 10^-9 s
constexpr std::byte filter_is_text{0};
static_assert(std::endian::native == std::endian::little, "two 16-bit fields are put as a word");

template <class Number>
std::span<const std::byte, sizeof(Number)> bytes_of(const Number& number) {
  return std::as_bytes(std::span<const Number, 1>(&number, 1));
}

std::uint64_t count(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

void Blocks::begin(std::string_view program, const Interface& interface) {
  const std::size_t section = open(block::section_header);
  put(byte_order_magic);
  put(version_1_0);
  put(unknown_length);
  put(unknown_length);
  option(code::shb_userappl, program);
  close(section);

  const std::size_t description = open(block::interface_description);
  put(ethernet);
  put(interface.snaplen);
  option(code::if_name, interface.name);
  option(code::if_description, interface.description);
  option(code::if_tsresol, {&nanoseconds, 1});
  // An option's length has 16 bits; this one's first byte says what follows.
  if (!interface.filter.empty() && interface.filter.size() < UINT16_MAX) {
    option(code::if_filter, std::string(1, static_cast<char>(filter_is_text)) + interface.filter);
  }
  close(description);
}

void Blocks::add(Time time, std::span<const std::byte> bytes, std::uint32_t size, Way way) {
  const std::size_t packet = open(block::enhanced_packet);
  put(0);  // the interface's number
  put(time);
  put(static_cast<std::uint32_t>(bytes.size()));
  put(size);
  put(bytes);
  const auto flags = static_cast<std::uint32_t>(way);
  option(code::epb_flags, bytes_of(flags));
  close(packet);
}

void Blocks::end(const Statistics& statistics) {
  const std::size_t counts = open(block::interface_statistics);
  put(0);
  put(statistics.end);
  option(code::isb_starttime, statistics.start);
  option(code::isb_endtime, statistics.end);
  option(code::isb_ifrecv, statistics.received);
  if (statistics.dropped) option(code::isb_ifdrop, *statistics.dropped);
  option(code::isb_filteraccept, statistics.accepted);
  close(counts);
}

/// Type, and room for the length.
std::size_t Blocks::open(std::uint32_t type) {
  const std::size_t start = bytes_.size();
  put(type);
  put(0);
  return start;
}

/// Every block here has options; their end, and the length once more, conclude it.
void Blocks::close(std::size_t block) {
  put(code::end_of_options);
  const auto length = static_cast<std::uint32_t>(bytes_.size() - block + sizeof(std::uint32_t));
  std::memcpy(&bytes_[block + sizeof(std::uint32_t)], &length, sizeof length);
  put(length);
}

void Blocks::put(std::uint32_t word) {
  put(bytes_of(word));
}

void Blocks::put(Time time) {
  put(static_cast<std::uint32_t>(count(time) >> 32));
  put(static_cast<std::uint32_t>(count(time)));
}

/// Padded to 32 bits.
void Blocks::put(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(bytes_.size() + (4 - bytes.size() % 4) % 4);
}

void Blocks::option(std::uint16_t code, std::span<const std::byte> value) {
  put(code | static_cast<std::uint32_t>(value.size()) << 16);
  put(value);
}

void Blocks::option(std::uint16_t code, std::string_view text) {
  option(code, std::as_bytes(std::span(text)));
}

void Blocks::option(std::uint16_t code, std::uint64_t number) {
  option(code, bytes_of(number));
}

void Blocks::option(std::uint16_t code, Time time) {
  option(code, count(time) << 32 | count(time) >> 32);  // the high half first
}

}  // namespace nmx::pcapng
