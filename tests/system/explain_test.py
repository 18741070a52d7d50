#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`wiretally read --explain`: what it explains, packet by packet, sums up to what `read` counts."""
import csv
import re
import subprocess
import sys
import unittest

import corpus
import harness
from harness import meter

LIMIT_S = 120
COUNTS = re.compile(r"^  counts  (\d+) octets \(.*?\), (\d+) layer-2 octets", re.M)


def run(*arguments):
    return subprocess.run([meter.binary(), "read", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT_S)


def explained(path, *options):
    done = run(path, "--explain", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sums_of_csv(path, *options):
    done = run(path, "-q", "-o", "csv", *options)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    return [sum(int(row[name]) for row in rows) for name in ("packets", "octets", "l2_octets")]


class Explain(harness.Case):
    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_what_is_explained_sums_up_to_what_is_counted(self):
        packets = 0
        for row in corpus.index():
            if int(row["packets"]) > 20_000:
                continue
            for tunnel in ("outer", "inner"):
                path = corpus.capture(row["file"])
                counts = [(1, int(octets), int(l2)) for octets, l2 in
                          COUNTS.findall(explained(path, "--tunnel", tunnel))]
                mine = [sum(column) for column in zip(*counts)] or [0, 0, 0]
                self.assertEqual(mine, sums_of_csv(path, "--tunnel", tunnel),
                                 f"{row['file']} {tunnel}")
                packets += len(counts)
        print(f"  {packets} packets explained")
        self.assertGreater(packets, 100_000)

    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_a_window_and_a_filter_choose_packets(self):
        path = corpus.capture("v4-frag-mix.pcap")
        text = explained(path, "-n", "3", "--from", "10")
        self.assertEqual(re.findall(r"^packet (\d+) ", text, re.M), ["10", "11", "12"])
        text = explained(path, "--filter", "icmp")
        self.assertEqual(len(re.findall(r"^packet ", text, re.M)),
                         len(re.findall(r" icmp type \d+ code \d+, ", text)))
        self.assertEqual(run(path, "--explain", "-n", "1", "-o", "csv").returncode, 2)

    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_a_reader_who_has_seen_enough_ends_it_quietly(self):
        path = corpus.capture("whatsapp-day.pcap")
        done = subprocess.run(["sh", "-c", f"{meter.binary()} read {path} --explain | head -n 2"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.stderr, "")
        self.assertEqual(len(done.stdout.splitlines()), 2)


if __name__ == "__main__":
    sys.exit(harness.main())
