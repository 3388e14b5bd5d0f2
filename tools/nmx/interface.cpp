// SPDX-License-Identifier: BSD-2-Clause
#include "interface.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace nmx {
namespace {

const std::string class_net = "/sys/class/net/";

struct Offload {
  std::uint32_t question;
  const char* name;
};

/// Those that make packets on host rings, or on emulated adapters, other than the wire shows them:
/// without checksum, larger than the MTU, merged.
constexpr std::array offloads{
    Offload{ETHTOOL_GRXCSUM, "rx"}, Offload{ETHTOOL_GTXCSUM, "tx"}, Offload{ETHTOOL_GTSO, "tso"},
    Offload{ETHTOOL_GGSO, "gso"},   Offload{ETHTOOL_GGRO, "gro"},
};

/// A socket to ask about interfaces through; no packet passes it.
class Asker {
 public:
  explicit Asker(const std::string& name) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    name.copy(request_.ifr_name, sizeof request_.ifr_name - 1);
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] bool is_up() {
    return ::ioctl(fd_, SIOCGIFFLAGS, &request_) == 0 && (request_.ifr_flags & IFF_UP) != 0;
  }
  [[nodiscard]] bool has(const Offload& offload) {
    ethtool_value value{.cmd = offload.question, .data = 0};
    request_.ifr_data = reinterpret_cast<char*>(&value);
    return ::ioctl(fd_, SIOCETHTOOL, &request_) == 0 && value.data != 0;
  }

 private:
  int fd_;
  ifreq request_{};
};

unsigned number_in(const std::string& path) {
  unsigned number = 0;
  std::ifstream(path) >> number;
  return number;
}

}  // namespace

std::string first_line(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

std::vector<std::string> interface_names() {
  std::vector<std::string> names;
  const auto free = [](struct if_nameindex* list) { if_freenameindex(list); };
  const std::unique_ptr<struct if_nameindex, decltype(free)> list(::if_nameindex());
  for (const auto* at = list.get(); at != nullptr && at->if_index != 0; ++at) {
    names.emplace_back(at->if_name);
  }
  std::ranges::sort(names);
  return names;
}

std::optional<Interface> look_at(const std::string& name) {
  const std::filesystem::path path = class_net + name;
  std::error_code error;
  if (name.empty() || name.find('/') != std::string::npos) return {};
  if (!std::filesystem::is_directory(path, error)) return {};
  Asker asker(name);
  Interface interface{.name = name,
                      .is_up = asker.is_up(),
                      .has_link = first_line(path / "carrier") == "1",
                      .mtu = number_in(path / "mtu")};
  const auto driver = std::filesystem::read_symlink(path / "device/driver", error);
  if (!error) interface.driver = driver.filename();
  for (const Offload& offload : offloads) {
    if (asker.has(offload)) interface.offloads.emplace_back(offload.name);
  }
  return interface;
}

std::optional<MacAddress> mac_of(const std::string& name) {
  const auto mac = parse_mac(first_line(class_net + name + "/address"));
  return mac ? std::optional(*mac) : std::nullopt;
}

}  // namespace nmx
