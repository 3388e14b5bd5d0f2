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

constexpr auto usage =
    "usage: bench_pipe netmapxx|bare[-ahead] processes|threads BYTES BATCH SECONDS";

double measure_netmapxx(const Job& job, bool looks_ahead) {
  const Domain domain;
  return measure(
      job, [&](Progress& progress) { send(progress, PipeSender(domain, looks_ahead), job); },
      [&](Progress& progress) { receive(progress, PipeReceiver(domain), job); });
}

double measure_bare(const Job& job, bool looks_ahead) {
  auto& ring = *::new (shared_memory(sizeof(BareRing))) BareRing;
  return measure(
      job, [&](Progress& progress) { send(progress, BareSender(ring, looks_ahead), job); },
      [&](Progress& progress) { receive(progress, BareReceiver(ring), job); });
}

int run(std::span<char*> words) {
  if (words.size() != 6) fail(usage);
  const Job job = job_of(words.subspan(2), usage);
  const std::string transport = words[1];
  const bool looks_ahead = transport.ends_with("-ahead");
  const bool is_bare = transport.starts_with("bare");
  if (transport != std::string(is_bare ? "bare" : "netmapxx") + (looks_ahead ? "-ahead" : "")) {
    fail(usage);
  }
  std::printf("%.3f\n",
              is_bare ? measure_bare(job, looks_ahead) : measure_netmapxx(job, looks_ahead));
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::run({argv, static_cast<std::size_t>(argc)});
}
