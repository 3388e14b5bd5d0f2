// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace nmx {

/// An option whose text `parse` turns into a value or, as std::expected, a sentence.
template <class Value, class Parse>
CLI::Option* add_parsed_option(CLI::App& app, const std::string& name, Value& value, Parse parse,
                               const std::string& description) {
  return app.add_option_function<std::string>(
      name,
      [&value, parse, name](const std::string& text) {
        auto parsed = parse(text);
        if (!parsed) throw CLI::ValidationError(name.substr(name.find(',') + 1), parsed.error());
        value = *parsed;
      },
      description);
}

}  // namespace nmx
