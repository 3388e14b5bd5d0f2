// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever one word of a domain's records or of its region holds, a program that opens, uses and
// closes ports there goes on, or is told that something is damaged.
#include "embedded/support.hpp"
#include "hostile/word_parameter.hpp"

#include <algorithm>
#include <array>

namespace netmap::embedded {

namespace {

/// A pipe with a packet on its way and a null port, in a domain of their own.
class Place {
 public:
  Place()
      : left(must(try_open("x{1", eight))),
        right(must(try_open("x}1", eight))),
        null(must(try_open("n", {.memory_id = left.info().memory_id, .null_port = true}))),
        files(directory_.path(), left.info().memory_id) {
    EXPECT_TRUE(send_number(left.tx_rings()[0], 1));
    must(left.sync_tx());
  }

  /// All that a program may do; nothing need succeed.
  void work() {
    for (Port* const port : {&left, &right, &null}) use(*port);
    (void)netmap::open_ports(device());
    (void)port_info("x{1", device());
    (void)try_open("y{1", four);
    (void)try_open("x{2", four);
    (void)try_open("x}1", {.shared = true});
  }
  [[nodiscard]] Result<Port> try_open(const std::string& name, PortOptions options = {}) const {
    options.device = device();
    return netmap::open(name, options);
  }
  [[nodiscard]] DeviceOptions device() const { return {DeviceKind::embedded, directory_.path()}; }

  static void use(Port& port) {
    constexpr auto both = Direction::rx | Direction::tx;
    (void)port.sync_tx();
    (void)port.sync_rx();
    for (RxRing& ring : port.rx_rings()) {
      ring.for_each([](const Packet& packet) { (void)number_of(packet); });
    }
    for (TxRing& ring : port.tx_rings()) (void)ring.send(std::array<std::byte, 60>{});
    (void)port.wait(both, std::chrono::microseconds(1));
    if (port.arm(both)) port.disarm(both);
    (void)port.drain(std::chrono::microseconds(1));
  }

 private:
  static inline const PortOptions four{.conf = {.tx_slots = 4, .rx_slots = 4}, .extra_buffers = 2};
  static inline const PortOptions eight{.conf = {.tx_slots = 8, .rx_slots = 8}, .extra_buffers = 4};

  ScratchDirectory directory_;

 public:
  Port left;
  Port right;
  Port null;
  SharedFiles files;
};

class DamagedWord : public testing::TestWithParam<SharedWord> {};

TEST_P(DamagedWord, HarmsNobody) {
  for (const std::uint64_t value : edges()) {
    for (const std::uint32_t n : {0U, 2U, 3U}) {
      SCOPED_TRACE(testing::Message() << "number " << n << " is " << value);
      Place place;
      GetParam().write(place.files, n, value);
      place.work();
      close(place.right);
      place.use(place.left);
      GetParam().write(place.files, n, value);
      close(place.null);
      close(place.left);
      (void)place.try_open("x{1");
    }
  }
}

TEST(DamagedName, IsCut) {
  const Place place;
  PipeRecord& pipe = place.files.state().pipes[0];
  std::ranges::fill(pipe.parent, 'p');
  std::ranges::fill(pipe.id, 'i');
  const auto ports = must(netmap::open_ports(place.device()));
  const std::string name = std::string(63, 'p') + '{' + std::string(63, 'i');
  EXPECT_TRUE(std::ranges::find(ports, name, &OpenPort::name) != ports.end()) << ports.front().name;
}

INSTANTIATE_TEST_SUITE_P(OfARecord, DamagedWord, testing::ValuesIn(record_words()), name_of);
INSTANTIATE_TEST_SUITE_P(OfARegion, DamagedWord, testing::ValuesIn(region_words()), name_of);

}  // namespace
}  // namespace netmap::embedded
