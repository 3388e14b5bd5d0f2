// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/option_table.hpp"
#include "writer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

namespace nmx::pages {
namespace {

/// Its subcommands and options.
std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* one : subcommands(app)) names.push_back(one->get_name());
  for (const OptionRow& row : option_table(app)) {
    if (!row.is_positional) names.insert(names.end(), row.names.begin(), row.names.end());
  }
  return names;
}

/// What bash's compgen makes of a kind of value; empty if nothing.
std::string bash_source(const OptionRow& row) {
  if (const auto choices = row.choices(); !choices.empty()) {
    return fmt::format("-W '{}'", fmt::join(choices, " "));
  }
  if (row.value == "DIR") return "-d";
  if (row.value == "FILE") return "-f";
  if (row.value == "PORT") return "-W \"$(ls /sys/class/net)\"";
  return {};
}

}  // namespace

std::vector<std::string> quoted_names(const CLI::App& nmx) {
  std::vector<std::string> names;
  for (const CLI::App* app : with_subcommands(nmx)) {
    if (app != &nmx) names.push_back("'" + full_name(*app) + "'");
  }
  return names;
}

std::string bash_completion(const CLI::App& nmx) {
  std::string words;
  std::string values;
  for (const CLI::App* app : with_subcommands(nmx)) {
    words +=
        fmt::format("    '{}') words='{}' ;;\n", full_name(*app), fmt::join(words_of(*app), " "));
    for (const OptionRow& row : option_table(*app)) {
      const std::string source = bash_source(row);
      if (source.empty() || row.is_positional || row.may_lack_value) continue;
      for (const std::string& name : row.names) {
        values += fmt::format("    '{} {}') COMPREPLY=($(compgen {} -- \"$now\")); return ;;\n",
                              full_name(*app), name, source);
      }
    }
  }
  return fmt::format(R"sh(_nmx() {{
  local now=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command=nmx words= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case "$command $word" in
      {}) command="$command $word" ;;
    esac
  done
  case "$command $before" in
{}  esac
  case "$command" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$now"))
  [[ $now == -* || ${{#COMPREPLY[@]}} -gt 0 ]] ||
    COMPREPLY=($(compgen -W "$(ls /sys/class/net)" -- "$now"))
}}
complete -F _nmx nmx
)sh",
                     fmt::join(quoted_names(nmx), " | "), values, words);
}

}  // namespace nmx::pages
