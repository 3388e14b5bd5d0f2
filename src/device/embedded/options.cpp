// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/options.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

namespace netmap::embedded {
namespace {

abi::nmreq_option* option_at(std::uint64_t address) {
  return reinterpret_cast<abi::nmreq_option*>(static_cast<std::uintptr_t>(address));
}

std::size_t body_bytes(std::uint16_t request) {
  namespace req = abi::request;
  switch (request) {
    case req::port_register: return sizeof(abi::nmreq_register);
    case req::port_info_get: return sizeof(abi::nmreq_port_info_get);
    case req::vale_attach: return sizeof(abi::nmreq_vale_attach);
    case req::vale_detach: return sizeof(abi::nmreq_vale_detach);
    case req::vale_list: return sizeof(abi::nmreq_vale_list);
    case req::port_hdr_set:
    case req::port_hdr_get: return sizeof(abi::nmreq_port_hdr);
    case req::vale_newif: return sizeof(abi::nmreq_vale_newif);
    case req::vale_polling_enable:
    case req::vale_polling_disable: return sizeof(abi::nmreq_vale_polling);
    case req::pools_info_get: return sizeof(abi::nmreq_pools_info);
    case req::sync_kloop_start: return sizeof(abi::nmreq_sync_kloop_start);
    default: return 0;
  }
}

/// Bytes of an option behind its header. Only option::sync_kloop_eventfds says so itself.
std::uint64_t bytes_behind(const abi::nmreq_option& option) {
  switch (option.nro_reqtype) {
    case abi::option::extmem: return sizeof(abi::nmreq_opt_extmem) - sizeof option;
    case abi::option::csb: return sizeof(abi::nmreq_opt_csb) - sizeof option;
    case abi::option::sync_kloop_mode:
      return sizeof(abi::nmreq_opt_sync_kloop_mode) - sizeof option;
    case abi::option::offsets: return sizeof(abi::nmreq_opt_offsets) - sizeof option;
    default: return std::max<std::uint64_t>(option.nro_size, sizeof option) - sizeof option;
  }
}

/// The options of a request as the module copies them: into a place of limited size, up to the
/// first that is wrong.
class Options {
 public:
  Options(std::uint64_t first, std::size_t body) : total_(body), place_(body + before_options) {
    seen_.fill(nullptr);
    for (auto* option = option_at(first); option != nullptr; option = option_at(option->nro_next)) {
      if (place_ + one_header > whole_place) {
        is_endless_ = true;
        error_ = std::errc::message_size;
      } else {
        copied_.push_back(option);
        add(*option);
      }
      if (error_ != std::errc()) return;
    }
  }

  /// Tells each of them; those of a list without end nothing.
  Result<> tell() const {
    if (!is_endless_) {
      const bool is_good = error_ == std::errc();
      for (auto* option : copied_) {
        option->nro_status = is_good ? static_cast<std::uint32_t>(EOPNOTSUPP) : 0;
      }
      for (auto* option : wrong_) {
        if (option != nullptr) option->nro_status = EINVAL;
      }
    }
    if (error_ == std::errc::message_size) {
      return refuse(error_, "the request's options exceed 4096 bytes");
    }
    if (error_ == std::errc()) return {};
    return refuse(error_, "option type " + std::to_string(copied_.back()->nro_reqtype) +
                              " is not valid or is given twice");
  }

 private:
  void add(abi::nmreq_option& option) {
    total_ += sizeof option;
    place_ += one_header;
    const std::uint32_t type = option.nro_reqtype;
    if (type >= abi::option::first_unknown) return;
    if (type == 0 || seen_[type] != nullptr) {
      wrong_ = {seen_[type], &option};
      error_ = std::errc::invalid_argument;
      return;
    }
    seen_[type] = &option;
    const std::uint64_t behind = bytes_behind(option);
    if (option.nro_size > abi::max_request_size || behind > abi::max_request_size - total_) {
      error_ = std::errc::message_size;
      return;
    }
    total_ += behind;
    place_ += behind;
  }

  // The module's own: a word before each header, and before the options two, and a table.
  static constexpr std::size_t one_header = sizeof(std::uint64_t) + sizeof(abi::nmreq_option);
  static constexpr std::size_t table = abi::option::first_unknown * sizeof(std::uint64_t);
  static constexpr std::size_t before_options = 2 * sizeof(std::uint64_t) + table;
  static constexpr std::size_t whole_place = before_options + table + abi::max_request_size;

  std::array<abi::nmreq_option*, abi::option::first_unknown> seen_;
  std::array<abi::nmreq_option*, 2> wrong_{};
  std::vector<abi::nmreq_option*> copied_;
  std::uint64_t total_;
  std::uint64_t place_;
  std::errc error_{};
  bool is_endless_ = false;
};

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
  if (header.nr_reserved != 0 || (body_bytes(type) != 0) != (header.nr_body != 0)) {
    return refuse(std::errc::invalid_argument, "the request is malformed");
  }
  return Options(header.nr_options, body_bytes(type)).tell();
}

Result<> check_consumed(const abi::nmreq_header& header) {
  for (auto* option = option_at(header.nr_options); option != nullptr;
       option = option_at(option->nro_next)) {
    if (option->nro_status != EOPNOTSUPP) continue;
    return refuse(std::errc::operation_not_supported,
                  "the embedded device does not support option " +
                      std::to_string(option->nro_reqtype) + " of a registration");
  }
  return {};
}

}  // namespace netmap::embedded
