// SPDX-License-Identifier: BSD-2-Clause
#include "os/one_shot.hpp"

#include <array>

#include <gtest/gtest.h>
#include <unistd.h>

namespace netmap::os {
namespace {

/// What is written to one end can be read at the other.
class Wire {
 public:
  Wire() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::system_error(errno, std::system_category());
    out_ = File(ends[0]);
    in_ = File(ends[1]);
  }
  [[nodiscard]] int fd() const { return out_.fd(); }
  void write() const { EXPECT_EQ(::write(in_.fd(), "x", 1), 1); }

 private:
  File out_;
  File in_;
};

bool is_readable(const OneShot& one) {
  std::array fds{pollfd{one.fd(), POLLIN, 0}};
  EXPECT_TRUE(poll(fds, std::chrono::nanoseconds(0)));
  return fds[0].revents != 0;
}

TEST(OneShots, TellOfAnEventOnlyWhileSet) {
  const Wire wire;
  auto one = OneShot::make(wire.fd(), -1);
  ASSERT_TRUE(one);
  wire.write();
  EXPECT_FALSE(is_readable(*one));
  ASSERT_TRUE(one->set(POLLIN));
  EXPECT_TRUE(is_readable(*one));
  EXPECT_EQ(one->clear(), POLLIN);
  EXPECT_FALSE(is_readable(*one));
  EXPECT_EQ(one->clear(), 0);
}

TEST(OneShots, TellTheSameNewsOnceEach) {
  const Wire wire;
  const Wire news;
  auto first = OneShot::make(wire.fd(), news.fd());
  auto second = OneShot::make(wire.fd(), news.fd());
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->set(POLLIN) && second->set(POLLIN));
  news.write();
  EXPECT_TRUE(is_readable(*first));
  EXPECT_EQ(first->clear(), 0);
  EXPECT_FALSE(is_readable(*first));
  EXPECT_TRUE(is_readable(*second)) << "the first took them";
}

}  // namespace
}  // namespace netmap::os
