// SPDX-License-Identifier: Apache-2.0
// The words of `monitors[].rules`.
#include "config/host_rule.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/values.hpp"

namespace wiretally {
namespace {

TEST(HostRule, reads_every_form_and_prints_it_back) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "both"},
      {"LOG", "both"},
      {"log both", "both"},
      {"From", "from"},
      {"none", "none"},
      {"192.0.2.1", "both 192.0.2.1"},
      {"192.0.2.77/24", "both 192.0.2.0/24"},
      {"to 192.0.2.0/255.255.255.0", "to 192.0.2.0/24"},
      {"from 10.0.0.1/255.0.255.255", "from 10.0.0.1/255.0.255.255"},
      {"0.0.0.0/0", "both 0.0.0.0/0"},
      {"with 10.0.0.1", "both with 10.0.0.1"},
      {"none NOT WITH 10.0.0.0/8", "none not with 10.0.0.0/8"},
      {"LOG FROM 2001:DB8::1/32 with ::1", "from 2001:db8::/32 with ::1"},
      {"both  192.0.2.1\tnot with  ::/0 ", "both 192.0.2.1 not with ::/0"},
  };
  for (const auto& [text, printed] : cases) {
    const HostRule rule = parse_host_rule(text);
    EXPECT_EQ(format_host_rule(rule), printed) << text;
    EXPECT_EQ(parse_host_rule(printed), rule) << text;
  }
}

TEST(HostRule, keeps_ipv4_where_a_flow_key_has_it) {
  const HostNet net = parse_host_net("192.0.2.255/25");
  EXPECT_FALSE(net.any);
  EXPECT_FALSE(net.v6);
  EXPECT_TRUE(std::all_of(net.address.begin(), net.address.begin() + 12,
                          [](std::uint8_t octet) { return octet == 0; }));
  EXPECT_EQ(net.address[12], 192);
  EXPECT_EQ(net.address[15], 128) << "host bits go";
  EXPECT_EQ(net.mask[15], 128);
}

TEST(HostRule, refuses_other_words_with_the_cure) {
  for (const char* text :
       {"foo", "from 10.0.0.0/33", "10.0.0", "not 10.0.0.1", "with", "not with", "10.0.0.1 with",
        "10.0.0.1 with 10.0.0.2 with 10.0.0.3", "from to", "2001:db8::/129", "::1/255.255.0.0",
        "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1 10.0.0.2"}) {
    try {
      (void)parse_host_rule(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find("192.0.2."), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace wiretally
