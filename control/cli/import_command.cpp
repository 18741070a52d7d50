// SPDX-License-Identifier: Apache-2.0
// `wiretally import`: another meter's configuration as ours. YAML to standard output; what could
// not be carried over to standard error, too. Thread: main.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <iterator>

#include "config/load.hpp"
#include "config/read_file.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/terminal.hpp"
#include "control/import/importer.hpp"

namespace wiretally {
namespace {

ImportSource source_of(const Importer& importer, const std::vector<std::string>& words) {
  const bool named = words.size() == 1 && words[0].starts_with('/');  // settings of a service
  if (importer.takes_words && !named) {
    return {"the command line", fmt::format("{}", fmt::join(words, " "))};
  }
  if (words.size() != 1) {
    throw StartupError(ExitCode::kUsage, fmt::format("`wiretally import {}` wants one FILE (- for "
                                                     "standard input), and got {}",
                                                     importer.name, words.size()));
  }
  if (words[0] == "-") return {"standard input", {std::istreambuf_iterator<char>(std::cin), {}}};
  const FileText file = read_file(words[0]);
  if (!file.problem.empty()) {
    throw StartupError(ExitCode::kUsage, words[0] + ": " + file.problem);
  }
  return {words[0], file.text};
}

}  // namespace

ExitCode import_command(const Arguments& arguments) {
  const auto all = importers();
  const auto importer = std::ranges::find(all, arguments.import_from, &Importer::name);
  if (importer == all.end()) {
    throw StartupError(ExitCode::kUsage, "there is no import from " + arguments.import_from);
  }
  const ImportSource source = source_of(*importer, arguments.import_words);
  const ImportResult result = importer->run(source);
  for (const ImportNote& note : result.notes) complain(note_text(source, note));
  const std::string text = import_text(*importer, source, result);
  print(text);
  const std::vector<Diagnostic> found = check_config_text(text, "the YAML");
  for (const Diagnostic& each : found) {
    if (each.severity == Severity::kError) complain(to_string(each));
  }
  return has_errors(found) || result.counts_nothing ? ExitCode::kUsage : ExitCode::kDone;
}

}  // namespace wiretally
