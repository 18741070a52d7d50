#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What leaves the box as datagrams: multicast with a hop limit, DSCP, source address, bound device,
a narrow path, and a black hole beside a collector that is there."""
import struct
import sys

import harness
from harness import account, collectors, meter

GROUP = "239.1.2.3"
FAR = "198.51.100.1"
NEAR = ["198.51.100.2", "198.51.100.3"]  # both ours; the second is the source to use
NOBODY = "198.51.100.9"                  # has a MAC address that nobody answers to
SHORT = "flows: {timeouts: {active: 2s, idle: 1s, tcp: 1s, udp: 1s, icmp: 1s}}\n"


class Capture:
    """The IPv4 datagrams to the port that reach the far end, by tcpdump."""

    def __init__(self, lab, namespace, interface, port):
        self.path = lab.path("far.pcap")
        self.process = lab.start("tcpdump", namespace.command(
            "tcpdump", "-i", interface, "-U", "-Z", "root", "-w", self.path, "udp", "and", "port",
            str(port), "or", "ip[6:2]", "&", "0x3fff", "!=", "0"))
        self.process.wait_until(lambda: "listening on" in self.process.log(), 10, "not listening")

    def headers(self):
        """IP headers, as octets."""
        self.process.stop(10, 2)
        with open(self.path, "rb") as stored:
            data = stored.read()
        at, headers = 24, []
        while at + 16 <= len(data):
            length = struct.unpack_from("<I", data, at + 8)[0]
            headers.append(data[at + 16 + 14:at + 16 + 14 + 20])
            at += 16 + length
        return headers


class Datagrams(harness.Case):
    def start(self, *entries):
        self.source, self.within, self.wire = self.link()
        self.far = self.inside("far")
        harness.namespace.Link(self.far, self.within, "f0", "e0")
        self.far.run("ip", "addr", "add", FAR + "/24", "dev", "f0")
        for each in NEAR:
            self.within.run("ip", "addr", "add", each + "/24", "dev", "e0")
        # Other ways out, that a bound device must not take.
        self.within.run("ip", "route", "add", "224.0.0.0/4", "dev", "lo")
        self.meter = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            meter.capture_section("pcap", "m0"), list(entries), socket, more=SHORT))

    def send(self, count=5000):
        sent = collectors.Sender(self.lab, self.source, "s0", rate=2500, count=count).wait(60)
        status = account.wait_quiet(self.meter, self.wire, sent)
        self.assertEqual(account.received(status), sent["packets"])
        return status

    def test_multicast_goes_out_as_configured(self):
        self.start({"address": GROUP + ":2055", "hop_limit": 5, "dscp": 46, "source": NEAR[1],
                    "interface": "e0"})
        self.far.run("ip", "link", "set", "f0", "allmulticast", "on")
        capture = Capture(self.lab, self.far, "f0", 2055)
        self.meter.start()
        self.send()
        self.assert_balanced(self.meter)
        delivered = self.meter.ask("status")["sinks"][0]["delivered"]
        self.assertGreater(delivered, 0)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        headers = capture.headers()
        self.assertGreater(len(headers), 10)
        for header in headers:
            self.assertEqual(header[1] >> 2, 46, "DSCP")
            self.assertEqual(header[8], 5, "hop limit")
            self.assertEqual(".".join(map(str, header[12:16])), NEAR[1], "source")
            self.assertEqual(".".join(map(str, header[16:20])), GROUP, "group")

    def test_a_narrow_path_brings_no_fragments(self):
        self.start({"address": FAR + ":2055", "max_datagram": 1400})
        self.within.run("ip", "route", "add", FAR + "/32", "dev", "e0", "mtu", "1280")
        nfcapd = self.lab.start("nfcapd", self.far.command(
            "nfcapd", "-w", self.lab.make_folder("nfcapd"), "-p", "2055", "-t", "3600"))
        nfcapd.wait_until(lambda: collectors.listens(nfcapd, 2055, "udp"), 10, "no socket")
        capture = Capture(self.lab, self.far, "f0", 2055)
        self.meter.start()
        self.send()
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        headers = capture.headers()
        sizes = [int.from_bytes(header[2:4], "big") for header in headers]
        self.assertGreater(max(sizes), 1000, "datagrams are filled")
        self.assertLessEqual(max(sizes), 1280)
        fragments = [h for h in headers if int.from_bytes(h[6:8], "big") & 0x3FFF]
        self.assertEqual(fragments, [])

    def test_a_black_hole_beside_a_good_collector_costs_only_its_own(self):
        self.start(NOBODY + ":2055", "127.0.0.1:2056")
        self.within.run("ip", "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:99", "dev", "e0")
        nfcapd = collectors.Nfcapd(self.lab, self.within, 2056)
        self.meter.start()
        status = self.send(10_000)
        self.assert_balanced(self.meter)
        self.assertEqual(account.missed(status), 0)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        totals = nfcapd.settle().stop().totals()
        self.assertEqual(totals["packets"], account.metered_ip(status))
        self.assertEqual(totals["octets"], account.metered_ip(status, "octets"))
        self.assertEqual(nfcapd.sequence_failures(), 0)


if __name__ == "__main__":
    sys.exit(harness.main())
