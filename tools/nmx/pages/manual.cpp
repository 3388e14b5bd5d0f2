// SPDX-License-Identifier: BSD-2-Clause
#include "nmx/option_table.hpp"
#include "writer.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace nmx::pages {
namespace {

/// As text of man(7): no hyphen may become a dash, and no line a request.
std::string man_escaped(const std::string& text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '-') out += '\\';
    out += c == '\\' ? std::string("\\e") : std::string(1, c);
    begins = c == '\n';
  }
  return out;
}

std::string heading(const char* level, const std::string& text) {
  std::string capitals = text;
  std::ranges::transform(capitals, capitals.begin(),
                         [](unsigned char c) { return std::toupper(c); });
  return fmt::format(".{} {}\n", level, capitals);
}

std::string item(const std::string& what, const std::string& text) {
  return fmt::format(".TP\n.B {}\n{}\n", man_escaped(what), man_escaped(text));
}

std::string options(const CLI::App& app) {
  const auto rows = option_table(app);
  std::string out = rows.empty() ? "" : heading("SH", "options");
  for (const OptionRow& row : rows) {
    if (row.is_positional) out += item(row.synopsis(), row.text);
  }
  for (const std::string& group : groups(rows)) {
    if (group != "Options") out += heading("SS", group);
    for (const OptionRow& row : rows) {
      if (!row.is_positional && row.group == group) out += item(row.synopsis(), row.text);
    }
  }
  return out;
}

std::string subcommand_list(const CLI::App& app) {
  const auto all = subcommands(app);
  std::string out = all.empty() ? "" : heading("SH", "subcommands");
  for (const CLI::App* one : all) out += item(page_name(*one) + "(1)", one->get_description());
  return out;
}

/// Lines that stand as they are.
std::string verbatim(const std::string& text) {
  return fmt::format(".nf\n{}\n.fi\n", man_escaped(text));
}

constexpr const char* ending =
    ".SH ENVIRONMENT\n"
    ".TP\n.B NETMAP_DEVICE\nkernel or embedded, where \\-\\-device does not say.\n"
    ".TP\n.B NETMAP_DOMAIN\nThe directory where ports of the embedded device meet.\n"
    ".SH EXIT STATUS\n0 if what was asked for was done, 1 if not, 2 if it was not understood.\n";

}  // namespace

std::string page_name(const CLI::App& app) {
  std::string name = full_name(app);
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string manual(const CLI::App& app) {
  std::string out = fmt::format(".TH {} 1 \"\" netmapxx\n", page_name(app));
  out += heading("SH", "name") + fmt::format("{} \\- {}\n", man_escaped(page_name(app)),
                                             man_escaped(app.get_description()));
  out += heading("SH", "synopsis") + fmt::format(".B {}\n", man_escaped(usage_line(app)));
  if (!app.get_footer().empty()) {
    out += heading("SH", "description") + verbatim(app.get_footer());
  }
  out += options(app) + subcommand_list(app) + ending;
  if (app.get_parent() != nullptr) {
    out += heading("SH", "see also") + man_escaped(page_name(*app.get_parent())) + "(1)\n";
  }
  return out;
}

}  // namespace nmx::pages
