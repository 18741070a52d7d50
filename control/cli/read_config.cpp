// SPDX-License-Identifier: Apache-2.0
// Command line of `read` to Config.
// Thread: main.
#include "control/cli/read_config.hpp"

#include <algorithm>
#include <optional>

#include "config/load.hpp"
#include "dataplane/source/capture_file.hpp"

namespace wiretally {
namespace {

// The source is the command line's, whatever the configuration meters.
const std::vector<std::string> kReadFiles = {"capture.driver=pcap", "capture.files=[PCAP]",
                                             "capture.interfaces=[]", "capture.dpdk.ports=[]"};

// A collector is held to the rules of the configuration, so it is read as one.
CollectorConfig collector_of(const std::string& address, std::uint32_t netflow) {
  std::vector<std::string> keys = kReadFiles;
  keys.push_back("export.collectors[0].address=" + address);
  keys.push_back("export.collectors[0].version=" + std::to_string(netflow));
  for (const Diagnostic& d : check_config_text("", "--collector", keys)) {
    if (d.severity != Severity::kError) continue;
    const bool version = d.path.ends_with("version");
    throw StartupError(ExitCode::kUsage, (version ? "--netflow: " : "--collector: ") + d.text);
  }
  return load_config_text("", "--collector", keys).exporting.collectors.front();
}

}  // namespace

std::vector<std::string> leave_out_unreadable(std::vector<std::string>& captures) {
  std::vector<std::string> good;
  std::vector<std::string> said;
  std::optional<StartupError> first;
  for (const std::string& path : captures) {
    try {
      CaptureFile::check(path);
      good.push_back(path);
    } catch (const StartupError& error) {
      said.push_back(std::string(error.what()) + "; the other captures are read");
      if (!first) first = error;
    }
  }
  if (good.empty() && first) throw StartupError(*first);
  captures = std::move(good);
  return said;
}

Config config_for_read(const Arguments& arguments, std::vector<Diagnostic>& warnings) {
  std::vector<std::string> keys = arguments.overrides;  // first, so that messages number them right
  keys.insert(keys.end(), kReadFiles.begin(), kReadFiles.end());
  Config config = arguments.config.empty() ? load_config_text("", "--set", keys, &warnings)
                                           : load_config_file(arguments.config, keys, &warnings);
  config.capture.files = arguments.captures;
  if (!arguments.filter.empty()) config.capture.filter = arguments.filter;
  if (arguments.tunnel == "inner") config.flows.tunnel = TunnelKey::kInner;
  if (arguments.tunnel == "outer") config.flows.tunnel = TunnelKey::kOuter;
  for (const std::string& address : arguments.collectors) {
    config.exporting.collectors.push_back(collector_of(address, arguments.netflow));
  }
  return config;
}

}  // namespace wiretally
