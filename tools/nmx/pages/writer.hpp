// SPDX-License-Identifier: BSD-2-Clause
//
// What is made of the subcommands' option tables when nmx is built.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nmx::pages {

/// A page for man(1), section 1, of nmx or one of its subcommands.
[[nodiscard]] std::string manual(const CLI::App& app);

/// "nmx-switch-create"
[[nodiscard]] std::string page_name(const CLI::App& app);

/// 'nmx gen', 'nmx switch', 'nmx switch create' …, as a pattern of a shell's.
[[nodiscard]] std::vector<std::string> quoted_names(const CLI::App& nmx);

[[nodiscard]] std::string bash_completion(const CLI::App& nmx);
[[nodiscard]] std::string zsh_completion(const CLI::App& nmx);
[[nodiscard]] std::string fish_completion(const CLI::App& nmx);

}  // namespace nmx::pages
