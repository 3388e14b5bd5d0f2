// SPDX-License-Identifier: BSD-2-Clause
#include "soak/accounts.hpp"

#include "device/embedded/state.hpp"
#include "os/files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>

namespace netmap::soak {
namespace {

template <class T>
T done(os::Outcome<T> outcome, const std::string& what) {
  if (!outcome) throw std::runtime_error("cannot " + what + ": " + outcome.error().message());
  return std::move(*outcome);
}

void count_objects(const std::string& region, Figures& figures) {
  const auto file = done(os::open(AT_FDCWD, region, O_RDWR), "open " + region);
  const auto mapping = done(os::map_at(file, embedded::region_bytes, sizeof(embedded::RegionState)),
                            "map " + region);
  const auto& state = *reinterpret_cast<const embedded::RegionState*>(mapping.bytes().data());
  figures.buffers = state.buffers.count();
  figures.rings = state.rings.count();
  figures.interfaces = state.interfaces.count();
}

std::map<std::string, std::uint64_t> sizes_in(const std::string& directory) {
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    struct stat status{};
    if (::stat(file.path().c_str(), &status) != 0) continue;
    sizes[file.path().filename()] = static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return sizes;
}

void count_descriptors(const std::string& process, Figures& figures) {
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd")) {
    const std::string target = std::filesystem::read_symlink(entry.path());
    const bool is_old_fifo = target.ends_with(".rx (deleted)") || target.ends_with(".tx (deleted)");
    ++(is_old_fifo ? figures.old_fifos : figures.descriptors);
  }
}

std::uint64_t own_memory(const std::string& process) {
  std::ifstream status(process + "/status");
  std::string word;
  while (status >> word && word != "RssAnon:") {
  }
  std::uint64_t kibibytes = 0;
  status >> kibibytes;
  return kibibytes * 1024;
}

std::string differs(const char* what, std::uint64_t first, std::uint64_t now) {
  return std::string(what) + ": " + std::to_string(now) + " now, " + std::to_string(first) +
         " after the first kill";
}

std::optional<std::string> find_imbalance_of_files(const Figures& first, const Figures& now) {
  for (const auto& [file, bytes] : now.files) {
    const auto before = first.files.find(file);
    if (before == first.files.end()) return "the domain has a file more, '" + file + "'";
    if (before->second != bytes) {
      return differs(("the bytes of '" + file + "'").c_str(), before->second, bytes);
    }
  }
  if (now.files.size() != first.files.size()) return "a file of the domain has gone";
  return {};
}

}  // namespace

std::uint64_t Figures::file_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [file, bytes] : files) sum += bytes;
  return sum;
}

Figures measure(const Stage& stage, const std::string& domain, ::pid_t survivor) {
  Figures figures{.published = stage.published, .received = stage.received};
  count_objects(domain + "/mem" + std::to_string(stage.memory_id), figures);
  figures.files = sizes_in(domain);
  const std::string process = "/proc/" + std::to_string(survivor);
  count_descriptors(process, figures);
  figures.memory = own_memory(process);
  return figures;
}

std::optional<std::string> find_imbalance(const Figures& first, const Figures& now) {
  if (now.published != now.received) {
    return std::to_string(now.published) + " packets were published, " +
           std::to_string(now.received) + " received";
  }
  if (now.buffers != first.buffers) {
    return differs("buffers in use in the survivor's region", first.buffers, now.buffers);
  }
  if (now.rings != first.rings) return differs("rings in use there", first.rings, now.rings);
  if (now.interfaces != first.interfaces) {
    return differs("interfaces in use there", first.interfaces, now.interfaces);
  }
  if (auto files = find_imbalance_of_files(first, now)) return files;
  if (now.descriptors != first.descriptors) {
    return differs("descriptors of the survivor", first.descriptors, now.descriptors);
  }
  if (now.old_fifos > most_old_fifos) {
    return "the survivor keeps " + std::to_string(now.old_fifos) + " FIFOs of ports that are gone";
  }
  if (now.memory > first.memory + memory_tolerance) {
    return differs("bytes of memory of the survivor", first.memory, now.memory);
  }
  return {};
}

}  // namespace netmap::soak
