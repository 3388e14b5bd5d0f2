// SPDX-License-Identifier: BSD-2-Clause
//
// A checker that finds nothing wrong is worth nothing before it has found something wrong.
#include "conformance/ethernet.hpp"
#include "conformance/tally.hpp"

namespace netmap::conformance {
namespace {

TEST(NumberedPackets, AnyDamagedByteIsFound) {
  const auto sound = numbered(0xfffffff0);
  EXPECT_EQ(number_of(sound), 0xfffffff0);
  for (std::size_t i = 0; i != sound.size(); ++i) {
    auto damaged = sound;
    damaged[i] ^= std::byte{1};
    EXPECT_NE(number_of(damaged), number_of(sound)) << "byte " << i;
  }
  EXPECT_FALSE(number_of(std::span<const std::byte>()));
}

TEST(Tally, CountsEachAnswerOfEachDevice) {
  Tally tally;
  tally.add("a", "Suite", "One", "");
  tally.add("a", "Suite", "Two", "");
  tally.add("a", "Suite", "Three", "it cannot");
  tally.skip("b");
  EXPECT_EQ(tally.lines(),
            "conformance a: 2 run, 1 refused, 0 skipped\n"
            "conformance b: 0 run, 0 refused, 1 skipped\n");
}

TEST(Tally, PutsWhatIsRefusedBesideTheReason) {
  Tally tally;
  for (const char* device : {"kernel", "embedded"}) tally.add(device, "Pipes", "Work", "");
  tally.add("kernel", "Pipes", "Fly", "");
  tally.add("embedded", "Pipes", "Fly", "they have no wings");
  EXPECT_EQ(tally.table(),
            "| suite | module | embedded | refused |\n| --- | ---: | ---: | ---: |\n"
            "| Pipes | 2 | 1 | 1 |\n"
            "\n| refused by the embedded device | it says |\n| --- | --- |\n"
            "| `Pipes.Fly` | they have no wings |\n");
}

TEST(Children, ReportWhetherTheySucceeded) {
  EXPECT_TRUE(Child([] { return true; }).succeeded());
  EXPECT_FALSE(Child([] { return false; }).succeeded());
  EXPECT_FALSE(
      Child([] { return must(Result<bool>(std::unexpected(Error(errc::bad_name)))); }).succeeded());
}

TEST(Frames, AreToldFromOtherTrafficAndFromDamagedOnes) {
  const auto ours = frame(7, 1);
  EXPECT_EQ(number_in_frame(ours), 7U);
  for (const std::size_t byte : {12U, 13U, 14U, 59U}) {
    auto other = ours;
    other[byte] ^= std::byte{1};
    EXPECT_NE(number_in_frame(other), 7U) << byte;
  }
  EXPECT_FALSE(number_in_frame(std::span(ours).first(10)));
}

}  // namespace
}  // namespace netmap::conformance
