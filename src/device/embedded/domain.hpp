// SPDX-License-Identifier: BSD-2-Clause
//
// A domain: the directory where embedded ports meet, and the state its processes share. It is one
// user's, mode 0700, with files of mode 0600; or a group's, mode 02770, with files of mode 0660,
// whatever the umask of who makes them. There everybody collects what anybody left, which is why
// the directory must not be sticky, and each trusts all others as one's own processes.
#pragma once

#include <netmap/error.hpp>

#include <netmap/port.hpp>

#include "device/embedded/state.hpp"
#include "os/files.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace netmap::embedded {

/// Of the files in a domain that is shared.
inline constexpr mode_t shared_mode = 0660;

class Domain {
 public:
  /// The domain at `path`; empty: NETMAP_DOMAIN, else the user's own under /dev/shm. Made for the
  /// user alone if it does not exist; another's must be shared with a group of the user's. There is
  /// one Domain per directory in a process.
  [[nodiscard]] static Result<std::shared_ptr<Domain>> at(const std::string& path);

  Domain(std::string path, os::File directory, bool is_shared);

  /// Held while records, pools or files change. A process that dies lets go of it.
  class Lock {
   public:
    Lock(std::unique_lock<std::mutex> threads, os::File processes, DomainState* state)
        : threads_(std::move(threads)), processes_(std::move(processes)), state_(state) {}
    Lock(Lock&&) = default;
    Lock& operator=(Lock&& other) noexcept {
      std::swap(threads_, other.threads_);
      std::swap(processes_, other.processes_);
      std::swap(state_, other.state_);
      return *this;
    }
    ~Lock() { release(); }

    explicit operator bool() const noexcept { return bool(processes_); }
    /// Lets others have it. A child forked meanwhile has a copy of the descriptor, and would hold
    /// on to the lock.
    void release() noexcept {
      if (!processes_) return;
      if (state_ != nullptr) state_->lock_holder = 0;
      os::unlock(processes_);
      processes_ = os::File();
      threads_.unlock();
    }

   private:
    std::unique_lock<std::mutex> threads_;
    os::File processes_;
    DomainState* state_;
  };
  /// Waits a few seconds at most: the holder may be stopped.
  [[nodiscard]] Result<Lock> lock();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const os::File& directory() const noexcept { return directory_; }
  /// Whether all of a group may use it.
  [[nodiscard]] bool is_shared() const noexcept { return is_shared_; }
  /// Opens a file in it, to read and write. `flags` is 0, or O_CREAT to make it if need be.
  [[nodiscard]] Result<os::File> open_file(const std::string& name, int flags) const;
  [[nodiscard]] DomainState& state() noexcept { return *state_; }
  /// Whether somebody died who had the lock, since this was last called. Under the lock.
  [[nodiscard]] bool was_left() noexcept { return std::exchange(was_left_, false); }
  /// This process, told from all others, also from those of its number in other containers.
  [[nodiscard]] static std::uint64_t owner();

 private:
  Result<> map_state();
  [[nodiscard]] Error locked_too_long() const;

  std::string path_;
  os::File directory_;
  bool is_shared_;
  os::Mapping mapping_;
  DomainState* state_ = nullptr;
  std::mutex threads_;
  bool was_left_ = false;
};

/// Makes sure that a shared file is this version's, or makes it so if it is new. `what` names the
/// file. Called under the lock.
Result<> claim(FileHeader& header, std::uint64_t magic, const std::string& what);

/// A shared file does not hold what it should.
[[nodiscard]] Error damaged(const std::string& what);

/// "cannot reserve 4 MiB in /dev/shm/x: No space left on device; …": a failed step of the
/// embedded device, with a remedy where one is known.
[[nodiscard]] Error cannot(const std::string& step, std::error_code why);

}  // namespace netmap::embedded
