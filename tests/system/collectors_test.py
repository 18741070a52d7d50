#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors that are away, come back, or are two: the meter goes on and counts what is lost."""
import struct
import sys
import time

import harness
from harness import account, collectors, meter

REFRESH_S = 2


class Collectors(harness.Case):
    def start(self, ports, driver="pcap"):
        self.source, self.within, self.wire = self.link()
        # Short flows leave soon, and templates come often, so that the test needs little time.
        more = "flows: {timeouts: {active: 2s, idle: 1s, tcp: 1s, udp: 1s, icmp: 1s}}\n"
        entries = "".join(f"    - {{address: \"127.0.0.1:{port}\", templates: {{packets: 20, "
                          f"interval: {REFRESH_S}s}}}}\n" for port in ports)
        capture = meter.capture_section(driver, "m0")
        self.meter = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            capture + "export:\n  collectors:\n" + entries, [], socket, more=more)).start()

    def sink(self, port):
        sinks = [s for s in self.meter.ask("status")["sinks"] if str(port) in s["name"]]
        self.assertEqual(len(sinks), 1, f"one sink for port {port}")
        return sinks[0]

    def wait_for_delivered(self, records, limit_s=40):
        harness.resources.wait_for(lambda: self.sink(2055)["delivered"] >= records, limit_s,
                                   f"{records} records delivered", 0.2)

    def test_a_collector_that_comes_later_gets_records_within_20_seconds(self):
        self.start([2055])
        sender = collectors.Sender(self.lab, self.source, "s0", rate=3000)
        harness.resources.wait_for(lambda: self.sink(2055)["offered"] > 100, 20, "records")
        self.assertTrue(self.meter.process.running())
        self.assert_balanced(self.meter)
        nfcapd = collectors.Nfcapd(self.lab, self.within)
        began = self.sink(2055)["delivered"]
        self.wait_for_delivered(began + 500, 20)
        sent = sender.stop()
        status = account.wait_quiet(self.meter, self.wire, sent)
        self.assertEqual(account.received(status) + account.missed(status), sent["packets"])
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        nfcapd.settle().stop()
        got = nfcapd.totals()
        self.assertGreater(got["records"], 100, f"nothing decoded; delivered before: {began}")
        self.assertLessEqual(got["packets"], account.metered_ip(status))

    def test_a_dead_collector_costs_the_other_one_nothing(self):
        self.start([2055, 2056])
        nfcapd = collectors.Nfcapd(self.lab, self.within, 2056)
        sent = collectors.Sender(self.lab, self.source, "s0", rate=4000, seconds=6).wait(30)
        status = account.wait_quiet(self.meter, self.wire, sent)
        self.assert_balanced(self.meter)
        dead, living = self.sink(2055), self.sink(2056)
        self.assertEqual(dead["offered"], living["offered"])
        self.assertGreater(sum(dead["dropped"].values()) + dead["send_errors"], 0,
                           "a port that nobody listens on answers; that must be counted")
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        nfcapd.settle().stop()
        book = account.Book(sent, None, status, nfcapd.totals(), nfcapd.sequence_failures(), None,
                            0)
        self.assert_agree(book)

    def test_a_collector_that_restarts_gets_on_with_it(self):
        self.start([2055])
        first = collectors.Nfcapd(self.lab, self.within, 2055, "first")
        sender = collectors.Sender(self.lab, self.source, "s0", rate=3000)
        self.wait_for_delivered(500)
        first.settle().stop()
        time.sleep(2)
        second = collectors.Nfcapd(self.lab, self.within, 2055, "second")
        self.wait_for_delivered(self.sink(2055)["delivered"] + 500)
        sender.stop()
        self.assertTrue(self.meter.process.running())
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0)
        second.settle().stop()
        self.assertGreater(first.totals()["records"], 0)
        self.assertGreater(second.totals()["records"], 100)

    def first_sets(self, receiver, header):
        """The sets of the datagrams up to the first with data, and when that came."""
        found = []
        while not any(256 <= each < 512 for each in found):
            data, at = receiver.recv(65536), header
            while at + 4 <= len(data):
                set_id, length = struct.unpack_from("!HH", data, at)
                found.append(set_id)
                at += length
        return found, time.monotonic()

    def test_templates_go_out_at_once_when_a_collector_returns(self):
        """Long before they would by themselves, and data behind them."""
        for version, header, template_set in ((9, 20, 0), (10, 16, 2)):
            with self.subTest(version=version):
                source, within, _ = self.link()
                running = meter.Meter(self.lab, within, lambda socket: meter.config_text(
                    meter.capture_section("pcap", "m0"),
                    [{"address": "127.0.0.1:2055", "version": version,
                      "templates": {"packets": 100_000, "interval": "1h"}}], socket,
                    more="flows: {timeouts: {active: 2s, idle: 1s, tcp: 1s, udp: 1s, icmp: 1s}}\n"),
                    f"meter-{version}").start()
                receiver = within.call(collectors.udp_receiver, 2055, 20)
                sender = collectors.Sender(self.lab, source, "s0", f"sender-{version}", rate=2000)
                self.first_sets(receiver, header)
                waits = []
                for _ in range(3):
                    receiver.close()
                    time.sleep(2)
                    receiver = within.call(collectors.udp_receiver, 2055, 20)
                    began = time.monotonic()
                    sets, ended = self.first_sets(receiver, header)
                    waits.append(ended - began)
                    self.assertEqual(sets[0], template_set, "templates come before all else")
                print("  seconds until data came again:", [round(w, 2) for w in waits], flush=True)
                self.assertLess(sorted(waits)[1], 2, waits)  # probes: 1.05 s, silence: 0.2 s
                sender.stop()
                self.assert_balanced(running)
                self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    sys.exit(harness.main())
