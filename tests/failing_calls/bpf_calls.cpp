// SPDX-License-Identifier: BSD-2-Clause
//
// The system calls of XDP programs are in libbpf, where the linker does not come by: these stand
// for libbpf's functions, of which each makes one.
#include "failing_calls/calls.hpp"

#include <cstdint>

// NOLINTBEGIN: names and arguments are the linker's and libbpf's
using netmap::failing_calls::next;

#define WRAP_BPF(name, parameters, arguments)         \
  extern "C" int __real_##name parameters;            \
  extern "C" int __wrap_##name parameters {           \
    if (const int error = next(#name)) return -error; \
    return __real_##name arguments;                   \
  }

WRAP_BPF(bpf_map_create,
         (int type, const char* name, uint32_t key, uint32_t value, uint32_t most,
          const void* options),
         (type, name, key, value, most, options))
WRAP_BPF(bpf_prog_load,
         (int type, const char* name, const char* license, const void* first, size_t count,
          const void* options),
         (type, name, license, first, count, options))
WRAP_BPF(bpf_link_create, (int program, int target, int type, const void* options),
         (program, target, type, options))
WRAP_BPF(bpf_obj_get_info_by_fd, (int fd, void* info, uint32_t* size), (fd, info, size))
WRAP_BPF(bpf_link_get_fd_by_id, (uint32_t id), (id))
WRAP_BPF(bpf_map_get_fd_by_id, (uint32_t id), (id))
WRAP_BPF(bpf_map_update_elem, (int map, const void* key, const void* value, uint64_t flags),
         (map, key, value, flags))
WRAP_BPF(bpf_map_delete_elem, (int map, const void* key), (map, key))
// NOLINTEND
