// SPDX-License-Identifier: Apache-2.0
// The log's place and level. Thread: main. From: log.level. To: spdlog's default logger.
#include "control/cli/log_setup.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace wiretally {

void start_log(const std::string& level) {
  const auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", sink));
  spdlog::set_level(spdlog::level::from_str(level));
}

}  // namespace wiretally
