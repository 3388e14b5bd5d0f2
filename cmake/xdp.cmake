# SPDX-License-Identifier: BSD-2-Clause
# Network interfaces without the module: AF_XDP, whose programs are loaded by libbpf. Sets xdp_found,
# bpf_headers and bpf_library.
set(xdp_found OFF)
if(NETMAPXX_XDP AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  find_path(bpf_headers bpf/libbpf_version.h)
  find_library(bpf_library bpf)
  if(bpf_headers AND bpf_library)  # before 1.0 its calls do not yield what went wrong
    file(STRINGS ${bpf_headers}/bpf/libbpf_version.h xdp_found REGEX "LIBBPF_MAJOR_VERSION [1-9]")
  endif()
  if(xdp_found)
    set(xdp_found ON)
  else()
    message(STATUS "netmapxx's embedded device has no interfaces, for want of libbpf 1.0")
  endif()
endif()
