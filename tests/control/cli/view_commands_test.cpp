// SPDX-License-Identifier: Apache-2.0
// The subcommands against a meter behind a real control socket: what they print, what they return.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "control/api/control_server.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;
using testing::Not;

class ViewCommands : public testing::Test {
 protected:
  ViewCommands() {
    std::string name = testing::TempDir() + "views_XXXXXX";
    directory_ = ::mkdtemp(name.data());
    server_ = std::make_unique<ControlServer>(directory_ + "/s", meter_);
    arguments_.socket = directory_ + "/s";
    arguments_.sort = "rate";
    arguments_.by = "flow";
  }
  ~ViewCommands() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  // Standard output is no terminal here: the views must print once, without colour.
  ExitCode run(ExitCode (*command)(const Arguments&)) {
    testing::internal::CaptureStdout();
    const ExitCode code = command(arguments_);
    output_ = testing::internal::GetCapturedStdout();
    return code;
  }

  std::string directory_;
  test::SampleMeter meter_;
  std::unique_ptr<ControlServer> server_;
  Arguments arguments_;
  std::string output_;
};

TEST_F(ViewCommands, status_prints_text_or_json) {
  EXPECT_EQ(run(status_command), ExitCode::kDone);
  EXPECT_THAT(output_, HasSubstr("wiretally 9.8.7, driver dpdk"));
  EXPECT_THAT(output_, Not(HasSubstr("\033")));
  arguments_.json = true;
  EXPECT_EQ(run(status_command), ExitCode::kDone);
  EXPECT_EQ(decode_status(output_).flows.active, 61'234u);
}

TEST_F(ViewCommands, ledger_exits_0_when_it_balances_and_1_when_not) {
  EXPECT_EQ(run(ledger_command), ExitCode::kDone);
  EXPECT_THAT(output_, HasSubstr("The ledger balances"));
  Status status = test::sample_status();
  status.ledger.lines[0].total.value += 1;
  meter_.status_ = std::make_shared<const Status>(status);
  EXPECT_EQ(run(ledger_command), ExitCode::kNo);
  EXPECT_THAT(output_, HasSubstr("does NOT balance"));
  arguments_.json = true;
  EXPECT_EQ(run(ledger_command), ExitCode::kNo);
  EXPECT_EQ(decode_ledger(output_).imbalance_packets(), 1u);
}

TEST_F(ViewCommands, flows_asks_for_the_rows_and_order_that_were_given) {
  arguments_.rows = 3;
  arguments_.sort = "octets";
  EXPECT_EQ(run(flows_command), ExitCode::kDone);
  EXPECT_EQ(meter_.last_query.limit, 3u);
  EXPECT_EQ(meter_.last_query.order, FlowOrder::kOctets);
  EXPECT_THAT(output_, HasSubstr("198.51.100.2:53"));
  arguments_.json = true;
  run(flows_command);
  EXPECT_EQ(decode_active_flows(output_).flows.size(), 3u);
}

TEST_F(ViewCommands, top_prints_once_where_nobody_looks) {
  arguments_.by = "host";
  EXPECT_EQ(run(top_command), ExitCode::kDone);
  EXPECT_EQ(meter_.last_dimension, TopDimension::kHost);
  EXPECT_THAT(output_, HasSubstr("75.0 %"));
  EXPECT_THAT(output_, Not(HasSubstr("\033")));
  arguments_.json = true;
  run(top_command);
  EXPECT_EQ(decode_top_rows(output_).rows.size(), 2u);
}

TEST_F(ViewCommands, finds_the_socket_in_the_configuration) {
  const std::string file = directory_ + "/c.yaml";
  std::ofstream(file) << "capture: {interfaces: [{name: lo}]}\ncontrol: {socket: " << directory_
                      << "/s}\n";
  arguments_.socket.clear();
  arguments_.config = file;
  EXPECT_EQ(run(status_command), ExitCode::kDone);
}

TEST_F(ViewCommands, say_that_nothing_runs_with_exit_code_1) {
  server_.reset();
  for (const auto command :
       {status_command, ledger_command, flows_command, top_command, stop_command}) {
    try {
      command(arguments_);
      ADD_FAILURE() << "answered";
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kNo);
      EXPECT_THAT(error.what(), HasSubstr("wiretally run --config FILE"));
    }
  }
}

TEST_F(ViewCommands, check_tells_good_from_bad) {
  const std::string file = directory_ + "/c.yaml";
  arguments_.config = file;
  std::ofstream(file) << "capture: {interfaces: [{name: lo}]}\n";
  EXPECT_EQ(run(check_command), ExitCode::kDone);
  EXPECT_EQ(output_, file + ": good\n");
  std::ofstream(file) << "capture: {interfaces: [{name: lo}]}\nflows: {tik: 1s}\n";
  testing::internal::CaptureStderr();
  EXPECT_EQ(run(check_command), ExitCode::kUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(file + ":2:9: flows.tik: "));
  EXPECT_EQ(output_, "");
  arguments_.json = true;
  EXPECT_EQ(run(check_command), ExitCode::kUsage);
  EXPECT_THAT(output_, HasSubstr(R"("good":false)"));
  EXPECT_THAT(output_, HasSubstr(R"("line":2,"column":9,"path":"flows.tik")"));
}

}  // namespace
}  // namespace wiretally
