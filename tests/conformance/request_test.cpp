// SPDX-License-Identifier: BSD-2-Clause
//
// Netmap's control language, spoken to each device: what it answers, and how it says no. The
// devices have to agree on every errno.
#include "conformance/device.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

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

/// Options in a list, each of which has a status that no device gives.
class OptionList {
 public:
  static constexpr std::uint32_t untouched = 77;

  explicit OptionList(const std::vector<std::uint32_t>& types) : options_(types.size()) {
    for (std::size_t i = 0; i != types.size(); ++i) {
      header(i).nro_reqtype = types[i];
      header(i).nro_status = untouched;
      if (i != 0) header(i - 1).nro_next = reinterpret_cast<std::uintptr_t>(&options_[i]);
    }
  }

  [[nodiscard]] std::uint64_t first() { return reinterpret_cast<std::uintptr_t>(options_.data()); }
  [[nodiscard]] abi::nmreq_option& header(std::size_t i) { return options_[i].nro_opt; }
  [[nodiscard]] abi::nmreq_opt_csb& csb(std::size_t i) {
    return *reinterpret_cast<abi::nmreq_opt_csb*>(&options_[i]);
  }
  [[nodiscard]] std::vector<std::uint32_t> statuses() const {
    std::vector<std::uint32_t> all;
    for (const auto& option : options_) all.push_back(option.nro_opt.nro_status);
    return all;
  }

 private:
  std::vector<abi::nmreq_opt_offsets> options_;  // any body fits
};

constexpr std::uint32_t unknown = abi::option::first_unknown + 10;
constexpr std::uint32_t untouched = OptionList::untouched;
using Statuses = std::vector<std::uint32_t>;

TEST_P(Requests, ThatFailOverAnOptionTellThoseUpToIt) {
  namespace opt = abi::option;
  struct Wrong {
    std::vector<std::uint32_t> types;
    Statuses statuses;
  };
  const Wrong table[] = {
      {{0, opt::csb}, {EINVAL, untouched}},
      {{unknown, opt::csb, 0, opt::offsets}, {0, 0, EINVAL, untouched}},
      {{opt::csb, unknown, opt::csb, unknown}, {EINVAL, 0, EINVAL, untouched}},
      {{opt::offsets, opt::csb, opt::sync_kloop_mode, opt::csb, opt::offsets},
       {0, EINVAL, 0, EINVAL, untouched}},
  };
  for (const Wrong& wrong : table) {
    for (const std::uint16_t type : {req::port_info_get, req::port_register}) {
      OptionList options(wrong.types);
      abi::nmreq_register body{};  // the larger body
      body.nr_mode = abi::mode::all_nic;
      auto header = header_of(type, base() + "{1", &body);
      header.nr_options = options.first();
      EXPECT_EQ(code_of(request(header, device())), std::errc::invalid_argument);
      EXPECT_EQ(options.statuses(), wrong.statuses) << type;
    }
  }
}

TEST_P(Requests, WithOptionsThatOthersTakePassThemOver) {
  const auto port = open(base() + "{1");
  for (const std::uint16_t type : {req::port_info_get, req::pools_info_get, req::port_hdr_get}) {
    OptionList options({abi::option::extmem, abi::option::sync_kloop_eventfds, abi::option::csb,
                        abi::option::sync_kloop_mode, abi::option::offsets, unknown, unknown});
    abi::nmreq_pools_info body{};  // the largest body
    auto header = header_of(type, base() + "{1", &body);
    header.nr_options = options.first();
    must(request(header, device()));
    EXPECT_EQ(options.statuses(), Statuses(7, EOPNOTSUPP)) << type;
  }
}

TEST_P(Requests, AboutSyncLoopsOfUnregisteredDescriptors) {
  OptionList options({abi::option::sync_kloop_mode, abi::option::sync_kloop_eventfds, unknown});
  abi::nmreq_sync_kloop_start body{};
  auto header = header_of(req::sync_kloop_start, "", &body);
  header.nr_options = options.first();
  EXPECT_EQ(code_of(request(header, device())), std::errc::no_such_device_or_address);
  EXPECT_EQ(options.statuses(), Statuses(3, EOPNOTSUPP));
  OptionList arrays({abi::option::csb, unknown});
  auto enable = header_of(req::csb_enable, "");
  enable.nr_options = arrays.first();
  must(request(enable, device()));
  EXPECT_EQ(arrays.statuses(), Statuses({0, EOPNOTSUPP})) << "that does nothing";
}

TEST_P(Requests, WithAListWithoutEndAreTooLarge) {
  for (const std::uint32_t type : {unknown, abi::option::csb}) {
    OptionList options({type});
    options.header(0).nro_next = options.first();
    abi::nmreq_port_info_get body{};
    auto header = header_of(req::port_info_get, "", &body);
    header.nr_options = options.first();
    const bool is_unknown = type == unknown;  // one that is known is given twice
    EXPECT_EQ(code_of(request(header, device())),
              is_unknown ? std::errc::message_size : std::errc::invalid_argument);
    EXPECT_EQ(options.statuses(), Statuses{is_unknown ? untouched : std::uint32_t{EINVAL}});
    EXPECT_EQ(options.header(0).nro_next, options.first());
  }
}

TEST_P(Requests, HaveRoomForSoManyOptions) {
  const auto answer = [&](std::uint16_t type, std::size_t count) {
    OptionList options(std::vector<std::uint32_t>(count, unknown));
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    auto header = header_of(type, base() + "{1", &body);
    header.nr_options = options.first();
    const auto answered = code_of(request(header, device()));
    const bool is_told = answered != std::errc::message_size;
    EXPECT_EQ(options.statuses(), Statuses(count, is_told ? EOPNOTSUPP : untouched)) << count;
    return answered;
  };
  EXPECT_EQ(answer(req::port_info_get, 128), std::error_code());
  EXPECT_EQ(answer(req::port_info_get, 129), std::errc::message_size);
  EXPECT_EQ(answer(req::port_register, 127), std::errc::operation_not_supported);
  EXPECT_EQ(answer(req::port_register, 128), std::errc::message_size);
}

TEST_P(Requests, HaveRoomForSoLargeAnOption) {
  struct Size {
    std::uint32_t type;
    std::uint64_t bytes;
    int answer;
  };
  namespace opt = abi::option;
  const Size table[] = {{opt::sync_kloop_eventfds, 0, 0},
                        {opt::sync_kloop_eventfds, 4064, 0},
                        {opt::sync_kloop_eventfds, 4065, EMSGSIZE},
                        {opt::sync_kloop_eventfds, UINT64_MAX, EMSGSIZE},
                        {opt::csb, 4096, 0},
                        {opt::csb, 4097, EMSGSIZE},
                        {unknown, UINT64_MAX, 0}};
  for (const Size& size : table) {
    std::array<std::uint64_t, 4096 / sizeof(std::uint64_t)> memory{};
    auto& option = *reinterpret_cast<abi::nmreq_option*>(memory.data());
    option.nro_reqtype = size.type;
    option.nro_size = size.bytes;
    option.nro_status = untouched;
    abi::nmreq_port_info_get body{};
    auto header = header_of(req::port_info_get, "", &body);
    header.nr_options = reinterpret_cast<std::uintptr_t>(&option);
    EXPECT_EQ(code_of(request(header, device())),
              std::error_code(size.answer, std::system_category()))
        << size.type << ' ' << size.bytes;
    EXPECT_EQ(option.nro_status, size.answer == 0 ? std::uint32_t{EOPNOTSUPP} : 0U)
        << size.type << ' ' << size.bytes;
  }
}

TEST_P(Requests, ToRegisterLookAtForeignOptionsLast) {
  alignas(abi::csb_align) std::array<std::byte, 1024> memory{};
  struct Asked {
    const char* name;
    std::uint64_t misalignment;
    int answer;
    Statuses statuses;
  };
  const Asked table[] = {
      {"", 0, ENXIO, {EOPNOTSUPP, EOPNOTSUPP}},
      {"", 8, ENXIO, {EOPNOTSUPP, EOPNOTSUPP}},
      {"{1", 8, EINVAL, {EINVAL, EOPNOTSUPP}},
      {"{1", 0, EOPNOTSUPP, {0, EOPNOTSUPP}},
  };
  for (const Asked& asked : table) {
    OptionList options({abi::option::csb, abi::option::sync_kloop_mode});
    options.csb(0).csb_atok = reinterpret_cast<std::uintptr_t>(memory.data()) + asked.misalignment;
    options.csb(0).csb_ktoa = reinterpret_cast<std::uintptr_t>(memory.data()) + 512;
    abi::nmreq_register body{};
    body.nr_mode = abi::mode::all_nic;
    body.nr_flags = abi::register_flags::exclusive;
    auto header = header_of(req::port_register, base() + asked.name, &body);
    header.nr_options = options.first();
    EXPECT_EQ(code_of(request(header, device())),
              std::error_code(asked.answer, std::system_category()))
        << asked.name << asked.misalignment;
    EXPECT_EQ(options.statuses(), asked.statuses) << asked.name << asked.misalignment;
    EXPECT_EQ(body.nr_memsize, 0U) << "the body is written only on success";
  }
  EXPECT_TRUE(try_open(base() + "{1")) << "nothing stays registered";
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
