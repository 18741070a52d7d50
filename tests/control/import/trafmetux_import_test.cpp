// SPDX-License-Identifier: Apache-2.0
// iptables rules with Trafmetux's target as monitors.
#include <gmock/gmock.h>

#include "config/startup_error.hpp"
#include "tests/control/import/import_support.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

Imported trafmetux(const std::string& text) {
  return imported("trafmetux", text);
}

std::string filter_of(const std::string& conditions) {
  const Imported in =
      trafmetux("iptables -A FORWARD " + conditions + " -j TRAFMETUX --monitor it\n");
  return in.config.monitors.empty() ? "" : in.monitor(0).filter;
}

TEST(TrafmetuxImport, turns_conditions_into_tcpdump_s_words) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "ip"},
      {"-s 192.0.2.1", "ip and src host 192.0.2.1"},
      {"-s 192.0.2.9/24", "ip and src net 192.0.2.0/24"},
      {"--source 192.0.2.0/255.255.255.0", "ip and src net 192.0.2.0/24"},
      {"-d 192.0.2.1/255.0.255.255", "ip and dst net 192.0.2.1 mask 255.0.255.255"},
      {"! -d 192.0.2.0/24", "ip and not (dst net 192.0.2.0/24)"},
      {"-d ! 192.0.2.0/24", "ip and not (dst net 192.0.2.0/24)"},
      {"-s 192.0.2.1,198.51.100.0/24",
       "ip and ((src host 192.0.2.1) or (src net 198.51.100.0/24))"},
      {"-s 0.0.0.0/0", "ip"},
      {"-p tcp --dport 80", "ip and tcp and dst port 80"},
      {"--protocol=tcp --dport=80 --source=192.0.2.1",
       "ip and tcp and dst port 80 and src host 192.0.2.1"},
      {"-p TCP --sport 1024:", "ip and tcp and src portrange 1024-65535"},
      {"-p udp --dport :1023", "ip and udp and dst portrange 0-1023"},
      {"-p tcp ! --dport 22", "ip and tcp and not (dst port 22)"},
      {"-p tcp -m multiport --dports 80,443,8000:8080",
       "ip and tcp and ((dst port 80) or (dst port 443) or (dst portrange 8000-8080))"},
      {"-p tcp -m multiport --ports 53,853", "ip and tcp and ((port 53) or (port 853))"},
      {"-p tcp -m tcp -m comment --comment 'the web' --dport 80", "ip and tcp and dst port 80"},
      {"-p all", "ip"},
      {"-p gre", "ip and ip proto 47"},
      {"-p 112", "ip and ip proto 112"},
      {"! -p icmp", "ip and not (icmp)"},
      {"-p icmp --icmp-type echo-request", "ip and icmp and icmp[0] == 8"},
      {"-p icmp --icmp-type 3/4", "ip and icmp and icmp[0] == 3 and icmp[1] == 4"},
  };
  for (const auto& [conditions, filter] : cases) {
    EXPECT_EQ(filter_of(conditions), filter) << conditions;
  }
}

TEST(TrafmetuxImport, knows_ip6tables) {
  const Imported in = trafmetux(
      "ip6tables -A FORWARD -s 2001:db8::/32 -p tcp --dport 80 -j TRAFMETUX --monitor six\n"
      "ip6tables -A FORWARD -p icmpv6 --icmpv6-type 128 -j TRAFMETUX --monitor ping\n");
  EXPECT_EQ(in.monitor(0).filter, "ip6 and src net 2001:db8::/32 and tcp and dst port 80");
  EXPECT_EQ(in.monitor(1).filter, "ip6 and icmp6 and icmp6[0] == 128");
}

TEST(TrafmetuxImport, joins_the_rules_of_a_monitor) {
  const Imported in = trafmetux(
      "iptables -A FORWARD -i eth1 -d 192.0.2.0/24 -j TRAFMETUX --monitor lan\n"
      "iptables -A FORWARD -i eth1 -s 192.0.2.0/24 -j TRAFMETUX --monitor lan\n"
      "iptables -A FORWARD -o eth2 -p udp -j TRAFMETUX --monitor udp\n");
  ASSERT_THAT(in.config.monitors, SizeIs(2));
  EXPECT_EQ(in.monitor(0).filter, "(ip and dst net 192.0.2.0/24) or (ip and src net 192.0.2.0/24)");
  EXPECT_EQ(in.monitor(1).name, "udp");
  EXPECT_EQ(in.config.capture.interfaces.at(0).name, "eth1");
  EXPECT_EQ(in.config.capture.interfaces.at(1).name, "eth2");
  EXPECT_THAT(in.notes(), HasSubstr("monitor `lan` has 2 rules"));
  EXPECT_THAT(in.notes(), HasSubstr("in:1: -i eth1 is not carried over"));
}

TEST(TrafmetuxImport, follows_a_script) {
  const Imported in = trafmetux(
      "#!/bin/sh\n"
      "IPT=\"/usr/sbin/iptables\"\n"
      "LAN=192.0.2.0/24\n"
      "modprobe xt_TRAFMETUX\n"
      "$IPT -t mangle -A POSTROUTING -s $LAN -p tcp \\\n"
      "     --dport 443 -j TRAFMETUX --monitor web\n"
      "$IPT -A INPUT -s $OFFICE -j TRAFMETUX --monitor office\n"
      "$IPT -A INPUT -p tcp --dport 22 -j ACCEPT\n"
      "-A OUTPUT -p udp -j TRAFMETUX --monitor saved\n");
  ASSERT_THAT(in.config.monitors, SizeIs(3));
  EXPECT_EQ(in.monitor(0).filter, "ip and src net 192.0.2.0/24 and tcp and dst port 443");
  EXPECT_EQ(in.monitor(1).filter, "ip");
  EXPECT_EQ(in.monitor(2).filter, "ip and udp");
  EXPECT_THAT(in.notes(), HasSubstr("in:7: -s $OFFICE is not carried over"));
  EXPECT_THAT(in.notes(), HasSubstr("in:7: chain INPUT is not carried over"));
  EXPECT_THAT(in.notes(), HasSubstr("in:8: -j ACCEPT is not carried over"));
  EXPECT_THAT(in.notes(), HasSubstr("in:9: chain OUTPUT is not carried over"));
  EXPECT_THAT(in.notes(), Not(HasSubstr("POSTROUTING")));
}

TEST(TrafmetuxImport, names_what_it_could_not_carry) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"-m state --state NEW,ESTABLISHED -j TRAFMETUX --monitor a",
       "-m state --state NEW,ESTABLISHED"},
      {"-m mac --mac-source 00:11:22:33:44:55 -p tcp -j TRAFMETUX --monitor a",
       "-m mac --mac-source 00:11:22:33:44:55"},
      {"-p tcp --syn -j TRAFMETUX --monitor a", "`--syn`"},
      {"-f -j TRAFMETUX --monitor a", "`-f`"},
      {"-p nosuch -j TRAFMETUX --monitor a", "-p nosuch"},
      {"-p icmp --icmp-type fragmentation-needed -j TRAFMETUX --monitor a",
       "--icmp-type fragmentation-needed"},
      {"-c 5 900 -j TRAFMETUX --monitor a", "-c 5 900"},
      {"-o ppp+ -j TRAFMETUX --monitor a", "-o ppp+"},
      {"! -i eth0 -j TRAFMETUX --monitor a", "! -i eth0"},
  };
  for (const auto& [rule, named] : cases) {
    const Imported in = trafmetux("iptables -A FORWARD " + std::string(rule) + "\n");
    EXPECT_THAT(in.notes(), HasSubstr("in:1: ")) << rule;
    EXPECT_THAT(in.notes(), HasSubstr(named)) << rule;
    EXPECT_THAT(in.config.monitors, SizeIs(1)) << rule;
  }
  const Imported in = trafmetux(
      "iptables -A FORWARD -j TRAFMETUX --monitor good\n"
      "iptables -A FORWARD -j TRAFMETUX\n"
      "iptables -D FORWARD -j TRAFMETUX --monitor gone\n"
      "iptables -A lan-acct -j TRAFMETUX --monitor chained\n");
  EXPECT_THAT(in.config.monitors, SizeIs(2));
  EXPECT_THAT(in.notes(), HasSubstr("in:2: not carried over: a monitor needs a name"));
  EXPECT_THAT(in.notes(), HasSubstr("in:3: a rule that is taken away again"));
  EXPECT_THAT(in.notes(), HasSubstr("in:4: chain `lan-acct`"));
  EXPECT_THAT(in.notes(), HasSubstr("no rule names an interface"));
}

TEST(TrafmetuxImport, refuses_a_file_without_a_monitor) {
  EXPECT_THROW(trafmetux("iptables -A INPUT -j ACCEPT\n"), StartupError);
  EXPECT_THROW(trafmetux(""), StartupError);
}

}  // namespace
}  // namespace wiretally
