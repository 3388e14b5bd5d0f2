// SPDX-License-Identifier: BSD-2-Clause
//
// A region of the embedded device (made and mapped in region.cpp) and the allocator of its pools
// (memory.cpp). Objects that are not in use cost no memory; those in use have it reserved, so that
// a full file system is an error here and never a fault later. External memory is reserved whole.
// All but the accessors are called under the domain's lock.
#pragma once

#include "device/device.hpp"
#include "device/embedded/domain.hpp"
#include "device/embedded/pools.hpp"
#include "device/external_file.hpp"

#include <algorithm>
#include <bitset>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace netmap::embedded {

class Memory {
 public:
  /// The region of a memory id, made if it does not exist. There is one Memory, and one mapping,
  /// per region in a process.
  [[nodiscard]] static Result<std::shared_ptr<Memory>> of(Domain& domain, std::uint16_t memory_id);
  /// The same, of a memory id that somebody uses as long as this takes. Needs no lock.
  [[nodiscard]] static Result<std::shared_ptr<Memory>> existing(const Domain& domain,
                                                                std::uint16_t memory_id);
  /// As of(), for a memory id that nobody uses: the region is external memory. `bytes`, whole pages
  /// of the caller's, become a mapping of the domain's file, with what they hold; when the last
  /// port of this process over them is closed, they are memory of the process again, with what they
  /// hold then. `wanted` is what divide() takes.
  [[nodiscard]] static Result<std::shared_ptr<Memory>> over(Domain& domain, std::uint16_t memory_id,
                                                            std::span<std::byte> bytes,
                                                            const abi::nmreq_pools_info& wanted);
  /// As over(), but the memory is all of a file, mapped wherever there is room.
  [[nodiscard]] static Result<std::shared_ptr<Memory>> in(Domain& domain, std::uint16_t memory_id,
                                                          ExternalFile file,
                                                          abi::nmreq_pools_info wanted);
  /// The region of this process that lies over exactly these bytes, or null.
  [[nodiscard]] static std::shared_ptr<Memory> find(const Domain& domain,
                                                    std::span<std::byte> bytes);
  /// Whether the region is that file.
  [[nodiscard]] bool is_in(const os::FileStatus& file) const noexcept;
  /// The memory id whose region a file of that name is, if it is one.
  [[nodiscard]] static std::optional<std::uint16_t> id_of(std::string_view file);

  Memory(std::shared_ptr<Region> region, os::Mapping state, const Pools& pools,
         std::uint16_t memory_id, std::string name);

  [[nodiscard]] const std::shared_ptr<Region>& region() const noexcept { return region_; }
  [[nodiscard]] std::uint16_t id() const noexcept { return memory_id_; }
  [[nodiscard]] const Pools& pools() const noexcept { return pools_; }
  /// The length of a slot whose packet fills its buffer.
  [[nodiscard]] std::uint16_t whole_buffer() const noexcept {
    return static_cast<std::uint16_t>(
        std::min<std::uint32_t>(pools_.buffers.object_bytes, UINT16_MAX));
  }
  [[nodiscard]] abi::netmap_if& interface(std::uint32_t object) const noexcept {
    return *at<abi::netmap_if>(pools_.interfaces.at(object));
  }
  [[nodiscard]] abi::netmap_ring& ring(std::uint32_t object) const noexcept {
    return *at<abi::netmap_ring>(pools_.rings.at(object) + ring_in_object);
  }
  [[nodiscard]] RingWords& words(std::uint32_t object) const noexcept {
    return *at<RingWords>(pools_.rings.at(object));
  }

  /// One that can list as many rings.
  [[nodiscard]] Result<std::uint32_t> take_interface(std::uint32_t rings);
  /// This and those below ignore what there is not: numbers come from memory that others can write.
  void give_back_interface(std::uint32_t object);

  /// `count` objects in a row, room for `slots` in each; yields the first.
  [[nodiscard]] Result<std::uint32_t> take_rings(std::uint32_t count, std::uint32_t slots);
  void give_back_rings(std::uint32_t first, std::uint32_t count);

  [[nodiscard]] Result<std::vector<std::uint32_t>> take_buffers(std::uint32_t count);
  void give_back_buffer(std::uint32_t index);

  /// How many buffers the region will have while an interface is open in it: those in use and
  /// `count` more, and if there is room for them twice as many again, for other ports and what the
  /// dead had; but not less than 32 MiB. All of them are reserved.
  [[nodiscard]] Result<std::uint32_t> fix_buffers(std::uint32_t count);
  /// The region grows again.
  void let_grow() noexcept { state_->buffer_limit = 0; }

  /// Links up to `count` fresh buffers into netmap's list of extra buffers; yields the first and
  /// how many there are.
  struct BufferList {
    std::uint32_t first;
    std::uint32_t count;
  };
  [[nodiscard]] BufferList take_buffer_list(std::uint32_t count);
  void give_back_buffer_list(std::uint32_t first);

  /// What records name.
  struct Objects {
    std::bitset<interface_pool.objects> interfaces;
    std::bitset<ring_pool.objects> rings;
  };
  /// Gives back all interfaces and rings but these.
  void keep_only(const Objects& named) noexcept;

  /// The number of the recount that runs, 0 if none does; see recount.hpp. Needs no lock.
  [[nodiscard]] std::uint32_t recount() const noexcept;
  /// Somebody has the buffer, whatever index that is. Needs no lock.
  void mark(std::uint32_t index) noexcept;
  /// If one runs, there will be another after it.
  void start_recount() noexcept;
  /// Ends the one that runs, without a result; renew_recount() makes up for it.
  void put_off_recount() noexcept;
  /// If one runs or was put off, it starts anew.
  void renew_recount() noexcept;
  /// Frees what nobody marked.
  void finish_recount() noexcept;

 private:
  template <class T>
  [[nodiscard]] T* at(std::uint64_t offset) const noexcept {
    return reinterpret_cast<T*>(region_->bytes().data() + offset);
  }
  [[nodiscard]] std::uint32_t& link(std::uint32_t buffer) const noexcept {
    return *at<std::uint32_t>(pools_.buffers.at(buffer));
  }
  [[nodiscard]] Result<> reserve(std::uint64_t offset, std::uint64_t bytes);
  /// Buffers that may be taken, or are.
  [[nodiscard]] std::uint32_t buffer_end() const noexcept;

  std::shared_ptr<Region> region_;
  os::Mapping state_mapping_;
  RegionState* state_;
  Pools pools_;  ///< checked, whatever others write where they came from
  std::uint16_t memory_id_;
  std::string name_;
};

}  // namespace netmap::embedded
