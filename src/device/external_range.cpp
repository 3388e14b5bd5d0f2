// SPDX-License-Identifier: BSD-2-Clause
#include "device/external_range.hpp"

#include "os/os.hpp"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace netmap {
namespace {

struct ClaimedRanges {
  std::mutex mutex;
  std::vector<std::weak_ptr<RangeClaim>> claims;
};

ClaimedRanges& claimed_ranges() {
  static ClaimedRanges claims;
  return claims;
}

std::uintptr_t begin_of(std::span<std::byte> bytes) {
  return reinterpret_cast<std::uintptr_t>(bytes.data());
}

bool are_equal(std::span<std::byte> a, std::span<std::byte> b) {
  return a.data() == b.data() && a.size() == b.size();
}

bool overlap(std::span<std::byte> a, std::span<std::byte> b) {
  return begin_of(a) < begin_of(b) + b.size() && begin_of(b) < begin_of(a) + a.size();
}

Result<> check_pages(std::span<std::byte> bytes) {
  const std::size_t page = os::page_bytes();
  const bool is_whole = !bytes.empty() && begin_of(bytes) % page == 0 && bytes.size() % page == 0 &&
                        begin_of(bytes) != 0 && begin_of(bytes) <= UINTPTR_MAX - bytes.size();
  if (is_whole) return {};
  return std::unexpected(Error(std::make_error_code(std::errc::invalid_argument),
                               "external memory has to begin at a page and to be whole pages, of " +
                                   std::to_string(page) + " bytes; take it from mmap(2)"));
}

}  // namespace

Result<std::shared_ptr<RangeClaim>> claim_range(std::span<std::byte> bytes) {
  if (auto checked = check_pages(bytes); !checked) return std::unexpected(checked.error());
  const std::scoped_lock only(claimed_ranges().mutex);
  auto& claims = claimed_ranges().claims;
  std::erase_if(claims, [](const auto& claim) { return claim.expired(); });
  for (const auto& other : claims) {
    auto claim = other.lock();
    if (!claim || !overlap(claim->bytes(), bytes)) continue;
    if (are_equal(claim->bytes(), bytes)) return claim;
    return std::unexpected(Error(std::make_error_code(std::errc::device_or_resource_busy),
                                 "a part of this external memory is that of another port; give "
                                 "both the same range, or ranges apart"));
  }
  auto claim = std::make_shared<RangeClaim>(bytes);
  claims.push_back(claim);
  return claim;
}

}  // namespace netmap
