// SPDX-License-Identifier: Apache-2.0
// Word by word, as iptables takes them. Thread: any.
#include "control/import/iptables_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "config/host_rule.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

// iptables' names of a packet's two ends, and of both.
struct End {
  std::string_view word;  // of tcpdump: "src ", "dst ", ""
};
constexpr End kSource{"src "};
constexpr End kDestination{"dst "};
constexpr End kEither{""};

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(mark, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool is_number(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// `--dport=80` is `--dport 80`.
std::vector<std::string> with_values_apart(const std::vector<std::string>& words) {
  std::vector<std::string> apart;
  for (const std::string& word : words) {
    const std::size_t mark = word.starts_with("--") ? word.find('=') : std::string::npos;
    apart.push_back(word.substr(0, mark));
    if (mark != std::string::npos) apart.push_back(word.substr(mark + 1));
  }
  return apart;
}

// One rule of iptables on its way to a filter.
class RuleReader {
 public:
  RuleReader(const ShellCommand& command, std::vector<ImportNote>& notes)
      : command_(command), words_(with_values_apart(command.words)), notes_(notes) {
    const std::string& program = command.words[0];
    v6_ = program.ends_with("ip6tables") || program.find("IP6") != std::string::npos ||
          program.find("ip6t") != std::string::npos;
  }

  IptablesRule read() {
    for (next_ = 0; next_ < words_.size();) {
      const std::string word = words_[next_++];
      if (word == "!") {
        negated_ = true;
        continue;
      }
      read_option(word);
      negated_ = false;
    }
    flush_unknown();
    rule_.filter = filter();
    return std::move(rule_);
  }

 private:
  [[nodiscard]] std::string filter() const {
    std::vector<std::string> all = {v6_ ? "ip6" : "ip"};
    all.insert(all.end(), conditions_.begin(), conditions_.end());
    return fmt::format("{}", fmt::join(all, " and "));
  }

  void note(const std::string& text) { notes_.push_back({command_.line, text}); }

  // The value behind an option; the old form has the `!` before it.
  std::string value() {
    if (next_ < words_.size() && words_[next_] == "!") {
      negated_ = true;
      ++next_;
    }
    return next_ < words_.size() ? words_[next_++] : "";
  }

  void add(std::string condition) {
    if (condition.empty()) return;
    if (negated_) condition = fmt::format("not ({})", condition);
    conditions_.push_back(std::move(condition));
  }

  // True, and told, if the value is a variable that nobody knows here.
  bool unknown_variable(const std::string& option, const std::string& value) {
    if (value.find('$') == std::string::npos) return false;
    note(
        fmt::format("{} {} is not carried over: the value of {} is not in the script; the monitor "
                    "counts more until you add it",
                    option, value, value));
    return true;
  }

  void read_option(const std::string& word) {
    if (read_place(word) || read_address(word) || read_port(word) || read_quiet(word)) return;
    if (word == "-p" || word == "--protocol" || word == "--proto") {
      add_protocol(value());
    } else if (word == "--icmp-type" || word == "--icmpv6-type") {
      add_icmp_type(word, value());
    } else if (word == "-m" || word == "--match") {
      add_match(value());
    } else if (word.starts_with('-')) {
      unknown_ += (unknown_.empty() ? "" : " ") + std::string(negated_ ? "! " : "") + word;
      in_unknown_ = true;
    } else if (in_unknown_) {
      unknown_.append(" ").append(word);  // a value of an option that is not known
    }
  }

  bool read_place(const std::string& word) {
    if (word == "-A" || word == "--append" || word == "-I" || word == "--insert") {
      rule_.chain = value();
      if (next_ < words_.size() && is_number(words_[next_])) ++next_;  // -I CHAIN 3
    } else if (word == "-D" || word == "--delete" || word == "-C" || word == "--check") {
      rule_.chain = value();
      rule_.deletes = true;
    } else if (word == "-t" || word == "--table" || word == "-j" || word == "--jump" ||
               word == "-g" || word == "--goto") {
      value();  // says nothing of the packets
    } else if (word == "--monitor") {
      rule_.monitor = value();
    } else if (word == "-i" || word == "--in-interface" || word == "-o" ||
               word == "--out-interface") {
      add_interface(word);
    } else {
      return false;
    }
    in_unknown_ = false;
    return true;
  }

  bool read_address(const std::string& word) {
    if (word == "-s" || word == "--source" || word == "--src") {
      add_addresses(word, kSource);
    } else if (word == "-d" || word == "--destination" || word == "--dst") {
      add_addresses(word, kDestination);
    } else {
      return false;
    }
    in_unknown_ = false;
    return true;
  }

  bool read_port(const std::string& word) {
    if (word == "--sport" || word == "--source-port" || word == "--sports" ||
        word == "--source-ports") {
      add_ports(word, kSource);
    } else if (word == "--dport" || word == "--destination-port" || word == "--dports" ||
               word == "--destination-ports") {
      add_ports(word, kDestination);
    } else if (word == "--ports" || word == "--port") {
      add_ports(word, kEither);
    } else {
      return false;
    }
    in_unknown_ = false;
    return true;
  }

  // What says nothing about packets.
  bool read_quiet(const std::string& word) {
    static const std::set<std::string_view> kFlags = {"-v", "--verbose", "-n", "--numeric",
                                                      "-w", "--wait",    "-4", "--ipv4"};
    if (kFlags.contains(word)) return true;
    if (word == "-6" || word == "--ipv6") return v6_ = true;
    if (word == "--comment") return (void)value(), true;
    if (word != "-c" && word != "--set-counters") return false;
    const std::string packets = value();
    note(fmt::format("{} {} {}: a monitor begins at 0", word, packets, value()));
    return true;
  }

  void add_interface(const std::string& word) {
    const std::string name = value();
    if (unknown_variable(word, name)) return;
    rule_.directions.push_back(fmt::format("{}{} {}", negated_ ? "! " : "", word, name));
    if (!negated_ && !name.ends_with('+')) rule_.interfaces.push_back(name);
  }

  void add_addresses(const std::string& option, End end) {
    const std::string list = value();
    if (unknown_variable(option, list)) return;
    std::vector<std::string> parts;
    for (const std::string& one : split(list, ',')) {
      const std::string part = address(one, end);
      if (part.empty()) return negated_ ? add("ip or ip6") : void();  // 0.0.0.0/0: everything
      parts.push_back(part);
    }
    add(parts.size() == 1 ? parts[0] : fmt::format("({})", joined(parts, " or ")));
  }

  // "" for every address.
  static std::string address(const std::string& text, End end) {
    HostNet net;
    try {
      net = parse_host_net(text);
    } catch (const ValueError&) {
      return fmt::format("{}host {}", end.word, text);  // a name, for libpcap to resolve
    }
    if (std::ranges::all_of(net.mask, [](std::uint8_t octet) { return octet == 0; })) return "";
    const std::string shown = format_host_net(net);
    const std::size_t slash = shown.find('/');
    if (slash == std::string::npos) return fmt::format("{}host {}", end.word, shown);
    if (shown.find('.', slash) == std::string::npos)
      return fmt::format("{}net {}", end.word, shown);
    return fmt::format("{}net {} mask {}", end.word, shown.substr(0, slash),
                       shown.substr(slash + 1));
  }

  void add_ports(const std::string& option, End end) {
    const std::string list = value();
    if (unknown_variable(option, list)) return;
    std::vector<std::string> parts;
    for (const std::string& one : split(list, ',')) {
      const std::size_t colon = one.find(':');
      if (colon == std::string::npos) {
        parts.push_back(fmt::format("{}port {}", end.word, one));
        continue;
      }
      const std::string from = colon == 0 ? "0" : one.substr(0, colon);
      const std::string to = colon + 1 == one.size() ? "65535" : one.substr(colon + 1);
      parts.push_back(fmt::format("{}portrange {}-{}", end.word, from, to));
    }
    add(parts.size() == 1 ? parts[0] : fmt::format("({})", joined(parts, " or ")));
  }

  void add_protocol(std::string name) {
    if (unknown_variable("-p", name)) return;
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    constexpr std::array<std::pair<std::string_view, int>, 12> kNumbers = {{{"igmp", 2},
                                                                            {"gre", 47},
                                                                            {"esp", 50},
                                                                            {"ah", 51},
                                                                            {"ospf", 89},
                                                                            {"ipip", 4},
                                                                            {"udplite", 136},
                                                                            {"dccp", 33},
                                                                            {"pim", 103},
                                                                            {"vrrp", 112},
                                                                            {"l2tp", 115},
                                                                            {"ipcomp", 108}}};
    const std::string family = v6_ ? "ip6" : "ip";
    if (name == "all" || name == "0") return;
    if (name == "tcp" || name == "udp" || name == "sctp") return add(name);
    if (name == "icmp") return add("icmp");
    if (name == "icmpv6" || name == "ipv6-icmp") return add("icmp6");
    for (const auto& [known, number] : kNumbers) {
      if (name == known) return add(fmt::format("{} proto {}", family, number));
    }
    if (is_number(name)) return add(fmt::format("{} proto {}", family, name));
    note(fmt::format("-p {} is not carried over: write its number; the monitor counts more", name));
  }

  void add_icmp_type(const std::string& option, const std::string& type) {
    constexpr std::array<std::pair<std::string_view, int>, 10> kTypes = {
        {{"echo-reply", 0},
         {"pong", 0},
         {"destination-unreachable", 3},
         {"source-quench", 4},
         {"redirect", 5},
         {"echo-request", 8},
         {"ping", 8},
         {"time-exceeded", 11},
         {"parameter-problem", 12},
         {"timestamp-request", 13}}};
    const std::string header = option == "--icmpv6-type" ? "icmp6" : "icmp";
    std::string number = type;
    for (const auto& [name, value] : kTypes) {
      if (header == "icmp" && type == name) number = std::to_string(value);
    }
    const std::vector<std::string> parts = split(number, '/');
    const bool numbers = std::ranges::all_of(parts, is_number) && parts.size() <= 2;
    if (type == "any") return;
    if (!numbers) {
      return note(fmt::format(
          "{} {} is not carried over: write its number; the monitor counts more", option, type));
    }
    std::string condition = fmt::format("{}[0] == {}", header, parts[0]);
    if (parts.size() == 2) condition += fmt::format(" and {}[1] == {}", header, parts[1]);
    add(condition);
  }

  // Matches whose options are read anyway need no word; others are told with their options.
  void add_match(const std::string& name) {
    static const std::set<std::string_view> kKnown = {"tcp",  "udp",    "sctp",  "multiport",
                                                      "icmp", "icmpv6", "icmp6", "comment"};
    in_unknown_ = !kKnown.contains(name);
    if (in_unknown_) unknown_ += fmt::format("{}-m {}", unknown_.empty() ? "" : " ", name);
  }

  void flush_unknown() {
    if (unknown_.empty()) return;
    note(fmt::format("{} is not carried over: a flow does not know it; the monitor counts more",
                     quoted(unknown_)));
  }

  const ShellCommand& command_;
  const std::vector<std::string> words_;
  std::vector<ImportNote>& notes_;
  bool v6_ = false;
  std::size_t next_ = 0;
  bool negated_ = false;
  bool in_unknown_ = false;
  std::string unknown_;
  std::vector<std::string> conditions_;
  IptablesRule rule_;
};

}  // namespace

IptablesRule read_iptables_rule(const ShellCommand& command, std::vector<ImportNote>& notes) {
  return RuleReader(command, notes).read();
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  if (parts.size() == 1) return parts[0];
  std::vector<std::string> shown;
  for (const std::string& part : parts) {
    shown.push_back(part.find(' ') == std::string::npos ? part : fmt::format("({})", part));
  }
  return fmt::format("{}", fmt::join(shown, between));
}

}  // namespace wiretally
