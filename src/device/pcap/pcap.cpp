// SPDX-License-Identifier: BSD-2-Clause
#include "device/pcap/pcap.hpp"

#include "device/pcap/reader.hpp"
#include "device/pcap/writer.hpp"
#include "device/private_region.hpp"
#include "port/request.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace netmap::pcap {
namespace {

constexpr std::uint32_t default_slots = 1024;
constexpr std::uint32_t max_slots = 65'536;

std::unexpected<Error> refuse(std::errc code, std::string sentence) {
  return std::unexpected(Error(std::make_error_code(code), std::move(sentence)));
}

/// Two descriptors, since an event loop takes each only once.
struct WakeUps {
  static Result<WakeUps> make() {
    auto rx = os::WakeUp::make();
    if (!rx) return std::unexpected(rx.error());
    auto tx = os::WakeUp::make();
    if (!tx) return std::unexpected(tx.error());
    return WakeUps{std::move(*rx), std::move(*tx)};
  }

  os::WakeUp rx;
  os::WakeUp tx;  ///< never woken: a tx ring has all the room it can have
};

class CaptureDevice final : public Device {
 public:
  CaptureDevice(std::string name, Capture files, WakeUps wake) noexcept
      : name_(std::move(name)), files_(std::move(files)), wake_(std::move(wake)) {}

  Result<> control(abi::nmreq_header& request) override {
    const auto address = static_cast<std::uintptr_t>(request.nr_body);
    switch (request.nr_reqtype) {
      case abi::request::port_register:
        return register_port(*reinterpret_cast<abi::nmreq_register*>(address));
      case abi::request::port_info_get:
        describe(*reinterpret_cast<abi::nmreq_port_info_get*>(address));
        return {};
      default:
        return std::unexpected(
            Error(errc::not_supported, "a capture can be opened and asked about, nothing else"));
    }
  }
  Result<std::vector<OpenPort>> open_ports() override { return std::vector<OpenPort>(); }
  Result<std::shared_ptr<Region>> map() override { return region_; }

  SyncStatus sync_tx() noexcept override { return writer_ ? writer_->sync() : SyncStatus(); }
  SyncStatus sync_rx() noexcept override {
    return reader_ ? reader_->sync(is_rx_armed_) : SyncStatus();
  }
  [[nodiscard]] std::string reason(std::error_code why) const override {
    return reader_ && why == errc::capture_damaged ? reader_->reason() : "";
  }

  [[nodiscard]] detail::Ledger& ledger(Direction direction, std::size_t) noexcept override {
    return direction == Direction::tx ? writer_->ledger() : reader_->ledger();
  }
  [[nodiscard]] WaitHandle wait_handle(Direction direction) const noexcept override {
    return {.fd = (direction == Direction::rx ? wake_.rx : wake_.tx).fd(), .events = POLLIN};
  }
  [[nodiscard]] bool poll_syncs(Directions) const noexcept override { return false; }
  void arm(Directions directions) noexcept override {
    is_rx_armed_ |= directions.has(Direction::rx);
  }
  void disarm(Directions directions) noexcept override {
    if (!directions.has(Direction::rx)) return;
    is_rx_armed_ = false;
    wake_.rx.clear();
  }

 private:
  Result<> register_port(abi::nmreq_register& body);
  Result<> open_files(std::uint64_t offset);
  Result<> check(const abi::nmreq_register& body) const;

  /// What there is of what was asked for; 0 asks for the default.
  template <class Body>
  void describe(Body& body) const {
    const auto slots = [](bool is_there, std::uint32_t asked) {
      if (!is_there) return std::uint32_t{0};
      return asked == 0 ? default_slots : std::clamp<std::uint32_t>(asked, 2, max_slots);
    };
    body.nr_tx_slots = slots(!files_.tx.empty(), body.nr_tx_slots);
    body.nr_rx_slots = slots(!files_.rx.empty(), body.nr_rx_slots);
    body.nr_tx_rings = files_.tx.empty() ? 0 : 1;
    body.nr_rx_rings = files_.rx.empty() ? 0 : 1;
    body.nr_host_tx_rings = body.nr_host_rx_rings = 0;
    body.nr_mem_id = 0;
  }

  std::string name_;
  Capture files_;
  WakeUps wake_;
  bool is_rx_armed_ = false;
  std::shared_ptr<Region> region_;
  std::optional<CaptureReader> reader_;
  std::optional<CaptureWriter> writer_;
};

Result<> CaptureDevice::check(const abi::nmreq_register& body) const {
  namespace flag = abi::register_flags;
  if (region_) return refuse(std::errc::device_or_resource_busy, "the descriptor is registered");
  const bool is_first_ring = body.nr_mode == abi::mode::one_nic && body.nr_ringid == 0;
  if (body.nr_mode != abi::mode::all_nic && !is_first_ring) {
    return refuse(std::errc::invalid_argument,
                  "a capture has one ring each way, and no host rings");
  }
  if ((body.nr_flags & (flag::monitor_tx | flag::monitor_rx | flag::zcopy_mon)) != 0) {
    return std::unexpected(Error(errc::not_supported, "a capture cannot be monitored"));
  }
  return {};
}

/// A ring each way that has slots.
PrivateShape shape_of(const std::string& name, const abi::nmreq_register& body) {
  PrivateShape shape{.name = name, .conf = conf_of(body), .extra_buffers = body.nr_extra_bufs};
  if (body.nr_tx_slots != 0) shape.tx.push_back({.slots = body.nr_tx_slots});
  if (body.nr_rx_slots != 0) shape.rx.push_back({.slots = body.nr_rx_slots});
  return shape;
}

Result<> CaptureDevice::register_port(abi::nmreq_register& body) {
  if (auto checked = check(body); !checked) return checked;
  if ((body.nr_flags & abi::register_flags::rx_rings_only) != 0) files_.tx.clear();
  if ((body.nr_flags & abi::register_flags::tx_rings_only) != 0) files_.rx.clear();
  describe(body);
  body.nr_extra_bufs = std::min(body.nr_extra_bufs, abi::pool::buffers.max_count);
  auto region = make_private_region(shape_of(name_, body));
  if (!region) return std::unexpected(region.error());
  region_ = std::move(*region);
  body.nr_offset = 0;
  body.nr_memsize = region_->bytes().size();
  return open_files(body.nr_offset);
}

/// What is to be read first: if that fails, nothing was overwritten.
Result<> CaptureDevice::open_files(std::uint64_t offset) {
  const auto layout = find_rings(region_->bytes(), offset);
  if (!layout) return std::unexpected(layout.error());
  if (!layout->rx.empty()) {
    auto file = CaptureFile::open(files_.rx);
    if (!file) return std::unexpected(file.error());
    reader_.emplace(std::move(*file), files_.timed, layout->rx.front(), wake_.rx);
  }
  if (!layout->tx.empty()) {
    auto writer = CaptureWriter::open(files_.tx, layout->tx.front());
    if (!writer) return std::unexpected(writer.error());
    writer_.emplace(std::move(*writer));
  }
  return {};
}

}  // namespace

Result<OpenDevice> open_device(const DeviceOptions&, const PortName& name) {
  if (!name.capture) {
    return std::unexpected(
        Error(errc::not_supported, "the pcap device has captures only, 'pcap:FILE'"));
  }
  auto wake = WakeUps::make();
  if (!wake) return std::unexpected(wake.error());
  return OpenDevice{std::make_unique<CaptureDevice>(name.name, *name.capture, std::move(*wake)),
                    DeviceKind::pcap,
                    {}};
}

}  // namespace netmap::pcap
