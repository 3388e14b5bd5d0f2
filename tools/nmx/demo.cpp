// SPDX-License-Identifier: BSD-2-Clause
#include "generator.hpp"
#include "options.hpp"
#include "ports.hpp"
#include "receiver.hpp"
#include "sequence_report.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;
using namespace std::chrono_literals;

constexpr auto sending_time = 4s;
constexpr std::uint32_t packet_bytes = 64;

std::unexpected<Error> cannot(const std::string& step, int why) {
  const std::error_code code(why, std::system_category());
  return std::unexpected(Error(code, fmt::format("cannot {}: {}", step, code.message())));
}

/// A directory that nobody else uses, gone at the end.
class TemporaryDomain {
 public:
  static Result<TemporaryDomain> make(const std::string& parent) {
    std::string path = parent + "/nmx-demo-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return cannot("make a domain in " + parent, errno);
    return TemporaryDomain(std::move(path));
  }
  TemporaryDomain(TemporaryDomain&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDomain& operator=(TemporaryDomain&&) = delete;
  ~TemporaryDomain() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryDomain(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// A pipe(2) by which the sending process says how many packets it sent.
struct Channel {
  int read_end = -1;
  int write_end = -1;
};

Result<std::uint64_t> send(const netmap::DeviceOptions& device) {
  auto port = open_port("netmap:demo{1", device);
  if (!port) return std::unexpected(port.error());
  Generator generator(
      *port, {.packet = {.shortest = packet_bytes, .longest = packet_bytes, .numbered = true}});
  const Report silent({.quiet = true}, Json::object());
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters& counters) { return generator.run(counters); }, {}});
  const auto total = run(std::move(tasks), silent, {.limit = sending_time});
  if (!total) return std::unexpected(total.error());
  return total->packets;
}

/// The sending process, which ends here.
[[noreturn]] void be_sender(const netmap::DeviceOptions& device, const Channel& channel) {
  const auto sent = send(device);
  if (!sent) {
    tell("nmx: the sender failed: {}\n", sent.error().message());
    std::_Exit(1);
  }
  const bool told = ::write(channel.write_end, &*sent, sizeof *sent) == sizeof *sent;
  std::_Exit(told ? 0 : 1);
}

struct Received {
  Traffic total;
  SequenceCounts counts;
};

Result<Received> receive(const netmap::DeviceOptions& device) {
  auto port = open_port("netmap:demo}1", device);
  if (!port) return std::unexpected(port.error());
  tell("nmx demo: {}\n", describe(port->info()));
  Budget endless(0);
  SequenceTally tally;
  Receiver receiver(*port, {.budget = &endless, .tally = &tally});
  const Report report({}, Json::object(), [&tally] { return remark(tally.counts()); });
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters& counters) { return receiver.run(counters); }, {}});
  const auto total = run(std::move(tasks), report, {.silence = 500ms, .limit = 2 * sending_time});
  if (!total) return std::unexpected(total.error());
  return Received{*total, tally.counts()};
}

/// What the child said, once it has ended.
Result<std::uint64_t> sent_by(pid_t child, const Channel& channel) {
  std::uint64_t sent = 0;
  const bool told = ::read(channel.read_end, &sent, sizeof sent) == sizeof sent;
  int status = 0;
  if (::waitpid(child, &status, 0) < 0) return cannot("wait for the sender", errno);
  if (told && WIFEXITED(status) && WEXITSTATUS(status) == 0) return sent;
  return std::unexpected(Error(std::make_error_code(std::errc::io_error),
                               "the sending process failed before it could say what it sent"));
}

Result<int> conclude(const Received& received, std::uint64_t sent) {
  tell("{}\n", total_line("received", received.total));
  const std::uint64_t missing = sent - std::min(sent, received.total.packets);
  const bool is_good = missing == 0 && received.counts.is_clean();
  fmt::print("{}: {} packets of {} bytes sent, {} received, every byte checked: {}; {}, {}\n",
             is_good ? "good" : "BAD", sent, packet_bytes, received.total.packets,
             to_text(received.counts), scaled(received.total.packets_per_second(), "pps"),
             scaled(received.total.bits_per_second(), "bit/s"));
  return is_good ? 0 : 1;
}

Result<int> demo(const std::string& parent) {
  auto domain = TemporaryDomain::make(parent);
  if (!domain) return std::unexpected(domain.error());
  const netmap::DeviceOptions device{netmap::DeviceKind::embedded, domain->path()};
  Channel channel;
  if (::pipe(&channel.read_end) != 0) return cannot("make a pipe", errno);
  const pid_t child = ::fork();
  if (child < 0) return cannot("start a second process", errno);
  if (child == 0) be_sender(device, channel);
  ::close(channel.write_end);
  tell("nmx demo: process {} sends, process {} receives\n", child, ::getpid());
  const auto received = receive(device);
  if (!received) ::kill(child, SIGTERM);
  const auto sent = sent_by(child, channel);
  if (!received) return std::unexpected(received.error());
  if (!sent) return std::unexpected(sent.error());
  return conclude(*received, *sent);
}

}  // namespace

Command add_demo(CLI::App& nmx) {
  auto parent = std::make_shared<std::string>("/dev/shm");
  CLI::App* app = nmx.add_subcommand(
      "demo", "Move packets between two processes for a few seconds, and check every byte");
  app->add_option("--domain", *parent, "Directory on tmpfs to make the domain in")
      ->type_name("DIR")
      ->envname("NETMAP_DOMAIN")
      ->capture_default_str();
  return {app, [parent] { return demo(*parent); }};
}

}  // namespace nmx
