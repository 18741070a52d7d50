// SPDX-License-Identifier: Apache-2.0
// Durations, sizes, numbers, addresses and "did you mean", value by value.
#include "config/values.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "config/suggest.hpp"
#include "config/utf8.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;

template <class Parse>
std::string error_of(Parse parse, const std::string& text) {
  try {
    (void)parse(text);
    return {};
  } catch (const ValueError& error) {
    return error.what();
  }
}

TEST(Duration, reads_every_unit_and_compounds) {
  const std::pair<const char*, std::chrono::nanoseconds> cases[] = {
      {"1h30m", 90min},
      {"90s", 90s},
      {"500ms", 500ms},
      {"2d", 48h},
      {"5y", 5 * 365 * 24h},
      {"250us", 250us},
      {"250\u00b5s", 250us},
      {"250\u03bcs", 250us},
      {"7ns", 7ns},
      {"1s500ms", 1500ms},
      {"0s", 0s},
      {"1y2d3h4m5s6ms7us8ns", (365 + 2) * 24h + 3h + 4min + 5s + 6ms + 7us + 8ns},
      {"00015s", 15s},
      {"292y", 292 * 365 * 24h},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_duration(text), value) << text;
}

TEST(Duration, refuses_what_has_no_unit_with_the_cure) {
  EXPECT_EQ(error_of(parse_duration, "15"),
            "`15` has no unit; write 15s or 15ms (units: y d h m s ms us ns)");
  EXPECT_EQ(error_of(parse_duration, "0"),
            "`0` has no unit; write 0s or 0ms (units: y d h m s ms us ns)");
}

TEST(Duration, refuses_what_is_not_a_duration) {
  for (const char* text :
       {"abc", "", "s", "-5s", "1.5s", "1 s", "30m1h", "5s5s", "1h30", "5w", "1S"}) {
    EXPECT_NE(error_of(parse_duration, text).find("is not a duration; write 1h30m, 90s, 500ms"),
              std::string::npos)
        << text;
  }
}

TEST(Duration, refuses_what_overflows) {
  for (const char* text :
       {"293y", "99999999999999999999999s", "9223372036854775808ns", "292y365d"}) {
    EXPECT_NE(error_of(parse_duration, text).find("is too long"), std::string::npos) << text;
  }
}

TEST(Duration, is_written_as_people_write_it) {
  const std::pair<std::chrono::nanoseconds, const char*> cases[] = {
      {60s, "60s"}, {120s, "120s"},    {15s, "15s"},     {500ms, "500ms"},  {1500ms, "1500ms"},
      {48h, "2d"},  {62 * 24h, "62d"}, {90min, "1h30m"}, {0s, "0s"},        {5 * 365 * 24h, "5y"},
      {7ns, "7ns"}, {600s, "10m"},     {3600s, "1h"},    {3661s, "1h1m1s"}, {250us, "250us"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(format_duration(value), text);
}

TEST(Duration, survives_the_way_to_text_and_back) {
  const auto seed = std::random_device{}();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = std::uniform_int_distribution<int>(1, 62)(random);
    const std::chrono::nanoseconds value(static_cast<std::int64_t>(random() >> (64 - bits)));
    ASSERT_EQ(parse_duration(format_duration(value)), value) << "seed " << seed;
  }
}

TEST(Size, reads_powers_of_1024) {
  EXPECT_EQ(parse_size("64k"), 65'536u);
  EXPECT_EQ(parse_size("64K"), 65'536u);
  EXPECT_EQ(parse_size("1M"), 1'048'576u);
  EXPECT_EQ(parse_size("2G"), 2'147'483'648u);
  EXPECT_EQ(parse_size("1T"), 1ull << 40);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("99999999999T"), ~0ull) << "saturates, so that the range check refuses it";
}

TEST(Size, refuses_what_is_not_a_size) {
  for (const char* text : {"", "M", "1MB", "1.5G", "-1M", "1 M", "1m", "1g", "abc"}) {
    EXPECT_NE(error_of(parse_size, text).find("is not a size; write 64k, 1M, 2G"),
              std::string::npos)
        << text;
  }
}

TEST(Size, survives_the_way_to_text_and_back) {
  for (const std::uint64_t octets :
       {0ull, 1ull, 1023ull, 1024ull, 1536ull, 1ull << 30, 3ull << 40}) {
    EXPECT_EQ(parse_size(format_size(octets)), octets);
  }
  EXPECT_EQ(format_size(1024ull << 20), "1G");
}

TEST(Mac, is_six_octets_with_colons_or_dashes) {
  const std::array<std::uint8_t, 6> mac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0xff};
  EXPECT_EQ(parse_mac("02:00:5e:10:00:ff"), mac);
  EXPECT_EQ(parse_mac("02-00-5E-10-00-FF"), mac);
  for (const char* wrong :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:ff:1", "2:0:5e:10:0:ff", "02:00:5e:10:00:fg",
        "0x:00:5e:10:00:ff", "02:00:5e-10:00:ff", " 2:00:5e:10:00:ff", "02005e1000ff"}) {
    EXPECT_THROW((void)parse_mac(wrong), ValueError) << wrong;
  }
}

TEST(Endpoint, takes_addresses_and_names) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:2055").host, "127.0.0.1");
  EXPECT_EQ(parse_endpoint("127.0.0.1:2055").port, 2055);
  EXPECT_TRUE(parse_endpoint("127.0.0.1:2055").v4_literal);
  EXPECT_EQ(parse_endpoint("[2001:db8::1]:4739").host, "2001:db8::1");
  EXPECT_TRUE(parse_endpoint("[2001:db8::1]:4739").v6_literal);
  EXPECT_EQ(parse_endpoint("[fe80::1%eth0]:65535").host, "fe80::1%eth0");
  EXPECT_EQ(parse_endpoint("collector.example.net:9995").host, "collector.example.net");
  EXPECT_FALSE(parse_endpoint("collector.example.net:9995").v4_literal);
}

TEST(Endpoint, says_what_is_wrong_with_a_form) {
  const std::pair<const char*, const char*> cases[] = {
      {"127.0.0.1", "has no port"},
      {"localhost", "has no port"},
      {"::1:2055", "has an IPv6 address without brackets"},
      {"[::1]", "has no `]:port` at its end"},
      {"[::g]:1", "has no IPv6 address in its brackets"},
      {"[127.0.0.1]:1", "has no IPv6 address in its brackets"},
      {":2055", "has no host"},
      {"300.1.1.1:2055", "is not an IPv4 address"},
      {"1.2.3:2055", "is not an IPv4 address"},
      {"a b:2055", "is not a host name"},
      {"a..b:2055", "is not a host name"},
      {"host:0", "has no port from 1 to 65535"},
      {"host:65536", "has no port from 1 to 65535"},
      {"host:http", "has no port from 1 to 65535"},
      {"host:", "has no port from 1 to 65535"},
      {"host:+5", "has no port from 1 to 65535"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_NE(error_of(parse_endpoint, text).find(why), std::string::npos)
        << text << ": " << error_of(parse_endpoint, text);
  }
}

TEST(Suggest, counts_a_swap_as_one_edit) {
  EXPECT_EQ(edit_distance("idel", "idle"), 1u);
  EXPECT_EQ(edit_distance("timeout", "timeouts"), 1u);
  EXPECT_EQ(edit_distance("IDLE", "idle"), 0u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

TEST(Suggest, offers_only_what_is_near) {
  const std::array<std::string_view, 4> known = {"idle", "icmp", "tcp", "tcp_fin"};
  EXPECT_EQ(nearest("idel", known), "idle");
  EXPECT_EQ(nearest("tcp-fin", known), "tcp_fin");
  EXPECT_EQ(nearest("tcp_f", known), "tcp_fin") << "a word cut short";
  EXPECT_EQ(nearest("banana", known), std::nullopt);
  EXPECT_EQ(nearest("x", known), std::nullopt);
}

TEST(Text, is_refused_at_the_first_octet_that_is_not_utf8) {
  EXPECT_EQ(find_bad_text("plain \u00fc\u20ac\U0001f600\ttext\r\n"), std::nullopt);
  const std::pair<std::string, int> cases[] = {{std::string("ab\nc\xff", 5), 2},
                                               {std::string("ab\n\0", 4), 1},
                                               {"ab\n\xc0\x80", 1},
                                               {"ab\n\xed\xa0\x80", 1},
                                               {"ab\n\xf4\x90\x80\x80", 1},
                                               {"ab\n\xe2\x82", 1},
                                               {"ab\nxyz\x1b[0m", 4},
                                               {"ab\n\xe0\x80\x80", 1}};
  for (const auto& [text, column] : cases) {
    const auto bad = find_bad_text(text);
    ASSERT_TRUE(bad.has_value());
    EXPECT_EQ(bad->at.line, 2);
    EXPECT_EQ(bad->at.column, column) << bad->text;
  }
}

}  // namespace
}  // namespace wiretally
