// SPDX-License-Identifier: Apache-2.0
// The reference page, the schema, the help and to_yaml say what the option table and the defaults
// say.
#include "config/describe.hpp"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "config/field_codec.hpp"
#include "config/options.hpp"
#include "config/yaml_writer.hpp"
#include "tests/config/support.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "a.b", "a.list[].c" of everything written in a tree.
void collect_paths(const YamlNode& node, const std::string& path, std::set<std::string>& paths) {
  if (!path.empty() && !path.ends_with("[]")) paths.insert(path);
  for (const YamlEntry& entry : node.entries) {
    collect_paths(entry.value, path.empty() ? entry.key : path + "." + entry.key, paths);
  }
  for (const YamlNode& item : node.items) {
    if (item.kind == YamlNode::Kind::kMap) collect_paths(item, path + "[]", paths);
  }
}

TEST(ReferencePage, is_current) {
  EXPECT_EQ(source_file("config/reference.yaml"), reference_yaml())
      << "run: meson compile update-config-reference";
}

TEST(Schema, is_current) {
  EXPECT_EQ(source_file("config/schema.json"), json_schema())
      << "run: meson compile update-config-reference";
}

TEST(ReferencePage, shows_every_key_of_the_table_and_no_other) {
  std::set<std::string> shown;
  collect_paths(parse_yaml(source_file("config/reference.yaml")).root, "", shown);
  std::set<std::string> known;
  for (const Option& option : options()) known.insert(std::string(option.path));
  EXPECT_EQ(shown, known);
}

// The page through the loader, key by key against a Config nobody touched.
TEST(ReferencePage, gives_the_defaults_of_the_structs) {
  Config loaded = load_config_text(source_file("config/reference.yaml"), "reference.yaml");
  Config defaults;
  defaults.capture.interfaces.resize(1);
  defaults.capture.dpdk.ports.resize(1);
  defaults.exporting.collectors.resize(1);
  defaults.monitors.resize(1);
  std::size_t compared = 0;
  for (const Option& option : options()) {
    if (option.field == nullptr || option.value.kind == ValueKind::kEntries) continue;
    const std::string in_page = format_field(option.value, option.field(loaded, 0));
    if (!option.example.empty()) continue;
    std::string expected = format_field(option.value, option.field(defaults, 0));
    if (option.name() == "ifindex") expected = "1";  // auto, first of its list
    if (option.path == "capture.dpdk.ports[].name") expected = "port0";
    EXPECT_EQ(in_page, expected) << option.path;
    ++compared;
  }
  EXPECT_GT(compared, 45u);
}

TEST(ReferencePage, says_each_default_beside_its_key) {
  const std::string page = source_file("config/reference.yaml");
  for (const Option& option : options()) {
    const std::string shown = default_text(option);
    if (shown.empty() || !option.example.empty()) continue;
    const std::string line = std::string(option.name()) + ": " + shown + "\n";
    EXPECT_NE(page.find(line), std::string::npos) << option.path;
  }
}

TEST(ReferencePage, is_a_good_configuration) {
  EXPECT_THAT(check_config_text(source_file("config/reference.yaml"), "r"), IsEmpty());
}

TEST(Contract, example_loads_and_means_what_it_says) {
  const Config config =
      load_config_text(source_file("tests/config/contract.yaml"), "contract.yaml");
  EXPECT_EQ(config.capture.interfaces.at(0).role, "tap-a");
  EXPECT_EQ(config.capture.dpdk.ports.at(0).device, "0000:3b:00.0");
  EXPECT_EQ(config.capture.dpdk.ports.at(1).ifindex, 2u);
  EXPECT_EQ(config.exporting.collectors.at(0).address, "127.0.0.1:2055");
  EXPECT_THAT(config.monitors.at(1).group_by, ElementsAre("dst_host"));
  // Everything the contract writes is a default, but for its lists.
  Config plain = config;
  plain.capture.interfaces.clear();
  plain.capture.dpdk.ports.clear();
  plain.capture.files.clear();
  plain.monitors.clear();
  plain.exporting.collectors.clear();
  EXPECT_THAT(changed_keys(plain, Config{}), IsEmpty());
}

TEST(Contract, has_no_key_that_the_table_lacks) {
  std::set<std::string> shown;
  collect_paths(parse_yaml(source_file("tests/config/contract.yaml")).root, "", shown);
  EXPECT_GT(shown.size(), 50u);
  for (const std::string& path : shown) EXPECT_NE(find_option(path), nullptr) << path;
}

constexpr const char* kEverythingElse = R"(
capture:
  driver: pcap
  interfaces: [{name: "br-1.5", ifindex: 7, role: "a: b # c"}, {name: eth0}]
  dpdk: {memory: 80M, no_huge: true, workers: [3, 0],
         ports: [{device: "net_pcap0,rx_pcap=a b.pcap", name: p, queues: 2}]}
  af_xdp: {frames: 4096}
  ebpf: {map_entries: 1000, ring: 1M}
  files: ["a, b.pcap", "true", "-", "7", "q\"uo\\te", "\u00fc"]
  promiscuous: false
  manage_offloads: true
  filter: "host ::1 and not port 53"
  sampling: {rate: 4294967295, mode: deterministic}
  own_macs: ["02:00:5e:10:00:FF", 02-00-00-00-00-01]
flows:
  tick: 250ms
  key: [hosts, ingress]
  tunnel: inner
  fragment_ports: first
  max_flows: 64
  table_entries: 4096
  timeouts: {active: 1h30m, idle: 1500ms, tcp: 2s, tcp_fin: 251ms, tcp_rst: 1s, udp: 3s, icmp: 4s,
             maximum_life: 2d}
  expiry_interval: 30s
export:
  domain_id: 4294967295
  mode: balance
  collectors:
    - {address: "[2001:db8::1]:4739", version: 10, max_datagram: 512,
       templates: {packets: 1, interval: 1s},
       options: [], rate: 0, filter: tcp, source: "2001:db8::2", non_ip: true,
       fields: [packetDeltaCount, sourceIPv4Address, sourceIPv4Address, minimumTTL],
       transport: tls, dscp: 46, hop_limit: 3, interface: eth0, times: uptime, biflow: true,
       tls: {ca: /a, certificate: /b, key: /c, name: n, verify: false},
       rotate: {size: 1M, interval: 2h}, spool: {max: 2G}}
    - {address: "host.example:1", options: [statistics], layout: full}
metrics: {listen: "", top: 7, profile: true}
monitors:
  - {name: "a b", filter: "udp", group_by: [host], local: [192.0.2.0/24],
     quota: {octets: 3GiB, per: day, starts: 31, warn: "90%", command: "true"}, max_groups: 5,
     group_idle: 1h,
     rules: ["from 192.0.2.0/24 not with ::1"],
     dump: {every: 1h, after: 5m, clear: 1d, clear_after: 2h, file: "/x/%d", sort: in,
            resolve: true, append: true, format: json, timezone: UTC}}
  - {name: c, group_by: [src_net/24, dst_host]}
history: {path: /x, flush: 3s, groups: 9, week_starts: sunday, timezone: UTC,
          keep: {minute: 90m, five_minutes: 40d, hour: 400d, day: 30y, week: 9y, month: 8y,
                 year: 7y}}
control: {socket: "/run/my dir/s"}
log: {level: debug}
)";

TEST(ToYaml, loads_back_to_an_equal_configuration) {
  for (const std::string& text :
       {std::string(kEverythingElse), source_file("tests/config/contract.yaml"),
        source_file("config/reference.yaml"), kCapture}) {
    const Config first = load_config_text(text, "first");
    const std::string written = to_yaml(first);
    const Config second = load_config_text(written, "second");
    EXPECT_THAT(changed_keys(first, second), IsEmpty()) << written;
    EXPECT_EQ(to_yaml(second), written);
  }
}

// Guards the test above: its sample leaves no key at the default, so a key that to_yaml forgot
// shows.
TEST(ToYaml, is_tried_with_a_value_that_is_not_the_default_for_every_key) {
  Config config = load_config_text(kEverythingElse, "f");
  std::set<std::string> at_default;
  for (const Option& option : options()) {
    if (option.field == nullptr || option.value.kind == ValueKind::kEntries) continue;
    const std::string value = format_field(option.value, option.field(config, 0));
    if (!option.required && value == default_text(option))
      at_default.insert(std::string(option.path));
  }
  // Only driver ebpf has directions; a layout excludes fields, a spool biflows.
  EXPECT_THAT(at_default,
              ElementsAre("capture.interfaces[].direction", "export.collectors[].layout",
                          "export.collectors[].spool.path"));
}

TEST(Help, names_every_key_with_its_default) {
  const std::string help = option_help();
  for (const Option& option : options()) {
    const std::string entry = "\n  " + std::string(option.path);
    const std::string shown = default_text(option);
    const std::size_t at = help.find(entry + (shown.empty() ? "" : "  ("));
    ASSERT_NE(at, std::string::npos) << option.path;
    const std::string line = help.substr(at + 1, help.find('\n', at + 1) - at - 1);
    if (shown.empty()) continue;
    EXPECT_TRUE(line.ends_with("  [" + shown + "]")) << line;
  }
  EXPECT_NE(help.find("  flows.tick  (duration, 100ms to 10s)  [1s]\n"), std::string::npos);
  EXPECT_NE(help.find("  export.collectors[].address  (host:port | /path)  [required]\n"),
            std::string::npos);
}

TEST(OptionTable, has_help_for_every_key_and_each_path_once) {
  std::set<std::string_view> paths;
  for (const Option& option : options()) {
    EXPECT_TRUE(paths.insert(option.path).second) << option.path << " is there twice";
    EXPECT_TRUE(option.help.ends_with('.')) << option.path;
  }
}

TEST(OptionTable, has_every_default_inside_its_own_range) {
  Config defaults = example_config();
  for (const Option& option : options()) {
    const std::string text = default_text(option);
    if (text.empty()) continue;
    const YamlTree tree = parse_yaml(text);
    EXPECT_NO_THROW(store_field(tree.root, option.value, option.field(defaults, 0)))
        << option.path << ": " << text;
  }
}

TEST(OptionTable, finds_keys_with_and_without_indexes) {
  EXPECT_EQ(find_option("export.collectors[12].rate")->path, "export.collectors[].rate");
  EXPECT_EQ(find_option("export.collectors[].rate")->path, "export.collectors[].rate");
  EXPECT_EQ(find_option("capture.files[3]")->path, "capture.files");
  EXPECT_EQ(find_option("flows.tock"), nullptr);
  EXPECT_EQ(find_option("flows.tick["), nullptr);
}

}  // namespace
}  // namespace wiretally
