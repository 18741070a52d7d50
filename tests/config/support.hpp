// SPDX-License-Identifier: Apache-2.0
// Small helpers the configuration tests share: messages as text, files of the source tree.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/load.hpp"
#include "config/startup_error.hpp"

namespace wiretally {

inline std::string source_file(const std::string& path) {
  std::ifstream file(std::string(WIRETALLY_SOURCE_ROOT) + "/" + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) lines.push_back(to_string(diagnostic));
  return lines;
}

inline std::vector<std::string> check(const std::string& text,
                                      const std::vector<std::string>& overrides = {}) {
  return lines_of(check_config_text(text, "f.yaml", overrides));
}

// The text of the StartupError, "" when it loads.
inline std::string load_error(const std::string& text,
                              const std::vector<std::string>& overrides = {}) {
  try {
    (void)load_config_text(text, "f.yaml", overrides);
    return {};
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
}

// The least that loads; a test adds its own sections below.
inline const std::string kCapture = "capture: {interfaces: [{name: eth1}]}\n";

struct Mistake {
  // Goes below a good capture section in line 1, unless it begins with its own, or with `!`.
  const char* text;
  const char* expected;  // all the messages, one a line
};

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

inline void expect_messages(const Mistake& mistake) {
  const std::string text = mistake.text;
  const bool has_capture = text.starts_with("capture") || text.starts_with("!");
  const std::string whole = has_capture ? text.substr(text[0] == '!' ? 1 : 0) : kCapture + text;
  EXPECT_EQ(joined(check(whole)), mistake.expected) << "of:\n" << whole;
}

}  // namespace wiretally
