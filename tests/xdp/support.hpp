// SPDX-License-Identifier: BSD-2-Clause
//
// A case with two interfaces that are joined to each other, which NETMAP_TEST_VETH names; see
// tests/with_veth.
#pragma once

#include "conformance/ethernet.hpp"
#include "conformance/host_socket.hpp"
#include "embedded/support.hpp"
#include "support/interfaces.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace netmap::xdp {

using conformance::HostSocket;
using conformance::numbers;
using conformance::receive_frames;
using conformance::send_frames;
using embedded::close;
using embedded::message_of;
using embedded::Process;
using embedded::Shared;
using test::attached_mode;
using test::code_of;
using test::must;
using test::shell;

inline constexpr auto patience = conformance::patience;

/// Two more interfaces, which may be deleted.
class OtherPair {
 public:
  OtherPair() {
    shell("ip link add vc type veth peer name vd");
    for (const char* name : {"vc", "vd"}) {
      shell(std::string("echo 1 >/proc/sys/net/ipv6/conf/") + name + "/disable_ipv6; ip link set " +
            name + " up");
    }
  }
  OtherPair(const OtherPair&) = delete;
  OtherPair& operator=(const OtherPair&) = delete;
  ~OtherPair() { shell("! ip link show dev vc >/dev/null 2>&1 || ip link del vc"); }
};

class Xdp : public embedded::InDomain {
 protected:
  void SetUp() override {
    auto joined = test::joined_interfaces();
    if (!joined) GTEST_SKIP() << test::no_interfaces;
    near_ = std::move(joined->near);
    far_ = std::move(joined->far);
  }
  [[nodiscard]] const std::string& near() const { return near_; }
  [[nodiscard]] const std::string& far() const { return far_; }

  /// Sends `count` frames on one ring and receives them on another.
  static void exchange(Port& from, Port& to, std::uint32_t count, std::size_t tx = 0,
                       std::size_t rx = 0) {
    send_frames(from, tx, 0, count, 1);
    EXPECT_EQ(receive_frames(to, rx, count), numbers(0, count));
  }

 private:
  std::string near_;
  std::string far_;
};

}  // namespace netmap::xdp
