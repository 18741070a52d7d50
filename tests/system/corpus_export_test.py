#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures of the corpus through every version and two wide layouts to nfcapd, nfacctd and tshark:
sums per 5-tuple are those of the flow tables. WIRETALLY_CORPUS_STEP=1 takes every capture, else a
few."""
import collections
import csv
import os
import socket
import subprocess
import sys

import corpus
import harness
from harness import meter
from export_test import DefaultNfcapd, Nfacctd, Tcpdump

STEP = int(os.environ.get("WIRETALLY_CORPUS_STEP", "12"))
KINDS = {"v1": (1, {}), "v5": (5, {}), "v9": (9, {}), "ipfix": (10, {"options": []}),
         "v9-full": (9, {"layout": "full"}), "ipfix-l2": (10, {"layout": "l2", "options": []})}
NFCAPD, NFACCTD = 2055, 2056
WITH_PORTS = ("6", "17")  # what all collectors show alike; type and code of ICMP are held elsewhere


def key_of(src, dst, proto, sport, dport):
    ports = (int(sport), int(dport)) if str(proto) in WITH_PORTS else (0, 0)
    return (src, dst, int(proto), *ports)


def protocol(word):
    return int(word) if str(word).isdigit() else socket.getprotobyname(word)


def add(table, key, packets, octets):
    before = table.get(key, (0, 0))
    table[key] = (before[0] + int(packets), before[1] + int(octets))


class CorpusExport(harness.Case):
    limit_s = 1200

    def setUp(self):
        super().setUp()
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)
        self.within = self.inside()

    def export(self, name, version, more):
        """Reads the capture towards both collectors; its IP flows by 5-tuple."""
        entry = ", ".join([f"version: {version}", *(f"{k}: {v}" for k, v in more.items())])
        path = self.lab.path(f"{name}-{version}.yaml")
        with open(path, "w") as out:
            out.write("export:\n  collectors:\n" + "".join(
                f"    - {{address: \"127.0.0.1:{port}\", {entry}}}\n"
                for port in (NFCAPD, NFACCTD)))
        argv = self.within.command(meter.binary(), "read", corpus.capture(name), "--config", path,
                                   "--output", "csv")
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        table = {}
        for row in csv.DictReader(done.stdout.splitlines()):
            if row["src"] and (version > 5 or ":" not in row["src"]):
                add(table, key_of(row["src"], row["dst"], row["proto"], row["sport"],
                                  row["dport"]), row["packets"], row["octets"])
        return table

    def assert_same(self, got, want):
        different = [(key, got.get(key), want.get(key)) for key in got.keys() | want.keys()
                     if got.get(key) != want.get(key)]
        self.assertEqual(different[:4], [], f"{len(different)} of {len(want)} differ")

    def through(self, kind):
        """All captures into the same collectors, so that they see many exporters' starts."""
        version, more = KINDS[kind]
        nfcapd = DefaultNfcapd(self.lab, self.within, NFCAPD, "nfcapd-" + kind)
        nfacctd = Nfacctd(self.lab, self.within, NFACCTD, "nfacctd-" + kind)
        tcpdump = Tcpdump(self.lab, self.within, "tcpdump-" + kind)
        want = {}
        for row in corpus.index()[::STEP]:
            for key, (packets, octets) in self.export(row["file"], version, more).items():
                add(want, key, packets, octets)
        nfcapd.settle().stop()
        nfacctd.stop()
        tcpdump.stop()
        self.assertGreater(len(want), 10)
        with self.subTest("nfdump", kind=kind):
            got = {}
            for r in nfcapd.rows():
                if r.src:
                    add(got, key_of(*r[:5]), r.packets, r.octets)
            self.assert_same(got, want)
        with self.subTest("nfacctd", kind=kind):
            got = {}
            for r in nfacctd.rows():
                add(got, key_of(r["ip_src"], r["ip_dst"], protocol(r["ip_proto"]), r["port_src"],
                                r["port_dst"]), r["packets"], r["bytes"])
            self.assert_same(got, want if version != 1 else {})  # it reads 5 and newer
        with self.subTest("tshark", kind=kind):
            self.assertEqual(tcpdump.faults(), [])
            for port in (NFCAPD, NFACCTD):
                sums = collections.Counter()
                for record in tcpdump.records(port):
                    sums["packets"] += record[3]
                    sums["octets"] += record[4]
                self.assertEqual(sums["packets"], sum(p for p, _ in want.values()))
                self.assertEqual(sums["octets"], sum(o for _, o in want.values()))

    def test_netflow_1(self):
        self.through("v1")

    def test_netflow_5(self):
        self.through("v5")

    def test_netflow_9(self):
        self.through("v9")

    def test_ipfix(self):
        self.through("ipfix")

    def test_netflow_9_with_the_full_layout(self):
        self.through("v9-full")

    def test_ipfix_with_the_l2_layout(self):
        self.through("ipfix-l2")


if __name__ == "__main__":
    sys.exit(harness.main())
