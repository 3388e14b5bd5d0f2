// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "options.hpp"

namespace nmx {

Command add_rfc2544(CLI::App& nmx);

}  // namespace nmx
