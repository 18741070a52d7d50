// SPDX-License-Identifier: Apache-2.0
// What the configuration check has to say about one place. Text form, one line, for people and
// editors: `FILE:LINE:COLUMN: PATH: what, and what was meant`; a warning has `warning: ` before the
// text. Thread: any (plain values).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

// 1-based; the column counts octets. Line 0: the text as a whole (it could not be read).
// kOverride: the line is the number of the `--set`, the column is within its KEY=VALUE.
struct Position {
  enum class Source : std::uint8_t { kFile, kOverride };
  int line = 1;
  int column = 1;
  Source source = Source::kFile;
};

enum class Severity : std::uint8_t { kWarning, kError };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;  // as the user named it; "--set" for an override
  Position at;
  std::string path;  // key path; empty when no key is meant (YAML syntax)
  std::string text;
};

[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);
[[nodiscard]] bool has_errors(const std::vector<Diagnostic>& diagnostics);

}  // namespace wiretally
