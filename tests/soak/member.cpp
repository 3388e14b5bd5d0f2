// SPDX-License-Identifier: BSD-2-Clause
#include "soak/member.hpp"

#include "device/embedded/mailbox.hpp"
#include "device/embedded/vale.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>

namespace netmap::soak {
namespace {

using namespace std::chrono_literals;
using test::Frame;

/// The flow to everybody comes after those to each.
test::Address address_of(std::uint32_t flow) {
  return flow == members ? test::everybody : static_cast<test::Address>(flow);
}

std::string port_of(std::uint32_t number) {
  return "vale:" + std::to_string(number);
}

/// Half of them in one region; rings of few slots and of many.
PortOptions options_of(std::uint32_t number) {
  constexpr std::array slots{16U, 1024U, 64U, 256U};
  return {.conf = {.tx_slots = 128, .rx_slots = slots[number / 2 % slots.size()]},
          .memory_id = static_cast<std::uint16_t>(number % 2 == 0 ? 1 : 0)};
}

/// use(the mailbox of a port that is open).
template <class Use>
void with_mailbox(const DeviceOptions& device, const Port& port, std::uint32_t number, Use use) {
  using namespace embedded;
  const auto domain = must(Domain::at(device.domain));
  const auto memory = must(Memory::existing(*domain, port.info().memory_id));
  const std::string name = std::to_string(number);
  const auto place = find_vale_port(domain->state(), {"vale", name}).value();
  const SwitchPort& record = domain->state().switches[place.vale].ports[place.port];
  use(Mailbox::in(*memory, mailbox_object(record, 0), record.rx_slots));
}

/// A monitor of a member's port, if that is there; until it goes.
class Watch {
 public:
  Watch(const Opener& opener, Random& random) {
    constexpr std::array kinds{"/r", "/t", "/rt", "/z"};
    const std::string kind = kinds[random.below(kinds.size())];
    shows_copies_ = kind != "/z";
    auto port = opener.try_open(port_of(random.below(members)) + kind,
                                {.conf = {.rx_slots = 16U << random.below(8)}});
    if (port) port_ = std::move(*port);
  }
  [[nodiscard]] bool is_over() const { return !port_; }

  /// Yields how many frames it saw. A copy is what its sender wrote, unless slots before it were
  /// missed; exchanged buffers may hold what was there before, when somebody died.
  std::uint64_t look() {
    std::uint64_t seen = 0;
    if (!port_) return seen;
    if (const auto synced = port_->sync_rx(); !synced) {
      if (synced.error() != std::errc::io_error) throw std::runtime_error(synced.error().message());
      port_.reset();
      return seen;
    }
    std::uint64_t damaged = 0;
    port_->rx_rings()[0].for_each([&](const Packet& packet) {
      ++seen;
      damaged += !test::frame_of(packet);
    });
    if (shows_copies_ && damaged != 0 && port_->stats().dropped == 0) {
      throw std::runtime_error("a frame that a monitor shows is damaged");
    }
    return seen;
  }

 private:
  std::optional<Port> port_;
  bool shows_copies_;
};

/// From opening a port to closing it.
class Life {
 public:
  Life(const Opener& opener, Table& table, std::uint32_t number, Random& random)
      : opener_(opener),
        table_(table),
        own_(table.at[number]),
        number_(number),
        random_(random),
        port_(opener.open(port_of(number), options_of(number))) {
    own_.lost = own_.dropped = 0;
    ++own_.lives;
    (void)send(members);  // so that the switch knows where this is now
    must(port_.sync_tx());
  }

  /// Until there is the end, or another life is to come.
  void live() {
    for (;;) {
      const Act act = table_.act;
      const std::size_t received = receive();
      ++own_.beats;
      if (act.kind == Act::Kind::end) return;
      if (act.kind != Act::Kind::chaos) watch_.reset();
      if (act.kind == Act::Kind::chaos) {
        if (random_.one_in(1000)) return;
        send_some();
        watch();
      } else if (own_.done != act.count && received == 0) {
        if (act.kind == Act::Kind::turn && act.member == number_) take_turn();
        look_into_mailbox();
        own_.done = act.count;
      }
      if (act.kind != Act::Kind::chaos || random_.one_in(8))
        (void)must(port_.wait(Direction::rx, 1ms));
    }
  }

 private:
  void look_into_mailbox() {
    with_mailbox(opener_.device(), port_, number_, [this](const embedded::Mailbox& mailbox) {
      own_.dropped = mailbox.words->dropped.load();
      own_.full = static_cast<std::uint64_t>(
          std::count_if(mailbox.cells, mailbox.cells + mailbox.size,
                        [](const auto& cell) { return cell.owner != embedded::owner::nobody; }));
    });
  }
  [[nodiscard]] bool send(std::uint32_t flow) {
    auto& drawn = table_.drawn[number_][flow];
    const Frame frame{static_cast<test::Address>(number_), address_of(flow), drawn};
    if (!test::send_frame(port_.tx_rings()[0], frame)) return false;
    ++drawn;
    ++own_.sent;
    return true;
  }
  void send_some() {
    for (std::uint32_t left = random_.below(most_in_a_batch); left != 0; --left) {
      std::uint32_t flow = random_.below(members + 1);
      if (flow == number_) flow = members;
      if (!send(flow)) break;
    }
    must(port_.sync_tx());
  }
  void take_turn() {
    for (std::uint32_t to = 0; to != members; ++to) {
      if (to != number_ && !send(to)) throw std::runtime_error("there is no room to send");
    }
    if (!send(members)) throw std::runtime_error("there is no room to send");
    must(port_.sync_tx());
  }
  void watch() {
    if (!watch_ && random_.one_in(50)) watch_.emplace(opener_, random_);
    if (!watch_) return;
    own_.watched += watch_->look();
    if (watch_->is_over() || random_.one_in(100)) watch_.reset();
  }
  std::size_t receive() {
    must(port_.sync_rx());
    const std::size_t packets =
        port_.rx_rings()[0].for_each([this](const Packet& packet) { check(packet); });
    if (packets != 0) must(port_.sync_rx());
    return packets;
  }
  void check(const Packet& packet) {
    const auto frame = test::frame_of(packet);
    if (!frame || frame->from >= members || frame->from == number_) {
      throw std::runtime_error("a frame is damaged");
    }
    const bool is_to_all = frame->to == test::everybody;
    if (!is_to_all && frame->to != number_) {
      ++own_.strays;
      return;
    }
    ++own_.received;
    check_order(*frame, last_[frame->from][is_to_all ? 1 : 0]);
  }
  /// A short frame has the lower half of its number.
  void check_order(const Frame& frame, std::optional<std::uint32_t>& last) {
    std::uint32_t number = frame.number;
    if (!frame.has_number()) {
      if (!last) return;
      number = *last + static_cast<std::uint16_t>(frame.number - *last);
    }
    if (last) {
      const auto ahead = static_cast<std::int32_t>(number - *last);
      if (ahead <= 0) throw std::runtime_error("a frame is out of order, or comes twice");
      own_.lost += static_cast<std::uint32_t>(ahead - 1);
    }
    last = number;
  }

  const Opener& opener_;
  Table& table_;
  Table::Member& own_;
  std::uint32_t number_;
  Random& random_;
  Port port_;
  std::optional<Watch> watch_;
  std::array<std::array<std::optional<std::uint32_t>, 2>, members> last_;
};

}  // namespace

void be_member(const Opener& opener, Table& table, std::uint32_t number, std::uint64_t seed) {
  Random random(seed);
  do {
    Life(opener, table, number, random).live();
  } while (table.act.load().kind != Act::Kind::end);
}

}  // namespace netmap::soak
