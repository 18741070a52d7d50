#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random records through the real collector links to nfcapd, nfacctd and tshark: all three decode
every record of every version, none misses a sequence number, nothing is malformed.

The records come from tests/control/export/export_sender, which also writes the truth.
"""
import collections
import json
import os
import re
import subprocess
import sys
import threading

import harness
from harness import collectors, resources

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "runner"))
from build import Build  # noqa: E402

RECORDS = 6000
SEED = os.environ.get("WIRETALLY_SEED", "20211122")
NFCAPD, NFACCTD = 2055, 2056
DOMAIN = 0x11223344

Truth = collections.namedtuple(
    "Truth", "src dst proto sport dport packets octets first last flags tos vlan ifindex reason")


def read_truth(path):
    rows = []
    with open(path) as table:
        for line in table:
            words = line.rstrip("\n").split("\t")
            rows.append(Truth(*words[:2], *map(int, words[2:])))
    return rows


class DefaultNfcapd(collectors.Nfcapd):
    """nfcapd as it comes: with the kernel's default receive buffer."""

    def __init__(self, lab, namespace, port, name="nfcapd"):
        self.folder = lab.make_folder(name)
        self.port = port
        argv = ["nfcapd", "-w", self.folder, "-p", str(port), "-b", "127.0.0.1", "-t", "3600",
                "-I", "lab"]
        self.process = lab.start(name, namespace.command(*argv))
        self.process.wait_until(lambda: collectors.listens(self.process, port, "udp"), 10,
                                "no socket")

    def rows(self):
        """nfdump's JSON as Truth, what it does not know as None."""
        return [self._row(each) for each in json.loads(self.nfdump("-o", "json", "-6"))]

    def exporters(self):
        """What nfdump -E says of each exporter: sequence failures, flows, sampling."""
        return subprocess.run(["nfdump", "-E", self.files()[-1]], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=True).stdout

    @staticmethod
    def _row(r):
        dport = r.get("dst_port", 0)
        if "icmp_type" in r:
            dport = r["icmp_type"] * 256 + r["icmp_code"]
        flags = sum(1 << bit for bit, letter in enumerate("FSRPAUEC")
                    if letter in r.get("tcp_flags", ""))
        return Truth(r.get("src4_addr") or r.get("src6_addr"),
                     r.get("dst4_addr") or r.get("dst6_addr"), r["proto"], r.get("src_port", 0),
                     dport, r["in_packets"], r["in_bytes"], milliseconds(r["first"]),
                     milliseconds(r["last"]), flags, r.get("src_tos", 0), r.get("src_vlan", 0),
                     r.get("input_snmp", 0), None)


def milliseconds(text):
    import calendar
    import time
    whole, part = text.split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(part[:3])


class Tcpdump:
    """Every datagram to the ports, in a file that tshark reads."""

    def __init__(self, lab, namespace, name="tcpdump"):
        self.path = lab.path(name + ".pcap")
        self.process = lab.start(name, namespace.command(
            "tcpdump", "-i", "lo", "-B", "32768", "-s", "0", "-U", "-Z", "root", "-w", self.path,
            "udp", "and", "dst", "portrange", f"{NFCAPD}-{NFACCTD}"))
        self.process.wait_until(lambda: "listening on" in self.process.log(), 10, "not listening")

    def stop(self):
        self.process.stop(10, 2)
        return self

    def tshark(self, *arguments):
        decode = [word for port in (NFCAPD, NFACCTD) for word in ("-d", f"udp.port=={port},cflow")]
        done = subprocess.run(["tshark", "-n", "-r", self.path, *decode, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=300)
        if done.returncode != 0:
            raise resources.LabError("tshark: " + done.stderr)
        return done.stdout

    def records(self, port):
        """(protocol, source port, destination port, packets, octets) of each record."""
        fields = ["cflow.protocol", "cflow.srcport", "cflow.dstport", "cflow.packets",
                  "cflow.octets"]
        text = self.tshark("-Y", f"udp.dstport=={port}", "-T", "fields", "-E", "occurrence=a",
                           "-E", "aggregator=;", *[w for f in fields for w in ("-e", f)])
        records = []
        for line in text.splitlines():
            columns = [[int(n, 0) for n in column.split(";") if n] for column in line.split("\t")]
            if len({len(column) for column in columns}) != 1:
                raise AssertionError("tshark: fields of a message do not pair up: " + line)
            records += zip(*columns)
        return records

    def addresses(self, port):
        fields = ["cflow.srcaddr", "cflow.srcaddrv6", "cflow.dstaddr", "cflow.dstaddrv6"]
        text = self.tshark("-Y", f"udp.dstport=={port}", "-T", "fields", "-E", "occurrence=a",
                           "-E", "aggregator=;", *[w for f in fields for w in ("-e", f)])
        return collections.Counter(a for a in re.split(r"[;\t\n]", text) if a)

    def faults(self):
        """Lines of tshark's expert about the export protocol, and malformed packets."""
        text = self.tshark("-q", "-z", "expert,note")
        return [line for line in text.splitlines() if re.match(r"\s+\d+\s", line)
                and "Checksum" not in line]


class Nfacctd(collectors.Nfacctd):
    CONFIG = collectors.Nfacctd.CONFIG.replace(
        "src_host, dst_host, src_port, dst_port, proto",
        "src_host, dst_host, src_port, dst_port, proto, tos, tcpflags, vlan, in_iface, "
        "timestamp_start, timestamp_end, sampling_rate") + "timestamps_since_epoch: true\n" \
        "print_cache_entries[p]: 99991\n"

    def truth_rows(self):
        return [Truth(r["ip_src"], r["ip_dst"], protocol(r["ip_proto"]), r["port_src"],
                      r["port_dst"], r["packets"], r["bytes"],
                      round(float(r["timestamp_start"]) * 1000),
                      round(float(r["timestamp_end"]) * 1000), int(r["tcp_flags"]), r["tos"],
                      r["vlan"], r["iface_in"], None) for r in self.rows()]


def protocol(word):
    names = {"tcp": 6, "udp": 17, "icmp": 1, "ipv6-icmp": 58, "gre": 47, "sctp": 132}
    return int(word) if str(word).isdigit() else names[word]


class Export(harness.Case):
    limit_s = 300

    def setUp(self):
        super().setUp()
        build = Build(os.environ.get("WIRETALLY_BUILD", "build")).setup()
        build.compile(["tests/control/export/export_sender"])
        self.sender = os.path.join(build.folder, "tests", "control", "export", "export_sender")
        self.within = self.inside()

    def send(self, version, ports, records=RECORDS, rate=200000, options="on", non_ip="off",
             seconds=0.0, sender="sender"):
        truth = self.lab.path(sender + ".tsv")
        argv = [self.sender, str(version), str(records), SEED, truth, str(rate), options, non_ip,
                str(seconds), *[f"127.0.0.1:{port}" for port in ports]]
        process = self.lab.start(sender, self.within.command(*argv))
        self.assertEqual(process.wait(200), 0, process.log(20))
        return read_truth(truth)

    def assert_same_rows(self, got, want):
        """As multisets, with the first few differences."""
        got, want = collections.Counter(got), collections.Counter(want)
        missing, extra = want - got, got - want
        if missing or extra:
            self.fail(f"{sum(missing.values())} missing, {sum(extra.values())} extra\n"
                      f"missing {list(missing)[:3]}\nextra   {list(extra)[:3]}")

    def assert_same_sums(self, got, want):
        self.assert_same_rows([(*k, *v) for k, v in sums(got).items()],
                              [(*k, *v) for k, v in sums(want).items()])

    def check_all(self, version, options):
        nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD)
        nfacctd = Nfacctd(self.lab, self.within, NFACCTD)
        tcpdump = Tcpdump(self.lab, self.within)
        truth = self.send(version, [NFCAPD, NFACCTD], options=options, seconds=5)
        nfcapd.settle().stop()
        nfacctd.stop()
        tcpdump.stop()
        with self.subTest("nfdump"):
            self.check_nfdump(nfcapd, truth, version)
        with self.subTest("nfacctd"):
            self.check_nfacctd(nfacctd, truth, version)
        with self.subTest("tshark"):
            self.check_tshark(tcpdump, truth, version)

    def check_nfdump(self, nfcapd, truth, version):
        self.assertEqual(nfcapd.sequence_failures(), 0)
        rows = nfcapd.rows()
        if version == 5:
            return self.assert_same_sums(rows, truth)
        self.assert_same_rows([r._replace(reason=None) for r in rows],
                              [t._replace(reason=None) for t in truth])

    def check_nfacctd(self, nfacctd, truth, version):
        self.assertNotRegex(nfacctd.process.log(), r"(?i)expecting flow|discard|unknown|WARN.*seq")
        rows = nfacctd.truth_rows()
        if version == 5:  # where it reads ports of TCP and UDP only
            truth = [t._replace(sport=0, dport=0) if t.proto == 132 else t for t in truth]
            return self.assert_same_sums(rows, truth)
        self.assert_same_rows([r._replace(reason=None) for r in rows],
                              [t._replace(reason=None) for t in truth])

    def check_tshark(self, tcpdump, truth, version):
        self.assertEqual(tcpdump.faults(), [])
        for port in (NFCAPD, NFACCTD):
            records = tcpdump.records(port)
            if version == 5:
                self.assertEqual(sum(r[3] for r in records), sum(t.packets for t in truth))
                self.assertEqual(sum(r[4] for r in records), sum(t.octets for t in truth))
                continue
            self.assert_same_rows(records, [(t.proto, t.sport, t.dport, t.packets, t.octets)
                                            for t in truth])
            want = collections.Counter(a for t in truth for a in (t.src, t.dst))
            self.assertEqual(tcpdump.addresses(port), want)

    def test_v9_is_decoded_alike_by_all_three(self):
        self.check_all(9, "on")

    def test_ipfix_is_decoded_alike_by_all_three(self):
        # nfcapd 1.7.1 does not count Options records (RFC 7011 does) and would report a gap.
        self.check_all(10, "off")

    def test_v5_is_decoded_alike_by_all_three(self):
        self.check_all(5, "on")

    def test_ipfix_with_options_is_sound_for_tshark_and_nfacctd(self):
        nfacctd = Nfacctd(self.lab, self.within, NFACCTD)
        tcpdump = Tcpdump(self.lab, self.within)
        truth = self.send(10, [NFACCTD], seconds=5)
        nfacctd.stop()
        tcpdump.stop()
        self.check_nfacctd(nfacctd, truth, 10)
        self.assertEqual(tcpdump.faults(), [])

    def test_records_without_ip_disturb_no_collector_that_asked_for_them(self):
        for version in (9, 10):
            with self.subTest(version=version):
                nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD, f"nfcapd-{version}")
                nfacctd = Nfacctd(self.lab, self.within, NFACCTD, f"nfacctd-{version}")
                tcpdump = Tcpdump(self.lab, self.within, f"tcpdump-{version}")
                truth = self.send(version, [NFCAPD, NFACCTD], records=3000, options="off",
                                  non_ip="on", sender=f"sender-{version}")
                nfcapd.settle().stop()
                nfacctd.stop()
                tcpdump.stop()
                self.assertGreater(sum(not t.src for t in truth), 20)
                self.assertEqual(tcpdump.faults(), [])
                self.assertEqual(nfcapd.sequence_failures(), 0)
                self.assertIn(f"flows: {len(truth)}\n", nfcapd.exporters())
                of_ip = [t for t in truth if t.src]
                self.assert_same_sums([r for r in nfcapd.rows() if r.src != "0.0.0.0"], of_ip)
                self.assert_same_sums([r for r in nfacctd.truth_rows() if r.src != ""], of_ip)

    def test_sampling_of_one_is_announced_and_scales_nothing(self):
        for version in (9, 10):
            with self.subTest(version=version):
                nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD, f"nfcapd-{version}")
                truth = self.send(version, [NFCAPD], records=1000, sender=f"sender-{version}")
                nfcapd.settle().stop()
                self.assert_same_sums(nfcapd.rows(), truth)
                self.assertIn("packet interval: 1,", nfcapd.exporters())

    def test_a_flood_of_records_costs_a_default_nfcapd_nothing(self):
        nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD)
        truth = self.send(9, [NFCAPD], records=200000)
        nfcapd.settle().stop()
        self.assertEqual(nfcapd.sequence_failures(), 0)
        self.assertIn(f"flows: {len(truth)}\n", nfcapd.exporters())

    def check_small_mtu(self, when_s):
        tcpdump = Tcpdump(self.lab, self.within)
        nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD)
        shrink = threading.Timer(when_s, lambda: self.within.run(
            "ip", "link", "set", "lo", "mtu", "1280"))
        shrink.start()
        shrink.join(1 if when_s == 0 else 0)
        truth = self.send(9, [NFCAPD], seconds=0 if when_s == 0 else 2 * when_s)
        shrink.join()
        nfcapd.settle().stop()
        tcpdump.stop()
        self.assertEqual(nfcapd.sequence_failures(), 0)
        self.assert_same_sums(nfcapd.rows(), truth)
        self.assertEqual(tcpdump.tshark("-Y", "ip.flags.mf==1 || ip.frag_offset>0"), "")
        return [int(n) for n in tcpdump.tshark("-T", "fields", "-e", "ip.len").split()]

    def test_a_small_path_mtu_brings_no_fragments(self):
        self.assertLessEqual(max(self.check_small_mtu(0)), 1280)

    def test_a_path_mtu_that_shrinks_costs_nothing(self):
        sizes = self.check_small_mtu(2)
        self.assertGreater(max(sizes), 1280)
        self.assertLessEqual(max(sizes[-20:]), 1280)


def sums(rows):
    table = {}
    for row in rows:
        if not row.src:
            continue
        value = table.setdefault((row.src, row.dst, row.proto, row.sport, row.dport), [0, 0])
        value[0] += row.packets
        value[1] += row.octets
    return table


if __name__ == "__main__":
    sys.exit(harness.main())
