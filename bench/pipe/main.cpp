// SPDX-License-Identifier: BSD-2-Clause
//
// Moves packets through netmapxx's embedded pipe, or through a bare ring, and prints how many
// millions of them a second arrived.
//
//     bench_pipe netmapxx processes 64 32 0.5
#include "bare_ring.hpp"
#include "netmap_pipe.hpp"

namespace bench {
namespace {

constexpr auto usage = "usage: bench_pipe netmapxx|bare processes|threads BYTES BATCH SECONDS";

double measure_netmapxx(const Job& job) {
  const Domain domain;
  return measure(
      job, [&](Progress& progress) { send(progress, PipeSender(domain), job); },
      [&](Progress& progress) { receive(progress, PipeReceiver(domain), job); });
}

double measure_bare(const Job& job) {
  auto& ring = *::new (shared_memory(sizeof(BareRing))) BareRing;
  return measure(
      job, [&](Progress& progress) { send(progress, BareSender(ring), job); },
      [&](Progress& progress) { receive(progress, BareReceiver(ring), job); });
}

int run(std::span<char*> words) {
  if (words.size() != 6) fail(usage);
  const Job job = job_of(words.subspan(2), usage);
  const std::string transport = words[1];
  if (transport != "netmapxx" && transport != "bare") fail(usage);
  std::printf("%.3f\n", transport == "bare" ? measure_bare(job) : measure_netmapxx(job));
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv, static_cast<std::size_t>(argc)});
}
