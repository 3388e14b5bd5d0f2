// SPDX-License-Identifier: BSD-2-Clause
//
// Every system call of every operation on the embedded device fails, with every error it can give:
// the operation says what was asked and what went wrong, or does without the call, and nothing is
// left of it.
#include "embedded/support.hpp"
#include "failing_calls/calls.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

namespace netmap::embedded {
namespace {

namespace failing = failing_calls;

std::size_t open_files() {
  return static_cast<std::size_t>(std::distance(
      std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator()));
}
/// How many mappings of this process a path occurs in.
std::size_t mappings(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.contains(path) ? 1 : 0;
  return count;
}

/// What may be there before an operation, and what the operation leaves.
struct Ports {
  std::optional<OwnMemory> memory;
  std::optional<Port> left;
  std::optional<Port> right;
};

struct Operation {
  const char* name;
  std::function<void(const DeviceOptions&, Ports&)> prepare;
  /// Yields what went wrong.
  std::function<std::optional<Error>(const DeviceOptions&, Ports&)> run;
};

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  if (result) return {};
  return result.error();
}
Result<Port> try_open(const char* name, PortOptions options, const DeviceOptions& device) {
  options.device = device;
  return netmap::open(name, options);
}
std::optional<Error> open_left(const DeviceOptions& device, Ports& ports,
                               const PortOptions& options = {.conf = {.tx_slots = 8}}) {
  auto port = try_open("x{1", options, device);
  if (port) ports.left = std::move(*port);
  return error_of(port);
}
void open_both(const DeviceOptions& device, Ports& ports) {
  ports.left = must(try_open("x{1", {.conf = {.tx_slots = 8}, .extra_buffers = 2}, device));
  ports.right = must(try_open("x}1", {}, device));
}
void nothing(const DeviceOptions&, Ports&) {}
void bring_memory(const DeviceOptions&, Ports& ports) {
  ports.memory.emplace();
}
std::optional<Error> open_in_memory(const DeviceOptions& device, Ports& ports) {
  return open_left(device, ports,
                   {.conf = {.tx_slots = 8, .rx_slots = 8}, .extmem = ports.memory->range()});
}
std::string file_of(const DeviceOptions& device) {
  return device.domain + "-file";
}
void bring_file(const DeviceOptions& device, Ports&) {
  std::ofstream(file_of(device)).close();
  std::filesystem::resize_file(file_of(device), OwnMemory::size);
}
std::optional<Error> open_in_file(const DeviceOptions& device, Ports& ports) {
  const std::string name = "x{1@extmem:file=" + file_of(device) + ",ring-num=8,buf-num=100";
  auto port = try_open(name.c_str(), {.conf = {.tx_slots = 8, .rx_slots = 8}}, device);
  if (port) ports.left = std::move(*port);
  return error_of(port);
}

const Operation operations[]{
    {"open in a new domain", nothing,
     [](const DeviceOptions& device, Ports& ports) { return open_left(device, ports); }},
    {"open with extra buffers", nothing,
     [](const DeviceOptions& device, Ports& ports) {
       return open_left(device, ports, {.extra_buffers = 10});
     }},
    {"open the other end",
     [](const DeviceOptions& device, Ports& ports) {
       ports.right = must(try_open("x}1", {.conf = {.tx_slots = 8}}, device));
     },
     [](const DeviceOptions& device, Ports& ports) { return open_left(device, ports); }},
    {"open a null port", open_both,
     [](const DeviceOptions& device, Ports& ports) {
       return error_of(
           try_open("x", {.memory_id = ports.left->info().memory_id, .null_port = true}, device));
     }},
    {"wait", open_both,
     [](const DeviceOptions&, Ports& ports) {
       return error_of(ports.left->wait(Direction::rx, std::chrono::milliseconds(1)));
     }},
    {"wake",
     [](const DeviceOptions& device, Ports& ports) {
       open_both(device, ports);
       ASSERT_TRUE(must(ports.right->arm(Direction::rx)));
     },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       EXPECT_TRUE(send_number(ports.left->tx_rings()[0], 1));
       return error_of(ports.left->sync_tx());
     }},
    {"close", open_both,
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
    {"open in external memory", bring_memory, open_in_memory},
    {"close in external memory",
     [](const DeviceOptions& device, Ports& ports) {
       bring_memory(device, ports);
       ASSERT_FALSE(open_in_memory(device, ports));
     },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
    {"open in an external file", bring_file, open_in_file},
    {"open in a known external file",
     [](const DeviceOptions& device, Ports& ports) {
       bring_file(device, ports);
       ASSERT_FALSE(open_in_file(device, ports));
       ports.right = std::move(ports.left);
       ports.left.reset();
     },
     [](const DeviceOptions& device, Ports&) {
       const std::string name = "y{1@extmem=" + file_of(device);
       return error_of(try_open(name.c_str(), {.conf = {.tx_slots = 8, .rx_slots = 8}}, device));
     }},
    {"close the last",
     [](const DeviceOptions& device, Ports& ports) { ASSERT_FALSE(open_left(device, ports)); },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
};

class FailingCalls : public testing::TestWithParam<Operation> {
 protected:
  /// Runs the operation, call `n` of it failing; yields the calls it made.
  std::vector<std::string> run(std::size_t n, int error) {
    const ScratchDirectory parent;
    const std::string path = parent.path() + "/domain";
    const DeviceOptions device{DeviceKind::embedded, path};
    const std::size_t files = open_files();
    std::vector<std::string> calls;
    {
      Ports ports;
      GetParam().prepare(device, ports);
      failing::fail_call(n, error);
      const auto failure = GetParam().run(device, ports);
      failing::leave_calls_alone();
      calls = failing::calls();
      if (failure) {
        ++refused_;
        EXPECT_GT(failure->message().size(), failure->code().message().size() + 10)
            << "what was asked?";
      }
    }
    EXPECT_EQ(open_files(), files);
    EXPECT_EQ(mappings(path), 0U);
    check_domain(device);
    return calls;
  }
  std::size_t refused_ = 0;  ///< how often the operation said that it failed

 private:
  /// Whatever happened before, it is whole.
  static void check_domain(const DeviceOptions& device) {
    {
      auto left = must(try_open("x{1", {}, device));
      auto right = must(try_open("x}1", {}, device));
      EXPECT_TRUE(send_number(left.tx_rings()[0], 7));
      must(left.sync_tx());
      EXPECT_FALSE(must(right.wait(Direction::rx, patience)).empty());
      EXPECT_EQ(take_numbers(right.rx_rings()[0], 7), 8U);
    }
    std::set<std::string> files;
    for (const auto& file : std::filesystem::directory_iterator(device.domain)) {
      files.insert(file.path().filename());
    }
    EXPECT_EQ(files, at_rest);
  }
};

std::string name_of(const testing::TestParamInfo<Operation>& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(, FailingCalls, testing::ValuesIn(operations), name_of);

TEST_P(FailingCalls, LeaveNothingBehind) {
  const auto calls = run(SIZE_MAX, 0);
  std::size_t tried = 0;
  for (std::size_t n = 0; n != calls.size(); ++n) {
    for (const int error : failing::errors_of(calls[n])) {
      SCOPED_TRACE("call " + std::to_string(n) + ", " + calls[n] + ": " +
                   std::error_code(error, std::system_category()).message());
      (void)run(n, error);
      ++tried;
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_GT(tried, 0U);
  std::printf("%s: %zu calls, failed in %zu ways, %zu times it said so\n", GetParam().name,
              calls.size(), tried, refused_);
}

}  // namespace
}  // namespace netmap::embedded
