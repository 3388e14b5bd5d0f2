// SPDX-License-Identifier: BSD-2-Clause
//
// Talking to the module: its device file, and one request at a time.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/device.hpp>
#include <netmap/error.hpp>

#include "os/os.hpp"

#include <cstdint>
#include <system_error>
#include <vector>

namespace netmap::kernel {

/// A fresh descriptor of /dev/netmap. Fails with the errno of open(2) and a remedy.
[[nodiscard]] Result<os::File> open_file();

/// NIOCCTRL, with the module's bare errno. Programs that use this take turns with pipes, where the
/// device file can be locked: the module makes the interface that pipes hang on in two steps, and
/// who came between them would get a pipe of the same name that nobody else ever joins.
[[nodiscard]] os::Outcome<> submit(const os::File& file, abi::nmreq_header& request);

/// submit(). Fails with the module's errno and a sentence about the likely cause; with
/// version_mismatch if the module does not know the header's version; and, for a registration, if
/// one of its options failed.
Result<> control(const os::File& file, abi::nmreq_header& request);

/// The ports of all VALE switches, as the module lists them.
Result<std::vector<OpenPort>> list_vale_ports(const os::File& file);

/// What to tell about `code`, the module's answer to `request`. Asks the module further questions
/// on `file` where they tell causes apart. Defined in explain.cpp.
[[nodiscard]] Error explain(const os::File& file, const abi::nmreq_header& request,
                            std::error_code code);

/// The first option of `request` with a status other than 0, or null.
[[nodiscard]] const abi::nmreq_option* failed_option(const abi::nmreq_header& request);

}  // namespace netmap::kernel
