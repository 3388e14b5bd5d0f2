// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace nmx_test {

/// A directory of this test's own, gone at its end.
class Directory {
 public:
  explicit Directory(const std::string& parent) : path_(parent + "/nmx-test-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory in " + parent);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Runs nmx on the embedded device, in a domain of the test's own.
class OnEmbedded : public testing::Test {
 protected:
  OnEmbedded() {
    setenv("NETMAP_DEVICE", "embedded", 1);
    setenv("NETMAP_DOMAIN", domain_.path().c_str(), 1);
  }
  [[nodiscard]] const std::string& domain() const { return domain_.path(); }

 private:
  Directory domain_{"/dev/shm"};
};

}  // namespace nmx_test
