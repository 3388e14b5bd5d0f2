// SPDX-License-Identifier: BSD-2-Clause
//
// What nmx capture writes, read back by libpcap.
#include "nmx/pcapng.hpp"
#include "cli/domain.hpp"
#include "nmx/capture_file.hpp"
#include "nmx/capture_output.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>

namespace nmx {
namespace {

using nmx_test::Directory;
using pcapng::Blocks;
using pcapng::Way;
using std::chrono::nanoseconds;

std::vector<std::byte> packet_of(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(size + i);
  return bytes;
}

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.subspan(at).data(), sizeof word);
  return word;
}

/// The types of the blocks; throws if the lengths of one differ, or do not lead to the end.
std::vector<std::uint32_t> types(std::span<const std::byte> rest) {
  std::vector<std::uint32_t> found;
  while (!rest.empty()) {
    const std::uint32_t length = word_at(rest, 4);
    if (length % 4 != 0 || length > rest.size() || word_at(rest, length - 4) != length) {
      throw std::runtime_error("a block's length is wrong");
    }
    found.push_back(word_at(rest, 0));
    rest = rest.subspan(length);
  }
  return found;
}

/// Of if_tsresol's value: behind its code and length.
std::size_t position_of_resolution(std::span<const std::byte> bytes) {
  std::size_t at = 0;
  while (word_at(bytes, at) != (9U | 1U << 16)) at += 4;
  return at + 4;
}

class Pcapng : public testing::Test {
 protected:
  Pcapng() {
    blocks_.begin("test", {.name = "x{1", .description = "", .filter = "ip", .snaplen = 262'144});
  }
  [[nodiscard]] std::string write() {
    auto output = CaptureOutput::open(path());
    EXPECT_TRUE(output && output->write(blocks_.bytes()));
    return path();
  }
  [[nodiscard]] std::string path() const { return directory_.path() + "/out"; }

  Blocks blocks_;

 private:
  Directory directory_{"/dev/shm"};
};

TEST_F(Pcapng, IsReadBackToTheByteAndNanosecond) {
  const std::vector<std::size_t> sizes{0, 1, 2, 3, 4, 60, 61, 9000};
  const nanoseconds first{1'700'000'000'123'456'789};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    blocks_.add(pcapng::Time(first + nanoseconds(i)), packet_of(sizes[i]),
                static_cast<std::uint32_t>(sizes[i] + i), Way::inbound);
  }
  blocks_.end({.start = pcapng::Time(first), .end = pcapng::Time(first), .dropped = 3});
  auto file = CaptureFile::open(write());
  ASSERT_TRUE(file) << file.error().message();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto packet = file->next();
    ASSERT_TRUE(packet && *packet) << sizes[i];
    EXPECT_TRUE(std::ranges::equal((*packet)->bytes, packet_of(sizes[i]))) << sizes[i];
    EXPECT_EQ((*packet)->size, sizes[i] + i);
    EXPECT_EQ((*packet)->time, first + nanoseconds(i));
  }
  const auto end = file->next();
  EXPECT_TRUE(end && !*end);
}

TEST_F(Pcapng, ATimeThatCannotBeCountedIsTheLatest) {
  constexpr std::byte seconds{0};
  blocks_.add(pcapng::Time(nanoseconds(INT64_MAX)), packet_of(60), 60, Way::inbound);
  const std::string name = write();
  std::fstream bytes(name, std::ios::binary | std::ios::in | std::ios::out);
  const auto resolution = position_of_resolution(blocks_.bytes());
  bytes.seekp(static_cast<std::streamoff>(resolution)).put(static_cast<char>(seconds));
  bytes.close();
  auto file = CaptureFile::open(name);
  ASSERT_TRUE(file);
  const auto packet = file->next();
  ASSERT_TRUE(packet && *packet);
  EXPECT_EQ((*packet)->time, std::chrono::seconds(9'000'000'000));
}

TEST_F(Pcapng, HasTheBlocksOfOneInterface) {
  blocks_.add({}, packet_of(60), 60, Way::outbound);
  blocks_.end({.start = {}, .end = {}});
  EXPECT_THAT(types(blocks_.bytes()), testing::ElementsAre(0x0A0D0D0A, 1, 6, 5));
}

TEST_F(Pcapng, LeavesOutAFilterThatIsLongerThanAnOption) {
  for (const std::size_t size : {65'534U, 65'535U}) {
    Blocks blocks;
    blocks.begin("test", {.name = "", .description = "", .filter = std::string(size, ' ')});
    EXPECT_THAT(types(blocks.bytes()), testing::ElementsAre(0x0A0D0D0A, 1));
    EXPECT_EQ(blocks.bytes().size() > size, size == 65'534);
  }
}

TEST_F(Pcapng, SaysWhichWayAPacketWent) {
  for (const Way way : {Way::inbound, Way::outbound}) {
    blocks_.clear();
    blocks_.add({}, packet_of(60), 60, way);
    const auto block = blocks_.bytes();  // ends with the flags, the end of options and the length
    EXPECT_EQ(word_at(block, block.size() - 16), 2 | 4 << 16);
    EXPECT_EQ(word_at(block, block.size() - 12), static_cast<std::uint32_t>(way));
  }
}

TEST_F(Pcapng, ADamageIsAnErrorAfterWhatIsWhole) {
  blocks_.add({}, packet_of(60), 60, Way::inbound);
  blocks_.add({}, packet_of(60), 60, Way::inbound);
  auto output = CaptureOutput::open(path());
  ASSERT_TRUE(output && output->write(blocks_.bytes().first(blocks_.bytes().size() - 1)));
  auto file = CaptureFile::open(path());
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->next().value());
  const auto damaged = file->next();
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error(), netmap::errc::capture_damaged);
}

}  // namespace
}  // namespace nmx
