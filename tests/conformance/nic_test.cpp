// SPDX-License-Identifier: BSD-2-Clause
//
// NIC rings and host rings of network interfaces, two veth interfaces joined to each other, which
// NETMAP_TEST_VETH names ("a b"); and what only the module's descriptors can do.
#include "conformance/ethernet.hpp"
#include "conformance/host_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

/// veth keeps frames on the CPU of whoever sends them, so they may come in another order.
std::vector<std::uint32_t> receive_sorted(Port& port, std::size_t count, std::size_t ring = 0) {
  auto received = receive_frames(port, ring, count);
  std::ranges::sort(received);
  return received;
}

class Nics : public OnDevice {
 protected:
  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    const char* pair = std::getenv("NETMAP_TEST_VETH");
    if (pair == nullptr || !(std::istringstream(pair) >> near_ >> far_)) {
      GTEST_SKIP() << "NETMAP_TEST_VETH does not name two joined interfaces";
    }
  }
  [[nodiscard]] const std::string& near() const { return near_; }
  [[nodiscard]] const std::string& far() const { return far_; }

  /// Whether the port refuses to forward, as one with faults does; then the case has its answer.
  [[nodiscard]] static bool refuses_to_forward(Port& port) {
    if (!has_memory_of_its_own()) return false;
    EXPECT_EQ(code_of(port.set_forwarding(true)), errc::not_supported);
    return true;
  }

  static Result<> send(std::uint16_t type, const std::string& name, void* body) {
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = type;
    name.copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(body);
    return request(header, device());
  }

 private:
  std::string near_;
  std::string far_;
};
ON_EVERY_DEVICE(Nics);

// ---- Sync loops

TEST_P(Nics, HaveSyncLoops) {
  if (has_memory_of_its_own()) return;
  OPEN_OR_END(a, near());
  Port b = open(far());
  SyncLoop loop = must(SyncLoop::attach(a));
  std::thread thread([&loop] { must(loop.run(std::chrono::microseconds(50))); });
  send_frames(a, 0, 0, 200, 1);
  EXPECT_EQ(receive_sorted(b, 200), numbers(0, 200));
  send_frames(b, 0, 0, 200, 1);
  EXPECT_EQ(receive_sorted(a, 200), numbers(0, 200));
  must(loop.stop());
  thread.join();
}

// ---- NIC rings
// -----------------------------------------------------------------------------------

TEST_P(Nics, SendAndReceive) {
  OPEN_OR_END(a, near());
  Port b = open(far());
  EXPECT_EQ(a.info().memory_id, abi::memory_id::global);
  for (std::uint32_t sent = 0; sent != 2000; sent += 200) {
    send_frames(a, 0, sent, 200, 1);
    EXPECT_EQ(receive_sorted(b, 200), numbers(sent, 200));
    send_frames(b, 0, sent, 200, 2);
    EXPECT_EQ(receive_sorted(a, 200), numbers(sent, 200));
  }
  EXPECT_EQ(must(a.drain(patience)), 0U);
}

TEST_P(Nics, ForwardToAnotherWithoutACopy) {
  if (has_memory_of_its_own()) return;
  OPEN_OR_END(a, near());
  Port b = open(far());
  Port out = open(near() + "{1");
  Port sink = open(near() + "}1");
  send_frames(b, 0, 0, 50, 2);
  std::size_t forwarded = 0;
  while (forwarded != 50 && !must(a.wait(Direction::rx, patience)).empty()) {
    const auto done = must(forward(a.rx_rings()[0], out.tx_rings()[0]));
    EXPECT_TRUE(done.zero_copy);
    forwarded += done.packets;
    must(out.sync_tx());
  }
  EXPECT_EQ(receive_sorted(sink, 50), numbers(0, 50));
}

TEST_P(Nics, AreReleasedWhenTheirPortCloses) {
  auto opened = try_open(near());
  if (refused(opened)) return;
  Port other = open(far());
  for (int i = 0; i != 5; ++i) {
    close(*opened);
    opened = try_open(near());
    ASSERT_TRUE(opened) << "closing " << i << " left the interface taken";
  }
  EXPECT_EQ(code_of(try_open(near())), std::errc::device_or_resource_busy);
}

TEST_P(Nics, HaveNoRingBeyondTheirLast) {
  const auto port = try_open(near() + "-99");
  if (refused(port)) return;
  EXPECT_EQ(code_of(port), std::errc::invalid_argument);
  EXPECT_NE(port.error().message().find("no ring 99"), std::string::npos);
  const auto host = try_open(near() + "^99");
  if (refused(host)) return;
  EXPECT_EQ(code_of(host), std::errc::invalid_argument);
  EXPECT_NE(host.error().message().find("no ring 99"), std::string::npos);
}

// ---- Host rings
// ----------------------------------------------------------------------------------

TEST_P(Nics, GiveTheHostWhatIsSentOnItsRings) {
  OPEN_OR_END(port, near() + "^");
  ASSERT_TRUE(port.tx_rings()[0].is_host());
  const HostSocket host(near());
  send_frames(port, 0, 0, 20, 9);
  for (std::uint32_t i = 0; i != 20; ++i) EXPECT_EQ(host.receive(), i);
}

TEST_P(Nics, CatchWhatTheHostSends) {
  OPEN_OR_END(port, near() + "*");
  const auto rings = port.rx_rings();
  const auto host_ring = std::ranges::find_if(rings, &RxRing::is_host);
  ASSERT_NE(host_ring, rings.end());
  const HostSocket host(near());
  for (std::uint32_t i = 0; i != 20; ++i) host.send(frame(i, 9));
  EXPECT_EQ(receive_sorted(port, 20, static_cast<std::size_t>(host_ring - rings.begin())),
            numbers(0, 20));
}

TEST_P(Nics, ForwardToTheHostWhatIsFlagged) {
  OPEN_OR_END(port, near() + "*");
  if (refuses_to_forward(port)) return;
  Port b = open(far());
  RxRing& rx = port.rx_rings()[0];
  must(port.set_forwarding(true));
  EXPECT_EQ(code_of(b.set_forwarding(true)), errc::not_supported) << "it has no host rings";
  const HostSocket host(near());
  send_frames(b, 0, 0, 10, 2);
  for (std::size_t flagged = 0; flagged != 10;) {
    ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty());
    for (const Packet packet : rx.packets()) {
      flagged += number_in_frame(packet.front()).has_value() ? 1 : 0;
      must(rx.pass(packet));
    }
    must(rx.release(rx.slots().end()));
    for (RxRing& other : port.rx_rings()) must(other.release(other.slots().end()));
    must(port.sync_rx());
  }
  for (std::uint32_t i = 0; i != 10; ++i) EXPECT_EQ(host.receive(), i);
}

TEST_P(Nics, ForwardFromTheHostWhatIsFlagged) {
  OPEN_OR_END(port, near() + "*");
  if (refuses_to_forward(port)) return;
  Port b = open(far());
  const auto rings = port.rx_rings();
  const auto from_host = std::ranges::find_if(rings, &RxRing::is_host);
  ASSERT_NE(from_host, rings.end());
  must(port.set_forwarding(true));
  const HostSocket host(near());
  for (std::uint32_t i = 0; i != 10; ++i) host.send(frame(i, 9));
  for (std::size_t flagged = 0; flagged != 10;) {
    ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty());
    for (const Packet packet : from_host->packets()) {
      flagged += number_in_frame(packet.front()).has_value() ? 1 : 0;
      must(from_host->pass(packet));
    }
    for (RxRing& ring : rings) must(ring.release(ring.slots().end()));
    must(port.sync_rx());
    must(port.sync_tx());
  }
  EXPECT_EQ(receive_sorted(b, 10), numbers(0, 10));
}

TEST_P(Nics, ForwardNothingThatIsNotPassed) {
  OPEN_OR_END(port, near() + "*");
  if (refuses_to_forward(port)) return;
  Port b = open(far());
  RxRing& rx = port.rx_rings()[0];
  must(port.set_forwarding(false));  // the ring's last user may have left it on
  const HostSocket host(near());
  send_frames(b, 0, 0, 4, 2);
  for (std::size_t seen = 0; seen != 4;) {
    ASSERT_FALSE(must(port.wait(Direction::rx, patience)).empty());
    for (const Packet packet : rx.packets()) {
      const auto number = number_in_frame(packet.front());
      seen += number.has_value() ? 1 : 0;
      if (number == 0U) {
        EXPECT_EQ(code_of(rx.pass(packet)), errc::not_supported) << "it is not switched on";
        must(port.set_forwarding(true));
      }
      if (number == 1U || number == 3U) must(rx.pass(packet));
    }
    for (RxRing& ring : port.rx_rings()) must(ring.release(ring.slots().end()));
    must(port.sync_rx());
  }
  EXPECT_EQ(host.receive(), 1U);
  EXPECT_EQ(host.receive(), 3U);
}

// ---- Monitors and switches ----------------------------------------------------------------------

TEST_P(Nics, AreWatchedInBothDirections) {
  OPEN_OR_END(a, near());
  Port b = open(far());
  OPEN_OR_END(sent, near() + "/t");
  Port received = open(near() + "/r");
  send_frames(a, 0, 0, 20, 1);
  EXPECT_EQ(receive_sorted(sent, 20), numbers(0, 20));
  EXPECT_EQ(receive_sorted(b, 20), numbers(0, 20));
  send_frames(b, 0, 100, 20, 2);
  EXPECT_EQ(receive_sorted(a, 20), numbers(100, 20));
  EXPECT_EQ(receive_sorted(received, 20), numbers(100, 20));
}

TEST_P(Nics, CanBeGivenToASwitch) {
  const std::string at_switch = "vale" + base() + ":" + near();
  abi::nmreq_vale_attach attach{};
  attach.reg.nr_mode = abi::mode::all_nic;
  const auto attached = send(req::vale_attach, at_switch, &attach);
  if (OnDevice::refused(attached)) return;
  must(attached);
  Port port = open("vale" + base() + ":p");
  Port b = open(far());
  EXPECT_EQ(code_of(try_open(near())), std::errc::device_or_resource_busy);
  send_frames(port, 0, 0, 20, 1);
  EXPECT_EQ(receive_sorted(b, 20), numbers(0, 20));
  send_frames(b, 0, 50, 20, 2);
  EXPECT_EQ(receive_sorted(port, 20), numbers(50, 20));
  abi::nmreq_vale_detach detach{};
  must(send(req::vale_detach, at_switch, &detach));
  EXPECT_EQ(detach.port_index, attach.port_index);
  EXPECT_EQ(code_of(send(req::vale_detach, at_switch, &detach)),
            std::errc::no_such_device_or_address);
  EXPECT_TRUE(try_open(near()));
}

TEST_P(Nics, CanBeMadeOfASwitch) {
  abi::nmreq_vale_newif made{};
  made.nr_tx_rings = made.nr_rx_rings = 2;
  const auto created = send(req::vale_newif, base(), &made);
  if (OnDevice::refused(created)) return;
  must(created);
  EXPECT_EQ(made.nr_tx_slots, 1024U);
  EXPECT_EQ(code_of(send(req::vale_newif, base(), &made)), std::errc::file_exists);
  {
    Port port = open(base());
    EXPECT_EQ(port.tx_rings().size(), 2U);
    EXPECT_EQ(code_of(send(req::vale_delif, base(), nullptr)), std::errc::device_or_resource_busy);
  }
  must(send(req::vale_delif, base(), nullptr));
  EXPECT_EQ(code_of(try_open(base())), std::errc::no_such_device_or_address);
}

// ---- Descriptors and mappings
// --------------------------------------------------------------------

/// The module's are of one file; the embedded device's of one for each region.
std::size_t mappings(const std::string& domain) {
  std::ifstream maps("/proc/self/maps");
  std::multiset<std::string> of_module;
  std::set<std::string> regions;
  for (std::string line; std::getline(maps, line);) {
    if (line.ends_with(abi::device_path)) of_module.insert(line);
    const auto region = line.find(domain + "/mem");
    if (!domain.empty() && region != std::string::npos) regions.insert(line.substr(region));
  }
  return of_module.size() + regions.size();
}

TEST_P(Nics, ShareOneMappingPerRegion) {
  if (refused(try_open(near()))) return;
  ASSERT_EQ(mappings(device().domain), 0U);
  {
    Port a = open(near());
    Port b = open(far());
    EXPECT_EQ(mappings(device().domain), 1U);
    auto pipe = open_pipe();
    EXPECT_EQ(mappings(device().domain), 2U);
    close(a);
    EXPECT_EQ(mappings(device().domain), 2U);
    close(b);
    EXPECT_EQ(mappings(device().domain), 1U);
  }
  EXPECT_EQ(mappings(device().domain), 0U);
}

TEST_P(Nics, CanBeAdoptedAsDescriptors) {
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  body.nr_extra_bufs = 2;
  const std::string name = base() + "{1";
  if (!is_kernel()) {
    const auto port = adopt(::open("/dev/null", O_RDWR | O_CLOEXEC), name, body);
    EXPECT_FALSE(port) << "only the module's descriptors can be adopted";
    RecordProperty("refused", port.error().message());
    return;
  }
  const int fd = ::open(abi::device_path, O_RDWR | O_CLOEXEC);
  abi::nmreq_header header{};
  header.nr_version = abi::version::current;
  header.nr_reqtype = req::port_register;
  name.copy(header.nr_name, sizeof header.nr_name - 1);
  header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
  ASSERT_EQ(::ioctl(fd, abi::ioctl_number::ctrl, &header), 0);
  Port port = must(adopt(fd, "netmap:" + name, body));
  EXPECT_EQ(port.info().name, name);
  EXPECT_EQ(port.extra_buffers(), 2U);
  Port slave = open(base() + "}1");
  send_and_sync(port, 0, 10);
  EXPECT_EQ(sync_and_take(slave), numbers(0, 10));
  close(port);
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1) << "the port owned the descriptor";
}

}  // namespace

}  // namespace netmap::conformance
