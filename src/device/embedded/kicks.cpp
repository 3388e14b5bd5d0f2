// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/kicks.hpp"

#include "device/embedded/options.hpp"

#include <algorithm>
#include <span>
#include <string>

namespace netmap::embedded {
namespace {

std::unexpected<Error> invalid(abi::nmreq_option& option, std::string sentence) {
  option.nro_status = static_cast<std::uint32_t>(std::errc::invalid_argument);
  return refuse(std::errc::invalid_argument, std::move(sentence));
}

Result<> read_mode(abi::nmreq_opt_sync_kloop_mode& option, Kicks& kicks) {
  if ((option.mode & ~(abi::kloop_mode::direct_tx | abi::kloop_mode::direct_rx)) != 0) {
    return invalid(option.nro_opt, "a sync loop has no mode " + std::to_string(option.mode));
  }
  kicks.direct_tx = (option.mode & abi::kloop_mode::direct_tx) != 0;
  kicks.direct_rx = (option.mode & abi::kloop_mode::direct_rx) != 0;
  option.nro_opt.nro_status = 0;
  return {};
}

std::unexpected<Error> no_eventfd(int fd, std::error_code why) {
  return std::unexpected(Error(why, "a sync loop is given descriptor " + std::to_string(fd) +
                                        ", which is no eventfd: " + why.message() +
                                        "; -1 does without"));
}

Result<> share(std::vector<os::File>& into, int fd) {
  if (fd < 0) {
    into.emplace_back();
    return {};
  }
  auto own = os::share_eventfd(fd);
  if (!own) return no_eventfd(fd, own.error());
  into.push_back(std::move(*own));
  return {};
}

Result<> await(Kicks& kicks) {
  auto signals = os::Signals::make();
  for (std::uint32_t n = 0; signals && n != kicks.kicks.size(); ++n) {
    if (auto watched = signals->watch(kicks.kicks[n], n); !watched) {
      signals = std::unexpected(watched.error());
    }
  }
  if (!signals) {
    return std::unexpected(Error(
        signals.error(), "cannot wait for the kicks of a sync loop: " + signals.error().message()));
  }
  kicks.awaited = std::move(*signals);
  return {};
}

Result<> read_eventfds(abi::nmreq_opt_sync_kloop_eventfds& option, std::size_t rings,
                       Kicks& kicks) {
  if (option.nro_opt.nro_size != sizeof option + rings * sizeof(abi::EventFds)) {
    return invalid(option.nro_opt, "a sync loop over " + std::to_string(rings) +
                                       " rings takes as many pairs of descriptors");
  }
  option.nro_opt.nro_status = 0;
  const std::span fds(abi::event_fds_of(option), rings);
  const bool sleeps =
      std::ranges::none_of(fds, [](const abi::EventFds& pair) { return pair.ioeventfd < 0; });
  if (!sleeps && (kicks.direct_tx || kicks.direct_rx)) {
    return invalid(option.nro_opt, "a sync loop with direct rings needs an ioeventfd of each ring");
  }
  for (const abi::EventFds& pair : fds) {
    if (auto shared = share(kicks.interrupts, pair.irqfd); !shared) return shared;
    if (!sleeps) continue;
    if (auto shared = share(kicks.kicks, pair.ioeventfd); !shared) return shared;
  }
  return sleeps ? await(kicks) : Result<>();
}

}  // namespace

Result<Kicks> Kicks::from(const abi::nmreq_header& request, std::size_t senders,
                          std::size_t receivers) {
  Kicks kicks;
  auto* const mode =
      find_option<abi::nmreq_opt_sync_kloop_mode>(request, abi::option::sync_kloop_mode);
  if (mode != nullptr) {
    if (auto read = read_mode(*mode, kicks); !read) return std::unexpected(read.error());
  }
  auto* const fds =
      find_option<abi::nmreq_opt_sync_kloop_eventfds>(request, abi::option::sync_kloop_eventfds);
  if (fds != nullptr) {
    auto read = read_eventfds(*fds, senders + receivers, kicks);
    if (!read) return std::unexpected(read.error());
  }
  return kicks;
}

}  // namespace netmap::embedded
