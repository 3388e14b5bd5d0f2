// SPDX-License-Identifier: BSD-2-Clause
//
// What a subcommand can be told, as rows: --help, the manual and the shells' completion are made
// from these and nothing else.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nmx {

struct OptionRow {
  std::vector<std::string> names;  ///< "-n", "--count"; of a positional argument its value
  std::string value;               ///< "N", "native|generic"; empty if it takes none
  std::string text;
  std::string group;
  bool is_positional;
  bool is_required;
  bool may_lack_value;  ///< --json, --json=lines
  bool is_repeatable;

  /// "-n, --count N"
  [[nodiscard]] std::string synopsis() const;
  /// What there is to choose from, if the value says so.
  [[nodiscard]] std::vector<std::string> choices() const;
};

/// Positional arguments first, then options as they were added; of those that are both, both.
[[nodiscard]] std::vector<OptionRow> option_table(const CLI::App& app);

/// The rows' groups, each once, in their order.
[[nodiscard]] std::vector<std::string> groups(const std::vector<OptionRow>& rows);

/// Its subcommands, in their order.
[[nodiscard]] std::vector<const CLI::App*> subcommands(const CLI::App& app);

/// It, its subcommands, and theirs.
[[nodiscard]] std::vector<const CLI::App*> with_subcommands(const CLI::App& app);

/// "nmx switch create"
[[nodiscard]] std::string full_name(const CLI::App& app);

/// "nmx bridge [OPTION…] PORT [PORT]"
[[nodiscard]] std::string usage_line(const CLI::App& app);

}  // namespace nmx
