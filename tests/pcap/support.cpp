// SPDX-License-Identifier: BSD-2-Clause
#include "pcap/support.hpp"

#include <fstream>
#include <iterator>
#include <type_traits>

namespace netmap::pcap {
namespace {

/// Numbers in a format's byte order.
class Writer {
 public:
  explicit Writer(const Format& format) : format_(format) {}

  template <class Number>
  Writer& put(std::type_identity_t<Number> number) {
    for (std::size_t i = 0; i != sizeof(Number); ++i) {
      const std::size_t byte = format_.is_big_endian ? sizeof(Number) - 1 - i : i;
      bytes_.push_back(static_cast<std::byte>(number >> (8 * byte)));
    }
    return *this;
  }
  Writer& u32(std::uint64_t number) {
    return put<std::uint32_t>(static_cast<std::uint32_t>(number));
  }
  Writer& u16(std::uint16_t number) { return put<std::uint16_t>(number); }
  Writer& add(const Bytes& bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Writer& pad() {
    while (bytes_.size() % 4 != 0) bytes_.push_back({});
    return *this;
  }
  /// A block of pcapng: its length stands before and behind what is in it.
  Writer& block(std::uint32_t type, const Writer& body) {
    const std::size_t length = body.bytes_.size() + 12;
    return u32(type).u32(length).add(body.bytes_).u32(length);
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  const Format& format_;
  Bytes bytes_;
};

constexpr std::uint32_t snap_length = 262'144;

Bytes classic_capture(const Format& format, const std::vector<Record>& records,
                      std::uint16_t link_type) {
  const std::int64_t unit = format.has_nanoseconds ? 1 : 1000;
  Writer file(format);
  file.u32(format.has_nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4).u16(2).u16(4);
  file.u32(0).u32(0).u32(snap_length).u32(link_type);
  for (const auto& [bytes, time, cut] : records) {
    file.u32(static_cast<std::uint64_t>(time.count() / 1'000'000'000));
    file.u32(static_cast<std::uint64_t>(time.count() % 1'000'000'000 / unit));
    file.u32(bytes.size()).u32(bytes.size() + cut).add(bytes);
  }
  return file.bytes();
}

Bytes pcapng_capture(const Format& format, const std::vector<Record>& records,
                     std::uint16_t link_type) {
  Writer section(format);
  section.u32(0x1a2b3c4d).u16(1).u16(0).u32(UINT32_MAX).u32(UINT32_MAX);
  Writer interface(format);
  interface.u16(link_type).u16(0).u32(snap_length);
  if (format.has_nanoseconds) {  // the option if_tsresol, and the end of options
    interface.u16(9).u16(1).add({std::byte{9}}).pad().u16(0).u16(0);
  }
  Writer file(format);
  file.block(0x0a0d0d0a, section).block(1, interface);
  for (const auto& [bytes, time, cut] : records) {
    const auto units =
        static_cast<std::uint64_t>(time.count()) / (format.has_nanoseconds ? 1 : 1000);
    Writer packet(format);
    packet.u32(0).u32(units >> 32).u32(units).u32(bytes.size()).u32(bytes.size() + cut);
    file.block(6, packet.add(bytes).pad());
  }
  return file.bytes();
}

}  // namespace

Bytes capture(const Format& format, const std::vector<Record>& records, std::uint16_t link_type) {
  return format.is_pcapng ? pcapng_capture(format, records, link_type)
                          : classic_capture(format, records, link_type);
}

std::vector<Record> records(const std::vector<std::size_t>& sizes) {
  std::vector<Record> all;
  for (const std::size_t size : sizes) {
    all.push_back({content(all.size(), size), 1'000'000s + 1us * static_cast<int>(all.size())});
  }
  return all;
}

std::string WithFiles::write(const Bytes& bytes, const std::string& name) const {
  std::ofstream file(path(name), std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path(name);
}

Bytes WithFiles::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes;
  for (auto each = std::istreambuf_iterator<char>(file); each != std::istreambuf_iterator<char>();
       ++each) {
    bytes.push_back(static_cast<std::byte>(*each));
  }
  return bytes;
}

std::vector<Bytes> take(RxRing& ring) {
  std::vector<Bytes> all;
  ring.for_each([&](const Packet& packet) {
    Bytes bytes(packet.size());
    must(packet.copy_to(bytes));
    all.push_back(std::move(bytes));
  });
  return all;
}

Shown read_all(Port& port) {
  Shown shown;
  for (;;) {
    if (auto synced = port.sync_rx(); !synced) {
      shown.end = synced.error().code();
      return shown;
    }
    for (Bytes& packet : take(port.rx_rings()[0])) shown.packets.push_back(std::move(packet));
  }
}

std::vector<Bytes> bytes_of(const std::vector<Record>& records) {
  std::vector<Bytes> all;
  for (const Record& record : records) all.push_back(record.bytes);
  return all;
}

}  // namespace netmap::pcap
