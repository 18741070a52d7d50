#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Orders to a running meter: reload, expire, delete, pause; and that flows end without traffic."""
import os
import signal
import sys
import time

import harness
from harness import account, collectors, meter

IDLE_S = 2
TIMEOUTS = f"flows: {{timeouts: {{idle: {IDLE_S}s}}}}\n"


class Orders(harness.Case):
    def start(self, more=""):
        self.sent = 0
        self.source, self.within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, self.within)
        self.meter = meter.Meter(self.lab, self.within, lambda socket: self.text(socket, more))
        self.meter.start()

    @staticmethod
    def text(socket, more="", collector=None):
        return meter.config_text(meter.capture_section("pcap", "m0"),
                                 [{"address": "127.0.0.1:2055", **(collector or {})}], socket,
                                 more=more)

    def configure(self, more="", collector=None):
        with open(self.meter.config_path, "w") as out:
            out.write(self.text(self.meter.socket, more, collector))

    def sender(self, count=6000):
        return collectors.Sender(self.lab, self.source, "s0", rate=2000, count=count)

    def send(self, count=6000):
        self.sent += self.sender(count).wait(60)["packets"]
        return account.wait_quiet(self.meter, self.wire, {"packets": self.sent})

    def not_metered(self, reason):
        status = self.meter.ask("status")
        return sum(p["parse_results"][reason]["packets"] for p in status["ports"])

    def test_ten_reloads_and_a_sigterm_lose_no_octet(self):
        self.start()
        sender = self.sender(12_000)
        for turn in range(10):
            self.configure(f"flows: {{timeouts: {{idle: {turn + 2}s}}}}\n",
                           {"rate": 100_000 + turn // 2})  # every other turn another rate
            answer = self.meter.ask("reload")
            self.assertIn("flows.timeouts.idle", answer["changed"])
            self.assertEqual("export.collectors[0].rate" in answer["changed"],
                             turn == 0 or turn % 2 == 0)
            time.sleep(0.4)
        status = account.wait_quiet(self.meter, self.wire, sender.wait(60))
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        totals = self.nfcapd.settle().stop().totals()
        self.assertEqual(self.nfcapd.sequence_failures(), 0, "a new rate is no new session")
        self.assertEqual(totals["octets"], account.metered_ip(status, "octets"))
        self.assertEqual(totals["packets"], account.metered_ip(status))

    def test_a_bad_file_changes_nothing_and_a_restart_is_named(self):
        self.start()
        self.configure("flows: {timeouts: {idle: banana}}\n")
        done = self.meter.command("reload")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"meter\.yaml:\d+:\d+: flows\.timeouts\.idle: `banana`")
        self.configure("", {"filter": "no such filter"})
        self.assertEqual(self.meter.command("reload").returncode, 2)
        self.assertEqual(self.meter.ask("timeouts")["idle"], 15)
        self.configure("flows: {timeouts: {idle: 3s}, max_flows: 5000}\n")
        answer = self.meter.ask("reload")
        self.assertEqual(answer["restart_needed"], ["flows.max_flows"])
        self.assertEqual(self.meter.ask("timeouts")["idle"], 3)
        self.configure("flows: {timeouts: {idle: 4s}}\n")
        os.kill(self.meter.process.pid, signal.SIGHUP)
        self.meter.process.wait_until(lambda: self.meter.ask("timeouts")["idle"] == 4, 15,
                                      "SIGHUP did nothing")
        self.assert_balanced(self.meter)

    def test_expire_exports_delete_does_not_and_both_take_a_filter(self):
        self.start()
        self.send()
        udp = self.meter.ask("flows", "-n", "0", "udp")
        expired = self.meter.ask("expire", "udp")
        self.assertEqual(expired["flows"], udp["active"])
        self.assertEqual(expired["packets"], sum(f["packets"] for f in udp["flows"]))
        self.assertEqual(self.meter.ask("flows", "-n", "0", "udp")["active"], 0)
        deleted = self.meter.ask("delete")
        self.assertGreater(deleted["packets"], 0)
        self.assertEqual(self.meter.ask("flows")["active"], 0)
        self.assertEqual(self.meter.command("expire", "no such filter").returncode, 2)
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.ask("send-templates")["collectors"], 1)
        self.assertEqual(self.meter.stop(), 0)
        self.assertEqual(self.nfcapd.settle().stop().totals()["packets"], expired["packets"])

    def test_what_comes_during_a_pause_is_named_so(self):
        self.start()
        before = account.metered(self.send(2000))
        self.assertTrue(self.meter.ask("pause")["paused"])
        status = self.send(2000)
        self.assertEqual(account.metered(status), before)
        self.assertEqual(self.not_metered("paused"), account.received(status) - before)
        self.assertGreater(self.not_metered("paused"), 0)
        self.assertFalse(self.meter.ask("resume")["paused"])
        self.assertGreater(account.metered(self.send(2000)), before)
        self.assert_balanced(self.meter)

    def test_idle_flows_leave_within_a_tick_without_traffic(self):
        self.start(TIMEOUTS)
        sent = self.sender(1000).wait(30)
        flows = self.meter.ask("flows", "-n", "0")["flows"]
        account.wait_quiet(self.meter, self.wire, sent)
        flows = self.meter.ask("flows", "-n", "0")["flows"] or flows
        last = max((flow["last_ns"] for flow in flows), default=0)
        self.assertGreater(last, 0)
        due = last + int((IDLE_S + 0.3) * 1e9)  # the first tick from here on finds none
        until = time.monotonic() + 60
        while time.monotonic() < until:
            status = self.meter.ask("status")
            began = status["time_ns"] - int(status["tick"]["last_s"] * 1e9)
            if began > due:
                self.assertEqual(status["flows"]["active"], 0)
                break
            time.sleep(0.1)
        else:
            self.fail("no tick came")
        self.assertGreater(status["flows"]["ended"]["idle_timeout"], 0)
        self.assert_balanced(self.meter)


if __name__ == "__main__":
    sys.exit(harness.main())
