// SPDX-License-Identifier: Apache-2.0
// A dump as a file. The texts in IPFM's layout are what Debian's ipfm 0.11.5 wrote, octet for
// octet.
#include "control/dump/dump_text.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/time_zone.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

HostAddress host(const std::string& text) {
  HostAddress address;
  address.v6 = text.find(':') != std::string::npos;
  inet_pton(address.v6 ? AF_INET6 : AF_INET, text.c_str(),
            address.octets.data() + (address.v6 ? 0 : 12));
  return address;
}

HostRow row(const std::string& name, std::uint64_t in, std::uint64_t out) {
  return {host(name), {in, out, in / 10, out / 10}};
}

// The five packets of host_rules_test.cpp, in an order of no meaning.
Dump sample() {
  Dump dump;
  dump.monitor = "log1";
  dump.interfaces = "lo";
  dump.since = 1'700'000'000;
  dump.rows = {row("192.0.2.9", 1020, 550), row("10.0.0.2", 100, 200), row("10.0.0.1", 230, 1120),
               row("198.51.100.7", 520, 0)};
  dump.config.file = "/var/log/%d-%b.%H-%M";
  return dump;
}

std::string text_of(Dump dump, const std::string& zone, bool fresh = true) {
  dump.config.timezone = zone;
  arrange(dump);
  return dump_text(dump, parse_time_zone(zone), {}, fresh);
}

std::vector<std::string> order_of(Dump dump) {
  arrange(dump);
  std::vector<std::string> hosts;
  for (const HostRow& listed : dump.rows) hosts.push_back(address_text(listed.host));
  return hosts;
}

TEST(DumpText, is_ipfm_s_octet_for_octet) {
  Dump dump = sample();
  dump.end = 1'700'000'017;
  dump.config.every = 90s;
  dump.config.sort = DumpSort::kIn;
  EXPECT_EQ(text_of(dump, "UTC"),
            "# IPFMv0.11.5 2023/11/14 22:13:37 (UTC) -- dump every 0d00:01:30 -- listening on lo\n"
            "# Host                                  In (bytes)    Out (bytes)  Total (bytes)\n"
            "192.0.2.9                                     1020            550           1570\n"
            "198.51.100.7                                   520              0            520\n"
            "10.0.0.1                                       230           1120           1350\n"
            "10.0.0.2                                       100            200            300\n"
            "# end of dump 2023/11/14 22:13:37\n");
  dump.end = 1'700'092'800;
  dump.config.every = 72h;
  dump.config.sort = DumpSort::kOut;
  EXPECT_EQ(text_of(dump, "Europe/Paris"),
            "# IPFMv0.11.5 2023/11/16 01:00:00 (local time) -- dump every 3d00:00:00 -- listening "
            "on lo\n"
            "# Host                                  In (bytes)    Out (bytes)  Total (bytes)\n"
            "10.0.0.1                                       230           1120           1350\n"
            "192.0.2.9                                     1020            550           1570\n"
            "10.0.0.2                                       100            200            300\n"
            "198.51.100.7                                   520              0            520\n"
            "# end of dump 2023/11/16 01:00:00\n");
}

TEST(DumpText, of_nobody_has_head_and_end) {
  Dump dump = sample();
  dump.rows.clear();
  dump.end = 1'700'006'400;
  EXPECT_EQ(text_of(dump, "UTC"),
            "# IPFMv0.11.5 2023/11/15 00:00:00 (UTC) -- dump every 1d00:00:00 -- listening on lo\n"
            "# Host                                  In (bytes)    Out (bytes)  Total (bytes)\n"
            "# end of dump 2023/11/15 00:00:00\n");
}

TEST(DumpText, lists_hosts_as_ipfm_does) {
  Dump dump = sample();
  dump.rows.clear();
  for (const char* name : {"10.0.0.5", "10.0.1.5", "172.16.0.5", "9.9.9.5", "200.1.2.5", "10.0.0.4",
                           "10.0.0.255", "255.1.1.0", "1.1.1.0", "7.0.0.128", "10.0.0.6"}) {
    dump.rows.push_back(row(name, 0, std::string(name) == "10.0.1.5" ? 320 : 100));
  }
  dump.rows.push_back(row("224.0.0.99", 1320, 0));
  EXPECT_THAT(order_of(dump), ElementsAre("1.1.1.0", "255.1.1.0", "10.0.0.4", "10.0.0.5",
                                          "172.16.0.5", "10.0.1.5", "200.1.2.5", "9.9.9.5",
                                          "10.0.0.6", "224.0.0.99", "7.0.0.128", "10.0.0.255"));
  dump.config.sort = DumpSort::kTotal;
  EXPECT_THAT(order_of(dump), ElementsAre("224.0.0.99", "10.0.1.5", "1.1.1.0", "255.1.1.0",
                                          "10.0.0.4", "10.0.0.5", "172.16.0.5", "200.1.2.5",
                                          "9.9.9.5", "10.0.0.6", "7.0.0.128", "10.0.0.255"));
}

TEST(DumpText, has_ipv6_behind_ipv4_and_other_at_the_end) {
  Dump dump = sample();
  dump.end = 1'700'006'400;
  dump.rows = {row("2001:db8::2", 5, 6), row("10.0.0.1", 1, 2), row("2001:db8::1", 3, 4),
               row("2001:db8:ffff:ffff:ffff:ffff:ffff:3", 7, 8)};
  dump.other = {10, 20, 1, 2};
  const std::string text = text_of(dump, "UTC");
  EXPECT_EQ(text.substr(text.find("10.0.0.1")),
            "10.0.0.1                                         1              2              3\n"
            "2001:db8::1                                      3              4              7\n"
            "2001:db8::2                                      5              6             11\n"
            "2001:db8:ffff:ffff:ffff:ffff:ffff:3              7              8             15\n"
            "other                                           10             20             30\n"
            "# end of dump 2023/11/15 00:00:00\n");
}

TEST(DumpText, adds_rows_of_one_host_up) {
  Dump dump = sample();
  dump.rows = {row("10.0.0.1", 10, 20), row("10.0.0.2", 1, 1), row("10.0.0.1", 30, 40)};
  arrange(dump);
  ASSERT_EQ(dump.rows.size(), 2u);
  EXPECT_EQ(dump.rows[0].count, (HostCount{40, 60, 4, 6}));
}

TEST(DumpText, is_csv_with_a_heading_once_a_file) {
  Dump dump = sample();
  dump.end = 1'700'006'400;
  dump.config.format = DumpFormat::kCsv;
  dump.rows.resize(1);
  EXPECT_EQ(text_of(dump, "Europe/Paris"),
            "end,host,in_octets,out_octets,total_octets,in_packets,out_packets\n"
            "2023-11-15T01:00:00+01:00,192.0.2.9,1020,550,1570,102,55\n");
  EXPECT_EQ(text_of(dump, "UTC", false),
            "2023-11-15T00:00:00+00:00,192.0.2.9,1020,550,1570,102,55\n");
}

TEST(DumpText, is_json_in_one_line) {
  Dump dump = sample();
  dump.end = 1'700'006'400;
  dump.config.format = DumpFormat::kJson;
  dump.rows.resize(1);
  dump.other = {1, 2, 3, 4};
  EXPECT_EQ(text_of(dump, "UTC"),
            R"({"monitor":"log1","interfaces":"lo","since":"2023-11-14T22:13:20+00:00",)"
            R"("end":"2023-11-15T00:00:00+00:00","every_seconds":86400,"hosts":[)"
            R"({"host":"192.0.2.9","in_octets":1020,"out_octets":550,"total_octets":1570,)"
            R"("in_packets":102,"out_packets":55},)"
            R"({"host":"other","in_octets":1,"out_octets":2,"total_octets":3,)"
            R"("in_packets":3,"out_packets":4}]})"
            "\n");
}

TEST(DumpText, has_names_where_they_are_known) {
  Dump dump = sample();
  dump.end = 1'700'006'400;
  arrange(dump);
  const HostNames names = {{host("10.0.0.2"), "two.example"}};
  const std::string text = dump_text(dump, parse_time_zone("UTC"), names, true);
  EXPECT_NE(text.find("two.example                                    100            200"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("10.0.0.2 "), std::string::npos);
}

TEST(DumpText, names_the_file_by_the_end_of_the_period) {
  Dump dump = sample();
  dump.end = 1'700'006'400;
  dump.config.file = "/var/log/ipfm/%Y_%d_%m/%H-%M 100%% %d-%b";
  EXPECT_EQ(file_name(dump, parse_time_zone("UTC")), "/var/log/ipfm/2023_15_11/00-00 100% 15-Nov");
  EXPECT_EQ(file_name(dump, parse_time_zone("Europe/Paris")),
            "/var/log/ipfm/2023_15_11/01-00 100% 15-Nov");
  EXPECT_THROW((void)parse_time_zone("Mars/Olympus"), ValueError);
}

}  // namespace
}  // namespace wiretally
