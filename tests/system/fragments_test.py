#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""flows.fragment_ports: first, over the captures of the corpus that have fragments: the flows are
those that a table of first fragments, kept here from tshark's fields, makes of them.
"""
import collections
import csv
import ipaddress
import subprocess
import sys
import unittest

import corpus
import harness
from harness import meter

LIMIT_S = 120
FIELDS = ["frame.protocols", "ip.src", "ip.dst", "ip.proto", "ip.id", "ip.frag_offset",
          "ip.flags.mf", "ip.len", "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport",
          "sctp.srcport", "sctp.dstport", "icmp.type", "icmp.code", "frame.time_epoch"]
PORTS = {"6": ("tcp.srcport", "tcp.dstport"), "17": ("udp.srcport", "udp.dstport"),
         "132": ("sctp.srcport", "sctp.dstport")}
LIFETIME_S = 30


def frames(path):
    argv = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-T", "fields",
            "-E", "separator=/t", "-E", "occurrence=f", "-Y", "ip"]
    for field in FIELDS:
        argv += ["-e", field]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=LIMIT_S, check=True)
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        yield dict(zip(FIELDS, cells + [""] * (len(FIELDS) - len(cells))))


def is_set(text):
    return text in ("1", "True", "true")


def ports_of(frame):
    """What an unfragmented packet or a first fragment says itself; None: it is cut."""
    if frame["ip.proto"] == "1":
        if not frame["icmp.type"]:
            return None
        return 0, int(frame["icmp.type"]) * 256 + int(frame["icmp.code"] or 0)
    if frame["ip.proto"] not in PORTS:
        return 0, 0
    texts = [frame[name] for name in PORTS[frame["ip.proto"]]]
    return (int(texts[0]), int(texts[1])) if all(texts) else None


def joined_by_hand(path):
    """({5-tuple: [packets, octets]}, joined, without first)"""
    table = collections.defaultdict(lambda: [0, 0])
    firsts, joined, lost = {}, 0, 0
    for frame in frames(path):
        packet = tuple(frame[name] for name in ("ip.src", "ip.dst", "ip.proto", "ip.id"))
        time = float(frame["frame.time_epoch"])
        if int(frame["ip.frag_offset"] or 0) != 0:
            since, ports = firsts.get(packet, (0, None))
            alive = ports is not None and time - since <= LIFETIME_S
            joined, lost = joined + alive, lost + (not alive)
            ports = ports if alive else (0, 0)
        else:
            own = ports_of(frame)
            if is_set(frame["ip.flags.mf"]) and own is not None:
                firsts[packet] = (time, own)
            ports = own or (0, 0)
        row = table[packet[:3] + ports]
        row[0] += 1
        row[1] += int(frame["ip.len"])
    return table, joined, lost


def read(path, *options):
    done = subprocess.run([meter.binary(), "read", path, "-o", "csv", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    table = collections.defaultdict(lambda: [0, 0])
    for row in csv.DictReader(done.stdout.splitlines()):
        if row["src"] and ipaddress.ip_address(row["src"]).version == 4:
            key = (row["src"], row["dst"], row["proto"], int(row["sport"]), int(row["dport"]))
            table[key][0] += int(row["packets"])
            table[key][1] += int(row["octets"])
    return table, done.stderr


class Fragments(harness.Case):
    # IPv4 only, without tunnels, whose inner ports tshark would take for the packet's own.
    CAPTURES = ["v4-frag-mix.pcap", "v4-frag-afs.pcap", "v4-frag-garbage.pcap", "badpackets.pcap",
                "gnutella.pcap"]

    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_join_the_flow_of_their_first(self):
        all_joined = 0
        for name in self.CAPTURES:
            path = corpus.capture(name)
            wanted, joined, lost = joined_by_hand(path)
            got, told = read(path, "--set", "flows.fragment_ports=first")
            self.assertEqual(dict(got), dict(wanted), name)
            self.assertIn("The ledger balances", told)
            note = f"{lost} fragment_without_first"
            self.assertEqual(note in told, lost > 0, f"{name}: {note}\n{told}")
            print(f"  {name}: {joined} later fragments joined, {lost} had no first")
            all_joined += joined
        self.assertGreater(all_joined, 100)

    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_change_no_total(self):
        for row in corpus.index():
            sums = []
            for choice in ("none", "first"):
                for tunnel in ("outer", "inner"):
                    table, _ = read(corpus.capture(row["file"]), "--tunnel", tunnel, "--set",
                                    "flows.fragment_ports=" + choice)
                    sums.append((tunnel, sum(v[0] for v in table.values()),
                                 sum(v[1] for v in table.values())))
            self.assertEqual(sums[:2], sums[2:], row["file"])


if __name__ == "__main__":
    sys.exit(harness.main())
