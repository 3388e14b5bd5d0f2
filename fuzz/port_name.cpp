// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever is taken for a port name, its canonical spelling means the same port.
#include <netmap/port_name.hpp>

#include "input.hpp"

#include <string>
#include <string_view>

namespace netmap::fuzz {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto name = parse_port_name({reinterpret_cast<const char*>(data), size});
  if (!name) {
    require(name.error() == errc::bad_name, "a name that is refused is a bad one");
    require(name.error().message().contains("column"), "the error says where");
    return 0;
  }
  const bool is_file = name->name.starts_with("pcap:");
  require(!name->name.empty(), "it has a name");
  require(is_file || name->name.size() < abi::request_name_size, "it fits a request");
  require(!name->name.contains('\0'), "it fits a C string");
  const std::string canonical = to_string(*name);
  const auto again = parse_port_name(canonical);
  require(again && *again == *name, "the canonical spelling means the same");
  require(to_string(*again) == canonical, "there is one canonical spelling");
  return 0;
}

}  // namespace netmap::fuzz
