// SPDX-License-Identifier: BSD-2-Clause
//
// Where two ports are each other's peer.
#pragma once

#include <netmap/faults.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace netmap::async_test {

struct Place {
  std::string_view kind;
  std::string left;
  std::string right;
  std::optional<Faults> faults = {};

  friend std::ostream& operator<<(std::ostream& out, const Place& place) {
    return out << place.kind;
  }
};

/// The two joined interfaces that NETMAP_TEST_VETH names, "a b", if it does.
inline std::vector<Place> interfaces() {
  const char* const names = std::getenv("NETMAP_TEST_VETH");
  Place place{"interfaces", {}, {}, {}};
  if (names == nullptr || !(std::istringstream(names) >> place.left >> place.right)) return {};
  return {place};
}

inline std::vector<Place> places() {
  const char* const device = std::getenv("NETMAP_DEVICE");
  std::vector<Place> places = interfaces();
  places.push_back({"pipe", "netmap:t{1", "netmap:t}1", {}});
  using std::chrono::microseconds;
  places.push_back({"pipe_with_faults", "netmap:t{1", "netmap:t}1",
                    Faults{.delay = microseconds(50),
                           .short_batch = 0.3,
                           .spurious = 0.2,
                           .late = microseconds(100)}});
  if (device != nullptr && device == std::string_view("kernel")) {
    places.push_back({"vale", "vale7:left", "vale7:right", {}});
  }
  return places;
}

}  // namespace netmap::async_test
