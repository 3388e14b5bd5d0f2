// SPDX-License-Identifier: BSD-2-Clause
#include "commands.hpp"

#include "help.hpp"

#include <CLI/CLI.hpp>

namespace nmx {

std::vector<Command> add_commands(CLI::App& nmx) {
  nmx.name("nmx");
  nmx.description("Moves packets through netmap ports: network cards, VALE switches, pipes.");
  nmx.formatter(std::make_shared<Help>());
  nmx.set_help_flag("-h,--help", "Print this and exit");
  nmx.require_subcommand(1);
  return {add_gen(nmx),     add_recv(nmx),    add_ping(nmx),    add_pong(nmx),  add_bridge(nmx),
          add_balance(nmx), add_emulate(nmx), add_rfc2544(nmx), add_dedup(nmx), add_capture(nmx),
          add_replay(nmx),  add_extcap(nmx),  add_switch(nmx),  add_info(nmx),  add_run(nmx),
          add_top(nmx),     add_demo(nmx)};
}

}  // namespace nmx
