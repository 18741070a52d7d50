// SPDX-License-Identifier: Apache-2.0
// Dozens of mistakes and the exact message for each: line, column, key path, what, and what was
// meant. Here: sections whose keys must agree, and text that is not YAML.
#include "config/datagram_check.hpp"
#include "tests/config/support.hpp"

namespace wiretally {
namespace {

TEST(FlowKey, is_a_word_or_a_list_of_fields) {
  const Mistake mistakes[] = {
      {"flows: {key: 5tuple}\n",
       "f.yaml:2:14: flows.key: `5tuple` is not one of full, ip, proto, port, "
       "vlan, ether"},
      {"flows: {key: ful}\n",
       "f.yaml:2:14: flows.key: `ful` is not one of full, ip, proto, port, "
       "vlan, ether; did you mean `full`?"},
      {"flows: {key: hosts}\n",
       "f.yaml:2:14: flows.key: `hosts` is a field; write the list [hosts]"},
      {"flows: {key: []}\n", "f.yaml:2:14: flows.key: is empty; at least one field is needed"},
      {"flows: {key: [src_host, proto]}\n",
       "f.yaml:2:15: flows.key: `src_host`: source and destination go "
       "together here; write `hosts`"},
      {"flows: {key: [hosts, dst_port]}\n",
       "f.yaml:2:22: flows.key: `dst_port`: source and destination go "
       "together here; write `ports`"},
      {"flows: {key: [hosts, hosts]}\n", "f.yaml:2:22: flows.key: `hosts` is in the list twice"},
      {"flows: {key: [hosts, mac]}\n",
       "f.yaml:2:22: flows.key: `mac` is not one of hosts, proto, ports, "
       "vlan, ingress, macs; did you mean `macs`?"},
      {"flows: {key: {hosts: true}}\n",
       "f.yaml:2:14: flows.key: is a map; a list of hosts, proto, ports, "
       "vlan, ingress, macs is meant"},
      {"flows: {key: }\n",
       "f.yaml:2:14: flows.key: has no value; write a list of hosts, proto, "
       "ports, vlan, ingress, macs or leave the key out"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Fields, of_a_collector_are_known_and_make_sense) {
  const Mistake mistakes[] = {
      {"export:\n"
       "  collectors:\n"
       "    - address: 127.0.0.1:2055\n"
       "      fields: [packetDeltaCount, minimumTtl]\n",
       "f.yaml:5:34: export.collectors[0].fields: `minimumTtl` is not known; did you mean "
       "`minimumTTL`?"},
      {"export:\n"
       "  collectors:\n"
       "    - address: 127.0.0.1:2055\n"
       "      fields: [sourceIPv4Address, minimumTTL]\n",
       "f.yaml:5:15: export.collectors[0].fields: must hold packetDeltaCount: it is the one "
       "element "
       "that every record has"},
      {"export:\n"
       "  collectors:\n"
       "    - address: 127.0.0.1:2055\n"
       "      fields: [packetDeltaCount, minimumTTL, minimumTTL]\n",
       "f.yaml:5:15: export.collectors[0].fields: `minimumTTL` is in the list twice; only an IP "
       "address may be, for the two headers of a tunnel"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"127.0.0.1:2055\", layout: full, fields: [packetDeltaCount]}\n",
       "f.yaml:4:57: export.collectors[0].fields: is instead of a layout; leave one of the two "
       "out"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"127.0.0.1:2055\", version: 5, layout: l2}\n",
       "f.yaml:4:55: export.collectors[0].layout: a NetFlow 1 or 5 record is always the same; use "
       "version: 9 or 10"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Transports, have_what_they_need) {
  const Mistake mistakes[] = {
      {"export:\n"
       "  collectors:\n"
       "    - {address: /x.ipfix, version: 10}\n",
       "f.yaml:4:17: export.collectors[0].address: `/x.ipfix` is a path; it needs transport: file"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", version: 10, transport: file}\n",
       "f.yaml:4:17: export.collectors[0].address: `h:1` is no file; write an absolute path, such "
       "as /var/lib/wiretally/flows.ipfix"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: /x.ipfix, version: 9, transport: file}\n",
       "f.yaml:4:50: export.collectors[0].transport: NetFlow 1, 5 and 9 go over udp only; use udp, "
       "or version: 10"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", spool: {path: /s}}\n",
       "f.yaml:4:38: export.collectors[0].spool.path: only tcp and tls tell what has arrived; use "
       "one of them, or leave the spool out"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", version: 10, transport: tcp, spool: {path: s}}\n",
       "f.yaml:4:67: export.collectors[0].spool.path: `s` must begin with a /: a service has no "
       "folder of its own"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", version: 10, transport: tcp, biflow: true, spool: {path: /s}}\n",
       "f.yaml:4:81: export.collectors[0].spool.path: a spool keeps records in their order, which "
       "biflow changes; leave one of the two out"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", version: 10, transport: tcp, spool: {path: /s}}\n"
       "    - {address: \"h:2\", version: 10, transport: tcp, spool: {path: /s}}\n",
       "f.yaml:5:67: export.collectors[1].spool.path: `/s` is also the spool of "
       "export.collectors[0]; give each its own"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", version: 10, transport: tcp, spool: {path: /s/t}}\n"
       "    - {address: \"h:2\", version: 10, transport: tcp, spool: {path: /s//u/../t/}}\n",
       "f.yaml:5:67: export.collectors[1].spool.path: `/s//u/../t/` is also the spool of "
       "export.collectors[0]; give each its own"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Templates, that_fit_no_message_are_refused_with_the_cure) {
  set_layout_judge([](const Config&, std::size_t) { return std::size_t{600}; });
  expect_messages(
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"h:1\", max_datagram: 512}\n",
       "f.yaml:4:38: export.collectors[0].max_datagram: 512 octets do not hold this "
       "collector's templates; write at least 600, or fewer fields"});
  set_layout_judge(nullptr);
}

TEST(Addresses, have_the_form_host_port) {
  const Mistake mistakes[] = {
      {"export:\n"
       "  collectors:\n"
       "    - address: 127.0.0.1\n",
       "f.yaml:4:16: export.collectors[0].address: `127.0.0.1` has no port; "
       "write host:port or \"[v6]:port\", for example 127.0.0.1:2055"},
      {"export:\n"
       "  collectors:\n"
       "    - address: 127.0.0.1:99999\n",
       "f.yaml:4:16: export.collectors[0].address: `127.0.0.1:99999` has no "
       "port from 1 to 65535 after its last colon"},
      {"export:\n"
       "  collectors:\n"
       "    - address: 2055\n",
       "f.yaml:4:16: export.collectors[0].address: `2055` has no port; write "
       "host:port or \"[v6]:port\", for example 127.0.0.1:2055"},
      {"export:\n"
       "  collectors:\n"
       "    - address: ::1:2055\n",
       "f.yaml:4:16: export.collectors[0].address: `::1:2055` has an IPv6 "
       "address without brackets; write host:port or \"[v6]:port\", for example "
       "127.0.0.1:2055"},
      {"export:\n"
       "  collectors:\n"
       "    - address: [::1]:2055\n",
       "f.yaml:4:21: not YAML: this line does not belong to the section above "
       "it: check its indentation, or quote a value that begins with [ or {"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: [::1]}\n",
       "f.yaml:4:17: export.collectors[0].address: is a list; host:port is "
       "meant (text that begins with [ needs quotes)"},
      {"export:\n"
       "  collectors:\n"
       "    - address: 256.0.0.1:2055\n",
       "f.yaml:4:16: export.collectors[0].address: `256.0.0.1:2055` is not an "
       "IPv4 address; write host:port or \"[v6]:port\", for example "
       "127.0.0.1:2055"},
      {"export:\n"
       "  collectors:\n"
       "    - address: \"\"\n",
       "f.yaml:4:16: export.collectors[0].address: is empty; write host:port"},
      {"export:\n"
       "  collectors:\n"
       "    - {version: 9}\n",
       "f.yaml:4:7: export.collectors[0].address: is missing; each entry "
       "needs it, for example address: \"127.0.0.1:2055\""},
      {"export:\n"
       "  collectors:\n"
       "    - 127.0.0.1:2055\n",
       "f.yaml:4:7: export.collectors[0]: `127.0.0.1:2055` is not a map; "
       "write {address: \"127.0.0.1:2055\"}"},
      {"export:\n"
       "  collectors: 127.0.0.1:2055\n",
       "f.yaml:3:15: export.collectors: a list is meant; begin each entry "
       "with `- `"},
      {"export:\n"
       "  collectors: {address: \"a:1\"}\n",
       "f.yaml:3:15: export.collectors: a list is meant; begin each entry "
       "with `- `"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\"}\n"
       "    - {address: \"a:1\"}\n",
       "f.yaml:5:17: export.collectors[1].address: warning: `a:1` is also the "
       "address of export.collectors[0]: it gets every record twice"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"127.0.0.1:1\", source: \"::1\"}\n",
       "f.yaml:4:40: export.collectors[0].source: `::1` cannot send to "
       "`127.0.0.1:1`: one is IPv4, the other IPv6"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", source: \"127.0.0.1:1\"}\n",
       "f.yaml:4:32: export.collectors[0].source: `127.0.0.1:1` is not an "
       "address; write 192.0.2.1 or \"2001:db8::1\", without a port"},
      {"metrics: {listen: \"[::1]:9108\"}\n",
       "f.yaml:2:19: metrics.listen: `[::1]:9108` is IPv6, and the metrics server listens on IPv4 "
       "only; write 127.0.0.1:PORT or 0.0.0.0:PORT"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", max_datagram: 511}\n",
       "f.yaml:4:38: export.collectors[0].max_datagram: `511` is out of "
       "range; write a number from 512 to 65507"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", max_datagram: 65508}\n",
       "f.yaml:4:38: export.collectors[0].max_datagram: `65508` is out of "
       "range; write a number from 512 to 65507"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", max_datagram: 1473}\n",
       "f.yaml:4:38: export.collectors[0].max_datagram: warning: 1473 is "
       "above 1472: on Ethernet each datagram travels in fragments, and one "
       "lost fragment loses all of it"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", transport: tcp}\n",
       "f.yaml:4:35: export.collectors[0].transport: NetFlow 1, 5 and 9 go "
       "over udp only; use udp, or version: 10"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", version: 9, biflow: true}\n",
       "f.yaml:4:44: export.collectors[0].biflow: only IPFIX has records of both directions; use "
       "version: 10"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", version: 1, times: uptime}\n",
       "f.yaml:4:43: export.collectors[0].times: a NetFlow 1 or 5 record is always the same; use "
       "version: 9 or 10"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", templates: {packets: 0, interval: 500ms}}\n",
       "f.yaml:4:45: export.collectors[0].templates.packets: `0` is out of "
       "range; write a number from 1 to 1000000\n"
       "f.yaml:4:58: export.collectors[0].templates.interval: `500ms` is out "
       "of range; write a duration from 1s to 1d"},
      {"metrics: {listen: 9108}\n",
       "f.yaml:2:19: metrics.listen: `9108` has no port; write host:port or "
       "\"[v6]:port\", for example 127.0.0.1:2055"},
      {"metrics: {listen: \":9108\"}\n",
       "f.yaml:2:19: metrics.listen: `:9108` has no host; write host:port or "
       "\"[v6]:port\", for example 127.0.0.1:2055"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Capture, names_something_to_meter_once) {
  const Mistake mistakes[] = {
      {"!log: {level: info}\n",
       "f.yaml:1:1: capture: names nothing to meter; write for example "
       "capture: {interfaces: [{name: eth1}]}, or dpdk: {ports: [...]}, or "
       "files: [...]"},
      {"capture:\n",
       "f.yaml:1:1: capture: names nothing to meter; write for example "
       "capture: {interfaces: [{name: eth1}]}, or dpdk: {ports: [...]}, or "
       "files: [...]"},
      {"capture: {}\n",
       "f.yaml:1:10: capture: names nothing to meter; write for example "
       "capture: {interfaces: [{name: eth1}]}, or dpdk: {ports: [...]}, or "
       "files: [...]"},
      {"capture: eth1\n",
       "f.yaml:1:10: capture: `eth1` stands where a section with keys is "
       "meant: driver, interfaces, dpdk, af_xdp, ebpf, files, promiscuous, manage_offloads, "
       "filter, sampling, own_macs"},
      {"capture: [eth1]\n",
       "f.yaml:1:10: capture: a list stands where a section with keys is "
       "meant: driver, interfaces, dpdk, af_xdp, ebpf, files, promiscuous, manage_offloads, "
       "filter, sampling, own_macs"},
      {"capture: {interfaces: eth1}\n",
       "f.yaml:1:23: capture.interfaces: a list is meant; begin each entry "
       "with `- `"},
      {"capture: {interfaces: [eth1]}\n",
       "f.yaml:1:24: capture.interfaces[0]: `eth1` is not a map; write {name: "
       "eth1}"},
      {"capture: {interfaces: {name: eth1}}\n",
       "f.yaml:1:23: capture.interfaces: a list is meant; begin each entry "
       "with `- `"},
      {"capture: {interfaces: [{ifindex: 1}]}\n",
       "f.yaml:1:24: capture.interfaces[0].name: is missing; each entry needs "
       "it, for example name: eth1"},
      {"capture: {interfaces: [{name: \"\"}]}\n",
       "f.yaml:1:31: capture.interfaces[0].name: is empty; write a text"},
      {"capture: {interfaces: [{name: \"eth 1\"}]}\n",
       "f.yaml:1:31: capture.interfaces[0].name: `eth 1` cannot be an "
       "interface: a name has no blank and no `/`"},
      {"capture: {driver: dpdk, interfaces: [{name: eth1}]}\n",
       "f.yaml:1:10: capture.dpdk.ports: driver dpdk needs a port; write for "
       "example ports: [{device: \"0000:3b:00.0\"}] or [{device: "
       "\"net_af_packet0,iface=eth1\"}]"},
      {"capture: {driver: pcap, dpdk: {ports: [{device: net_null0}]}}\n",
       "f.yaml:1:10: capture: driver pcap needs interfaces: [{name: eth1}] or "
       "files: [trace.pcap]"},
      {"capture: {driver: af_xdp, files: [a.pcap]}\n",
       "f.yaml:1:10: capture.interfaces: this driver needs an interface; "
       "write interfaces: [{name: eth1}]"},
      {"capture: {interfaces: [{name: eth1}, {name: eth2}, {name: eth1}]}\n",
       "f.yaml:1:59: capture.interfaces[2].name: `eth1` is also the name of "
       "capture.interfaces[0]; each can be metered once"},
      {"capture: {interfaces: [{name: eth1, ifindex: 2}, {name: eth2}]}\n",
       "f.yaml:1:50: capture.interfaces[1].ifindex: `2` is also the ifindex "
       "of capture.interfaces[0]; give each its own number"},
      {"capture:\n"
       "  dpdk:\n"
       "    ports:\n"
       "      - {device: net_null0, name: a}\n"
       "      - {device: net_null1, name: a}\n",
       "f.yaml:5:35: capture.dpdk.ports[1].name: `a` is also the name of "
       "capture.dpdk.ports[0]; give each its own name"},
      {"capture: {dpdk: {ports: [{device: net_null0}, {device: net_null0}]}}\n",
       "f.yaml:1:56: capture.dpdk.ports[1].device: `net_null0` is also the "
       "device of capture.dpdk.ports[0]; each can be metered once"},
      {"capture: {dpdk: {ports: [{device: eth1}]}}\n",
       "f.yaml:1:35: capture.dpdk.ports[0].device: `eth1` is neither a PCI "
       "address (\"0000:3b:00.0\") nor a virtual device; for a kernel interface "
       "write \"net_af_packet0,iface=eth1\""},
      {"capture: {files: trace.pcap}\n",
       "f.yaml:1:18: capture.files: `trace.pcap` is not a list; write "
       "[trace.pcap]"},
      {"capture: {files: [a.pcap, \"\"]}\n", "f.yaml:1:27: capture.files: is empty; write a text"},
      {"capture: {interfaces: [{name: eth1}], filter: \"a\\nb\"}\n",
       "f.yaml:1:47: capture.filter: `a\\x0ab` has a control character or a "
       "line break in it"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(OwnMacs, are_mac_addresses) {
  const Mistake mistake = {
      "!capture: {interfaces: [{name: eth1}], own_macs: [02:00:00:00:00:01, 02:00:00:00:00]}\n",
      "f.yaml:1:49: capture.own_macs[1]: `02:00:00:00:00` is not a MAC address, such as "
      "02:00:5e:10:00:ff"};
  expect_messages(mistake);
}

TEST(Monitors, have_names_of_their_own) {
  const Mistake mistakes[] = {
      {"monitors: [{name: a}, {name: b}, {name: a}]\n",
       "f.yaml:2:41: monitors[2].name: `a` is also the name of monitors[0]; "
       "give each its own name"},
      {"monitors: [{filter: tcp}]\n",
       "f.yaml:2:12: monitors[0].name: is missing; each entry needs it, for "
       "example name: web"},
      {"control: {socket: "
       "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
       "sssssssssssssssss}\n",
       "f.yaml:2:19: control.socket: has 108 octets; at most 107"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Yaml, that_is_broken_is_told_with_its_place) {
  const Mistake mistakes[] = {
      {"flows: {tick: 1s\n",
       "f.yaml:2:8: not YAML: this `{` is not closed with `}`, or in it a `,` "
       "or a closing quote is missing"},
      {"flows: [1, 2\n",
       "f.yaml:2:8: not YAML: this `[` is not closed with `]`, or in it a `,` "
       "or a closing quote is missing"},
      {"flows:\n"
       "  key: [hosts, proto\n"
       "  tick: 1s\n",
       "f.yaml:3:8: not YAML: this `[` is not closed with `]`, or in it a `,` "
       "or a closing quote is missing"},
      {"flows:\n"
       "\ttick: 1s\n",
       "f.yaml:3:1: not YAML: a tab in the indentation; use spaces"},
      {"flows:\n"
       "  tick: 1s\n"
       "   key: full\n",
       "f.yaml:4:7: not YAML: a `:` that belongs to no key; quote text that "
       "has `: ` in it, and set keys of one section below each other"},
      {"flows:\n"
       "    tick: 1s\n"
       "  key: full\n",
       "f.yaml:4:3: not YAML: this line does not belong to the section above "
       "it: check its indentation, or quote a value that begins with [ or {"},
      {"flows: tick: 1s\n",
       "f.yaml:2:12: not YAML: a `:` that belongs to no key; quote text that "
       "has `: ` in it, and set keys of one section below each other"},
      {"flows:\n"
       "  tick 1s\n",
       "f.yaml:3:3: flows: `tick 1s` stands where a section with keys is "
       "meant: tick, key, tunnel, fragment_ports, max_flows, table_entries, "
       "timeouts, expiry_interval"},
      {"log: {level: \"info}\n",
       "f.yaml:2:6: not YAML: this `{` is not closed with `}`, or in it a `,` "
       "or a closing quote is missing"},
      {"log: {level: 'info}\n",
       "f.yaml:2:6: not YAML: this `{` is not closed with `}`, or in it a `,` "
       "or a closing quote is missing"},
      {"flows: }\n", "f.yaml:2:8: not YAML: a `]` or `}` that nothing opened"},
      {"log: {level: @info}\n",
       "f.yaml:2:14: not YAML: this character cannot begin a value; put the "
       "value in quotes"},
      {"log: {level: *info}\n",
       "f.yaml:2:14: not YAML: an alias (`*name`) to nothing; quote a text "
       "that begins with `*`"},
      {"log: &a {level: *a}\n", "f.yaml:2:17: this alias stands inside what it refers to"},
      {"log: !!str info\n", "f.yaml:2:6: the YAML tag `tag:yaml.org,2002:str` has no meaning here"},
      {"log: {level: !mine info}\n", "f.yaml:2:14: the YAML tag `!mine` has no meaning here"},
      {"---\n"
       "log: {level: info}\n",
       "f.yaml:2:1: a second YAML document begins; one document a file"},
      {"? {a: b}\n"
       ": 1\n",
       "f.yaml:2:3: a key is a word, not a map or a list: close a list "
       "with `]`, and quote text that begins with ["},
      {"[a, b]: 1\n",
       "f.yaml:2:1: a key is a word, not a map or a list: close a list "
       "with `]`, and quote text that begins with ["},
      {": 1\n", "f.yaml:2:1: a key is missing before the `:`"},
      {"- a\n",
       "f.yaml:2:1: not YAML: this line does not belong to the section above "
       "it: check its indentation, or quote a value that begins with [ or {"},
      {"!- a\n"
       "- b\n",
       "f.yaml:1:1: a list stands where a section with keys is meant: "
       "capture, flows, export, metrics, monitors, history, control, log"},
      {"!hello\n",
       "f.yaml:1:1: `hello` stands where a section with keys is meant: "
       "capture, flows, export, metrics, monitors, history, control, log"},
      {"%YAML 3.0\n"
       "---\n"
       "a: 1\n",
       "f.yaml:2:1: not YAML: YAML major version too large"},
      {"log: {level: \"\\q\"}\n", "f.yaml:2:17: not YAML: unknown escape character: q"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Check, tells_all_mistakes_at_once_in_the_order_of_the_text) {
  const Mistake mistakes[] = {
      {"capture: {driver: dpkd, interfaces: [{name: eth1}, {name: eth1}]}\n"
       "flows: {tick: 1, tock: 2, max_flows: x}\n"
       "export:\n"
       "  collectors: [{address: a}, {version: 7}, {address: \"b:1\", "
       "max_datagram: 1500}]\n"
       "monitors: [{name: x, filter: 5}]\n"
       "logs: {}\n",
       "f.yaml:1:19: capture.driver: `dpkd` is not one of auto, dpdk, af_xdp, "
       "ebpf, pcap; did you mean `dpdk`?\n"
       "f.yaml:1:59: capture.interfaces[1].name: `eth1` is also the name of "
       "capture.interfaces[0]; each can be metered once\n"
       "f.yaml:2:15: flows.tick: `1` has no unit; write 1s or 1ms (units: y d "
       "h m s ms us ns)\n"
       "f.yaml:2:18: flows.tock: unknown key; did you mean `tick`?\n"
       "f.yaml:2:38: flows.max_flows: `x` is not a whole number; write a "
       "number from 64 to 1073741824\n"
       "f.yaml:4:26: export.collectors[0].address: `a` has no port; write "
       "host:port or \"[v6]:port\", for example 127.0.0.1:2055\n"
       "f.yaml:4:30: export.collectors[1].address: is missing; each entry "
       "needs it, for example address: \"127.0.0.1:2055\"\n"
       "f.yaml:4:40: export.collectors[1].version: `7` is not one of 1, 5, 9, 10\n"
       "f.yaml:4:75: export.collectors[2].max_datagram: warning: 1500 is "
       "above 1472: on Ethernet each datagram travels in fragments, and one "
       "lost fragment loses all of it\n"
       "f.yaml:6:1: logs: unknown key; did you mean `log`?"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

}  // namespace
}  // namespace wiretally
