// SPDX-License-Identifier: Apache-2.0
// See softflowd_arguments.hpp. Options are read as getopt reads them: letters may be joined, a
// value may stick to its letter, words that are no options are the filter wherever they stand.
#include "control/import/softflowd_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "config/startup_error.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kWithValue = "LTHirtnmpcvsPABCRSxIef";
constexpr std::string_view kFlags = "6hdDbalNMg";

[[noreturn]] void refuse(const std::string& text) {
  throw StartupError(ExitCode::kUsage, text);
}

// Words as a shell makes them, as far as quotes go.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        *word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      if (!word) word = "";
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (word) words.push_back(*word);
      word.reset();
    } else {
      if (!word) word = "";
      *word += c;
    }
  }
  if (word) words.push_back(*word);
  return words;
}

// Debian's /etc/softflowd/default.conf: interface='eth0' and options='-n ...', older versions in
// capitals. Nothing: the text is a command line.
std::optional<std::vector<std::string>> words_of_settings(std::string_view text) {
  std::optional<std::vector<std::string>> words;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with('#')) continue;
    for (const std::string& setting : words_of(line)) {
      const std::size_t sign = setting.find('=');
      std::string name = setting.substr(0, sign);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (sign == std::string::npos || (name != "interface" && name != "options")) continue;
      if (!words) words.emplace();
      const std::string value = setting.substr(sign + 1);
      if (name == "interface" && !value.empty()) {
        words->insert(words->begin(), {"-i", value});
      } else {
        const auto more = words_of(value);
        words->insert(words->end(), more.begin(), more.end());
      }
    }
  }
  return words;
}

// "600", "10m", "1h30m".
std::uint64_t seconds_of(const std::string& text) {
  std::uint64_t total = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789", at), text.size()) - at;
    if (digits == 0 || digits > 10) refuse(fmt::format("{} is not a time", quoted(text)));
    const std::uint64_t number = parse_integer(text.substr(at, digits));
    at += digits;
    std::uint64_t unit = 1;
    if (at < text.size()) {
      switch (std::tolower(static_cast<unsigned char>(text[at++]))) {
        case 's':
          break;
        case 'm':
          unit = 60;
          break;
        case 'h':
          unit = 3600;
          break;
        case 'd':
          unit = 86'400;
          break;
        case 'w':
          unit = 7 * 86'400;
          break;
        default:
          refuse(fmt::format("{} is not a time", quoted(text)));
      }
    }
    total += number * unit;
  }
  if (text.empty()) refuse("a time is missing");
  return total;
}

class Reader {
 public:
  explicit Reader(std::vector<ImportNote>& notes) : notes_(notes) {}

  SoftflowdArguments read(const std::vector<std::string>& words) {
    words_ = words;
    const bool named = !words_.empty() && ("/" + words_[0]).ends_with("/softflowd");
    next_ = named ? 1 : 0;
    if (next_ < words_.size() && words_[next_] == "--")
      ++next_;  // wiretally import softflowd -- ...
    while (next_ < words_.size()) read_word(words_[next_++]);
    const int sources = int{!out_.interface.empty()} + int{!out_.file.empty()};
    if (sources == 2) refuse("softflowd takes -i or -r, not both");
    if (sources == 0 && !receives_) refuse("softflowd needs -i INTERFACE or -r FILE");
    return out_;
  }

 private:
  void note(const std::string& text) { notes_.push_back({0, text}); }

  void read_word(const std::string& word) {
    if (only_filter_ || word.size() < 2 || word[0] != '-') {
      out_.filter += (out_.filter.empty() ? "" : " ") + word;
    } else if (word == "--") {
      only_filter_ = true;
    } else {
      read_letters(word);
    }
  }

  void read_letters(const std::string& word) {
    for (std::size_t at = 1; at < word.size(); ++at) {
      const char letter = word[at];
      if (kFlags.find(letter) != std::string_view::npos) {
        take_flag(letter);
        continue;
      }
      if (kWithValue.find(letter) == std::string_view::npos) {
        refuse(fmt::format("softflowd has no option -{}", letter));
      }
      std::string value = word.substr(at + 1);
      if (value.empty()) {
        if (next_ == words_.size()) refuse(fmt::format("-{} wants a value", letter));
        value = words_[next_++];
      }
      return take_value(letter, value);
    }
  }

  void take_flag(char letter) {
    switch (letter) {
      case 'l':
        out_.balance = true;
        return;
      case 'b':
        out_.biflow = true;
        return;
      case 'N':
        out_.promiscuous = false;
        return;
      case 'D':
        out_.debug = true;
        return;
      case 'd':
        return note("-d: nothing to write, the meter always stays in the foreground");
      case '6':
        return note(
            "-6: nothing to write, IPv6 is always metered; NetFlow 1 and 5 cannot hold it, "
            "and the ledger says how many records that were");
      case 'a':
        return note("-a: nothing to write, a recording's time is always that of its packets");
      case 'M':
        return note("-M: nothing to write, every receive queue has a thread of its own");
      case 'g':
        return note("-g: nothing to write, `wiretally status` and /metrics have the gauges");
      default:
        return note("-h: `wiretally run --help` lists every key");
    }
  }

  void take_value(char letter, const std::string& value) {
    switch (letter) {
      case 'i':
        return take_interface(value);
      case 'r':
        out_.file = value;
        return note(
            fmt::format("-r: `run` goes on after the last packet; `wiretally read {}` ends "
                        "there and prints the statistics",
                        value));
      case 'n':
        return take_destinations(value);
      case 't':
        return take_timeout(value);
      case 'T':
        return take_word(letter, value, {"full", "port", "proto", "ip", "vlan", "ether"},
                         out_.level);
      case 'v':
        return take_word(letter, value, {"1", "5", "9", "10", "psamp", "ntopng"}, out_.version);
      case 'P':
        return take_word(letter, value, {"udp", "tcp", "sctp"}, out_.transport);
      case 'A':
        return take_word(letter, value, {"sec", "milli", "micro", "nano"}, out_.time_format);
      case 'L':
        return take_number(letter, value, 1, 255, out_.hop_limit);
      case 'm':
        return take_number(letter, value, 1, UINT32_MAX, out_.max_flows);
      case 's':
        return take_number(letter, value, 0, UINT32_MAX, out_.sampling);
      case 'x':
        return take_labels(value);
      case 'S':
        out_.send_interface = value;
        return;
      case 'H':
        return take_mac(value);
      case 'c':
        return take_control_socket(value);
      default:
        return refuse_kindly(letter, value);
    }
  }

  // What has no counterpart.
  void refuse_kindly(char letter, const std::string& value) {
    switch (letter) {
      case 'R':
        receives_ = true;
        return note(
            fmt::format("-R {}: there is no PSAMP receiver here; name an interface", value));
      case 'p':
        return note(
            fmt::format("-p {}: there is no pid file; the service manager knows the "
                        "process, and `wiretally stop` ends it",
                        value));
      case 'B':
        return note(
            fmt::format("-B {}: libpcap's buffer is not set by hand; a packet that found "
                        "no room is counted as missed",
                        value));
      case 'C':
        return note(
            fmt::format("-C {}: nothing to write, headers are read as far as they go", value));
      case 'I':
        return note(
            fmt::format("-I {}: nothing to write, times stay right when the uptime of 32 "
                        "bits wraps",
                        value));
      case 'e':
        return note(
            fmt::format("-e {}: the exporter's address is not sent as an option; `source` "
                        "of a collector chooses the address to send from",
                        value));
      default:
        return note(fmt::format("-{} {}: softflowd reads it and does nothing", letter, value));
    }
  }

  void take_interface(const std::string& value) {
    const std::size_t colon = value.find(':');
    const bool numbered =
        colon != std::string::npos && value.find_first_not_of("0123456789") == colon && colon != 0;
    out_.interface_number = numbered ? value.substr(0, colon) : "";
    out_.interface = numbered ? value.substr(colon + 1) : value;
  }

  void take_destinations(const std::string& value) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (end != begin) out_.destinations.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  void take_timeout(const std::string& value) {
    const std::size_t sign = value.find('=');
    const auto known = std::ranges::find(out_.timeouts, value.substr(0, sign),
                                         [](const SoftflowdTimeout& t) { return t.name; });
    if (sign == std::string::npos || known == out_.timeouts.end()) {
      refuse(
          fmt::format("-t {}: softflowd has the timeouts tcp, tcp.rst, tcp.fin, udp, icmp, "
                      "general, maxlife and expint, as in -t udp=1m30s",
                      value));
    }
    known->seconds = seconds_of(value.substr(sign + 1));
    if (known->name == "general" && known->seconds == 0) refuse("-t general=0: must not be 0");
  }

  void take_word(char letter, const std::string& value, std::vector<std::string_view> words,
                 std::string& out) {
    if (std::ranges::find(words, value) == words.end()) {
      refuse(fmt::format("-{} {}: softflowd knows {}", letter, value, fmt::join(words, ", ")));
    }
    out = value;
  }

  void take_number(char letter, const std::string& value, std::uint64_t least, std::uint64_t most,
                   std::string& out) {
    std::uint64_t number = 0;
    try {
      number = parse_integer(value);
    } catch (const ValueError& error) {
      refuse(fmt::format("-{} {}: {}", letter, value, error.what()));
    }
    if (number < least || number > most) {
      refuse(fmt::format("-{} {}: must be from {} to {}", letter, value, least, most));
    }
    out = std::to_string(number);
  }

  void take_mac(const std::string& value) {
    try {
      (void)parse_mac(value);
    } catch (const ValueError& error) {
      refuse(fmt::format("-H {}: {}", value, error.what()));
    }
    out_.own_mac = value;
  }

  void take_labels(const std::string& value) {
    std::string labels;
    take_number('x', value, 0, 10, labels);
    out_.labels = static_cast<unsigned>(parse_integer(labels));
  }

  void take_control_socket(const std::string& value) {
    if (value != "none") {
      out_.control_socket = value;
      return note(
          fmt::format("-c {}: the socket is there, but softflowctl does not speak to it; "
                      "`wiretally status --socket {}` does",
                      value, value));
    }
    note("-c none: the control socket cannot be left out; its mode is 0660");
  }

  std::vector<ImportNote>& notes_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
  bool only_filter_ = false;
  bool receives_ = false;
  SoftflowdArguments out_;
};

}  // namespace

std::uint64_t SoftflowdArguments::timeout(std::string_view name) const {
  return std::ranges::find(timeouts, name, &SoftflowdTimeout::name)->seconds;
}

SoftflowdArguments read_softflowd_arguments(std::string_view text, std::vector<ImportNote>& notes) {
  const auto settings = words_of_settings(text);
  return Reader(notes).read(settings ? *settings : words_of(text));
}

}  // namespace wiretally
