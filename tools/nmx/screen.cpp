// SPDX-License-Identifier: BSD-2-Clause
#include "screen.hpp"

#include <sstream>

#include <curses.h>
#include <unistd.h>

namespace nmx {

struct Screen::Terminal {
  SCREEN* screen;
};

void Screen::Close::operator()(Terminal* terminal) const {
  endwin();
  delscreen(terminal->screen);
  delete terminal;
}

std::optional<Screen> Screen::open() {
  if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0) return {};
  SCREEN* const screen = newterm(nullptr, stdout, stdin);
  if (screen == nullptr) return {};
  Screen opened(std::unique_ptr<Terminal, Close>(new Terminal{screen}));
  cbreak();
  noecho();
  curs_set(0);
  return opened;
}

void Screen::show(const std::string& title, const std::string& lines) {
  erase();
  attron(A_REVERSE);
  mvaddnstr(0, 0, title.c_str(), COLS);
  attroff(A_REVERSE);
  std::istringstream rest(lines);
  int row = 1;
  for (std::string line; row < LINES && std::getline(rest, line); ++row) {
    mvaddnstr(row, 0, line.c_str(), COLS);
  }
  refresh();
}

int Screen::key(std::chrono::milliseconds patience) {
  timeout(static_cast<int>(patience.count()));
  const int key = getch();
  return key == ERR ? 0 : key;
}

}  // namespace nmx
