// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"
#include "option_table.hpp"
#include "stop.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr int failure = 1;
constexpr int usage = 2;

int complain(const std::string& sentence, int status) {
  nmx::tell("nmx: {}\n", sentence);
  return status;
}

int complain_of_usage(const CLI::App& app, const std::string& sentence) {
  std::string who = "nmx";
  for (auto chosen = app.get_subcommands(); !chosen.empty();
       chosen = chosen.front()->get_subcommands()) {
    who += " " + chosen.front()->get_name();
  }
  return complain(fmt::format("{}; see '{} --help'", sentence, who), usage);
}

bool has_subcommand(const CLI::App& app, const std::string& name) {
  return std::ranges::any_of(nmx::subcommands(app),
                             [&](const CLI::App* one) { return one->get_name() == name; });
}

int run(int argc, char** argv) {
  CLI::App app;
  const auto commands = nmx::add_commands(app);
  const std::string first = argc > 1 ? argv[1] : "";
  const auto is_first = [&](const nmx::Command& one) { return one.app->get_name() == first; };
  if (!first.empty() && !first.starts_with('-') && std::ranges::none_of(commands, is_first)) {
    return complain_of_usage(app, fmt::format("'{}' is no subcommand", first));
  }
  const std::string second = argc > 2 ? argv[2] : "";
  if (first == "switch" && !second.empty() && !second.starts_with('-') &&
      !has_subcommand(*app.get_subcommand(first), second)) {
    return complain(fmt::format("'{}' is no subcommand of switch; see 'nmx switch --help'", second),
                    usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_help) {
    return app.exit(asked_for_help);
  } catch (const CLI::ParseError& error) {
    return complain_of_usage(app, error.what());
  }
  nmx::catch_stop_signals();
  const auto command =
      std::ranges::find_if(commands, [](const nmx::Command& one) { return one.app->parsed(); });
  const auto done = command->run();
  if (!done) return complain(done.error().message(), failure);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return complain("cannot write to stdout what was asked for", failure);
  }
  return *done;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return complain(error.what(), failure);
  }
}
