// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace nmx {

/// The whole terminal, until it is gone. One at a time.
class Screen {
 public:
  /// Nothing if stdout is no terminal, or one that nothing is known of.
  static std::optional<Screen> open();

  /// Shows these lines, the first as a title, the last if it has no more room cut off.
  void show(const std::string& title, const std::string& lines);
  /// Waits for a key, for so long at most; 0 if none came.
  int key(std::chrono::milliseconds patience);

 private:
  struct Terminal;
  struct Close {
    void operator()(Terminal* terminal) const;
  };
  explicit Screen(std::unique_ptr<Terminal, Close> terminal) : terminal_(std::move(terminal)) {}
  std::unique_ptr<Terminal, Close> terminal_;
};

}  // namespace nmx
