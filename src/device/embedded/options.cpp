// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/options.hpp"

#include <bitset>
#include <cerrno>
#include <string>

namespace netmap::embedded {
namespace {

abi::nmreq_option* option_at(std::uint64_t address) {
  return reinterpret_cast<abi::nmreq_option*>(static_cast<std::uintptr_t>(address));
}

bool has_body(std::uint16_t request) {
  return request != abi::request::vale_delif && request != abi::request::sync_kloop_stop &&
         request != abi::request::csb_enable;
}

/// Options of an unknown type are skipped, so only the size limit ends a loop of those.
constexpr std::size_t most_options = abi::max_request_size / sizeof(abi::nmreq_option);

/// Whether a registration consumes options of this type.
bool is_for_registering(std::uint32_t type) {
  return type == abi::option::offsets || type == abi::option::csb || type == abi::option::extmem;
}

Result<> check_options(std::uint64_t first) {
  std::bitset<abi::option::first_unknown> seen;
  std::size_t count = 0;
  for (auto* option = option_at(first); option != nullptr; option = option_at(option->nro_next)) {
    if (++count > most_options) {
      return refuse(std::errc::message_size, "the request's options exceed 4096 bytes");
    }
    option->nro_status = EOPNOTSUPP;
    const std::uint32_t type = option->nro_reqtype;
    if (type >= abi::option::first_unknown) continue;
    if (type != 0 && !seen.test(type)) {
      seen.set(type);
      continue;
    }
    for (auto* same = option_at(first);; same = option_at(same->nro_next)) {
      if (same->nro_reqtype == type) same->nro_status = EINVAL;
      if (same == option) break;
    }
    return refuse(std::errc::invalid_argument,
                  "option type " + std::to_string(type) + " is not valid or is given twice");
  }
  return {};
}

}  // namespace

std::unexpected<Error> refuse(std::errc code, std::string sentence) {
  return std::unexpected(
      Error(std::error_code(static_cast<int>(code), std::system_category()), std::move(sentence)));
}

Result<> check_request(abi::nmreq_header& header) {
  header.nr_name[sizeof header.nr_name - 1] = '\0';
  if (header.nr_version < abi::version::oldest || header.nr_version > abi::version::newest) {
    return refuse(std::errc::invalid_argument, "API version " + std::to_string(header.nr_version) +
                                                   " is not spoken here, only " +
                                                   std::to_string(abi::version::oldest) + " to " +
                                                   std::to_string(abi::version::newest));
  }
  const std::uint16_t type = header.nr_reqtype;
  if (type < abi::request::port_register || type > abi::request::csb_enable) {
    return refuse(std::errc::invalid_argument, "there is no request " + std::to_string(type));
  }
  if (header.nr_reserved != 0 || has_body(type) != (header.nr_body != 0)) {
    return refuse(std::errc::invalid_argument, "the request is malformed");
  }
  if (auto checked = check_options(header.nr_options); !checked) return checked;
  if (type != abi::request::port_register) return {};
  for (auto* option = option_at(header.nr_options); option != nullptr;
       option = option_at(option->nro_next)) {
    if (is_for_registering(option->nro_reqtype)) continue;
    return refuse(std::errc::operation_not_supported,
                  "the embedded device does not support option " +
                      std::to_string(option->nro_reqtype) + " of a registration");
  }
  return {};
}

}  // namespace netmap::embedded
