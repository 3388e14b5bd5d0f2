// SPDX-License-Identifier: BSD-2-Clause
//
// Moves packets through a VALE switch of the embedded device, from one process that has a port to
// another that has all others, and prints how many millions of them a second arrived.
//
//     bench_switch 2 one 60 256 0.5      two ports; the packets are for an address that is known
//     bench_switch 8 all 60 256 0.5      eight ports; they are for all, and each arrival counts
#include "../pipe/netmap_pipe.hpp"

#include <array>

namespace bench {
namespace {

constexpr auto usage = "usage: bench_switch PORTS one|all BYTES BATCH SECONDS";

constexpr std::size_t address_bytes = 6;
constexpr std::size_t header_bytes = 16;  // of Ethernet, and two bytes more: where words begin
constexpr std::size_t receiver_port = 1;

using Header = std::array<std::byte, header_bytes>;

/// The host at port `n`; of address 0xff…ff are all.
Header header(std::uint8_t to, std::uint8_t from) {
  Header bytes{};
  const bool is_all = to == 0xff;
  for (std::size_t i = 0; i != address_bytes; ++i) bytes[i] = std::byte(is_all ? 0xff : 0x02);
  bytes[address_bytes - 1] = std::byte{to};
  bytes[address_bytes] = std::byte{0x02};
  bytes[2 * address_bytes - 1] = std::byte{from};
  return bytes;
}

std::string port_name(std::size_t port) {
  return "vale0:" + std::to_string(port);
}

class SwitchSender {
 public:
  SwitchSender(const Domain& domain, bool is_to_all)
      : port_(domain.open(port_name(0).c_str())),
        header_(header(is_to_all ? 0xff : receiver_port, 0)) {}

  bool send(std::uint32_t batch, Writer& write) {
    netmap::TxRing& ring = port_.tx_rings()[0];
    netmap::LookAhead ahead(ring.slots());
    auto at = ring.slots().begin();
    for (const auto end = at + batch; at != end; ++at) {
      netmap::TxSlot slot = *at;
      if (!slot.set_length(write.bytes() + header_bytes)) fail("a slot has no buffer");
      std::memcpy(slot.buffer().data(), header_.data(), header_bytes);
      write(slot.buffer().data() + header_bytes);
      ahead.step();
    }
    if (!ring.commit(at) || !port_.sync_tx()) fail("cannot send");
    return true;
  }

 private:
  netmap::Port port_;
  Header header_;
};

/// Reads what comes, of which some may be missing.
class SwitchReceiver {
 public:
  SwitchReceiver(const Domain& domain, std::size_t ports) {
    for (std::size_t port = receiver_port; port != ports; ++port) {
      ports_.push_back(domain.open(port_name(port).c_str()));
      if (port == receiver_port) introduce(ports_.front());
    }
  }

  std::size_t receive(std::uint32_t batch, Reader& read) {
    std::size_t received = 0;
    for (netmap::Port& port : ports_) {
      if (!port.sync_rx()) fail("cannot sync");
      netmap::RxRing& ring = port.rx_rings()[0];
      netmap::LookAhead ahead(ring.slots());
      received += ring.for_each(
          [&](const netmap::Packet& packet) {
            const auto bytes = packet.front();
            if (bytes.size() < header_bytes) fail("a packet was cut");
            read.read_any(bytes.subspan(header_bytes));
            ahead.step();
          },
          batch);
    }
    return received;
  }

 private:
  /// So that the switch knows where address 1 is.
  static void introduce(netmap::Port& port) {
    if (!port.tx_rings()[0].send(header(0, receiver_port)) || !port.sync_tx()) fail("cannot send");
  }

  std::vector<netmap::Port> ports_;
};

int run(std::span<char*> words) {
  if (words.size() != 6) fail(usage);
  const std::size_t ports = std::strtoul(words[1], nullptr, 10);
  const bool is_to_all = std::strcmp(words[2], "all") == 0;
  if (ports < 2 || ports > 254 || (!is_to_all && std::strcmp(words[2], "one") != 0)) fail(usage);
  char placement[] = "processes";
  std::array job_words{placement, words[3], words[4], words[5]};
  Job job = job_of(job_words, usage);
  if (job.bytes < header_bytes + sizeof(Word)) fail("a packet has 24 bytes or more");
  job.bytes -= header_bytes;
  const Domain domain;
  std::printf(
      "%.3f\n",
      measure(
          job, [&](Progress& progress) { send(progress, SwitchSender(domain, is_to_all), job); },
          [&](Progress& progress) { receive(progress, SwitchReceiver(domain, ports), job); }));
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv, static_cast<std::size_t>(argc)});
}
