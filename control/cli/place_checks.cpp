// SPDX-License-Identifier: Apache-2.0
// Each asks the one who would refuse. Thread: any.
#include "control/cli/place_checks.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "config/startup_error.hpp"
#include "control/api/unix_socket.hpp"
#include "control/metrics/metrics_endpoint.hpp"
#include "dataplane/source/capture_file.hpp"

namespace wiretally {
namespace {

bool reads_files(const CaptureConfig& capture) {
  return capture.driver == Driver::kPcap ||
         (capture.driver == Driver::kAuto && capture.dpdk.ports.empty());
}

void check_captures(const CaptureConfig& capture, Findings& findings) {
  if (!reads_files(capture) || findings.has_error_under("capture")) return;
  for (std::size_t i = 0; i < capture.files.size(); ++i) {
    try {
      CaptureFile::check(capture.files[i]);
    } catch (const StartupError& error) {
      findings.error_at(fmt::format("capture.files[{}]", i), error.what());
    }
  }
}

void check_history(const HistoryConfig& history, Findings& findings) {
  std::error_code ignored;
  if (!history.wanted || !std::filesystem::is_directory(history.path, ignored)) return;
  findings.error_at("history.path",
                    fmt::format("{} is a folder; a file is meant, such as {}", history.path,
                                (std::filesystem::path(history.path) / "history.db").string()));
}

}  // namespace

void check_places(const Config& config, Findings& findings) {
  check_captures(config.capture, findings);
  check_history(config.history, findings);
  if (!config.metrics.listen.empty() && !findings.has_error_under("metrics.listen")) {
    const std::string problem = listen_problem(config.metrics.listen);
    if (!problem.empty()) findings.error_at("metrics.listen", problem);
  }
  if (!findings.has_error_under("control.socket")) {
    const std::string problem = socket_place_problem(config.control.socket);
    if (!problem.empty()) findings.error_at("control.socket", problem);
  }
}

}  // namespace wiretally
