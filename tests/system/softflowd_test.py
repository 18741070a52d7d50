#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""softflowd and the import of its command line see the same capture: nfdump gets the same sums from
both. And softflowctl's commands, as control/import/softflowd.md says what does them here."""
import os
import subprocess
import sys

import harness
from harness import account, collectors, meter

# softflowd reads neither QinQ nor the ports and protocols of fragments, and counts the padding of
# short frames as the packet's; the rest must be alike.
FILTER = ["greater", "61", "and", "(", "tcp", "or", "udp", "port", "53", "or", "icmp", ")"]
TIMEOUTS = ["-t", "tcp=2h", "-t", "udp=1m30s", "-t", "maxlife=0", "-t", "expint=0"]


class Softflowd(harness.Case):
    def setUp(self):
        super().setUp()
        self.within = self.inside()

    def capture(self):
        path = self.lab.path("mix.pcap")
        subprocess.run([sys.executable, os.path.join(harness.ROOT, "deploy", "lab", "traffic.py"),
                        "--write", path, "--count", "8000"], check=True, stdout=subprocess.DEVNULL)
        return path

    def imported(self, words):
        done = subprocess.run([meter.binary(), "import", "softflowd", "--", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.lab.path("imported.yaml")
        with open(path, "w") as out:
            out.write(done.stdout)
        check = subprocess.run([meter.binary(), "check", path], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, timeout=20)
        self.assertEqual(check.returncode, 0, check.stdout + done.stdout)
        return path

    def sums(self, name, *argv):
        nfcapd = collectors.Nfcapd(self.lab, self.within, 2055, name)
        try:
            process = self.lab.start(name + "-exporter", self.within.command(*argv))
            self.assertEqual(process.wait(60), 0, process.log(20))
            nfcapd.settle()
        finally:
            nfcapd.stop()
        table = {}
        for row in nfcapd.records():
            ports = (row["sp"], row["dp"]) if row["pr"] in ("TCP", "UDP") else ()
            key = (row["sa"], row["da"], row["pr"], *ports)
            packets, octets = table.get(key, (0, 0))
            table[key] = packets + int(row["ipkt"]), octets + int(row["ibyt"])
        return table

    def compare(self, *options):
        words = ["-r", self.capture(), "-n", "127.0.0.1:2055", *options, *TIMEOUTS, *FILTER]
        turn = "".join(options)
        theirs = self.sums("softflowd" + turn, "softflowd", "-c", "none", *words)
        ours = self.sums("wiretally" + turn, meter.binary(), "read", self.lab.path("mix.pcap"),
                         "--config", self.imported(words), "--output", "none")
        self.assertGreater(len(theirs), 100)
        different = {key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)}
        self.assertEqual([(k, theirs.get(k), ours.get(k)) for k in sorted(different)[:5]], [])

    def test_the_import_exports_what_softflowd_exports(self):
        for options in (["-v", "5"], ["-v", "9"], ["-v10", "-A", "milli"], ["-v", "9", "-T", "ip"],
                        ["-v", "9", "-T", "proto"], ["-v", "10", "-T", "ether"]):
            with self.subTest(options=" ".join(options)):
                self.compare(*options)

    def start(self):
        self.source, self.within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, self.within)
        self.meter = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            meter.capture_section("pcap", "m0"), ["127.0.0.1:2055"], socket)).start()
        sent = collectors.Sender(self.lab, self.source, "s0", rate=2000, count=3000).wait(60)
        return account.wait_quiet(self.meter, self.wire, sent)

    def test_status_has_softflowctls_statistics(self):
        self.start()
        expired = self.meter.ask("expire")
        status = account.wait_quiet(self.meter)
        flows = status["flows"]
        records = flows["records"]
        self.assertEqual(flows["ended_by"]["forced"], expired["flows"])
        self.assertEqual(sum(flows["ended_by"].values()), records["records"])
        self.assertEqual(sum(p["records"] for p in records["protocols"]), records["records"])
        self.assertEqual(sum(p["packets"] for p in records["protocols"]), expired["packets"])
        tcp = next(p for p in records["protocols"] if p["protocol"] == "tcp")
        self.assertAlmostEqual(tcp["mean_octets"], tcp["octets"] / tcp["records"])
        for what in ("packets", "octets", "seconds"):
            spread = records[what]
            self.assertLessEqual(spread["least"], spread["mean"])
            self.assertLessEqual(spread["mean"], spread["most"])
        text = self.meter.command("status").stdout
        self.assertIn("forced", text)
        self.assertIn("a record (least, mean, most)", text)
        timeouts = self.meter.ask("timeouts")
        self.assertEqual(timeouts["maximum_life"], 0)
        self.assertEqual(timeouts["expiry_interval"], 0)
        self.assert_balanced(self.meter)

    def test_debugging_is_a_log_level_and_exit_is_to_stop_without_records(self):
        self.start()
        self.assertEqual(self.meter.ask("log-level", "debug")["level"], "debug")
        self.assertEqual(self.meter.ask("log-level")["level"], "debug")
        self.assertGreater(self.meter.ask("flows")["active"], 0)
        delivered = self.meter.ask("status")["sinks"][0]["offered"]
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.command("stop", "--discard").returncode, 0)
        self.assertEqual(self.meter.process.wait(20), 0, self.meter.process.log(20))
        self.assertLessEqual(self.nfcapd.settle().stop().totals()["records"], delivered + 1)


if __name__ == "__main__":
    sys.exit(harness.main())
