// SPDX-License-Identifier: BSD-2-Clause
#include "options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <elf.h>
#include <unistd.h>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;
namespace fs = std::filesystem;

constexpr std::string_view shim = "libnetmapxx-preload.so";

struct RunOptions {
  std::string domain;
  bool explains = false;
  std::vector<std::string> command;
};

std::unexpected<Error> fail(std::errc why, std::string sentence) {
  return std::unexpected(Error(std::make_error_code(why), std::move(sentence)));
}

/// Beside nmx where it was built, else where it is installed.
Result<std::string> find_shim() {
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& directory : {here, here / NMX_TO_LIBRARIES}) {
    const fs::path path = (directory / shim).lexically_normal();
    if (fs::exists(path, ignored)) return path.string();
  }
  return fail(
      std::errc::no_such_file_or_directory,
      fmt::format("{} is neither in {} nor in {}; install it, or set LD_PRELOAD to where it "
                  "is and run the program without nmx",
                  shim, here.string(), (here / NMX_TO_LIBRARIES).lexically_normal().string()));
}

/// The file that exec(3) would take.
fs::path find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const path = std::getenv("PATH");
  for (std::string_view rest = path != nullptr ? path : "/usr/bin:/bin"; !rest.empty();) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), directory.size() + 1));
    if (::access((fs::path(directory) / name).c_str(), X_OK) == 0) {
      return fs::path(directory) / name;
    }
  }
  return name;
}

/// Whether nothing can be loaded into the program. elf(5).
bool is_static(const fs::path& program) {
  std::ifstream file(program, std::ios::binary);
  Elf64_Ehdr header{};
  if (!file.read(reinterpret_cast<char*>(&header), sizeof header)) return false;
  if (std::string_view(reinterpret_cast<char*>(header.e_ident), SELFMAG) != ELFMAG) return false;
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return false;
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (unsigned i = 0; i != header.e_phnum; ++i) {
    Elf64_Phdr part{};
    if (!file.read(reinterpret_cast<char*>(&part), sizeof part)) return false;
    if (part.p_type == PT_INTERP) return false;
  }
  return true;
}

/// Puts `value` before what the variable holds.
void prepend(const char* variable, const std::string& value) {
  const char* const before = std::getenv(variable);
  const bool has_more = before != nullptr && *before != '\0';
  ::setenv(variable, has_more ? (value + ':' + before).c_str() : value.c_str(), 1);
}

/// Does not return if the program runs.
Result<int> run(const RunOptions& options) {
  std::vector<std::string> command = options.command;
  const auto library = find_shim();
  if (!library) return std::unexpected(library.error());
  if (is_static(find_program(command.front()))) {
    return fail(
        std::errc::not_supported,
        fmt::format("'{}' is linked statically, so that nothing can be put before its system "
                    "calls; link it dynamically",
                    command.front()));
  }
  prepend("LD_PRELOAD", *library);
  // Programs built with g++'s address sanitizer want to be told that something comes before it.
  prepend("ASAN_OPTIONS", "verify_asan_link_order=0");
  if (!options.domain.empty()) ::setenv("NETMAP_DOMAIN", options.domain.c_str(), 1);
  if (options.explains) ::setenv("NETMAP_EXPLAIN", "1", 1);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  const std::error_code why(errno, std::system_category());
  return std::unexpected(
      Error(why, fmt::format("cannot run '{}': {}", command.front(), why.message())));
}

}  // namespace

Command add_run(CLI::App& nmx) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* app = nmx.add_subcommand(
      "run", "Run a program that was written for netmap on the embedded device, as it is");
  app->add_option("--domain", options->domain, "Directory where its ports meet others")
      ->type_name("DIR");
  app->add_flag("--explain", options->explains,
                "Say on stderr what is behind each error number that the program gets");
  app->add_option("command", options->command, "The program and its arguments, behind --")
      ->type_name("-- PROGRAM [ARGUMENT…]")
      ->required();
  return {app, [options] { return run(*options); }};
}

}  // namespace nmx
