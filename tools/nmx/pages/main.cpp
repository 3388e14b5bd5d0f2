// SPDX-License-Identifier: BSD-2-Clause
//
// nmx_pages DIRECTORY: writes man/*.1, bash/nmx, zsh/_nmx and fish/nmx.fish there.
#include "nmx/commands.hpp"
#include "nmx/option_table.hpp"
#include "writer.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file << text << std::flush;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::fputs("usage: nmx_pages DIRECTORY\n", stderr), 2;
  const std::filesystem::path directory = argv[1];
  CLI::App app;
  nmx::add_commands(app);
  for (const CLI::App* one : nmx::with_subcommands(app)) {
    write(directory / "man" / (nmx::pages::page_name(*one) + ".1"), nmx::pages::manual(*one));
  }
  write(directory / "bash/nmx", nmx::pages::bash_completion(app));
  write(directory / "zsh/_nmx", nmx::pages::zsh_completion(app));
  write(directory / "fish/nmx.fish", nmx::pages::fish_completion(app));
} catch (const std::exception& error) {
  fmt::print(stderr, "nmx_pages: {}\n", error.what());
  return 1;
}
