// SPDX-License-Identifier: BSD-2-Clause
//
// Prints how many millions of packets, or of round trips, a second pass between two processes
// through a pipe of the embedded device. CPUS: 1 or 2; SPIN: PortOptions::spin, in microseconds.
//
//     bench_async loop|coroutines batches BYTES BATCH SECONDS
//     bench_async epoll|coroutines|direct trips CPUS SPIN SECONDS
//
// `direct`: coroutines that send by TxRing::send and sync(), which takes no turn of the event loop.
#include "trips.hpp"

namespace bench {
namespace {

constexpr auto usage =
    "usage: bench_async loop|coroutines batches BYTES BATCH SECONDS\n"
    "       bench_async epoll|coroutines|direct trips CPUS SPIN SECONDS";
constexpr auto left = "netmap:bench{1";
constexpr auto right = "netmap:bench}1";

double measure_batches(bool is_async, const Job& job) {
  const Domain domain;
  if (!is_async) {
    return measure(
        job, [&](Progress& progress) { send_in_a_loop(progress, domain.open(left), job); },
        [&](Progress& progress) { receive_in_a_loop(progress, domain.open(right), job); });
  }
  return measure(
      job,
      [&](Progress& progress) {
        run_coroutine(domain.open(left),
                      [&](netmap::AsyncPort& port) { return send_batches(progress, port, job); });
      },
      [&](Progress& progress) {
        run_coroutine(domain.open(right), [&](netmap::AsyncPort& port) {
          return receive_batches(progress, port, job);
        });
      });
}

double measure_trips(bool is_async, bool is_direct, const Job& job,
                     std::chrono::microseconds spin) {
  const Domain domain;
  if (!is_async) {
    return measure(
        job, [&](Progress& progress) { ping(progress, domain.open(left)); },
        [&](Progress& progress) { pong(progress, domain.open(right)); });
  }
  return measure(
      job,
      [&](Progress& progress) {
        run_coroutine(domain.open(left, spin), [&](netmap::AsyncPort& port) {
          return async_ping(progress, port, is_direct);
        });
      },
      [&](Progress& progress) {
        run_coroutine(domain.open(right, spin), [&](netmap::AsyncPort& port) {
          return async_pong(progress, port, is_direct);
        });
      });
}

double run(std::span<char*> words) {
  if (words.size() != 6) fail(usage);
  const std::string how = words[1];
  const std::string what = words[2];
  const unsigned long first = std::strtoul(words[3], nullptr, 10);
  const unsigned long second = std::strtoul(words[4], nullptr, 10);
  Job job{Placement::processes, sizeof(Bytes), 1, std::strtod(words[5], nullptr)};
  const bool is_direct = how == "direct";
  const bool is_async = how == "coroutines" || is_direct;
  if (what == "batches" && (is_async || how == "loop")) {
    job.bytes = first;
    job.batch = static_cast<std::uint32_t>(second);
    return measure_batches(is_async, job);
  }
  if (what == "trips" && (is_async || how == "epoll")) {
    job.receiver_cpu = first == 1 ? 0 : 1;
    return measure_trips(is_async, is_direct, job, std::chrono::microseconds(second));
  }
  fail(usage);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  std::printf("%.4f\n", bench::run({argv, static_cast<std::size_t>(argc)}));
}
