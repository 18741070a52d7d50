// SPDX-License-Identifier: Apache-2.0
// Walks the key tree and prints each value by its rule. Used for reference.yaml, `status` and
// `import`.
#include "config/yaml_writer.hpp"

#include <fmt/format.h>

#include <utility>

#include "config/describe.hpp"
#include "config/field_codec.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kWidth = 100;

bool is_section(const Option& option) {
  return option.value.kind == ValueKind::kSection;
}

}  // namespace

std::string YamlWriter::write() {
  write_keys(key_tree().children, 0, 0);
  return std::move(text_);
}

void YamlWriter::write_keys(const std::vector<KeyNode>& keys, std::size_t indent,
                            std::size_t entry) {
  for (const KeyNode& key : keys) {
    if (comments_ == Comments::kExplain) write_comment(*key.option, indent);
    write_key(key, indent, entry);
  }
}

void YamlWriter::write_key(const KeyNode& key, std::size_t indent, std::size_t entry) {
  text_ += fmt::format("{:{}}{}:", "", indent, key.name);
  if (is_section(*key.option)) {
    text_ += '\n';
    write_keys(key.children, indent + 2, entry);
  } else if (key.option->value.kind == ValueKind::kEntries) {
    write_entries(key, indent);
  } else {
    text_ += ' ' + format_field(key.option->value, key.option->field(config_, entry)) + '\n';
  }
}

// Each entry is written as a map two deeper, and then its first key gets the dash.
void YamlWriter::write_entries(const KeyNode& list, std::size_t indent) {
  const auto field = std::get<EntriesField>(list.option->field(config_, 0));
  const std::size_t entries = field.size(field.list);
  text_ += entries == 0 ? " []\n" : "\n";
  for (std::size_t i = 0; i < entries; ++i) {
    std::string above = std::exchange(text_, {});
    write_keys(list.children, indent + 4, i);
    std::size_t first_key = 0;
    while (text_[first_key + indent + 4] == '#') first_key = text_.find('\n', first_key) + 1;
    text_[first_key + indent + 2] = '-';
    text_ = std::move(above) + text_;
  }
}

void YamlWriter::write_comment(const Option& option, std::size_t indent) {
  if (option.path.find('.') == std::string_view::npos) text_ += '\n';
  const std::string prefix = fmt::format("{:{}}# ", "", indent);
  text_ += wrapped(std::string(option.help), prefix, kWidth);
  if (is_section(option)) return;
  Config sample = example_config();
  std::string facts = describe_rule(option.value, option.field(sample, 0));
  const std::string shown = default_text(option);
  facts += option.required ? "; required" : shown.empty() ? "" : "; default " + shown;
  if (option.on_reload == OnReload::kNeedsRestart) facts += "; restart";
  text_ += wrapped("(" + facts + ")", prefix, kWidth);
}

std::string wrapped(const std::string& text, const std::string& prefix, std::size_t width) {
  std::string lines;
  std::string line = prefix;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (line.size() > prefix.size() && line.size() + 1 + word.size() > width) {
      lines += line + '\n';
      line = prefix;
    }
    if (line.size() > prefix.size()) line += ' ';
    line += word;
    begin = end + 1;
  }
  return lines + line + '\n';
}

std::string default_text(const Option& option) {
  if (option.field == nullptr || option.required) return {};
  Config config = example_config();
  // The examples are not defaults: a fresh entry takes their place.
  for (const Option& list : options()) {
    if (list.value.kind != ValueKind::kEntries) continue;
    const auto field = std::get<EntriesField>(list.field(config, 0));
    field.resize(field.list, 0);
    field.resize(field.list, 1);
  }
  return format_field(option.value, option.field(config, 0));
}

std::string to_yaml(const Config& config) {
  return YamlWriter(config, YamlWriter::Comments::kNone).write();
}

std::string reference_yaml() {
  constexpr std::string_view kHead =
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# Every key of wiretally's configuration, at its default. Generated from "
      "config/options.cpp; do not\n"
      "# edit: `meson compile -C build update-config-reference` writes it anew, and a test "
      "compares.\n"
      "#\n"
      "# This is a page to look things up in. A whole configuration can be as short as\n"
      "#   capture: {interfaces: [{name: eth1}]}\n"
      "#   export: {collectors: [{address: \"127.0.0.1:2055\"}]}\n"
      "# Every key but `capture` may be left out. Lists show one example entry; their default is "
      "[].\n"
      "# A duration is written 1h30m, 90s, 500ms (units y d h m s ms us ns), a size 64k, 1M, 2G.\n"
      "# Where \"restart\" stands, a reload (SIGHUP) cannot take the new value.\n"
      "# `wiretally check FILE` says what is wrong with a configuration, and where.\n";
  return std::string(kHead) + YamlWriter(example_config(), YamlWriter::Comments::kExplain).write();
}

}  // namespace wiretally
