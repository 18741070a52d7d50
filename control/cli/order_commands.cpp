// SPDX-License-Identifier: Apache-2.0
// softflowctl's verbs: one order to the running meter, its answer as text or as the JSON it came
// in. Thread: main. From: the control socket. To: standard output.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "control/api/control_client.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/human_text.hpp"
#include "control/cli/terminal.hpp"
#include "control/cli/text_table.hpp"

namespace wiretally {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kStopPatience{60};

// Prints the answer as it is, or what `text` makes of it.
template <class Text>
ExitCode give(const Arguments& arguments, const std::string& order, const Json& args, Text text) {
  const std::string answer = ControlClient(control_path(arguments)).ask(order, args.dump());
  if (arguments.json) {
    print(answer + "\n");
    return ExitCode::kDone;
  }
  try {
    print(text(Json::parse(answer)));
  } catch (const nlohmann::json::exception& fault) {
    throw StartupError(ExitCode::kNo, fmt::format("the meter's answer is not understood ({}); is "
                                                  "it of another version?",
                                                  fault.what()));
  }
  return ExitCode::kDone;
}

std::string swept_text(const std::string& done, const Json& answer) {
  return fmt::format("{} {} flows: {} packets, {}\n", done,
                     grouped(answer.at("flows").get<std::uint64_t>()),
                     grouped(answer.at("packets").get<std::uint64_t>()),
                     octets_text(answer.at("octets").get<double>()));
}

std::string reload_text(const Json& answer) {
  const auto changed = answer.at("changed").get<std::vector<std::string>>();
  const auto restart = answer.at("restart_needed").get<std::vector<std::string>>();
  std::string text = changed.empty() ? "nothing changed\n"
                                     : fmt::format("changed: {}\n", fmt::join(changed, ", "));
  if (!restart.empty()) text += fmt::format("needs a restart: {}\n", fmt::join(restart, ", "));
  return text;
}

std::string timeouts_text(const Json& answer) {
  TextTable table({{"timeout"}, {"value", Align::kRight}});
  for (const char* name : {"active", "idle", "tcp", "tcp_fin", "tcp_rst", "udp", "icmp", "tick"}) {
    table.add_row({name, seconds_text(answer.at(name).get<double>())});
  }
  table.add_row({"max_flows", grouped(answer.at("max_flows").get<std::uint64_t>())});
  return table.text();
}

}  // namespace

ExitCode timeouts_command(const Arguments& arguments) {
  return give(arguments, "timeouts", Json::object(), timeouts_text);
}

ExitCode sweep_command(const Arguments& arguments) {
  const bool expire = arguments.command == Command::kExpire;
  return give(
      arguments, expire ? "expire" : "delete", {{"filter", arguments.filter}},
      [expire](const Json& answer) { return swept_text(expire ? "expired" : "deleted", answer); });
}

ExitCode send_templates_command(const Arguments& arguments) {
  return give(arguments, "send-templates", Json::object(), [](const Json& answer) {
    return fmt::format("templates and options go out to {} collectors\n",
                       answer.at("collectors").get<std::uint64_t>());
  });
}

// What `check` warns of, the order warns of too.
ExitCode reload_command(const Arguments& arguments) {
  return give(arguments, "reload", Json::object(), [](const Json& answer) {
    for (const Json& warning : answer.at("warnings")) complain(warning.get<std::string>());
    return reload_text(answer);
  });
}

ExitCode pause_command(const Arguments& arguments) {
  const bool pause = arguments.command == Command::kPause;
  return give(arguments, pause ? "pause" : "resume", Json::object(), [](const Json& answer) {
    return answer.at("paused").get<bool>()
               ? "paused: packets count as not metered until `wiretally resume`\n"
               : "metering\n";
  });
}

ExitCode log_level_command(const Arguments& arguments) {
  Json args = Json::object();
  if (!arguments.level.empty()) args["level"] = arguments.level;
  return give(arguments, "log-level", args,
              [](const Json& answer) { return answer.at("level").get<std::string>() + "\n"; });
}

ExitCode stop_command(const Arguments& arguments) {
  ControlClient client(control_path(arguments));
  client.ask("stop", arguments.discard ? R"({"export":false})" : "{}");
  if (!client.wait_for_end(kStopPatience)) {
    throw StartupError(ExitCode::kNo, "the meter took the order but has not ended within " +
                                          std::to_string(kStopPatience.count()) +
                                          " s; see its log");
  }
  print(arguments.json ? "{\"stopped\":true}\n" : "stopped\n");
  return ExitCode::kDone;
}

}  // namespace wiretally
