// SPDX-License-Identifier: Apache-2.0
// A YAML node into a typed member and back. One function for each kind of value; the numbers share
// their range check. Start-up, reload and `status`, on control.
#include "config/field_codec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "config/rule_words.hpp"
#include "config/suggest.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kWordsListed = 24;  // of a longer list only the nearest is named

[[noreturn]] void not_one_of(const YamlNode& node, std::span<const std::string_view> words) {
  const auto near = nearest(node.text, words);
  if (words.size() > kWordsListed) {
    throw FieldError(
        node.at, near ? fmt::format("{} is not known; did you mean `{}`?", quoted(node.text), *near)
                      : fmt::format("{} is not known; config/reference.yaml has all {}",
                                    quoted(node.text), words.size()));
  }
  const std::string meant = near ? fmt::format("; did you mean `{}`?", *near) : std::string();
  throw FieldError(node.at, fmt::format("{} is not one of {}{}", quoted(node.text),
                                        fmt::join(words, ", "), meant));
}

const std::string& scalar(const YamlNode& node, std::string_view wanted) {
  switch (node.kind) {
    case YamlNode::Kind::kScalar:
      return node.text;
    case YamlNode::Kind::kNull:
      throw FieldError(node.at, fmt::format("has no value; write {} or leave the key out", wanted));
    case YamlNode::Kind::kList:
      throw FieldError(node.at, fmt::format("is a list; {} is meant (text that begins with [ needs "
                                            "quotes)",
                                            wanted));
    case YamlNode::Kind::kMap:
      throw FieldError(node.at, fmt::format("is a map; {} is meant", wanted));
  }
  return node.text;
}

// ---- numbers ----

std::uint64_t parse_number(const ValueRule& rule, const YamlNode& node, const std::string& text) {
  try {
    switch (rule.kind) {
      case ValueKind::kSize:
        return parse_size(text);
      case ValueKind::kDuration:
        return static_cast<std::uint64_t>(parse_duration(text).count());
      default:
        return parse_integer(text);
    }
  } catch (const ValueError& error) {
    const bool integer = rule.kind == ValueKind::kInteger || rule.kind == ValueKind::kIntegerList;
    const std::string wanted = integer ? "; write " + number_wanted(rule) : std::string();
    throw FieldError(node.at, error.what() + wanted);
  }
}

std::uint64_t checked_number(const ValueRule& rule, const YamlNode& node) {
  const std::string& text = scalar(node, number_wanted(rule));
  if (!rule.zero_word.empty() && text == rule.zero_word) return 0;
  const std::uint64_t number = parse_number(rule, node, text);
  if (number < rule.min || number > rule.max) {
    throw FieldError(
        node.at, fmt::format("{} is out of range; write {}", quoted(text), number_wanted(rule)));
  }
  return number;
}

// ---- texts ----

void check_text(const ValueRule& rule, const YamlNode& node, std::string_view wanted) {
  const std::string& text = node.text;
  if (text.size() < rule.min) throw FieldError(node.at, fmt::format("is empty; write {}", wanted));
  if (text.size() > rule.max) {
    throw FieldError(node.at, fmt::format("has {} octets; at most {}", text.size(), rule.max));
  }
  const bool control = std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
  if (control) {
    throw FieldError(node.at,
                     fmt::format("{} has a control character or a line break in it", quoted(text)));
  }
}

void check_endpoint(const ValueRule& rule, const YamlNode& node) {
  if (node.text.empty() && rule.min == 0) return;
  try {
    (void)parse_endpoint(node.text);
  } catch (const ValueError& error) {
    throw FieldError(node.at, error.what());
  }
}

void check_ip_address(const YamlNode& node) {
  if (node.text.empty() || is_ipv4(node.text) || is_ipv6(node.text)) return;
  throw FieldError(node.at, fmt::format("{} is not an address; write 192.0.2.1 or \"2001:db8::1\", "
                                        "without a port",
                                        quoted(node.text)));
}

std::string checked_text(const ValueRule& rule, const YamlNode& node) {
  const bool place = rule.kind == ValueKind::kPlace;
  const bool endpoint = rule.kind == ValueKind::kEndpoint || place;
  const std::string_view wanted = endpoint ? "host:port" : "a text";
  scalar(node, wanted);
  check_text(rule, node, wanted);
  if (endpoint && !(place && node.text.starts_with('/'))) check_endpoint(rule, node);
  if (rule.kind == ValueKind::kIpAddress) check_ip_address(node);
  return node.text;
}

const Choice& checked_choice(const ValueRule& rule, const YamlNode& node) {
  const std::vector<std::string_view> words = words_of(rule);
  const std::string& text =
      scalar(node, words.size() > kWordsListed ? std::string("a name")
                                               : fmt::format("one of {}", fmt::join(words, ", ")));
  const auto found = std::ranges::find(rule.choices, text, &Choice::word);
  if (found == rule.choices.end()) not_one_of(node, words);
  return *found;
}

bool checked_flag(const YamlNode& node) {
  const std::string& text = scalar(node, "true or false");
  if (text != "true" && text != "false") {
    throw FieldError(node.at, fmt::format("{} is neither true nor false", quoted(text)));
  }
  return text == "true";
}

// ---- lists ----

const std::vector<YamlNode>& list_items(const YamlNode& node, std::string_view wanted) {
  switch (node.kind) {
    case YamlNode::Kind::kList:
      break;
    case YamlNode::Kind::kScalar:
      throw FieldError(node.at, fmt::format("{} is not a list; write [{}]", quoted(node.text),
                                            yaml_scalar(node.text)));
    case YamlNode::Kind::kNull:
      throw FieldError(node.at, fmt::format("has no value; write {} or leave the key out", wanted));
    case YamlNode::Kind::kMap:
      throw FieldError(node.at, fmt::format("is a map; {} is meant", wanted));
  }
  return node.items;
}

std::vector<std::uint32_t> checked_integers(const ValueRule& rule, const YamlNode& node) {
  std::vector<std::uint32_t> numbers;
  for (const YamlNode& item : list_items(node, "a list of numbers")) {
    const auto number = static_cast<std::uint32_t>(checked_number(rule, item));
    if (std::ranges::find(numbers, number) != numbers.end()) {
      throw FieldError(item.at, fmt::format("{} is in the list twice", number));
    }
    numbers.push_back(number);
  }
  if (numbers.empty()) throw FieldError(node.at, "is empty; at least one is needed");
  return numbers;
}

// `src_net/24`: the word, a slash and a prefix length that some address can have.
void check_group(const ValueRule& rule, const YamlNode& item) {
  YamlNode word = item;
  scalar(item, "a field");
  const std::size_t slash = item.text.find('/');
  word.text = item.text.substr(0, slash);
  (void)checked_choice(rule, word);
  const bool is_net = word.text.ends_with("net");
  if (is_net != (slash != std::string::npos)) {
    throw FieldError(item.at, is_net ? fmt::format("needs a prefix length; write {}/24", word.text)
                                     : fmt::format("`{}` takes no prefix length", word.text));
  }
  if (is_net) {
    YamlNode length = item;
    length.text = item.text.substr(slash + 1);
    (void)checked_number(rule::integer(0, 128), length);
  }
}

std::vector<std::string> checked_texts(const ValueRule& rule, const YamlNode& node) {
  const bool groups = rule.kind == ValueKind::kGroupList;
  const bool words = rule.kind == ValueKind::kWordList;
  std::vector<std::string> texts;
  for (const YamlNode& item :
       list_items(node, groups || words ? "a list of fields" : "a list of texts")) {
    if (groups) {
      check_group(rule, item);
    } else if (words) {
      (void)checked_choice(rule, item);
    } else {
      (void)checked_text(rule, item);
    }
    // A file may be read twice, but grouping twice by one field means nothing.
    if (groups && std::ranges::find(texts, item.text) != texts.end()) {
      throw FieldError(item.at, fmt::format("{} is in the list twice", quoted(item.text)));
    }
    if (words && std::ranges::count(texts, item.text) == 2) {
      throw FieldError(item.at, fmt::format("{} is in the list three times", quoted(item.text)));
    }
    texts.push_back(item.text);
  }
  return texts;
}

void set_names(const NameSetField& set, const std::set<std::string_view>& chosen) {
  for (const auto& [name, flag] : set.names) *flag = chosen.contains(name);
}

// People think of the two hosts and the two ports apart; say that here they come in pairs.
std::string pair_hint(std::string_view text) {
  if (text.ends_with("host")) return "hosts";
  if (text.ends_with("port")) return "ports";
  return {};
}

void store_name_list(const ValueRule& rule, const YamlNode& node, const NameSetField& set) {
  const std::vector<std::string_view> names = names_of(set);
  std::set<std::string_view> chosen;
  const std::string wanted = fmt::format("a list of {}", fmt::join(names, ", "));
  for (const YamlNode& item : list_items(node, wanted)) {
    const std::string& text = scalar(item, fmt::format("one of {}", fmt::join(names, ", ")));
    const auto name = std::ranges::find(names, text);
    const std::string pair = pair_hint(text);
    if (name == names.end() && std::ranges::find(names, pair) != names.end()) {
      throw FieldError(item.at,
                       fmt::format("{}: source and destination go together here; write `{}`",
                                   quoted(text), pair));
    }
    if (name == names.end()) not_one_of(item, names);
    if (!chosen.insert(*name).second) {
      throw FieldError(item.at, fmt::format("{} is in the list twice", quoted(text)));
    }
  }
  if (chosen.size() < rule.min) throw FieldError(node.at, "is empty; at least one field is needed");
  set_names(set, chosen);
}

void store_names(const ValueRule& rule, const YamlNode& node, const NameSetField& set) {
  if (node.kind != YamlNode::Kind::kScalar || rule.presets.empty()) {
    store_name_list(rule, node, set);
    return;
  }
  const auto preset = std::ranges::find(rule.presets, node.text, &Preset::word);
  if (preset != rule.presets.end()) {
    set_names(set, {preset->names.begin(), preset->names.end()});
    return;
  }
  std::vector<std::string_view> words;
  for (const Preset& known : rule.presets) words.push_back(known.word);
  const std::vector<std::string_view> names = names_of(set);
  if (std::ranges::find(names, node.text) != names.end()) {
    throw FieldError(
        node.at, fmt::format("{} is a field; write the list [{}]", quoted(node.text), node.text));
  }
  not_one_of(node, words);
}

// ---- the visitors ----

struct Store {
  const YamlNode& node;
  const ValueRule& rule;

  void operator()(std::monostate) const {}
  void operator()(const EntriesField&) const {}
  void operator()(bool* value) const { *value = checked_flag(node); }
  void operator()(std::chrono::nanoseconds* value) const {
    *value = std::chrono::nanoseconds(static_cast<std::int64_t>(checked_number(rule, node)));
  }
  template <class Integer>
  requires std::is_integral_v<Integer>
  void operator()(Integer* value) const {
    *value = static_cast<Integer>(checked_number(rule, node));
  }
  void operator()(std::string* value) const {
    *value = rule.kind == ValueKind::kChoice ? std::string(checked_choice(rule, node).word)
                                             : checked_text(rule, node);
  }
  void operator()(const EnumField& field) const { *field.value = checked_choice(rule, node).value; }
  void operator()(std::vector<std::uint32_t>* value) const {
    *value = checked_integers(rule, node);
  }
  void operator()(std::vector<std::string>* value) const { *value = checked_texts(rule, node); }
  void operator()(const NameSetField& set) const { store_names(rule, node, set); }
};

}  // namespace

void store_field(const YamlNode& node, const ValueRule& rule, const Field& field) {
  std::visit(Store{node, rule}, field);
}

}  // namespace wiretally
