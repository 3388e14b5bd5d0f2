// SPDX-License-Identifier: BSD-2-Clause
//
// Directories, FIFOs, locks and memory barriers.
#pragma once

#include "os/os.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace netmap::os {

struct FileStatus {
  std::uint64_t device;  ///< with inode: the same for two names of one file
  std::uint64_t inode;
  std::uint64_t bytes;
  std::uint32_t owner;
  std::uint32_t group;
  std::uint32_t mode;  ///< with the file's type
  bool on_tmpfs;       ///< where files are memory
  bool is_regular;     ///< and no directory, FIFO or device
};
[[nodiscard]] Outcome<FileStatus> status(const File& file);

/// Makes a directory with mode 0700; yields false if the path exists already.
[[nodiscard]] Outcome<bool> make_directory(const std::string& path);
/// Only if it is empty.
void remove_directory(const std::string& path) noexcept;
/// The names of all files in it.
[[nodiscard]] Outcome<std::vector<std::string>> list(const File& directory);
/// Makes a file of that mode, whatever the umask, which nobody sees before it has it; fails with
/// file_exists.
[[nodiscard]] Outcome<File> make_file(const File& directory, const std::string& name, mode_t mode);
/// Of mode 0600, or less if the umask says so.
[[nodiscard]] Outcome<> make_fifo(const File& directory, const std::string& name);
/// Of the file itself, not of what a link of that name points to.
[[nodiscard]] Outcome<> set_mode(const File& directory, const std::string& name, mode_t mode);
/// Succeeds if there is no such file.
Outcome<> remove(const File& directory, const std::string& name);

[[nodiscard]] Outcome<> set_size(const File& file, std::uint64_t bytes);
/// Gives the range memory of its own now, so that touching it later cannot fail.
[[nodiscard]] Outcome<> reserve(const File& file, std::uint64_t offset, std::uint64_t bytes);
[[nodiscard]] Outcome<Mapping> map_at(const File& file, std::uint64_t offset, std::size_t bytes);

/// Maps the beginning of a file over memory of the caller's, which goes.
[[nodiscard]] Outcome<> map_over(const File& file, std::span<std::byte> bytes);
/// Maps fresh memory of this process alone over a mapping of the caller's, which goes.
[[nodiscard]] Outcome<> map_private_over(std::span<std::byte> bytes);

/// Writes all of the bytes to the beginning of a file. Fails with EFAULT, and does not fault, where
/// they are no memory.
[[nodiscard]] Outcome<> write_all(const File& file, std::span<const std::byte> bytes);
/// Reads the beginning of a file; of a shorter one, what there is.
[[nodiscard]] Outcome<> read_all(const File& file, std::span<std::byte> bytes);

/// Where the file of a descriptor is now; of one that is nowhere, some text. Linux: proc(5).
[[nodiscard]] Outcome<std::string> path_of(int fd);

/// The absolute path without links.
[[nodiscard]] Outcome<std::string> real_path(const std::string& path);

/// Takes an exclusive flock(2) without waiting; false if somebody holds it. It lasts until the last
/// copy of the descriptor is closed.
[[nodiscard]] Outcome<bool> try_lock(const File& file);
/// As try_lock, but waits for whoever holds it.
[[nodiscard]] Outcome<> lock(const File& file);
/// Gives the flock up, whoever else has a copy of the descriptor.
void unlock(const File& file) noexcept;

/// One byte into a FIFO; a full one is as good.
void ring(const File& fifo) noexcept;

/// Makes barrier() of other processes reach this one; false if the kernel cannot.
[[nodiscard]] bool register_barrier() noexcept;
/// A full memory barrier on every running thread of every registered process.
void barrier() noexcept;
/// Fills `into` from an address of this process, if one it is: fails with bad_address otherwise.
[[nodiscard]] Outcome<> read_memory(std::span<std::byte> into, const void* from) noexcept;

[[nodiscard]] std::uint32_t user() noexcept;
[[nodiscard]] std::uint32_t process() noexcept;
/// Suspends the calling thread.
void pause(std::chrono::nanoseconds duration) noexcept;

}  // namespace netmap::os
