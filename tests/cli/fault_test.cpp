// SPDX-License-Identifier: BSD-2-Clause
//
// The negative control of nmx recv --seq: this test is the sender, does one thing wrong, and nmx
// has to report exactly that.
#include "cli/domain.hpp"
#include "cli/process.hpp"
#include "nmx/sequence.hpp"

#include <netmap/netmap.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

namespace nmx_test {
namespace {

using Bytes = std::vector<std::byte>;
using Stream = std::vector<Bytes>;

constexpr std::ptrdiff_t there = 77;

Stream good_stream() {
  nmx::HeaderBuilder header({2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2});
  header.set({{1, 1}, {2, 2}}, 3000);
  nmx::SequenceWriter writer(5);
  Stream packets(200, Bytes(3000));
  for (Bytes& packet : packets) {
    writer.begin(header.plain(), packet.size());
    writer.put(packet);
  }
  return packets;
}

struct Fault {
  const char* name;
  std::function<void(Stream&)> inflict;
  nlohmann::json expected;  ///< what is not 0
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

class RecvSeq : public OnEmbedded, public testing::WithParamInterface<Fault> {
 protected:
  /// What nmx says of this stream.
  Outcome receive(const Stream& packets) {
    Process in(nmx({"recv", "x}1", "--seq", "--json", "-n", std::to_string(packets.size())}));
    in.wait_for("nmx recv: ");
    auto port = netmap::open("x{1");
    if (!port) throw std::runtime_error(port.error().message());
    for (const Bytes& packet : packets) send(*port, packet);
    EXPECT_EQ(port->drain(std::chrono::seconds(60)), 0);
    return in.finish();
  }

 private:
  static void send(netmap::Port& port, const Bytes& packet) {
    while (!port.tx_rings()[0].send(packet)) {
      ASSERT_TRUE(port.tx_rings()[0].want(2));
      ASSERT_TRUE(port.wait(netmap::Direction::tx, std::chrono::seconds(60)));
    }
  }
};

TEST_P(RecvSeq, ReportsExactlyThat) {
  Stream packets = good_stream();
  GetParam().inflict(packets);
  const Outcome received = receive(packets);
  const auto json = received.json();
  EXPECT_EQ(json["packets"], packets.size());
  for (const char* count : {"lost", "duplicated", "reordered", "corrupt", "foreign"}) {
    EXPECT_EQ(json[count], GetParam().expected.value(count, 0)) << count;
  }
  EXPECT_EQ(received.status, GetParam().expected.empty() ? 0 : 1) << received.err;
}

INSTANTIATE_TEST_SUITE_P(
    , RecvSeq,
    testing::Values(
        Fault{"Nothing", [](Stream&) {}, nlohmann::json::object()},
        Fault{"Lost", [](Stream& s) { s.erase(s.begin() + there); }, {{"lost", 1}}},
        Fault{"TwoLost", [](Stream& s) { s.erase(s.begin() + 3, s.begin() + 5); }, {{"lost", 2}}},
        Fault{"Doubled",
              [](Stream& s) { s.insert(s.begin() + there, s[there]); },
              {{"duplicated", 1}}},
        Fault{"Swapped", [](Stream& s) { std::swap(s[there], s[there + 1]); }, {{"reordered", 1}}},
        Fault{"DamagedHeader", [](Stream& s) { s[there][1] ^= std::byte{1}; }, {{"corrupt", 1}}},
        Fault{"DamagedNumber", [](Stream& s) { s[there][42] ^= std::byte{1}; }, {{"corrupt", 1}}},
        Fault{"DamagedFirstFragment",
              [](Stream& s) { s[there][2047] ^= std::byte{1}; },
              {{"corrupt", 1}}},
        Fault{"DamagedLastByte",
              [](Stream& s) { s[there][2999] ^= std::byte{128}; },
              {{"corrupt", 1}}},
        Fault{"Cut", [](Stream& s) { s[there].pop_back(); }, {{"corrupt", 1}}},
        Fault{"One of each",
              [](Stream& s) {
                s[10][500] ^= std::byte{4};
                std::swap(s[20], s[21]);
                s.insert(s.begin() + 30, s[30]);
                s.erase(s.begin() + 40);
              },
              {{"lost", 1}, {"duplicated", 1}, {"reordered", 1}, {"corrupt", 1}}}));

}  // namespace
}  // namespace nmx_test
