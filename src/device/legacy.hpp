// SPDX-License-Identifier: BSD-2-Clause
//
// The control language of programs before API 14: one structure for everything, by two ioctls. As
// the module does, a device translates it and answers in today's.
#pragma once

#include <netmap/abi.hpp>
#include <netmap/error.hpp>

#include <cstdint>
#include <variant>

namespace netmap {

/// Which ioctl: ioctl_number::ginfo or regif.
enum class LegacyCall : std::uint8_t { info, registration };

class LegacyRequest {
 public:
  /// What `legacy` asks for. Fails with invalid_argument before API 14, and with not_enough_memory,
  /// as the module does, for pass-through of guests as it once was.
  [[nodiscard]] static Result<LegacyRequest> from(const abi::nmreq& legacy, LegacyCall call);

  /// To be sent. Views into this.
  [[nodiscard]] abi::nmreq_header& header();
  /// What was answered, in the words that its program looks at; lengths lose their upper 32 bits.
  void write_to(abi::nmreq& legacy) const;

 private:
  LegacyRequest() = default;
  void ask_for_info(const abi::nmreq& legacy);
  Result<> take_command(const abi::nmreq& legacy);
  template <class Body>
  void ask(std::uint16_t type, const Body& body);

  abi::nmreq_header header_{};
  std::variant<std::monostate, abi::nmreq_register, abi::nmreq_port_info_get,
               abi::nmreq_vale_attach, abi::nmreq_vale_detach, abi::nmreq_vale_list,
               abi::nmreq_vale_newif, abi::nmreq_vale_polling, abi::nmreq_port_hdr>
      body_;
};

}  // namespace netmap
