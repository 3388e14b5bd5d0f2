// SPDX-License-Identifier: BSD-2-Clause
#include "load_trial.hpp"

#include "generator.hpp"
#include "latencies.hpp"
#include "receiver.hpp"
#include "stop.hpp"
#include "tasks.hpp"

#include <latch>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace nmx {
namespace {

using netmap::Result;
using namespace std::chrono_literals;

GeneratorOptions sender_options(const TrialOptions& options, Latencies& latencies,
                                std::uint32_t flow) {
  PacketOptions packet = options.packet;
  packet.numbered = true;
  return {.packet = packet,
          .limit = options.duration,
          .batch = options.batch,
          .rate = options.rate,
          .flow = flow,
          .latencies = &latencies};
}

/// Until all have come, or none has for so long.
void wait_for_rest(const SequenceTally& tally, std::uint32_t flow, std::uint64_t sent,
                   std::chrono::nanoseconds settle) {
  std::uint64_t before = 0;
  auto last_came = Clock::now();
  while (!stop_requested()) {
    const std::uint64_t come = tally.distinct(flow);
    const auto now = Clock::now();
    if (come != std::exchange(before, come)) last_came = now;
    if (come >= sent || now - last_came >= settle) return;
    std::this_thread::sleep_for(1ms);
  }
}

double rate_of(std::uint64_t packets, const Counters& counters) {
  const auto took = std::chrono::duration<double>(counters.last() - counters.first());
  return took.count() > 0 ? static_cast<double>(packets) / took.count() : 0;
}

}  // namespace

/// A flow of its own tells its packets from late ones of the trial before.
Result<TrialResult> run_trial(netmap::Port& tx, netmap::Port& rx, const TrialOptions& options) {
  const std::uint32_t flow = std::random_device()();
  const auto latencies = std::make_unique<Latencies>(flow);
  Budget budget(0);
  SequenceTally tally;
  Generator sender(tx, sender_options(options, *latencies, flow));
  Receiver receiver(
      rx,
      {.batch = options.batch, .budget = &budget, .tally = &tally, .latencies = latencies.get()});
  Counters sent;
  std::latch is_receiving(1);
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters&) {
                     is_receiving.wait();
                     auto done = sender.run(sent);
                     wait_for_rest(tally, flow, sender.sent(), options.settle);
                     budget.end();
                     return done;
                   },
                   options.cpu});
  tasks.push_back({[&](Counters& counters) {
                     is_receiving.count_down();
                     return receiver.run(counters);
                   },
                   options.cpu ? std::optional(*options.cpu + 1) : std::nullopt});
  const auto ran = run(std::move(tasks), {.interval = 24h, .tell = [](const Traffic&) {}}, {});
  if (!ran) return std::unexpected(ran.error());
  return TrialResult{.sent = sender.sent(),
                     .lost = sender.sent() - tally.distinct(flow),
                     .corrupt = tally.counts().corrupt,
                     .stuck = sender.left(),
                     .offered = rate_of(sender.sent(), sent),
                     .latency = latencies->times()};
}

}  // namespace nmx
