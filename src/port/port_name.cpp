// SPDX-License-Identifier: BSD-2-Clause
#include <netmap/port_name.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <functional>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace netmap {
namespace {

constexpr std::string_view netmap_prefix = "netmap:";
constexpr std::string_view pcap_prefix = "pcap:";
constexpr std::string_view name_ends = "-*^/@";
constexpr std::size_t longest_name = abi::request_name_size - 1;
constexpr std::uint16_t largest_ring = 4094;  // where libnetmap stops; the module has far fewer
constexpr std::uint32_t pointer_bits = 64;

struct FlagLetter {
  std::string_view letter;
  std::uint64_t flag;
};
constexpr std::array flag_letters{
    FlagLetter{"x", abi::register_flags::exclusive},
    FlagLetter{"z", abi::register_flags::zcopy_mon},
    FlagLetter{"t", abi::register_flags::monitor_tx},
    FlagLetter{"r", abi::register_flags::monitor_rx},
    FlagLetter{"R", abi::register_flags::rx_rings_only},
    FlagLetter{"T", abi::register_flags::tx_rings_only},
};

// The C library's functions of these names depend on the locale.
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_identifier(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// What is still to be read of the text, or of a piece of it, and the column where that begins.
class Cursor {
 public:
  explicit Cursor(std::string_view text, std::size_t column = 1) : rest_(text), column_(column) {}

  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] std::size_t column() const { return column_; }
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] bool at_digit() const { return !done() && is_digit(rest_.front()); }

  /// Splits off the next `count` characters, or what there is of them.
  Cursor take(std::size_t count) {
    const Cursor piece(rest_.substr(0, count), column_);
    rest_.remove_prefix(piece.rest_.size());
    column_ += piece.rest_.size();
    return piece;
  }
  Cursor take_until(std::string_view stops) { return take(rest_.find_first_of(stops)); }
  Cursor take_while(bool (*wanted)(char)) {
    const auto end = std::ranges::find_if_not(rest_, wanted);
    return take(static_cast<std::size_t>(end - rest_.begin()));
  }
  /// Steps over `literal` if it is next.
  bool skip(std::string_view literal) {
    return rest_.starts_with(literal) && !take(literal.size()).done();
  }

 private:
  std::string_view rest_;
  std::size_t column_;
};

/// Reads `vale[ID]:`; otherwise the cursor is left where that ceased to be possible.
bool skip_vale_prefix(Cursor& in) {
  if (!in.skip(abi::vale_prefix)) return false;
  in.take_while(is_identifier);
  return in.skip(":");
}

/// A key that an option knows, and its value if the text gives one.
struct Key {
  std::string_view name;
  std::function<bool(Cursor)> store;
  bool main = false;  ///< must be given, and `@option=value` gives it
  std::optional<Cursor> value = {};
};
constexpr bool main_key = true;

// The keys that stand for one number, named once for reading and printing.
template <class Conf, class Visit>
void each_conf_number(Conf& conf, Visit visit) {
  visit("tx-rings", conf.tx_rings);
  visit("rx-rings", conf.rx_rings);
  visit("host-tx-rings", conf.host_tx_rings);
  visit("host-rx-rings", conf.host_rx_rings);
  visit("tx-slots", conf.tx_slots);
  visit("rx-slots", conf.rx_slots);
}

template <class Pools, class Visit>
void each_pool_number(Pools& pools, Visit visit) {
  visit("if-num", pools.if_num);
  visit("if-size", pools.if_size);
  visit("ring-num", pools.ring_num);
  visit("ring-size", pools.ring_size);
  visit("buf-num", pools.buf_num);
  visit("buf-size", pools.buf_size);
}

std::string capture_text(const Capture& capture) {
  std::string text;
  if (!capture.rx.empty()) text += ",rx=" + capture.rx;
  if (!capture.tx.empty()) text += ",tx=" + capture.tx;
  if (capture.timed) text += ",timed";
  return std::string(pcap_prefix) + text.substr(std::min<std::size_t>(text.size(), 1));
}

/// One function for each piece of the grammar. It reads its piece and says whether that was well
/// formed; if not, it has left a sentence in error_.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<PortName> parse() {
    Cursor in(text_);
    if (refuse_nul() && (in.skip(pcap_prefix) ? capture(in) : port(in))) return std::move(port_);
    return std::unexpected(Error(make_error_code(errc::bad_name), std::move(error_)));
  }

 private:
  bool fail(const Cursor& at, const std::string& expected) {
    error_ = "port name '" + std::string(text_) + "' at column " + std::to_string(at.column()) +
             ": expected " + expected;
    return false;
  }

  /// Names become C strings sooner or later, where a NUL would silently make another name. The
  /// sentence about it ends the name there too.
  bool refuse_nul() {
    Cursor in(text_);
    text_ = in.take_until(std::string_view("\0", 1)).rest();
    return in.done() || fail(in, "any character but NUL");
  }

  bool port(Cursor& in) {
    return header(in, port_.name, port_.free_pipe_end) && rings(in) && flags_and_memory_id(in) &&
           options(in);
  }

  bool capture(Cursor& in) {
    const Cursor start = in;
    Capture& files = port_.capture.emplace();
    do {
      if (!capture_item(in.take_until(","), start.column(), files)) return false;
    } while (in.skip(","));
    if (files.timed && files.rx.empty()) return fail(start, "a file to read, rx=FILE, to be timed");
    port_.name = capture_text(files);
    return true;
  }

  bool capture_item(Cursor in, std::size_t first_column, Capture& files) {
    const Cursor start = in;
    if (in.rest() == "timed") {
      files.timed = true;
      return true;
    }
    const bool is_tx = in.skip("tx=");
    const bool is_rx = !is_tx && (in.skip("rx=") || in.column() == first_column);
    if (!is_rx && !is_tx) return fail(start, "rx=FILE, tx=FILE or timed");
    if (in.done()) return fail(in, "the name of a file");
    std::string& file = is_tx ? files.tx : files.rx;
    if (!file.empty()) return fail(start, "only one file to be read, and one to be written");
    file = in.rest();
    return true;
  }

  bool header(Cursor& in, std::string& name, bool& free_pipe_end) {
    Cursor piece = in.take_until(name_ends);
    if (!prefix(piece)) return false;
    if (piece.done()) return fail(piece, "a port name");
    if (!pipe(piece, free_pipe_end)) return false;
    name = piece.rest();
    if (free_pipe_end) name.pop_back();
    if (name.size() <= longest_name) return true;
    piece.take(longest_name);
    return fail(piece, "a name of at most " + std::to_string(longest_name) + " characters");
  }

  /// Steps over "netmap:"; VALE's prefix is checked but stays, since it is part of the name.
  bool prefix(Cursor& in) {
    if (in.skip(netmap_prefix)) return true;
    if (in.rest().starts_with(abi::vale_prefix)) {
      Cursor ahead = in;
      return skip_vale_prefix(ahead) || fail(ahead, "':' after the name of the VALE switch");
    }
    return !in.rest().contains(':') || fail(in, "the prefix 'netmap:', 'vale<switch>:' or 'pcap:'");
  }

  bool pipe(Cursor name, bool& free_pipe_end) {
    const Cursor base = name.take_until("{}");
    if (name.done()) return true;
    if (base.done()) return fail(base, "the name of a port before the pipe's bracket");
    const std::string bracket(name.take(1).rest());
    if (name.take_while(is_identifier).done()) {
      return fail(name, "a pipe id (letters, digits, '_') after '" + bracket + "'");
    }
    free_pipe_end = bracket == "{" && name.skip("}");
    return name.done() || fail(name, "the pipe id (letters, digits, '_') to end the name");
  }

  bool rings(Cursor& in) {
    if (in.skip("*")) {
      port_.selection = RingSelection::nic_and_host;
    } else if (in.skip("-")) {
      port_.selection = RingSelection::one_nic;
      return ring_after("'-'", in);
    } else if (in.skip("^")) {
      port_.selection = in.at_digit() ? RingSelection::one_host : RingSelection::host;
      return !in.at_digit() || ring_after("'^'", in);
    }
    return true;
  }

  bool ring_after(const std::string& sign, Cursor& in) {
    return number(in, "a ring number after " + sign, 0, largest_ring, port_.ring);
  }

  bool flags_and_memory_id(Cursor& in) {
    for (;;) {
      Cursor ahead = in;
      if (in.skip("/")) {
        if (!flags(in.take_until("@"))) return false;
      } else if (ahead.skip("@") && ahead.at_digit()) {
        in = ahead;
        if (!memory_id(in)) return false;
      } else {
        return true;
      }
    }
  }

  bool flags(Cursor letters) {
    do {
      const Cursor letter = letters.take(1);
      const auto known = std::ranges::find(flag_letters, letter.rest(), &FlagLetter::letter);
      if (known == flag_letters.end()) return fail(letter, "one of the flags x z t r R T");
      port_.flags |= known->flag;
    } while (!letters.done());
    return true;
  }

  bool memory_id(Cursor& in) {
    const Cursor start = in;
    std::uint16_t id = 0;
    constexpr std::uint16_t largest = std::numeric_limits<std::uint16_t>::max();
    if (!number(in, "a memory id after '@'", 1, largest, id)) return false;
    if (port_.memory_id.value_or(id) != id) {
      return fail(start, "the same memory id as before, " + std::to_string(*port_.memory_id));
    }
    port_.memory_id = id;
    return true;
  }

  bool options(Cursor& in) {
    while (in.skip("@")) {
      if (!option(in.take_until("@"))) return false;
    }
    return in.done() || fail(in, "'/', '@' or the end of the name");
  }

  bool option(Cursor in) {
    const Cursor start = in;
    const std::string_view name = in.take_until(":=").rest();
    if (name == "conf") return conf(in);
    if (name == "share") return once(start, port_.share) && share(in);
    if (name == "extmem") return once(start, port_.extmem) && extmem(in);
    if (name == "offset") return once(start, port_.offset) && offset(in);
    return fail(start,
                "an option after '@' (conf, share, extmem, offset) or, before any, a memory id");
  }

  template <class Field>
  bool once(const Cursor& option, std::optional<Field>& field) {
    if (field) return fail(option, "this option only once");
    field.emplace();
    return true;
  }

  bool conf(Cursor in) {
    PortConf& conf = port_.conf;
    std::vector<Key> known{{"rings", into(conf.tx_rings, conf.rx_rings)},
                           {"host-rings", into(conf.host_tx_rings, conf.host_rx_rings)},
                           {"slots", into(conf.tx_slots, conf.rx_slots)}};
    each_conf_number(conf, [&](auto key, auto& field) { known.push_back({key, into(field)}); });
    return keys(in, std::move(known));
  }

  bool share(Cursor in) {
    const auto port = [this](Cursor value) {
      if (value.rest().starts_with(pcap_prefix)) {
        return fail(value, "a port that shares its memory, which no capture does");
      }
      bool either_end = false;  // both ends of a pipe have the same memory
      return header(value, *port_.share, either_end) &&
             (value.done() || fail(value, "only a port's name to share memory with"));
    };
    return keys(in, {{"port", port, main_key}});
  }

  bool extmem(Cursor in) {
    ExternalMemory& memory = *port_.extmem;
    const auto file = [&memory](Cursor value) {
      memory.file = value.rest();
      return true;
    };
    std::vector<Key> known{{"file", file, main_key}};
    each_pool_number(memory.pools,
                     [&](auto key, auto& field) { known.push_back({key, into(field)}); });
    return keys(in, std::move(known));
  }

  bool offset(Cursor in) {
    DataOffset& offset = *port_.offset;
    const auto bits = [&](Cursor value) { return whole_number(value, pointer_bits, offset.bits); };
    return keys(in, {{"initial", into(offset.initial), main_key}, {"bits", bits}});
  }

  /// What follows an option's name. Values are stored in the order of `known`, whatever the order
  /// in the text: a general key stands before those that override it.
  bool keys(Cursor in, std::vector<Key> known) {
    Key& first = known.front();
    if (first.main && in.skip("=")) {
      if (in.done()) return fail(in, "a value after '='");
      first.value = in;
    } else if (!in.skip(":")) {
      return fail(in, first.main ? "':' or '=' after the option" : "':' after the option");
    } else if (!assignments(in, known)) {
      return false;
    } else if (first.main && !first.value) {
      return fail(in, "the key '" + std::string(first.name) + "' with a value");
    }
    return std::ranges::all_of(known,
                               [](const Key& key) { return !key.value || key.store(*key.value); });
  }

  bool assignments(Cursor& in, std::vector<Key>& known) {
    if (in.done()) return true;
    do {
      if (!assignment(in.take_until(","), known)) return false;
    } while (in.skip(","));
    return true;
  }

  bool assignment(Cursor in, std::vector<Key>& known) {
    const Cursor start = in;
    std::string name(in.take_until("=").rest());
    std::ranges::replace(name, '_', '-');
    const auto key = std::ranges::find(known, name, &Key::name);
    if (key == known.end()) return fail(start, "one of the keys" + names(known));
    if (key->value) return fail(start, "the key '" + name + "' only once");
    if (!in.skip("=")) return fail(in, "'=' after the key '" + name + "'");
    if (!in.done()) key->value = in;
    return true;
  }

  static std::string names(const std::vector<Key>& keys) {
    std::string list;
    for (const Key& key : keys) list += (list.empty() ? " " : ", ") + std::string(key.name);
    return list;
  }

  /// A Key's store function: the number goes into every one of `fields`.
  template <std::unsigned_integral Number, std::same_as<Number>... Others>
  std::function<bool(Cursor)> into(Number& field, Others&... others) {
    return [this, &field, &others...](Cursor value) {
      if (!whole_number(value, std::numeric_limits<Number>::max(), field)) return false;
      ((others = field), ...);
      return true;
    };
  }

  template <std::unsigned_integral Number>
  bool whole_number(Cursor in, Number most, Number& value) {
    return number(in, "a number after '='", 0, most, value) &&
           (in.done() || fail(in, "only digits in a number"));
  }

  template <std::unsigned_integral Number>
  bool number(Cursor& in, const std::string& what, std::type_identity_t<Number> least,
              std::type_identity_t<Number> most, Number& value) {
    const Cursor digits = in.take_while(is_digit);
    if (digits.done()) return fail(digits, what);
    const char* begin = digits.rest().data();
    const auto [end, error] = std::from_chars(begin, begin + digits.rest().size(), value);
    if (error == std::errc{} && value >= least && value <= most) return true;
    return fail(digits, what + ", from " + std::to_string(least) + " to " + std::to_string(most));
  }

  std::string_view text_;
  PortName port_;
  std::string error_;
};

std::string header_text(const std::string& name) {
  Cursor in(name);
  return skip_vale_prefix(in) ? name : std::string(netmap_prefix) + name;
}

std::string rings_text(RingSelection selection, std::uint16_t ring) {
  switch (selection) {
    case RingSelection::all_nic: return "";
    case RingSelection::host: return "^";
    case RingSelection::nic_and_host: return "*";
    case RingSelection::one_nic: return "-" + std::to_string(ring);
    case RingSelection::one_host: return "^" + std::to_string(ring);
  }
  return "";
}

std::string flags_text(std::uint64_t flags) {
  std::string letters;
  for (const auto& [letter, flag] : flag_letters) {
    if ((flags & flag) != 0) letters += letter;
  }
  return letters.empty() ? "" : "/" + letters;
}

/// For the each_…_number() functions: appends `,key=number` unless the number is 0.
auto append_to(std::string& text) {
  return [&text](const char* key, std::uint32_t number) {
    if (number != 0) text.append(",").append(key).append("=").append(std::to_string(number));
  };
}

std::string conf_text(const PortConf& conf) {
  std::string numbers;
  each_conf_number(conf, append_to(numbers));
  return numbers.empty() ? "" : "@conf:" + numbers.substr(1);
}

/// The short form where it suffices: only there may the file's name hold a comma.
std::string extmem_text(const ExternalMemory& memory) {
  std::string numbers;
  each_pool_number(memory.pools, append_to(numbers));
  return (numbers.empty() ? "@extmem=" : "@extmem:file=") + memory.file + numbers;
}

std::string offset_text(const DataOffset& offset) {
  const std::string initial = std::to_string(offset.initial);
  if (offset.bits == 0) return "@offset=" + initial;
  return "@offset:initial=" + initial + ",bits=" + std::to_string(offset.bits);
}

}  // namespace

Result<PortName> parse_port_name(std::string_view text) {
  return Parser(text).parse();
}

std::string to_string(const PortName& port) {
  if (port.capture) return capture_text(*port.capture);
  std::string text = header_text(port.name);
  if (port.free_pipe_end) text += "}";
  text += rings_text(port.selection, port.ring) + flags_text(port.flags);
  if (port.memory_id) text += "@" + std::to_string(*port.memory_id);
  text += conf_text(port.conf);
  if (port.share) text += "@share=" + header_text(*port.share);
  if (port.extmem) text += extmem_text(*port.extmem);
  if (port.offset) text += offset_text(*port.offset);
  return text;
}

}  // namespace netmap
