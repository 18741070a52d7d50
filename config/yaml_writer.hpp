// SPDX-License-Identifier: Apache-2.0
// A Config along the option table as block YAML, with or without an explanation above each key.
// Thread: any.
#pragma once

#include <string>

#include "config/config.hpp"
#include "config/options.hpp"

namespace wiretally {

class YamlWriter {
 public:
  enum class Comments : std::uint8_t { kNone, kExplain };

  // The Config is copied: fields are reached through pointers that could change it.
  YamlWriter(const Config& config, Comments comments) : config_(config), comments_(comments) {}

  [[nodiscard]] std::string write();

 private:
  void write_keys(const std::vector<KeyNode>& keys, std::size_t indent, std::size_t entry);
  void write_key(const KeyNode& key, std::size_t indent, std::size_t entry);
  void write_entries(const KeyNode& list, std::size_t indent);
  void write_comment(const Option& option, std::size_t indent);

  Config config_;
  Comments comments_;
  std::string text_;
};

// Breaks at blanks so that no line, prefix included, is longer than `width` octets.
[[nodiscard]] std::string wrapped(const std::string& text, const std::string& prefix,
                                  std::size_t width);

// The default as YAML; empty for sections, lists of entries and keys that must be written.
[[nodiscard]] std::string default_text(const Option& option);

}  // namespace wiretally
