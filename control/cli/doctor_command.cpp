// SPDX-License-Identifier: Apache-2.0
// `wiretally doctor`: the findings as a list, worst at a glance.
// Thread: main.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/config.hpp"
#include "control/capture/offloads.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/doctor_checks.hpp"
#include "control/cli/terminal.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

const char* name_of(Health health) {
  switch (health) {
    case Health::kGood:
      return "good";
    case Health::kWarning:
      return "warning";
    case Health::kMissing:
      return "missing";
  }
  return "";
}

std::string marked(Health health, const Style& style) {
  const std::string mark =
      std::string(name_of(health)) + std::string(9 - std::string(name_of(health)).size(), ' ');
  switch (health) {
    case Health::kGood:
      return style.good(mark);
    case Health::kWarning:
      return style.warn(mark);
    case Health::kMissing:
      return style.bad(mark);
  }
  return mark;
}

std::string as_text(const std::vector<Finding>& findings, const Style& style) {
  std::string text;
  for (const Finding& finding : findings) {
    text += marked(finding.health, style) + finding.check + ": " + finding.text + "\n";
    if (!finding.cure.empty()) text += "         " + style.dim("-> " + finding.cure) + "\n";
  }
  return text;
}

std::string xdp_program_text(const std::string& interface_name) {
  const auto program = attached_xdp_program(interface_name);
  if (!program) return "";
  return fmt::format("{}, id {}",
                     program->name.empty() ? "(its name may not be asked)" : program->name,
                     program->id);
}

// Of the meters whose sockets stand where they stand by default.
std::vector<SwitchedOff> left_off() {
  namespace fs = std::filesystem;
  std::vector<SwitchedOff> all;
  std::error_code error;
  const fs::path folder = fs::path(ControlConfig().socket).parent_path();
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() != ".offloads") continue;
    for (SwitchedOff& one : OffloadMemory::left_by_the_dead(entry->path().string())) {
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::string as_json(const std::vector<Finding>& findings, bool works) {
  using Json = nlohmann::ordered_json;
  Json rows = Json::array();
  for (const Finding& finding : findings) {
    rows.push_back({{"health", name_of(finding.health)},
                    {"check", finding.check},
                    {"text", finding.text},
                    {"cure", finding.cure}});
  }
  Json answer;
  answer["works"] = works;
  answer["findings"] = rows;
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode doctor_command(const Arguments& arguments) {
  const Probes probes{offloads_on, xdp_program_text, xdp_features, kernel_features, left_off};
  const std::vector<Finding> findings = examine(SystemFacts(), probes, arguments.interfaces);
  const bool works = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.health == Health::kMissing;
  });
  print(arguments.json ? as_json(findings, works) : as_text(findings, Style::of(1)));
  return works ? ExitCode::kDone : ExitCode::kNo;
}

}  // namespace wiretally
