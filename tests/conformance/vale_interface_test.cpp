// SPDX-License-Identifier: BSD-2-Clause
//
// VALE ports that stay: interfaces of the system that are made, attached to switches, and removed
// again; and the requests for kernel threads that poll them.
#include "conformance/vale.hpp"

#include <cerrno>

namespace netmap::conformance {
namespace {

namespace req = abi::request;

class ValeInterfaces : public OnSwitch {
 protected:
  void TearDown() override {
    if (IsSkipped()) return;
    (void)detach();
    (void)remove(name());
  }
  /// The interface of this case.
  [[nodiscard]] std::string name() const { return base() + "v"; }
  [[nodiscard]] std::string attached() const { return port_name(name()); }

  static Result<> make(const std::string& interface, abi::nmreq_vale_newif& body) {
    return ask(req::vale_newif, interface, &body);
  }
  static Result<> make(const std::string& interface) {
    abi::nmreq_vale_newif body{};
    return make(interface, body);
  }
  static Result<> remove(const std::string& interface) { return ask(req::vale_delif, interface); }
  static Result<std::uint32_t> attach(const std::string& port, std::uint16_t memory_id = 0) {
    abi::nmreq_vale_attach body{};
    body.reg.nr_mode = abi::mode::all_nic;
    body.reg.nr_mem_id = memory_id;
    body.port_index = 77;
    if (auto done = ask(req::vale_attach, port, &body); !done) {
      return std::unexpected(done.error());
    }
    return body.port_index;
  }
  static Result<std::uint32_t> detach(const std::string& port) {
    abi::nmreq_vale_detach body{77, 0};
    if (auto done = ask(req::vale_detach, port, &body); !done) {
      return std::unexpected(done.error());
    }
    return body.port_index;
  }
  [[nodiscard]] Result<std::uint32_t> detach() const { return detach(attached()); }
};
ON_EVERY_BARE_DEVICE(ValeInterfaces);

/// Makes this case's interface, or ends the case if the device refuses.
#define MAKE_OR_END()                                \
  if (const auto made = make(name()); refused(made)) \
    return;                                          \
  else                                               \
    must(made)

// ---- Making and removing ------------------------------------------------------------------------

TEST_P(ValeInterfaces, AreMadeWithTheDefaults) {
  abi::nmreq_vale_newif body{};
  const auto made = make(name(), body);
  if (refused(made)) return;
  must(made);
  EXPECT_EQ(body.nr_tx_rings, 1);
  EXPECT_EQ(body.nr_rx_rings, 1);
  EXPECT_EQ(body.nr_tx_slots, 1024U);
  EXPECT_EQ(body.nr_rx_slots, 1024U);
  EXPECT_GT(body.nr_mem_id, abi::memory_id::global);
  const auto info = must(port_info(name(), device()));
  EXPECT_EQ(info.conf.tx_slots, 1024U);
  EXPECT_EQ(info.memory_id, body.nr_mem_id);
  must(remove(name()));
  EXPECT_EQ(code_of(remove(name())), os(ENXIO));
  EXPECT_EQ(code_of(port_info(name(), device())), os(ENXIO));
}

TEST_P(ValeInterfaces, AreMadeAsAskedWithinTheLimits) {
  abi::nmreq_vale_newif body{100, 5000, 2, 99, abi::memory_id::global, 0};
  const auto made = make(name(), body);
  if (refused(made)) return;
  must(made);
  EXPECT_EQ(body.nr_tx_rings, 2);
  EXPECT_EQ(body.nr_rx_rings, 16);
  EXPECT_EQ(body.nr_tx_slots, 100U);
  EXPECT_EQ(body.nr_rx_slots, 4096U);
  EXPECT_EQ(body.nr_mem_id, abi::memory_id::global);
}

TEST_P(ValeInterfaces, AreMadeOnce) {
  MAKE_OR_END();
  abi::nmreq_vale_newif body{};
  EXPECT_EQ(code_of(make(name(), body)), os(EEXIST));
  EXPECT_EQ(body.nr_tx_slots, 0U) << "the body is written only on success";
  EXPECT_EQ(code_of(make("lo")), os(EEXIST));
}

TEST_P(ValeInterfaces, HaveNamesOfTheSystem) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(make("vale" + base())), os(EINVAL));
  EXPECT_EQ(code_of(make("vale" + base() + ":a")), os(EINVAL));
  EXPECT_EQ(code_of(make("a234567890123456")), os(EINVAL));
  abi::nmreq_vale_newif body{};
  body.nr_mem_id = 9999;
  EXPECT_EQ(code_of(make(name() + "x", body)), os(EINVAL));
  EXPECT_EQ(code_of(remove(name() + "x")), os(ENXIO)) << "nothing is left of it";
}

TEST_P(ValeInterfaces, AreRemovedIfNobodyUsesThem) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(remove("lo")), os(EINVAL));
  EXPECT_EQ(code_of(remove(name() + "x")), os(ENXIO));
  Port port = open(name());
  EXPECT_EQ(code_of(remove(name())), os(EBUSY));
  close(port);
  must(attach(attached()));
  EXPECT_EQ(code_of(remove(name())), os(EBUSY));
  must(detach());
  Port ephemeral = open(port_name("a"));
  EXPECT_EQ(code_of(remove(port_name("a"))), os(ENXIO));
  EXPECT_TRUE(remove(name()));
}

// ---- Switches -----------------------------------------------------------------------------------

TEST_P(ValeInterfaces, ThatAreNotAttachedAreOpenedByTheirOwnName) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(register_once(attached())), os(EINVAL));
  Port port = open(name());
  EXPECT_EQ(port.info().conf.tx_slots, 1024U);
  send_frames(port, 0, 0, 2000, 1);
  EXPECT_EQ(port.tx_rings()[0].pending(), 0U) << "what it sends is for nobody";
  EXPECT_TRUE(take(port).empty());
  EXPECT_EQ(code_of(register_once(name(), abi::mode::sw)), os(EINVAL)) << "it has no host rings";
}

TEST_P(ValeInterfaces, KeepASwitchAlive) {
  MAKE_OR_END();
  must(attach(attached()));
  EXPECT_EQ(index_of(attached()), 0U);
  EXPECT_EQ(must(detach()), 0U);
  EXPECT_EQ(code_of(place_of(attached())), os(ENOENT));
  EXPECT_TRUE(port_info(name(), device()));
}

TEST_P(ValeInterfaces, AreFoundBesideOtherPorts) {
  MAKE_OR_END();
  const Port a = open(port_name("a"));
  EXPECT_EQ(must(attach(attached())), 1U);
  EXPECT_EQ(index_of(attached()), 1U);
  abi::nmreq_pools_info pools{};
  must(ask(req::pools_info_get, attached(), &pools));
  abi::nmreq_pools_info unattached{};
  must(ask(req::pools_info_get, name(), &unattached));
  EXPECT_EQ(pools.nr_mem_id, unattached.nr_mem_id);
  const Port b = open(port_name("b"));
  EXPECT_EQ(must(detach()), 1U);
  EXPECT_EQ(index_of(attached()), no_port);
  EXPECT_EQ(index_of(port_name("b")), 2U);
}

TEST_P(ValeInterfaces, AreAttachedOnceAndWhole) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(attach(attached(), 9999)), os(EINVAL));
  must(attach(attached()));
  EXPECT_EQ(code_of(attach(attached())), os(EBUSY));
  must(detach());
  EXPECT_EQ(code_of(detach()), os(ENXIO));
}

TEST_P(ValeInterfaces, AreNeitherEphemeralPortsNorUnknown) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(attach(port_name("a"))), os(EINVAL)) << "there is no such interface";
  EXPECT_EQ(code_of(detach(port_name("a"))), os(ENXIO));
  Port a = open(port_name("a"));
  EXPECT_EQ(code_of(attach(port_name("a"))), os(EBUSY));
  EXPECT_EQ(code_of(detach(port_name("b"))), os(ENXIO));
  EXPECT_EQ(code_of(detach(port_name("a"))), os(EBUSY)) << "ephemeral ports were not attached";
  EXPECT_EQ(index_of(port_name("a")), 0U);
  for (const std::string& other : {name(), std::string("lo")}) {
    EXPECT_EQ(code_of(attach(other)), os(EINVAL)) << other << " names no switch";
    EXPECT_EQ(code_of(detach(other)), os(EINVAL)) << other << " names no switch";
  }
  EXPECT_EQ(code_of(attach("vale-1:" + name())), os(ENOMEM));
  EXPECT_EQ(code_of(detach("vale-1:" + name())), os(ENXIO));
}

TEST_P(ValeInterfaces, AreNotAttachedWhileTheyAreOpen) {
  MAKE_OR_END();
  Port port = open(name());
  EXPECT_EQ(code_of(attach(attached())), os(EBUSY));
  close(port);
  EXPECT_TRUE(remove(name()));
}

TEST_P(ValeInterfaces, AreInASwitchWhateverModeWasAskedFor) {
  MAKE_OR_END();
  using namespace abi::mode;
  for (const std::uint32_t mode : {unset, all_nic, sw, nic_sw, one_nic, 9U}) {
    abi::nmreq_vale_attach body{};
    body.reg.nr_mode = mode;
    must(ask(req::vale_attach, attached(), &body));
    EXPECT_EQ(body.port_index, 0U) << mode;
    must(detach());
  }
}

TEST_P(ValeInterfaces, HaveHeadersThatOutliveTheSwitch) {
  MAKE_OR_END();
  EXPECT_EQ(code_of(set_vnet_header(name(), 12, device())), os(ENXIO)) << "no VALE name";
  EXPECT_EQ(code_of(set_vnet_header(attached(), 12, device())), os(ENXIO)) << "not attached";
  must(attach(attached()));
  must(set_vnet_header(attached(), 12, device()));
  EXPECT_EQ(must(vnet_header(attached(), device())), 12U);
  EXPECT_EQ(must(vnet_header(name(), device())), 12U);
  must(detach());
  EXPECT_EQ(must(vnet_header(name(), device())), 12U);
  EXPECT_EQ(code_of(register_once(name())), os(EIO));
}

// ---- Polling ------------------------------------------------------------------------------------

TEST_P(ValeInterfaces, AreNotPolledIfTheyAreNoNics) {
  MAKE_OR_END();
  must(attach(attached()));
  Port a = open(port_name("a"));
  for (const std::uint16_t type : {req::vale_polling_enable, req::vale_polling_disable}) {
    abi::nmreq_vale_polling body{abi::polling_mode::single_cpu, 0, 1, 0};
    EXPECT_EQ(code_of(ask(type, attached(), &body)), os(EOPNOTSUPP));
    EXPECT_EQ(code_of(ask(type, port_name("a"), &body)), os(EOPNOTSUPP));
    EXPECT_EQ(code_of(ask(type, port_name("b"), &body)), os(ENXIO)) << "no port";
    EXPECT_EQ(code_of(ask(type, port_name("a", "x"), &body)), os(ENXIO)) << "no switch";
    EXPECT_EQ(code_of(ask(type, name(), &body)), os(EINVAL)) << "no VALE name";
  }
}

}  // namespace
}  // namespace netmap::conformance
