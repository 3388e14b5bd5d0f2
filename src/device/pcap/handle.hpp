// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include <pcap/pcap.h>

namespace netmap::pcap {

struct ClosePcap {
  void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
};
/// Owns what libpcap knows of a file.
using Handle = std::unique_ptr<pcap_t, ClosePcap>;

}  // namespace netmap::pcap
