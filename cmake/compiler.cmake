# SPDX-License-Identifier: BSD-2-Clause
# Which compilers can build netmapxx, and how it is compiled here. None of it reaches users.

set(compiler "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
if(NOT (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
   AND NOT (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19))
  message(FATAL_ERROR "netmapxx is C++23: it needs g++ 12 or clang 19 or later, and found "
                      "${compiler}. Name another with -DCMAKE_CXX_COMPILER=…")
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_COMPILE_WARNING_AS_ERROR ${NETMAPXX_WERROR})
add_compile_options(-Wall -Wextra -Wpedantic -Wconversion)
if(NOT CMAKE_UNITY_BUILD)  # where each file shadows what those before it name
  add_compile_options(-Wshadow)
endif()
# Without -O2, g++ takes the inside of an empty std::optional for a value that is used.
add_compile_options($<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Debug>>:-Wno-maybe-uninitialized>)
