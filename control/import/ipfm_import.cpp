// SPDX-License-Identifier: Apache-2.0
// ipfm.conf(5), the whole grammar, as monitors with rules and dumps: one for each log. Thread: any.
#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "config/field_codec.hpp"
#include "config/host_rule.hpp"
#include "config/startup_error.hpp"
#include "config/values.hpp"
#include "control/import/importer.hpp"

namespace wiretally {
namespace {

using std::chrono::seconds;

constexpr std::string_view kDefaultFile = "/var/log/ipfm/%d-%b.%H-%M";
constexpr std::string_view kPlaceholder = "eth0";
constexpr std::uint64_t kTimeMax_s = 100ull * 365 * 86'400;  // of the keys of monitors[].dump
constexpr unsigned kHostsMax = 1'000'000;

struct Word {
  std::string text;     // as written, without quotes
  std::string keyword;  // in upper case; empty if it stands in quotes
};
using Words = std::vector<Word>;

// One log: what NEWLOG begins.
struct Log {
  std::vector<std::string> rules;
  std::vector<std::size_t> rule_lines;
  seconds every{24 * 3600};
  seconds after{0};
  bool dump_written = false;
  std::string clear = "always";  // or never, or a duration
  seconds clear_every{0};
  seconds clear_after{0};
  bool clear_written = false;
  std::string file{kDefaultFile};
  std::string sort = "none";
  bool resolve = false;
  bool append = false;
  bool anything = false;
};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

// Words of a line; a quoted one is kept as it is, a hash mark outside quotes ends the line.
Words words_of(std::string_view line) {
  Words words;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == '#') break;
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      ++i;
    } else if (line[i] == '"') {
      const std::size_t end = std::min(line.find('"', i + 1), line.size());
      words.push_back({std::string(line.substr(i + 1, end - i - 1)), ""});
      i = end + 1;
    } else {
      const std::size_t end = std::min(line.find_first_of(" \t\r#\"", i), line.size());
      words.push_back({std::string(line.substr(i, end - i)), upper(line.substr(i, end - i))});
      i = end;
    }
  }
  return words;
}

// <number> second(s)|minute(s)|hour(s)|day(s), one or several, added up.
std::optional<seconds> take_time(const Words& words, std::size_t& next) {
  seconds sum{0};
  bool any = false;
  while (next + 1 < words.size()) {
    std::uint64_t number = 0;
    try {
      number = parse_integer(words[next].text);
    } catch (const ValueError&) {
      break;
    }
    std::string unit = words[next + 1].keyword;
    if (unit.ends_with('S')) unit.pop_back();
    const std::uint64_t length = unit == "SECOND"   ? 1
                                 : unit == "MINUTE" ? 60
                                 : unit == "HOUR"   ? 3600
                                 : unit == "DAY"    ? 86'400
                                                    : 0;
    if (length == 0 || number > kTimeMax_s / length) return std::nullopt;
    sum += seconds(number * length);
    any = true;
    next += 2;
  }
  if (sum > seconds(kTimeMax_s)) return std::nullopt;
  return any ? std::optional(sum) : std::nullopt;
}

struct Times {
  seconds every{0};
  seconds after{0};
};

// "EVERY <time> [AFTER <time>]" from `next` to the end of the line.
std::optional<Times> take_times(const Words& words, std::size_t next) {
  if (next >= words.size() || words[next].keyword != "EVERY") return std::nullopt;
  Times times;
  const auto every = take_time(words, ++next);
  if (!every) return std::nullopt;
  times.every = *every;
  if (next < words.size() && words[next].keyword == "AFTER") {
    const auto after = take_time(words, ++next);
    if (!after) return std::nullopt;
    times.after = *after;
  }
  return next == words.size() ? std::optional(times) : std::nullopt;
}

std::string yaml_duration(seconds duration) {
  return format_duration(duration);
}

class IpfmReader {
 public:
  explicit IpfmReader(const ImportSource& source) : source_(source) { logs_.emplace_back(); }

  ImportResult run() {
    read_lines();
    if (understood_ == 0) {
      throw StartupError(ExitCode::kUsage,
                         source_.name +
                             ": no line of it is a statement of ipfm.conf; is it the "
                             "right file?");
    }
    write_capture();
    write_logs();
    return std::move(result_);
  }

 private:
  Log& log() { return logs_.back(); }
  void note(const std::string& text) { result_.notes.push_back({line_, text}); }
  void refuse(const std::string& why) { note(why + "; IPFM would not start with this line"); }

  void read_lines() {
    std::string_view rest = source_.text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      ++line_;
      read_line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    line_ = 0;
  }

  void read_line(std::string_view text) {
    const Words words = words_of(text);
    if (words.empty()) return;
    const bool known = global(words) || local(words);
    if (known) {
      ++understood_;
    } else {
      refuse(fmt::format("not understood: {}", quoted(text)));
    }
  }

  // ---- the statements; false: this is none of them ----

  bool global(const Words& words) {
    const std::string& key = words[0].keyword;
    const bool alone = words.size() == 1;
    if (key == "DEVICE" && words.size() == 2) {
      device_ = words[1].text;
    } else if ((key == "UTC" || key == "LOCAL") && alone) {
      utc_ = key == "UTC";
    } else if ((key == "PROMISC" || key == "NOPROMISC") && alone) {
      promiscuous_ = key == "PROMISC";
    } else if (key == "NEWLOG" && alone) {
      logs_.emplace_back();
    } else if (key == "DISABLED" && alone) {
      note(
          "DISABLED keeps Debian's service from starting; this meter has no such word: leave "
          "its service disabled until the file is as you want it");
    } else if (key.starts_with("DB_") && words.size() == 2) {
      note(key +
           " is not carried over: counts are kept in the SQLite file of `history`, and "
           "dumps are files");
    } else {
      return false;
    }
    return true;
  }

  bool local(const Words& words) {
    const std::string& key = words[0].keyword;
    const bool alone = words.size() == 1;
    bool known = true;
    if (key == "LOG") {
      add_rule(words);
    } else if (key == "DUMP") {
      set_dump(words);
    } else if (key == "CLEAR") {
      set_clear(words);
    } else if (key == "FILENAME" && words.size() == 2) {
      set_file(words[1]);
    } else if (key == "SORT" && words.size() == 2) {
      set_sort(words[1].keyword);
    } else if ((key == "RESOLVE" || key == "NORESOLVE") && alone) {
      log().resolve = key == "RESOLVE";
    } else if ((key == "APPEND" || key == "REPLACE") && alone) {
      log().append = key == "APPEND";
    } else {
      known = false;
    }
    log().anything = log().anything || known;
    return known;
  }

  void add_rule(const Words& words) {
    std::string text;
    for (std::size_t i = 1; i < words.size(); ++i) text += ' ' + words[i].text;
    try {
      const HostRule rule = parse_host_rule(text);
      if (rule.net.v6 || rule.peer_net.v6) return refuse("IPFM knows no IPv6 addresses");
      log().rules.push_back(format_host_rule(rule));
      log().rule_lines.push_back(line_);
    } catch (const ValueError& error) {
      refuse(fmt::format("LOG: {}", error.what()));
    }
  }

  void set_dump(const Words& words) {
    const auto times = take_times(words, 1);
    if (!times || times->every == seconds(0)) {
      return refuse("DUMP wants EVERY <time> [AFTER <time>]");
    }
    if (log().dump_written || log().clear_written) {
      return refuse("DUMP is written twice or behind CLEAR, and is left out");
    }
    log().dump_written = true;
    log().every = times->every;
    log().after = times->after;
  }

  void set_clear(const Words& words) {
    const bool word = words.size() == 2;
    if (word && (words[1].keyword == "ALWAYS" || words[1].keyword == "NEVER")) {
      log().clear = words[1].keyword == "ALWAYS" ? "always" : "never";
      log().clear_written = true;
      return;
    }
    const auto times = take_times(words, 1);
    if (!times) return refuse("CLEAR wants ALWAYS, NEVER, or EVERY <time> [AFTER <time>]");
    if (times->every < log().every || times->every % log().every != seconds(0) ||
        times->after % log().every != seconds(0)) {
      return refuse("the times of CLEAR are no multiples of DUMP's; CLEAR is left out");
    }
    log().clear = yaml_duration(times->every);
    log().clear_after = times->after;
    log().clear_written = true;
  }

  void set_file(const Word& name) {
    if (!name.keyword.empty())
      return refuse("the name of FILENAME must be in quotes; it is left out");
    log().file = name.text;
  }

  void set_sort(const std::string& by) {
    if (by == "IN" || by == "OUT" || by == "TOTAL") {
      log().sort = by == "IN" ? "in" : by == "OUT" ? "out" : "total";
    } else {
      refuse("SORT wants IN, OUT or TOTAL");
    }
  }

  // ---- the YAML ----

  void write_capture() {
    if (device_.empty()) {
      note(
          fmt::format("there is no DEVICE: IPFM takes the first interface that libpcap names; {} "
                      "stands here, put yours in its place",
                      kPlaceholder));
      device_ = kPlaceholder;
    }
    result_.yaml += fmt::format(
        "capture:\n"
        "  driver: pcap  # as IPFM: what the interface receives and what it sends\n"
        "  interfaces: [{{name: {}}}]\n"
        "  promiscuous: {}\n"
        "monitors:\n",
        yaml_scalar(device_), promiscuous_);
  }

  void write_logs() {
    std::size_t written = 0;
    for (const Log& log : logs_) {
      if (!log.rules.empty()) {
        write_log(log, ++written);
      } else if (log.anything) {
        note("a log without a LOG line counts nobody, and is left out");
      }
    }
    result_.counts_nothing = written == 0;
    if (written == 0) note("no host is logged: there is no LOG line that could be carried over");
  }

  void write_log(const Log& log, std::size_t number) {
    std::string& yaml = result_.yaml;
    yaml += fmt::format(
        "  - name: log{}\n    filter: ip  # IPFM does not look behind VLAN tags\n"
        "    group_by: [host]\n    max_groups: {}  # IPFM has no limit; beyond it, a row `other`\n"
        "    rules:  # the last that fits a host decides\n",
        number, kHostsMax);
    for (std::size_t i = 0; i < log.rules.size(); ++i) {
      yaml += fmt::format("      - {}  # line {}\n", yaml_scalar(log.rules[i]), log.rule_lines[i]);
    }
    yaml += fmt::format("    dump:\n      every: {}\n", yaml_duration(log.every));
    if (log.after != seconds(0)) yaml += fmt::format("      after: {}\n", yaml_duration(log.after));
    yaml += fmt::format("      clear: {}\n", log.clear);
    if (log.clear_after != seconds(0)) {
      yaml += fmt::format("      clear_after: {}\n", yaml_duration(log.clear_after));
    }
    yaml += fmt::format(
        "      file: {}\n      sort: {}\n      resolve: {}\n      append: {}\n"
        "      format: ipfm\n      timezone: {}\n",
        yaml_scalar(log.file), log.sort, log.resolve, log.append, utc_ ? "UTC" : "local");
  }

  const ImportSource& source_;
  ImportResult result_;
  std::size_t line_ = 0;
  std::size_t understood_ = 0;
  std::string device_;
  bool utc_ = false;
  bool promiscuous_ = true;
  std::vector<Log> logs_;
};

}  // namespace

ImportResult import_ipfm(const ImportSource& source) {
  return IpfmReader(source).run();
}

}  // namespace wiretally
