// SPDX-License-Identifier: BSD-2-Clause
//
// Which descriptors of this process are of which file of netmap, or of which epoll set that has
// one.
#pragma once

#include "preload/core.hpp"
#include "preload/core/epoll_set.hpp"
#include "preload/core/open_file.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace netmap::preload {

class Table {
 public:
  explicit Table(Descriptors& kinds) : kinds_(kinds) {}

  /// The file behind `fd`. One that came from another process is found out about now, which may
  /// fail.
  [[nodiscard]] Result<std::shared_ptr<OpenFile>> file(int fd);
  [[nodiscard]] std::shared_ptr<EpollSet> set(int fd);
  /// The set behind `fd`, which is to have a file of netmap in it.
  [[nodiscard]] std::shared_ptr<EpollSet> make_set(int fd);

  /// False if there is no place for a descriptor of that number.
  bool add(int fd, const std::shared_ptr<OpenFile>& file);
  /// `to` is a copy of `from` now.
  void duplicate(int from, int to);
  /// Yields what was behind it, which goes if that was the last.
  std::shared_ptr<void> remove(int fd);
  /// Makes all descriptors of a file copies of its life.
  void follow(const OpenFile& file);

  /// Around fork(2), so that no thread is in the middle of something.
  void lock_all();
  void unlock_all();
  /// In the child, before that.
  void forget_threads();

 private:
  [[nodiscard]] Result<std::shared_ptr<OpenFile>> adopt(int fd);
  [[nodiscard]] std::set<std::mutex*> mutexes() const;

  Descriptors& kinds_;
  std::mutex mutex_;
  std::map<int, std::shared_ptr<OpenFile>> files_;
  std::map<int, std::shared_ptr<EpollSet>> sets_;
};

}  // namespace netmap::preload
