// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/external.hpp"

#include "device/embedded/recount.hpp"
#include "device/embedded/requests.hpp"

#include <cstdint>

namespace netmap::embedded {
namespace {

std::shared_ptr<Memory> find_file(Domain& domain, const os::FileStatus& file) {
  for (const std::uint16_t memory_id : used_memories(domain.state())) {
    auto memory = Memory::of(domain, memory_id);
    if (memory && (*memory)->is_in(file)) return *memory;
  }
  return nullptr;
}

Result<std::shared_ptr<Memory>> memory_in(Domain& domain, const std::string& path,
                                          const abi::nmreq_pools_info& wanted) {
  auto file = open_external_file(path);
  if (!file) return std::unexpected(file.error());
  if (auto known = find_file(domain, file->status)) return known;
  return Memory::in(domain, unused_memory(domain.state()), std::move(*file), wanted);
}

Result<std::shared_ptr<Memory>> memory_over(Domain& domain, std::span<std::byte> bytes,
                                            const abi::nmreq_pools_info& wanted) {
  if (auto known = Memory::find(domain, bytes)) return known;
  return Memory::over(domain, unused_memory(domain.state()), bytes, wanted);
}

}  // namespace

Result<std::shared_ptr<Memory>> external_memory(Domain& domain, abi::nmreq_opt_extmem& asked,
                                                const std::string& file) {
  auto* const base = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(asked.nro_usrptr));
  auto memory = file.empty()
                    ? memory_over(domain, {base, asked.nro_info.nr_memsize}, asked.nro_info)
                    : memory_in(domain, file, asked.nro_info);
  if (!memory) {
    asked.nro_opt.nro_status = static_cast<std::uint32_t>(memory.error().code().value());
    return memory;
  }
  asked.nro_opt.nro_status = 0;
  asked.nro_info =
      describe((*memory)->pools(), (*memory)->region()->bytes().size(), (*memory)->id());
  return memory;
}

}  // namespace netmap::embedded
