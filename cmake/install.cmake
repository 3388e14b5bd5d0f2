# SPDX-License-Identifier: BSD-2-Clause
# What a user of an installed netmapxx needs: find_package(netmapxx), or pkg-config netmapxx.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/netmapxx)

# Components: runtime, what a program needs to run; dev, to be built; tools, nmx.
install(TARGETS netmap netmap_asio netmap_boost_asio EXPORT netmapxx
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev
  ARCHIVE COMPONENT dev
  FILE_SET HEADERS COMPONENT dev)
install(EXPORT netmapxx
  DESTINATION ${package_dir} NAMESPACE netmap:: FILE netmapxx-config.cmake COMPONENT dev)

set(version_file ${PROJECT_BINARY_DIR}/netmapxx-config-version.cmake)
write_basic_package_version_file(${version_file} COMPATIBILITY SameMinorVersion)
install(FILES ${version_file} DESTINATION ${package_dir} COMPONENT dev)

# Relative to the file itself, so that the tree may be installed to, or moved to, any prefix.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_to_prefix /${pc_dir} /)
if(NETMAPXX_CHECKED)
  set(pc_cflags -DNETMAP_CHECKED=1)
endif()
if(pcap_found AND NOT BUILD_SHARED_LIBS)
  string(APPEND pc_libs " -lpcap")
endif()
if(xdp_found AND NOT BUILD_SHARED_LIBS)
  string(APPEND pc_libs " -lbpf")
endif()
configure_file(cmake/netmapxx.pc.in netmapxx.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/netmapxx.pc DESTINATION ${pc_dir} COMPONENT dev)
