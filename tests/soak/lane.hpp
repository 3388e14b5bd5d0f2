// SPDX-License-Identifier: BSD-2-Clause
//
// Two pipes with a forwarder between them, which is somebody else's: numbered packets go into the
// first and come out of the second, each once and in order.
#pragma once

#include "soak/stage.hpp"

#include <optional>

namespace netmap::soak {

struct LaneKind {
  const char* source;
  const char* from;  ///< the forwarder's ends
  const char* to;
  const char* sink;
  bool is_rich;  ///< packets of all sizes, at data offsets; else as fast as can be

  [[nodiscard]] PortOptions options(std::uint32_t extra_buffers) const;
};
inline constexpr std::array lanes{LaneKind{"x{1", "x}1", "x{2", "x}2", false},
                                  LaneKind{"x{3", "x}3", "x{4", "x}4", true}};

/// The survivor's ends of a lane.
class Lane {
 public:
  Lane(const LaneKind& kind, const Opener& opener);

  /// Yields how many packets there was room for.
  std::size_t publish(Random& random, std::size_t limit);
  /// Yields how many packets came; throws if they are not those that had to.
  std::size_t receive(Random& random);
  [[nodiscard]] bool is_home() const { return published_ == received_; }
  /// Sleeps until something comes, for a moment at most.
  void doze(Random& random);
  /// Sleeps once at either port, so that both know who is there.
  void look_around();
  [[nodiscard]] std::uint64_t published() const { return published_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] std::uint16_t memory_id() const { return source_.info().memory_id; }

 private:
  std::size_t publish_words(std::size_t limit);
  std::size_t publish_packets(Random& random, std::size_t limit);
  void vary(TxSlot slot, Random& random);
  void keep_one();
  void expect(std::optional<std::uint64_t> number, std::uint64_t wanted) const;

  const LaneKind* kind_;
  Port source_;
  Port sink_;
  Buffer spare_;  ///< of the source: swapped into a slot now and then
  Buffer kept_;   ///< of the sink: the packet that was swapped out last
  std::optional<std::uint64_t> kept_number_;
  std::uint64_t published_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace netmap::soak
