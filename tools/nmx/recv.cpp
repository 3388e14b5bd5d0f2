// SPDX-License-Identifier: BSD-2-Clause
#include "fault_option.hpp"
#include "options.hpp"
#include "ports.hpp"
#include "receiver.hpp"
#include "sequence_report.hpp"
#include "tasks.hpp"
#include "tell.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <vector>

namespace nmx {
namespace {

using netmap::Error;
using netmap::Result;

struct RecvOptions : TransferOptions {
  std::optional<std::chrono::milliseconds> silence;
  std::optional<std::chrono::nanoseconds> spin;
  bool numbered = false;
};

Result<int> conclude(const RecvOptions& options, const Traffic& total, const SequenceTally& tally) {
  if (options.numbered && total.packets == 0) tell("no numbered packet came to be checked\n");
  if (options.numbered) tell("{}\n", to_text(tally.counts()));
  if (options.count != 0 && total.packets != options.count) {
    return std::unexpected(
        Error(std::make_error_code(std::errc::interrupted),
              fmt::format("stopped after {} of {} packets", total.packets, options.count)));
  }
  return tally.counts().is_clean() ? 0 : 1;
}

Result<int> recv(const RecvOptions& options) {
  auto ports = open_ports(options, netmap::Direction::rx);
  if (!ports) return std::unexpected(ports.error());
  const netmap::PortInfo& info = ports->front().info();
  tell("nmx recv: {}\n", describe(info));
  wait_for_link(info, options.link_wait);

  Budget budget(options.count);
  SequenceTally tally;
  std::vector<Receiver> receivers;
  receivers.reserve(ports->size());
  std::vector<Task> tasks;
  for (unsigned k = 0; k < ports->size(); ++k) {
    auto& mine = receivers.emplace_back(
        (*ports)[k], ReceiverOptions{.batch = options.batch,
                                     .spin = options.spin.value_or(default_spin),
                                     .budget = &budget,
                                     .tally = options.numbered ? &tally : nullptr});
    tasks.push_back({[&mine](Counters& counters) { return mine.run(counters); },
                     options.cpu ? std::optional(*options.cpu + k) : std::nullopt});
  }
  const auto remarks = [&tally] { return remark(tally.counts()); };
  const Report report(options.report, identify("recv", info),
                      options.numbered ? std::function<Remarks()>(remarks) : nullptr);
  const auto total =
      run(std::move(tasks), report, {.alone = alone(info), .silence = options.silence});
  if (!total) return std::unexpected(total.error());
  report.total("received", *total);
  say_faults(options.faults, *ports);
  return conclude(options, *total, tally);
}

}  // namespace

Command add_recv(CLI::App& nmx) {
  auto options = std::make_shared<RecvOptions>();
  CLI::App* app = nmx.add_subcommand("recv", "Receive packets, and check what gen --seq numbered");
  add_transfer_options(*app, *options);
  add_spin_option(*app, options->spin);
  app->get_option("--spin")->description("Never sleep (--spin=1ms: sleep after so long) [50us]");
  add_silence_option(*app, options->silence);
  app->add_flag("--seq", options->numbered,
                "Check numbers and every byte; succeed only if all is as it was sent");
  return {app, [options] { return recv(*options); }};
}

}  // namespace nmx
