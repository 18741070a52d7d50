// SPDX-License-Identifier: Apache-2.0
// How groups are named.
#include "control/monitor/group_spec.hpp"

#include <gtest/gtest.h>

#include "control/monitor/key_table.hpp"
#include "control/monitor/monitor_csv.hpp"
#include "control/monitor/network_list.hpp"
#include "tests/control/monitor/monitor_samples.hpp"

namespace wiretally {
namespace {

std::string name_of(const std::vector<std::string>& words, const FlowView& flow,
                    FlowEnd end = FlowEnd::kSource) {
  const GroupSpec spec(words);
  std::vector<std::uint8_t> key(spec.key_octets());
  return spec.key_of(flow, end, key.data()) ? spec.text(key) : "none";
}

TEST(GroupSpec, names_groups_as_the_records_csv_writes_the_fields) {
  FlowKey v4 = test::key_of("192.0.2.77", "198.51.100.255", 6, 50'000, 443);
  v4.set_vlan(12);
  const FlowKey v6 = test::key_of("2001:db8:1:2::77", "2001:db8:ffff::1", 17, 53, 0);
  FlowAttributes attributes;
  attributes.has_macs = true;
  attributes.source_mac = {2, 0, 0, 0, 0, 0x0a};
  attributes.destination_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const FlowView first{v4, &attributes, 70'000, 184};
  const FlowView second{v6, nullptr, 1, 0};
  EXPECT_EQ(name_of({"src_host"}, first), "192.0.2.77");
  EXPECT_EQ(name_of({"dst_host"}, first), "198.51.100.255");
  EXPECT_EQ(name_of({"dst_net/20"}, first), "198.51.96.0/20");
  EXPECT_EQ(name_of({"dst_net/0"}, first), "0.0.0.0/0");
  EXPECT_EQ(name_of({"src_net/64"}, first), "192.0.2.77/32");
  EXPECT_EQ(name_of({"src_net/64"}, second), "2001:db8:1:2::/64");
  EXPECT_EQ(name_of({"net/33"}, second, FlowEnd::kDestination), "2001:db8:8000::/33");
  EXPECT_EQ(name_of({"host"}, second, FlowEnd::kDestination), "2001:db8:ffff::1");
  EXPECT_EQ(name_of({"port"}, first), "50000");
  EXPECT_EQ(name_of({"port"}, first, FlowEnd::kDestination), "443");
  EXPECT_EQ(name_of({"src_port", "protocol"}, second), "53 17");
  EXPECT_EQ(name_of({"vlan"}, first), "12");
  EXPECT_EQ(name_of({"tos", "ingress"}, first), "184 70000");
  EXPECT_EQ(name_of({"mac"}, first), "02:00:00:00:00:0a");
  EXPECT_EQ(name_of({"mac"}, first, FlowEnd::kDestination), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(name_of({"mac"}, second), "none");
}

TEST(GroupSpec, has_no_port_where_the_protocol_has_none_and_no_address_that_was_lost) {
  FlowKey echo = test::key_of("192.0.2.1", "192.0.2.2", 1, 0, 2048);
  EXPECT_EQ(name_of({"dst_port"}, {echo, nullptr}), "0");
  echo.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  EXPECT_EQ(name_of({"dst_host"}, {echo, nullptr}), "192.0.2.2");
  EXPECT_EQ(name_of({"src_host"}, {echo, nullptr}), "none");
  EXPECT_EQ(name_of({"src_host"}, {FlowKey{}, nullptr}), "none");
}

TEST(KeyTable, numbers_keys_in_the_order_they_come) {
  KeyTable table(5);
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 5000; ++i) {
      const std::uint8_t key[] = {static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8),
                                  0, 7, 7};
      EXPECT_EQ(table.find(key), round == 0 ? KeyTable::kNone : i);
      if (round == 0) {
        EXPECT_EQ(table.insert(key), i);
      }
      EXPECT_TRUE(std::ranges::equal(table.key(i), key));
    }
  }
  table.clear();
  EXPECT_EQ(table.size(), 0u);
}

TEST(NetworkList, holds_addresses_of_its_own_ip_version) {
  const NetworkList list({"192.0.2.0/25", "2001:db8::/33", "198.51.100.7"});
  const auto holds = [&](const std::string& text) {
    const FlowKey key = test::key_of(text, text, 6, 1, 2);
    return list.holds(key.source, key.ip_version());
  };
  EXPECT_TRUE(holds("192.0.2.127"));
  EXPECT_FALSE(holds("192.0.2.128"));
  EXPECT_TRUE(holds("198.51.100.7"));
  EXPECT_FALSE(holds("198.51.100.6"));
  EXPECT_TRUE(holds("2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8:8000::1"));
  EXPECT_FALSE(holds("::c000:201"));
}

TEST(MonitorCsv, has_a_row_a_monitor_or_a_row_a_group) {
  MonitorSnapshot plain;
  plain.whole.name = "all, \"quoted\"";
  plain.whole.volume.total = {3, 300, 342};
  plain.whole.flows = 2;
  MonitorSnapshot grouped;
  grouped.whole.name = "hosts";
  grouped.whole.grouped = true;
  grouped.groups = {{"10.0.0.1", {{1, 50, 64}, {}, {}}, 1}, {"10.0.0.2", {{2, 80, 99}, {}, {}}, 1}};
  grouped.other = {"other", {{1, 9, 23}, {}, {}}, 4};
  const MonitorSnapshot monitors[] = {plain, grouped};
  EXPECT_EQ(monitors_as_csv(monitors),
            "monitor,group,packets,octets,l2_octets,flows\n"
            "\"all, \"\"quoted\"\"\",,3,300,342,2\n"
            "hosts,10.0.0.2,2,80,99,1\n"
            "hosts,10.0.0.1,1,50,64,1\n"
            "hosts,other,1,9,23,4\n");
}

}  // namespace
}  // namespace wiretally
