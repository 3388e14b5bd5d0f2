// SPDX-License-Identifier: BSD-2-Clause
#include "balance_ports.hpp"
#include "balancer.hpp"
#include "fault_option.hpp"
#include "options.hpp"
#include "ports.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace nmx {
namespace {

using netmap::Result;
using namespace std::chrono_literals;

/// What the interval's line and the JSON say of the pipes.
Remarks remarks(const Balance& work, const Balancer& balancer) {
  Json pipes = Json::array();
  std::string text;
  std::uint64_t forwarded = 0;
  std::uint64_t dropped = 0;
  std::uint64_t queued = 0;
  for (std::size_t g = 0; g != work.groups.size(); ++g) {
    const auto [first, count] = work.groups[g];
    for (std::size_t n = first; n != first + count; ++n) {
      const Outlet& outlet = work.outlets[n];
      pipes.push_back({{"pipe", outlet.info().name},
                       {"group", g},
                       {"forwarded", outlet.forwarded()},
                       {"dropped", outlet.dropped()},
                       {"queued", outlet.queued()}});
      forwarded += outlet.forwarded();
      dropped += outlet.dropped();
      queued += outlet.queued();
      text += fmt::format("  {} {}", outlet.info().name, outlet.forwarded());
      if (outlet.dropped() != 0) text += fmt::format(" -{}", outlet.dropped());
      if (outlet.queued() != 0) text += fmt::format(" +{}", outlet.queued());
    }
  }
  return {.text = text.empty() ? text : text.substr(2),
          .json = {{"non_ip", balancer.non_ip()},
                   {"forwarded", forwarded},
                   {"dropped", dropped},
                   {"queued", queued},
                   {"free_buffers", balancer.free_buffers()},
                   {"pipes", pipes}}};
}

void say_pipes(const Balance& work) {
  for (const Outlet& outlet : work.outlets) {
    tell("{}: forwarded {}, dropped {}, still queued {}\n", outlet.info().name, outlet.forwarded(),
         outlet.dropped(), outlet.queued());
  }
}

Result<int> balance(const BalanceOptions& options) {
  auto work = open_balance(options);
  if (!work) return std::unexpected(work.error());
  const netmap::PortInfo& info = work->input.info();
  tell("nmx balance: {}; to {} pipes in {} {}, '{}' to '{}'\n", describe(info),
       work->outlets.size(), work->groups.size(), work->groups.size() == 1 ? "group" : "groups",
       work->outlets.front().info().name, work->outlets.back().info().name);
  wait_for_link(info, options.link_wait);

  Balancer balancer(*work, options.batch, options.count, options.spin);
  const Report report(options.report, identify("balance", info),
                      [&] { return remarks(*work, balancer); });
  std::vector<Task> tasks;
  tasks.push_back({[&](Counters& counters) { return balancer.run(counters); }, options.cpu});
  const auto total = run(std::move(tasks), report, {.alone = alone(info)});
  if (!total) return std::unexpected(total.error());
  report.total("received", *total);
  say_pipes(*work);
  say_faults(options.faults, {&work->input, 1});
  if (balancer.left() != 0) {
    tell("{} slots were sent, but nobody has taken them\n", balancer.left());
  }
  return 0;
}

}  // namespace

Command add_balance(CLI::App& nmx) {
  auto options = std::make_shared<BalanceOptions>();
  options->batch = 1024;
  CLI::App* app =
      nmx.add_subcommand("balance", "Spread a port's packets over pipes, each flow to one pipe");
  add_port_options(*app, *options);
  add_batch_option(*app, options->batch);
  add_spin_option(*app, options->spin);
  app->get_option("--spin")->description("Never sleep (--spin=1ms: sleep after so long) [50us]");
  app->add_option_function<std::vector<std::string>>(
         "--pipes",
         [options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             auto group = parse_pipe_group(text);
             if (!group) throw CLI::ValidationError(group.error());
             options->groups.push_back(*group);
           }
         },
         "N or NAME:N pipes, NAME{0, NAME{1, …, by default of the port's name; repeated: what "
         "one group has read goes on to the next [2]")
      ->type_name("GROUP")
      ->allow_extra_args(false);
  app->add_option("--overflow", options->overflow,
                  "Extra buffers for packets that a full pipe has no room for [0: dropped]")
      ->check(CLI::Range(0U, 1'000'000U));
  app->callback([options] {
    if (options->groups.empty()) options->groups.push_back({});
  });
  return {app, [options] { return balance(*options); }};
}

}  // namespace nmx
