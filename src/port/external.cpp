// SPDX-License-Identifier: BSD-2-Clause
#include "port/external.hpp"

#include "port/request.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace netmap {
namespace {

std::unexpected<Error> conflict(std::string sentence) {
  return std::unexpected(Error(errc::conflicting_options, std::move(sentence)));
}

Result<> check_external(const PortName& name, const PortOptions& options) {
  if (name.extmem && options.extmem) {
    return conflict("both the name and the options bring external memory");
  }
  if (name.share || name.memory_id || options.memory_id != 0) {
    return conflict("external memory is asked for, but another port's as well");
  }
  if (name.capture) {
    return std::unexpected(
        Error(errc::not_supported, "a capture has memory of its own, and cannot have external"));
  }
  return {};
}

/// As the module, but that the window needs an interface, too. A ring's alignment is more than the
/// module sees to.
abi::nmreq_pools_info pools_info(const PoolConf& pools) {
  constexpr std::uint32_t default_interfaces = 2;
  constexpr std::uint32_t most_interfaces = 100;
  const std::uint32_t interfaces = pools.if_num != 0 ? pools.if_num : default_interfaces;
  const std::uint64_t ring_size =
      (std::uint64_t{pools.ring_size} + abi::cache_align - 1) / abi::cache_align * abi::cache_align;
  abi::nmreq_pools_info info{};
  info.nr_if_pool_objtotal = interfaces < most_interfaces ? interfaces + 1 : interfaces;
  info.nr_if_pool_objsize = pools.if_size;
  info.nr_ring_pool_objtotal = pools.ring_num;
  info.nr_ring_pool_objsize =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(ring_size, UINT32_MAX));
  info.nr_buf_pool_objtotal = pools.buf_num;
  info.nr_buf_pool_objsize = pools.buf_size;
  return info;
}

abi::nmreq_opt_extmem option_of(const PortName& name, const PortOptions& options) {
  abi::nmreq_opt_extmem asked{};
  asked.nro_info = pools_info(options.extmem ? options.extmem->pools : name.extmem->pools);
  if (options.extmem) {
    asked.nro_usrptr = reinterpret_cast<std::uintptr_t>(options.extmem->bytes.data());
    asked.nro_info.nr_memsize = options.extmem->bytes.size();
  }
  return asked;
}

}  // namespace

Result<std::shared_ptr<External>> open_external(const PortName& name, const PortOptions& options) {
  if (!name.extmem && !options.extmem) return nullptr;
  if (auto checked = check_external(name, options); !checked)
    return std::unexpected(checked.error());
  auto opened = open_device(options.device, name);
  if (!opened) return std::unexpected(opened.error());
  auto asked = option_of(name, options);
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::null;
  auto header = make_request(abi::request::port_register, "extmem", &body);
  add_option(header, asked.nro_opt, abi::option::extmem);
  auto& window = opened->device;
  if (auto done = window->control(header); !done) return std::unexpected(done.error());
  auto region = window->map();
  if (!region) return std::unexpected(region.error());
  return std::make_shared<External>(std::move(*region), std::move(window), body.nr_mem_id);
}

}  // namespace netmap
