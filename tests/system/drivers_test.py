#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One truth, several drivers: the corpus' Ethernet captures, replayed over links, and read.

Every capture is first made into what can be sent: its frames as they are in the file, with that
length. `wiretally read` of that is the truth. All of them are replayed at once to a meter for each
driver, each on a link of its own; a capture is identical if each of its flows has the same packets,
octets, layer-2 octets and TCP flags, and times within its replay. To add a driver, add a line to
DRIVERS.
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
from lab.frames import keep_pace, packet_socket  # noqa: E402  (harness has put deploy/ in the path)

RATE = 9000  # on each link
EPSILON_NS = 200_000_000  # between the sender's clock and the kernel's, with both CPUs busy
FRAME_MIN, FRAME_MAX = 14, 65535
DPDK_FRAME_MAX = 1900  # DPDK's buffers are not chained here: longer frames are not sent there
Driver = collections.namedtuple("Driver", "driver device frame_max exception")
DRIVERS = {
    "pcap": Driver("pcap", "", FRAME_MAX, ""),
    "af_xdp": Driver("af_xdp", "", FRAME_MAX, ""),
    "ebpf": Driver("ebpf", "", FRAME_MAX, ""),
    "net_af_packet": Driver("dpdk", "net_af_packet0,iface=m0,framecnt=4096", DPDK_FRAME_MAX,
                            "an 802.1ad tag becomes 802.1Q, which no count shows"),
    "net_af_xdp": Driver("dpdk", "net_af_xdp0,iface=m0", DPDK_FRAME_MAX, ""),
}
ETHERNET = 1
PCAP_NS = 0xa1b23c4d

# flows: by the largest frame that is sent
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


def replay(links, frames, rate):
    """Sends at most `rate` a second on each of the links {interface: longest frame}. (first, last)
    time in ns."""
    sockets = []
    try:
        for interface, longest in links.items():
            sock = packet_socket(interface)
            sockets.append((sock, longest))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        began = time.monotonic()
        first = time.time_ns()
        for number, frame in enumerate(frames):
            if number % 32 == 0:
                keep_pace(began, number, rate)
            for sock, longest in sockets:
                if len(frame) <= longest:
                    sock.send(frame)
        return first, time.time_ns()
    finally:
        for sock, _ in sockets:
            sock.close()


class Link:
    """A driver's meter, and what it should have."""

    def __init__(self, name, driver, interface):
        self.name, self.driver, self.interface = name, driver, interface
        self.total, self.windows, self.frames = Sums(), {}, 0

    def expect(self, truth, window):
        flows = truth.flows[self.driver.frame_max]
        self.total.add_sums(flows)
        self.frames += sum(len(frame) <= self.driver.frame_max for frame in truth.frames)
        for key in flows.of:  # a flow may be in several captures
            before = self.windows.get(key, window)
            self.windows[key] = (min(before[0], window[0]), max(before[1], window[1]))


class OneTruth(harness.Case):
    limit_s = 900

    def sendable(self):
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
            if any(not FRAME_MIN <= len(frame) <= FRAME_MAX for frame in frames):
                frames = [f for f in frames if FRAME_MIN <= len(f) <= FRAME_MAX]
                left_out[row["file"] + " (partly)"] = "frames that cannot be sent"
            truths.append(Truth(row["file"], frames, self.flows_of(copy, frames)))
        return truths, left_out

    def flows_of(self, path, frames):
        """{longest frame: the flows of what is sent}."""
        flows, shorter = {}, [f for f in frames if len(f) <= DPDK_FRAME_MAX]
        for longest, sent in ((FRAME_MAX, frames), (DPDK_FRAME_MAX, shorter)):
            if longest == DPDK_FRAME_MAX and len(shorter) == len(frames):
                flows[longest] = flows[FRAME_MAX]
                continue
            write_capture(path, sent)
            flows[longest] = self.read(path)
        return flows

    def read(self, path):
        done = subprocess.run([meter.binary(), "read", path, "--output", "csv"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 0, f"{path}: {done.stderr}")
        sums = Sums()
        for row in csv.DictReader(io.StringIO(done.stdout)):
            sums.add(row)
        return sums

    def capture_section(self, driver):
        if driver.driver != "dpdk":
            return meter.capture_section(driver.driver, "m0")
        text = meter.capture_section("dpdk", "m0")
        return text.replace(meter.DPDK_DEVICES["net_af_packet"].format(interface="m0"),
                            driver.device)

    def start(self, name, number):
        link = Link(name, DRIVERS[name], f"s{number}")
        within = self.inside("meter")
        link.wire = namespace.Link(self.source, within, link.interface)
        for end, inside in link.wire.ends.items():
            inside.run("ip", "link", "set", end, "mtu", str(min(65535, link.driver.frame_max - 14)))
        # Every flow stays in the cache until it has been looked at.
        more = "flows:\n  table_entries: 65536\n  timeouts: {" + ", ".join(
            f"{name}: 2h" for name in ("active", "idle", "tcp", "tcp_fin", "tcp_rst", "udp",
                                       "icmp")) + "}\n"
        link.meter = meter.Meter(self.lab, within, lambda path: meter.config_text(
            self.capture_section(link.driver), [], path, "", more), name).start()
        return link

    def test_every_driver_sees_what_the_file_has(self):
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)
        truths, left_out = self.sendable()
        self.assertGreater(len(truths), 70)
        print(f"    {len(truths)} Ethernet captures; left out: "
              f"{dict(collections.Counter(left_out.values()))}", flush=True)
        self.source = self.inside("source")
        links = [self.start(name, number) for number, name in enumerate(DRIVERS)]
        longest = {link.interface: link.driver.frame_max for link in links}
        for truth in truths:
            window = self.source.call(replay, longest, truth.frames, RATE)
            for link in links:
                link.expect(truth, window)
        for link in links:
            with self.subTest(link.name):
                self.compare(link, truths)

    def compare(self, link, truths):
        status = account.wait_quiet(link.meter, link.wire, {"packets": link.frames}, 15)
        self.assert_balanced(link.meter)
        got, late = self.metered(link)
        wrong = {key for key in link.total.of if got.of.get(key) != link.total.of[key]} | late
        differ = [t.name for t in truths if wrong & set(t.flows[link.driver.frame_max].of)]
        print(f"    {link.name}: {len(truths) - len(differ)} of {len(truths)} identical, "
              f"{link.frames} frames, {len(link.total.of)} flows; received "
              f"{account.received(status)}, missed {account.reported_missed(status)}"
              + (f"; {link.driver.exception}" if link.driver.exception else ""), flush=True)
        for key in sorted(wrong, key=str)[:10]:
            print(f"      {key}: read {link.total.of.get(key)}, {link.name} {got.of.get(key)}"
                  + (", outside the replay's time" if key in late else ""), flush=True)
        self.assertEqual(account.missed(status), 0, "the link was not paced slowly enough")
        self.assertEqual(set(got.of) - set(link.total.of), set(), "flows that nobody sent")
        self.assertEqual(differ, [])

    def metered(self, link):
        got, late = Sums(), set()
        for row in link.meter.ask("flows", "-n", "0")["flows"]:
            got.add(row)
            low, high = link.windows.get(key_of(row), (0, 0))
            first, last = row["first_ns"], row["last_ns"]
            if not low - EPSILON_NS <= first <= last <= high + EPSILON_NS:
                late.add(key_of(row))
        return got, late


if __name__ == "__main__":
    sys.exit(harness.main())
