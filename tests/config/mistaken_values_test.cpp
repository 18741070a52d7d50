// SPDX-License-Identifier: Apache-2.0
// Dozens of mistakes and the exact message for each: line, column, key path, what, and what was
// meant. Here: keys, and values of every type.
#include "tests/config/support.hpp"

namespace wiretally {
namespace {

TEST(MistakenKeys, are_known_or_told_with_the_nearest) {
  const Mistake mistakes[] = {
      {"flows:\n"
       "  timeouts: {idel: 5s}\n",
       "f.yaml:3:14: flows.timeouts.idel: unknown key; did you mean `idle`?"},
      {"flows:\n"
       "  timeout: {idle: 5s}\n",
       "f.yaml:3:3: flows.timeout: unknown key; did you mean `timeouts`?"},
      {"flow: {tick: 1s}\n", "f.yaml:2:1: flow: unknown key; did you mean `flows`?"},
      {"idle: 5s\n", "f.yaml:2:1: idle: unknown key here; `idle` belongs in flows.timeouts"},
      {"flows: {idle: 5s}\n",
       "f.yaml:2:9: flows.idle: unknown key here; `idle` belongs in "
       "flows.timeouts"},
      {"flows: {metrics: 1}\n",
       "f.yaml:2:9: flows.metrics: unknown key here; `metrics` belongs at the "
       "top level"},
      {"flows: {banana: 1}\n",
       "f.yaml:2:9: flows.banana: unknown key; flows has tick, key, tunnel, "
       "fragment_ports, max_flows, table_entries, timeouts, expiry_interval"},
      {"banana: 1\n",
       "f.yaml:2:1: banana: unknown key; the top level has capture, flows, "
       "export, metrics, monitors, history, control, log"},
      {"export:\n"
       "  collectors:\n"
       "    - {address: \"a:1\", adress: \"a:1\"}\n",
       "f.yaml:4:24: export.collectors[0].adress: unknown key; did you mean "
       "`address`?"},
      {"capture: {interfaces: [{name: eth1}], dpdk: {port: []}}\n",
       "f.yaml:1:46: capture.dpdk.port: unknown key; did you mean `ports`?"},
      {"flows: {Tick: 1s}\n", "f.yaml:2:9: flows.Tick: unknown key; did you mean `tick`?"},
      {"flows: {<<: {tick: 1s}}\n",
       "f.yaml:2:9: flows.<<: merge keys are not YAML 1.2 and not read; "
       "repeat the values"},
      {"flows: {\"a\\nb\": 1}\n",
       "f.yaml:2:9: flows.a\\x0ab: unknown key; flows has tick, key, tunnel, "
       "fragment_ports, max_flows, table_entries, timeouts, expiry_interval"},
      {"~: 1\n", "f.yaml:2:1: a key is missing before the `:`"},
      {"1: 2\n",
       "f.yaml:2:1: 1: unknown key; the top level has capture, flows, export, "
       "metrics, monitors, history, control, log"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(MistakenKeys, are_written_once) {
  const Mistake mistakes[] = {
      {"flows: {tick: 1s, tick: 2s}\n",
       "f.yaml:2:19: flows.tick: is written twice; the first is in line 2"},
      {"log: {level: info}\n"
       "flows: {tick: 1s}\n"
       "log: {level: debug}\n",
       "f.yaml:4:1: log: is written twice; the first is in line 2"},
      {"export:\n"
       "  collectors:\n"
       "    - address: \"a:1\"\n"
       "      rate: 5\n"
       "      rate: 6\n",
       "f.yaml:6:7: export.collectors[0].rate: is written twice; the first is "
       "in line 5"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(MistakenDurations, have_units_and_ranges) {
  const Mistake mistakes[] = {
      {"flows: {tick: abc}\n",
       "f.yaml:2:15: flows.tick: `abc` is not a duration; write 1h30m, 90s, "
       "500ms"},
      {"flows: {tick: 1}\n",
       "f.yaml:2:15: flows.tick: `1` has no unit; write 1s or 1ms (units: y d "
       "h m s ms us ns)"},
      {"flows:\n"
       "  tick: 5ms\n",
       "f.yaml:3:9: flows.tick: `5ms` is out of range; write a duration from "
       "100ms to 10s"},
      {"flows:\n"
       "  tick: 11s\n",
       "f.yaml:3:9: flows.tick: `11s` is out of range; write a duration from "
       "100ms to 10s"},
      {"flows: {tick: }\n",
       "f.yaml:2:15: flows.tick: has no value; write a duration from 100ms to "
       "10s or leave the key out"},
      {"flows: {tick: [1s]}\n",
       "f.yaml:2:15: flows.tick: is a list; a duration from 100ms to 10s is "
       "meant (text that begins with [ needs quotes)"},
      {"flows: {tick: {a: 1s}}\n",
       "f.yaml:2:15: flows.tick: is a map; a duration from 100ms to 10s is "
       "meant"},
      {"flows: {tick: 1h 30m}\n",
       "f.yaml:2:15: flows.tick: `1h 30m` is not a duration; write 1h30m, "
       "90s, 500ms"},
      {"flows: {timeouts: {idle: 0s}}\n",
       "f.yaml:2:26: flows.timeouts.idle: `0s` is out of range; write a "
       "duration from 1ms to 1y"},
      {"flows: {timeouts: {idle: 500y}}\n",
       "f.yaml:2:26: flows.timeouts.idle: `500y` is too long; 292y is the "
       "limit"},
      {"history: {keep: {day: 3h}}\n",
       "f.yaml:2:23: history.keep.day: `3h` is out of range; write a duration "
       "from 1d to 100y"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Timeouts, fit_the_tick_and_each_other) {
  const Mistake mistakes[] = {
      {"flows: {timeouts: {idle: 500ms}}\n",
       "f.yaml:2:26: flows.timeouts.idle: 500ms is shorter than the tick "
       "(1s); raise it or lower flows.tick"},
      {"flows: {tick: 2s, timeouts: {tcp_rst: 1s, active: 1999ms}}\n",
       "f.yaml:2:39: flows.timeouts.tcp_rst: 1s is shorter than the tick "
       "(2s); raise it or lower flows.tick\n"
       "f.yaml:2:51: flows.timeouts.active: 1999ms is shorter than the tick "
       "(2s); raise it or lower flows.tick"},
      {"flows: {timeouts: {tcp: 10s, tcp_fin: 20s}}\n",
       "f.yaml:2:39: flows.timeouts.tcp_fin: warning: 20s is longer than tcp "
       "(10s): a closed connection would stay longer than a silent one"},
      {"flows: {tick: 100, timeouts: {idle: 500ms}}\n",
       "f.yaml:2:15: flows.tick: `100` has no unit; write 100s or 100ms "
       "(units: y d h m s ms us ns)"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Numbers, are_whole_and_in_range) {
  const Mistake mistakes[] = {
      {"flows: {max_flows: many}\n",
       "f.yaml:2:20: flows.max_flows: `many` is not a whole number; write a "
       "number from 64 to 1073741824"},
      {"flows: {max_flows: 1M}\n",
       "f.yaml:2:20: flows.max_flows: `1M` is not a whole number; write a "
       "number from 64 to 1073741824"},
      {"flows: {max_flows: 63}\n",
       "f.yaml:2:20: flows.max_flows: `63` is out of range; write a number "
       "from 64 to 1073741824"},
      {"flows: {max_flows: -1}\n",
       "f.yaml:2:20: flows.max_flows: `-1` is negative; write a number from "
       "64 to 1073741824"},
      {"flows: {max_flows: 1.5}\n",
       "f.yaml:2:20: flows.max_flows: `1.5` is not a whole number; write a "
       "number from 64 to 1073741824"},
      {"flows: {max_flows: 99999999999999999999999}\n",
       "f.yaml:2:20: flows.max_flows: `99999999999999999999999` is out of "
       "range; write a number from 64 to 1073741824"},
      {"flows: {table_entries: 0}\n",
       "f.yaml:2:24: flows.table_entries: `0` is out of range; write a number "
       "from 64 to 268435456"},
      {"flows: {table_entries: 268435457}\n",
       "f.yaml:2:24: flows.table_entries: `268435457` is out of range; write "
       "a number from 64 to 268435456"},
      {"capture: {interfaces: [{name: eth1}], sampling: {rate: 0}}\n",
       "f.yaml:1:56: capture.sampling.rate: `0` is out of range; write a "
       "number from 1 to 4294967295"},
      {"capture: {interfaces: [{name: eth1, ifindex: 4294967296}]}\n",
       "f.yaml:1:46: capture.interfaces[0].ifindex: `4294967296` is out of "
       "range; write auto or a number from 0 to 4294967295"},
      {"capture: {interfaces: [{name: eth1, ifindex: first}]}\n",
       "f.yaml:1:46: capture.interfaces[0].ifindex: `first` is not a whole "
       "number; write auto or a number from 0 to 4294967295"},
      {"export: {domain_id: 0}\n",
       "f.yaml:2:21: export.domain_id: `0` is out of range; write auto or a "
       "number from 1 to 4294967295"},
      {"export: {domain_id: Auto}\n",
       "f.yaml:2:21: export.domain_id: `Auto` is not a whole number; write "
       "auto or a number from 1 to 4294967295"},
      {"metrics: {top: 1001}\n",
       "f.yaml:2:16: metrics.top: `1001` is out of range; write a number from "
       "0 to 1000"},
      {"capture: {dpdk: {memory: 1k, ports: [{device: net_null0}]}}\n",
       "f.yaml:1:26: capture.dpdk.memory: `1k` is out of range; write a size "
       "from 16M to 1T"},
      {"capture: {dpdk: {memory: 1024MB, ports: [{device: net_null0}]}}\n",
       "f.yaml:1:26: capture.dpdk.memory: `1024MB` is not a size; write 64k, "
       "1M, 2G"},
      {"capture: {dpdk: {workers: [1, two], ports: [{device: net_null0}]}}\n",
       "f.yaml:1:31: capture.dpdk.workers: `two` is not a whole number; write "
       "a number from 0 to 1023"},
      {"capture: {dpdk: {workers: [1, 2, 1], ports: [{device: net_null0}]}}\n",
       "f.yaml:1:34: capture.dpdk.workers: 1 is in the list twice"},
      {"capture: {dpdk: {workers: [], ports: [{device: net_null0}]}}\n",
       "f.yaml:1:27: capture.dpdk.workers: is empty; at least one is needed"},
      {"capture: {dpdk: {workers: 1, ports: [{device: net_null0}]}}\n",
       "f.yaml:1:27: capture.dpdk.workers: `1` is not a list; write [\"1\"]"},
      {"capture: {dpdk: {ports: [{device: net_null0, queues: 0}]}}\n",
       "f.yaml:1:54: capture.dpdk.ports[0].queues: `0` is out of range; write "
       "a number from 1 to 64"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

TEST(Words, are_of_the_known_ones) {
  const Mistake mistakes[] = {
      {"capture: {driver: dpkd, interfaces: [{name: eth1}]}\n",
       "f.yaml:1:19: capture.driver: `dpkd` is not one of auto, dpdk, af_xdp, "
       "ebpf, pcap; did you mean `dpdk`?"},
      {"capture: {driver: netmap, interfaces: [{name: eth1}]}\n",
       "f.yaml:1:19: capture.driver: `netmap` is not one of auto, dpdk, "
       "af_xdp, ebpf, pcap"},
      {"capture: {interfaces: [{name: eth1}], promiscuous: yes}\n",
       "f.yaml:1:52: capture.promiscuous: `yes` is neither true nor false"},
      {"capture: {interfaces: [{name: eth1}], promiscuous: 1}\n",
       "f.yaml:1:52: capture.promiscuous: `1` is neither true nor false"},
      {"flows: {tunnel: inside}\n",
       "f.yaml:2:17: flows.tunnel: `inside` is not one of outer, inner"},
      {"log: {level: warn}\n",
       "f.yaml:2:14: log.level: `warn` is not one of trace, debug, info, "
       "warning, error, critical; did you mean `warning`?"},
      {"history: {week_starts: fryday}\n",
       "f.yaml:2:24: history.week_starts: `fryday` is not one of monday, tuesday, wednesday, "
       "thursday, friday, saturday, sunday; did you mean `friday`?"},
      {"history: {timezone: Mars/Olympus}\n",
       "f.yaml:2:21: history.timezone: this machine knows no time zone `Mars/Olympus`; write "
       "local, UTC or a name such as Europe/Prague (`timedatectl list-timezones`, package tzdata)"},
      {"export: {collectors: [{address: \"a:1\", version: ipfix}]}\n",
       "f.yaml:2:49: export.collectors[0].version: `ipfix` is not one of 1, 5, "
       "9, 10"},
      {"export: {collectors: [{address: \"a:1\", options: sampling}]}\n",
       "f.yaml:2:49: export.collectors[0].options: `sampling` is not a list; "
       "write [sampling]"},
      {"export: {collectors: [{address: \"a:1\", options: [samples]}]}\n",
       "f.yaml:2:50: export.collectors[0].options: `samples` is not one of "
       "sampling, interfaces, statistics, domain"},
      {"monitors: [{name: a, group_by: [src_hots]}]\n",
       "f.yaml:2:33: monitors[0].group_by: `src_hots` is not one of src_host, "
       "dst_host, host, src_net, dst_net, net, src_port, dst_port, port, "
       "protocol, vlan, mac, tos, ingress; did you mean `src_host`?"},
      {"monitors: [{name: a, group_by: [src_net]}]\n",
       "f.yaml:2:33: monitors[0].group_by: needs a prefix length; write "
       "src_net/24"},
      {"monitors: [{name: a, group_by: [src_net/129]}]\n",
       "f.yaml:2:33: monitors[0].group_by: `129` is out of range; write a "
       "number from 0 to 128"},
      {"monitors: [{name: a, group_by: [vlan/3]}]\n",
       "f.yaml:2:33: monitors[0].group_by: `vlan` takes no prefix length"},
      {"monitors: [{name: a, group_by: [net]}]\n",
       "f.yaml:2:33: monitors[0].group_by: needs a prefix length; write net/24"},
      {"monitors: [{name: a, local: [10.0.0.1/8]}]\n",
       "f.yaml:2:29: monitors[0].local: `10.0.0.1/8` has bits set behind its "
       "prefix; write 10.0.0.0/8"},
      {"monitors: [{name: a, local: [lan, 10.0.0.0/33]}]\n",
       "f.yaml:2:29: monitors[0].local: `lan` is no network; write 192.0.2.0/24 "
       "or 2001:db8::/32\n"
       "f.yaml:2:29: monitors[0].local: `10.0.0.0/33` has a prefix of more than "
       "32 bits"},
      {"monitors: [{name: a, quota: {octets: 3G, warn: 0}}]\n",
       "f.yaml:2:38: monitors[0].quota.octets: `3G` is no amount of traffic; "
       "write 3GB, 500MB, 1.5TB or 3GiB\n"
       "f.yaml:2:48: monitors[0].quota.warn: `0` is no share; write 1% to "
       "100%, for example 80%"},
      {"monitors: [{name: a, quota: {per: day}}]\n",
       "f.yaml:2:29: monitors[0].quota: has no octets; write for example quota: "
       "{octets: 3GB, per: month}"},
      {"flows: {key: ip}\nmonitors: [{name: a, filter: tcp}]\n",
       "f.yaml:2:14: flows.key: warning: monitors see of a flow what its key "
       "has: to filters and groups, protocol, ports or addresses that it "
       "leaves out are 0"},
      {"metrics: {top: 5}\nmonitors: [{name: a}]\n",
       "f.yaml:2:16: metrics.top: warning: shows the groups of monitors, and "
       "there is none with group_by; write for example monitors: [{name: "
       "hosts, group_by: [host]}]"},
      {"monitors: [{name: a, group_by: dst_host}]\n",
       "f.yaml:2:32: monitors[0].group_by: `dst_host` is not a list; write "
       "[dst_host]"},
  };
  for (const Mistake& mistake : mistakes) expect_messages(mistake);
}

}  // namespace
}  // namespace wiretally
