// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever does not balance is noticed, and named.
#include "soak/accounts.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace netmap::soak {
namespace {

using testing::HasSubstr;

const Figures first{.published = 5,
                    .received = 5,
                    .buffers = 100,
                    .rings = 8,
                    .interfaces = 4,
                    .files = {{"domain", 4096}, {"lock", 0}, {"mem2", 8192}},
                    .descriptors = 20,
                    .old_fifos = 3,
                    .memory = 1 << 20};

void expect_noticed(const std::function<void(Figures&)>& change, const char* word) {
  Figures now = first;
  change(now);
  const auto imbalance = find_imbalance(first, now);
  ASSERT_TRUE(imbalance) << word;
  EXPECT_THAT(*imbalance, HasSubstr(word));
}

TEST(Accounts, OfEqualFiguresBalance) {
  EXPECT_FALSE(find_imbalance(first, first));
  Figures now = first;
  now.published = now.received = 1'000'000;
  now.old_fifos += 10;
  now.memory += memory_tolerance;
  EXPECT_FALSE(find_imbalance(first, now));
}

TEST(Accounts, NameWhatDoesNotBalance) {
  expect_noticed([](Figures& now) { ++now.published; }, "published");
  expect_noticed([](Figures& now) { ++now.received; }, "received");
  expect_noticed([](Figures& now) { ++now.buffers; }, "buffers");
  expect_noticed([](Figures& now) { --now.buffers; }, "buffers");
  expect_noticed([](Figures& now) { ++now.rings; }, "rings");
  expect_noticed([](Figures& now) { ++now.interfaces; }, "interfaces");
  expect_noticed([](Figures& now) { now.files["mem2"] += 4096; }, "mem2");
  expect_noticed([](Figures& now) { now.files["7.rx"] = 0; }, "7.rx");
  expect_noticed([](Figures& now) { now.files.erase("lock"); }, "file");
  expect_noticed([](Figures& now) { ++now.descriptors; }, "descriptors");
  expect_noticed([](Figures& now) { now.old_fifos = most_old_fifos + 1; }, "FIFOs");
  expect_noticed([](Figures& now) { now.memory += memory_tolerance + 1; }, "memory");
}

}  // namespace
}  // namespace netmap::soak
