// SPDX-License-Identifier: Apache-2.0
// `wiretally check`: every diagnostic of a configuration, for people, editors and scripts.
// Thread: main.
#include <nlohmann/json.hpp>

#include "config/load.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/place_checks.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {
namespace {

std::string as_json(const std::vector<Diagnostic>& diagnostics, const std::string& file) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (const Diagnostic& d : diagnostics) {
    rows.push_back({{"severity", d.severity == Severity::kError ? "error" : "warning"},
                    {"file", d.file},
                    {"line", d.at.line},
                    {"column", d.at.column},
                    {"path", d.path},
                    {"text", d.text}});
  }
  Json answer;
  answer["file"] = file;
  answer["good"] = !has_errors(diagnostics);
  answer["diagnostics"] = rows;
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode check_command(const Arguments& arguments) {
  const std::vector<Diagnostic> diagnostics =
      check_config_file(arguments.config, arguments.overrides, check_places);
  const bool good = !has_errors(diagnostics);
  if (arguments.json) {
    print(as_json(diagnostics, arguments.config));
  } else {
    // No "wiretally: " before it: editors read FILE:LINE:COLUMN from the start of the line.
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += to_string(diagnostic) + "\n";
    std::fputs(text.c_str(), stderr);
    if (good) print(arguments.config + ": good\n");
  }
  return good ? ExitCode::kDone : ExitCode::kUsage;
}

}  // namespace wiretally
