// SPDX-License-Identifier: BSD-2-Clause
//
// The XDP program that leads what comes in through an interface's queues to sockets; from queues
// without one it goes to the host's stack, as ever. It is attached by a link that goes with the
// last descriptor of it, so that whatever becomes of the processes, the interface is as it was.
#pragma once

#include <netmap/error.hpp>
#include <netmap/port.hpp>

#include "device/xdp/nic.hpp"
#include "os/xdp_socket.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace netmap::xdp {

/// What to do about want of descriptors; empty if `why` is something else.
[[nodiscard]] std::string_view remedy_for_files(std::error_code why);

class Program {
 public:
  /// The interface's program: this process's, else the one that another process has attached, else
  /// a new one. `mode` is for that one alone.
  [[nodiscard]] static Result<std::shared_ptr<Program>> on(const os::Interface& interface,
                                                           const std::string& name, XdpMode mode,
                                                           const Attachment& others);

  Program(os::File link, os::File map, const Attachment& attachment) noexcept
      : link_(std::move(link)), map_(std::move(map)), attachment_(attachment) {}

  /// Packets of `queue` go to the socket until that is closed.
  Result<> lead(std::uint32_t queue, const os::XdpSocket& socket) const;
  /// Packets of `queue` go to the host again.
  void release(std::uint32_t queue) const noexcept;
  [[nodiscard]] const Attachment& attachment() const noexcept { return attachment_; }

 private:
  os::File link_;
  os::File map_;
  Attachment attachment_;
};

}  // namespace netmap::xdp
