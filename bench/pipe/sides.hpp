// SPDX-License-Identifier: BSD-2-Clause
//
// Runs a sender on the first CPU and a receiver on the second, or on the first too, in two
// processes or two threads, and measures how many packets arrive.
#pragma once

#include "work.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <new>
#include <thread>

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace bench {

enum class Placement : std::uint8_t { processes, threads };

/// What to run.
struct Job {
  Placement placement;
  std::size_t bytes;
  std::uint32_t batch;
  double seconds;
  std::size_t receiver_cpu = 1;
};

/// Zeroed memory that children of this process share; kept until the end.
inline void* shared_memory(std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) fail("no memory");
  return memory;
}

/// How far each side is. Each word has one writer.
struct Progress {
  alignas(64) std::atomic<bool> is_sender_ready;
  alignas(64) std::atomic<bool> is_receiver_ready;
  alignas(64) std::atomic<std::uint64_t> received;
  alignas(64) std::atomic<bool> stop;
};

inline void pin_to(std::size_t cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  if (::sched_setaffinity(0, sizeof cpus, &cpus) != 0) fail("two CPUs are needed");
}

/// Sends batches until it is told to stop. `tx.send(batch, writer)` yields false if there is no
/// room for a whole batch.
template <class Tx>
void send(Progress& progress, Tx tx, const Job& job) {
  Writer writer(job.bytes);
  progress.is_sender_ready = true;
  while (!progress.stop.load(std::memory_order_relaxed)) {
    if (!tx.send(job.batch, writer)) __builtin_ia32_pause();
  }
}

/// `rx.receive(batch, reader)` yields how many packets it took, at most a batch.
template <class Rx>
void receive(Progress& progress, Rx rx, const Job& job) {
  Reader reader(job.bytes);
  std::uint64_t received = 0;
  progress.is_receiver_ready = true;
  while (!progress.stop.load(std::memory_order_relaxed)) {
    const std::size_t count = rx.receive(job.batch, reader);
    if (count == 0) __builtin_ia32_pause();
    received += count;
    progress.received.store(received, std::memory_order_relaxed);
  }
}

using Side = std::function<void(Progress&)>;

/// One side, running.
class Running {
 public:
  Running(Placement placement, std::size_t cpu, const Side& side, Progress& progress) {
    const auto body = [cpu, &side, &progress] {
      pin_to(cpu);
      side(progress);
    };
    if (placement == Placement::threads) {
      thread_ = std::jthread(body);
    } else if (child_ = ::fork(); child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      body();
      std::_Exit(0);
    }
  }
  /// A thread has to end by itself; a process may be asleep.
  void end() {
    if (thread_.joinable()) return thread_.join();
    ::kill(child_, SIGKILL);
    int status = 0;
    const bool is_over = ::waitpid(child_, &status, 0) == child_;
    if (!is_over || (status != 0 && !WIFSIGNALED(status))) fail("a side failed");
  }

 private:
  std::jthread thread_;
  pid_t child_ = 0;
};

/// Millions of packets a second that the receiver took, after a time to warm up.
inline double measure(const Job& job, const Side& sender, const Side& receiver) {
  using namespace std::chrono;
  auto& progress = *::new (shared_memory(sizeof(Progress))) Progress{};
  Running receiving(job.placement, job.receiver_cpu, receiver, progress);
  Running sending(job.placement, 0, sender, progress);
  const auto until = steady_clock::now() + 10s;
  while (!progress.is_sender_ready || !progress.is_receiver_ready) {
    if (steady_clock::now() > until) fail("a side did not start");
    std::this_thread::sleep_for(1ms);
  }
  std::this_thread::sleep_for(100ms);
  const auto from = steady_clock::now();
  const std::uint64_t before = progress.received;
  std::this_thread::sleep_for(duration<double>(job.seconds));
  const auto packets = static_cast<double>(progress.received - before);
  const duration<double, std::micro> time = steady_clock::now() - from;
  progress.stop = true;
  sending.end();
  receiving.end();
  return packets / time.count();
}

/// PLACEMENT BYTES BATCH SECONDS
inline Job job_of(std::span<char*> words, const char* usage) {
  const auto is = [&words](const char* word) { return std::strcmp(words[0], word) == 0; };
  if (words.size() != 4 || (!is("processes") && !is("threads"))) fail(usage);
  const Job job{is("threads") ? Placement::threads : Placement::processes,
                std::strtoul(words[1], nullptr, 10),
                static_cast<std::uint32_t>(std::strtoul(words[2], nullptr, 10)),
                std::strtod(words[3], nullptr)};
  if (job.bytes < sizeof(Word) || job.bytes > 2048 || job.batch == 0 || job.batch > 512) {
    fail("a packet has 8 to 2048 bytes, a batch 1 to 512 packets");
  }
  return job;
}

}  // namespace bench
