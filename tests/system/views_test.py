#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The live views, the metrics endpoint and the ways to stop."""
import os
import shutil
import signal
import subprocess
import sys

import harness
from harness import account, collectors, meter

# The contract's metrics that a running meter without monitors always has.
METRICS = """
wiretally_received_packets_total wiretally_received_octets_total wiretally_missed_packets_total
wiretally_metered_packets_total wiretally_metered_octets_total wiretally_not_metered_packets_total
wiretally_coarse_packets_total wiretally_table_entries wiretally_table_capacity
wiretally_worker_busy_ratio wiretally_flows_active wiretally_flows_created_total
wiretally_flows_ended_total wiretally_tick_seconds wiretally_drain_entries_total
wiretally_export_records_total wiretally_export_datagrams_total
wiretally_export_dropped_records_total wiretally_export_queue_records
wiretally_ledger_imbalance_packets wiretally_build_info
""".split()


class Views(harness.Case):
    def start(self):
        self.source, self.within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, self.within)
        self.meter = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            meter.capture_section("pcap", "m0"), ["127.0.0.1:2055"], socket)).start()

    def send(self, count=6000):
        sent = collectors.Sender(self.lab, self.source, "s0", rate=3000, count=count).wait(30)
        self.status = account.wait_quiet(self.meter, self.wire, sent)
        return sent

    def metrics(self):
        return collectors.fetch(self.within, "http://127.0.0.1:9108/metrics")

    def test_every_view_parses_and_tells_the_same(self):
        self.start()
        sent = self.send()
        flows = self.meter.ask("flows", "-n", "0")
        top = self.meter.ask("top", "-n", "3")
        ledger = self.meter.ask("ledger")
        self.assertEqual(account.received(self.status), sent["packets"])
        self.assertTrue(ledger["balanced"])
        self.assertEqual(ledger["imbalance_packets"], 0)
        self.assertGreaterEqual(len(ledger["lines"]), 5)
        self.assertEqual(len(flows["flows"]), flows["active"])
        self.assertGreater(flows["active"], 10)
        self.assertGreaterEqual(len(top["rows"]), 3)
        for view in ("status", "ledger", "flows", "top"):
            with self.subTest(view=view):
                done = self.meter.command(view)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("\x1b", done.stdout, "colour where there is no terminal")
                self.assertGreater(len(done.stdout.splitlines()), 2)

    def test_stop_flushes_and_ends(self):
        self.start()
        self.send()
        self.assertEqual(self.meter.command("stop").returncode, 0)
        self.assertEqual(self.meter.process.wait(30), 0, self.meter.process.log(20))
        self.nfcapd.settle().stop()
        self.assertEqual(self.nfcapd.totals()["packets"], account.metered_ip(self.status))
        self.assertFalse(os.path.exists(self.meter.socket), "the control socket stayed")

    def test_sigint_ends_as_sigterm_does(self):
        self.start()
        self.send(3000)
        self.assertEqual(self.meter.stop(number=signal.SIGINT), 0)
        self.nfcapd.settle().stop()
        self.assertEqual(self.nfcapd.totals()["packets"], account.metered_ip(self.status))

    def test_promtool_finds_nothing_wrong_with_the_metrics(self):
        self.start()
        self.send(3000)
        status, text = self.metrics()
        self.assertEqual(status, 200)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        kinds = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
        self.assertEqual([name for name in METRICS if name not in kinds], [])

    def test_prometheus_has_what_the_meter_has(self):
        self.start()
        prometheus = collectors.Prometheus(self.lab, self.within, "127.0.0.1:9108")
        prometheus.wait_ready()
        self.send()
        ip = account.metered_ip(self.status)
        expected = {
            account.METERED: account.metered(self.status),
            "sum(wiretally_received_packets_total)": account.received(self.status),
            "sum(wiretally_ledger_imbalance_packets)": 0,
            'up{job="wiretally"}': 1,
        }
        for query, value in expected.items():
            if value is not None:
                self.assertEqual(prometheus.wait_for_value(query, value, 15), value, query)
        self.assertGreater(ip, 0)

    def test_only_the_configured_sockets_listen(self):
        self.start()
        with open(f"/proc/{self.meter.process.pid}/net/tcp") as table:
            listening = [line.split()[1] for line in table.read().splitlines()[1:]
                         if line.split()[3] == "0A"]
        self.assertEqual(listening, ["0100007F:%04X" % 9108])

    def test_the_unit_is_one_that_systemd_understands(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with open(os.path.join(harness.ROOT, "deploy", "wiretally.service")) as text:
            unit = text.read().replace("/usr/bin/wiretally", meter.binary())
        path = self.lab.path("wiretally.service")
        with open(path, "w") as out:
            out.write(unit)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, ""))


if __name__ == "__main__":
    sys.exit(harness.main())
