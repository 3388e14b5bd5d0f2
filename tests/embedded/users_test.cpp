// SPDX-License-Identifier: BSD-2-Clause
//
// Two users share a domain by a group, whatever their umasks: they meet there, and collect what the
// other left. Nobody else has anything of it.
#include "embedded/support.hpp"
#include "support/frames.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>

namespace netmap::embedded {
namespace {

struct Account {
  ::uid_t id;
  ::gid_t group;
  ::mode_t umask;
};
constexpr ::gid_t shared_group = 64000;
constexpr Account ann{64001, shared_group, 077};
constexpr Account ben{64002, shared_group, 0};
constexpr Account stranger{64003, 64003, 022};
constexpr std::array both_ways{std::pair{ann, ben}, std::pair{ben, ann}};

/// Of their own first group, as users are.
void become(const Account& user) {
  ::umask(user.umask);
  if (::setgroups(1, &user.group) != 0 || ::setresgid(user.id, user.id, user.id) != 0 ||
      ::setresuid(user.id, user.id, user.id) != 0) {
    throw std::runtime_error("cannot become user " + std::to_string(user.id));
  }
}

template <std::invocable Work>
Process as(const Account& user, Work work) {
  return Process([&] {
    become(user);
    return work();
  });
}

void give(const std::string& path, const Account& user, ::mode_t mode) {
  if (::chown(path.c_str(), user.id, shared_group) != 0 || ::chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("cannot give " + path + " away");
  }
}

/// In a domain that ann shares.
class Users : public InDomain {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become other users";
    give(path(), ann, 02770);
  }
  /// Whether a port is refused to `user`, with a sentence that says `why`.
  [[nodiscard]] bool is_told(const Account& user, const std::string& why) const {
    return as(user,
              [&] {
                const std::string told = message_of(try_open("x{1"));
                EXPECT_THAT(told, testing::HasSubstr(why));
                return !told.empty();
              })
        .succeeded();
  }
  [[nodiscard]] bool can_open(const Account& user) const {
    return as(user, [&] { return message_of(try_open("x{1")) == ""; }).succeeded();
  }
  void expect_files_of(::mode_t mode, ::gid_t group) const {
    for (const std::string& name : files()) {
      struct stat status{};
      ASSERT_EQ(::stat((path() + '/' + name).c_str(), &status), 0) << name;
      EXPECT_EQ(status.st_mode & 07777U, mode) << name;
      EXPECT_EQ(status.st_gid, group) << name;
    }
  }
};

// ---- Meeting ------------------------------------------------------------------------------------

TEST_F(Users, MeetOnAPipe) {
  constexpr std::uint64_t count = 20'000;
  for (const auto& [from, to] : both_ways) {
    Process sending = as(from, [&] {
      auto port = open("x{1");
      return send_all(port, count);
    });
    Process receiving = as(to, [&] {
      auto port = open("x}1");
      return receive_all(port, count);
    });
    EXPECT_TRUE(sending.succeeded());
    EXPECT_TRUE(receiving.succeeded());
  }
  EXPECT_EQ(files(), at_rest);
}

/// Both find nothing there, and one of them makes it.
TEST_F(Users, MayComeAtOnce) {
  for (int time = 0; time != 100; ++time) {
    for (const std::string& file : files()) std::filesystem::remove(path() + '/' + file);
    const auto opens = [this](const std::string& name) {
      return [this, name] {
        EXPECT_EQ(message_of(try_open(name)), "");
        return true;
      };
    };
    Process one = as(ann, opens("x{1"));
    Process other = as(ben, opens("x}1"));
    ASSERT_TRUE(one.succeeded());
    ASSERT_TRUE(other.succeeded());
  }
}

TEST_F(Users, MeetOnASwitch) {
  constexpr std::uint32_t count = 2000;
  for (const auto& [from, to] : both_ways) {
    Shared<std::atomic<bool>> is_open;
    Shared<std::atomic<std::uint32_t>> taken;
    Process receiving = as(to, [&] {
      auto port = open("vale0:to", small_rings);
      *is_open = true;
      while (*taken != count) {
        if (must(port.wait(Direction::rx, patience)).empty()) return false;
        port.rx_rings()[0].for_each([&](const Packet& packet) {
          const auto frame = test::frame_of(packet);
          EXPECT_TRUE(frame && (frame->number & 0xffff) == *taken);
          ++*taken;
        });
      }
      return true;
    });
    Process sending = as(from, [&] {
      if (!await([&] { return is_open->load(); })) return false;
      auto port = open("vale0:from", small_rings);
      for (std::uint32_t number = 0; number != count; ++number) {
        EXPECT_TRUE(test::send_frame(port.tx_rings()[0], {1, test::everybody, number}));
        must(port.sync_tx());
        if (!await([&] { return *taken == number + 1; })) return false;
      }
      return true;
    });
    EXPECT_TRUE(sending.succeeded());
    EXPECT_TRUE(receiving.succeeded());
  }
  EXPECT_EQ(files(), at_rest);
}

TEST_F(Users, MakeFilesForTheGroup) {
  Shared<std::atomic<int>> open_ends;
  const auto opens = [&](const std::string& end) {
    return [&, end] {
      const OwnMemory memory;
      const auto pipe = open("x" + end + "1");
      const auto port = open("vale0:" + std::string(end == "{" ? "a" : "b"));
      const auto external = open("y" + end + (end == "{" ? "1" : "2"),
                                 {.conf = small_rings.conf, .extmem = memory.range()});
      ++*open_ends;
      ::pause();
      return false;
    };
  };
  Process one = as(ann, opens("{"));
  Process other = as(ben, opens("}"));
  ASSERT_TRUE(await([&] { return *open_ends == 2; }));
  EXPECT_GE(files().size(), 2U + 5U + 6U * 3U);
  expect_files_of(0660, shared_group);
}

TEST_F(Users, AloneMakeFilesForThemselves) {
  give(path(), ben, 0700);
  Shared<std::atomic<bool>> is_open;
  Process other = as(ben, [&] {
    const auto port = open("x{1");
    *is_open = true;
    ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
  EXPECT_GE(files().size(), 6U);
  expect_files_of(0600, ben.id);
}

// ---- Death --------------------------------------------------------------------------------------

/// Sends for ever.
bool send_numbers_on(Port port) {
  for (std::uint64_t next = 0;;) {
    const std::uint64_t before = next;
    next = send_numbers(port.tx_rings()[0], next, next + 5);
    must(port.sync_tx());
    if (next == before && must(port.wait(Direction::tx, patience)).empty()) return false;
  }
}

TEST_F(Users, TakeOverThePipeOfOneWhoWasKilled) {
  Random random(1);
  for (int life = 0; life != 20; ++life) {
    const auto& [from, to] = both_ways[static_cast<std::size_t>(life % 2)];
    const std::uint64_t until = 1 + random.below(300);
    Shared<std::atomic<std::uint64_t>> taken;
    Shared<std::atomic<bool>> is_dead;
    Process sender = as(from, [&] { return send_numbers_on(open("x{1", small_rings)); });
    Process receiver = as(to, [&] {
      auto port = open("x}1", small_rings);
      RxRing& rx = port.rx_rings()[0];
      while (!*is_dead) {
        must(port.sync_rx());
        *taken = take_numbers(rx, *taken);
      }
      auto other = open("x{1", small_rings);
      must(other.sync_tx());  // sends what was committed
      std::uint64_t next = *taken;
      for (std::uint64_t before = UINT64_MAX; next != std::exchange(before, next);) {
        must(port.sync_rx());
        next = take_numbers(rx, next);
      }
      must(other.sync_tx());  // and finds room again
      send_one(other, next);
      return !must(port.wait(Direction::rx, patience)).empty() && take_numbers(rx, next) > next;
    });
    ASSERT_TRUE(await([&] { return *taken >= until; }));
    sender.kill();
    *is_dead = true;
    EXPECT_TRUE(receiver.succeeded());
    EXPECT_EQ(files(), at_rest);
  }
}

TEST_F(Users, CollectThePortsOfOneWhoWasKilled) {
  Random random(2);
  for (int life = 0; life != 20; ++life) {
    const auto& [from, to] = both_ways[static_cast<std::size_t>(life % 2)];
    const std::uint32_t until = random.below(50);
    Shared<std::atomic<std::uint32_t>> sent;
    Process sender = as(from, [&] {
      for (;;) {
        auto port = open("vale0:from", small_rings);
        for (int packets = 0; packets != 10; ++packets, ++*sent) {
          EXPECT_TRUE(test::send_frame(port.tx_rings()[0], {1, test::everybody, *sent}));
          must(port.sync_tx());
        }
      }
      return false;
    });
    ASSERT_TRUE(await([&] { return *sent >= until; }));
    sender.kill();
    Process heir = as(to, [&] { return message_of(try_open("vale0:from")) == ""; });
    EXPECT_TRUE(heir.succeeded());
    EXPECT_EQ(files(), at_rest);
  }
}

/// Ben cannot map the region, and leaves what the dead had of it to ann.
TEST_F(Users, KeepExternalFilesToThemselves) {
  const ScratchDirectory home;
  const std::string file = home.path() + "/file";
  std::ofstream(file).close();
  std::filesystem::resize_file(file, OwnMemory::size);
  give(home.path(), ann, 0700);
  give(file, ann, 0600);
  Shared<std::atomic<bool>> is_open;
  Process stays = as(ann, [&] {
    const auto port = open("x}1@extmem:file=" + file + ",if-num=4,ring-num=8,buf-num=100",
                           {.conf = {.tx_slots = 8, .rx_slots = 8}});
    *is_open = true;
    ::pause();
    return false;
  });
  ASSERT_TRUE(await([&] { return is_open->load(); }));
  EXPECT_TRUE(is_told(ben, "'" + file + "' cannot be external memory: Permission denied"));
  for (int life = 0; life != 10; ++life) {
    Process dies = as(ann, [&] {
      const auto port = open("x{1");
      return ::kill(::getpid(), SIGKILL) == 0;
    });
    EXPECT_FALSE(dies.succeeded());
    Process collects = as(ben, [&] { return message_of(try_open("y{1")) == ""; });
    EXPECT_TRUE(collects.succeeded());
  }
  EXPECT_TRUE(can_open(ann));
  stays.kill();
  Process collects = as(ben, [&] { return message_of(try_open("y{1")) == ""; });
  EXPECT_TRUE(collects.succeeded());
  EXPECT_EQ(files(), at_rest);
}

// ---- Refusals -----------------------------------------------------------------------------------

TEST_F(Users, OfOtherGroupsAreTold) {
  EXPECT_TRUE(is_told(stranger, "'" + path() +
                                    "' cannot be used: user 64001 shares it with the "
                                    "group 64000, to which you do not belong"));
}

TEST_F(Users, AreToldHowAnotherCanShare) {
  give(path(), ann, 0700);
  EXPECT_TRUE(is_told(ben,
                      "it belongs to user 64001, not to you; user 64001 can share it, 'chgrp "
                      "GROUP " +
                          path() + " && chmod 2770 " + path() + "'"));
}

TEST_F(Users, ShareNothingByHalves) {
  for (const ::mode_t mode : {0770U, 02750U, 02771U, 03770U, 06770U}) {
    SCOPED_TRACE(mode);
    give(path(), ann, mode);
    EXPECT_TRUE(is_told(ann, (mode & 01000) != 0 ? "name a directory in it" : "share it with"));
    EXPECT_TRUE(is_told(ben, (mode & 01000) != 0 ? "name a directory in it" : "can share it"));
  }
  EXPECT_EQ(files(), std::set<std::string>());
}

TEST_F(Users, AreToldOfFilesFromBeforeItWasShared) {
  give(path(), ann, 0700);
  EXPECT_TRUE(can_open(ann));
  give(path(), ann, 02770);
  EXPECT_TRUE(is_told(ben, "it was made before the domain was shared"));
  for (const std::string& file : files()) std::filesystem::remove(path() + '/' + file);
  EXPECT_TRUE(can_open(ben));
}

/// A directory where somebody's domain is by default; removed if it was not there.
class PlaceOf {
 public:
  explicit PlaceOf(const Account& user) : path_("/dev/shm/netmapxx-" + std::to_string(user.id)) {
    if (!std::filesystem::create_directory(path_)) throw std::runtime_error(path_ + " is there");
  }
  PlaceOf(const PlaceOf&) = delete;
  PlaceOf& operator=(const PlaceOf&) = delete;
  ~PlaceOf() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Who goes where nobody told him to go is not led into another's.
TEST_F(Users, DoNotFallIntoADomainInTheirPlace) {
  const Account owner{static_cast<::uid_t>(20'000 + ::getpid() % 40'000), shared_group, 022};
  const PlaceOf place(owner);
  const auto opens_by_default = [&] {
    return as(owner, [] {
      ::unsetenv("NETMAP_DOMAIN");
      const std::string told =
          message_of(netmap::open("x{1", {.device = {DeviceKind::embedded, ""}}));
      if (!told.empty()) {
        EXPECT_THAT(told, testing::EndsWith("it belongs to user 64001, not to you; name another "
                                            "with NETMAP_DOMAIN"));
      }
      return told.empty();
    });
  };
  give(place.path(), ann, 02770);
  EXPECT_FALSE(opens_by_default().succeeded());
  give(place.path(), owner, 02770);
  EXPECT_TRUE(opens_by_default().succeeded());
}

}  // namespace
}  // namespace netmap::embedded
