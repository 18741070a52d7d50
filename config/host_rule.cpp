// SPDX-License-Identifier: Apache-2.0
// Words to a rule and back. Start-up and reload, on control.
#include "config/host_rule.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kForm =
    "a rule is [none|from|to|both] [NET] [[not] with NET], such as `both 192.0.2.0/24 not with "
    "192.0.2.1`";

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank && !inside) words.emplace_back();
    if (!blank) words.back() += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    inside = !blank;
  }
  return words;
}

[[noreturn]] void refuse_net(std::string_view text) {
  throw ValueError(fmt::format(
      "{} is no address or network; write 192.0.2.1, 192.0.2.0/24, 192.0.2.0/255.255.255.0 or "
      "2001:db8::/32",
      quoted(text)));
}

std::optional<unsigned> prefix_length(std::string_view text, unsigned longest) {
  if (text.empty() || text.size() > 3) return std::nullopt;
  unsigned length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    length = 10 * length + static_cast<unsigned>(c - '0');
  }
  return length <= longest ? std::optional(length) : std::nullopt;
}

// Where the octets of an address begin.
std::uint8_t* begin_of(std::array<std::uint8_t, 16>& field, bool v6) {
  return field.data() + (v6 ? 0 : 12);
}

void set_ones(HostNet& net, unsigned ones) {
  net.mask = {};
  std::uint8_t* mask = begin_of(net.mask, net.v6);
  for (unsigned bit = 0; bit < ones; ++bit) {
    mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80u >> (bit % 8));
  }
}

// As a prefix length if it is one stretch of ones, else dotted (IPv4 only).
std::string format_mask(const HostNet& net) {
  const unsigned bits = net.v6 ? 128 : 32;
  for (unsigned ones = 0; ones <= bits; ++ones) {
    HostNet stretch = net;
    set_ones(stretch, ones);
    if (stretch.mask == net.mask) return ones == bits ? "" : fmt::format("/{}", ones);
  }
  return fmt::format("/{}.{}.{}.{}", net.mask[12], net.mask[13], net.mask[14], net.mask[15]);
}

// The words of a rule, taken one after the other.
class RuleWords {
 public:
  explicit RuleWords(std::string_view text) : words_(lower_words(text)) {}
  [[nodiscard]] bool take(std::string_view word) {
    if (next_ == words_.size() || words_[next_] != word) return false;
    ++next_;
    return true;
  }
  [[nodiscard]] std::optional<std::string> take_any() {
    if (next_ == words_.size()) return std::nullopt;
    return words_[next_++];
  }
  [[nodiscard]] bool at_net() const {
    return next_ < words_.size() && words_[next_] != "with" && words_[next_] != "not";
  }

 private:
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

}  // namespace

HostNet parse_host_net(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  HostNet net;
  net.any = false;
  net.v6 = address.find(':') != std::string::npos;
  const int family = net.v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, address.c_str(), begin_of(net.address, net.v6)) != 1) refuse_net(text);
  const unsigned bits = net.v6 ? 128 : 32;
  set_ones(net, bits);
  if (slash != std::string_view::npos) {
    const std::string mask(text.substr(slash + 1));
    if (const auto length = prefix_length(mask, bits)) {
      set_ones(net, *length);
    } else if (net.v6 || inet_pton(AF_INET, mask.c_str(), begin_of(net.mask, false)) != 1) {
      refuse_net(text);
    }
  }
  for (std::size_t i = 0; i < net.address.size(); ++i) {
    net.address[i] = static_cast<std::uint8_t>(net.address[i] & net.mask[i]);
  }
  return net;
}

std::string format_host_net(const HostNet& net) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(net.v6 ? AF_INET6 : AF_INET, net.address.data() + (net.v6 ? 0 : 12), text, sizeof text);
  return text + format_mask(net);
}

HostRule parse_host_rule(std::string_view text) {
  RuleWords words(text);
  HostRule rule;
  (void)words.take("log");
  if (words.take("none")) {
    rule.log = HostLog::kNone;
  } else if (words.take("from")) {
    rule.log = HostLog::kFrom;
  } else if (words.take("to")) {
    rule.log = HostLog::kTo;
  } else {
    (void)words.take("both");
  }
  if (words.at_net()) rule.net = parse_host_net(*words.take_any());
  const bool negated = words.take("not");
  if (words.take("with")) {
    const auto peer = words.take_any();
    if (!peer) throw ValueError(fmt::format("a network is missing behind `with`; {}", kForm));
    rule.peer = negated ? HostPeer::kNotWith : HostPeer::kWith;
    rule.peer_net = parse_host_net(*peer);
  } else if (negated) {
    throw ValueError(fmt::format("`not` stands before `with` only; {}", kForm));
  }
  if (const auto rest = words.take_any()) {
    throw ValueError(fmt::format("{} is one word too many; {}", quoted(*rest), kForm));
  }
  return rule;
}

std::string format_host_rule(const HostRule& rule) {
  constexpr std::array<std::string_view, 4> kWords = {"none", "from", "to", "both"};
  std::string text(kWords[static_cast<std::size_t>(rule.log)]);
  if (!rule.net.any) text += ' ' + format_host_net(rule.net);
  if (rule.peer == HostPeer::kAny) return text;
  return text + (rule.peer == HostPeer::kWith ? " with " : " not with ") +
         format_host_net(rule.peer_net);
}

}  // namespace wiretally
