// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/histogram.hpp"

#include "support/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace nmx {
namespace {

using Values = std::vector<std::uint64_t>;

constexpr std::uint32_t asked[] = {0, 1, 10, 500, 900, 990, 999, 1000};

/// Values of every size, many of them small.
Values some_values(std::uint64_t seed, std::size_t count) {
  netmap::test::Random random(seed);
  Values values(count);
  for (std::uint64_t& value : values) value = random.bits() >> random.below(64);
  return values;
}

Histogram histogram_of(const Values& values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.add(value);
  return histogram;
}

/// The least value that so many thousandths do not exceed, by its definition.
std::uint64_t exact(Values values, std::uint32_t thousandths) {
  std::ranges::sort(values);
  const std::size_t rank = (values.size() * thousandths + 999) / 1000;
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST(NmxHistogram, APercentileIsNeverTooLowAndHardlyTooHigh) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Values values = some_values(seed, 1 + seed * seed);
    const Histogram histogram = histogram_of(values);
    for (const std::uint32_t thousandths : asked) {
      const std::uint64_t truth = exact(values, thousandths);
      const std::uint64_t told = histogram.per_mille(thousandths);
      EXPECT_GE(told, truth) << seed << ' ' << thousandths;
      EXPECT_LE(told - truth, truth / 128) << seed << ' ' << thousandths;
    }
    EXPECT_EQ(histogram.count(), values.size());
    EXPECT_EQ(histogram.min(), std::ranges::min(values));
    EXPECT_EQ(histogram.max(), std::ranges::max(values));
    EXPECT_EQ(histogram.per_mille(1000), histogram.max());
  }
}

TEST(NmxHistogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 256; ++value) histogram.add(value);
  EXPECT_EQ(histogram.per_mille(500), 127);
  EXPECT_EQ(histogram.per_mille(999), 255);
  EXPECT_EQ(histogram.mean(), 127.5);
}

TEST(NmxHistogram, RanksAreRoundedUpAndNotByFloatingPoint) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.add(value);
  EXPECT_EQ(histogram.per_mille(290), 29);
  EXPECT_EQ(histogram.per_mille(990), 99);
  EXPECT_EQ(histogram.per_mille(991), 100);
  EXPECT_EQ(histogram.per_mille(0), 1);
}

TEST(NmxHistogram, TheWholeRangeOf64BitsHasItsPlace) {
  const Histogram histogram = histogram_of({0, UINT64_MAX});
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), UINT64_MAX);
  EXPECT_EQ(histogram.per_mille(500), 0);
  EXPECT_EQ(histogram.per_mille(501), UINT64_MAX);
}

TEST(NmxHistogram, WithoutValuesAllIsNothing) {
  Histogram empty;
  EXPECT_EQ(empty.count(), 0);
  EXPECT_EQ(empty.min(), 0);
  EXPECT_EQ(empty.max(), 0);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_EQ(empty.per_mille(500), 0);
  EXPECT_TRUE(empty.rows(10).empty());
  empty.merge({});
  EXPECT_EQ(empty.count(), 0);
}

TEST(NmxHistogram, MergingIsAddingAllValues) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Values values = some_values(seed, seed * 10);
    const Values more = some_values(seed + 1000, 50);
    Histogram merged = histogram_of(values);
    merged.merge(histogram_of(more));
    values.insert(values.end(), more.begin(), more.end());
    const Histogram together = histogram_of(values);
    EXPECT_EQ(merged.count(), together.count());
    EXPECT_EQ(merged.min(), together.min());
    EXPECT_EQ(merged.max(), together.max());
    EXPECT_DOUBLE_EQ(merged.mean(), together.mean());
    EXPECT_EQ(merged.rows(SIZE_MAX), together.rows(SIZE_MAX));
  }
}

TEST(NmxHistogram, MergingWithNothingChangesNothing) {
  Histogram histogram = histogram_of({7, 9});
  histogram.merge({});
  EXPECT_EQ(histogram.min(), 7);
  EXPECT_EQ(histogram.max(), 9);
  Histogram empty;
  empty.merge(histogram);
  EXPECT_EQ(empty.min(), 7);
  EXPECT_EQ(empty.rows(9), histogram.rows(9));
}

TEST(NmxHistogram, RowsHoldEachValueOnceAndAdjoin) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Values values = some_values(seed, 1 + seed * 3);
    for (const std::size_t most : {1U, 2U, 5U, 24U, 1000U}) {
      const auto rows = histogram_of(values).rows(most);
      ASSERT_FALSE(rows.empty());
      EXPECT_LE(rows.size(), most);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto [first, last, count] = rows[i];
        EXPECT_EQ(first, i == 0 ? first : rows[i - 1].last + 1);
        EXPECT_LE(first, last);
        EXPECT_EQ(count, std::ranges::count_if(
                             values, [&](std::uint64_t v) { return v >= first && v <= last; }))
            << seed << ' ' << most << ' ' << first;
      }
    }
  }
}

TEST(NmxHistogram, RowsAreAsNarrowAsTheirNumberAllows) {
  const Histogram histogram = histogram_of({1024, 2047, 4095});
  const std::vector<Histogram::Row> octaves{{1024, 2047, 2}, {2048, 4095, 1}};
  EXPECT_EQ(histogram.rows(2), octaves);
  EXPECT_EQ(histogram.rows(3), octaves);
  const std::vector<Histogram::Row> halves{
      {1024, 1535, 1}, {1536, 2047, 1}, {2048, 3071, 0}, {3072, 4095, 1}};
  EXPECT_EQ(histogram.rows(4), halves);
}

}  // namespace
}  // namespace nmx
