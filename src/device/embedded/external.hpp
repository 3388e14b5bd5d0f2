// SPDX-License-Identifier: BSD-2-Clause
//
// Regions in memory that the program brings: option::extmem. Under the domain's lock, after
// collect().
#pragma once

#include "device/embedded/memory.hpp"

#include <memory>
#include <string>

namespace netmap::embedded {

/// The region that this memory is already, else a new one; answers in the option. The memory is
/// `file` if that is named, else where the option says. After a failure the domain is to be
/// collected.
[[nodiscard]] Result<std::shared_ptr<Memory>> external_memory(Domain& domain,
                                                              abi::nmreq_opt_extmem& asked,
                                                              const std::string& file);

}  // namespace netmap::embedded
