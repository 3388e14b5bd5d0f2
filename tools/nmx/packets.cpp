// SPDX-License-Identifier: BSD-2-Clause
#include "packets.hpp"

#include <algorithm>
#include <cstring>

namespace nmx {

PacketSource::PacketSource(const PacketOptions& options, std::uint32_t flow, std::uint64_t seed)
    : options_(options),
      sweep_(options.sweep, seed),
      random_(seed),
      header_(options.source, options.destination),
      writer_(flow),
      next_size_(draw_size()),
      is_constant_(!options.numbered && options.shortest == options.longest &&
                   sweep_.is_constant()) {
  header_.set(sweep_.current(), next_size_);
}

std::uint32_t PacketSource::draw_size() {
  if (options_.shortest == options_.longest) return options_.longest;
  return random_.between(options_.shortest, options_.longest);
}

void PacketSource::begin() {
  const std::uint32_t size = next_size_;
  next_size_ = draw_size();
  done_ = 0;
  if (!sweep_.is_constant() || options_.shortest != options_.longest) {
    header_.set(sweep_.current(), size);
    sweep_.advance();
  }
  if (options_.numbered) writer_.begin(header_.bytes(), size);
}

void PacketSource::put(std::span<std::byte> into) {
  if (options_.numbered) return writer_.put(into);
  if (done_ < header_bytes) {
    const std::size_t part = std::min(into.size(), header_bytes - done_);
    std::memcpy(into.data(), header_.bytes().data() + done_, part);
    done_ += part;
    into = into.subspan(part);
  }
  std::ranges::fill(into, std::byte{0});
  done_ += into.size();
}

}  // namespace nmx
