// SPDX-License-Identifier: BSD-2-Clause
#include "soak/tally.hpp"

#include <cinttypes>
#include <cstdio>

namespace netmap::soak {
namespace {

void row(const char* name, std::uint64_t value) {
  std::printf("  %-44s %15" PRIu64 "\n", name, value);
}

}  // namespace

void print_line(const Tally& tally, const Figures& figures, const Stage& stage,
                std::chrono::seconds since) {
  std::printf("%4" PRId64 " s: %" PRIu64 " packets, %" PRIu64 " kills at instants (open %" PRIu64
              ", traffic %" PRIu64 ", close %" PRIu64 "), %" PRIu64 " at points, %" PRIu64
              " stops, %" PRIu64 " opens; %" PRIu64 " buffers, %" PRIu64 " file bytes, %" PRIu64
              " descriptors, %" PRIu64 " bytes of memory\n",
              static_cast<std::int64_t>(since.count()), figures.received, tally.kills_at_instants(),
              tally.kills[0], tally.kills[1], tally.kills[2], tally.kills_at_points(), tally.stops,
              stage.opens.load(), figures.buffers, figures.file_bytes(), figures.descriptors,
              figures.memory);
  std::fflush(stdout);
}

void print_table(const Tally& tally, const Figures& figures, const Stage& stage,
                 std::chrono::seconds since) {
  std::printf("\nAfter %" PRId64 " seconds:\n", static_cast<std::int64_t>(since.count()));
  row("packets published", figures.published);
  row("packets received, each once and in order", figures.received);
  row("kills at instants while it opens", tally.kills[0]);
  row("kills at instants while it forwards", tally.kills[1]);
  row("kills at instants while it closes", tally.kills[2]);
  for (const auto& [point, count] : tally.at_points) {
    row(("kills at '" + std::string(point) + "'").c_str(), count);
  }
  row("of these kills, before anything had come home", tally.early);
  row("stops, at points and instants", tally.stops);
  row("forwarders that ended of themselves", tally.ended);
  row("of these, not come by where they were awaited", tally.missed);
  row("kills of processes beside", tally.others);
  row("operations beside", stage.operations);
  row("ports opened", stage.opens);
  row("regions made", stage.regions);
  row("times at rest, and all balanced", tally.rests);
  row("buffers in use", figures.buffers);
  row("rings in use", figures.rings);
  row("interfaces in use", figures.interfaces);
  row("bytes of the domain's files", figures.file_bytes());
  row("descriptors of the survivor", figures.descriptors);
  row("and FIFOs of ports that are gone", figures.old_fifos);
  row("bytes of the survivor's memory", figures.memory);
  std::fflush(stdout);
}

}  // namespace netmap::soak
