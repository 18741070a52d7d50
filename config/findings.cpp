// SPDX-License-Identifier: Apache-2.0
// Collects diagnostics and finds the place a message should point at. Start-up and reload, on
// control.
#include "config/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace wiretally {

std::string to_string(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.at.line > 0) {
    text += fmt::format(":{}:{}", diagnostic.at.line, diagnostic.at.column);
  }
  text += ": ";
  if (!diagnostic.path.empty()) text += diagnostic.path + ": ";
  if (diagnostic.severity == Severity::kWarning) text += "warning: ";
  return text + diagnostic.text;
}

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::ranges::any_of(diagnostics,
                             [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

bool Findings::is_written(std::string_view path) const {
  return written_.contains(path);
}

bool Findings::has_error_under(std::string_view path) const {
  return std::ranges::any_of(found_, [&](const Diagnostic& d) {
    if (d.severity != Severity::kError || !d.path.starts_with(path)) return false;
    return d.path.size() == path.size() || d.path[path.size()] == '.' || d.path[path.size()] == '[';
  });
}

void Findings::error(const Position& at, std::string path, std::string text) {
  add(Severity::kError, at, std::move(path), std::move(text));
}

void Findings::warning(const Position& at, std::string path, std::string text) {
  add(Severity::kWarning, at, std::move(path), std::move(text));
}

void Findings::error_at(std::string_view path, std::string text) {
  add(Severity::kError, position_of(path), std::string(path), std::move(text));
}

void Findings::warning_at(std::string_view path, std::string text) {
  add(Severity::kWarning, position_of(path), std::string(path), std::move(text));
}

void Findings::add(Severity severity, const Position& at, std::string path, std::string text) {
  const std::string& file = at.source == Position::Source::kFile ? file_ : "--set";
  found_.push_back({severity, file, at, std::move(path), std::move(text)});
}

Position Findings::position_of(std::string_view path) const {
  while (!path.empty()) {
    const auto found = written_.find(path);
    if (found != written_.end()) return found->second;
    const std::size_t end = path.find_last_of(".[");
    path = path.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return {};
}

std::vector<Diagnostic> Findings::sorted() const {
  std::vector<Diagnostic> all = found_;
  std::ranges::stable_sort(
      all, {}, [](const Diagnostic& d) { return std::tuple(d.at.source, d.at.line, d.at.column); });
  return all;
}

}  // namespace wiretally
