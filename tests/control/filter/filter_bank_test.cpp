// SPDX-License-Identifier: Apache-2.0
// Filters asked together answer as libpcap's interpreter does of each, whatever expression, key and
// frame.
#include "control/filter/filter_bank.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <random>
#include <string>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

constexpr unsigned kSeed = 7;

// Expressions and flows from few values, so that they meet often.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(engine_);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + below(static_cast<std::uint32_t>(values.size())));
  }

 private:
  std::mt19937 engine_;
};

const char* v4(Dice& dice) {
  return dice.one_of({"192.0.2.1", "192.0.2.77", "198.51.100.9", "224.0.0.5", "10.1.2.3"});
}
const char* v6(Dice& dice) {
  return dice.one_of({"2001:db8::1", "2001:db8:0:1::9", "fe80::1", "ff02::16"});
}
std::uint16_t port(Dice& dice) {
  return dice.one_of<std::uint16_t>({0, 1, 53, 80, 443, 1024, 8 * 256, 135 * 256, 65535});
}

std::string primitive(Dice& dice) {
  const char* const way = dice.one_of({"", "src ", "dst "});
  switch (dice.below(16)) {
    case 0:
      return dice.one_of({"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp"});
    case 1:
      return fmt::format("{}host {}", way, dice.one_in(3) ? v6(dice) : v4(dice));
    case 2:
      return fmt::format("{}net {}", way,
                         dice.one_of({"192.0.2.0/24", "10.0.0.0/8", "192.0.2.64/26", "0.0.0.0/1",
                                      "2001:db8::/32", "fe80::/10", "2001:db8:0:1::/64"}));
    case 3:
    case 4:
      return fmt::format("{}{}port {}", dice.one_of({"", "tcp ", "udp "}), way, port(dice));
    case 5:
      return fmt::format("{}portrange {}-{}", way, dice.below(80), 80 + dice.below(65000));
    case 6:
      return fmt::format("ip proto {}", dice.below(140));
    case 7:
      return fmt::format("ip6 proto {}", dice.one_of({6, 17, 44, 58}));
    case 8:
      return dice.one_of({"ip multicast", "ip6 multicast", "ether proto 0x88cc", "mpls", "pppoes",
                          "vlan", "vlan 7", "vlan and vlan 9", "ip[16] >= 224"});
    case 9:
      return fmt::format("icmp[icmptype] = {}", dice.below(12));
    case 10:
      return fmt::format("ip[12:4] = 0x{:08x}", ntohl(inet_addr(v4(dice))));
    case 11:
      return fmt::format("udp[2:2] & {} = {}", 0xff, dice.below(256));
    case 12:
      return fmt::format("tcp[2:2] - {} {} {}", dice.below(500), dice.one_of({">", "<", "="}),
                         dice.below(60000));
    case 13:
      return dice.one_of({"tcp[0:2] < tcp[2:2]", "ip[12:4] = ip[16:4]", "udp[0:2] * 2 > 200",
                          "tcp[2:2] >> 8 = 1", "udp[0:2] & 1 = 0", "5 < ip[19]"});
    case 14:
      return fmt::format("ip6 and ip6[40] = {}", dice.one_of({134, 135}));
    default:
      return fmt::format("ip {}host {} and {}", way, v4(dice), dice.one_of({"tcp", "udp"}));
  }
}

std::string expression(Dice& dice, int depth) {
  if (depth == 0 || dice.one_in(4)) return primitive(dice);
  const std::string left = expression(dice, depth - 1);
  const std::string right = expression(dice, depth - 1);
  return fmt::format("{}({} {} {})", dice.one_in(4) ? "not " : "", left,
                     dice.one_of({"and", "or", "or", "and not"}), right);
}

FlowKey key_of(Dice& dice) {
  FlowKey key;
  key.protocol = dice.one_of<std::uint8_t>({1, 6, 6, 17, 17, 58, 132, 47, 2, 44});
  key.source_port = port(dice);
  key.destination_port = port(dice);
  if (dice.one_in(3)) key.set_vlan(dice.one_of<std::uint16_t>({1, 7, 9}));
  if (dice.one_in(10)) {
    key.protocol = 0;
    key.source_port = 0;
    key.destination_port = dice.one_of<std::uint16_t>({0x0806, 0x88cc, 0x0042, 0});
    key.set_kind(IpVersion::kNone, CoarseLevel::kExact);
    return key;
  }
  const bool is_v6 = dice.one_in(3);
  const auto put = [&](std::array<std::uint8_t, 16>& address) {
    if (is_v6) {
      inet_pton(AF_INET6, v6(dice), address.data());
    } else {
      inet_pton(AF_INET, v4(dice), address.data() + 12);
    }
  };
  put(key.source);
  put(key.destination);
  key.set_kind(is_v6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
  return key;
}

// A frame that the key may have come in.
FlowAttributes attributes_of(Dice& dice, const FlowKey& key) {
  FlowAttributes attributes;
  const auto add_type = [&](std::uint16_t type) {
    attributes.link_type[attributes.link_types++] = type;
  };
  attributes.outer_tag = dice.one_of<std::uint16_t>({7, 9, 0x2007});
  attributes.inner_tag = dice.one_of<std::uint16_t>({7, 9});
  for (std::uint32_t tags = dice.below(3); tags != 0; --tags) {
    add_type(dice.one_of<std::uint16_t>({0x8100, 0x88a8}));
  }
  const bool ip = key.ip_version() != IpVersion::kNone;
  const std::uint16_t plain = key.ip_version() == IpVersion::kV4 ? 0x0800 : 0x86dd;
  add_type(!ip ? key.destination_port : dice.one_of<std::uint16_t>({plain, plain, 0x8847, 0x8864}));
  attributes.labels = static_cast<std::uint8_t>(dice.below(4));
  for (FlowAttributes::LabelEntry& entry : attributes.label_stack) {
    entry = {static_cast<std::uint8_t>(dice.below(256)), 0, 0};
  }
  if (attributes.labels != 0) attributes.label_stack[attributes.labels - 1u][2] = 1;
  attributes.has_next_header = dice.one_in(3);
  attributes.next_header = dice.one_of<std::uint8_t>({key.protocol, 44, 0, 60});
  return attributes;
}

std::deque<FlowFilter> random_filters(Dice& dice, std::size_t count) {
  std::deque<FlowFilter> filters;
  while (filters.size() < count) {
    const std::string text = expression(dice, 3);
    try {
      filters.emplace_back(text);
    } catch (const StartupError&) {  // says what a key does not hold, or never anything
    }
  }
  return filters;
}

std::vector<const FlowFilter*> pointers(const std::deque<FlowFilter>& filters) {
  std::vector<const FlowFilter*> list;
  for (const FlowFilter& filter : filters) list.push_back(&filter);
  return list;
}

void expect_agreement(Dice& dice, const std::deque<FlowFilter>& filters, FilterBank& bank) {
  std::vector<std::uint8_t> answers(bank.size());
  std::size_t yes = 0;
  constexpr int kFlows = 1500;
  for (int flow = 0; flow < kFlows; ++flow) {
    const FlowKey key = key_of(dice);
    const FlowAttributes attributes = attributes_of(dice, key);
    const KeyFrame frame(key, dice.one_in(3) ? nullptr : &attributes);
    bank.ask(frame, answers.data());
    for (std::size_t i = 0; i < filters.size(); ++i) {
      ASSERT_EQ(answers[i] != 0, filters[i].matches(frame))
          << "seed " << kSeed << ", filter " << i << ", flow " << flow;
      yes += answers[i];
    }
  }
  const double share = static_cast<double>(yes) / kFlows / static_cast<double>(filters.size());
  EXPECT_GT(share, 0.1) << "hardly a filter took a flow: this test says little";
  EXPECT_LT(share, 0.9);
}

TEST(FilterBank, answers_as_libpcap_does_of_each_filter_alone) {
  Dice dice(kSeed);
  const std::deque<FlowFilter> filters = random_filters(dice, 400);
  FilterBank bank(pointers(filters));
  expect_agreement(dice, filters, bank);
}

TEST(FilterBank, answers_the_same_when_there_is_no_room_for_programs) {
  Dice dice(kSeed + 1);
  const std::deque<FlowFilter> filters = random_filters(dice, 100);
  FilterBank bank(pointers(filters), 1);
  expect_agreement(dice, filters, bank);
}

// Ordinary filters are cut down; else they would be right but slow.
TEST(CutProgram, leaves_a_test_or_two_of_an_ordinary_filter) {
  const struct {
    const char* expression;
    std::size_t tests;
  } cases[] = {
      {"ip", 0},
      {"tcp", 0},
      {"ip6", 0},
      {"port 443", 2},
      {"dst port 443", 1},
      {"ip and not port 60000", 2},
      {"udp port 53", 0},
      {"src net 192.0.2.0/24", 1},
      {"host 192.0.2.1", 2},
      {"ip host 192.0.2.1 and tcp dst port 80", 3},
      {"dst portrange 80-90", 2},
      {"icmp[icmptype] = 8", 0},
      {"vlan 7", 0},
  };
  FlowKey key;
  key.protocol = 6;
  key.source_port = 40'000;
  key.set_kind(IpVersion::kV4, CoarseLevel::kExact);
  const FrameShape shape = KeyFrame(key, nullptr).shape();
  for (const auto& [expression, tests] : cases) {
    const std::optional<CutProgram> program = FlowFilter(expression).cut(shape);
    ASSERT_TRUE(program) << expression;
    EXPECT_EQ(program->tests(), tests) << expression;
  }
  EXPECT_FALSE(FlowFilter("tcp[0:2] < tcp[2:2]").cut(shape)) << "libpcap's interpreter does it";
}

TEST(KeyFrame, has_one_shape_whatever_addresses_ports_and_tags) {
  FlowKey first;
  first.protocol = 17;
  first.source_port = 1;
  first.set_vlan(5);
  first.set_kind(IpVersion::kV6, CoarseLevel::kExact);
  FlowKey other = first;
  other.source.fill(0xfe);
  other.destination.fill(0x1c);
  other.destination_port = 53;
  other.set_vlan(6);
  EXPECT_TRUE(KeyFrame(first, nullptr).shape() == KeyFrame(other, nullptr).shape());
  other.protocol = 6;
  EXPECT_FALSE(KeyFrame(first, nullptr).shape() == KeyFrame(other, nullptr).shape());
}

}  // namespace
}  // namespace wiretally
