// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "soak/stage.hpp"

#include <cstdint>
#include <string>

namespace netmap::soak {

/// The process that never closes its ports, either end of all lanes: publishes, receives, and now
/// and then uses other ports beside. Returns when the stage says that it is over.
void survive(const Opener& opener, const std::string& files, std::uint64_t seed);

}  // namespace netmap::soak
