// SPDX-License-Identifier: BSD-2-Clause
//
// Requests of arbitrary bytes to the embedded device: each is answered or refused in a sentence, a
// port that comes of one is usable, and when all descriptors are closed nothing is left in the
// domain.
#include "input.hpp"

#include <netmap/netmap.hpp>

#include "device/embedded/domain.hpp"
#include "device/embedded/embedded.hpp"
#include "device/embedded/pipe.hpp"
#include "device/embedded/vale.hpp"
#include "port/request.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace netmap::fuzz {
namespace {

using embedded::DomainState;

/// A domain of this process alone, with one open port: a region that is there already costs less
/// than one that is made.
class Scratch {
 public:
  Scratch() {
    require(::mkdtemp(path_.data()) != nullptr, "there is a place for the domain");
    domain_ = embedded::Domain::at(path_).value();
    keeper_ = netmap::open("keeper{1", {.device = {DeviceKind::embedded, path_},
                                        .conf = {.tx_slots = 4, .rx_slots = 4},
                                        .shared = true});
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::unique_ptr<Device> open() const {
    return embedded::open_device({DeviceKind::embedded, path_}, {}).value().device;
  }
  /// Removes the interfaces that stay though nobody has them open.
  void remove_interfaces() const {
    for (const embedded::Switch& vale : domain_->state().switches) {
      for (const embedded::SwitchPort& port : vale.ports) {
        if (port.stays == 0 || port.presence == embedded::SwitchPort::none) continue;
        const std::string name = port.name;
        abi::nmreq_vale_detach body{};
        if (vale.name[0] != '\0') ask(abi::request::vale_detach, full_name(vale, port), &body);
        ask(abi::request::vale_delif, name, nullptr);
      }
    }
  }
  [[nodiscard]] bool is_at_rest() const {
    const DomainState& state = domain_->state();
    const auto is_used = [](const auto& record) { return record.in_use != 0; };
    const auto has_ports = [](const embedded::Switch& vale) {
      return std::ranges::any_of(vale.ports, [](const embedded::SwitchPort& port) {
        return port.presence != embedded::SwitchPort::none;
      });
    };
    return std::ranges::count_if(state.endpoints, is_used) == 1 &&
           std::ranges::count_if(state.pipes, is_used) == 1 &&
           std::ranges::none_of(state.switches, has_ports);
  }

 private:
  void ask(std::uint16_t type, const std::string& name, void* body) const {
    auto header = make_request(type, name, body);
    require(open()->control(header).has_value(),
            "an interface that nobody has open can be removed");
  }

  std::string path_ = "/dev/shm/netmapxx-fuzz-XXXXXX";
  std::shared_ptr<embedded::Domain> domain_;
  Result<Port> keeper_ = std::unexpected(Error(errc::not_supported));
};

/// One request with all it points to.
struct Request {
  explicit Request(Input& input) {
    constexpr std::array names{"x{1",     "x}1", "x{2",      "y}1",     "",
                               "vale0:a", "{",   "keeper}1", "keeper{1"};
    header.nr_version = input.flip() ? abi::version::current : input.take<std::uint16_t>();
    header.nr_reqtype =
        input.flip() ? abi::request::port_register : static_cast<std::uint16_t>(input.below(18));
    if (input.below(16) == 1) header.nr_reserved = input.take<std::uint32_t>();
    if (input.below(4) != 1) {
      std::strcpy(header.nr_name, names[input.below(names.size())]);
    } else {
      const auto bytes = input.take_bytes(input.below(sizeof header.nr_name + 1));
      std::ranges::copy(bytes, header.nr_name);
    }
    fill_body(input);
    link_options(input);
  }

  abi::nmreq_header header{};
  /// Large enough for every body, and its beginning a registration's.
  struct alignas(8) {
    abi::nmreq_register registration{};
    std::array<std::byte, 256> rest{};
  } body;
  /// Large enough for every option that the device consumes.
  struct alignas(8) Option {
    abi::nmreq_option head{};
    std::array<std::uint64_t, 9> rest{};
  };
  std::array<Option, 4> options{};

 private:
  void fill_body(Input& input) {
    auto& registration = body.registration;
    if (input.flip()) {
      registration.nr_mode = input.below(10);
      registration.nr_ringid = input.take<std::uint8_t>();
      registration.nr_mem_id = static_cast<std::uint16_t>(input.flip() ? input.below(4) : 2);
      registration.nr_tx_rings = static_cast<std::uint16_t>(input.below(4));
      registration.nr_rx_rings = static_cast<std::uint16_t>(input.below(4));
      registration.nr_tx_slots = 1 + input.below(8);
      registration.nr_rx_slots = 1 + input.below(8);
      registration.nr_flags = std::uint64_t{input.take<std::uint16_t>()} << 8;
    } else {
      registration = input.take<abi::nmreq_register>();
      spare_memory();
    }
    registration.nr_extra_bufs &= 0x1f;
    if (input.below(16) != 1) header.nr_body = reinterpret_cast<std::uintptr_t>(&body);
  }
  /// Many rings and slots take long to make, and tell nothing that a few do not; unless they are
  /// more than there are.
  void spare_memory() {
    auto& registration = body.registration;
    const auto slots = [](std::uint64_t rings, std::uint64_t size) {
      return std::clamp<std::uint64_t>(rings, 1, embedded::max_rings) *
             (size == 0 ? embedded::default_slots
                        : std::min<std::uint64_t>(size, embedded::max_slots));
    };
    const std::uint64_t all = slots(registration.nr_tx_rings, registration.nr_tx_slots) +
                              slots(registration.nr_rx_rings, registration.nr_rx_slots);
    if (all > embedded::buffer_pool.objects) return;
    if (registration.nr_mem_id > 2) registration.nr_mem_id %= 3;
    registration.nr_tx_rings %= 4;
    registration.nr_rx_rings %= 4;
    registration.nr_tx_slots = 1 + registration.nr_tx_slots % 8;
    registration.nr_rx_slots = 1 + registration.nr_rx_slots % 8;
  }
  /// A list of options that may bite its tail.
  void link_options(Input& input) {
    std::size_t count = input.below(8);
    if (count > options.size()) count = 0;
    if (count == 0) return;
    header.nr_options = reinterpret_cast<std::uintptr_t>(options.data());
    for (std::size_t i = 0; i != count; ++i) {
      abi::nmreq_option& option = options[i].head;
      option.nro_reqtype = input.below(10);
      option.nro_size = input.take<std::uint16_t>();
      fill_option(options[i], input);
      const std::size_t next = i + 1 != count ? i + 1 : input.below(8);
      if (next < count) option.nro_next = reinterpret_cast<std::uintptr_t>(&options[next]);
    }
  }
  static void fill_option(Option& option, Input& input) {
    static std::array<std::byte, 128 * 1024> arrays;  // for any number of rings
    const auto address = reinterpret_cast<std::uintptr_t>(arrays.data());
    if (option.head.nro_reqtype == abi::option::csb) option.rest = {address, address};
    if (option.head.nro_reqtype == abi::option::extmem) fill_extmem(option, input);
    if (option.head.nro_reqtype != abi::option::offsets) return;
    option.rest = {input.take<std::uint16_t>(), input.take<std::uint16_t>(), input.below(80)};
  }
  /// Memory, a part of it or none; and numbers for it.
  static void fill_extmem(Option& option, Input& input) {
    static const auto mapping = os::map_private(1 << 20).value();
    const auto memory = mapping.bytes();
    auto& extmem = *reinterpret_cast<abi::nmreq_opt_extmem*>(&option);
    extmem.nro_usrptr = input.flip() ? reinterpret_cast<std::uintptr_t>(memory.data()) : 1;
    extmem.nro_info.nr_memsize = memory.size() >> input.below(4);
    if (input.below(8) == 1) extmem.nro_info = input.take<abi::nmreq_pools_info>();
    extmem.nro_info.nr_memsize = std::min<std::uint64_t>(extmem.nro_info.nr_memsize, memory.size());
    extmem.nro_info.nr_buf_pool_objtotal %= 300;
  }
};

bool is_monitor(const abi::nmreq_register& registration) {
  constexpr auto flags = abi::register_flags::monitor_tx | abi::register_flags::monitor_rx |
                         abi::register_flags::zcopy_mon;
  return (registration.nr_flags & flags) != 0;
}

/// Sends, but for a monitor, and receives what there is room for.
void use(Port& port, bool sends) {
  const std::array<std::byte, 60> packet{};
  std::array<std::byte, 4096> into{};
  for (TxRing& ring : port.tx_rings()) (void)ring.send(packet);
  for (const auto& synced : {sends ? port.sync_tx() : Result<>(), port.sync_rx()}) {
    const bool is_in_csb_mode = !synced && synced.error() == std::errc::device_or_resource_busy;
    require(synced || is_in_csb_mode, "a new port sends and receives");
  }
  for (RxRing& ring : port.rx_rings()) {
    while (ring.receive(into)) {
    }
  }
  if (auto buffer = port.take_buffer()) std::ranges::fill(buffer->bytes(), std::byte{1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scratch scratch;
  static std::unique_ptr<Device> device;  // as long as it is not registered
  Input input(data, size);
  std::vector<Port> ports;
  for (int requests = 0; requests != 4 && !input.done(); ++requests) {
    if (!device) device = scratch.open();
    Request request(input);
    const auto done = device->control(request.header);
    require(done || done.error().message().size() > 10, "a refusal says why");
    if (!done || request.header.nr_reqtype != abi::request::port_register) continue;
    auto port = Port::assemble(std::move(device), {}, request.body.registration);
    require(port.has_value(), "what was registered has its rings");
    use(*port, !is_monitor(request.body.registration));
    ports.push_back(std::move(*port));
  }
  ports.clear();
  scratch.remove_interfaces();
  require(scratch.is_at_rest(), "nothing is left behind");
  return 0;
}

}  // namespace netmap::fuzz
