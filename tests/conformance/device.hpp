// SPDX-License-Identifier: BSD-2-Clause
//
// What every conformance case stands on: a device, names nobody else uses, and numbered packets.
// A case runs once for each device and ends in one of three ways: it ran; the device refused, in
// the way it documents; or the device is not on this machine and the case was skipped.
#pragma once

#include "support/result.hpp"

#include <netmap/netmap.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace netmap::conformance {

using test::code_of;
using test::must;

/// How long to wait for what must happen: long enough for an emulated processor.
inline constexpr auto patience = std::chrono::seconds(20);
/// How long to wait for what must not happen.
inline constexpr auto moment = std::chrono::milliseconds(20);

/// Ends `port`, which may be given another value later.
inline void close(Port& port) {
  const Port closed = std::move(port);
}

/// A master and a slave.
struct Pipe {
  Port master;
  Port slave;
};

/// A device, bare or behind the fault device, of which no fault is asked: it has to be as the bare
/// one, but that its ports have memory of their own.
struct Setting {
  DeviceKind device;
  bool has_faults;
};

class OnDevice : public testing::TestWithParam<Setting> {
 protected:
  void SetUp() override;

  [[nodiscard]] static bool is_kernel() { return GetParam().device == DeviceKind::kernel; }
  [[nodiscard]] static bool has_faults() { return GetParam().has_faults; }
  /// The device of this case, and a domain of this process.
  [[nodiscard]] static DeviceOptions device();
  [[nodiscard]] static Result<Port> try_open(const std::string& name, PortOptions options = {}) {
    options.device = device();
    if (has_faults()) options.faults = Faults();
    return netmap::open(name, options);
  }
  [[nodiscard]] static Port open(const std::string& name, const PortOptions& options = {},
                                 std::source_location at = std::source_location::current()) {
    return must(try_open(name, options), at);
  }
  [[nodiscard]] Pipe open_pipe(const PortOptions& options = {}) const {
    return {open(base() + "{1", options), open(base() + "}1", options)};
  }

  /// A name for the parent of pipes that no other case and no other process uses.
  [[nodiscard]] const std::string& base() const { return base_; }

  /// Whether this device says it cannot do what was asked; then the case has its answer. Only the
  /// embedded device may, and only with the code that is documented for it.
  template <class T>
  [[nodiscard]] static bool refused(const Result<T>& result,
                                    std::error_code documented = errc::not_supported) {
    if (is_kernel() || code_of(result) != documented) return false;
    EXPECT_FALSE(result.error().message().empty());
    RecordProperty("refused", result.error().message());
    return true;
  }
  /// Whether ports have memory of their own instead of the device's, as faults.hpp says; then the
  /// case has its answer.
  [[nodiscard]] static bool has_memory_of_its_own() {
    if (has_faults()) RecordProperty("refused", "a port with faults has memory of its own");
    return has_faults();
  }

 private:
  std::string base_;
};

/// Opens a port, or ends the case if the device refuses; behind the variable what open() takes.
#define OPEN_OR_END(port, ...)             \
  auto try_##port = try_open(__VA_ARGS__); \
  if (refused(try_##port)) return;         \
  Port port = must(std::move(try_##port))

std::string device_name(const testing::TestParamInfo<Setting>& info);

inline constexpr Setting bare_settings[] = {{DeviceKind::kernel, false},
                                            {DeviceKind::embedded, false}};
inline constexpr Setting faulty_settings[] = {{DeviceKind::kernel, true},
                                              {DeviceKind::embedded, true}};

/// Runs a suite on every device: what ports with faults do not have, see faults.hpp.
#define ON_EVERY_BARE_DEVICE(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(bare_settings), device_name)

/// Runs a suite on every device, without and with faults.
#define ON_EVERY_DEVICE(suite) \
  ON_EVERY_BARE_DEVICE(suite); \
  INSTANTIATE_TEST_SUITE_P(Faulty, suite, testing::ValuesIn(faulty_settings), device_name)

// ---- Numbered packets ---------------------------------------------------------------------------

/// A packet whose first four bytes are its number; the others follow from it and their place.
[[nodiscard]] std::vector<std::byte> numbered(std::uint32_t number, std::size_t bytes = 60);
/// The number, or nothing if a byte is not what numbered() put there.
[[nodiscard]] std::optional<std::uint32_t> number_of(std::span<const std::byte> packet);
[[nodiscard]] std::optional<std::uint32_t> number_of(const Packet& packet);

/// Fills `ring` with packets numbered from `first` until it is full or `count` are in it; yields
/// how many.
std::uint32_t send_numbered(TxRing& ring, std::uint32_t first, std::uint32_t count,
                            std::size_t bytes = 60);

/// Takes every packet that is there; the numbers, in order. Fails the test at a damaged one.
std::vector<std::uint32_t> take_numbers(RxRing& ring);

/// first, first + 1, … count of them.
[[nodiscard]] std::vector<std::uint32_t> numbers(std::uint32_t first, std::uint32_t count);

[[nodiscard]] inline std::vector<std::uint32_t> sync_and_take(Port& port, std::size_t ring = 0) {
  must(port.sync_rx());
  return take_numbers(port.rx_rings()[ring]);
}
/// Moves `count` packets from one port to the other, as many at a time as fit, and checks them.
inline void carry(Port& from, Port& to, std::uint32_t count, std::size_t ring = 0) {
  std::uint32_t sent = 0;
  for (std::uint32_t received = 0; received != count;) {
    sent += send_numbered(from.tx_rings()[ring], sent, count - sent);
    must(from.sync_tx());
    const auto taken = sync_and_take(to, ring);
    ASSERT_EQ(taken, numbers(received, sent - received));
    received = sent;
    must(to.sync_rx());
  }
}

/// Commits `count` packets and hands them over.
inline void send_and_sync(Port& port, std::uint32_t first, std::uint32_t count,
                          std::size_t ring = 0) {
  ASSERT_EQ(send_numbered(port.tx_rings()[ring], first, count), count);
  must(port.sync_tx());
}

// ---- Other processes ----------------------------------------------------------------------------

/// Runs `work` in another process, which sees the test's ports only if it opens them itself.
class Child {
 public:
  /// `work()` yields whether it succeeded; an exception is a failure.
  template <class Work>
  explicit Child(Work work) : process_(split()) {
    if (process_ != 0) return;
    try {
      leave(work());
    } catch (const std::exception& failure) {
      complain(failure);
      leave(false);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { (void)succeeded(); }

  /// Waits for the end of the process; whether `work` succeeded.
  [[nodiscard]] bool succeeded();

 private:
  static int split();
  static void complain(const std::exception& failure);
  [[noreturn]] static void leave(bool succeeded);

  int process_;
  bool succeeded_ = false;
};

}  // namespace netmap::conformance
