// SPDX-License-Identifier: BSD-2-Clause
#include "balance_ports.hpp"

#include "ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace nmx {

using netmap::Error;
using netmap::Port;
using netmap::Result;
namespace {

constexpr std::uint32_t most_pipes = 256;

std::unexpected<Error> refuse(netmap::errc code, std::string sentence) {
  return std::unexpected(Error(code, std::move(sentence)));
}

/// "x" of "x}1"; of any other name all.
std::string_view base_of(std::string_view name) {
  return name.substr(0, name.find_first_of("{}"));
}

/// Opens a pipe's end for sending, where `owner` is if it is given.
Result<Port> open_pipe(const std::string& name, const BalanceOptions& options, const Port* owner,
                       std::uint32_t extra_buffers) {
  const std::uint16_t memory_id = owner != nullptr ? owner->info().memory_id : std::uint16_t{0};
  auto pipe = netmap::open(
      name + "/T",
      {.device = options.device, .extra_buffers = extra_buffers, .memory_id = memory_id});
  if (!pipe || owner == nullptr || pipe->info().memory_id == memory_id) return pipe;
  return refuse(netmap::errc::not_supported,
                fmt::format("'{}' is not in the memory of '{}', so that packets would have to be "
                            "copied; end the programs that have the pipe open, or start them after "
                            "nmx balance",
                            pipe->info().name, owner->info().name));
}

Result<Port> open_input(const BalanceOptions& options, std::uint32_t extra_buffers) {
  auto input = netmap::open(
      options.port,
      {.device = options.device, .extra_buffers = extra_buffers, .faults = options.faults});
  if (!input) return input;
  if (!input->rx_rings().empty()) return input;
  return refuse(netmap::errc::no_such_ring,
                fmt::format("'{}' is open without rx rings, so that nothing comes from it",
                            input->info().name));
}

/// Takes the extra buffers of the port that was asked for them.
Result<> take_buffers(Balance& work, Port& from, const BalanceOptions& options, bool is_chain) {
  const std::size_t got = from.extra_buffers();
  const std::size_t wanted = options.overflow + (is_chain ? 1U : 0U);
  if (got < wanted) {
    return refuse(netmap::errc::not_supported,
                  fmt::format("'{}' has {} of the {} extra buffers that were asked for; ask for "
                              "fewer by --overflow, or give the device more memory",
                              from.info().name, got, wanted));
  }
  if (is_chain) work.spare = *from.take_buffer();
  while (work.overflow.size() != options.overflow) work.overflow.push_back(*from.take_buffer());
  return {};
}

}  // namespace

std::expected<PipeGroup, std::string> parse_pipe_group(std::string_view text) {
  PipeGroup group;
  const auto colon = text.rfind(':');
  const std::string_view number = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (colon != std::string_view::npos) group.name = text.substr(0, colon);
  const char* const end = number.data() + number.size();
  const auto [read, error] = std::from_chars(number.data(), end, group.pipes);
  const bool is_number = error == std::errc() && read == end;
  if (is_number && group.pipes >= 1 && group.pipes <= most_pipes && group.name != "") return group;
  return std::unexpected(
      fmt::format("'{}' is no group of pipes; one looks like 4 or NAME:4, and has "
                  "at most {}",
                  text, most_pipes));
}

Result<std::vector<std::vector<std::string>>> name_pipes(const std::string& input,
                                                         const std::vector<PipeGroup>& groups) {
  const auto parsed = netmap::parse_port_name(input);
  if (!parsed) return std::unexpected(parsed.error());
  const bool has_pipe = base_of(parsed->name) != parsed->name;
  std::map<std::string, std::uint32_t> used;
  std::vector<std::vector<std::string>> names;
  for (const PipeGroup& group : groups) {
    if (!group.name && (parsed->capture || has_pipe)) {
      return refuse(netmap::errc::conflicting_options,
                    fmt::format("'{}' cannot lend its name to pipes; give them one, "
                                "--pipes NAME:{}",
                                input, group.pipes));
    }
    const std::string base = group.name.value_or(parsed->name);
    auto& mine = names.emplace_back();
    for (std::uint32_t k = 0; k != group.pipes; ++k) {
      const std::uint32_t id = used[base]++;
      if (has_pipe && base == base_of(parsed->name) &&
          parsed->name.substr(base.size() + 1) == std::to_string(id)) {
        return refuse(netmap::errc::conflicting_options,
                      fmt::format("'{}' is an end of the pipe that packets come from; give the "
                                  "pipes another name, --pipes NAME:{}",
                                  base + "{" + std::to_string(id), group.pipes));
      }
      mine.push_back(base + "{" + std::to_string(id));
    }
  }
  return names;
}

Result<Balance> open_balance(const BalanceOptions& options) {
  const auto names = name_pipes(options.port, options.groups);
  if (!names) return std::unexpected(names.error());
  const bool is_chain = names->size() > 1;
  const std::uint32_t extra = options.overflow + (is_chain ? 1U : 0U);
  auto input = open_input(options, extra);
  if (!input) return std::unexpected(input.error());
  const bool is_copied = is_capture(input->info());
  if (is_copied && options.overflow != 0) {
    return refuse(netmap::errc::conflicting_options,
                  "--overflow has no use for a capture: it waits until its pipes have room");
  }

  Balance work{.input = std::move(*input)};
  for (const auto& group : *names) {
    work.groups.push_back({work.outlets.size(), group.size()});
    const bool is_followed = work.groups.size() != names->size();
    for (const std::string& name : group) {
      const bool is_owner = is_copied && work.outlets.empty();
      const Port* owner = !is_copied ? &work.input
                          : is_owner ? nullptr
                                     : &work.outlets.front().port();
      auto pipe = open_pipe(name, options, owner, is_owner ? extra : 0);
      if (!pipe) return std::unexpected(pipe.error());
      work.outlets.emplace_back(std::move(*pipe), is_followed);
    }
  }
  Port& owner = is_copied ? work.outlets.front().port() : work.input;
  if (auto taken = take_buffers(work, owner, options, is_chain); !taken) {
    return std::unexpected(taken.error());
  }
  return work;
}

}  // namespace nmx
