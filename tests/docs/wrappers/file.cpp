// SPDX-License-Identifier: BSD-2-Clause
// Functions, beside each other.
#include <netmap/netmap.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

//: here
