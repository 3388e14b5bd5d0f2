// SPDX-License-Identifier: BSD-2-Clause
//
// Every system call of every operation on the embedded device fails, with every error it can give:
// the operation says what was asked and what went wrong, or does without the call, and nothing is
// left of it.
#include "embedded/support.hpp"
#include "failing_calls/calls.hpp"
#include "support/frames.hpp"
#include "support/interfaces.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>

#include <sys/stat.h>

namespace netmap::embedded {
namespace {

namespace failing = failing_calls;

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
  std::optional<Port> monitor;
  std::optional<Process> other;
};

struct Operation {
  const char* name;
  std::function<void(const DeviceOptions&, Ports&)> prepare;
  /// Yields what went wrong.
  std::function<std::optional<Error>(const DeviceOptions&, Ports&)> run;
  /// The calls that fail; all, if none is named. The others are those of an operation before it.
  std::set<std::string> only{};
  /// And of each call so many of its errors.
  std::size_t most_errors = SIZE_MAX;
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
void share_domain(const DeviceOptions& device, Ports&) {
  std::filesystem::create_directory(device.domain);
  ASSERT_EQ(::chmod(device.domain.c_str(), 02770), 0);
}
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

std::optional<Error> open_on_switch(const DeviceOptions& device, Ports& ports) {
  auto port = try_open("vale:left", small_rings, device);
  if (port) ports.left = std::move(*port);
  return error_of(port);
}
/// Another process has another port, of a region that this one has not mapped yet.
void bring_receiver(const DeviceOptions& device, Ports& ports) {
  ASSERT_FALSE(open_on_switch(device, ports));
  const Shared<std::atomic<bool>> is_open;
  ports.other.emplace([&] {
    const auto port = must(try_open("vale:other", small_rings, device));
    *is_open = true;
    for (;;) ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
}

const Operation operations[]{
    {"open in a new domain", nothing,
     [](const DeviceOptions& device, Ports& ports) { return open_left(device, ports); }},
    {"open in a new shared domain", share_domain,
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
    {"open a port of a switch", nothing, open_on_switch},
    {"open another port of a switch",
     [](const DeviceOptions& device, Ports& ports) {
       ports.right = must(try_open("vale:right", small_rings, device));
     },
     open_on_switch},
    {"send to a port of a switch for the first time", bring_receiver,
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       for (std::uint32_t number = 0; number != 40; ++number) {
         EXPECT_TRUE(test::send_frame(ports.left->tx_rings()[0], {1, test::everybody, number}));
         EXPECT_EQ(message_of(ports.left->sync_tx()), "") << "the sender goes on";
       }
       return {};
     }},
    {"close a port of a switch", bring_receiver,
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
    {"open a monitor", open_both,
     [](const DeviceOptions& device, Ports& ports) {
       auto monitor = try_open("x{1/rtz", small_rings, device);
       if (monitor) ports.monitor = std::move(*monitor);
       return error_of(monitor);
     }},
    {"send past a monitor for the first time",
     [](const DeviceOptions& device, Ports& ports) {
       open_both(device, ports);
       ports.monitor = must(try_open("x{1/rt", small_rings, device));
     },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       for (std::uint64_t number = 0; number != 20; ++number) {
         EXPECT_TRUE(send_number(ports.left->tx_rings()[0], number));
         EXPECT_EQ(message_of(ports.left->sync_tx()), "") << "the sender goes on";
         EXPECT_EQ(message_of(ports.right->sync_rx()), "");
         EXPECT_EQ(take_numbers(ports.right->rx_rings()[0], number), number + 1);
       }
       return {};
     }},
    {"wait at a monitor",
     [](const DeviceOptions& device, Ports& ports) {
       open_both(device, ports);
       ports.monitor = must(try_open("x{1/t", small_rings, device));
     },
     [](const DeviceOptions&, Ports& ports) {
       return error_of(ports.monitor->wait(Direction::rx, std::chrono::milliseconds(1)));
     }},
    {"close what is watched",
     [](const DeviceOptions& device, Ports& ports) {
       open_both(device, ports);
       ports.monitor = must(try_open("x{1/t", small_rings, device));
     },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
    {"close the last",
     [](const DeviceOptions& device, Ports& ports) { ASSERT_FALSE(open_left(device, ports)); },
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     }},
};

// ---- Interfaces ---------------------------------------------------------------------------------

std::string near() {
  return test::joined_interfaces()->near;
}
/// In a domain that is there, with frames of its region under way.
void bring_domain(const DeviceOptions& device, Ports& ports) {
  ports.right = must(try_open("x}1@1", small_rings, device));
}
std::optional<Error> open_interface(const std::string& name, const DeviceOptions& device,
                                    Ports& ports) {
  auto port = try_open(name.c_str(), small_rings, device);
  if (port) ports.left = std::move(*port);
  return error_of(port);
}
/// Not the one that was opened last, which the kernel may still have to let go of.
std::string next_queue() {
  static std::uint32_t queue = 0;
  return near() + "-" + std::to_string(queue++ % 4);
}
std::optional<Error> open_queue(const DeviceOptions& device, Ports& ports) {
  DeviceOptions options = device;
  options.busy_poll = true;
  return open_interface(next_queue(), options, ports);
}
/// And another process opens the next.
std::optional<Error> open_queue_and_be_joined(const DeviceOptions& device, Ports& ports) {
  auto failure = open_queue(device, ports);
  if (failure) return failure;
  Process other([&device, queue = next_queue()] {
    failing::leave_calls_alone();
    return message_of(try_open(queue.c_str(), small_rings, device)) == "";
  });
  EXPECT_TRUE(other.succeeded()) << "it cannot be joined";
  return {};
}
void bring_queue(const DeviceOptions& device, Ports& ports) {
  bring_domain(device, ports);
  ASSERT_FALSE(open_queue(device, ports));
}
void forget_queue(const DeviceOptions& device, Ports& ports) {
  bring_queue(device, ports);
  ports.left.reset();
}
/// Another process opens it, and a queue of it, and stays for as long as the ports do.
void bring_process(const DeviceOptions& device, Ports& ports) {
  bring_domain(device, ports);
  const Shared<std::atomic<bool>> is_open;
  ports.other.emplace([&, queue = next_queue()] {
    auto port = must(try_open(queue.c_str(), small_rings, device));
    *is_open = true;
    for (;;) ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
}

const Operation operations_of_interfaces[]{
    {"open one queue of an interface", bring_domain, open_queue},
    {"open all queues of an interface",
     bring_domain,
     [](const DeviceOptions& device, Ports& ports) {
       return open_interface(near(), device, ports);
     },
     {"socket", "bind", "bpf_map_update_elem", "epoll_ctl"},
     1},
    {"open an interface anew", forget_queue, open_queue, {"if_indextoname"}},
    {"open a queue before another process",
     bring_domain,
     open_queue_and_be_joined,
     {"ioctl", "bpf_obj_get_info_by_fd"}},
    {"open a queue beside another process",
     bring_process,
     open_queue,
     {"bpf_link_get_fd_by_id", "bpf_map_get_fd_by_id", "bpf_obj_get_info_by_fd",
      "bpf_map_update_elem"}},
    {"wait to receive on an interface", bring_queue,
     [](const DeviceOptions&, Ports& ports) {
       return error_of(ports.left->wait(Direction::rx, std::chrono::milliseconds(1)));
     }},
    {"send on an interface and wait to send more", bring_queue,
     [](const DeviceOptions&, Ports& ports) {
       EXPECT_TRUE(send_number(ports.left->tx_rings()[0], 1));
       auto armed = ports.left->arm(Direction::tx);
       return armed ? error_of(ports.left->sync_tx()) : error_of(armed);
     }},
    {"close an interface",
     bring_queue,
     [](const DeviceOptions&, Ports& ports) -> std::optional<Error> {
       ports.left.reset();
       return {};
     },
     {"bpf_map_delete_elem"}},
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
      if (n < calls.size()) check(calls[n], error, failure);
    }
    EXPECT_EQ(open_files(), files);
    EXPECT_EQ(mappings(path), 0U);
    check_domain(device);
    return calls;
  }
  /// Runs the operation once for each call and each of its errors.
  void walk() {
    const auto calls = run(SIZE_MAX, 0);
    std::size_t tried = 0;
    for (std::size_t n = 0; n != calls.size(); ++n) {
      for (const int error : errors_of(calls[n])) {
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

 private:
  /// What became of the operation when `call` failed.
  virtual void check(const std::string& /*call*/, int /*error*/,
                     const std::optional<Error>& /*failure*/) {}
  static std::vector<int> errors_of(const std::string& call) {
    const auto& only = GetParam().only;
    if (!only.empty() && !only.contains(call)) return {};
    auto errors = failing::errors_of(call);
    errors.resize(std::min(errors.size(), GetParam().most_errors));
    return errors;
  }
  std::size_t refused_ = 0;  ///< how often the operation said that it failed

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

class FailingCallsOfInterfaces : public FailingCalls {
  void check(const std::string& call, int error, const std::optional<Error>& failure) override {
    static const std::set<std::string> needed{"socket",
                                              "mmap",
                                              "epoll_create1",
                                              "bpf_map_create",
                                              "bpf_obj_get_info_by_fd",
                                              "bpf_map_update_elem"};
    EXPECT_TRUE(failure || !needed.contains(call)) << "nothing comes of it without";
    if (failure) check_failure(*failure, error);
  }
  /// It tells the call's error, or what that means of an interface, and puts it down to nothing
  /// else.
  static void check_failure(const Error& failure, int error) {
    const std::string& told = failure.message();
    const bool is_gone = failure.code() == os_error(ENXIO) ||
                         failure.code() == os_error(ENETDOWN) ||
                         failure.code() == errc::interface_gone;
    EXPECT_TRUE(failure.code() == os_error(error) || told.contains(os_error(error).message()) ||
                (is_gone && (error == ENODEV || error == ENXIO)))
        << told;
    const bool is_of_limits = error == EMFILE || error == ENFILE;
    EXPECT_FALSE(is_of_limits && (told.contains("CAP_") || told.contains("kernel be"))) << told;
  }
};
INSTANTIATE_TEST_SUITE_P(, FailingCallsOfInterfaces, testing::ValuesIn(operations_of_interfaces),
                         name_of);

TEST_P(FailingCalls, LeaveNothingBehind) {
  walk();
}

TEST_P(FailingCallsOfInterfaces, LeaveNothingBehind) {
  if (!test::joined_interfaces()) GTEST_SKIP() << test::no_interfaces;
  walk();
  EXPECT_EQ(test::attached_mode(near()), "none");
}

}  // namespace
}  // namespace netmap::embedded
