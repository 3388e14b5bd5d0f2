// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/option_table.hpp"
#include "writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace nmx::pages {
namespace {

/// In single quotes for zsh's _arguments, where brackets and colons mean something.
std::string zsh_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string action(const OptionRow& row) {
  if (const auto choices = row.choices(); !choices.empty()) {
    return fmt::format("({})", fmt::join(choices, " "));
  }
  if (row.value == "DIR") return "_files -/";
  if (row.value == "PORT") return "_net_interfaces";
  return row.value == "FILE" ? "_files" : "()";
}

/// `place`: which argument it is, if it is no option; "*" for the last one and all further.
std::string specification(const OptionRow& row, const std::string& place) {
  const std::string value =
      row.value.empty() ? "" : fmt::format(":{}:{}", zsh_escaped(row.value), action(row));
  if (row.is_positional) return fmt::format(" '{}{}'", place, value);
  std::string out;
  for (const std::string& name : row.names) {
    const char* const glue = row.may_lack_value ? "=-" : "";
    const std::string optional = row.may_lack_value ? ":" + value : value;
    out += fmt::format(" '*{}{}[{}]{}'", name, glue, zsh_escaped(row.text), optional);
  }
  return out;
}

std::string specifications(const CLI::App& app) {
  std::string out;
  const auto rows = option_table(app);
  const auto arguments = std::ranges::count_if(rows, &OptionRow::is_positional);
  std::ptrdiff_t number = 0;
  for (const OptionRow& row : rows) {
    number += row.is_positional ? 1 : 0;
    out += specification(row, number == arguments ? "*" : std::to_string(number));
  }
  std::vector<std::string> further;
  for (const CLI::App* one : subcommands(app)) further.push_back(one->get_name());
  if (!further.empty()) out += fmt::format(" '1:subcommand:({})'", fmt::join(further, " "));
  return out;
}

}  // namespace

std::string zsh_completion(const CLI::App& nmx) {
  std::string cases;
  for (const CLI::App* app : with_subcommands(nmx)) {
    cases += fmt::format("    '{}') _arguments -s{} ;;\n", full_name(*app), specifications(*app));
  }
  return fmt::format(R"sh(#compdef nmx
_nmx() {{
  local command=nmx word
  for word in ${{words[2,CURRENT-1]}}; do
    case "$command $word" in
      ({})
        command="$command $word"
        shift words
        (( CURRENT-- ))
        ;;
    esac
  done
  case $command in
{}  esac
}}
_nmx "$@"
)sh",
                     fmt::join(quoted_names(nmx), "|"), cases);
}

}  // namespace nmx::pages
