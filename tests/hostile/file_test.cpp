// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever lies in a domain's directory instead of what should: an open says so in a sentence, or
// does without, and does not wait for longer than a stopped process is waited for.
#include "embedded/support.hpp"
#include "hostile/records.hpp"

#include "device/embedded/state.hpp"

#include <csignal>
#include <filesystem>
#include <functional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace netmap::embedded {
namespace {

namespace fs = std::filesystem;

class DamagedFile : public InDomain {
 protected:
  [[nodiscard]] std::string file(const std::string& name) const { return path() + '/' + name; }

  /// Expects a refusal that names the domain and holds `part`.
  void expect_refused(const std::string& part, const PortOptions& options = {}) {
    const auto port = try_open("x{1", options);
    ASSERT_FALSE(port) << part;
    EXPECT_NE(message_of(port).find(path()), std::string::npos) << message_of(port);
    EXPECT_NE(message_of(port).find(part), std::string::npos) << message_of(port);
    EXPECT_EQ(message_of(port).find('\n'), std::string::npos) << "one sentence";
  }
  /// Another process that keeps an end of the pipe, and so the region, open.
  [[nodiscard]] Process start_user() {
    Process user([this] {
      const auto port = open("x}1");
      return ::pause() == 0;
    });
    EXPECT_TRUE(await([&] { return files().contains("mem2") && try_open("x{1").has_value(); }));
    return user;
  }
};

/// Sizes that no file of `bytes` may have.
std::vector<std::uintmax_t> wrong_sizes(std::uintmax_t bytes) {
  return {1, 7, 4095, 4096, bytes / 2, bytes - 4096, bytes - 1, bytes + 1, bytes + 4096};
}

TEST_F(DamagedFile, OfADomainIsRefusedByItsSize) {
  for (const std::uintmax_t size : wrong_sizes(sizeof(DomainState))) {
    SCOPED_TRACE(size);
    fs::remove(file("domain"));
    (void)open("x{1");
    fs::resize_file(file("domain"), size);
    expect_refused("damaged");
  }
  fs::resize_file(file("domain"), 0);
  EXPECT_TRUE(try_open("x{1")) << "an empty one is a new one";
}

TEST_F(DamagedFile, OfARegionIsRefusedByItsSize) {
  auto sizes = wrong_sizes(region_bytes + sizeof(RegionState));
  sizes.push_back(0);
  for (const std::uintmax_t size : sizes) {
    SCOPED_TRACE(size);
    Process user = start_user();
    fs::resize_file(file("mem2"), size);
    EXPECT_EQ(code_of(try_open("x{1")), errc::region_damaged);
    user.kill();
    fs::remove(file("mem2"));
    fs::remove(file("domain"));
  }
}

/// Whoever maps the region anew believes none of these words.
TEST_F(DamagedFile, OfARegionMayDivideItAnyhow) {
  const Process user = start_user();
  const SharedFiles shared(path(), 2);
  RegionState& region = shared.pools();
  const Pools sound = region.pools;
  std::size_t refused = 0;
  for (PoolGeometry Pools::* const pool : {&Pools::interfaces, &Pools::rings, &Pools::buffers}) {
    for (const std::uint64_t value : edges()) {
      for (int word = 0; word != 3; ++word) {
        SCOPED_TRACE(testing::Message() << "word " << word << " is " << value);
        PoolGeometry& place = region.pools.*pool;
        if (word == 0) place.offset = value;
        if (word == 1) place.objects = static_cast<std::uint32_t>(value);
        if (word == 2) place.object_bytes = static_cast<std::uint32_t>(value);
        auto port = try_open("x{1", {.extra_buffers = 3});
        if (!port) {
          EXPECT_GT(message_of(port).size(), 10U);
          ++refused;
        } else {
          (void)send_number(port->tx_rings()[0], 1);
          (void)port->sync_tx();
          (void)port->sync_rx();
        }
        region.pools = sound;
      }
    }
  }
  EXPECT_GT(refused, 60U);
  EXPECT_TRUE(try_open("x{1"));
}

TEST_F(DamagedFile, OfARegionMayNameAnyFile) {
  const Process user = start_user();
  const SharedFiles shared(path(), 2);
  RegionState& region = shared.pools();
  for (const std::string& name : {std::string("/dev/null"), path() + "/domain", path() + "/0.rx",
                                  path(), path() + "/none", std::string(4095, 'n')}) {
    name.copy(region.file, sizeof region.file);
    expect_refused("");
    std::ranges::fill(region.file, '\0');
  }
  std::ranges::fill(region.file, 'x');
  expect_refused("");
}

TEST_F(DamagedFile, OfAnotherKindIsRefusedOrReplaced) {
  const std::function<void(const std::string&)> kinds[]{
      [](const std::string& name) { fs::create_directory(name); },
      [](const std::string& name) { fs::create_symlink("elsewhere", name); },
      [](const std::string& name) { fs::create_symlink("/dev/null", name); },
      [](const std::string& name) { ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0); }};
  for (const auto& make : kinds) {
    fs::remove(file("domain"));
    make(file("domain"));
    expect_refused("");
    fs::remove(file("domain"));
    make(file("mem1"));
    if (!fs::is_directory(file("mem1"))) {
      EXPECT_TRUE(try_open("x{1", {.memory_id = 1})) << "nobody needed it";
    } else {
      expect_refused("mem1", {.memory_id = 1});
      fs::remove(file("mem1"));
    }
  }
  EXPECT_FALSE(fs::exists(file("elsewhere")));
  EXPECT_TRUE(try_open("x{1"));
}

TEST_F(DamagedFile, OfTheLockIsRefused) {
  fs::create_directory(file("lock"));
  expect_refused("lock");
  fs::remove(file("lock"));
  fs::create_symlink("elsewhere", file("lock"));
  expect_refused("lock");
}

TEST_F(DamagedFile, OfABellIsReplacedOrRefused) {
  fs::create_symlink("elsewhere", file("0.rx"));
  fs::create_directory(file("0.tx"));
  expect_refused("0.tx");
  fs::remove(file("0.tx"));
  EXPECT_TRUE(try_open("x{1"));
}

TEST_F(DamagedFile, OfOtherLayoutOrMagicIsRefused) {
  (void)open("x{1");
  const auto write = [this](std::uint64_t offset, std::uint32_t value) {
    const int fd = ::open(file("domain").c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::pwrite(fd, &value, sizeof value, static_cast<off_t>(offset)), 4);
    ::close(fd);
  };
  write(offsetof(FileHeader, version), layout_version + 1);
  expect_refused("layout");
  write(offsetof(FileHeader, magic), 1);
  expect_refused("damaged");
}

TEST_F(DamagedFile, OfADirectoryThatOthersCanEnterIsRefused) {
  fs::permissions(path(), fs::perms::group_read, fs::perm_options::add);
  expect_refused("others have rights");
}

TEST_F(DamagedFile, ADomainOfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  ASSERT_EQ(::chown(path().c_str(), 1, 1), 0);
  expect_refused("belongs to user 1");
}

/// The holder of the lock is stopped in the middle of an open.
TEST_F(DamagedFile, ALockIsNotWaitedForForEver) {
  (void)open("x{1");
  const auto port = open("y{1");
  Shared<std::atomic<bool>> is_held;
  Process holder([&] {
    const int fd = ::open(file("lock").c_str(), O_RDWR | O_CLOEXEC);
    *is_held = ::flock(fd, LOCK_EX) == 0;
    return ::raise(SIGSTOP) == 0;
  });
  ASSERT_TRUE(await([&] { return is_held->load(); }));
  expect_refused("has been locked for seconds by the process that 'fuser ");  // it has not said
  holder.kill();
  EXPECT_TRUE(try_open("x{1"));
}

}  // namespace
}  // namespace netmap::embedded
