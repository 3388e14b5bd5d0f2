# SPDX-License-Identifier: BSD-2-Clause
# Captures are read and written by libpcap, the only library that netmapxx itself may need. Sets
# pcap_found, pcap_headers and pcap_library.
set(pcap_found OFF)
if(NETMAPXX_PCAP)
  find_path(pcap_headers pcap/pcap.h)
  find_library(pcap_library pcap)
  if(pcap_headers AND pcap_library)
    set(pcap_found ON)
  else()
    message(STATUS "netmapxx has no pcap: ports, for want of libpcap")
  endif()
endif()
