#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""History and reports of a running meter: what the report says is what the interface received, also
after the meter was killed between two flushes."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import harness
from harness import account, collectors, meter

FLUSH_S = 1
KILLS = 3
RANDOM_KILLS = int(os.environ.get("WIRETALLY_TEST_KILLS", "4"))
LATE_S = FLUSH_S + 3  # a flush, a tick, and a machine that is busy


class History(harness.Case):
    limit_s = 120 + 10 * RANDOM_KILLS

    def start(self):
        self.database = self.lab.path("history.db")
        running = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            meter.capture_section("pcap", "m0"), [], socket)
            + f"history: {{path: {self.database}, flush: {FLUSH_S}s, timezone: UTC}}\n")
        return running.start()

    def ask(self, *arguments):
        return subprocess.run([meter.binary(), "report", "--database", self.database,
                               "--timezone", "UTC", *arguments], text=True, timeout=30,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def report(self, *arguments):
        done = self.ask(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def reported(self):
        done = self.ask("--total", "--interfaces", "--json")
        if done.returncode == 1:  # nothing yet
            return 0, 0
        total = json.loads(done.stdout)["rows"][0]["total"]
        return total["packets"], total["l2_octets"]

    def send(self, running, count):
        sent = collectors.Sender(self.lab, self.source, "s0", rate=4000, count=count).wait(30)
        status = account.wait_quiet(running, self.wire, sent)
        port = status["ports"][0]["received"]
        return port["packets"], port["l2_octets"]

    def test_reports_what_was_received_and_again_after_a_restart(self):
        self.source, self.within, self.wire = self.link()
        running = self.start()
        received = self.send(running, 4000)
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.reported(), received)
        self.assertRegex(self.report("--hourly", "--unit", "KB"),
                         r"^\d{4}-\d\d-\d\d \d\d:00-\d\d:00: \[m0 in= [\d.]+ KB\] \[total= ")
        for level in ("--hourly", "--daily", "--weekly", "--monthly", "--yearly"):
            rows = json.loads(self.report(level, "--json"))["rows"]
            self.assertEqual(sum(row["total"]["packets"] for row in rows), received[0], level)

    def test_a_kill_loses_no_more_than_a_flush_and_doubles_nothing(self):
        self.source, self.within, self.wire = self.link()
        flushed = 0
        for kill in range(KILLS):
            running = self.start()
            packets, _ = self.send(running, 1000 + kill)
            flushed += packets
            deadline = time.monotonic() + 20
            while self.reported()[0] < flushed and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual(self.reported()[0], flushed)
            self.assert_balanced(running)
            running.stop(number=signal.SIGKILL)
        with sqlite3.connect(self.database) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        running = self.start()
        self.assertIn("did not end in order", running.process.log(40))
        self.assertEqual(running.stop(), 0)

    def sampled(self, running, seconds):
        """[(when, packets received), ...], taken while traffic goes on."""
        samples = [(time.monotonic(), 0)]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ports = running.ask("status")["ports"]
            samples.append((time.monotonic(), ports[0]["received"]["packets"]))
            time.sleep(0.2)
        return samples

    def test_kills_at_random_moments_lose_a_flush_each_at_most(self):
        self.source, self.within, self.wire = self.link()
        before = 0
        arrived = self.wire.counters("m0")["rx"]["packets"]
        for kill in range(RANDOM_KILLS):
            running = self.start()
            sender = collectors.Sender(self.lab, self.source, "s0", f"sender{kill}", rate=3000,
                                       count=1_000_000)
            samples = self.sampled(running, LATE_S + random.uniform(0.5, 2.5))
            running.stop(number=signal.SIGKILL)
            killed = time.monotonic()
            sender.process.stop(10)
            kernel = self.wire.counters("m0")["rx"]["packets"]
            counted = self.reported()[0] - before
            old_enough = max(packets for when, packets in samples if when <= killed - LATE_S)
            self.assertGreaterEqual(counted, old_enough, f"kill {kill}")
            self.assertLessEqual(counted, kernel - arrived, f"kill {kill}")
            before, arrived = before + counted, kernel
            with sqlite3.connect(self.database) as database:
                self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertGreater(before, 0)
        running = self.start()
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    sys.exit(harness.main())
