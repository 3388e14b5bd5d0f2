// SPDX-License-Identifier: BSD-2-Clause
#include "preload/core/table.hpp"

#include "os/files.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace netmap::preload {
namespace {

// Of the program's own descriptors, so past the shim, which would take these for the program's
// calls.
int copy_of(int fd) {
  return static_cast<int>(::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0));
}
void make_copy(int of, int fd, int flags) {
  ::syscall(SYS_dup3, of, fd, flags);
}

template <class T>
std::shared_ptr<T> find(const std::map<int, std::shared_ptr<T>>& all, int fd) {
  const auto found = all.find(fd);
  return found != all.end() ? found->second : nullptr;
}

}  // namespace

Result<std::shared_ptr<OpenFile>> Table::file(int fd) {
  {
    const std::scoped_lock only(mutex_);
    if (auto known = find(files_, fd)) return known;
  }
  return adopt(fd);
}

/// Of two threads that find out about it at once, the first is believed.
Result<std::shared_ptr<OpenFile>> Table::adopt(int fd) {
  auto file = OpenFile::of(os::File(copy_of(fd)));
  if (!file) return file;
  const std::scoped_lock only(mutex_);
  return files_.emplace(fd, std::move(*file)).first->second;
}

std::shared_ptr<EpollSet> Table::set(int fd) {
  const std::scoped_lock only(mutex_);
  return find(sets_, fd);
}

std::shared_ptr<EpollSet> Table::make_set(int fd) {
  const auto path = os::path_of(fd);
  if (!path || *path != "anon_inode:[eventpoll]") return nullptr;
  const std::scoped_lock only(mutex_);
  if (!kinds_.set(fd, Kind::epoll)) return nullptr;
  auto& set = sets_[fd];
  if (!set) set = std::make_shared<EpollSet>();
  return set;
}

bool Table::add(int fd, const std::shared_ptr<OpenFile>& file) {
  const std::scoped_lock only(mutex_);
  if (!kinds_.set(fd, Kind::netmap)) return false;
  files_[fd] = file;
  return true;
}

void Table::duplicate(int from, int to) {
  const auto before = remove(to);
  const std::scoped_lock only(mutex_);
  if (!kinds_.set(to, kinds_.of(from))) return;
  if (auto file = find(files_, from)) files_[to] = std::move(file);
  if (auto set = find(sets_, from)) sets_[to] = std::move(set);
}

std::shared_ptr<void> Table::remove(int fd) {
  const std::scoped_lock only(mutex_);
  kinds_.set(fd, Kind::other);
  if (const auto file = files_.extract(fd)) return file.mapped();
  if (const auto set = sets_.extract(fd)) return set.mapped();
  return nullptr;
}

void Table::follow(const OpenFile& file) {
  ::fcntl(file.life(), F_SETFL, 0);  // programs did not ask for O_NONBLOCK
  const std::scoped_lock only(mutex_);
  for (const auto& [fd, other] : files_) {
    if (other.get() != &file) continue;
    const int is_closed_by_exec = ::fcntl(fd, F_GETFD) & FD_CLOEXEC;
    make_copy(file.life(), fd, is_closed_by_exec != 0 ? O_CLOEXEC : 0);
  }
}

/// Of all files and sets, each once.
std::set<std::mutex*> Table::mutexes() const {
  std::set<std::mutex*> all;
  for (const auto& [fd, file] : files_) all.insert(&file->mutex());
  for (const auto& [fd, set] : sets_) all.insert(&set->mutex());
  return all;
}

void Table::lock_all() {
  OpenFile::control_mutex().lock();
  mutex_.lock();
  for (std::mutex* const one : mutexes()) one->lock();
}

void Table::forget_threads() {
  for (const auto& [fd, file] : files_) file->forget_sleepers();
}

void Table::unlock_all() {
  for (std::mutex* const one : mutexes()) one->unlock();
  mutex_.unlock();
  OpenFile::control_mutex().unlock();
}

}  // namespace netmap::preload
