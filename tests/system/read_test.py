#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wiretally read` of captures: what three independent decoders make of its export, and that the
same capture gives the same records whichever way it comes in.
"""
import csv
import json
import os
import signal
import subprocess
import sys

import corpus
import harness
from harness import collectors, meter

# Only headers that the meter parses, so that truth is the whole story: many flows, IPv6 with
# extensions, fragments, VLAN tags, nanoseconds, gzip, time that runs backwards.
CAPTURES = ["dns-udp-tcp-random.pcap", "echo-connections.pcap.gz", "gnutella.pcap",
            "igmp-wiki.pcap", "snapped-ns.pcap", "synscan.pcap", "telegram-videocall-ns.pcapng",
            "v4-frag-mix.pcap", "v6-denial-ext.pcap", "v6-http-atomic-frag.pcap",
            "vlan-udp-one-flow.pcap", "sctp-communityid.pcap"]
LIMIT_S = 60


def read(*arguments, namespace=None):
    argv = [meter.binary(), "read", *arguments]
    return subprocess.run(namespace.command(*argv) if namespace else argv,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)


def sums(rows):
    """{5-tuple: [packets, octets]} of CSV rows with addresses."""
    table = {}
    for row in rows:
        if not row["src"]:
            continue
        key = (row["src"], row["dst"], int(row["proto"]), int(row["sport"]), int(row["dport"]))
        value = table.setdefault(key, [0, 0])
        value[0] += int(row["packets"])
        value[1] += int(row["octets"])
    return table


def all_sums(rows):
    """[packets, octets] of CSV rows with addresses: what collectors get."""
    table = sums(rows)
    return [sum(v[0] for v in table.values()), sum(v[1] for v in table.values())]


def quiet(path):
    """A condition: the file has something in it and did not grow since the last look."""
    before = [0]

    def same():
        size, last = os.path.getsize(path), before[0]
        before[0] = size
        return size == last and size > 24
    return same


class Corpus(harness.Case):
    limit_s = 400

    def setUp(self):
        super().setUp()
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)

    def export(self, name, within, collector):
        done = read(corpus.capture(name), "--collector", f"127.0.0.1:{collector.port}",
                    "--output", "csv", namespace=within)
        self.assertEqual(done.returncode, 0, done.stderr)
        return list(csv.DictReader(done.stdout.splitlines()))

    def test_nfcapd_gets_what_truth_says(self):
        within = self.inside()
        for number, name in enumerate(CAPTURES):
            with self.subTest(capture=name):
                nfcapd = collectors.Nfcapd(self.lab, within, 2055 + number, f"nfcapd-{number}")
                self.export(name, within, nfcapd)
                nfcapd.settle().stop()
                self.assertEqual(nfcapd.sequence_failures(), 0)
                path = self.lab.path(f"{number}.json")
                with open(path, "w") as out:
                    out.write(nfcapd.nfdump("-o", "json"))
                equal, text = corpus.compare(name, path, "--check-flags", "--check-times", "1")
                self.assertTrue(equal, text)

    def test_nfacctd_gets_the_same_sums(self):
        within = self.inside()
        for number, name in enumerate(CAPTURES):
            with self.subTest(capture=name):
                nfacctd = collectors.Nfacctd(self.lab, within, 2155 + number, f"nfacctd-{number}")
                rows = self.export(name, within, nfacctd)
                nfacctd.stop()
                got = nfacctd.totals()
                self.assertEqual([got["packets"], got["octets"]], all_sums(rows))

    def test_every_layout_reaches_nfdump_and_nfacctd_whole(self):
        """5-tuples in nfdump, sums in nfacctd; the address that stands twice is the key's there."""
        within = self.inside()
        name = "dns-udp-tcp-random.pcap"
        truth = None
        for number, (layout, version) in enumerate(
                (layout, version) for layout in ("basic", "l2", "full", "tunnel")
                for version in (9, 10)):
            with self.subTest(layout=layout, version=version):
                nfcapd = collectors.Nfcapd(self.lab, within, 2455 + number, f"layout-{number}")
                nfacctd = collectors.Nfacctd(self.lab, within, 2555 + number, f"account-{number}")
                path = self.lab.path(f"layout-{number}.yaml")
                entries = "".join(f"    - {{address: \"127.0.0.1:{each.port}\", layout: {layout}, "
                                  f"version: {version}, options: []}}\n"
                                  for each in (nfcapd, nfacctd))
                with open(path, "w") as out:
                    out.write("capture: {files: [none.pcap]}\nexport:\n  collectors:\n" + entries)
                done = read(corpus.capture(name), "--config", path, "--output", "csv",
                            namespace=within)
                self.assertEqual(done.returncode, 0, done.stderr)
                rows = list(csv.DictReader(done.stdout.splitlines()))
                nfcapd.settle().stop()
                nfacctd.stop()
                self.assertEqual(nfcapd.sequence_failures(), 0)
                self.assertEqual(self.nfdump_sums(nfcapd), sums(rows))
                self.assertEqual([nfacctd.totals()[what] for what in ("packets", "octets")],
                                 all_sums(rows))
                truth = truth or sums(rows)
                self.assertEqual(sums(rows), truth)

    def test_balance_shares_the_flows_and_keeps_both_directions_together(self):
        within = self.inside()
        for version in (5, 9, 10):
            with self.subTest(version=version):
                ports = range(2655 + 3 * version, 2658 + 3 * version)
                nfcapds = [collectors.Nfcapd(self.lab, within, port, f"nfcapd-{port}")
                           for port in ports]
                path = self.lab.path(f"balance-{version}.yaml")
                with open(path, "w") as out:
                    more = f"version: {version}, options: []"
                    out.write("export:\n  mode: balance\n  collectors:\n" + "".join(
                        f"    - {{address: \"127.0.0.1:{port}\", {more}}}\n" for port in ports))
                done = read(corpus.capture("dns-udp-tcp-random.pcap"), "--config", path,
                            "--output", "csv", namespace=within)
                self.assertEqual(done.returncode, 0, done.stderr)
                rows = [row for row in csv.DictReader(done.stdout.splitlines())
                        if version > 5 or ":" not in row["src"]]
                got, homes = [0, 0], {}
                for number, nfcapd in enumerate(nfcapds):
                    for record in nfcapd.settle().stop().records():
                        ends = sorted([(record["sa"], record["sp"]), (record["da"], record["dp"])])
                        homes.setdefault((*ends, record["pr"]), set()).add(number)
                        got = [got[0] + int(record["ipkt"]), got[1] + int(record["ibyt"])]
                self.assertEqual(got, all_sums(rows))
                self.assertEqual([each for each in homes.values() if len(each) > 1], [])
                for number in range(3):  # a third each, by chance
                    share = sum(number in each for each in homes.values()) / len(homes)
                    self.assertAlmostEqual(share, 1 / 3, delta=0.06)

    def test_tshark_finds_nothing_malformed(self):
        within = self.inside()
        for number, name in enumerate(CAPTURES):
            with self.subTest(capture=name):
                nfcapd = collectors.Nfcapd(self.lab, within, 2255 + number, f"sink-{number}")
                export = self.lab.path(f"{number}.pcap")
                sniffer = self.lab.start(f"tcpdump-{number}", within.command(
                    "tcpdump", "-i", "lo", "-U", "--immediate-mode", "-B", "65536", "-Z", "root",
                    "-w", export, "udp", "port", str(nfcapd.port)))
                sniffer.wait_until(lambda: "listening on" in sniffer.log(), 10, "not listening")
                rows = self.export(name, within, nfcapd)
                nfcapd.settle()
                harness.resources.wait_for(quiet(export), 20, "tcpdump's file to stop growing", 0.5)
                sniffer.stop(10, signal.SIGINT)
                self.assertEqual(self.dissect(export, nfcapd.port), all_sums(rows))

    def dissect(self, export, port):
        """[packets, octets] that tshark sums up; fails on anything it complains about."""
        def tshark(*arguments):
            done = subprocess.run(["tshark", "-r", export, "-d", f"udp.port=={port},cflow",
                                   *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=LIMIT_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.split()
        # Severity: 0x600000 is a warning; a set without a template is one.
        complaint = "_ws.malformed || _ws.expert.severity >= 0x600000"
        self.assertEqual(tshark("-Y", complaint, "-T", "fields", "-e", "frame.number"), [])
        totals = []
        for field in ("cflow.packets", "cflow.octets"):
            values = tshark("-2", "-T", "fields", "-e", field)
            totals.append(sum(int(v) for line in values for v in line.split(",")))
        return totals

    def test_reading_twice_gives_the_same_octets(self):
        for name in CAPTURES:
            with self.subTest(capture=name):
                first, second = (read(corpus.capture(name), "--output", "csv") for _ in range(2))
                self.assertEqual(first.returncode, 0, first.stderr)
                self.assertGreater(len(first.stdout.splitlines()), 1)
                self.assertEqual(first.stdout, second.stdout)

    def test_dpdk_and_pcap_meter_the_same_flows(self):
        """net_pcap hands the file's frames to the dpdk driver; nfcapd sums what it exports."""
        within = self.inside()
        for number, name in enumerate(["dns-udp-tcp-random.pcap", "gnutella.pcap",
                                       "v4-frag-mix.pcap"]):
            with self.subTest(capture=name):
                self.hold_dpdk_against_pcap(within, name, number)

    def hold_dpdk_against_pcap(self, within, name, number):
        nfcapd = collectors.Nfcapd(self.lab, within, 2355 + number, f"dpdk-{number}")
        capture = f"""\
capture:
  driver: dpdk
  dpdk:
    {meter.dpdk_memory().replace(', ', chr(10) + '    ')}
    workers: [{meter.worker_core()}]
    ports: [{{device: "net_pcap0,rx_pcap={corpus.capture(name)}", name: file, ifindex: 1}}]
"""
        running = meter.Meter(self.lab, within, lambda socket: meter.config_text(
            capture, [f"127.0.0.1:{nfcapd.port}"], socket, f"127.0.0.1:{9200 + number}"),
            f"meter-{number}").start()
        frames = corpus.totals(name)["packets"]
        harness.resources.wait_for(
            lambda: harness.account.received(running.ask("status")) >= frames, 20,
            f"{frames} frames from net_pcap")
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0, running.process.log(20))
        nfcapd.settle().stop()
        done = read(corpus.capture(name), "--output", "csv")
        expected = sums(csv.DictReader(done.stdout.splitlines()))
        self.assertEqual(self.nfdump_sums(nfcapd), expected)

    def nfdump_sums(self, nfcapd):
        """Sums per 5-tuple; nfdump's CSV lacks ICMPv6's type, its JSON has it."""
        rows = []
        for row in json.loads(nfcapd.nfdump("-o", "json")):
            icmp = 256 * row.get("icmp_type", 0) + row.get("icmp_code", 0)
            rows.append({"src": row.get("src4_addr") or row["src6_addr"],
                         "dst": row.get("dst4_addr") or row["dst6_addr"], "proto": row["proto"],
                         "sport": row.get("src_port", 0), "dport": row.get("dst_port", icmp),
                         "packets": row["in_packets"], "octets": row["in_bytes"]})
        return sums(rows)


class Own(harness.Case):
    """Without the corpus: a capture whose truth the sender wrote down."""

    def test_a_made_capture_is_counted_to_the_octet(self):
        path = self.lab.path("made.pcap")
        told = subprocess.run([sys.executable, os.path.join(harness.ROOT, "deploy/lab/traffic.py"),
                               "--write", path, "--count", "40000"], stdout=subprocess.PIPE,
                              check=True, text=True)
        truth = json.loads(told.stdout)
        done = read(path, "--output", "csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        for name, ethertype in (("ipv4", 0x0800), ("ipv6", 0x86DD)):
            mine = [row for row in rows if int(row["ethertype"], 16) == ethertype]
            for what in ("packets", "octets", "l2_octets"):
                self.assertEqual(sum(int(row[what]) for row in mine), truth[name][what],
                                 f"{what} of {name}")
        others = [row for row in rows if not row["src"]]
        self.assertEqual(sum(int(row["packets"]) for row in others), truth["non_ip"]["packets"])


if __name__ == "__main__":
    sys.exit(harness.main())
