// SPDX-License-Identifier: BSD-2-Clause
//
// What goes on in the domain beside the lanes: ports that come and go, of all kinds.
#pragma once

#include "soak/stage.hpp"

#include <cstdint>
#include <string>

namespace netmap::soak {

class Aside {
 public:
  /// `who` is part of the names of its ports, and nobody else's; `files` a directory for captures.
  Aside(const Opener& opener, std::string who, std::string files, std::uint64_t seed)
      : opener_(&opener), who_(std::move(who)), files_(std::move(files)), random_(seed) {}

  /// One of the operations; throws if something is not as it must be.
  void do_something();
  /// Each of them once.
  void do_each();

 private:
  struct Pipe {
    Port left;
    Port right;
  };
  using Operation = void (Aside::*)();
  static const std::vector<Operation>& operations();

  void use_another_region();
  void use_the_same_region();
  void use_faults();
  void use_offsets();
  void use_loops();
  void use_captures();
  void use_null_port();
  void ask();

  [[nodiscard]] Pipe open_pipe(const std::string& name, const PortOptions& left,
                               const PortOptions& right = {}) const;
  void transfer(Pipe& pipe, std::uint64_t packets);

  const Opener* opener_;
  std::string who_;
  std::string files_;
  Random random_;
};

}  // namespace netmap::soak
