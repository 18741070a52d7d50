// SPDX-License-Identifier: Apache-2.0
// What changed between two configurations, key by key along the option table. On control, at a
// reload.
#include <fmt/format.h>

#include <functional>
#include <type_traits>

#include "config/describe.hpp"
#include "config/field_codec.hpp"
#include "config/options.hpp"

namespace wiretally {
namespace {

using Changed = std::function<void(const std::string& path, const Option& option)>;

class Comparison {
 public:
  Comparison(const Config& old_config, const Config& new_config, Changed changed)
      : old_(old_config), new_(new_config), changed_(std::move(changed)) {}

  void run() { compare_keys(key_tree().children, "", 0); }

 private:
  void compare_keys(const std::vector<KeyNode>& keys, const std::string& section,
                    std::size_t entry) {
    for (const KeyNode& key : keys) {
      compare(key, section.empty() ? std::string(key.name) : section + "." + std::string(key.name),
              entry);
    }
  }

  void compare(const KeyNode& key, const std::string& path, std::size_t entry) {
    const Option& option = *key.option;
    if (option.value.kind == ValueKind::kSection) return compare_keys(key.children, path, entry);
    if (option.value.kind == ValueKind::kEntries) return compare_entries(key, path);
    const std::string before = format_field(option.value, option.field(old_, entry));
    const std::string after = format_field(option.value, option.field(new_, entry));
    if (before != after) changed_(path, option);
  }

  void compare_entries(const KeyNode& list, const std::string& path) {
    const auto before = std::get<EntriesField>(list.option->field(old_, 0));
    const auto after = std::get<EntriesField>(list.option->field(new_, 0));
    if (before.size(before.list) != after.size(after.list)) return changed_(path, *list.option);
    for (std::size_t i = 0; i < after.size(after.list); ++i) {
      compare_keys(list.children, fmt::format("{}[{}]", path, i), i);
    }
  }

  Config old_;
  Config new_;
  Changed changed_;
};

// Not for lists of entries. Both fields are of the same row.
void copy_field(const Field& from, const Field& to) {
  std::visit(
      [&to](const auto& source) {
        using Member = std::decay_t<decltype(source)>;
        const auto& target = std::get<Member>(to);
        if constexpr (std::is_same_v<Member, EnumField>) {
          *target.value = *source.value;
        } else if constexpr (std::is_same_v<Member, NameSetField>) {
          for (std::size_t i = 0; i < source.names.size(); ++i) {
            *target.names[i].second = *source.names[i].second;
          }
        } else if constexpr (std::is_pointer_v<Member>) {
          *target = *source;
        }
      },
      from);
}

}  // namespace

std::vector<std::string> changed_keys(const Config& old_config, const Config& new_config) {
  std::vector<std::string> paths;
  Comparison(old_config, new_config, [&](const std::string& path, const Option&) {
    paths.push_back(path);
  }).run();
  return paths;
}

std::vector<std::string> restart_needed(const Config& old_config, const Config& new_config) {
  std::vector<std::string> paths;
  Comparison(old_config, new_config, [&](const std::string& path, const Option& option) {
    if (option.on_reload == OnReload::kNeedsRestart) paths.push_back(path);
  }).run();
  return paths;
}

void keep_what_needs_restart(const Config& running, Config& next) {
  Config kept = running;
  next.capture = running.capture;  // as a whole, for it has all the lists that need a restart
  for (const Option& option : options()) {
    if (option.on_reload != OnReload::kNeedsRestart || option.in_entry()) continue;
    const ValueKind kind = option.value.kind;
    if (kind == ValueKind::kSection || kind == ValueKind::kEntries) continue;
    copy_field(option.field(kept, 0), option.field(next, 0));
  }
}

}  // namespace wiretally
