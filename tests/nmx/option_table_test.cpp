// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/option_table.hpp"

#include "nmx/commands.hpp"

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

namespace nmx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class OptionTable : public testing::Test {
 protected:
  OptionTable() { commands_ = add_commands(app_); }

  CLI::App app_;
  std::vector<Command> commands_;
};

bool is_long(const std::string& name) {
  return name.starts_with("--");
}

TEST_F(OptionTable, SaysWhatEachOptionTakesAndDoes) {
  for (const CLI::App* command : with_subcommands(app_)) {
    EXPECT_THAT(command->get_description(), Not(IsEmpty())) << full_name(*command);
    for (const OptionRow& row : option_table(*command)) {
      EXPECT_THAT(row.text, Not(IsEmpty())) << full_name(*command) << " " << row.synopsis();
      EXPECT_NE(row.value, "TEXT") << full_name(*command) << " " << row.synopsis();
    }
  }
}

TEST_F(OptionTable, GivesALetterTheSameLongNameEverywhere) {
  std::map<std::string, std::string> meaning;
  for (const CLI::App* command : with_subcommands(app_)) {
    for (const OptionRow& row : option_table(*command)) {
      const auto whole = std::ranges::find_if(row.names, is_long);
      if (row.is_positional || whole == row.names.end()) continue;
      for (const std::string& name : row.names) {
        if (is_long(name)) continue;
        EXPECT_EQ(meaning.try_emplace(name, *whole).first->second, *whole)
            << name << " of " << full_name(*command);
      }
    }
  }
}

TEST_F(OptionTable, MakesHelpThatFitsAScreen) {
  constexpr int lines = 50;
  for (const CLI::App* command : with_subcommands(app_)) {
    const std::string help = command->help();
    EXPECT_LE(std::ranges::count(help, '\n'), lines) << full_name(*command);
  }
}

TEST_F(OptionTable, TellsValuesThatAreChoicesOrMayLack) {
  CLI::App app("", "it");
  std::string text;
  app.add_option("--mode", text, "How")->type_name("fast|slow");
  app.add_flag("--json{object}")->type_name("object|lines")->description("What");
  app.add_flag("-q,--quiet")->description("Nothing");
  const auto rows = option_table(app);
  ASSERT_EQ(rows.size(), 4U);  // and --help
  EXPECT_EQ(rows[1].synopsis(), "--mode fast|slow");
  EXPECT_THAT(rows[1].choices(), ElementsAre("fast", "slow"));
  EXPECT_EQ(rows[2].synopsis(), "--json[=object|lines]");
  EXPECT_EQ(rows[3].synopsis(), "-q, --quiet");
  EXPECT_THAT(rows[3].choices(), IsEmpty());
}

TEST_F(OptionTable, WritesUsage) {
  CLI::App app("", "it");
  std::vector<std::string> ports;
  app.add_option("ports,-i", ports, "Ports")->type_name("PORT")->expected(1, 2)->required();
  EXPECT_EQ(usage_line(app), "it [OPTION…] PORT [PORT]");
  EXPECT_EQ(full_name(*app_.get_subcommand("switch")->get_subcommand("create")),
            "nmx switch create");
}

}  // namespace
}  // namespace nmx
