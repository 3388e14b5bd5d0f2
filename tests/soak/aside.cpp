// SPDX-License-Identifier: BSD-2-Clause
#include "soak/aside.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

namespace netmap::soak {
namespace {

using embedded::patience;

/// Room for the largest packets of send_number().
constexpr std::uint32_t few_slots = 16;
constexpr std::uint64_t few_faulty = 200;

void claim(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

PortOptions small() {
  return {.conf = {.tx_slots = few_slots, .rx_slots = few_slots}, .extra_buffers = 2};
}

std::uint64_t take(Port& port, std::uint64_t next) {
  port.rx_rings()[0].for_each([&next](const Packet& packet) {
    claim(embedded::number_of(packet) == next, "a packet of a pipe beside is not the next one");
    ++next;
  });
  return next;
}

/// A thread in a sync loop, as long as this lives.
class Looping {
 public:
  explicit Looping(Port& port)
      : loop_(must(SyncLoop::attach(port))), thread_([this] { (void)loop_.run(); }) {}
  Looping(const Looping&) = delete;
  Looping& operator=(const Looping&) = delete;
  ~Looping() {
    (void)loop_.stop();
    thread_.join();
  }

 private:
  SyncLoop loop_;
  std::thread thread_;
};

}  // namespace

const std::vector<Aside::Operation>& Aside::operations() {
  static const std::vector<Operation> all{&Aside::use_another_region,
                                          &Aside::use_the_same_region,
                                          &Aside::use_faults,
                                          &Aside::use_offsets,
                                          &Aside::use_loops,
                                          &Aside::use_null_port,
                                          &Aside::ask,
                                          &Aside::use_captures};
  return all;
}

void Aside::do_something() {
  (this->*operations()[random_.below(operations().size())])();
  ++opener_->stage().operations;
}

void Aside::do_each() {
  for (const Operation operation : operations()) (this->*operation)();
}

Aside::Pipe Aside::open_pipe(const std::string& name, const PortOptions& left,
                             const PortOptions& right) const {
  const bool is_shared = name.starts_with("x{");
  Port master = is_shared ? opener_->open(name, left) : opener_->open_alone(name, left);
  std::string other = name;
  std::ranges::replace(other, '{', '}');
  return {std::move(master), opener_->open(other, right)};
}

void Aside::transfer(Pipe& pipe, std::uint64_t packets) {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  while (received != packets) {
    sent = embedded::send_numbers(pipe.left.tx_rings()[0], sent, packets);
    must(pipe.left.sync_tx());
    const bool is_under_way = sent != received;  // else the left is yet to learn that there is room
    const auto ready = is_under_way ? pipe.right.wait(Direction::rx, patience)
                                    : pipe.left.wait(Direction::tx, patience);
    claim(!must(ready).empty(), "nothing moves through a pipe beside");
    if (!is_under_way) continue;
    received = take(pipe.right, received);
    must(pipe.right.sync_rx());
  }
}

void Aside::use_another_region() {
  Pipe pipe = open_pipe(who_ + "{1", small());
  transfer(pipe, random_.below(300));
}

/// Sends packets in extra buffers.
void Aside::use_the_same_region() {
  Pipe pipe = open_pipe("x{" + who_, small());
  transfer(pipe, random_.below(300));
  must(pipe.left.sync_tx());
  Buffer buffer = must(pipe.left.take_buffer());
  TxSlot slot = pipe.left.tx_rings()[0].slots().front();
  must(slot.swap(buffer));
  claim(embedded::send_number(pipe.left.tx_rings()[0], 0), "there is no room in an empty ring");
  must(pipe.left.sync_tx());
  must(pipe.right.sync_rx());
  claim(take(pipe.right, 0) == 1, "a packet in an extra buffer did not come");
}

/// What is lost and what comes twice is told.
void Aside::use_faults() {
  PortOptions faulty = small();
  faulty.faults = Faults{.drop = 0.1, .duplicate = 0.1, .short_batch = 0.2, .seed = random_.bits()};
  Pipe pipe = open_pipe(who_ + "{faults", faulty, small());
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  const auto due = [&pipe] {
    const FaultCounts faults = pipe.left.stats().faults;
    return few_faulty + faults.duplicated - faults.dropped;
  };
  while (sent != few_faulty || received != due()) {
    sent = embedded::send_numbers(pipe.left.tx_rings()[0], sent, few_faulty);
    must(pipe.left.sync_tx());
    if (sent == few_faulty) (void)must(pipe.left.drain(std::chrono::nanoseconds(0)));
    must(pipe.right.sync_rx());
    pipe.right.rx_rings()[0].for_each([&](const Packet&) { ++received; });
  }
}

void Aside::use_offsets() {
  PortOptions options = small();
  options.offset = DataOffset{.initial = random_.below(64), .bits = 0, .max = 128};
  Pipe pipe = open_pipe(who_ + "{offsets", options, options);
  transfer(pipe, random_.below(300));
}

void Aside::use_loops() {
  Pipe pipe = open_pipe(who_ + "{loops", small());
  const Looping left(pipe.left);
  const Looping right(pipe.right);
  transfer(pipe, random_.below(300));
}

void Aside::use_null_port() {
  PortOptions options = small();
  options.conf.tx_rings = options.conf.rx_rings = 2;
  options.memory_id = opener_->stage().memory_id;
  options.null_port = true;
  const Port port = opener_->open("n" + who_, options);
  claim(port.extra_buffers() == 2, "a null port has not the extra buffers it asked for");
}

/// Of a port that is taken, too.
void Aside::ask() {
  (void)must(open_ports(opener_->device()));
  (void)must(port_info("x{1", opener_->device()));
  claim(test::code_of(opener_->try_open("x{1")) == std::errc::device_or_resource_busy,
        "the survivor's port could be opened twice");
}

void Aside::use_captures() {
  const std::string file = files_ + "/" + who_;
  const std::uint64_t packets = random_.below(300);
  {
    auto opened = netmap::open("pcap:tx=" + file);
    if (test::code_of(opened) == errc::not_supported) return;  // there is no libpcap
    Port port = must(std::move(opened));
    for (std::uint64_t number = 0; number != packets;) {
      number = embedded::send_numbers(port.tx_rings()[0], number, packets);
      must(port.sync_tx());
    }
  }
  Port port = must(netmap::open("pcap:" + file));
  std::uint64_t next = 0;
  Result<> synced = port.sync_rx();
  for (; synced; synced = port.sync_rx()) next = take(port, next);
  claim(synced.error() == errc::end_of_capture && next == packets,
        "of " + std::to_string(packets) + " packets of a capture " + std::to_string(next) +
            " were read");
  std::filesystem::remove(file);
}

}  // namespace netmap::soak
