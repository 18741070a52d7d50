// SPDX-License-Identifier: Apache-2.0
// What every import must hold: its YAML loads, filters included.
#pragma once

#include <gtest/gtest.h>

#include "config/load.hpp"
#include "control/filter/expression_judge.hpp"
#include "control/import/importer.hpp"

namespace wiretally {

struct Imported {
  ImportResult result;
  Config config;

  [[nodiscard]] const MonitorConfig& monitor(std::size_t number) const {
    return config.monitors.at(number);
  }
  // All notes, one a line.
  [[nodiscard]] std::string notes() const {
    std::string text;
    for (const ImportNote& note : result.notes) {
      text += note_text({"in", ""}, note) + "\n";
    }
    return text;
  }
};

inline Imported imported(std::string_view importer_name, const std::string& text) {
  set_expression_judge(expression_judge);
  Imported done;
  for (const Importer& importer : importers()) {
    if (importer.name != importer_name) continue;
    const ImportSource source{"in", text};
    done.result = importer.run(source);
    const std::string yaml = import_text(importer, source, done.result);
    for (const Diagnostic& diagnostic : check_config_text(yaml, "out.yaml")) {
      if (diagnostic.severity == Severity::kError) {
        ADD_FAILURE() << to_string(diagnostic) << "\nin\n" << yaml;
        return done;
      }
    }
    done.config = load_config_text(yaml, "out.yaml");
    return done;
  }
  ADD_FAILURE() << "there is no importer " << importer_name;
  return done;
}

}  // namespace wiretally
