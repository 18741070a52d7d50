// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any text as a configuration, with up to eight overrides in it as comment lines
// "#set KEY=VALUE". Whatever it is, checking it ends with diagnostics that name their place, and
// what loads is printed as a text that loads and gives the same.
#include <string>
#include <string_view>
#include <vector>

#include "config/describe.hpp"
#include "config/load.hpp"
#include "config/startup_error.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

constexpr std::string_view kOverride = "#set ";
constexpr std::size_t kOverridesMax = 8;
constexpr std::size_t kTextMax = 64 * 1024;

std::vector<std::string> overrides_in(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty() && found.size() < kOverridesMax) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(kOverride)) found.emplace_back(line.substr(kOverride.size()));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return found;
}

// A text may end its lines with "\n", "\r\n" or "\r" (YAML 1.2, section 5.4).
int lines_of(std::string_view text) {
  return 1 + static_cast<int>(std::count_if(text.begin(), text.end(),
                                            [](char c) { return c == '\n' || c == '\r'; }));
}

void check_place(const Diagnostic& diagnostic, int lines, std::size_t overrides) {
  require(!diagnostic.text.empty(), "a diagnostic says what is wrong");
  if (diagnostic.at.source == Position::Source::kOverride) {
    require(diagnostic.at.line >= 1 && static_cast<std::size_t>(diagnostic.at.line) <= overrides,
            "a diagnostic names an override that was given");
  } else {
    require(diagnostic.file == "f.yaml", "a diagnostic names its file");
    require(diagnostic.at.line >= 0 && diagnostic.at.line <= lines + 1,
            "a diagnostic names a line of the text");
  }
  require(diagnostic.at.column >= (diagnostic.at.line == 0 ? 0 : 1), "columns count from 1");
  const std::string line = to_string(diagnostic);
  require(line.find('\n') == std::string::npos, "a diagnostic is one line");
}

// True and the Config, or false: then an error told why.
bool loads(std::string_view text, const std::vector<std::string>& overrides, Config& config) {
  try {
    config = load_config_text(text, "f.yaml", overrides);
    return true;
  } catch (const StartupError& error) {
    require(error.what()[0] != '\0', "a refusal says why");
    return false;
  }
}

void check_printed(const Config& config) {
  const std::string printed = to_yaml(config);
  Config again;
  require(loads(printed, {}, again), "what is printed loads");
  require(changed_keys(config, again).empty(), "what is printed gives the same");
  require(to_yaml(again) == printed, "what is printed prints the same");
}

}  // namespace
}  // namespace wiretally::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally;
  if (size > fuzz::kTextMax) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> overrides = fuzz::overrides_in(text);
  const std::vector<Diagnostic> found = check_config_text(text, "f.yaml", overrides);
  for (const Diagnostic& diagnostic : found) {
    fuzz::check_place(diagnostic, fuzz::lines_of(text), overrides.size());
  }
  Config config;
  const bool loaded = fuzz::loads(text, overrides, config);
  fuzz::require(!loaded || !has_errors(found), "what check refuses does not load");
  if (loaded) fuzz::check_printed(config);
  return 0;
}
