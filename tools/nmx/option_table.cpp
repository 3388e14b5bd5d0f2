// SPDX-License-Identifier: BSD-2-Clause
#include "option_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace nmx {
namespace {

/// What a plain flag is when it is given.
constexpr const char* plain = "true";

/// Without the conditions on it, which CLI11 puts behind a colon.
std::string value_of(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  std::string bare = name.substr(0, name.find(':'));
  if (bare == "UINT" || bare == "FLOAT") return "N";
  return bare;
}

std::string text_of(const CLI::Option& option) {
  std::string initial = option.get_default_str();
  if (initial.starts_with('[')) initial = initial.substr(1, initial.size() - 2);
  if (initial.empty()) return option.get_description();
  return fmt::format("{} [{}]", option.get_description(), initial);
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row{.names = {},
                .value = value_of(option),
                .text = text_of(option),
                .group = option.get_group(),
                .is_positional = false,
                .is_required = option.get_required(),
                .may_lack_value = false,
                .is_repeatable = option.get_items_expected_max() > 1};
  for (const std::string& name : option.get_snames()) row.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) row.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) {
    row.may_lack_value = option.get_flag_value(option.get_single_name(), "") != plain;
    if (!row.may_lack_value) row.value.clear();
  }
  return row;
}

OptionRow positional(OptionRow row) {
  row.is_positional = true;
  row.names = {row.value};
  return row;
}

}  // namespace

std::string OptionRow::synopsis() const {
  if (is_positional) return names.front();
  const std::string all = fmt::format("{}", fmt::join(names, ", "));
  if (may_lack_value) return fmt::format("{}[={}]", all, value);
  return value.empty() ? all : all + " " + value;
}

std::vector<std::string> OptionRow::choices() const {
  std::vector<std::string> choices;
  if (value.find('|') == std::string::npos) return choices;
  std::istringstream rest(value);
  for (std::string one; std::getline(rest, one, '|');) choices.push_back(one);
  return choices;
}

std::vector<OptionRow> option_table(const CLI::App& app) {
  std::vector<OptionRow> arguments;
  std::vector<OptionRow> options;
  for (const CLI::Option* option : app.get_options()) {
    OptionRow row = row_of(*option);
    if (option->get_positional()) {
      arguments.push_back(positional(row));
      row.text = "The same as an option";
    }
    if (option->nonpositional()) options.push_back(std::move(row));
  }
  std::ranges::move(options, std::back_inserter(arguments));
  return arguments;
}

std::vector<std::string> groups(const std::vector<OptionRow>& rows) {
  std::vector<std::string> groups;
  for (const OptionRow& row : rows) {
    if (!row.is_positional && std::ranges::find(groups, row.group) == groups.end()) {
      groups.push_back(row.group);
    }
  }
  return groups;
}

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::App*> with_subcommands(const CLI::App& app) {
  std::vector<const CLI::App*> all{&app};
  for (const CLI::App* one : subcommands(app))
    std::ranges::copy(with_subcommands(*one), std::back_inserter(all));
  return all;
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

std::string usage_line(const CLI::App& app) {
  std::string line = full_name(app) + " [OPTION…]";
  if (!subcommands(app).empty()) line += " SUBCOMMAND";
  for (const OptionRow& row : option_table(app)) {
    if (!row.is_positional) continue;
    line += row.is_required ? " " + row.value : fmt::format(" [{}]", row.value);
    if (row.is_repeatable) line += fmt::format(" [{}]", row.value);
  }
  return line;
}

}  // namespace nmx
