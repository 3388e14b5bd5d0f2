// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's rules for requests and their options, whatever the request.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include <cstdint>

namespace netmap::embedded {

/// Checks header and body address, then walks the options: each is told EOPNOTSUPP, until it is
/// consumed; one of no type or given twice is EINVAL, a list without end EMSGSIZE. A registration
/// fails with EOPNOTSUPP if it has any that it does not consume; other requests pass them over.
Result<> check_request(abi::nmreq_header& header);

/// The request's option of a type, or null. `Option` is the structure that goes with the type.
template <class Option>
[[nodiscard]] Option* find_option(const abi::nmreq_header& request, std::uint32_t type) {
  auto address = request.nr_options;
  while (address != 0) {
    auto* option = reinterpret_cast<abi::nmreq_option*>(static_cast<std::uintptr_t>(address));
    if (option->nro_reqtype == type) return reinterpret_cast<Option*>(option);
    address = option->nro_next;
  }
  return nullptr;
}

/// A failure with the errno the module gives.
[[nodiscard]] std::unexpected<Error> refuse(std::errc code, std::string sentence);

}  // namespace netmap::embedded
