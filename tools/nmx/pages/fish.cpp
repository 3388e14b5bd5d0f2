// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/option_table.hpp"
#include "writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

namespace nmx::pages {
namespace {

std::string fish_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// Under which condition fish offers what belongs to a command.
std::string condition(const CLI::App& app) {
  std::vector<std::string> path;
  for (const CLI::App* one = &app; one->get_parent() != nullptr; one = one->get_parent()) {
    path.insert(path.begin(), "__fish_seen_subcommand_from " + one->get_name());
  }
  std::string further;
  for (const CLI::App* one : subcommands(app)) further += " " + one->get_name();
  if (!further.empty()) path.push_back("not __fish_seen_subcommand_from" + further);
  return fmt::format("{}", fmt::join(path, "; and "));
}

std::string option(const OptionRow& row) {
  std::string out;
  for (const std::string& name : row.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (const auto choices = row.choices(); !choices.empty()) {
    out += fmt::format(" -xa '{}'", fmt::join(choices, " "));
  } else if (row.value == "DIR" || row.value == "FILE") {
    out += " -rF";
  } else if (!row.value.empty() && !row.may_lack_value) {
    out += " -x";
  }
  return out + fmt::format(" -d '{}'", fish_escaped(row.text));
}

}  // namespace

std::string fish_completion(const CLI::App& nmx) {
  std::string out;
  for (const CLI::App* app : with_subcommands(nmx)) {
    const std::string begin = fmt::format("complete -c nmx -n '{}'", condition(*app));
    for (const CLI::App* one : subcommands(*app)) {
      out += fmt::format("{} -fa {} -d '{}'\n", begin, one->get_name(),
                         fish_escaped(one->get_description()));
    }
    for (const OptionRow& row : option_table(*app)) {
      if (!row.is_positional) out += begin + option(row) + "\n";
    }
  }
  return out;
}

}  // namespace nmx::pages
