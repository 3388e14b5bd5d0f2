// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/packets.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Packets, SlotsAreCountedUpToTheLargest) {
  EXPECT_EQ(nmx::slots_for(2048, 1, 2048), 1U);
  EXPECT_EQ(nmx::slots_for(2049, 1, 2048), 2U);
  EXPECT_EQ(nmx::slots_for(60, 3, 2048), 3U);
  EXPECT_EQ(nmx::slots_for(UINT32_MAX, 1, 2048), 1U << 21);
}

}  // namespace
