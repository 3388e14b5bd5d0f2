// SPDX-License-Identifier: BSD-2-Clause
#include "packets.hpp"

#include <algorithm>
#include <cstring>

namespace nmx {

PacketSource::PacketSource(const PacketOptions& options, std::uint32_t flow, std::uint64_t seed)
    : options_(options),
      sweep_(options.sweep, seed),
      random_(seed),
      header_(options.source, options.destination, options.headers),
      writer_(flow),
      next_size_(draw_size()) {
  header_.set(sweep_.current(), next_size_);
  if (options.numbered || !has_one_size() || !sweep_.is_constant()) return;
  repeated_.resize(next_size_);
  begin();
  put(repeated_);
}

std::uint32_t PacketSource::draw_size() {
  if (options_.is_mix) {
    const auto headers = static_cast<std::uint32_t>(header_.bytes().size());
    return std::max(imix[mixed_++ % imix.size()], headers);
  }
  if (options_.shortest == options_.longest) return options_.longest;
  return random_.between(options_.shortest, options_.longest);
}

void PacketSource::begin() {
  const std::uint32_t size = next_size_;
  next_size_ = draw_size();
  done_ = 0;
  if (!sweep_.is_constant() || !has_one_size()) {
    header_.set(sweep_.current(), size);
    sweep_.advance();
  }
  if (options_.numbered) writer_.begin(header_.bytes().first<header_bytes>(), size);
}

std::span<std::byte> PacketSource::copy(std::span<const std::byte> from,
                                        std::span<std::byte> into) {
  if (done_ >= from.size()) return into;
  const std::size_t part = std::min(into.size(), from.size() - done_);
  std::memcpy(into.data(), from.data() + done_, part);
  done_ += part;
  return into.subspan(part);
}

void PacketSource::put(std::span<std::byte> into) {
  if (options_.numbered) return writer_.put(into);
  into = copy(options_.frame.empty() ? header_.bytes() : options_.frame, into);
  std::ranges::fill(into, std::byte{0});
  done_ += into.size();
}

}  // namespace nmx
