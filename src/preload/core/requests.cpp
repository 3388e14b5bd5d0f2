// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/requests.hpp"

#include "device/legacy.hpp"
#include "os/files.hpp"

#include <array>
#include <cerrno>
#include <span>

#include <sys/mman.h>

namespace netmap::preload {
namespace {

namespace number = abi::ioctl_number;

std::unexpected<Error> refuse(std::errc code, const char* sentence) {
  return std::unexpected(Error(std::make_error_code(code), sentence));
}

/// The module gives EFAULT where a program would otherwise end.
template <class T>
Result<> check(const void* argument) {
  std::array<std::byte, sizeof(T)> bytes;
  const auto read = os::read_memory(bytes, argument);
  if (read || read.error() != std::errc::bad_address)
    return {};  // some sandboxes do not let us look
  return refuse(std::errc::bad_address, "the argument of the request is no memory");
}

Result<> legacy_request(OpenFile& file, LegacyCall call, void* argument) {
  if (auto there = check<abi::nmreq>(argument); !there) return there;
  auto& legacy = *static_cast<abi::nmreq*>(argument);
  auto translated = LegacyRequest::from(legacy, call);
  if (!translated) return std::unexpected(translated.error());
  if (auto done = file.control(translated->header()); !done) return done;
  translated->write_to(legacy);
  return {};
}

Result<> sync(OpenFile& file, Direction direction) {
  if (const auto failed = file.sync(direction)) return std::unexpected(Error(failed));
  return {};
}

}  // namespace

Result<> request(OpenFile& file, unsigned long asked, void* argument) {
  switch (asked) {
    case number::txsync: return sync(file, Direction::tx);
    case number::rxsync: return sync(file, Direction::rx);
    case number::ctrl:
      if (auto there = check<abi::nmreq_header>(argument); !there) return there;
      return file.control(*static_cast<abi::nmreq_header*>(argument));
    case number::ginfo: return legacy_request(file, LegacyCall::info, argument);
    case number::regif: return legacy_request(file, LegacyCall::registration, argument);
    default: return refuse(std::errc::invalid_argument, "it is no request of netmap's");
  }
}

Result<void*> map(OpenFile& file, const MappingRequest& asked) {
  const auto region = file.region();
  if (!region) return std::unexpected(region.error());
  const std::size_t page = os::page_bytes();
  const std::size_t end = ((*region)->bytes().size() + page - 1) / page * page;
  if (asked.offset < 0 || static_cast<std::size_t>(asked.offset) > end ||
      asked.bytes > end - static_cast<std::size_t>(asked.offset)) {
    return refuse(std::errc::invalid_argument, "the port's memory is smaller");
  }
  void* const at = ::mmap(asked.address, asked.bytes, asked.protection, asked.flags,
                          (*region)->file().fd(), asked.offset);
  if (at == MAP_FAILED)
    return std::unexpected(Error(std::error_code(errno, std::system_category())));
  return at;
}

int errno_of(std::error_code code) noexcept {
  if (code.category() == std::system_category() || code.category() == std::generic_category()) {
    return code.value();
  }
  if (code == errc::not_supported) return EOPNOTSUPP;
  if (code == errc::domain_unusable) return EACCES;
  if (code == errc::bad_name || code == errc::conflicting_options) return EINVAL;
  if (code == errc::interface_gone) return ENXIO;
  return EIO;
}

}  // namespace netmap::preload
