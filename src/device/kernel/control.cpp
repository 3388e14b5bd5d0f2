// SPDX-License-Identifier: BSD-2-Clause
#include "device/kernel/control.hpp"

#include "os/files.hpp"
#include "port/request.hpp"

#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>

namespace netmap::kernel {
namespace {

std::string remedy(std::error_code code) {
  const std::string embedded =
      "use the embedded device (--device embedded, or "
      "NETMAP_DEVICE=embedded)";
  switch (code.value()) {
    case ENOENT:
    case ENODEV:
    case ENXIO: return "the netmap module is not loaded; load it, or " + embedded;
    case EACCES:
    case EPERM:
      return "this user may not open it; run as root, give the user rights on it, or " + embedded;
    default: return code.message();
  }
}

}  // namespace

Result<os::File> open_file() {
  auto file = os::open(AT_FDCWD, abi::device_path, O_RDWR);
  if (file) return std::move(*file);
  return std::unexpected(Error(
      file.error(), std::string("cannot open ") + abi::device_path + ": " + remedy(file.error())));
}

const abi::nmreq_option* failed_option(const abi::nmreq_header& request) {
  const auto at = [](std::uint64_t address) {
    return reinterpret_cast<const abi::nmreq_option*>(static_cast<std::uintptr_t>(address));
  };
  const auto* option = at(request.nr_options);
  while (option != nullptr && option->nro_status == 0) option = at(option->nro_next);
  return option;
}

os::Outcome<> submit(const os::File& file, abi::nmreq_header& request) {
  const std::string_view name(request.nr_name, sizeof request.nr_name);
  const bool is_pipe = name.find_first_of("{}") != std::string_view::npos;
  const bool is_locked = is_pipe && os::lock(file);
  auto done = os::ioctl(file.fd(), abi::ioctl_number::ctrl, &request);
  if (is_locked) os::unlock(file);
  return done;
}

Result<> control(const os::File& file, abi::nmreq_header& request) {
  if (auto done = submit(file, request); !done) {
    return std::unexpected(explain(file, request, done.error()));
  }
  if (request.nr_reqtype != abi::request::port_register) return {};
  if (const auto* option = failed_option(request)) {
    const std::error_code code(static_cast<int>(option->nro_status), std::system_category());
    return std::unexpected(explain(file, request, code));
  }
  return {};
}

Result<std::vector<OpenPort>> list_vale_ports(const os::File& file) {
  std::vector<OpenPort> ports;
  for (abi::nmreq_vale_list at{};; ++at.nr_port_idx) {
    auto header = make_request(abi::request::vale_list, "", &at);
    if (auto found = submit(file, header); !found) {
      if (found.error() == std::errc::no_such_file_or_directory) return ports;
      return std::unexpected(explain(file, header, found.error()));
    }
    ports.push_back({.name = header.nr_name});
  }
}

}  // namespace netmap::kernel
