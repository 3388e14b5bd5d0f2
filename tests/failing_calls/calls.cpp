// SPDX-License-Identifier: BSD-2-Clause
#include "failing_calls/calls.hpp"

#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>

#include <dirent.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace netmap::failing_calls {
namespace {

bool is_counting = false;
std::vector<std::string> made;
std::size_t failing = SIZE_MAX;
int with = 0;

/// What a function that returns `failed` and sets errno does.
template <class Result>
std::optional<Result> fail(const char* call, Result failed) {
  const int error = next(call);
  if (error == 0) return {};
  errno = error;
  return failed;
}

const std::map<std::string, std::vector<int>> errors{
    {"openat", {EACCES, EINTR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, ENXIO, EROFS}},
    {"fstat", {EIO, ENOMEM, EOVERFLOW}},
    {"fstatfs", {EIO, ENOMEM, EINTR}},
    {"mkdir", {EACCES, EDQUOT, ENOENT, ENOMEM, ENOSPC, EROFS}},
    {"fdopendir", {ENOMEM}},
    {"fchmod", {EIO, EPERM, EROFS}},
    {"fchmodat", {EACCES, EIO, ENOENT, ENOMEM, EOPNOTSUPP, EPERM, EROFS}},
    {"linkat", {EACCES, EDQUOT, EEXIST, ENOENT, ENOMEM, ENOSPC, EROFS}},
    {"mkfifoat", {EACCES, EDQUOT, EEXIST, ENOMEM, ENOSPC, EROFS}},
    {"unlinkat", {EACCES, EBUSY, EIO, ENOMEM, EPERM, EROFS}},
    {"ftruncate", {EFBIG, EINTR, EIO, EPERM, EROFS}},
    {"posix_fallocate", {EFBIG, EINTR, EIO, ENOSPC}},
    {"mmap", {EACCES, EAGAIN, ENFILE, ENODEV, ENOMEM, EPERM}},
    {"pwrite", {EFBIG, EINTR, EIO, ENOSPC}},
    {"pread", {EINTR, EIO}},
    {"realpath", {EACCES, EIO, ENOENT, ENOMEM}},
    {"flock", {EINTR, ENOLCK}},
    {"write", {EAGAIN, EINTR, EIO}},
    {"read", {EAGAIN, EINTR, EIO}},
    {"epoll_create1", {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", {ENOMEM, ENOSPC}},
    {"epoll_wait", {EINTR}},
    {"ppoll", {EINTR, ENOMEM}},
    {"syscall", {ENOSYS, EPERM}},
    {"socket", {EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM}},
    {"bind", {EACCES, EBUSY, EINVAL, ENETDOWN, ENODEV, ENOMEM, EOPNOTSUPP, EPERM}},
    {"setsockopt", {EINVAL, ENOBUFS, ENOMEM, ENOPROTOOPT, EPERM}},
    {"getsockopt", {ENOBUFS, ENOPROTOOPT}},
    {"sendto", {EAGAIN, EBUSY, ENETDOWN, ENOBUFS, ENOMEM, ENXIO}},
    {"recvfrom", {EAGAIN, ENETDOWN, ENXIO}},
    {"ioctl", {EINTR, ENODEV, ENOMEM, EPERM}},
    {"if_nametoindex", {EMFILE, ENODEV, ENOMEM}},
    {"if_indextoname", {EMFILE, ENOMEM}},
    {"bpf_map_create", {EMFILE, ENOMEM, EPERM}},
    {"bpf_prog_load", {EACCES, EAGAIN, EINVAL, EMFILE, ENOMEM, EPERM}},
    {"bpf_link_create", {EBUSY, EEXIST, EINVAL, EMFILE, ENOMEM, EOPNOTSUPP, EPERM}},
    {"bpf_obj_get_info_by_fd", {EINVAL, ENOMEM, EPERM}},
    {"bpf_link_get_fd_by_id", {EMFILE, ENOENT, ENOMEM, EPERM}},
    {"bpf_map_get_fd_by_id", {EMFILE, ENOENT, ENOMEM, EPERM}},
    {"bpf_map_update_elem", {EBUSY, EINVAL, ENOMEM, EOPNOTSUPP, EPERM}},
    {"bpf_map_delete_elem", {ENOENT, ENOMEM, EPERM}},
};

}  // namespace

const std::vector<std::string>& calls() {
  return made;
}
void fail_call(std::size_t n, int error) {
  made.clear();
  failing = n;
  with = error;
  is_counting = true;
}
int next(const char* call) {
  if (!is_counting) return 0;
  made.emplace_back(call);
  return made.size() - 1 == failing ? with : 0;
}
void leave_calls_alone() {
  is_counting = false;
}
std::vector<int> errors_of(const std::string& call) {
  const auto found = errors.find(call);
  return found == errors.end() ? std::vector<int>() : found->second;
}

}  // namespace netmap::failing_calls

// NOLINTBEGIN: names and arguments are the linker's and libc's
using netmap::failing_calls::fail;

#define WRAP(result, name, failed, parameters, arguments)                  \
  extern "C" result __real_##name parameters;                              \
  extern "C" result __wrap_##name parameters {                             \
    if (const auto failure = fail<result>(#name, failed)) return *failure; \
    return __real_##name arguments;                                        \
  }

WRAP(int, openat, -1, (int at, const char* path, int flags, mode_t mode), (at, path, flags, mode))
WRAP(int, fstat, -1, (int fd, struct stat* status), (fd, status))
WRAP(int, fstatfs, -1, (int fd, struct statfs* status), (fd, status))
WRAP(int, mkdir, -1, (const char* path, mode_t mode), (path, mode))
WRAP(DIR*, fdopendir, nullptr, (int fd), (fd))
WRAP(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fchmodat, -1, (int at, const char* path, mode_t mode, int flags), (at, path, mode, flags))
WRAP(int, linkat, -1, (int from, const char* name, int at, const char* path, int flags),
     (from, name, at, path, flags))
WRAP(int, mkfifoat, -1, (int at, const char* path, mode_t mode), (at, path, mode))
WRAP(int, unlinkat, -1, (int at, const char* path, int flags), (at, path, flags))
WRAP(int, ftruncate, -1, (int fd, off_t size), (fd, size))
WRAP(void*, mmap, MAP_FAILED,
     (void* at, size_t size, int protection, int flags, int fd, off_t from),
     (at, size, protection, flags, fd, from))
WRAP(ssize_t, pwrite, -1, (int fd, const void* bytes, size_t size, off_t to), (fd, bytes, size, to))
WRAP(ssize_t, pread, -1, (int fd, void* bytes, size_t size, off_t from), (fd, bytes, size, from))
WRAP(char*, realpath, nullptr, (const char* path, char* into), (path, into))
WRAP(int, flock, -1, (int fd, int operation), (fd, operation))
WRAP(ssize_t, write, -1, (int fd, const void* bytes, size_t size), (fd, bytes, size))
WRAP(ssize_t, read, -1, (int fd, void* bytes, size_t size), (fd, bytes, size))
WRAP(int, epoll_create1, -1, (int flags), (flags))
WRAP(int, epoll_ctl, -1, (int queue, int what, int fd, epoll_event* event),
     (queue, what, fd, event))
WRAP(int, epoll_wait, -1, (int queue, epoll_event* events, int size, int timeout),
     (queue, events, size, timeout))
WRAP(int, ppoll, -1, (pollfd * fds, nfds_t count, const timespec* limit, const sigset_t* mask),
     (fds, count, limit, mask))
WRAP(long, syscall, -1, (long number, long a, long b), (number, a, b))
WRAP(int, socket, -1, (int family, int type, int protocol), (family, type, protocol))
WRAP(int, bind, -1, (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
WRAP(int, setsockopt, -1, (int fd, int level, int name, const void* value, socklen_t size),
     (fd, level, name, value, size))
WRAP(int, getsockopt, -1, (int fd, int level, int name, void* value, socklen_t* size),
     (fd, level, name, value, size))
WRAP(ssize_t, sendto, -1,
     (int fd, const void* bytes, size_t size, int flags, const sockaddr* to, socklen_t to_size),
     (fd, bytes, size, flags, to, to_size))
WRAP(ssize_t, recvfrom, -1,
     (int fd, void* bytes, size_t size, int flags, sockaddr* from, socklen_t* from_size),
     (fd, bytes, size, flags, from, from_size))
WRAP(int, ioctl, -1, (int fd, unsigned long number, void* argument), (fd, number, argument))
WRAP(unsigned, if_nametoindex, 0, (const char* name), (name))
WRAP(char*, if_indextoname, nullptr, (unsigned index, char* name), (index, name))

/// This one returns its error.
extern "C" int __real_posix_fallocate(int fd, off_t from, off_t size);
extern "C" int __wrap_posix_fallocate(int fd, off_t from, off_t size) {
  if (const int error = netmap::failing_calls::next("posix_fallocate")) return error;
  return __real_posix_fallocate(fd, from, size);
}
// NOLINTEND
