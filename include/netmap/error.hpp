// SPDX-License-Identifier: BSD-2-Clause
//
// How netmapxx reports failure. Every fallible call returns a Result; an Error holds a code to
// branch on and one sentence to show: what was asked, which step failed, what to do about it.
// Failures of the operating system keep their errno (std::system_category); failures that only
// this library can see have an errc. The library never prints, exits or aborts.
#pragma once

#include <expected>
#include <string>
#include <system_error>
#include <utility>

namespace netmap {

/// Failures that only this library can see.
enum class errc {
  bad_name = 1,           ///< the port name does not follow the grammar
  conflicting_options,    ///< name and options contradict each other
  no_such_ring,           ///< the ring index is out of range
  position_out_of_range,  ///< the position is not among the slots the user owns
  packet_too_large,       ///< the packet does not fit what it was to be put into
  ring_full,              ///< not enough free slots; sync_tx() may bring some
  ring_empty,             ///< no whole packet is there; sync_rx() may bring some
  ring_corrupt,           ///< the other side wrote a value that cannot be
  interface_gone,         ///< the interface under the port was deleted
  peer_gone,              ///< the pipe's other end was closed, see PortOptions::ends_with_peer
  not_supported,          ///< the device cannot do this
  domain_unusable,        ///< the embedded device's directory is not fit for use
  region_damaged,         ///< shared memory does not hold what it should
  version_mismatch,       ///< written or spoken by another version
  fault_injected,         ///< what PortOptions::faults asked for
  end_of_capture,   ///< a capture has been read to its end: not a failure, but nothing follows
  capture_damaged,  ///< a capture is malformed or cut off
};

/// The category of errc, named "netmap".
[[nodiscard]] const std::error_category& error_category() noexcept;
/// For std::error_code, which finds it by itself.
[[nodiscard]] std::error_code make_error_code(errc code) noexcept;

/// Why a call failed: a code to branch on, and a sentence to show.
class Error {
 public:
  /// An Error whose sentence is the code's own.
  Error(std::error_code code) : code_(code), message_(code.message()) {}  // NOLINT: implicit
  Error(errc code) : Error(make_error_code(code)) {}                      // NOLINT: implicit
  Error(std::error_code code, std::string message) : code_(code), message_(std::move(message)) {}
  Error(errc code, std::string message) : Error(make_error_code(code), std::move(message)) {}

  [[nodiscard]] std::error_code code() const noexcept { return code_; }
  /// One sentence for a person.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

  friend bool operator==(const Error& error, std::error_code code) { return error.code_ == code; }
  friend bool operator==(const Error& error, std::errc code) { return error.code_ == code; }

 private:
  std::error_code code_;
  std::string message_;
};

/// What was asked for, or why not.
template <class T = void>
using Result = std::expected<T, Error>;

}  // namespace netmap

template <>
struct std::is_error_code_enum<netmap::errc> : std::true_type {};

namespace netmap::detail {

template <class T>
[[gnu::cold, gnu::noinline]] Result<T> make_refusal(errc code) {
  return std::unexpected(Error(code));
}

/// The failure of a function on the data path: made out of line, and known to be a failure, so
/// that success costs its caller nothing.
template <class T = void>
[[nodiscard]] Result<T> refuse(errc code) {
  auto refusal = make_refusal<T>(code);
  if (refusal) std::unreachable();
  return refusal;
}

}  // namespace netmap::detail
