// SPDX-License-Identifier: BSD-2-Clause
//
// The module answers with an errno, and with one errno for many things. This file says what it
// most likely meant, and asks it where asking settles the matter.
#include "device/kernel/control.hpp"
#include "port/request.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <string>

namespace netmap::kernel {
namespace {

using abi::nmreq_port_info_get;
using abi::nmreq_register;

/// Puts a question to the module that is not itself explained.
bool ask(const os::File& file, std::string_view name, nmreq_port_info_get& body) {
  auto header = make_request(abi::request::port_info_get, name, &body);
  return submit(file, header).has_value();
}

bool speaks(const os::File& file) {
  nmreq_port_info_get any{};
  return ask(file, "", any);
}

bool has_memory(const os::File& file, std::uint16_t memory_id) {
  nmreq_port_info_get memory{};
  memory.nr_mem_id = memory_id;
  return ask(file, "", memory);
}

std::optional<nmreq_port_info_get> look_at(const os::File& file, const char* name) {
  nmreq_port_info_get port{};
  if (!ask(file, name, port)) return {};
  return port;
}

std::string count(unsigned tx, unsigned rx, const std::string& kind) {
  return "it has " + std::to_string(tx) + " tx and " + std::to_string(rx) + " rx " + kind + "rings";
}

std::string no_ring(unsigned ring, unsigned tx, unsigned rx, const std::string& kind) {
  return count(tx, rx, kind) + ", numbered from 0, and no ring " + std::to_string(ring);
}

/// Why a port that can be looked at cannot be registered like this.
std::string invalid_selection(const nmreq_register& asked, const nmreq_port_info_get& port) {
  const bool one_nic = asked.nr_mode == abi::mode::one_nic;
  const bool one_sw = asked.nr_mode == abi::mode::one_sw;
  const bool host = one_sw || asked.nr_mode == abi::mode::sw || asked.nr_mode == abi::mode::nic_sw;
  if (one_nic && asked.nr_ringid >= port.nr_tx_rings && asked.nr_ringid >= port.nr_rx_rings) {
    return no_ring(asked.nr_ringid, port.nr_tx_rings, port.nr_rx_rings, "");
  }
  if (host && port.nr_host_tx_rings == 0) return "it has no host rings";
  if (one_sw && asked.nr_ringid >= port.nr_host_tx_rings &&
      asked.nr_ringid >= port.nr_host_rx_rings) {
    return no_ring(asked.nr_ringid, port.nr_host_tx_rings, port.nr_host_rx_rings, "host ");
  }
  return "most likely the interface's MTU is larger than netmap's buffers; lower the one or raise "
         "the other (module parameter buf_size)";
}

std::string invalid_register(const os::File& file, const char* name, const nmreq_register& asked) {
  constexpr auto monitor = abi::register_flags::monitor_tx | abi::register_flags::monitor_rx |
                           abi::register_flags::zcopy_mon;
  if (asked.nr_mem_id != 0 && !has_memory(file, asked.nr_mem_id)) {
    return "there is no memory id " + std::to_string(asked.nr_mem_id);
  }
  if (asked.nr_mode == abi::mode::null) return "a null port needs the id of an existing memory";
  const auto port = look_at(file, name);
  if (port && (asked.nr_flags & monitor) == 0) return invalid_selection(asked, *port);
  if (port) return "a monitor watches rings that are open already; open the port itself first";
  if (std::string_view(name).starts_with(abi::vale_prefix)) {
    return "what follows the ':' is an interface of this machine, which has to be attached to the "
           "switch instead";
  }
  return "the module has no such kind of port";
}

struct Reason {
  int code;
  const char* sentence;
};

constexpr std::array register_reasons{
    Reason{EBUSY,
           "somebody has these rings already, and one of you wants them exclusively; or the "
           "interface belongs to a bridge or switch"},
    Reason{ENXIO, "there is no such interface"},
    Reason{ENOMEM,
           "netmap's memory has no room for it: ask for fewer or smaller rings, or raise "
           "the module's parameters (ring_num, ring_size, buf_num); a VALE port may also "
           "be one too many, or have a name longer than 15 characters"},
    Reason{EIO,
           "the port puts virtio-net headers before packets, which this program did not "
           "accept"},
    Reason{EACCES, "somebody has the switch exclusively"},
};

constexpr std::array other_reasons{
    Reason{ENXIO, "there is no such port or interface"},
    Reason{ENOENT, "there is no such switch or port"},
    Reason{EBUSY, "it is in use"},
    Reason{EINVAL, "the module takes it to be invalid"},
    Reason{EEXIST, "the name is taken"},
    Reason{EACCES, "somebody has the switch exclusively"},
    Reason{EOPNOTSUPP, "it is not supported for this kind of port"},
    Reason{ENOMEM, "netmap's memory has no room for it"},
};

template <class Reasons>
std::string find(const Reasons& reasons, std::error_code code) {
  for (const Reason& reason : reasons) {
    if (reason.code == code.value()) return reason.sentence;
  }
  return code.message();
}

/// Of an option that the module looked at and did not like.
std::optional<std::string> refused_option(const abi::nmreq_header& request) {
  const auto* option = failed_option(request);
  if (option == nullptr || option->nro_status == EOPNOTSUPP) return {};
  switch (option->nro_reqtype) {
    case abi::option::offsets:
      return option->nro_status == EBUSY
                 ? "a ring is in use with smaller data offsets, or fewer bits for them"
                 : "such data offsets cannot be: the largest has to fit the buffers and the bits, "
                   "and the initial one must not be larger";
    case abi::option::csb:
      return option->nro_status == EBUSY
                 ? "a sync loop of this port runs already"
                 : "CSB mode needs a port opened exclusively, and arrays aligned to 64 bytes";
    case abi::option::extmem:
      return option->nro_status == EFAULT
                 ? "the external memory is not memory that this process can write"
                 : "the external memory is too small for its pools, or cannot be divided like "
                   "this: there are at most 100 interfaces of 4096 bytes, 1024 rings of 131072 and "
                   "a million buffers of 65536";
    default: return {};
  }
}

std::string why(const os::File& file, const abi::nmreq_header& request, std::error_code code) {
  if (request.nr_version < abi::version::oldest || request.nr_version > abi::version::newest) {
    return "netmap's interface has no version " + std::to_string(request.nr_version);
  }
  if (const auto refused = refused_option(request)) return *refused;
  if (request.nr_reqtype != abi::request::port_register) return find(other_reasons, code);
  if (code.value() == EOPNOTSUPP) {
    const auto* option = failed_option(request);
    if (option != nullptr && option->nro_reqtype == abi::option::extmem) {
      return "the module was built without external memory; build it with --enable-extmem";
    }
    if (option != nullptr) {
      return "the module does not support option " + std::to_string(option->nro_reqtype) +
             " for this port";
    }
  }
  if (code.value() == EINVAL && request.nr_body != 0) {
    return invalid_register(
        file, request.nr_name,
        *reinterpret_cast<const nmreq_register*>(static_cast<std::uintptr_t>(request.nr_body)));
  }
  return find(register_reasons, code);
}

}  // namespace

Error explain(const os::File& file, const abi::nmreq_header& request, std::error_code code) {
  const bool doubtful =
      code.value() == EINVAL || code.value() == EOPNOTSUPP || code.value() == ENOTTY;
  if (doubtful && !speaks(file)) {
    return {make_error_code(errc::version_mismatch),
            "the netmap module that is loaded does not speak version " +
                std::to_string(abi::version::current) +
                " of its interface; load one that does, or use the embedded device"};
  }
  return {code, why(file, request, code)};
}

}  // namespace netmap::kernel
