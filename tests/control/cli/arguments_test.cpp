// SPDX-License-Identifier: Apache-2.0
// The command line: what is understood, and one sentence for what is not.
#include "control/cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::variant<Arguments, Farewell> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "wiretally");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

Arguments good(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  if (const auto* farewell = std::get_if<Farewell>(&parsed)) {
    ADD_FAILURE() << farewell->text;
    return {};
  }
  return std::get<Arguments>(parsed);
}

Farewell farewell(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  if (const auto* found = std::get_if<Farewell>(&parsed)) return *found;
  ADD_FAILURE() << "was understood";
  return {};
}

TEST(Arguments, understands_every_command) {
  EXPECT_EQ(good({"run", "--config", "a.yaml"}).command, Command::kRun);
  EXPECT_EQ(good({"read", "a.pcap"}).command, Command::kRead);
  EXPECT_EQ(good({"check", "a.yaml"}).command, Command::kCheck);
  EXPECT_EQ(good({"status"}).command, Command::kStatus);
  EXPECT_EQ(good({"ledger"}).command, Command::kLedger);
  EXPECT_EQ(good({"flows"}).command, Command::kFlows);
  EXPECT_EQ(good({"top"}).command, Command::kTop);
  EXPECT_EQ(good({"stop"}).command, Command::kStop);
  EXPECT_EQ(good({"devices"}).command, Command::kDevices);
  EXPECT_EQ(good({"doctor"}).command, Command::kDoctor);
}

TEST(Arguments, takes_all_of_read) {
  const Arguments a = good({"read",
                            "a.pcap",
                            "b.pcap",
                            "--config",
                            "c.yaml",
                            "--set",
                            "flows.tick=2s",
                            "--set",
                            "x=y",
                            "--collector",
                            "127.0.0.1:2055",
                            "--collector",
                            "[::1]:9995",
                            "--netflow",
                            "10",
                            "--output",
                            "csv",
                            "--filter",
                            "udp port 53",
                            "--tunnel",
                            "inner",
                            "-q"});
  EXPECT_THAT(a.captures, ElementsAre("a.pcap", "b.pcap"));
  EXPECT_EQ(a.config, "c.yaml");
  EXPECT_THAT(a.overrides, ElementsAre("flows.tick=2s", "x=y"));
  EXPECT_THAT(a.collectors, ElementsAre("127.0.0.1:2055", "[::1]:9995"));
  EXPECT_EQ(a.netflow, 10u);
  EXPECT_EQ(a.output, "csv");
  EXPECT_EQ(a.filter, "udp port 53");
  EXPECT_EQ(a.tunnel, "inner");
  EXPECT_TRUE(a.quiet);
}

TEST(Arguments, finds_captures_behind_repeated_options) {
  const Arguments a = good({"read", "--set", "a=b", "x.pcap", "--collector", "h:1", "y.pcap"});
  EXPECT_THAT(a.captures, ElementsAre("x.pcap", "y.pcap"));
  EXPECT_THAT(a.overrides, ElementsAre("a=b"));
  EXPECT_THAT(a.collectors, ElementsAre("h:1"));
}

TEST(Arguments, has_defaults) {
  const Arguments a = good({"read", "a.pcap"});
  EXPECT_EQ(a.output, "table");
  EXPECT_EQ(a.netflow, 9u);
  EXPECT_EQ(a.tunnel, "");
  EXPECT_EQ(good({"flows"}).sort, "rate");
  EXPECT_EQ(good({"flows"}).rows, 20u);
  EXPECT_EQ(good({"top"}).by, "flow");
  EXPECT_EQ(good({"flows", "-n", "5", "--sort", "octets"}).rows, 5u);
}

TEST(Arguments, takes_json_on_every_list) {
  for (const char* command : {"status", "ledger", "flows", "top", "devices", "doctor"}) {
    EXPECT_TRUE(good({command, "--json"}).json) << command;
  }
}

TEST(Arguments, refuse_bad_usage_with_exit_code_2) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"run"},
      {"read"},
      {"check"},
      {"read", "a.pcap", "--netflow", "7", "--collector", "h:1"},
      {"read", "a.pcap", "--netflow", "9"},  // without a collector
      {"read", "a.pcap", "--output", "xml"},
      {"read", "a.pcap", "--tunnel", "both"},
      {"read", "a.pcap", "--frobnicate"},
      {"status", "extra"},
      {"status", "--socket", "a", "--config", "b"},
      {"flows", "-n", "-1"},
      {"flows", "-n", "many"},
      {"flows", "--sort", "size"},
      {"top", "--by", "colour"},
      {"--frobnicate"},
      {"status", "ledger"},
  };
  for (const auto& words : wrong) {
    const Farewell f = farewell(words);
    EXPECT_EQ(f.code, ExitCode::kUsage) << f.text;
    EXPECT_FALSE(f.text.empty());
    EXPECT_THAT(f.text, HasSubstr("wiretally")) << "no way on";
  }
}

TEST(Arguments, name_the_command_that_was_meant) {
  const Farewell f = farewell({"ledgre"});
  EXPECT_EQ(f.code, ExitCode::kUsage);
  EXPECT_THAT(f.text,
              HasSubstr("there is no command \"ledgre\"; did you mean `wiretally ledger`?"));
  EXPECT_THAT(farewell({"xyzzy"}).text, HasSubstr("there are run, read, check"));
}

TEST(Arguments, take_the_names_of_monitors) {
  const Arguments a = good({"monitors", "web", "lan", "--check", "-n", "3"});
  EXPECT_EQ(a.command, Command::kMonitors);
  EXPECT_EQ(a.names, (std::vector<std::string>{"web", "lan"}));
  EXPECT_TRUE(a.check);
  EXPECT_EQ(a.rows, 3u);
}

TEST(Arguments, take_a_filter_as_an_option_or_as_the_last_words) {
  EXPECT_EQ(good({"expire", "udp", "port", "53"}).filter, "udp port 53");
  EXPECT_EQ(good({"delete", "--filter", "udp port 53"}).filter, "udp port 53");
  EXPECT_EQ(good({"flows", "-n", "3", "udp port 53"}).filter, "udp port 53");
  EXPECT_EQ(good({"flows"}).filter, "");
  EXPECT_EQ(farewell({"flows", "--filter", "udp", "tcp"}).code, ExitCode::kUsage);
  EXPECT_EQ(farewell({"log-level", "loud"}).code, ExitCode::kUsage);
  EXPECT_TRUE(good({"stop", "--discard"}).discard);
}

TEST(Arguments, leave_an_imported_command_line_as_it_is) {
  const Arguments a = good({"import", "ipfm", "/etc/ipfm.conf"});
  EXPECT_EQ(a.command, Command::kImport);
  EXPECT_EQ(a.import_from, "ipfm");
  EXPECT_THAT(a.import_words, ElementsAre("/etc/ipfm.conf"));
  EXPECT_THAT(good({"import", "trafmetux", "-"}).import_words, ElementsAre("-"));
  EXPECT_THAT(good({"import", "ipfm", "-i", "eth0", "-v", "9", "tcp", "port", "80"}).import_words,
              ElementsAre("-i", "eth0", "-v", "9", "tcp", "port", "80"));
  EXPECT_EQ(farewell({"import"}).code, ExitCode::kUsage);
  EXPECT_EQ(farewell({"import", "mrtg", "x"}).code, ExitCode::kUsage);
}

TEST(Arguments, help_with_examples_on_every_command) {
  EXPECT_EQ(farewell({"--help"}).code, ExitCode::kDone);
  EXPECT_THAT(farewell({"--help"}).text, HasSubstr("Exit codes: 0 done"));
  for (const char* command :
       {"run",      "read",      "check",  "status", "ledger",         "flows",  "top",
        "monitors", "timeouts",  "expire", "delete", "send-templates", "reload", "pause",
        "resume",   "log-level", "stop",   "import", "devices",        "doctor"}) {
    const Farewell f = farewell({command, "--help"});
    EXPECT_EQ(f.code, ExitCode::kDone) << command;
    EXPECT_THAT(f.text, HasSubstr(std::string("Usage: wiretally ") + command)) << f.text;
    EXPECT_THAT(f.text, HasSubstr("Examples:")) << f.text;
  }
}

TEST(Arguments, help_of_run_explains_every_key_of_the_configuration) {
  EXPECT_THAT(farewell({"run", "--help"}).text, HasSubstr("export.collectors[].max_datagram"));
}

TEST(Arguments, tell_the_version) {
  const Farewell f = farewell({"--version"});
  EXPECT_EQ(f.code, ExitCode::kDone);
  EXPECT_THAT(f.text, testing::MatchesRegex("wiretally [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

}  // namespace
}  // namespace wiretally
