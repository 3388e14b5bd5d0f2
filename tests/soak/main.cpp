// SPDX-License-Identifier: BSD-2-Clause
//
// The endurance test of the embedded device, see README.md here.
#include "soak/soak.hpp"
#include "soak/switch_soak.hpp"

#include <CLI/CLI.hpp>

#include <cinttypes>
#include <cstdio>
#include <random>

int main(int argc, char** argv) {
  using namespace netmap::soak;
  CLI::App app{"Kills forwarders between the two pipes of a process that never stops."};
  Goals goals;
  std::uint64_t seed = std::random_device{}();
  app.add_option("--minutes", goals.minutes, "How long at least");
  app.add_option("--kills", goals.kills, "How many kills at random instants at least");
  app.add_option("--packets", goals.packets, "How many packets at least");
  app.add_option("--at-each-point", goals.at_each_point,
                 "How many kills at each named point at least");
  std::uint32_t switch_seconds = 0;
  app.add_option("--switch", switch_seconds,
                 "Instead: eight processes on one switch, for so many seconds");
  app.add_option("--seed", seed, "Which random choices; drawn if not given");
  CLI11_PARSE(app, argc, argv);
  std::printf("soak --seed %" PRIu64 "\n", seed);
  try {
    if (switch_seconds != 0) {
      SwitchSoak(std::chrono::seconds(switch_seconds), seed).run();
    } else {
      block_signals();
      Soak(goals, seed).run();
    }
    return 0;
  } catch (const std::exception& failure) {
    std::fflush(stdout);
    std::fprintf(stderr, "soak: %s; seed %" PRIu64 "\n", failure.what(), seed);
    return 1;
  }
}
