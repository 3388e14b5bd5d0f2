// SPDX-License-Identifier: BSD-2-Clause
#include "help.hpp"

#include "option_table.hpp"

#include <fmt/format.h>

#include <sstream>

namespace nmx {
namespace {

constexpr std::size_t left_column = 29;
constexpr std::size_t width = 100;

/// Columns, not bytes: of UTF-8 only what begins a character counts.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

/// `left`, and beside it `right`, whose further lines begin where its first does.
std::string beside(const std::string& left, const std::string& right) {
  std::string out = "  " + left;
  std::size_t at = columns(out);
  bool is_first = true;
  std::istringstream words(right);
  for (std::string word; words >> word; is_first = false) {
    if (!is_first && at + 1 + columns(word) <= width) {
      out += " " + word;
      at += 1 + columns(word);
      continue;
    }
    if (!is_first || at >= left_column) {
      out += "\n";
      at = 0;
    }
    out += std::string(left_column - at, ' ') + word;
    at = left_column + columns(word);
  }
  return out + "\n";
}

}  // namespace

std::string Help::make_help(const CLI::App* app, std::string /*name*/,
                            CLI::AppFormatMode /*mode*/) const {
  std::string out = fmt::format("{}\nUsage: {}\n", app->get_description(), usage_line(*app));
  const auto rows = option_table(*app);
  for (const OptionRow& row : rows) {
    if (row.is_positional) out += beside(row.synopsis(), row.text);
  }
  for (const std::string& group : groups(rows)) {
    out += fmt::format("\n{}:\n", group);
    for (const OptionRow& row : rows) {
      if (!row.is_positional && row.group == group) out += beside(row.synopsis(), row.text);
    }
  }
  const auto all = subcommands(*app);
  if (!all.empty()) out += "\nSubcommands:\n";
  for (const CLI::App* one : all) out += beside(one->get_name(), one->get_description());
  if (!app->get_footer().empty()) out += "\n" + app->get_footer() + "\n";
  return out;
}

}  // namespace nmx
