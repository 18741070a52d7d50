// SPDX-License-Identifier: Apache-2.0
// A script of `iptables ... -j TRAFMETUX --monitor NAME` as monitors: all rules of a name are one
// filter in tcpdump's syntax. Thread: any.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/field_codec.hpp"
#include "config/startup_error.hpp"
#include "config/values.hpp"
#include "control/import/importer.hpp"
#include "control/import/iptables_rule.hpp"
#include "control/import/shell_words.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kPlaceholder = "eth0";
constexpr std::size_t kFilterMax = 4000;  // of monitors[].filter
constexpr std::size_t kNameMax = 64;      // of monitors[].name

struct Monitor {
  std::string name;
  std::vector<std::string> parts;  // one a rule; "" is everything
  std::vector<std::size_t> lines;
};

class TrafmetuxReader {
 public:
  explicit TrafmetuxReader(const ImportSource& source) : source_(source) {}

  ImportResult run() {
    for (const ShellCommand& command : shell_commands(source_.text)) read(command);
    if (monitors_.empty()) {
      throw StartupError(ExitCode::kUsage,
                         source_.name +
                             ": there is no `iptables ... -j TRAFMETUX --monitor NAME` "
                             "in it; is it the right file?");
    }
    note_monitors();
    write();
    return std::move(result_);
  }

 private:
  void note(std::size_t line, const std::string& text) { result_.notes.push_back({line, text}); }

  static bool mentions(const ShellCommand& command, std::string_view word) {
    return std::ranges::find(command.words, word) != command.words.end();
  }

  void read(const ShellCommand& command) {
    if (!mentions(command, "TRAFMETUX")) return read_other(command);
    const IptablesRule rule = read_iptables_rule(command, result_.notes);
    if (rule.deletes) {
      return note(command.line, "a rule that is taken away again is not carried over");
    }
    if (rule.monitor.empty() || rule.monitor.find('$') != std::string::npos ||
        rule.monitor.size() > kNameMax) {
      return note(command.line,
                  fmt::format("not carried over: a monitor needs a name of 1 to {} octets behind "
                              "--monitor, and this one has {}",
                              kNameMax, quoted(rule.monitor)));
    }
    note_place(command, rule);
    for (const std::string& name : rule.interfaces) interfaces_.insert(name);
    Monitor& monitor = find(rule.monitor);
    const std::string& part = rule.filter;
    monitor.lines.push_back(command.line);
    if (std::ranges::find(monitor.parts, part) == monitor.parts.end()) {
      monitor.parts.push_back(part);
    }
  }

  // Other rules of iptables decide what comes as far as a monitor.
  void read_other(const ShellCommand& command) {
    const auto jump = std::ranges::find_if(command.words, [](const std::string& word) {
      return word == "-j" || word == "--jump" || word == "-g" || word == "--goto";
    });
    if (jump == command.words.end() || jump + 1 == command.words.end()) return;
    static const std::set<std::string_view> kOn = {"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK",
                                                   "TOS", "DSCP",  "TTL",  "HL"};
    if (kOn.contains(*(jump + 1))) return;
    note(command.line, fmt::format("-j {} is not carried over: a monitor counts packets whether "
                                   "other rules take them, or lead them to its chain, or not",
                                   *(jump + 1)));
  }

  // Chains and interfaces are places in a machine; a flow knows addresses.
  void note_place(const ShellCommand& command, const IptablesRule& rule) {
    const std::string name = quoted(rule.monitor);
    for (const std::string& direction : rule.directions) {
      note(command.line, fmt::format("{} is not carried over: monitor {} counts what passes the "
                                     "metered interfaces, in either direction",
                                     direction, name));
    }
    if (rule.chain == "INPUT" || rule.chain == "OUTPUT") {
      const bool input = rule.chain == "INPUT";
      note(command.line,
           fmt::format("chain {} is not carried over: add `and {} host ADDRESS`, with "
                       "this machine's address, to the filter of {}",
                       rule.chain, input ? "dst" : "src", name));
    } else if (rule.chain != "FORWARD" && rule.chain != "PREROUTING" &&
               rule.chain != "POSTROUTING") {
      note(command.line, fmt::format("chain {} is not carried over: monitor {} counts what its own "
                                     "filter says, whatever leads to that chain",
                                     quoted(rule.chain), name));
    }
  }

  Monitor& find(const std::string& name) {
    const auto known = std::ranges::find(monitors_, name, &Monitor::name);
    if (known != monitors_.end()) return *known;
    monitors_.push_back({name, {}, {}});
    return monitors_.back();
  }

  void note_monitors() {
    for (Monitor& monitor : monitors_) {
      if (monitor.lines.size() > 1) {
        note(0, fmt::format("monitor {} has {} rules: a packet that several of them fit is counted "
                            "once here, and once for each by iptables",
                            quoted(monitor.name), monitor.lines.size()));
      }
      while (joined(monitor.parts, " or ").size() > kFilterMax) {
        note(0, fmt::format("monitor {}: its filter would be longer than {} octets; left out: {}",
                            quoted(monitor.name), kFilterMax, monitor.parts.back()));
        monitor.parts.pop_back();
      }
    }
  }

  void write() {
    if (interfaces_.empty()) {
      note(0, fmt::format("no rule names an interface: {} stands here, put yours in its place",
                          kPlaceholder));
      interfaces_.insert(std::string(kPlaceholder));
    }
    std::string& yaml = result_.yaml;
    yaml +=
        "capture:\n  driver: pcap  # what the interfaces receive and what they send\n"
        "  interfaces:\n";
    for (const std::string& name : interfaces_) {
      yaml += fmt::format("    - {{name: {}}}\n", yaml_scalar(name));
    }
    yaml += "monitors:  # `wiretally report --hourly` shows them as trafmetux show-hourly did\n";
    for (const Monitor& monitor : monitors_) {
      yaml +=
          fmt::format("  - name: {}  # line {}\n    filter: {}\n", yaml_scalar(monitor.name),
                      fmt::join(monitor.lines, ", "), yaml_scalar(joined(monitor.parts, " or ")));
    }
  }

  const ImportSource& source_;
  ImportResult result_;
  std::vector<Monitor> monitors_;
  std::set<std::string> interfaces_;
};

}  // namespace

ImportResult import_trafmetux(const ImportSource& source) {
  return TrafmetuxReader(source).run();
}

}  // namespace wiretally
