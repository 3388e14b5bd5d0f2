// SPDX-License-Identifier: BSD-2-Clause
//
// netmap's rules for requests and their options, whatever the request.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include "port/request.hpp"

#include <cstdint>

namespace netmap::embedded {

/// Checks header and body address, then walks the options: each is told EOPNOTSUPP, until it is
/// consumed. If one is of no type or given twice, that is EINVAL, and if they are too large
/// EMSGSIZE; those before it are told 0 then, but nothing if the list has no end.
Result<> check_request(abi::nmreq_header& header);
/// For a registration, which fails with EOPNOTSUPP if an option is left that it did not consume;
/// other requests pass these over.
Result<> check_consumed(const abi::nmreq_header& header);

/// A failure with the errno the module gives.
[[nodiscard]] std::unexpected<Error> refuse(std::errc code, std::string sentence);

}  // namespace netmap::embedded
