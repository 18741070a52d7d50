// SPDX-License-Identifier: Apache-2.0
// Walks the user's tree and the key tree side by side. Unknown keys are told with the nearest known
// one, or with the section they belong to. Start-up and reload, on control.
#include "config/reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/field_codec.hpp"
#include "config/options.hpp"
#include "config/suggest.hpp"

namespace wiretally {
namespace {

std::string joined(const std::string& section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

std::vector<std::string_view> names_of(const std::vector<KeyNode>& keys) {
  std::vector<std::string_view> names;
  for (const KeyNode& key : keys) names.push_back(key.name);
  return names;
}

constexpr std::string_view kTopLevel = "the top level";

// A key of that name in another section: the usual slip is a wrong indentation.
std::string_view section_that_has(std::string_view name) {
  for (const Option& option : options()) {
    if (option.name() != name) continue;
    const std::size_t dot = option.path.rfind('.');
    return dot == std::string_view::npos ? kTopLevel : option.path.substr(0, dot);
  }
  return {};
}

std::string unknown_key_text(std::string_view name, const std::string& section,
                             const std::vector<KeyNode>& known) {
  const std::vector<std::string_view> names = names_of(known);
  if (name == "<<") return "merge keys are not YAML 1.2 and not read; repeat the values";
  if (const auto near = nearest(name, names)) {
    return fmt::format("unknown key; did you mean `{}`?", *near);
  }
  const std::string_view elsewhere = section_that_has(name);
  if (!elsewhere.empty()) {
    return fmt::format("unknown key here; {} belongs {} {}", quoted(name),
                       elsewhere == kTopLevel ? "at" : "in", elsewhere);
  }
  return fmt::format("unknown key; {} has {}",
                     section.empty() ? kTopLevel : std::string_view(section),
                     fmt::join(names, ", "));
}

class Reader {
 public:
  explicit Reader(Findings& findings) : findings_(findings) {}

  Config read(const YamlNode& root) {
    read_section(root, key_tree(), "", 0);
    return std::move(config_);
  }

 private:
  void read_section(const YamlNode& node, const KeyNode& section, const std::string& path,
                    std::size_t entry);
  void read_key(const YamlNode& node, const KeyNode& key, const std::string& path,
                std::size_t entry);
  void read_entries(const YamlNode& node, const KeyNode& list, const std::string& path);
  void read_entry(const YamlNode& node, const KeyNode& list, const std::string& path,
                  std::size_t entry);
  void read_value(const YamlNode& node, const Option& option, const std::string& path,
                  std::size_t entry);

  Findings& findings_;
  Config config_;
};

void Reader::read_section(const YamlNode& node, const KeyNode& section, const std::string& path,
                          std::size_t entry) {
  if (node.kind == YamlNode::Kind::kNull) return;  // `flows:` with nothing below it: all defaults
  if (node.kind != YamlNode::Kind::kMap) {
    const std::string what = node.kind == YamlNode::Kind::kList ? "a list" : quoted(node.text);
    findings_.error(node.at, path,
                    fmt::format("{} stands where a section with keys is meant: {}", what,
                                fmt::join(names_of(section.children), ", ")));
    return;
  }
  for (const YamlEntry& written : node.entries) {
    const std::string key_path = joined(path, written.key);
    const KeyNode* key = section.child(written.key);
    if (key == nullptr) {
      const std::string shown = quoted(written.key);
      findings_.error(written.at, joined(path, shown.substr(1, shown.size() - 2)),
                      unknown_key_text(written.key, path, section.children));
      continue;
    }
    findings_.note_written(
        key_path, written.value.kind == YamlNode::Kind::kNull ? written.at : written.value.at);
    read_key(written.value, *key, key_path, entry);
  }
}

void Reader::read_key(const YamlNode& node, const KeyNode& key, const std::string& path,
                      std::size_t entry) {
  if (key.option->value.kind == ValueKind::kSection) {
    read_section(node, key, path, entry);
  } else if (key.option->value.kind == ValueKind::kEntries) {
    read_entries(node, key, path);
  } else {
    read_value(node, *key.option, path, entry);
  }
}

void Reader::read_entries(const YamlNode& node, const KeyNode& list, const std::string& path) {
  if (node.kind == YamlNode::Kind::kNull) return;
  if (node.kind != YamlNode::Kind::kList) {
    findings_.error(node.at, path, "a list is meant; begin each entry with `- `");
    return;
  }
  const std::uint64_t most = list.option->value.max;
  if (node.items.size() > most) {
    findings_.error(node.items[most].at, path,
                    fmt::format("has {} entries; at most {}", node.items.size(), most));
    return;
  }
  const auto field = std::get<EntriesField>(list.option->field(config_, 0));
  field.resize(field.list, node.items.size());
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    read_entry(node.items[i], list, fmt::format("{}[{}]", path, i), i);
  }
}

void Reader::read_entry(const YamlNode& node, const KeyNode& list, const std::string& path,
                        std::size_t entry) {
  findings_.note_written(path, node.at);
  if (node.kind == YamlNode::Kind::kScalar) {
    findings_.error(node.at, path,
                    fmt::format("{} is not a map; write {{{}: {}}}", quoted(node.text),
                                list.children.front().name, yaml_scalar(node.text)));
    return;
  }
  read_section(node, list, path, entry);
  for (const KeyNode& key : list.children) {
    if (!key.option->required || node.find(key.name) != nullptr) continue;
    findings_.error(node.at, joined(path, key.name),
                    fmt::format("is missing; each entry needs it, for example {}: {}", key.name,
                                yaml_scalar(std::string(key.option->example))));
  }
}

void Reader::read_value(const YamlNode& node, const Option& option, const std::string& path,
                        std::size_t entry) {
  try {
    store_field(node, option.value, option.field(config_, entry));
  } catch (const FieldError& error) {
    findings_.error(error.at(), path, error.what());
  }
}

}  // namespace

Config read_tree(const YamlNode& root, Findings& findings) {
  return Reader(findings).read(root);
}

}  // namespace wiretally
