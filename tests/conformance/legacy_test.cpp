// SPDX-License-Identifier: BSD-2-Clause
//
// The control language of programs before API 14.
#include "device/legacy.hpp"
#include "conformance/device.hpp"

#include <cerrno>
#include <cstdint>
#include <string>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace netmap::conformance {
namespace {

namespace cmd = abi::legacy_cmd;

class Legacy : public OnDevice {
 protected:
  static abi::nmreq request_for(const std::string& name, std::uint16_t command = cmd::none) {
    abi::nmreq legacy{};
    name.copy(legacy.nr_name, sizeof legacy.nr_name - 1);
    legacy.nr_version = abi::version::current;
    legacy.nr_cmd = command;
    return legacy;
  }
  static std::error_code info(abi::nmreq& legacy) { return ask(legacy, LegacyCall::info); }
  static std::error_code regif(abi::nmreq& legacy) { return ask(legacy, LegacyCall::registration); }

 private:
  /// By a descriptor that is closed then.
  static std::error_code ask(abi::nmreq& legacy, LegacyCall call) {
    if (is_kernel()) return ask_module(legacy, call);
    auto translated = LegacyRequest::from(legacy, call);
    if (!translated) return translated.error().code();
    const auto answered = request(translated->header(), device());
    if (answered) translated->write_to(legacy);
    return code_of(answered);
  }
  static std::error_code ask_module(abi::nmreq& legacy, LegacyCall call) {
    const int fd = ::open(abi::device_path, O_RDWR | O_CLOEXEC);
    const auto number =
        call == LegacyCall::info ? abi::ioctl_number::ginfo : abi::ioctl_number::regif;
    const int failure = ::ioctl(fd, number, &legacy) == 0 ? 0 : errno;
    ::close(fd);
    return {failure, std::system_category()};
  }
};
ON_EVERY_BARE_DEVICE(Legacy);

TEST_P(Legacy, RequestsBeforeApi14AreInvalid) {
  for (const std::uint32_t version : {0U, 11U, 13U}) {
    abi::nmreq asked = request_for(base() + "{1");
    asked.nr_version = version;
    EXPECT_EQ(regif(asked), std::errc::invalid_argument) << version;
    EXPECT_EQ(info(asked), std::errc::invalid_argument) << version;
  }
}

TEST_P(Legacy, RequestsOfLaterApisAreAnswered) {
  abi::nmreq asked = request_for(base() + "{1");
  asked.nr_version = 99;
  EXPECT_FALSE(regif(asked));
}

TEST_P(Legacy, RegistrationsTellWhatThePortIs) {
  abi::nmreq asked = request_for(base() + "{1");
  asked.nr_tx_rings = 3;
  asked.nr_rx_rings = 2;
  asked.nr_tx_slots = 64;
  asked.nr_rx_slots = 128;
  asked.nr_arg3 = 5;
  ASSERT_FALSE(regif(asked));
  EXPECT_EQ(asked.nr_tx_rings, 3);
  EXPECT_EQ(asked.nr_rx_rings, 2);
  EXPECT_EQ(asked.nr_tx_slots, 64U);
  EXPECT_EQ(asked.nr_rx_slots, 128U);
  EXPECT_EQ(asked.nr_arg3, 5U) << "extra buffers";
  EXPECT_NE(asked.nr_arg2, 0) << "a memory id";
  EXPECT_NE(asked.nr_memsize, 0U);
}

TEST_P(Legacy, ModesThatAreUnsetComeFromTheRingId) {
  Port port = open(base() + "{1", {.conf = {.tx_rings = 2, .rx_rings = 2}});
  abi::nmreq asked = request_for(base() + "{1");
  asked.nr_ringid = abi::legacy_ringid::hw_ring | 1;
  EXPECT_EQ(regif(asked), std::errc::device_or_resource_busy) << "all rings are taken";
  asked = request_for(base() + "{2");
  asked.nr_ringid = abi::legacy_ringid::hw_ring | 1;
  EXPECT_EQ(regif(asked), std::errc::invalid_argument) << "there is no ring 1";
  asked = request_for(base() + "{2");
  asked.nr_ringid = abi::legacy_ringid::sw_ring;
  EXPECT_EQ(regif(asked), std::errc::invalid_argument) << "there are no host rings";
  asked = request_for(base() + "{2");
  asked.nr_ringid = abi::legacy_ringid::no_tx_poll | abi::legacy_ringid::do_rx_poll;
  EXPECT_FALSE(regif(asked));
}

TEST_P(Legacy, ModesNameEndsOfPipes) {
  const Port master = open(base() + "{7");
  abi::nmreq asked = request_for(base());
  asked.nr_flags = abi::mode::pipe_master;
  asked.nr_ringid = 7;
  EXPECT_EQ(regif(asked), std::errc::device_or_resource_busy) << "it is open";
  asked.nr_flags = abi::mode::pipe_slave;
  ASSERT_FALSE(regif(asked));
  EXPECT_EQ(asked.nr_arg2, master.info().memory_id);
  EXPECT_EQ(asked.nr_name, base()) << "the name stays as it was asked for";
}

TEST_P(Legacy, InformationIsThatOfToday) {
  const Port port = open(base() + "{1", {.conf = {.tx_slots = 64, .rx_slots = 128}});
  abi::nmreq asked = request_for(base() + "{1");
  ASSERT_FALSE(info(asked));
  EXPECT_EQ(asked.nr_tx_slots, 64U);
  EXPECT_EQ(asked.nr_rx_slots, 128U);
  EXPECT_EQ(asked.nr_arg2, port.info().memory_id);
  EXPECT_NE(asked.nr_memsize, 0U);
  abi::nmreq nothing = request_for("");
  ASSERT_FALSE(info(nothing));
  EXPECT_EQ(nothing.nr_arg2, abi::memory_id::global) << "of no port: of memory alone";
  abi::nmreq unknown = request_for(base() + "x");
  EXPECT_EQ(info(unknown), std::errc::no_such_device_or_address);
}

TEST_P(Legacy, CommandsMakeAttachAndRemoveInterfaces) {
  const std::string name = base().substr(base().find('n'));  // of old, names have 15 characters
  const std::string on_switch = "vale" + name + ":" + name;
  abi::nmreq made = request_for(name, cmd::bdg_newif);
  made.nr_tx_slots = 64;
  ASSERT_FALSE(regif(made));
  EXPECT_EQ(made.nr_tx_slots, 64U);
  EXPECT_EQ(made.nr_tx_rings, 1);
  EXPECT_EQ(regif(made), std::errc::file_exists);
  abi::nmreq attach = request_for(on_switch, cmd::bdg_attach);
  ASSERT_FALSE(regif(attach));
  abi::nmreq header = request_for(on_switch, cmd::bdg_vnet_hdr);
  header.nr_arg1 = abi::vnet_hdr_len::legacy;
  EXPECT_FALSE(regif(header));
  abi::nmreq asked = request_for(on_switch, cmd::vnet_hdr_get);
  ASSERT_FALSE(regif(asked));
  EXPECT_EQ(asked.nr_arg1, abi::vnet_hdr_len::legacy);
  abi::nmreq listed = request_for(on_switch, cmd::bdg_list);
  EXPECT_FALSE(info(listed));
  EXPECT_EQ(listed.nr_arg2, 0) << "the port's place on its switch";
  abi::nmreq detach = request_for(on_switch, cmd::bdg_detach);
  EXPECT_FALSE(regif(detach));
  EXPECT_EQ(regif(detach), std::errc::no_such_device_or_address);
  abi::nmreq removed = request_for(name, cmd::bdg_delif);
  EXPECT_FALSE(regif(removed));
  EXPECT_EQ(regif(removed), std::errc::no_such_device_or_address);
}

TEST_P(Legacy, CommandsThatThereAreNotAreRefused) {
  abi::nmreq unknown = request_for(base() + "{1", 77);
  EXPECT_EQ(regif(unknown), std::errc::invalid_argument);
  abi::nmreq inside = request_for(base() + "{1", cmd::bdg_regops);
  EXPECT_EQ(regif(inside), std::errc::invalid_argument);
  for (const std::uint16_t command : {cmd::pt_host_create, cmd::pt_host_delete}) {
    abi::nmreq old = request_for(base() + "{1", command);
    EXPECT_EQ(regif(old), std::errc::not_enough_memory) << command;
  }
}

TEST_P(Legacy, CommandsThatPollNeedAnInterface) {
  for (const std::uint16_t command : {cmd::bdg_polling_on, cmd::bdg_polling_off}) {
    abi::nmreq asked = request_for("vale" + base().substr(base().find('n')) + ":x", command);
    asked.nr_flags = abi::mode::all_nic;
    EXPECT_EQ(regif(asked), std::errc::no_such_device_or_address) << command;
  }
}

}  // namespace
}  // namespace netmap::conformance
