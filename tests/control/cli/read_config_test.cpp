// SPDX-License-Identifier: Apache-2.0
// What the command line of `read` makes of a configuration.
#include "control/cli/read_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Arguments reading(std::vector<std::string> captures) {
  Arguments arguments;
  arguments.command = Command::kRead;
  arguments.captures = std::move(captures);
  return arguments;
}

Config made(const Arguments& arguments) {
  std::vector<Diagnostic> warnings;
  return config_for_read(arguments, warnings);
}

std::string refusal(const Arguments& arguments) {
  try {
    made(arguments);
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  return "(not refused)";
}

TEST(ReadConfig, needs_no_configuration) {
  const Config config = made(reading({"a.pcap", "odd name, [1].pcap"}));
  EXPECT_THAT(config.capture.files, ElementsAre("a.pcap", "odd name, [1].pcap"));
  EXPECT_EQ(config.capture.driver, Driver::kPcap);
  EXPECT_TRUE(config.exporting.collectors.empty());
  EXPECT_EQ(config.flows.timeouts.active, std::chrono::seconds(60));
}

TEST(ReadConfig, puts_the_command_line_on_top) {
  Arguments arguments = reading({"a.pcap"});
  arguments.overrides = {"flows.timeouts.active=7s", "flows.tunnel=inner"};
  arguments.filter = "udp";
  arguments.tunnel = "outer";
  arguments.collectors = {"127.0.0.1:2055", "[::1]:9995"};
  const Config config = made(arguments);
  EXPECT_EQ(config.flows.timeouts.active, std::chrono::seconds(7));
  EXPECT_EQ(config.flows.tunnel, TunnelKey::kOuter);
  EXPECT_EQ(config.capture.filter, "udp");
  ASSERT_EQ(config.exporting.collectors.size(), 2u);
  EXPECT_EQ(config.exporting.collectors[1].address, "[::1]:9995");
  EXPECT_EQ(config.exporting.collectors[1].version, NetflowVersion::kV9);
}

TEST(ReadConfig, reads_captures_whatever_the_file_meters) {
  std::string name = testing::TempDir() + "read_XXXXXX";
  const int fd = ::mkstemp(name.data());
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream(name) << "capture:\n  driver: dpdk\n"
                         "  dpdk: {ports: [{device: \"net_af_packet0,iface=v1\"}]}\n"
                         "export: {collectors: [{address: \"192.0.2.9:2055\"}]}\n";
  Arguments arguments = reading({"a.pcap"});
  arguments.config = name;
  arguments.collectors = {"127.0.0.1:2055"};
  const Config config = made(arguments);
  std::filesystem::remove(name);
  EXPECT_EQ(config.capture.driver, Driver::kPcap);
  EXPECT_TRUE(config.capture.dpdk.ports.empty());
  EXPECT_THAT(config.capture.files, ElementsAre("a.pcap"));
  EXPECT_EQ(config.exporting.collectors.size(), 2u);
}

TEST(ReadConfig, refuses_in_the_words_of_the_command_line) {
  Arguments arguments = reading({"a.pcap"});
  arguments.collectors = {"nowhere"};
  EXPECT_THAT(refusal(arguments), testing::StartsWith("--collector: "));
  EXPECT_THAT(refusal(arguments), HasSubstr("nowhere"));
  arguments = reading({"a.pcap"});
  arguments.overrides = {"flows.tik=1s"};
  EXPECT_THAT(refusal(arguments), HasSubstr("--set:1:"));
  EXPECT_THAT(refusal(arguments), HasSubstr("tick"));
}

}  // namespace
}  // namespace wiretally
