// SPDX-License-Identifier: Apache-2.0
// Thread: see reloader.hpp.
#include "control/reloader.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "config/describe.hpp"
#include "config/load.hpp"
#include "config/startup_error.hpp"
#include "control/filter/flow_filter.hpp"

namespace wiretally {

ReloadResult Reloader::reload() {
  try {
    const KeepFilterPrograms compiled_once;
    std::vector<Diagnostic> warnings;
    const Config next = load_config_file(file_.path, file_.overrides, &warnings);
    ReloadResult result = orders_.give([&] { return engine_.reload(next); });
    for (const Diagnostic& warning : warnings) result.warnings.push_back(to_string(warning));
    spdlog::info("reloaded {}: {}", file_.path, summary(result));
    return result;
  } catch (const StartupError& error) {
    spdlog::error("reload refused, nothing has changed: {}", error.what());
    throw;
  }
}

void Reloader::reload_soon() {
  background_ = std::async(std::launch::async, [this, before = std::move(background_)] {
    if (before.valid()) before.wait();
    try {
      reload();
    } catch (const StartupError&) {  // the log has it
    }
  });
}

}  // namespace wiretally
