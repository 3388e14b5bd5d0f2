// SPDX-License-Identifier: BSD-2-Clause
//
// Endpoints of which several processes have copies, see Endpoint::share().
#include "device/embedded/collect.hpp"
#include "device/embedded/endpoint.hpp"
#include "device/embedded/options.hpp"
#include "device/embedded/requests.hpp"

#include <algorithm>

namespace netmap::embedded {

/// Who has the last copy of life() closes the endpoint; nobody can tell before it is gone. To
/// others who have copies it is not this process's any more: it does not wait for its end, see
/// collect().
void Endpoint::close_unless_held() noexcept {
  EndpointRecord& record = own();
  const std::uint32_t index = binding_->endpoint;
  const std::uint32_t epoch = record.epoch;
  binding_.reset();
  const auto locked = domain_->lock();
  if (!locked) return;
  if (record.epoch == epoch) {
    record.is_closed = !Bell::is_held(*domain_, index);
    record.owner = std::uint64_t{epoch} << 32 | index;
  }
  (void)collect(*domain_);
}

void Endpoint::share() noexcept {
  is_shared_ = true;
  is_sole_user_ = false;
  care_ = &always;
  own().is_raw = true;
  std::ranges::for_each(binding_->receivers, &PipeReceiver::believe_flags);
}

namespace {

/// Where a descriptor's file is in a domain: the path of that, and the endpoint whose life it is.
struct LifePlace {
  std::string domain;
  std::uint32_t endpoint;
};

std::optional<LifePlace> place_of(const os::File& life) {
  const auto path = os::path_of(life.fd());
  if (!path) return {};
  const std::size_t slash = path->rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string_view name = std::string_view(*path).substr(slash + 1);
  const auto endpoint = Bell::owner_of(name);
  if (!endpoint || *endpoint >= max_endpoints || !name.ends_with(".life")) return {};
  return LifePlace{path->substr(0, slash), *endpoint};
}

std::unexpected<Error> is_no_port() {
  return refuse(std::errc::no_such_device_or_address,
                "the descriptor is none of a port that is open in a domain");
}

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::of(os::File life) {
  const auto place = place_of(life);
  if (!place) return is_no_port();
  auto domain = Domain::at(place->domain);
  if (!domain) return std::unexpected(domain.error());
  const auto locked = (*domain)->lock();
  if (!locked) return std::unexpected(locked.error());
  const EndpointRecord& record = (*domain)->state().endpoints[place->endpoint];
  if (record.in_use == 0) return is_no_port();
  auto binding = embedded::share_port(**domain, place->endpoint, std::move(life));
  if (!binding) return std::unexpected(binding.error());
  auto endpoint = std::make_unique<Endpoint>(*domain, "", DeviceOptions());
  endpoint->binding_ = std::move(*binding);
  endpoint->begin(record);
  endpoint->share();
  return endpoint;
}

}  // namespace netmap::embedded
