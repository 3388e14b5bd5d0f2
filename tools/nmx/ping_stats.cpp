// SPDX-License-Identifier: BSD-2-Clause
#include "ping_stats.hpp"

namespace nmx {

void PingStats::merge(const PingStats& other) {
  sent += other.sent;
  lost += other.lost;
  without_room += other.without_room;
  duplicates += other.duplicates;
  late += other.late;
  round_trips.merge(other.round_trips);
  lateness.merge(other.lateness);
}

}  // namespace nmx
