// SPDX-License-Identifier: Apache-2.0
// ipfm.conf as monitors: every statement of its grammar, and what IPFM itself refuses.
#include <gmock/gmock.h>

#include "config/startup_error.hpp"
#include "tests/control/import/import_support.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Imported ipfm(const std::string& text) {
  return imported("ipfm", text);
}

TEST(IpfmImport, reads_all_of_a_log) {
  const Imported in = ipfm(
      "# a comment\n"
      "DEVICE Eth0.7   # behind it another\n"
      "UTC\n"
      "NOPROMISC\n"
      "LOG 10.10.10.0/255.255.255.0 NOT WITH 10.10.0.0/255.255.0.0\n"
      "log none 10.10.10.10 with 10.10.10.20\n"
      "FILENAME \"/var/log/ipfm/%Y_%d_%m/%H_%M # no comment\"\n"
      "DUMP EVERY 1 hour AFTER 5 minutes\n"
      "CLEAR EVERY 24 hours AFTER 2 hours\n"
      "SORT IN\n"
      "RESOLVE\n"
      "APPEND\n");
  EXPECT_EQ(in.notes(), "");
  EXPECT_EQ(in.config.capture.interfaces.at(0).name, "Eth0.7");
  EXPECT_EQ(in.config.capture.driver, Driver::kPcap);
  EXPECT_FALSE(in.config.capture.promiscuous);
  ASSERT_THAT(in.config.monitors, SizeIs(1));
  EXPECT_EQ(in.monitor(0).filter, "ip");
  EXPECT_THAT(in.monitor(0).rules, ElementsAre("both 10.10.10.0/24 not with 10.10.0.0/16",
                                               "none 10.10.10.10 with 10.10.10.20"));
  const DumpConfig& dump = in.monitor(0).dump;
  EXPECT_EQ(dump.file, "/var/log/ipfm/%Y_%d_%m/%H_%M # no comment");
  EXPECT_EQ(dump.every, 1h);
  EXPECT_EQ(dump.after, 5min);
  EXPECT_EQ(dump.clear, "1d");
  EXPECT_EQ(dump.clear_after, 2h);
  EXPECT_EQ(dump.sort, DumpSort::kIn);
  EXPECT_TRUE(dump.resolve);
  EXPECT_TRUE(dump.append);
  EXPECT_EQ(dump.format, DumpFormat::kIpfm);
  EXPECT_EQ(dump.timezone, "UTC");
}

TEST(IpfmImport, has_ipfm_s_defaults) {
  const Imported in = ipfm("DEVICE eth0\nLOG\n");
  EXPECT_TRUE(in.config.capture.promiscuous);
  EXPECT_THAT(in.monitor(0).rules, ElementsAre("both"));
  EXPECT_THAT(in.monitor(0).group_by, ElementsAre("host"));
  EXPECT_EQ(in.monitor(0).max_groups, 1'000'000u) << "IPFM has no limit";
  const DumpConfig& dump = in.monitor(0).dump;
  EXPECT_EQ(dump.every, 24h);
  EXPECT_EQ(dump.after, 0h);
  EXPECT_EQ(dump.clear, "always");
  EXPECT_EQ(dump.file, "/var/log/ipfm/%d-%b.%H-%M");
  EXPECT_EQ(dump.sort, DumpSort::kNone);
  EXPECT_FALSE(dump.resolve);
  EXPECT_FALSE(dump.append);
  EXPECT_EQ(dump.timezone, "local");
}

TEST(IpfmImport, takes_every_form_of_log) {
  const Imported in = ipfm(
      "DEVICE eth0\n"
      "LOG\nLOG BOTH\nLOG FROM\nLOG TO WITH 10.0.0.2\nLOG NONE\nLOG WITH 10.0.0.2\n"
      "LOG NOT WITH 10.0.0.0/8\nLOG 10.0.0.7/24\nLOG FROM 10.0.0.1/255.0.255.255\n"
      "LOG TO 10.0.0.1 NOT WITH 192.0.2.0/255.255.255.0\nLOG 0.0.0.0/0.0.0.0\n");
  EXPECT_EQ(in.notes(), "");
  EXPECT_THAT(
      in.monitor(0).rules,
      ElementsAre("both", "both", "from", "to with 10.0.0.2", "none", "both with 10.0.0.2",
                  "both not with 10.0.0.0/8", "both 10.0.0.0/24", "from 10.0.0.1/255.0.255.255",
                  "to 10.0.0.1 not with 192.0.2.0/24", "both 0.0.0.0/0"));
}

TEST(IpfmImport, makes_a_monitor_of_every_log_with_its_own_periods) {
  const Imported in = ipfm(
      "DEVICE eth0\nLOG\nDUMP EVERY 90 seconds AFTER 7 second\nCLEAR NEVER\nSORT TOTAL\n"
      "NEWLOG\nLOG FROM 10.0.0.1\nDUMP EVERY 1 day 2 hours\nCLEAR ALWAYS\nSORT OUT\nREPLACE\n"
      "NORESOLVE\nUTC\nNEWLOG\nLOG TO 10.0.0.1\n");
  EXPECT_EQ(in.notes(), "");
  ASSERT_THAT(in.config.monitors, SizeIs(3));
  EXPECT_EQ(in.monitor(0).dump.every, 90s);
  EXPECT_EQ(in.monitor(0).dump.after, 7s);
  EXPECT_EQ(in.monitor(0).dump.clear, "never");
  EXPECT_EQ(in.monitor(0).dump.sort, DumpSort::kTotal);
  EXPECT_EQ(in.monitor(1).dump.every, 26h);
  EXPECT_EQ(in.monitor(1).dump.sort, DumpSort::kOut);
  EXPECT_EQ(in.monitor(2).dump.every, 24h);
  for (const MonitorConfig& monitor : in.config.monitors) {
    EXPECT_EQ(monitor.dump.timezone, "UTC") << "UTC is global, wherever it stands";
  }
}

TEST(IpfmImport, takes_periods_of_years) {
  const Imported in = ipfm("DEVICE eth0\nLOG\nDUMP EVERY 999 days AFTER 400 days\nCLEAR NEVER\n");
  EXPECT_EQ(in.notes(), "");
  EXPECT_EQ(in.monitor(0).dump.every, 999 * 24h);
  EXPECT_EQ(in.monitor(0).dump.after, 400 * 24h);
  EXPECT_THAT(ipfm("LOG\nDUMP EVERY 40000 days\n").notes(), HasSubstr("in:2: DUMP"));
}

TEST(IpfmImport, names_with_the_line_what_it_could_not_carry) {
  const Imported in = ipfm("DISABLED\nDB_HOST \"db\"\nLOG\nDB_TABLE \"x\"\nNEWLOG\nSORT IN\n");
  EXPECT_THAT(in.notes(), HasSubstr("in:1: DISABLED"));
  EXPECT_THAT(in.notes(), HasSubstr("in:2: DB_HOST"));
  EXPECT_THAT(in.notes(), HasSubstr("in:4: DB_TABLE"));
  EXPECT_THAT(in.notes(), HasSubstr("in: there is no DEVICE"));
  EXPECT_THAT(in.notes(), HasSubstr("without a LOG line"));
  EXPECT_THAT(in.config.monitors, SizeIs(1));
}

TEST(IpfmImport, refuses_the_lines_that_ipfm_refuses) {
  for (const char* line : {"FROBNICATE",
                           "LOG foo",
                           "LOG 10.0.0.0/33",
                           "LOG NOT 10.0.0.1",
                           "LOG DUMP EVERY 1 hour",
                           "LOG 10.0.0.1 WITH 10.0.0.2 WITH 10.0.0.3",
                           "LOG 2001:db8::1",
                           "DUMP EVERY 10",
                           "DUMP EVERY 1 h",
                           "DUMP",
                           "DUMP EVERY 0 seconds",
                           "CLEAR",
                           "CLEAR EVERY 36 hours",
                           "CLEAR EVERY 2 days AFTER 1 hour",
                           "DUMP EVERY 99999999999999999999 days",
                           "SORT",
                           "SORT SIZE",
                           "SORT IN OUT",
                           "FILENAME /tmp/x",
                           "FILENAME",
                           "DEVICE",
                           "UTC local"}) {
    const Imported in = ipfm("DEVICE eth0\nLOG\n" + std::string(line) + "\n");
    EXPECT_THAT(in.notes(), HasSubstr("in:3: ")) << line;
    EXPECT_THAT(in.notes(), HasSubstr("IPFM would not start")) << line;
    EXPECT_THAT(in.monitor(0).rules, ElementsAre("both")) << line;
    EXPECT_EQ(in.monitor(0).dump.every, 24h) << line;
    EXPECT_EQ(in.monitor(0).dump.clear, "always") << line;
  }
  EXPECT_THAT(ipfm("LOG\nDUMP EVERY 1 hour\nDUMP EVERY 2 hours\n").notes(), HasSubstr("twice"));
}

TEST(IpfmImport, refuses_a_file_that_is_something_else) {
  EXPECT_THROW(ipfm("capture:\n  driver: pcap\n"), StartupError);
  EXPECT_THROW(ipfm(""), StartupError);
}

TEST(IpfmImport, keeps_what_it_could_not_carry_as_comments) {
  const Importer& importer = importers()[0];
  const ImportSource source{"ipfm.conf", "LOG\nFROBNICATE\n"};
  const std::string yaml = import_text(importer, source, importer.run(source));
  EXPECT_THAT(yaml, testing::StartsWith("# Made by `wiretally import ipfm` from ipfm.conf.\n"
                                        "# What it could not carry over:\n"
                                        "# - ipfm.conf:2: not understood: `FROBNICATE`"));
}

}  // namespace
}  // namespace wiretally
