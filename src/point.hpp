// SPDX-License-Identifier: BSD-2-Clause
//
// NETMAP_POINT names a place where a process may die or be stopped. It is nothing, but for a test
// that builds the library with NETMAP_POINTS: that can list all places and is called at each.
#pragma once

#if defined(NETMAP_POINTS)

#include <cstddef>
#include <string_view>
#include <vector>

namespace netmap::points {

/// The names of all points of the program.
inline std::vector<const char*>& all() {
  static std::vector<const char*> names;
  return names;
}
/// Whether only who opens an interface comes by.
inline bool is_of_interfaces(std::string_view name) {
  return name.starts_with("nic: ");
}
/// Whether only who has to do with switches, or with monitors, comes by.
inline bool is_of_switches(std::string_view name) {
  return name.starts_with("vale: ") || name.starts_with("deliver: ") ||
         name.starts_with("take: ") || name.starts_with("attach: ") || name.starts_with("watch: ");
}
/// Called with the name of a point that is reached.
inline void (*reached)(const char* name) = [](const char*) {};

template <std::size_t size>
struct Name {
  char text[size];
  constexpr Name(const char (&name)[size]) {  // NOLINT: implicit
    for (std::size_t i = 0; i != size; ++i) text[i] = name[i];
  }
};

template <Name name>
struct Point {
  static inline const bool is_listed = (all().push_back(name.text), true);
  static void reach() {
    (void)is_listed;
    reached(name.text);
  }
};

}  // namespace netmap::points

#define NETMAP_POINT(name) ::netmap::points::Point<name>::reach()

#else
#define NETMAP_POINT(name) static_cast<void>(0)
#endif
