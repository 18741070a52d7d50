// SPDX-License-Identifier: Apache-2.0
// Every option of softflowd 1.1.0, alone and together: the YAML loads, and says what softflowd was
// told; what it cannot say has a note. control/import/softflowd.md has the same rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.hpp"
#include "config/startup_error.hpp"
#include "control/import/importer.hpp"

namespace wiretally {
namespace {

using std::chrono::seconds;

struct Imported {
  Config config;
  std::vector<std::string> notes;
  std::string yaml;

  [[nodiscard]] bool has_note(const std::string& beginning) const {
    return std::ranges::any_of(
        notes, [&](const std::string& note) { return note.starts_with(beginning); });
  }
};

Imported import_all(const std::string& words) {
  const ImportResult result = import_softflowd({"the command line", words});
  Imported imported;
  imported.yaml = result.yaml;
  imported.config = load_config_text(result.yaml, "imported.yaml");
  for (const ImportNote& note : result.notes) imported.notes.push_back(note.text);
  return imported;
}

Imported import_with(const std::string& options) {
  return import_all("-i eth1 -n 192.0.2.1:2055 " + options);
}

const CollectorConfig& collector_of(const Imported& imported) {
  return imported.config.exporting.collectors.at(0);
}

TEST(SoftflowdImport, writes_softflowds_defaults_out) {
  const Imported imported = import_with("");
  const Config& config = imported.config;
  EXPECT_EQ(config.capture.driver, Driver::kPcap);
  EXPECT_EQ(config.capture.interfaces.at(0).name, "eth1");
  EXPECT_TRUE(config.capture.promiscuous);
  EXPECT_EQ(config.capture.sampling.rate, 1u);
  EXPECT_EQ(config.flows.max_flows, 8192u);
  EXPECT_EQ(config.flows.expiry_interval, seconds(60));
  const TimeoutsConfig& t = config.flows.timeouts;
  EXPECT_EQ(t.tcp, seconds(3600));
  EXPECT_EQ(t.tcp_rst, seconds(120));
  EXPECT_EQ(t.tcp_fin, seconds(300));
  EXPECT_EQ(t.udp, seconds(300));
  EXPECT_EQ(t.icmp, seconds(300));
  EXPECT_EQ(t.idle, seconds(3600));
  EXPECT_EQ(t.maximum_life, seconds(604'800));
  EXPECT_EQ(t.active, seconds(604'800)) << "no report before the end";
  EXPECT_EQ(collector_of(imported).address, "192.0.2.1:2055");
  EXPECT_EQ(collector_of(imported).version, NetflowVersion::kV5);
  EXPECT_EQ(collector_of(imported).transport, Transport::kUdp);
  EXPECT_EQ(config.exporting.mode, ExportMode::kReplicate);
  EXPECT_TRUE(imported.notes.empty()) << imported.notes.front();
}

TEST(SoftflowdImport, takes_what_is_metered) {
  EXPECT_EQ(import_all("-i 7:eth2").config.capture.interfaces.at(0).ifindex, 7u);
  EXPECT_EQ(import_all("-i 7:eth2").config.capture.interfaces.at(0).name, "eth2");
  EXPECT_EQ(import_all("-i any").config.capture.interfaces.at(0).name, "any");
  EXPECT_TRUE(import_all("-i eth1").config.exporting.collectors.empty()) << "statistics only";
  const Imported file = import_all("-r trace.pcap");
  EXPECT_EQ(file.config.capture.files, std::vector<std::string>{"trace.pcap"});
  EXPECT_TRUE(file.has_note("-r: "));
  EXPECT_FALSE(import_with("-N").config.capture.promiscuous);
  const SamplingConfig sampling = import_with("-s 100").config.capture.sampling;
  EXPECT_EQ(sampling.rate, 100u);
  EXPECT_EQ(sampling.mode, SamplingMode::kDeterministic);
  EXPECT_EQ(import_with("-s 0").config.capture.sampling.rate, 1u);
  EXPECT_EQ(import_with("tcp or udp port 53").config.capture.filter, "tcp or udp port 53");
  EXPECT_EQ(import_all("tcp -i eth1 and -n h:1 ip6").config.capture.filter, "tcp and ip6");
}

TEST(SoftflowdImport, takes_every_track_level) {
  struct Case {
    const char* level;
    bool protocol, ports, vlan, macs;
  };
  for (const Case& c : {Case{"ip", false, false, false, false},
                        {"proto", true, false, false, false},
                        {"port", true, true, false, false},
                        {"full", true, true, false, false},
                        {"vlan", true, true, true, false},
                        {"ether", true, true, true, true}}) {
    const KeyConfig key = import_with(std::string("-T ") + c.level).config.flows.key;
    EXPECT_TRUE(key.addresses) << c.level;
    EXPECT_EQ(key.protocol, c.protocol) << c.level;
    EXPECT_EQ(key.ports, c.ports) << c.level;
    EXPECT_EQ(key.vlan, c.vlan) << c.level;
    EXPECT_EQ(key.macs, c.macs) << c.level;
  }
}

TEST(SoftflowdImport, takes_every_timeout_and_time_format) {
  const TimeoutsConfig t = import_with(
                               "-t tcp=2h -t tcp.rst=10 -ttcp.fin=20s -t udp=1m30s -t icmp=1M "
                               "-t general=1d -t maxlife=2w")
                               .config.flows.timeouts;
  EXPECT_EQ(t.tcp, seconds(7200));
  EXPECT_EQ(t.tcp_rst, seconds(10));
  EXPECT_EQ(t.tcp_fin, seconds(20));
  EXPECT_EQ(t.udp, seconds(90));
  EXPECT_EQ(t.icmp, seconds(60));
  EXPECT_EQ(t.idle, seconds(86'400));
  EXPECT_EQ(t.maximum_life, seconds(14 * 86'400));
  EXPECT_EQ(t.active, t.maximum_life);
  const Imported off = import_with("-t maxlife=0 -t expint=0");
  EXPECT_EQ(off.config.flows.timeouts.maximum_life, seconds(0));
  EXPECT_EQ(off.config.flows.timeouts.active, seconds(365 * 86'400));
  EXPECT_EQ(off.config.flows.expiry_interval, seconds(0));
  EXPECT_TRUE(off.notes.empty());
  const Imported bounds = import_with("-t udp=0 -t tcp=60w -t expint=2h -m 10");
  EXPECT_EQ(bounds.config.flows.timeouts.udp, seconds(1));
  EXPECT_EQ(bounds.config.flows.timeouts.tcp, seconds(365 * 86'400));
  EXPECT_EQ(bounds.config.flows.expiry_interval, seconds(3600));
  EXPECT_EQ(bounds.config.flows.max_flows, 64u);
  for (const char* note : {"-t udp=0", "-t tcp=", "-t expint=7200", "-m 10"}) {
    EXPECT_TRUE(bounds.has_note(note)) << note;
  }
}

TEST(SoftflowdImport, takes_every_destination_and_how_they_share) {
  const Imported imported = import_all(
      "-i eth1 -l -n 192.0.2.1:2055,[2001:db8::1]:9995,collector.example:domain -L 64 "
      "-S eth0");
  const auto& collectors = imported.config.exporting.collectors;
  ASSERT_EQ(collectors.size(), 3u);
  EXPECT_EQ(collectors[0].address, "192.0.2.1:2055");
  EXPECT_EQ(collectors[1].address, "[2001:db8::1]:9995");
  EXPECT_EQ(collectors[2].address, "collector.example:53") << "a name of /etc/services";
  for (const CollectorConfig& collector : collectors) {
    EXPECT_EQ(collector.hop_limit, 64u);
    EXPECT_EQ(collector.interface, "eth0");
  }
  EXPECT_EQ(imported.config.exporting.mode, ExportMode::kBalance);
  EXPECT_TRUE(imported.has_note("-l: "));
}

TEST(SoftflowdImport, refuses_a_destination_that_it_cannot_reach) {
  for (const char* destination : {"nohost", "h:nosuchservice", ":2055", "h:"}) {
    try {
      import_with(std::string("-n 192.0.2.1:2055,") + destination);
      FAIL() << destination << " was taken";
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_THAT(error.what(), testing::StartsWith(std::string("-n ") + destination + ": "));
    }
  }
}

TEST(SoftflowdImport, takes_every_version_transport_and_time_format) {
  EXPECT_EQ(collector_of(import_with("-v 1")).version, NetflowVersion::kV1);
  EXPECT_EQ(collector_of(import_with("-v5")).version, NetflowVersion::kV5);
  EXPECT_EQ(collector_of(import_with("-v 9")).version, NetflowVersion::kV9);
  EXPECT_EQ(collector_of(import_with("-v 10")).version, NetflowVersion::kIpfix);
  EXPECT_EQ(collector_of(import_with("-v 9")).times, RecordTimes::kUptime);
  for (const char* other : {"-v psamp", "-v ntopng"}) {
    EXPECT_EQ(collector_of(import_with(other)).version, NetflowVersion::kIpfix);
    EXPECT_TRUE(import_with(other).has_note(other));
  }
  EXPECT_EQ(collector_of(import_with("-v 10 -P udp")).transport, Transport::kUdp);
  EXPECT_EQ(collector_of(import_with("-v 10 -P tcp")).transport, Transport::kTcp);
  EXPECT_EQ(collector_of(import_with("-v 10 -P sctp")).transport, Transport::kTcp);
  EXPECT_TRUE(import_with("-v 10 -P sctp").has_note("-P sctp"));
  EXPECT_EQ(collector_of(import_with("-v 9 -P tcp")).transport, Transport::kUdp);
  EXPECT_TRUE(import_with("-v 9 -P tcp").has_note("-P tcp"));
  EXPECT_EQ(collector_of(import_with("-v 10 -A milli")).times, RecordTimes::kMilliseconds);
  EXPECT_EQ(collector_of(import_with("-v 10 -A micro")).times, RecordTimes::kMicroseconds);
  EXPECT_EQ(collector_of(import_with("-v 9 -A nano")).times, RecordTimes::kNanoseconds);
  EXPECT_EQ(collector_of(import_with("-v 9 -A sec")).times, RecordTimes::kMilliseconds);
  EXPECT_TRUE(import_with("-v 9 -A sec").has_note("-A sec"));
  EXPECT_TRUE(import_with("-A sec").has_note("-A: means nothing"));
  EXPECT_TRUE(collector_of(import_with("-v 10 -b")).biflow);
  EXPECT_TRUE(import_with("-v 9 -b").has_note("-b: means nothing"));
}

TEST(SoftflowdImport, lists_as_many_labels_as_were_asked_for) {
  const auto has = [](const CollectorConfig& collector, const char* name) {
    return std::ranges::find(collector.fields, name) != collector.fields.end();
  };
  const CollectorConfig three = collector_of(import_with("-v 9 -x 3"));
  EXPECT_TRUE(has(three, "mplsTopLabelStackSection"));
  EXPECT_TRUE(has(three, "mplsLabelStackSection3"));
  EXPECT_FALSE(has(three, "mplsLabelStackSection4"));
  EXPECT_TRUE(has(three, "flowStartSysUpTime"));
  const CollectorConfig ten = collector_of(import_with("-v 10 -x 10 -A nano -T ether"));
  EXPECT_TRUE(has(ten, "mplsLabelStackSection10"));
  EXPECT_TRUE(has(ten, "flowStartNanoseconds"));
  EXPECT_TRUE(has(ten, "sourceMacAddress"));
  EXPECT_TRUE(collector_of(import_with("-v 10 -x 0")).fields.empty());
  EXPECT_TRUE(import_with("-v 5 -x 3").has_note("-x: means nothing"));
}

TEST(SoftflowdImport, takes_the_address_that_tells_directions) {
  const Imported imported = import_with("-T ether -H 00:11:22:33:44:5F");
  EXPECT_EQ(imported.config.capture.own_macs, std::vector<std::string>{"00:11:22:33:44:5F"});
  EXPECT_TRUE(imported.config.flows.key.macs);
  EXPECT_TRUE(import_with("").config.capture.own_macs.empty());
}

TEST(SoftflowdImport, takes_control_socket_and_debugging) {
  EXPECT_EQ(import_with("-c /run/sfd.ctl").config.control.socket, "/run/sfd.ctl");
  EXPECT_TRUE(import_with("-c /run/sfd.ctl").has_note("-c /run/sfd.ctl"));
  EXPECT_TRUE(import_with("-c none").has_note("-c none"));
  EXPECT_EQ(import_with("-D").config.log.level, "debug");
}

TEST(SoftflowdImport, passes_no_option_over_in_silence) {
  for (const char* option : {"-d", "-6", "-a", "-M", "-g", "-h", "-p /run/x.pid", "-B 100000",
                             "-C 96", "-I 49d", "-e 192.0.2.9", "-f x"}) {
    EXPECT_TRUE(import_with(option).has_note(std::string(option).substr(0, 2))) << option;
  }
  EXPECT_TRUE(import_all("-R 4739").has_note("-R 4739"));
}

TEST(SoftflowdImport, reads_joined_letters_a_whole_command_and_debians_file) {
  const Imported joined = import_all("softflowd -Nlv9 -i eth1 -n a:1,b:2 -- tcp");
  EXPECT_FALSE(joined.config.capture.promiscuous);
  EXPECT_EQ(joined.config.exporting.mode, ExportMode::kBalance);
  EXPECT_EQ(collector_of(joined).version, NetflowVersion::kV9);
  EXPECT_EQ(joined.config.capture.filter, "tcp");
  EXPECT_EQ(import_all("/usr/sbin/softflowd -i eth1").config.capture.interfaces.size(), 1u);
  EXPECT_EQ(import_all("-- -i eth1 tcp").config.capture.filter, "tcp");
  const Imported debian = import_all(
      "# a comment: interface='no'\ninterface='eth3'\n"
      "options=\"-n 127.0.0.1:9995 -v 9 'tcp port 80'\"\n");
  EXPECT_EQ(debian.config.capture.interfaces.at(0).name, "eth3");
  EXPECT_EQ(collector_of(debian).version, NetflowVersion::kV9);
  EXPECT_EQ(debian.config.capture.filter, "tcp port 80");
}

TEST(SoftflowdImport, refuses_what_softflowd_refuses) {
  for (const char* words :
       {"", "-n h:1", "-i eth1 -r f", "-i eth1 -Z", "-i", "-i eth1 -T mac", "-i eth1 -v 7",
        "-i eth1 -t tcp", "-i eth1 -t udb=3", "-i eth1 -t tcp=3x",
        "-i eth1 -t tcp=", "-i eth1 -t general=0", "-i eth1 -L 300", "-i eth1 -m many",
        "-i eth1 -x 11", "-i eth1 -P dccp", "-i eth1 -A day", "-i eth1 -H 00:11:22:33:44"}) {
    EXPECT_THROW((void)import_softflowd({"", words}), StartupError) << words;
  }
}

}  // namespace
}  // namespace wiretally
