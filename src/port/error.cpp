// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/error.hpp>

namespace netmap {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "netmap"; }

  std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
      case errc::bad_name: return "the port name is malformed";
      case errc::conflicting_options: return "name and options contradict each other";
      case errc::no_such_ring: return "the ring index is out of range";
      case errc::position_out_of_range:
        return "the position is not among the slots the program owns; nothing was moved";
      case errc::packet_too_large: return "the packet is too large";
      case errc::ring_full: return "the ring has too few free slots; sync and try again";
      case errc::ring_empty: return "the ring holds no whole packet; sync and try again";
      case errc::ring_corrupt: return "the ring holds a value that cannot be; close the port";
      case errc::interface_gone: return "the interface is gone; close the port";
      case errc::peer_gone: return "the other end of the pipe has been closed";
      case errc::not_supported: return "the device does not support this";
      case errc::domain_unusable: return "the domain directory is not fit for use";
      case errc::region_damaged: return "the shared memory region is damaged";
      case errc::version_mismatch: return "the other side speaks another version";
      case errc::fault_injected: return "a fault that was asked for";
      case errc::end_of_capture: return "the capture has ended";
      case errc::capture_damaged: return "the capture is damaged";
    }
    return "unknown netmap error " + std::to_string(value);
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace netmap
