// SPDX-License-Identifier: Apache-2.0
// What a good configuration becomes: derived values, the rule of the timeouts, files that cannot be
// read, and what is accepted and not in this version.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/config/support.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Config load(const std::string& below_capture) {
  return load_config_text(kCapture + below_capture, "f.yaml");
}

TEST(Load, leaves_every_default_where_nothing_is_written) {
  const Config config = load("");
  EXPECT_EQ(config.flows.timeouts.tcp, 120s);
  EXPECT_EQ(config.flows.tick, 1s);
  EXPECT_EQ(config.metrics.listen, "127.0.0.1:9108");
  EXPECT_THAT(config.exporting.collectors, IsEmpty());
}

TEST(Load, takes_sections_without_keys_as_defaults) {
  EXPECT_EQ(load("flows:\nexport:\n  collectors:\nlog: {}\n").flows.tick, 1s);
}

TEST(Load, reads_crlf_quotes_anchors_and_block_text) {
  EXPECT_EQ(load("log:\r\n  level: debug\r\n").log.level, "debug");
  EXPECT_EQ(load("log: {\"level\": 'debug'}\n").log.level, "debug");
  const Config config = load(
      "export:\n  collectors:\n    - {address: \"a:1\", templates: &t {packets: 3}}\n"
      "    - {address: \"b:1\", templates: *t}\n");
  EXPECT_EQ(config.exporting.collectors.at(1).templates.packets, 3u);
  EXPECT_EQ(load("monitors:\n  - name: a\n    filter: >-\n      tcp and\n      port 80\n")
                .monitors.at(0)
                .filter,
            "tcp and port 80");
}

TEST(Load, numbers_and_names_ports_by_position) {
  const Config config = load_config_text(
      "capture:\n  interfaces: [{name: a}, {name: b, ifindex: auto}, {name: c, ifindex: 0}]\n"
      "  dpdk: {ports: [{device: net_null0, ifindex: 9}, {device: net_null1}]}\n",
      "f.yaml");
  EXPECT_EQ(config.capture.interfaces.at(0).ifindex, 1u);
  EXPECT_EQ(config.capture.interfaces.at(1).ifindex, 2u);
  EXPECT_EQ(config.capture.interfaces.at(2).ifindex, 3u);
  EXPECT_EQ(config.capture.dpdk.ports.at(0).ifindex, 9u);
  EXPECT_EQ(config.capture.dpdk.ports.at(1).ifindex, 2u);
  EXPECT_EQ(config.capture.dpdk.ports.at(0).name, "port0");
  EXPECT_EQ(config.capture.dpdk.ports.at(1).name, "port1");
}

TEST(Load, takes_every_word_of_the_key) {
  struct Case {
    const char* text;
    bool hosts, proto, ports, vlan, ingress, macs;
  };
  const Case cases[] = {
      {"ip", true, false, false, false, false, false},
      {"proto", true, true, false, false, false, false},
      {"port", true, true, true, false, false, false},
      {"full", true, true, true, false, false, false},
      {"vlan", true, true, true, true, false, false},
      {"ether", true, true, true, true, false, true},
      {"[hosts, macs]", true, false, false, false, false, true},
      {"[hosts]", true, false, false, false, false, false},
      {"[ingress, vlan]", false, false, false, true, true, false},
      {"[proto, ports]", false, true, true, false, false, false},
  };
  for (const Case& c : cases) {
    const KeyConfig key = load("flows: {key: " + std::string(c.text) + "}\n").flows.key;
    EXPECT_EQ(key.addresses, c.hosts) << c.text;
    EXPECT_EQ(key.protocol, c.proto) << c.text;
    EXPECT_EQ(key.ports, c.ports) << c.text;
    EXPECT_EQ(key.vlan, c.vlan) << c.text;
    EXPECT_EQ(key.ingress, c.ingress) << c.text;
    EXPECT_EQ(key.macs, c.macs) << c.text;
  }
}

TEST(Load, keeps_a_history_where_somebody_wants_one) {
  EXPECT_FALSE(load("").history.wanted);
  EXPECT_TRUE(load("monitors: [{name: web}]\n").history.wanted);
  EXPECT_TRUE(load("history: {flush: 5s}\n").history.wanted);
  EXPECT_FALSE(load("monitors: [{name: web}]\nhistory: {path: \"\"}\n").history.wanted);
}

// ---- timeouts ----

TEST(Timeouts, follow_idle_when_only_idle_is_written) {
  const TimeoutsConfig t = load("flows: {timeouts: {idle: 4s}}\n").flows.timeouts;
  EXPECT_EQ(t.idle, 4s);
  EXPECT_EQ(t.tcp, 4s);
  EXPECT_EQ(t.udp, 4s);
  EXPECT_EQ(t.icmp, 4s);
  EXPECT_EQ(t.tcp_fin, 4s);
  EXPECT_EQ(t.tcp_rst, 4s);
  EXPECT_EQ(t.active, 60s);
}

TEST(Timeouts, are_never_lengthened_by_idle) {
  const TimeoutsConfig t = load("flows: {timeouts: {idle: 5m}}\n").flows.timeouts;
  EXPECT_EQ(t.tcp, 120s);
  EXPECT_EQ(t.udp, 30s);
  EXPECT_EQ(t.icmp, 10s);
  EXPECT_EQ(t.tcp_fin, 5s);
}

TEST(Timeouts, stay_as_written_beside_idle) {
  const TimeoutsConfig t =
      load("flows: {timeouts: {idle: 10s, tcp: 90s, icmp: 20s, tcp_fin: 30s}}\n").flows.timeouts;
  EXPECT_EQ(t.tcp, 90s);
  EXPECT_EQ(t.icmp, 20s);
  EXPECT_EQ(t.udp, 10s);
  EXPECT_EQ(t.tcp_fin, 30s);
  EXPECT_EQ(t.tcp_rst, 5s);
}

TEST(Timeouts, of_fin_and_rst_follow_a_short_tcp) {
  const TimeoutsConfig t = load("flows: {timeouts: {tcp: 2s}}\n").flows.timeouts;
  EXPECT_EQ(t.tcp_fin, 2s);
  EXPECT_EQ(t.tcp_rst, 2s);
  EXPECT_EQ(t.udp, 30s);
}

TEST(Timeouts, that_were_not_written_are_never_shorter_than_the_tick) {
  const TimeoutsConfig t = load("flows: {tick: 10s}\n").flows.timeouts;
  EXPECT_EQ(t.tcp_fin, 10s);
  EXPECT_EQ(t.tcp_rst, 10s);
  EXPECT_EQ(t.idle, 15s);
}

TEST(Capture, warns_of_interfaces_that_files_leave_out) {
  std::vector<Diagnostic> warnings;
  (void)load_config_text("capture: {driver: pcap, interfaces: [{name: lo}], files: [a.pcap]}\n",
                         "f.yaml", {}, &warnings);
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(to_string(warnings[0]),
            "f.yaml:1:58: capture.files: warning: are read, and capture.interfaces are not metered "
            "beside them; leave out the one or the other");
}

// ---- files ----

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "wiretally-config-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& text) {
    const std::string path = directory_ + "/c.yaml";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::string error_of(const std::string& path) {
    try {
      (void)load_config_file(path);
      return {};
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      return error.what();
    }
  }

  std::string directory_;
};

TEST_F(ConfigFile, is_read_and_named_in_messages) {
  const std::string good = write(kCapture);
  EXPECT_EQ(load_config_file(good).capture.interfaces.at(0).name, "eth1");
  EXPECT_THAT(check_config_file(good), IsEmpty());
  const std::string bad = write(kCapture + "flows: {tick: 1}\n");
  EXPECT_EQ(error_of(bad), bad +
                               ":2:15: flows.tick: `1` has no unit; write 1s or 1ms (units: y "
                               "d h m s ms us ns)");
}

TEST_F(ConfigFile, that_cannot_be_read_is_told_why) {
  EXPECT_EQ(error_of(directory_ + "/none.yaml"), directory_ + "/none.yaml: there is no such file");
  EXPECT_EQ(error_of(directory_), directory_ + ": is a directory; a file is meant");
  EXPECT_EQ(error_of(write(kCapture) + "/x"),
            directory_ + "/c.yaml/x: cannot be read: Not a directory");
  EXPECT_THAT(lines_of(check_config_file(directory_)),
              ElementsAre(directory_ + ": is a directory; a file is meant"));
}

TEST_F(ConfigFile, without_permission_is_told_so) {
  const std::string path = write(kCapture);
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  const bool is_root = geteuid() == 0;
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(seteuid(is_root ? kNobody : geteuid()), 0);
  const std::string text = error_of(path);
  ASSERT_EQ(seteuid(is_root ? 0 : geteuid()), 0);
  EXPECT_EQ(text, path + ": no permission to read it");
}

TEST_F(ConfigFile, that_is_empty_or_only_comments_is_told_so) {
  const std::string expected =
      ":1:1: is empty; write at least capture: {interfaces: [{name: eth1}]}";
  EXPECT_EQ(error_of(write("")), directory_ + "/c.yaml" + expected);
  EXPECT_EQ(error_of(write("# nothing\n\n---\n")), directory_ + "/c.yaml" + expected);
}

TEST_F(ConfigFile, that_is_endless_is_refused) {
  EXPECT_EQ(error_of("/dev/zero"), "/dev/zero:1:1: is longer than 4M");
}

TEST_F(ConfigFile, says_how_many_more_errors_there_are) {
  EXPECT_THAT(error_of(write(kCapture + "a: 1\nb: 2\nc: 3\n")),
              testing::EndsWith("\n(2 more; `wiretally check` shows all)"));
}

}  // namespace
}  // namespace wiretally
