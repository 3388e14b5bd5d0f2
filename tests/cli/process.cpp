// SPDX-License-Identifier: BSD-2-Clause
#include "cli/process.hpp"

#include <array>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nmx_test {
namespace {

/// A process that takes longer has failed. Emulated processors are slow.
constexpr auto time_limit = std::chrono::seconds(100);

struct Pipe {
  int read_end;
  int write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

}  // namespace

nlohmann::json Outcome::json() const {
  const auto lines = json_lines();
  if (lines.size() != 1) throw std::runtime_error("not one line on stdout: '" + out + "'");
  return lines.front();
}

std::vector<nlohmann::json> Outcome::json_lines() const {
  std::vector<nlohmann::json> lines;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

Process::Process(const Arguments& command) : end_(Clock::now() + time_limit) {
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
  std::vector<char*> arguments;
  for (const std::string& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  const int failed =
      posix_spawnp(&process_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out.write_end);
  close(err.write_end);
  out_ = out.read_end;
  err_ = err.read_end;
  if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
}

Process::~Process() {
  close(out_);
  close(err_);
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

/// Reads what has come on either stream; yields whether more can come.
bool Process::read_some() {
  std::array<pollfd, 2> fds{pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
  if (left.count() <= 0 || poll(fds.data(), fds.size(), static_cast<int>(left.count())) <= 0) {
    throw std::runtime_error("nmx hangs; so far it said: " + outcome_.err);
  }
  bool is_open = false;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    std::array<char, 4096> buffer;
    if (fds[i].revents == 0) continue;
    const ssize_t got = read(fds[i].fd, buffer.data(), buffer.size());
    if (got <= 0) continue;
    is_open = true;
    (i == 0 ? outcome_.out : outcome_.err).append(buffer.data(), static_cast<std::size_t>(got));
  }
  return is_open;
}

void Process::wait_for(const std::string& text) {
  while (outcome_.err.find(text) == std::string::npos) {
    if (!read_some()) throw std::runtime_error("no '" + text + "' in: " + outcome_.err);
  }
}

void Process::signal(int number) const {
  kill(process_, number);
}

Outcome Process::finish() {
  while (read_some()) {
  }
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = 0;
  outcome_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome_;
}

Arguments nmx(Arguments arguments) {
  arguments.insert(arguments.begin(), NMX_PATH);
  return arguments;
}

Outcome run(const Arguments& command) {
  return Process(command).finish();
}

}  // namespace nmx_test
