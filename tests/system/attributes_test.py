#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attributes of flows (`read --fields`) over the Ethernet captures of the corpus, held against what
tshark says of each frame: ranges of TTL and ToS per pair of hosts, and MAC addresses, tags, labels
and flow labels as sets of what was there.
"""
import csv
import ipaddress
import os
import subprocess
import sys
import unittest

import corpus
import harness
from harness import meter

LIMIT_S = 120
FIELDS = ["frame.protocols", "ip.src", "ip.dst", "ip.ttl", "ip.dsfield", "ipv6.src", "ipv6.dst",
          "ipv6.hlim", "ipv6.tclass", "ipv6.flow", "eth.src", "eth.dst", "vlan.id", "vlan.priority",
          "ieee8021ad.id", "ieee8021ad.priority",
          "mpls.label", "ip.len", "ip.flags"]
OURS = ("src,dst,ip_version,packets,ttl_min,ttl_max,tos_or,flow_label,src_mac,dst_mac,vlan,"
        "vlan_priority,inner_vlan,inner_vlan_priority,mpls_labels,length_min,length_max,"
        "fragment_flags")


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def frames(path):
    """What tshark says of each frame: {field: [every occurrence]}."""
    argv = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
            "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "separator=/t",
            "-E", "aggregator=,"]
    for field in FIELDS:
        argv += ["-e", field]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=LIMIT_S, check=True)
    for line in done.stdout.splitlines():
        cells = line.split("\t")
        yield {field: [part for part in cell.split(",") if part]
               for field, cell in zip(FIELDS, cells + [""] * (len(FIELDS) - len(cells)))}


class Pair:
    """All that was seen from one host to another."""

    def __init__(self):
        self.packets = 0
        self.ttls, self.lengths, self.sets = [], [], {}
        self.tos = self.flags = 0

    def note(self, name, value):
        self.sets.setdefault(name, set()).add(value)


def told_by_tshark(path):
    """{(source, destination): Pair} by the outermost IP header."""
    pairs = {}
    for frame in frames(path):
        protocols = frame["frame.protocols"][0].split(":") if frame["frame.protocols"] else []
        outer = next((p for p in protocols if p in ("ip", "ipv6")), None)
        if outer is None or not frame[outer + ".src"] or not frame[outer + ".dst"]:
            continue
        source, target = frame[outer + ".src"][0], frame[outer + ".dst"][0]
        pair = pairs.setdefault((ipaddress.ip_address(source), ipaddress.ip_address(target)),
                                Pair())
        before = protocols[:protocols.index(outer)]
        pair.packets += 1
        pair.ttls.append(int(frame["ip.ttl" if outer == "ip" else "ipv6.hlim"][0]))
        pair.tos |= number(frame["ip.dsfield" if outer == "ip" else "ipv6.tclass"][0])
        if outer == "ip":
            pair.lengths.append(int(frame["ip.len"][0]))
            pair.flags |= number(frame["ip.flags"][0]) << 5 & 0x60
        else:
            pair.note("flow_label", number(frame["ipv6.flow"][0]))
        pair.note("src_mac", frame["eth.src"][0])
        pair.note("dst_mac", frame["eth.dst"][0])
        labels = frame["mpls.label"] if "mpls" in before else []
        names = [p for p in before if p in ("vlan", "ieee8021ad")]
        rest = {name: list(zip(frame[name + ".id"], frame[name + ".priority"]))
                for name in ("vlan", "ieee8021ad")}
        pair.note("tags", tuple(tuple(map(int, rest[name].pop(0))) for name in names)[:2])
        pair.note("labels", tuple(map(int, labels)))
    return pairs


def told_by_us(path):
    done = subprocess.run([meter.binary(), "read", path, "-q", "-o", "csv", "--fields", OURS],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    pairs = {}
    for row in csv.DictReader(done.stdout.splitlines()):
        if not row["src"]:
            continue
        pair = pairs.setdefault((ipaddress.ip_address(row["src"]),
                                 ipaddress.ip_address(row["dst"])), Pair())
        pair.packets += int(row["packets"])
        pair.ttls += [int(row["ttl_min"]), int(row["ttl_max"])]
        pair.tos |= int(row["tos_or"])
        if row["ip_version"] == "4":
            pair.lengths += [int(row["length_min"]), int(row["length_max"])]
            pair.flags |= int(row["fragment_flags"])
        else:
            pair.note("flow_label", int(row["flow_label"]))
        pair.note("src_mac", row["src_mac"])
        pair.note("dst_mac", row["dst_mac"])
        tags = [(int(row[i]), int(row[p])) for i, p in
                (("vlan", "vlan_priority"), ("inner_vlan", "inner_vlan_priority")) if row[p]]
        pair.note("tags", tuple(tags))
        pair.note("labels", tuple(int(label) for label in row["mpls_labels"].split("/") if label))
    return pairs


def differences(mine, theirs):
    """What of a pair is not as tshark has it. Attributes of the first packet are some packet's."""
    if mine.packets != theirs.packets:
        return []  # frames that one of the two does not take for IP: check.py's matter
    found = []
    for what, a, b in (("ttl", (min(mine.ttls), max(mine.ttls)),
                        (min(theirs.ttls), max(theirs.ttls))),
                       ("tos", mine.tos, theirs.tos), ("flags", mine.flags, theirs.flags)):
        if a != b:
            found.append(f"{what}: {a}, tshark {b}")
    if mine.lengths and min(theirs.lengths) > 0 and \
            (min(mine.lengths), max(mine.lengths)) != (min(theirs.lengths), max(theirs.lengths)):
        found.append(f"length: {min(mine.lengths)} to {max(mine.lengths)}, tshark "
                     f"{min(theirs.lengths)} to {max(theirs.lengths)}")
    for name, values in mine.sets.items():
        extra = values - theirs.sets.get(name, set())
        if extra:
            found.append(f"{name}: {extra} is in no frame")
    return found


class Attributes(harness.Case):
    @unittest.skipUnless(corpus.folder(), corpus.ABSENT)
    def test_equal_what_tshark_says_of_the_frames(self):
        captures = compared = 0
        found = []
        for row in corpus.index():
            if row["linktype"] != "EN10MB":
                continue
            captures += 1
            theirs = told_by_tshark(corpus.capture(row["file"]))
            for key, mine in told_by_us(corpus.capture(row["file"])).items():
                if key not in theirs:
                    continue
                compared += mine.packets == theirs[key].packets
                found += [f"{row['file']}: {key[0]} > {key[1]}: {text}"
                          for text in differences(mine, theirs[key])]
        print(f"  {compared} pairs of hosts in {captures} captures, {len(found)} differences")
        self.assertGreater(compared, 1000)
        self.assertEqual(found, [], "\n".join(found[:40]))


if __name__ == "__main__":
    sys.exit(harness.main())
