// SPDX-License-Identifier: Apache-2.0
// --fields: what can be named, and what each prints.
#include "control/sink/record_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

std::string text_of(std::string_view name, const FlowRecord& record) {
  const RecordFields fields = parse_fields(name);
  std::string out(kFieldTextMax, '\0');
  out.resize(static_cast<std::size_t>(fields.front()->put(out.data(), record) - out.data()));
  return out;
}

std::string error_of(std::string_view list) {
  try {
    (void)parse_fields(list);
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  return "";
}

FlowRecord record_of(IpVersion version) {
  FlowRecord record;
  record.key.set_kind(version, CoarseLevel::kExact);
  return record;
}

TEST(RecordFields, are_found_by_our_name_and_by_ianas) {
  EXPECT_EQ(parse_fields("src_mac,ttl_min"), parse_fields("sourceMacAddress,minimumTTL"));
  EXPECT_EQ(parse_fields("all").size(), parse_fields("+level").size() + 27);
  EXPECT_EQ(parse_fields("+level").size(), 17u);
}

TEST(RecordFields, a_wrong_name_is_refused_with_the_nearest_right_one) {
  EXPECT_THAT(error_of("src,ttlmin"), HasSubstr("\"ttlmin\"; did you mean ttl_min?"));
  EXPECT_THAT(error_of("zzzzzzzz"), HasSubstr("read --help"));
  EXPECT_THAT(error_of("src,,dst"), HasSubstr("no field \"\""));
  EXPECT_THAT(error_of("src,dst,src"), HasSubstr("twice"));
  EXPECT_THAT(error_of("+src"), HasSubstr("twice"));
}

TEST(RecordFields, only_those_that_need_attributes_ask_for_them) {
  EXPECT_FALSE(any_attribute(parse_fields("src,dst,packets,icmp_type,level,first_ns")));
  EXPECT_TRUE(any_attribute(parse_fields("src,ttl_min")));
}

TEST(RecordFields, print_each_attribute) {
  FlowAttributes a;
  a.length_min = 40;
  a.length_max = 1500;
  a.ttl_min = 50;
  a.ttl_max = 64;
  a.tos_or = 0xb8;
  a.fragment_flags = kDontFragment | kMoreFragments;
  a.flow_label = 0xabcde;
  a.has_macs = true;
  a.source_mac = {2, 0, 0, 0, 0, 0x1f};
  a.destination_mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  a.tags = 2;
  a.outer_tag = 0xa00a;
  a.inner_tag = 0x6014;
  a.labels = 2;
  a.label_stack[0] = {0x00, 0x06, 0x4a};  // 100, class 5
  a.label_stack[1] = {0xff, 0xff, 0xf1};
  a.tunnel = TunnelKind::kVxlan;
  a.tunnel_id = 42;
  a.other_version = IpVersion::kV4;
  a.other_source[12] = 10;
  a.other_source[15] = 1;
  FlowRecord record = record_of(IpVersion::kV6);
  record.attributes = &a;
  const std::pair<const char*, const char*> kExpected[] = {
      {"length_min", "40"},
      {"length_max", "1500"},
      {"ttl_min", "50"},
      {"ttl_max", "64"},
      {"tos_or", "184"},
      {"fragment_flags", "96"},
      {"flow_label", "703710"},
      {"src_mac", "02:00:00:00:00:1f"},
      {"dst_mac", "ff:ff:ff:ff:ff:ff"},
      {"vlan_tags", "2"},
      {"vlan_priority", "5"},
      {"inner_vlan", "20"},
      {"inner_vlan_priority", "3"},
      {"mpls_labels", "100/1048575"},
      {"mpls_depth", "2"},
      {"mpls_exp", "5"},
      {"tunnel", "vxlan"},
      {"tunnel_id", "42"},
      {"other_src", "10.0.0.1"},
      {"other_dst", "0.0.0.0"},
  };
  std::set<std::string_view> tried;
  for (const auto& [name, text] : kExpected) {
    EXPECT_EQ(text_of(name, record), text) << name;
    tried.insert(name);
  }
  for (const RecordField* field : parse_fields("all")) {
    EXPECT_TRUE(!field->attribute || tried.contains(field->name)) << field->name;
  }
}

TEST(RecordFields, are_empty_where_nothing_is_known) {
  const FlowAttributes nothing;
  for (const bool with : {false, true}) {
    FlowRecord record = record_of(IpVersion::kNone);
    if (with) record.attributes = &nothing;
    for (const char* name :
         {"ttl_min", "length_max", "tos_or", "src_mac", "inner_vlan", "tunnel", "tunnel_id",
          "other_src", "mpls_labels", "flow_label", "icmp_type", "ip_version"}) {
      EXPECT_EQ(text_of(name, record), "") << name;
    }
  }
}

TEST(RecordFields, icmp_type_and_code_are_those_of_the_key) {
  FlowRecord record = record_of(IpVersion::kV4);
  record.key.protocol = 1;
  record.key.destination_port = 3 << 8 | 13;
  EXPECT_EQ(text_of("icmp_type", record), "3");
  EXPECT_EQ(text_of("icmp_code", record), "13");
  record.key.protocol = 17;
  EXPECT_EQ(text_of("icmp_type", record), "");
}

}  // namespace
}  // namespace wiretally
