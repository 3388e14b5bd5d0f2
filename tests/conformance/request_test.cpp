// SPDX-License-Identifier: BSD-2-Clause
//
// Netmap's control language, spoken to each device: what it answers, and how it says no. The
// devices have to agree on every errno.
#include "conformance/device.hpp"

#include <array>
#include <cerrno>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

class Requests : public OnDevice {
 protected:
  static abi::nmreq_header header_of(std::uint16_t type, const std::string& name,
                                     void* body = nullptr) {
    abi::nmreq_header header{};
    header.nr_version = abi::version::current;
    header.nr_reqtype = type;
    name.copy(header.nr_name, sizeof header.nr_name - 1);
    header.nr_body = reinterpret_cast<std::uintptr_t>(body);
    return header;
  }
  static Result<> send(std::uint16_t type, const std::string& name, void* body = nullptr) {
    auto header = header_of(type, name, body);
    return request(header, device());
  }
};
ON_EVERY_DEVICE(Requests);

// ---- The frame
// -----------------------------------------------------------------------------------

TEST_P(Requests, OfOtherVersionsAreInvalid) {
  for (const std::uint16_t version : std::array<std::uint16_t, 6>{0, 11, 13, 14, 15, 16}) {
    abi::nmreq_port_info_get body{};
    auto header = header_of(req::port_info_get, "", &body);
    header.nr_version = version;
    const bool known = version == 14 || version == 15;
    EXPECT_EQ(code_of(request(header, device())),
              known ? std::error_code() : std::error_code(EINVAL, std::system_category()))
        << version;
  }
}

TEST_P(Requests, ThatAreMalformedAreInvalid) {
  abi::nmreq_port_info_get body{};
  auto reserved = header_of(req::port_info_get, "", &body);
  reserved.nr_reserved = 1;
  EXPECT_EQ(code_of(request(reserved, device())), std::errc::invalid_argument);
  EXPECT_EQ(code_of(send(req::port_info_get, "")), std::errc::invalid_argument) << "no body";
  EXPECT_EQ(code_of(send(req::vale_delif, base(), &body)), std::errc::invalid_argument)
      << "a body where none belongs";
  EXPECT_EQ(code_of(send(0, base())), std::errc::invalid_argument);
  EXPECT_EQ(code_of(send(77, base())), std::errc::invalid_argument);
}

// ---- Registrations
// -------------------------------------------------------------------------------

struct BadRegistration {
  const char* what;
  const char* name;  ///< written behind base()
  std::uint32_t mode;
  std::uint16_t ring;
  std::uint16_t memory_id;
  int answer;
};

TEST_P(Requests, ToRegisterWhatCannotBe) {
  using namespace abi::mode;
  constexpr BadRegistration table[] = {
      {"the mode of old requests", "{1", unset, 0, 0, EINVAL},
      {"a mode of old requests for pipes", "{1", pipe_master, 0, 0, EINVAL},
      {"a mode of old requests for pipes", "{1", pipe_slave, 0, 0, EINVAL},
      {"an unknown mode", "{1", 9, 0, 0, EINVAL},
      {"host rings of a pipe", "{1", sw, 0, 0, EINVAL},
      {"all rings of a pipe", "{1", nic_sw, 0, 0, EINVAL},
      {"a host ring of a pipe", "{1", one_sw, 0, 0, EINVAL},
      {"a ring beyond the last", "{1", one_nic, 1, 0, EINVAL},
      {"an unknown memory id", "{1", all_nic, 0, 9999, EINVAL},
      {"a null port without memory id", "", null, 0, 0, EINVAL},
      {"a null port of an unknown memory id", "", null, 0, 9999, EINVAL},
      {"a pipe without id", "{", all_nic, 0, 0, EINVAL},
      {"an interface that is not there", "", all_nic, 0, 0, ENXIO},
  };
  for (const BadRegistration& bad : table) {
    abi::nmreq_register body{};
    body.nr_mode = bad.mode;
    body.nr_ringid = bad.ring;
    body.nr_mem_id = bad.memory_id;
    const auto answer = send(req::port_register, base() + bad.name, &body);
    EXPECT_EQ(code_of(answer), std::error_code(bad.answer, std::system_category())) << bad.what;
    if (!answer) {
      EXPECT_GT(answer.error().message().size(), 10U) << bad.what;
    }
  }
}

TEST_P(Requests, ToRegisterTellWhatThePortIs) {
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  body.nr_tx_rings = 3;
  body.nr_rx_rings = 2;
  body.nr_tx_slots = 64;
  body.nr_rx_slots = 128;
  body.nr_extra_bufs = 10;
  must(send(req::port_register, base() + "{1", &body));
  EXPECT_EQ(body.nr_tx_rings, 3);
  EXPECT_EQ(body.nr_rx_rings, 2);
  EXPECT_EQ(body.nr_tx_slots, 64U);
  EXPECT_EQ(body.nr_rx_slots, 128U);
  EXPECT_EQ(body.nr_extra_bufs, 10U);
  EXPECT_EQ(body.nr_host_tx_rings, 0);
  EXPECT_EQ(body.nr_host_rx_rings, 0);
  EXPECT_NE(body.nr_mem_id, abi::memory_id::any);
  EXPECT_GT(body.nr_memsize, body.nr_offset);
  EXPECT_GT(body.nr_memsize, (3 * 64 + 2 * 128) * 2 * 2048U);
}

TEST_P(Requests, ToRegisterTooMuchAreCutToTheLimits) {
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  body.nr_tx_rings = 1;
  body.nr_tx_slots = 100'000;
  body.nr_mem_id = 1;
  const auto answer = send(req::port_register, base() + "{1", &body);
  EXPECT_TRUE(answer || code_of(answer) == std::errc::not_enough_memory);
  if (answer) {
    EXPECT_EQ(body.nr_tx_slots, 4096U);
  }
}

// ---- Options
// -------------------------------------------------------------------------------------

TEST_P(Requests, WithAnUnknownOptionAreRefusedIfTheyRegister) {
  abi::nmreq_option option{};
  option.nro_reqtype = abi::option::first_unknown + 10;
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  auto header = header_of(req::port_register, base() + "{1", &body);
  header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
  EXPECT_EQ(code_of(request(header, device())), std::errc::operation_not_supported);
  EXPECT_EQ(option.nro_status, static_cast<std::uint32_t>(EOPNOTSUPP));
  EXPECT_EQ(body.nr_memsize, 0U) << "the body is written only on success";
  EXPECT_TRUE(try_open(base() + "{1")) << "nothing stays registered";
}

TEST_P(Requests, WithAnUnknownOptionSucceedOtherwise) {
  abi::nmreq_option option{};
  option.nro_reqtype = abi::option::first_unknown + 10;
  abi::nmreq_port_info_get body{};
  auto header = header_of(req::port_info_get, "", &body);
  header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
  must(request(header, device()));
  EXPECT_EQ(option.nro_status, static_cast<std::uint32_t>(EOPNOTSUPP));
  EXPECT_EQ(option.nro_next, 0U);
  EXPECT_EQ(header.nr_reserved, 0U);
}

TEST_P(Requests, WithOneOptionTwiceAreInvalid) {
  abi::nmreq_opt_csb first{};
  abi::nmreq_opt_csb second{};
  first.nro_opt.nro_reqtype = second.nro_opt.nro_reqtype = abi::option::csb;
  first.nro_opt.nro_next = reinterpret_cast<std::uintptr_t>(&second);
  abi::nmreq_register body{};
  body.nr_mode = abi::mode::all_nic;
  auto header = header_of(req::port_register, base() + "{1", &body);
  header.nr_options = reinterpret_cast<std::uintptr_t>(&first);
  EXPECT_EQ(code_of(request(header, device())), std::errc::invalid_argument);
  EXPECT_EQ(first.nro_opt.nro_status, static_cast<std::uint32_t>(EINVAL));
  EXPECT_EQ(second.nro_opt.nro_status, static_cast<std::uint32_t>(EINVAL));
  EXPECT_EQ(first.nro_opt.nro_next, reinterpret_cast<std::uintptr_t>(&second));
}

TEST_P(Requests, WithAnOptionOfNoTypeAreInvalid) {
  abi::nmreq_option option{};
  abi::nmreq_port_info_get body{};
  auto header = header_of(req::port_info_get, "", &body);
  header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
  EXPECT_EQ(code_of(request(header, device())), std::errc::invalid_argument);
  EXPECT_EQ(option.nro_status, static_cast<std::uint32_t>(EINVAL));
}

// ---- Questions
// -----------------------------------------------------------------------------------

TEST_P(Requests, AboutAPortTellItsRings) {
  const PortConf conf{.tx_rings = 3, .rx_rings = 2, .tx_slots = 64, .rx_slots = 128};
  auto master = open(base() + "{1", {.conf = conf});
  const auto info = must(port_info(base() + "}1", device()));
  EXPECT_EQ(info.conf.tx_rings, 2);
  EXPECT_EQ(info.conf.rx_rings, 3);
  EXPECT_EQ(info.conf.tx_slots, 128U);
  EXPECT_EQ(info.conf.rx_slots, 64U);
  EXPECT_EQ(info.conf.host_tx_rings, 0);
  EXPECT_EQ(info.memory_id, master.info().memory_id);
  EXPECT_EQ(info.memory_bytes, master.info().memory_bytes);
}

TEST_P(Requests, AboutAPipeNobodyOpenedTellTheDefaults) {
  const auto info = must(port_info(base() + "{1", device()));
  EXPECT_EQ(info.conf.tx_rings, 1);
  EXPECT_EQ(info.conf.rx_rings, 1);
  EXPECT_EQ(info.conf.tx_slots, 1024U);
  EXPECT_EQ(info.conf.rx_slots, 1024U);
}

TEST_P(Requests, AboutAnInterfaceThatIsNotThere) {
  EXPECT_EQ(code_of(port_info(base(), device())), std::errc::no_such_device_or_address);
}

TEST_P(Requests, AboutMemoryTellItsSize) {
  auto port = open(base() + "{1");
  abi::nmreq_port_info_get body{};
  body.nr_mem_id = port.info().memory_id;
  must(send(req::port_info_get, "", &body));
  EXPECT_EQ(body.nr_memsize, port.info().memory_bytes);
  EXPECT_EQ(body.nr_mem_id, port.info().memory_id);
  body.nr_mem_id = 9999;
  EXPECT_EQ(code_of(send(req::port_info_get, "", &body)), std::errc::invalid_argument);
}

TEST_P(Requests, AboutPoolsTellWhereBuffersAre) {
  auto port = open(base() + "{1");
  abi::nmreq_pools_info body{};
  must(send(req::pools_info_get, base() + "{1", &body));
  EXPECT_EQ(body.nr_memsize, port.info().memory_bytes);
  EXPECT_EQ(body.nr_mem_id, port.info().memory_id);
  EXPECT_EQ(body.nr_buf_pool_objsize, 2048U);
  EXPECT_EQ(body.nr_if_pool_offset, 0U);
  EXPECT_GT(body.nr_ring_pool_offset, 0U);
  EXPECT_GT(body.nr_buf_pool_offset, body.nr_ring_pool_offset);
  EXPECT_LE(
      body.nr_buf_pool_offset + std::uint64_t{body.nr_buf_pool_objtotal} * body.nr_buf_pool_objsize,
      body.nr_memsize);
}

TEST_P(Requests, ForHeadersOfWhatHasNone) {
  auto port = open(base() + "{1");
  abi::nmreq_port_hdr body{};
  must(send(req::port_hdr_get, base() + "{1", &body));
  EXPECT_EQ(body.nr_hdr_len, abi::vnet_hdr_len::none);
  EXPECT_EQ(must(vnet_header(base() + "{1", device())), 0U);
  EXPECT_EQ(code_of(vnet_header(base() + "{2", device())), std::errc::no_such_device);
  EXPECT_EQ(code_of(set_vnet_header(base() + "{1", 11, device())), std::errc::invalid_argument);
  EXPECT_EQ(code_of(set_vnet_header(base() + "{1", 12, device())),
            std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(send(req::port_hdr_get, base() + "x", &body)),
            std::errc::no_such_device_or_address);
  EXPECT_EQ(code_of(send(req::port_hdr_set, base() + "{1", &body)),
            std::errc::no_such_device_or_address)
      << "only VALE ports have one to set";
}

// ---- Opening by name
// -----------------------------------------------------------------------------

TEST_P(Requests, ToOpenAreExplainedIfTheyFail) {
  struct Bad {
    std::string name;
    std::error_code code;
  };
  const auto os = [](int code) { return std::error_code(code, std::system_category()); };
  const Bad table[] = {
      {"", make_error_code(errc::bad_name)},
      {base() + "{", make_error_code(errc::bad_name)},
      {base() + "{1/Q", make_error_code(errc::bad_name)},
      {base(), os(ENXIO)},
      {base() + "{1-1", os(EINVAL)},
      {base() + "{1-9", os(EINVAL)},
      {base() + "{1^", os(EINVAL)},
      {base() + "{1*", os(EINVAL)},
      {base() + "{1@9999", os(EINVAL)},
  };
  for (const Bad& bad : table) {
    const auto port = try_open(bad.name);
    EXPECT_EQ(code_of(port), bad.code) << bad.name;
    if (!port) {
      EXPECT_NE(port.error().message().find("'" + bad.name + "'"), std::string::npos)
          << port.error().message();
    }
  }
}

TEST_P(Requests, ToOpenWithContradictingWishesAreRefused) {
  const auto port = try_open(base() + "{1@conf:rings=2", {.conf = {.tx_rings = 3}});
  EXPECT_EQ(code_of(port), errc::conflicting_options);
}

TEST_P(Requests, ForARingThatIsNotBoundAreRefused) {
  auto port = open(base() + "{1/R");
  EXPECT_EQ(code_of(port.rx(1)), errc::no_such_ring);
  EXPECT_EQ(code_of(port.tx(0)), errc::no_such_ring);
  EXPECT_EQ(must(port.rx(0)).get().index(), 0);
}

TEST_P(Requests, ForOneMemoryPutPortsIntoIt) {
  if (has_memory_of_its_own()) return;
  auto here = open(base() + "{1@1");
  auto there = open(base() + "x{1@1");
  EXPECT_EQ(here.info().memory_id, abi::memory_id::global);
  EXPECT_EQ(there.info().memory_id, abi::memory_id::global);
  EXPECT_TRUE(here.tx_rings()[0].same_region(there.tx_rings()[0]));
}

TEST_P(Requests, ToShareAPortsMemory) {
  if (has_memory_of_its_own()) return;
  auto first = open(base() + "{1");
  auto second = open(base() + "x{1@share=" + base() + "{1");
  EXPECT_EQ(first.info().memory_id, second.info().memory_id);
  EXPECT_TRUE(first.tx_rings()[0].same_region(second.tx_rings()[0]));
}

}  // namespace
}  // namespace netmap::conformance
