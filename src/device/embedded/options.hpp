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
/// consumed; one of no type or given twice is EINVAL, a list without end EMSGSIZE. A registration
/// fails with EOPNOTSUPP if it has any that it does not consume; other requests pass them over.
Result<> check_request(abi::nmreq_header& header);

/// A failure with the errno the module gives.
[[nodiscard]] std::unexpected<Error> refuse(std::errc code, std::string sentence);

}  // namespace netmap::embedded
