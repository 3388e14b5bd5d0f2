// SPDX-License-Identifier: BSD-2-Clause
//
// Every word of a domain's shared files that one process writes and another believes, by name.
#pragma once

#include "device/embedded/mailbox.hpp"
#include "device/embedded/state.hpp"
#include "os/os.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace netmap::embedded {

/// A domain with ports in it, as a process sees it that keeps to no rule.
class SharedFiles {
 public:
  SharedFiles(const std::string& domain, std::uint16_t memory_id);

  [[nodiscard]] DomainState& state() const { return at<DomainState>(domain_, 0); }
  [[nodiscard]] RegionState& pools() const { return at<RegionState>(region_, region_bytes); }
  [[nodiscard]] abi::netmap_if& interface(std::uint32_t object) const {
    return at<abi::netmap_if>(region_, interface_pool.at(object));
  }
  [[nodiscard]] RingWords& words(std::uint32_t object) const {
    return at<RingWords>(region_, ring_pool.at(object));
  }
  /// Of a ring object that is one's.
  [[nodiscard]] MailboxWords& mailbox(std::uint32_t object) const {
    return at<MailboxWords>(region_, ring_pool.at(object));
  }
  [[nodiscard]] Cell& cell(std::uint32_t object, std::uint32_t n) const {
    return reinterpret_cast<Cell&>(abi::slots_of(ring(object))[n]);
  }
  [[nodiscard]] abi::netmap_ring& ring(std::uint32_t object) const {
    return at<abi::netmap_ring>(region_, ring_pool.at(object) + ring_in_object);
  }
  [[nodiscard]] std::uint32_t& link(std::uint32_t buffer) const {
    return at<std::uint32_t>(region_, buffer_pool.at(buffer));
  }

 private:
  template <class T>
  static T& at(const os::Mapping& file, std::uint64_t offset) {
    return *reinterpret_cast<T*>(file.bytes().data() + offset);
  }

  os::Mapping domain_;
  os::Mapping region_;
};

struct SharedWord {
  const char* name;
  /// Writes `value`, cut to what the word can hold, to the word's `n`-th instance.
  std::function<void(const SharedFiles&, std::uint32_t n, std::uint64_t value)> write;
};
/// Of records: endpoints, pipes and interfaces.
[[nodiscard]] std::vector<SharedWord> record_words();
/// Of switches: these, their ports, and the mailboxes of those, in a region in which the ports have
/// a ring each way.
[[nodiscard]] std::vector<SharedWord> switch_words();
/// Of a region: what its pools hold, and what is in its objects.
[[nodiscard]] std::vector<SharedWord> region_words();

/// What is likely to be an edge of something.
[[nodiscard]] std::vector<std::uint64_t> edges();

}  // namespace netmap::embedded
