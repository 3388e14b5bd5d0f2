// SPDX-License-Identifier: BSD-2-Clause
#include "tasks.hpp"

#include "stop.hpp"
#include "tell.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sched.h>

namespace nmx {
namespace {

using namespace std::chrono_literals;

netmap::Result<> pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  const int failed = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  if (failed == 0) return {};
  return std::unexpected(netmap::Error(
      std::error_code(failed, std::system_category()),
      fmt::format("cannot pin a thread to CPU {}: there is none, or it may not be used here",
                  cpu)));
}

/// The threads of a run, and what they share.
class Crew {
 public:
  explicit Crew(std::vector<Task> tasks) : tasks_(std::move(tasks)), counters_(tasks_.size()) {}

  void start() {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      threads_.emplace_back([this, i] { work(i); });
    }
  }

  /// Yields whether all have ended.
  bool wait_until(Clock::time_point time) {
    std::unique_lock lock(mutex_);
    return ended_one_.wait_until(lock, time, [this] { return ended_ == tasks_.size(); });
  }
  void join() { threads_.clear(); }
  [[nodiscard]] const std::optional<netmap::Error>& failure() const { return failure_; }
  [[nodiscard]] std::vector<Counters>& counters() { return counters_; }

 private:
  void work(std::size_t i) {
    netmap::Result<> done;
    if (tasks_[i].cpu) done = pin(*tasks_[i].cpu);
    if (done) done = tasks_[i].work(counters_[i]);
    const std::scoped_lock lock(mutex_);
    if (!done) {
      if (!failure_) failure_ = done.error();
      request_stop();
    }
    ++ended_;
    ended_one_.notify_one();
  }

  std::vector<Task> tasks_;
  std::vector<Counters> counters_;
  std::mutex mutex_;
  std::condition_variable ended_one_;
  std::size_t ended_ = 0;
  std::optional<netmap::Error> failure_;
  std::vector<std::jthread> threads_;
};

Traffic sum(const std::vector<Counters>& counters) {
  Traffic all;
  for (const Counters& one : counters) one.add_to(all);
  return all;
}

/// The first moment anything moved to the last; nothing if nothing did.
double seconds_of(const std::vector<Counters>& counters) {
  auto first = Clock::time_point::max();
  auto last = Clock::time_point::min();
  for (const Counters& one : counters) {
    first = std::min(first, one.first());
    last = std::max(last, one.last());
  }
  return last <= first ? 0 : std::chrono::duration<double>(last - first).count();
}

/// Turns running sums into intervals.
class Intervals {
 public:
  explicit Intervals(Clock::time_point start) : since_(start) {}

  Traffic next(std::vector<Counters>& counters, Clock::time_point now) {
    const Traffic total = sum(counters);
    Traffic interval{.packets = total.packets - told_.packets,
                     .bytes = total.bytes - told_.bytes,
                     .batches = total.batches - told_.batches,
                     .seconds = std::chrono::duration<double>(now - since_).count()};
    for (Counters& one : counters) {
      interval.free_slots = std::min(interval.free_slots, one.take_free_slots());
    }
    told_ = total;
    since_ = now;
    return interval;
  }

 private:
  Traffic told_;
  Clock::time_point since_;
};

bool has_moved(const std::vector<Counters>& counters) {
  return std::ranges::any_of(counters, [](const Counters& one) { return one.has_moved(); });
}

/// Notices that packets have stopped moving. Before any has moved there is no silence.
class Silence {
 public:
  bool has_lasted(std::chrono::milliseconds limit, std::uint64_t packets, Clock::time_point now) {
    if (packets != packets_) since_ = now;
    packets_ = packets;
    return packets != 0 && now - since_ >= limit;
  }

 private:
  std::uint64_t packets_ = 0;
  Clock::time_point since_;
};

void supervise(Crew& crew, const Ticks& ticks, const RunOptions& options) {
  const auto start = Clock::now();
  Intervals intervals(start);
  Silence silence;
  auto next = start + ticks.interval;
  bool is_told = options.alone.empty();
  for (auto now = start; !crew.wait_until(std::min(next, now + slice));) {
    now = Clock::now();
    if (!is_told && now - start >= 1s) {
      is_told = true;
      if (!has_moved(crew.counters())) tell("{}\n", options.alone);
    }
    if (options.limit && now - start >= *options.limit) request_stop();
    if (options.silence &&
        silence.has_lasted(*options.silence, sum(crew.counters()).packets, now)) {
      request_stop();
    }
    if (now < next) continue;
    ticks.tell(intervals.next(crew.counters(), now));
    next += ticks.interval;
  }
}

netmap::Result<Traffic> run(Crew& crew, const Ticks& ticks, const RunOptions& options) {
  crew.start();
  supervise(crew, ticks, options);
  crew.join();
  if (crew.failure()) return std::unexpected(*crew.failure());
  Traffic total = sum(crew.counters());
  total.seconds = seconds_of(crew.counters());
  return total;
}

}  // namespace

netmap::Result<Traffic> run(std::vector<Task> tasks, const Ticks& ticks,
                            const RunOptions& options) {
  Crew crew(std::move(tasks));
  netmap::Result<std::optional<Metrics>> metrics;
  if (ticks.metrics != nullptr) {
    metrics = ticks.metrics->serve_metrics([&crew] { return sum(crew.counters()); });
  }
  if (!metrics) return std::unexpected(metrics.error());
  return run(crew, ticks, options);
}

netmap::Result<Traffic> run(std::vector<Task> tasks, const Report& report,
                            const RunOptions& options) {
  const Ticks ticks{report.options().interval,
                    [&report](const Traffic& traffic) { report.interval(traffic); }, &report};
  return run(std::move(tasks), ticks, options);
}

}  // namespace nmx
