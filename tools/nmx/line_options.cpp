// SPDX-License-Identifier: BSD-2-Clause
#include "line_options.hpp"

#include "duration.hpp"
#include "quantity.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace nmx {
namespace {

using Parsed = std::expected<void, std::string>;

template <class Value, class Member>
Parsed put(const std::expected<Value, std::string>& parsed, Member& into) {
  if (!parsed) return std::unexpected(parsed.error());
  into = static_cast<Member>(*parsed);
  return {};
}

Parsed set_delay(LineOptions& line, std::string_view text) {
  return put(parse_duration(text), line.delay);
}

Parsed set_jitter(LineOptions& line, std::string_view text) {
  constexpr std::string_view exponential = "exp:";
  line.is_exponential = text.starts_with(exponential);
  if (line.is_exponential) text.remove_prefix(exponential.size());
  return put(parse_duration(text), line.jitter);
}

Parsed set_bandwidth(LineOptions& line, std::string_view text) {
  line.bandwidth = 0;
  if (text == "none") return {};
  auto parsed = put(parse_quantity(text), line.bandwidth);
  if (!parsed || line.bandwidth >= 1) return parsed;
  return std::unexpected(fmt::format("'{}' is less than a bit a second", text));
}

Parsed set_queue(LineOptions& line, std::string_view text) {
  return put(parse_quantity(text), line.queue);
}

Parsed set_loss(LineOptions& line, std::string_view text) {
  return put(parse_probability(text), line.loss);
}

Parsed set_bit_errors(LineOptions& line, std::string_view text) {
  return put(parse_probability(text), line.bit_errors);
}

/// "0.01+5ms" or "0".
Parsed set_reorder(LineOptions& line, std::string_view text) {
  const std::size_t plus = std::min(text.find('+'), text.size());
  auto parsed = put(parse_probability(text.substr(0, plus)), line.reorder);
  if (!parsed || line.reorder == 0) return parsed;
  if (plus == text.size()) {
    return std::unexpected(fmt::format("'{}' does not say for how long, as 0.01+5ms does", text));
  }
  return put(parse_duration(text.substr(plus + 1)), line.held_back);
}

Parsed set_hold(LineOptions& line, std::string_view text) {
  return put(parse_quantity(text), line.hold);
}

struct Row {
  std::string_view key;
  Parsed (*set)(LineOptions&, std::string_view);
  const char* value;
  const char* text;
};

constexpr Row rows[] = {
    {"delay", set_delay, "TIME", "How long each packet takes [0]"},
    {"jitter", set_jitter, "TIME", "And up to so much longer, or on average by exp:TIME [0]"},
    {"bandwidth", set_bandwidth, "BITS", "Bits a second: 100M; none: no limit [none]"},
    {"queue", set_queue, "BYTES", "May wait for the bandwidth; what exceeds it is dropped [50k]"},
    {"loss", set_loss, "N", "A packet gets lost with this probability: 0.01 [0]"},
    {"bit-errors", set_bit_errors, "N", "A bit gets damaged, and its packet lost: 1e-7 [0]"},
    {"reorder", set_reorder, "N+TIME", "A packet is held back for so long: 0.01+5ms [0]"},
    {"hold", set_hold, "BYTES", "Memory for packets under way; others are dropped [256M]"}};

Parsed set(LineOptions& line, std::string_view key, std::string_view value) {
  for (const Row& row : rows) {
    if (row.key == key) return row.set(line, value);
  }
  std::string keys;
  for (const Row& row : rows) keys += fmt::format("{}{}", keys.empty() ? "" : ", ", row.key);
  return std::unexpected(fmt::format("a line has no '{}', but {}", key, keys));
}

void throw_if_wrong(const Parsed& parsed) {
  if (!parsed) throw CLI::ValidationError(parsed.error());
}

constexpr const char* line_group = "Each way";

}  // namespace

std::expected<LineOptions, std::string> parse_line(const std::string& text, LineOptions options) {
  std::istringstream rest(text);
  for (std::string one; std::getline(rest, one, ',');) {
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string value = one.substr(std::min(one.size(), equals + 1));
    if (auto parsed = set(options, one.substr(0, equals), value); !parsed) {
      return std::unexpected(parsed.error());
    }
  }
  return options;
}

void add_line_options(CLI::App& app, LinkOptions& options) {
  for (const Row& row : rows) {
    app.add_option_function<std::string>(
           "--" + std::string(row.key),
           [&options, &row](const std::string& text) {
             throw_if_wrong(row.set(options.there, text));
           },
           row.text)
        ->type_name(row.value)
        ->group(line_group);
  }
  app.add_flag_callback(
         "--framing", [&options] { options.there.overhead = framing_bytes; },
         "Bandwidth and queue count preamble, CRC and gap, too: 24 bytes a packet")
      ->group(line_group);
  auto back = std::make_shared<std::string>();
  app.add_option("--back", *back, "What differs from B to A: delay=1ms,bandwidth=none")
      ->type_name("KEY=VALUE,…")
      ->group(line_group);
  app.callback([&options, back] {
    const auto parsed = parse_line(*back, options.there);
    if (!parsed) throw CLI::ValidationError(parsed.error());
    options.back = *parsed;
  });
}

}  // namespace nmx
