#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One truth, several drivers: the corpus' Ethernet captures, replayed over a link, and read.

Every capture is first made into what can be sent: its frames as they are in the file, with that
length. `wiretally read` of that is the truth. All of them are replayed into one run of each driver;
a capture is identical if each of its flows has the same packets, octets, layer-2 octets and TCP
flags, and times within its replay. To add a driver, add a line to DRIVERS.
"""
import collections
import csv
import io
import socket
import struct
import subprocess
import sys
import time

import corpus
import harness
from harness import account, meter, namespace, resources

RATE = 15000
EPSILON_NS = 200_000_000  # between the sender's clock and the kernel's, with both CPUs busy
FRAME_MIN, FRAME_MAX = 14, 65535
# driver, device of DPDK, largest frame it takes whole
DRIVERS = {
    "pcap": ("pcap", "", FRAME_MAX),
    "ebpf": ("ebpf", "", FRAME_MAX),
    "dpdk": ("dpdk", "net_af_packet0,iface=m0,framecnt=4096", 1900),
}
ETHERNET = 1
PCAP_NS = 0xa1b23c4d

Truth = collections.namedtuple("Truth", "name frames flows")


def records(path):
    """(link type, [frame]) of a classic pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    magic, *_, link = struct.unpack("<IHHiIII", data[:24])
    if magic != PCAP_NS:
        raise resources.LabError(f"{path}: editcap wrote something else than asked for")
    frames, at = [], 24
    while at + 16 <= len(data):
        captured = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + captured])
        at += 16 + captured
    return link, frames


def write_capture(path, frames):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", PCAP_NS, 2, 4, 0, 0, 262144, ETHERNET))
        for number, frame in enumerate(frames):
            out.write(struct.pack("<IIII", 1_700_000_000, 1000 * (number % 1_000_000), len(frame),
                                  len(frame)) + frame)


def key_of(row):
    """The VLAN is no part of a flow's identity: captures in several of them meet in one flow."""
    return (row["src"], row["dst"], int(row["proto"]), int(row["sport"]), int(row["dport"]),
            row["ethertype"].lower())


class Sums:
    """packets, octets, layer-2 octets, TCP flags of each flow."""

    def __init__(self):
        self.of = {}

    def add(self, row):
        counts = self.of.setdefault(key_of(row), [0, 0, 0, 0])
        for place, name in enumerate(("packets", "octets", "l2_octets")):
            counts[place] += int(row[name])
        counts[3] |= int(row["tcp_flags"])

    def add_sums(self, other):
        for key, counts in other.of.items():
            mine = self.of.setdefault(key, [0, 0, 0, 0])
            for place in range(3):
                mine[place] += counts[place]
            mine[3] |= counts[3]


def replay(interface, frames, rate):
    """Sends at most `rate` a second. (first, last) time in ns."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        sock.bind((interface, 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        began = time.monotonic()
        first = time.time_ns()
        for number, frame in enumerate(frames):
            if number % 32 == 0:
                ahead = began + number / rate - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
            sock.send(frame)
        return first, time.time_ns()
    finally:
        sock.close()


class OneTruth(harness.Case):
    limit_s = 900

    def sendable(self, frame_max):
        """What can be sent of every capture, and its truth; why others were left out."""
        truths, left_out = [], {}
        for row in corpus.index():
            copy = self.lab.path("copy.pcap")
            done = subprocess.run(["editcap", "-F", "nsecpcap", corpus.capture(row["file"]), copy],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                left_out[row["file"]] = "several link types"
                continue
            link, frames = records(copy)
            if link != ETHERNET:
                left_out[row["file"]] = "not Ethernet"
                continue
            if any(not FRAME_MIN <= len(frame) <= frame_max for frame in frames):
                frames = [f for f in frames if FRAME_MIN <= len(f) <= frame_max]
                left_out[row["file"] + " (partly)"] = "frames that cannot be sent or taken whole"
            write_capture(copy, frames)
            truths.append(Truth(row["file"], frames, self.read(copy)))
        return truths, left_out

    def read(self, path):
        done = subprocess.run([meter.binary(), "read", path, "--output", "csv"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, f"{path}: {done.stderr}")
        sums = Sums()
        for row in csv.DictReader(io.StringIO(done.stdout)):
            sums.add(row)
        return sums

    def capture_section(self, driver, device):
        if driver != "dpdk":
            return meter.capture_section(driver, "m0")
        text = meter.capture_section("dpdk", "m0")
        return text.replace(meter.DPDK_DEVICES["net_af_packet"].format(interface="m0"), device)

    def start(self, driver, device):
        self.source, self.within, self.wire = self.link()
        for end, inside in self.wire.ends.items():
            inside.run("ip", "link", "set", end, "mtu", "65535")
        # Every flow stays in the cache until it has been looked at.
        more = "flows:\n  timeouts: {" + ", ".join(f"{name}: 2h" for name in (
            "active", "idle", "tcp", "tcp_fin", "tcp_rst", "udp", "icmp")) + "}\n"
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            self.capture_section(driver, device), [], path, "", more)).start()

    def compare(self, name):
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)
        driver, device, frame_max = DRIVERS[name]
        truths, left_out = self.sendable(frame_max)
        self.start(driver, device)
        windows, total = {}, Sums()
        for truth in truths:
            window = self.source.call(replay, "s0", truth.frames, RATE)
            total.add_sums(truth.flows)
            for key in truth.flows.of:  # a flow may be in several captures
                before = windows.get(key, window)
                windows[key] = (min(before[0], window[0]), max(before[1], window[1]))
        frames = sum(len(truth.frames) for truth in truths)
        status = account.wait_quiet(self.meter, self.wire, {"packets": frames}, 15)
        self.assert_balanced(self.meter)
        got, late = self.metered(windows)
        self.report(name, truths, left_out, total, got, late, status, frames)

    def metered(self, windows):
        got, late = Sums(), set()
        for row in self.meter.ask("flows", "-n", "0")["flows"]:
            got.add(row)
            low, high = windows.get(key_of(row), (0, 0))
            first, last = row["first_ns"], row["last_ns"]
            if not low - EPSILON_NS <= first <= last <= high + EPSILON_NS:
                late.add(key_of(row))
        return got, late

    def report(self, name, truths, left_out, total, got, late, status, frames):
        wrong = {key for key in total.of if got.of.get(key) != total.of[key]} | late
        identical = [t for t in truths if not wrong & set(t.flows.of)]
        print(f"    {name}: {len(identical)} of {len(truths)} Ethernet captures identical, "
              f"{frames} frames, {len(total.of)} flows; received {account.received(status)}, "
              f"missed {account.reported_missed(status)}; left out: "
              f"{collections.Counter(left_out.values())}", flush=True)
        for key in sorted(wrong, key=str)[:10]:
            print(f"      {key}: read {total.of.get(key)}, {name} {got.of.get(key)}"
                  + (", outside the replay's time" if key in late else ""), flush=True)
        self.assertEqual(account.missed(status), 0, "the link was not paced slowly enough")
        self.assertGreater(len(truths), 70)
        self.assertEqual(set(got.of) - set(total.of), set(), "flows that nobody sent")
        self.assertEqual([t.name for t in truths if wrong & set(t.flows.of)], [])

    def test_pcap_sees_what_the_file_has(self):
        self.compare("pcap")

    def test_ebpf_sees_what_the_file_has(self):
        self.compare("ebpf")

    def test_dpdk_sees_what_the_file_has(self):
        self.compare("dpdk")


if __name__ == "__main__":
    sys.exit(harness.main())
