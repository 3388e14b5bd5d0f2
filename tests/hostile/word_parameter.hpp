// SPDX-License-Identifier: BSD-2-Clause
//
// How a case of each word is called.
#pragma once

#include "hostile/records.hpp"

#include <algorithm>
#include <cctype>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

namespace netmap::embedded {

inline void PrintTo(const SharedWord& word, std::ostream* out) {
  *out << word.name;
}

inline std::string name_of(const testing::TestParamInfo<SharedWord>& info) {
  std::string name = info.param.name;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

}  // namespace netmap::embedded
