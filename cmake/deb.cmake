# SPDX-License-Identifier: BSD-2-Clause
# Debian packages, by cpack from a build with BUILD_SHARED_LIBS and the prefix /usr: the library, what
# programs are built with, and nmx. Each brings its licence and changelog, as Debian's policy has it.
set(library_package libnetmapxx${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})  # as its SONAME
set(release 1)
set(same_version "${library_package} (= ${PROJECT_VERSION}-${release})")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR netmapxx)
set(CPACK_PACKAGE_CONTACT "netmapxx developers <netmapxx@packages.invalid>" CACHE STRING "Maintainer of the Debian packages")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  ${PROJECT_BINARY_DIR}/debian/shlibs ${PROJECT_SOURCE_DIR}/packaging/debian/triggers)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"netmap ports in C++23, shared library
netmap moves packets between a program and a network card, a virtual switch or
another program through rings in shared memory. netmapxx opens such ports on
the netmap kernel module and, where there is none, on a netmap of its own in
user space that needs neither a module nor privileges.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libnetmapxx-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ${same_version})
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libasio-dev (>= 1:1.22), libboost-dev (>= 1.81)")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"netmap ports in C++23, development files
The headers of netmapxx, a C++23 library for netmap ports with and without the
kernel module, and what CMake and pkg-config need to build programs with it.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME netmapxx-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS ${same_version})
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"netmap ports on the command line
nmx generates, receives, measures and forwards packets on netmap ports, with
and without the kernel module, and runs programs that were written for netmap
where there is none.")

# document COMPONENT PACKAGE: what the default installation does without.
function(document component package)
  install(FILES ${PROJECT_BINARY_DIR}/debian/copyright ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/debian/${component}.lintian-overrides
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${package}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(packaging/debian/changelog.in debian/changelog.Debian @ONLY)
execute_process(COMMAND gzip -9fn ${PROJECT_BINARY_DIR}/debian/changelog.Debian)
file(READ LICENSE licence)
string(REGEX REPLACE "^.*\n(Redistribution)" "\\1" licence "${licence}")
string(REGEX REPLACE "\n\n" "\n.\n" licence "${licence}")
string(REGEX REPLACE "\n(.)" "\n \\1" licence " ${licence}")
configure_file(packaging/debian/shlibs.in debian/shlibs @ONLY)
configure_file(packaging/debian/copyright.in debian/copyright @ONLY)

document(runtime ${library_package})
document(dev libnetmapxx-dev)
document(tools netmapxx-tools)
include(CPack)
