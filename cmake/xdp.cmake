# SPDX-License-Identifier: BSD-2-Clause
# Network interfaces without the module: AF_XDP, whose programs are loaded by libbpf. Sets xdp_found,
# bpf_headers and bpf_library.
set(xdp_found OFF)
if(NETMAPXX_XDP AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  find_path(bpf_headers bpf/bpf.h)
  find_library(bpf_library bpf)
  if(bpf_headers AND bpf_library)
    set(xdp_found ON)
  else()
    message(STATUS "netmapxx's embedded device has no interfaces, for want of libbpf")
  endif()
endif()
