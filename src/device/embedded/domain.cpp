// SPDX-License-Identifier: BSD-2-Clause
#include "device/embedded/domain.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>

namespace netmap::embedded {
namespace {

using namespace std::chrono_literals;
constexpr auto lock_patience = 5s;
constexpr const char* remedy = "; remove it once nobody uses it, or name another domain";

std::string own_path() {
  return "/dev/shm/netmapxx-" + std::to_string(os::user());
}

std::string default_path() {
  std::string named = os::environment("NETMAP_DOMAIN");
  return named.empty() ? own_path() : named;
}

std::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return std::unexpected(
      Error(errc::domain_unusable, "the domain '" + path + "' cannot be used: " + why));
}

/// Setgid, so that files have the directory's group, and not sticky, so that everybody can remove
/// what somebody left.
bool is_group_directory(const os::FileStatus& directory) {
  return (directory.mode & 07777) == 02770;
}

std::string how_to_share(const std::string& path) {
  return "'chgrp GROUP " + path + " && chmod 2770 " + path + "'";
}

/// Others must not be able to read packets, nor to swap the directory under our feet, unless its
/// owner shares it. In the user's own place anybody could have put a directory, and shared that.
bool is_for_us(const std::string& path, const os::FileStatus& status) {
  if (status.owner == os::user() && (status.mode & 077) == 0) return true;
  return is_group_directory(status) && (status.owner == os::user() || path != own_path());
}

std::string why_not_for_us(const std::string& path, const os::FileStatus& status) {
  const std::string owner = "user " + std::to_string(status.owner);
  if ((status.mode & S_ISVTX) != 0) return "many users keep files there; name a directory in it";
  if (status.owner == os::user()) {
    return "others have rights on it; run 'chmod 700 " + path +
           "', or share it with a group: " + how_to_share(path);
  }
  std::string why = "it belongs to " + owner + ", not to you; ";
  if (path != own_path()) why += owner + " can share it, " + how_to_share(path) + "; or ";
  return why + "name another with NETMAP_DOMAIN";
}

Result<os::FileStatus> check(const std::string& path, const os::File& directory) {
  const auto status = os::status(directory);
  if (!status) return unusable(path, status.error().message());
  if (!status->on_tmpfs) {
    return unusable(path, "it is not on tmpfs; choose a directory under /dev/shm");
  }
  if (!is_for_us(path, *status)) return unusable(path, why_not_for_us(path, *status));
  return *status;
}

/// Yields whether there was none.
Result<bool> make_directory(const std::string& path) {
  const auto made = os::make_directory(path);
  if (!made && made.error() == std::errc::no_such_file_or_directory) {
    return std::unexpected(Error(made.error(), "cannot make the domain '" + path +
                                                   "': its parent directory does not exist; make "
                                                   "that, or name another with NETMAP_DOMAIN"));
  }
  if (!made) return std::unexpected(cannot("make the domain '" + path + "'", made.error()));
  return *made;
}

/// The directory itself, not what a link of that name points to; to be looked at, which nobody may
/// be denied.
Result<os::File> find_directory(const std::string& path) {
  auto directory = os::open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (directory) return std::move(*directory);
  if (directory.error() == std::errc::not_a_directory) {
    return unusable(path, "it is a file or a symbolic link; name a directory itself");
  }
  return std::unexpected(cannot("open the domain '" + path + "'", directory.error()));
}

/// Who may read a shared directory may write in it.
Result<os::File> enter(const std::string& path, const os::File& found,
                       const os::FileStatus& status) {
  auto directory = os::open(found.fd(), ".", O_RDONLY | O_DIRECTORY);
  if (directory) return std::move(*directory);
  if (is_group_directory(status) && directory.error() == std::errc::permission_denied) {
    return unusable(path, "user " + std::to_string(status.owner) + " shares it with the group " +
                              std::to_string(status.group) +
                              ", to which you do not belong; join that, or name another with "
                              "NETMAP_DOMAIN");
  }
  return std::unexpected(cannot("open the domain '" + path + "'", directory.error()));
}

/// Others find the file once they may open it, and never without: who makes it may be killed.
os::Outcome<os::File> open_or_make_shared(const os::File& directory, const std::string& name) {
  auto file = os::open(directory.fd(), name, O_RDWR | O_NOFOLLOW);
  if (file || file.error() != std::errc::no_such_file_or_directory) return file;
  file = os::make_file(directory, name, shared_mode);
  if (file || file.error() != std::errc::file_exists) return file;
  return os::open(directory.fd(), name, O_RDWR | O_NOFOLLOW);
}

struct OpenDomains {
  std::mutex mutex;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::weak_ptr<Domain>> domains;
};

OpenDomains& open_domains() {
  static auto* const domains = new OpenDomains();  // ports may be closed when all else is gone
  return *domains;
}

}  // namespace

Error cannot(const std::string& step, std::error_code why) {
  std::string sentence = "cannot " + step + ": " + why.message();
  if (why == std::errc::no_space_on_device || why == std::errc::not_enough_memory) {
    sentence += "; free some memory there, or name a larger tmpfs with NETMAP_DOMAIN";
  } else if (why == std::errc::read_only_file_system || why == std::errc::permission_denied) {
    sentence += "; name a directory you can write with NETMAP_DOMAIN";
  }
  return {why, std::move(sentence)};
}

Result<std::shared_ptr<Domain>> Domain::at(const std::string& named) {
  const std::string path = named.empty() ? default_path() : named;
  const auto made = make_directory(path);
  if (!made) return std::unexpected(made.error());
  const auto found = find_directory(path);
  if (!found) return std::unexpected(found.error());
  const auto status = check(path, *found);
  if (!status) {
    if (*made) os::remove_directory(path);
    return std::unexpected(status.error());
  }
  auto directory = enter(path, *found, *status);
  if (!directory) return std::unexpected(directory.error());

  const std::scoped_lock only(open_domains().mutex);
  auto& known = open_domains().domains[{status->device, status->inode}];
  if (auto domain = known.lock()) return domain;
  auto domain = std::make_shared<Domain>(path, std::move(*directory), is_group_directory(*status));
  if (auto mapped = domain->map_state(); !mapped) return std::unexpected(mapped.error());
  known = domain;
  return domain;
}

Domain::Domain(std::string path, os::File directory, bool is_shared)
    : path_(std::move(path)), directory_(std::move(directory)), is_shared_(is_shared) {}

Result<os::File> Domain::open_file(const std::string& name, int flags) const {
  auto file = is_shared_ && flags == O_CREAT
                  ? open_or_make_shared(directory_, name)
                  : os::open(directory_.fd(), name, O_RDWR | O_NOFOLLOW | flags, 0600);
  if (file) return std::move(*file);
  const std::string step = "open '" + path_ + '/' + name + "'";
  if (!is_shared_ || file.error() != std::errc::permission_denied) {
    return std::unexpected(cannot(step, file.error()));
  }
  return std::unexpected(Error(file.error(), "cannot " + step +
                                                 ": it was made before the domain was shared; once "
                                                 "nobody uses the domain, remove its files"));
}

/// A lock file is opened anew each time: an inherited descriptor would share its lock with the
/// parent process.
Result<Domain::Lock> Domain::lock() {
  auto file = open_file("lock", O_CREAT);
  if (!file) return std::unexpected(file.error());
  std::unique_lock threads(threads_, std::defer_lock);
  const auto end = std::chrono::steady_clock::now() + lock_patience;
  do {
    if (!threads && !threads.try_lock()) continue;
    const auto taken = os::try_lock(*file);
    if (!taken) return std::unexpected(cannot("lock '" + path_ + "'", taken.error()));
    if (*taken) {
      if (state_ != nullptr) was_left_ |= state_->lock_holder.exchange(os::process()) != 0;
      return Lock(std::move(threads), std::move(*file), state_);
    }
  } while (os::pause(1ms), std::chrono::steady_clock::now() < end);
  return std::unexpected(locked_too_long());
}

/// Who holds it has not said so if it is mapping the state, and cannot be asked before that is.
Error Domain::locked_too_long() const {
  const std::uint32_t process = state_ != nullptr ? state_->lock_holder.load() : 0;
  const std::string holder =
      process != 0 ? std::to_string(process) : "that 'fuser " + path_ + "/lock' tells";
  return {make_error_code(std::errc::timed_out),
          "the domain '" + path_ + "' has been locked for seconds by the process " + holder +
              "; it may be stopped: continue or end it"};
}

Result<> Domain::map_state() {
  const auto locked = lock();
  if (!locked) return std::unexpected(locked.error());
  auto file = open_file("domain", O_CREAT);
  if (!file) return std::unexpected(file.error());
  const auto status = os::status(*file);
  if (!status) return std::unexpected(cannot("look into '" + path_ + "'", status.error()));
  const std::string what = "the domain '" + path_ + "'";
  if (status->bytes != 0 && status->bytes < sizeof(DomainState)) {
    return std::unexpected(damaged(what));
  }
  const auto reserved = os::reserve(*file, 0, sizeof(DomainState));
  if (!reserved)
    return std::unexpected(cannot("reserve space in '" + path_ + "'", reserved.error()));
  auto mapping = os::map(*file, sizeof(DomainState));
  if (!mapping) return std::unexpected(cannot("map the state of '" + path_ + "'", mapping.error()));
  mapping_ = std::move(*mapping);
  state_ = reinterpret_cast<DomainState*>(mapping_.bytes().data());
  if (auto claimed = claim(state_->header, domain_magic, what); !claimed) return claimed;
  if (status->bytes > sizeof(DomainState)) return std::unexpected(damaged(what));
  return {};
}

std::uint64_t Domain::owner() {
  static const std::uint64_t drawn = [] {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
  }();
  return drawn + os::process();
}

Result<> claim(FileHeader& header, std::uint64_t magic, const std::string& what) {
  if (header.magic == 0) {
    header.version = layout_version;
    std::atomic_ref(header.magic).store(magic, std::memory_order_release);
  }
  if (header.magic != magic) return std::unexpected(damaged(what));
  if (header.version != layout_version) {
    return std::unexpected(
        Error(errc::version_mismatch, what + " has layout " + std::to_string(header.version) +
                                          ", this library has " + std::to_string(layout_version) +
                                          remedy));
  }
  return {};
}

Error damaged(const std::string& what) {
  return {errc::region_damaged, what + " is damaged" + remedy};
}

}  // namespace netmap::embedded
