#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Monitors: what they count of a capture is what tcpdump counts, packet by packet, and what truth
says in octets; on a live link they agree with the meter itself, over reloads and a restart, in the
views, in Prometheus, in the history's reports and against a quota.
"""
import csv
import ipaddress
import json
import os
import re
import subprocess
import sys
import time

import corpus
import harness
from harness import account, collectors, meter

# Every Ethernet capture of the corpus with WIRETALLY_TEST_CAPTURES=all.
CAPTURES = ["gnutella.pcap", "sctp-communityid.pcap", "v4-frag-mix.pcap", "vlan-udp-one-flow.pcap",
            "igmp-wiki.pcap", "dns-udp-tcp-random.pcap"]
# Addresses inside ARP, which tcpdump compares too, are in no flow: hence `ip` and `ip6`.
FILTERS = [
    "", "ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "not ip", "ip or ip6",
    "port 53", "udp port 53", "tcp port 80", "tcp port 443", "not port 80", "src port 53",
    "dst port 53", "tcp src port 80", "tcp dst port 443", "port 80 or port 443", "portrange 1-1023",
    "src portrange 1024-65535", "udp portrange 5000-6000", "ip and net 10.0.0.0/8",
    "ip and net 192.168.0.0/16", "ip and src net 192.168.0.0/16", "ip and dst net 224.0.0.0/4",
    "ip and host 192.168.1.1", "ip and src host 10.0.0.1", "ip6 and net fe80::/10",
    "ip6 and dst net ff00::/8", "ip6 host ::1", "ip multicast", "ip6 multicast", "ip proto 47",
    "ip proto 50 or ip proto 51", "ip6 proto 58", "icmp[icmptype] = icmp-echo",
    "icmp[icmptype] = icmp-unreach and icmp[icmpcode] = 3", "icmp6[icmp6type] = 135", "vlan",
    "vlan and ip", "vlan and tcp port 80", "vlan 100", "vlan and vlan", "mpls", "mpls and ip",
    "pppoes", "pppoes and ip", "pppoed", "ether proto 0x88cc", "ether[12:2] > 1500", "stp",
    "ip[12:4] = ip[16:4]", "ip[9] = 17", "tcp and not (port 80 or port 443 or port 22)",
    "(udp or icmp) and not ip dst net 224.0.0.0/4", "ip and not (tcp or udp or icmp)",
    "ip[16] >= 224", "tcp[0:2] = 80 or tcp[2:2] = 80", "udp[0:2] = 53", "tcp[0:2] < tcp[2:2]",
    "ether proto 0x0806 or ip proto 1"]
REFUSED = ["tcp[tcpflags] & tcp-syn != 0", "ip[8] < 64", "greater 1000", "ether host 1:2:3:4:5:6",
           "tcp[20:4] = 0x47455420", "arp host 10.0.0.1"]
QUOTED = "{octets: 20KB, per: day, command: 'echo $WIRETALLY_MONITOR $WIRETALLY_STATE >> %s'}"


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)


def yaml_of(filters):
    return "monitors:\n" + "".join(f"  - {{name: m{i}, filter: {json.dumps(text)}}}\n"
                                   for i, text in enumerate(filters))


class Captures(harness.Case):
    limit_s = 900 if os.environ.get("WIRETALLY_TEST_CAPTURES") else 150

    def setUp(self):
        super().setUp()
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)

    def config(self, text):
        path = self.lab.path("monitors.yaml")
        with open(path, "w") as out:
            out.write("capture: {driver: pcap, files: [x]}\nhistory: {path: \"\"}\n" + text)
        return path

    def monitors(self, name, text):
        done = run(meter.binary(), "read", corpus.capture(name), "--config", self.config(text),
                   "--output", "monitors")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[0],
                         "monitor,group,packets,octets,l2_octets,flows")
        return list(csv.DictReader(done.stdout.splitlines()))

    @staticmethod
    def by_tcpdump(path, expression):
        # Not by lines: what is in a tunnel is printed on lines of its own.
        done = run("tcpdump", "--count", "-n", "-r", path, *([expression] if expression else []))
        return int(done.stdout.split()[0])

    def captures(self):
        if not os.environ.get("WIRETALLY_TEST_CAPTURES"):
            return CAPTURES
        return [row["file"] for row in corpus.index()
                if row["linktype"] == "EN10MB" and not row["file"].endswith(".gz")
                and row["ip_malformed"] == "0"]

    def test_packets_are_those_that_tcpdump_takes(self):
        self.assertGreaterEqual(len(FILTERS), 60)
        differ = []
        for name in self.captures():
            rows = self.monitors(name, yaml_of(FILTERS))
            self.assertEqual(len(rows), len(FILTERS))
            for expression, row in zip(FILTERS, rows):
                expected = self.by_tcpdump(corpus.capture(name), expression)
                if int(row["packets"]) != expected:
                    differ.append(f"{name}: {expression}: {row['packets']}, not {expected}")
        self.assertEqual(differ, [])

    @staticmethod
    def truth(name):
        with open(corpus.truth_path(name, ".flows.tsv")) as rows:
            return list(csv.DictReader(rows, delimiter="\t"))

    def test_octets_and_groups_are_those_of_truth(self):
        wanted = {"tcp": lambda row: row["proto"] == "6", "udp": lambda row: row["proto"] == "17",
                  "udp port 53": lambda row: row["proto"] == "17"
                  and "53" in (row["sport"], row["dport"]),
                  "ip or ip6": lambda row: True}
        text = yaml_of(wanted) + "  - {name: hosts, filter: ip or ip6, group_by: [dst_host]}\n"
        for name in ("gnutella.pcap", "dns-udp-tcp-random.pcap", "igmp-wiki.pcap"):
            rows = self.monitors(name, text)
            truth = self.truth(name)
            for row, takes in zip(rows, wanted.values()):
                taken = [t for t in truth if takes(t)]
                self.assertEqual((int(row["packets"]), int(row["octets"])),
                                 (sum(int(t["packets"]) for t in taken),
                                  sum(int(t["ip_bytes"]) for t in taken)), f"{name}: {row}")
            hosts = {}
            for t in truth:
                host = str(ipaddress.ip_address(t["dst"]))
                hosts[host] = hosts.get(host, 0) + int(t["ip_bytes"])
            groups = {row["group"]: int(row["octets"]) for row in rows if row["monitor"] == "hosts"}
            self.assertEqual(groups, hosts)

    def test_what_a_flow_cannot_answer_is_refused_with_the_place(self):
        for expression in REFUSED:
            path = self.config(yaml_of(["tcp", expression]))
            done = run(meter.binary(), "check", path)
            self.assertEqual(done.returncode, 2, expression)
            self.assertRegex(done.stderr, re.escape(path) + r":5:\d+: monitors\[1\]\.filter: ")


class Live(harness.Case):
    def start(self, monitors, more=""):
        self.database = self.lab.path("history.db")
        self.source, self.within, self.wire = self.link()
        self.meter = meter.Meter(self.lab, self.within, lambda socket: self.text(
            socket, monitors, more))
        self.meter.start()
        self.sent = 0

    def text(self, socket, monitors, more=""):
        config = meter.config_text(meter.capture_section("pcap", "m0"), [], socket)
        return (config.replace("metrics: {", "metrics: {" + more)
                + f"history: {{path: {self.database}, flush: 1s, timezone: UTC}}\n"
                + "monitors:\n" + "".join(f"  - {line}\n" for line in monitors))

    def reload(self, monitors, more=""):
        with open(self.meter.config_path, "w") as out:
            out.write(self.text(self.meter.socket, monitors, more))
        return self.meter.ask("reload")

    def send(self, count):
        sent = collectors.Sender(self.lab, self.source, "s0", rate=4000, count=count).wait(60)
        self.sent += sent["packets"]
        status = account.wait_quiet(self.meter, self.wire, {"packets": self.sent})
        time.sleep(1.1)  # the monitors are those of the same tick from the next one on
        return status

    def monitors(self, *names):
        return {m["name"]: m for m in self.meter.ask("monitors", *names, "-n", "0")["monitors"]}

    def metrics(self):
        script = ("import urllib.request; print(urllib.request.urlopen("
                  "'http://127.0.0.1:9108/metrics', timeout=10).read().decode())")
        done = run(*self.within.command(sys.executable, "-c", script))
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()
                    if line and not line.startswith("#"))

    def test_views_metrics_and_history_say_what_the_meter_says(self):
        self.start(["{name: all}", "{name: ip, group_by: [host]}",
                    "{name: v4, filter: ip, group_by: [dst_net/24, protocol]}"],
                   "top: 3, ")
        status = self.send(4000)
        seen = self.monitors()
        self.assertEqual(seen["all"]["total"]["packets"], account.metered(status))
        self.assertEqual(seen["all"]["total"]["octets"], account.metered(status, what="octets"))
        self.assertEqual(seen["all"]["flows"], status["flows"]["created"])
        parts = seen["v4"]["groups"] + [seen["v4"]["other"]]
        self.assertEqual(sum(g["total"]["octets"] for g in parts), seen["v4"]["total"]["octets"])
        hosts = seen["ip"]["groups"]
        for way in ("in", "out"):
            self.assertEqual(sum(g[way]["octets"] for g in hosts),
                             account.metered_ip(status, "octets"))
        self.assertEqual(seen["ip"]["other"]["total"]["packets"],
                         account.metered(status, ("none",)))
        metrics = self.metrics()
        self.assertEqual(int(metrics['wiretally_monitor_octets_total{monitor="all"}']),
                         seen["all"]["total"]["octets"])
        series = {name: int(value) for name, value in metrics.items()
                  if name.startswith('wiretally_monitor_group_octets_total{monitor="v4"')}
        self.assertLessEqual(len(series), 4)
        self.assertEqual(sum(series.values()), seen["v4"]["total"]["octets"])
        self.assertIn("monitor", self.meter.command("monitors").stdout)
        self.assertEqual(self.meter.command("monitors", "nobody").returncode, 1)
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0)
        self.check_reports(seen)

    def check_reports(self, seen):
        def report(*arguments):
            done = run(meter.binary(), "report", "--database", self.database, "--timezone", "UTC",
                       *arguments, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)["rows"]
        for level in ("--hourly", "--daily", "--monthly"):
            rows = report(level, "all")
            self.assertEqual(sum(row["total"]["octets"] for row in rows),
                             seen["all"]["total"]["octets"], level)
        done = run(meter.binary(), "report", "--database", self.database, "--timezone", "UTC",
                   "--daily", "all", "v4")
        self.assertIn("[total= ", done.stdout)
        self.assertIn("all, v4 overlap", done.stdout)
        done = run(meter.binary(), "report", "--database", self.database, "--timezone", "UTC",
                   "--daily", "all")
        self.assertRegex(done.stdout, r"^\d{4}-\d\d-\d\d: \[all= [\d.]+ MB\]")
        text = run(meter.binary(), "report", "--database", self.database, "--daily", "v4", "--by",
                   "group", "--groups", "0", "--csv").stdout
        grouped = [row for row in csv.DictReader(text.splitlines()) if row["group"]]
        self.assertEqual(sum(int(row["octets"]) for row in grouped if not row["direction"]),
                         seen["v4"]["total"]["octets"])

    def test_a_reload_keeps_what_it_does_not_change_while_traffic_goes_on(self):
        self.start(["{name: all}", "{name: udp, filter: udp, group_by: [src_host]}"])
        sender = collectors.Sender(self.lab, self.source, "s0", rate=3000, count=12_000)
        for turn in range(6):
            self.reload([f"{{name: turn{turn}, filter: tcp or port {turn + 1}}}", "{name: all}",
                         "{name: udp, filter: udp, group_by: [src_host]}"])
            time.sleep(0.3)
        self.sent += sender.wait(60)["packets"]
        status = account.wait_quiet(self.meter, self.wire, {"packets": self.sent})
        time.sleep(1.1)
        seen = self.monitors()
        self.assertEqual(sorted(seen), ["all", "turn5", "udp"])
        self.assertEqual(seen["all"]["total"]["octets"], account.metered(status, what="octets"))
        self.assertEqual(seen["all"]["flows"], status["flows"]["created"])
        parts = seen["udp"]["groups"] + [seen["udp"]["other"]]
        self.assertEqual(sum(g["total"]["packets"] for g in parts),
                         seen["udp"]["total"]["packets"])
        bad = run(meter.binary(), "check", self.meter.config_path)
        self.assertEqual(bad.returncode, 0, bad.stderr)
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0)

    def test_a_quota_is_told_once_and_known_after_a_restart(self):
        told = self.lab.path("told")
        monitors = [f"{{name: all, quota: {QUOTED % told}}}"]
        self.start(monitors)
        self.assertEqual(self.meter.command("monitors", "--check").returncode, 0)
        self.send(1000)
        over = self.meter.command("monitors", "--check")
        self.assertEqual(over.returncode, 1)
        self.assertIn("OVER", over.stdout)
        used = self.monitors()["all"]["quota"]
        self.assertEqual(used["state"], "over")
        self.assertGreaterEqual(used["expected_octets"], used["used_octets"])
        self.assertEqual(self.metrics()['wiretally_monitor_quota_state{monitor="all"}'], "2")
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0)
        self.meter.start()
        self.assertEqual(self.monitors()["all"]["quota"]["used_octets"], used["used_octets"])
        self.assertEqual(self.meter.command("monitors", "--check").returncode, 1)
        self.assertEqual(self.meter.stop(), 0)
        with open(told) as lines:
            states = lines.read().split()[1::2]
        self.assertEqual(states[-1], "over")
        self.assertEqual(len(states), len(set(states)))


if __name__ == "__main__":
    sys.exit(harness.main())
