// SPDX-License-Identifier: Apache-2.0
// The list of importers and what their answers have in common.
#include "control/import/importer.hpp"

#include <fmt/format.h>

#include "config/yaml_writer.hpp"

namespace wiretally {
namespace {

constexpr Importer kImporters[] = {
    {"ipfm", false, import_ipfm},
    {"softflowd", true, import_softflowd},
    {"trafmetux", false, import_trafmetux},
};
constexpr std::size_t kColumns = 100;

}  // namespace

std::span<const Importer> importers() {
  return kImporters;
}

std::string note_text(const ImportSource& source, const ImportNote& note) {
  if (note.line == 0) return fmt::format("{}: {}", source.name, note.text);
  return fmt::format("{}:{}: {}", source.name, note.line, note.text);
}

std::string import_text(const Importer& importer, const ImportSource& source,
                        const ImportResult& result) {
  std::string text =
      fmt::format("# Made by `wiretally import {}` from {}.\n", importer.name, source.name);
  if (!result.notes.empty()) text += "# What it could not carry over:\n";
  for (const ImportNote& note : result.notes) {
    std::string comment = wrapped(note_text(source, note), "#   ", kColumns);
    comment[2] = '-';
    text += comment;
  }
  return text + result.yaml;
}

}  // namespace wiretally
