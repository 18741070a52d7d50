// SPDX-License-Identifier: Apache-2.0
// The steps of loading, in order, on one screen: parse, override, read, derive, cross-check.
// Start-up and reload, on control.
#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/cross_checks.hpp"
#include "config/derive.hpp"
#include "config/findings.hpp"
#include "config/overrides.hpp"
#include "config/read_file.hpp"
#include "config/reader.hpp"
#include "config/startup_error.hpp"
#include "config/yaml_tree.hpp"

namespace wiretally {
namespace {

struct Loaded {
  Config config;
  std::vector<Diagnostic> diagnostics;
};

void note_faults(const YamlTree& tree, Findings& findings) {
  for (const YamlFault& fault : tree.faults) findings.error(fault.at, fault.path, fault.text);
}

Loaded load(std::string_view text, const std::string& name, std::span<const std::string> overrides,
            const MoreChecks& more = {}) {
  Findings findings(name);
  YamlTree tree = parse_yaml(text);
  note_faults(tree, findings);
  if (tree.broken) return {{}, findings.sorted()};
  const bool is_empty = tree.root.kind == YamlNode::Kind::kNull;
  if (is_empty && overrides.empty()) {
    findings.error({}, "", "is empty; write at least capture: {interfaces: [{name: eth1}]}");
    return {{}, findings.sorted()};
  }
  apply_overrides(overrides, tree.root, findings);
  Config config = read_tree(tree.root, findings);
  derive(config, findings);
  cross_check(config, findings);
  if (more) more(config, findings);
  return {std::move(config), findings.sorted()};
}

// The first error; the rest is for `check`.
[[noreturn]] void refuse(const std::vector<Diagnostic>& diagnostics) {
  const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::kError; };
  const auto first = std::ranges::find_if(diagnostics, is_error);
  const auto errors = std::ranges::count_if(diagnostics, is_error);
  std::string text = to_string(*first);
  if (errors > 1) {
    text += fmt::format("\n({} more; `wiretally check` shows all)", errors - 1);
  }
  throw StartupError(ExitCode::kUsage, text);
}

Diagnostic unreadable(const std::string& path, const std::string& why) {
  return {Severity::kError, path, {0, 0, Position::Source::kFile}, "", why};
}

}  // namespace

Config load_config_text(std::string_view text, const std::string& name_for_messages,
                        std::span<const std::string> overrides, std::vector<Diagnostic>* warnings) {
  Loaded loaded = load(text, name_for_messages, overrides);
  if (has_errors(loaded.diagnostics)) refuse(loaded.diagnostics);
  if (warnings != nullptr) {
    warnings->insert(warnings->end(), loaded.diagnostics.begin(), loaded.diagnostics.end());
  }
  return std::move(loaded.config);
}

Config load_config_file(const std::string& path, std::span<const std::string> overrides,
                        std::vector<Diagnostic>* warnings) {
  const FileText file = read_file(path);
  if (!file.problem.empty()) refuse({unreadable(path, file.problem)});
  return load_config_text(file.text, path, overrides, warnings);
}

std::vector<Diagnostic> check_config_text(std::string_view text,
                                          const std::string& name_for_messages,
                                          std::span<const std::string> overrides) {
  return load(text, name_for_messages, overrides).diagnostics;
}

std::vector<Diagnostic> check_config_file(const std::string& path,
                                          std::span<const std::string> overrides,
                                          const MoreChecks& more) {
  const FileText file = read_file(path);
  if (!file.problem.empty()) return {unreadable(path, file.problem)};
  return load(file.text, path, overrides, more).diagnostics;
}

}  // namespace wiretally
