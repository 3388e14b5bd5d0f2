// SPDX-License-Identifier: BSD-2-Clause
//
// A text arrives whole, and in order, over a pipe that loses, doubles and reorders packets in both
// directions: sliding-window ARQ with selective repeat. The sender has up to 64 segments under way
// and sends again those that nobody acknowledges; the receiver keeps what is early.
//
//     example_arq
#include <netmap/netmap.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using netmap::Direction;

constexpr std::uint32_t window = 64;
constexpr std::size_t segment_bytes = 100;
constexpr auto patience = 2ms;  // for an acknowledgement
constexpr int max_tries = 100;

/// A packet is a number, and behind it the segment's text; an acknowledgement has none. What does
/// not fit into the ring is as good as lost: it will be sent again.
void send(netmap::Port& port, std::uint32_t number, std::string_view text = {}) {
  auto packet = port.tx_rings()[0].writer();
  (void)packet.append(std::as_bytes(std::span(&number, 1)));
  if (packet.append(std::as_bytes(std::span(text)))) (void)packet.commit();
}

std::uint32_t number_in(const netmap::Packet& packet) {
  std::uint32_t number = 0;
  std::memcpy(&number, packet.front().data(), std::min(sizeof number, packet.front().size()));
  return number;
}

const netmap::Error nobody_answers(std::make_error_code(std::errc::timed_out), "nobody answers");

struct UnderWay {
  Clock::time_point sent;
  int tries = 1;
};

/// Yields how many segments were sent again.
std::size_t send_all(netmap::Port& port, std::string_view text) {
  const auto count = static_cast<std::uint32_t>((text.size() + segment_bytes - 1) / segment_bytes);
  const auto segment = [&](std::uint32_t n) {
    return text.substr(n * segment_bytes, segment_bytes);
  };
  std::map<std::uint32_t, UnderWay> unacknowledged;
  std::uint32_t next = 0;
  std::size_t retransmissions = 0;
  while (next != count || !unacknowledged.empty()) {
    for (auto& [number, state] : unacknowledged) {
      if (Clock::now() - state.sent < patience) continue;
      if (++state.tries > max_tries) throw std::bad_expected_access(nobody_answers);
      send(port, number, segment(number));
      state.sent = Clock::now();
      ++retransmissions;
    }
    const auto first = unacknowledged.empty() ? next : unacknowledged.begin()->first;
    for (; next != count && next != first + window; ++next) {
      send(port, next, segment(next));
      unacknowledged[next] = {Clock::now()};
    }
    port.sync_tx().value();
    port.wait(Direction::rx, patience).value();
    port.rx_rings()[0].for_each(
        [&](const auto& packet) { unacknowledged.erase(number_in(packet)); });
  }
  return retransmissions;
}

/// Until the sender has all acknowledgements: the last of them, too, may have to be repeated.
void receive_all(const std::stop_token& done, netmap::Port& port, std::string& text) {
  std::map<std::uint32_t, std::string> early;
  std::uint32_t next = 0;
  while (!done.stop_requested()) {
    port.wait(Direction::rx, 10ms).value();
    port.rx_rings()[0].for_each([&](const netmap::Packet& packet) {
      if (packet.front().size() < sizeof next) return;
      const std::uint32_t number = number_in(packet);
      const auto bytes = packet.front().subspan(sizeof number);
      send(port, number);
      if (number - next >= window) return;  // it has been here before
      early.try_emplace(number, reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    for (; early.contains(next); ++next) text += early.extract(next).mapped();
    port.sync_tx().value();
  }
}

int main() try {
  const netmap::Faults faults{.drop = 0.1, .duplicate = 0.05, .reorder = 0.1};
  auto left = netmap::open("netmap:arq{1", {.faults = faults}).value();
  auto right = netmap::open("netmap:arq}1").value();
  std::string text, received;
  for (int line = 0; line != 20'000; ++line) text += "line " + std::to_string(line) + '\n';

  std::jthread receiver([&](const std::stop_token& done) { receive_all(done, right, received); });
  const std::size_t retransmissions = send_all(left, text);
  receiver.request_stop();
  receiver.join();
  const bool is_whole = received == text;
  std::printf("%s; %zu retransmissions because %zu packets were lost\n",
              is_whole ? "everything arrived in order" : "the text arrived damaged",
              retransmissions, static_cast<std::size_t>(left.stats().faults.dropped));
  return is_whole ? 0 : 1;
} catch (const std::bad_expected_access<netmap::Error>& failure) {
  std::fprintf(stderr, "%s\n", failure.error().message().c_str());
  return 1;
}
