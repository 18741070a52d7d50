// SPDX-License-Identifier: Apache-2.0
// What the steps of a check share: which keys were written and where, and everything found so far.
// Thread: one, the one that loads.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace wiretally {

class Findings {
 public:
  // `file` stands before the line in every message about the file.
  explicit Findings(std::string file) : file_(std::move(file)) {}

  void note_written(const std::string& path, const Position& at) { written_.emplace(path, at); }
  [[nodiscard]] bool is_written(std::string_view path) const;
  // An error at `path` or at a key below it: what depends on these values cannot be judged. "": an
  // error of the text as a whole.
  [[nodiscard]] bool has_error_under(std::string_view path) const;

  void error(const Position& at, std::string path, std::string text);
  void warning(const Position& at, std::string path, std::string text);
  // At the value of `path`, or of the nearest section above it that was written.
  void error_at(std::string_view path, std::string text);
  void warning_at(std::string_view path, std::string text);

  // In the order of the text: the file first, then the overrides.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  void add(Severity severity, const Position& at, std::string path, std::string text);
  [[nodiscard]] Position position_of(std::string_view path) const;

  std::string file_;
  std::map<std::string, Position, std::less<>> written_;
  std::vector<Diagnostic> found_;
};

}  // namespace wiretally
