#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A live meter exports every version for a while, with Templates and Options repeated all the time:
no collector misses a sequence number, tshark's expert finds nothing, and every sum is the ledger's.
WIRETALLY_TEST_SECONDS=600 makes it ten minutes."""
import re
import subprocess
import sys

import harness
from harness import SECONDS, account, collectors, meter

NFCAPD = {2051: (1, {}), 2055: (5, {}), 2059: (9, {}), 2060: (10, {"options": []})}
NFACCTD = {2065: (5, {}), 2069: (9, {}), 2070: (10, {})}
TEMPLATES = {"packets": 20, "interval": "2s"}
FLOWS = "flows: {timeouts: {active: 5s, idle: 2s, tcp: 2s, udp: 2s, icmp: 2s}}\n"
RATE = 2000


class Refresh(harness.Case):
    limit_s = 180 + 2 * SECONDS

    def capture_exports(self):
        path = self.lab.path("exports.pcap")
        process = self.lab.start("tcpdump", self.within.command(
            "tcpdump", "-i", "lo", "-B", "32768", "-s", "0", "-U", "-Z", "root", "-w", path,
            "udp", "and", "dst", "portrange", "2051-2070"))
        process.wait_until(lambda: "listening on" in process.log(), 10, "not listening")
        return path, process

    def expert(self, path):
        """Lines of tshark's expert of notes and worse, checksums that the kernel leaves aside."""
        decode = [word for port in {**NFCAPD, **NFACCTD}
                  for word in ("-d", f"udp.port=={port},cflow")]
        done = subprocess.run(["tshark", "-n", "-r", path, *decode, "-q", "-z", "expert,note"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60 + SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line for line in done.stdout.splitlines() if re.match(r"\s+\d+\s", line)
                and "Checksum" not in line]

    def expected(self, status, version, what):
        return account.metered(status, ("4",) if version < 9 else ("4", "6"), what)

    def test_every_version_is_without_a_gap_over_many_refreshes(self):
        source, self.within, wire = self.link()
        nfcapds = {port: collectors.Nfcapd(self.lab, self.within, port, f"nfcapd-{port}")
                   for port in NFCAPD}
        nfacctds = {port: collectors.Nfacctd(self.lab, self.within, port, f"nfacctd-{port}")
                    for port in NFACCTD}
        path, tcpdump = self.capture_exports()
        entries = [{"address": f"127.0.0.1:{port}", "version": version, "templates": TEMPLATES,
                    **more} for port, (version, more) in {**NFCAPD, **NFACCTD}.items()]
        running = meter.Meter(self.lab, self.within, lambda where: meter.config_text(
            meter.capture_section("pcap", "m0"), entries, where, more=FLOWS)).start()
        sent = collectors.Sender(self.lab, source, "s0", rate=RATE, seconds=SECONDS).wait(
            SECONDS + 60)
        status = account.wait_quiet(running, wire, sent)
        self.assertEqual(account.received(status), sent["packets"])
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0, running.process.log(20))
        for port, nfcapd in nfcapds.items():
            version = NFCAPD[port][0]
            with self.subTest("nfcapd", version=version):
                self.assertEqual(nfcapd.settle().stop().sequence_failures(), 0)
                totals = nfcapd.totals()
                print(f"  nfcapd, version {version}: {totals}, no sequence failure", flush=True)
                for what in ("packets", "octets"):
                    self.assertEqual(totals[what], self.expected(status, version, what))
        for port, nfacctd in nfacctds.items():
            version = NFACCTD[port][0]
            with self.subTest("nfacctd", version=version):
                totals = nfacctd.stop().totals()
                self.assertNotRegex(nfacctd.process.log(),
                                    r"(?i)expecting flow|discard|unknown|WARN.*seq")
                for what in ("packets", "octets"):
                    self.assertEqual(totals[what], self.expected(status, version, what))
        tcpdump.stop(10, 2)
        self.assertEqual(self.expert(path), [])


if __name__ == "__main__":
    sys.exit(harness.main())
