#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mixed traffic over a link, metered live: every count agrees with every other, driver by driver.

What the sender sent = received + missed by reason; metered = nfdump's sum = Prometheus' counter;
the ledger balances; SIGTERM loses nothing. WIRETALLY_TEST_SECONDS makes it longer.
"""
import signal
import sys
import time

import harness
from harness import SECONDS, account, collectors, meter, namespace, resources


class Live(harness.Case):
    rate = 8000

    def place(self):
        self.source, self.within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, self.within)
        self.prometheus = collectors.Prometheus(self.lab, self.within, "127.0.0.1:9108")
        self.prometheus.wait_ready()

    def start(self, driver, device="net_af_packet"):
        capture = meter.capture_section(driver, "m0", device)
        self.meter = meter.Meter(self.lab, self.within, lambda socket: meter.config_text(
            capture, ["127.0.0.1:2055"], socket))
        self.meter.start()

    def send(self, **more):
        return collectors.Sender(self.lab, self.source, "s0", **{"rate": self.rate, **more})

    def book(self, sent):
        """The closing account; the meter is stopped by SIGTERM on the way."""
        status = account.wait_quiet(self.meter, self.wire, sent)
        told = self.prometheus.wait_for_value(account.METERED, account.metered(status), 15)
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        self.nfcapd.settle().stop()
        book = account.Book(sent, self.wire.counters("m0"), status, self.nfcapd.totals(),
                            self.nfcapd.sequence_failures(), told, 0)
        print(book.table(), flush=True)
        return book

    def meter_everything(self, driver, device="net_af_packet"):
        self.place()
        self.start(driver, device)
        sent = self.send(seconds=SECONDS).wait(SECONDS + 30)
        self.assertGreater(sent["packets"], SECONDS * self.rate * 0.5, "the sender was too slow")
        book = self.book(sent)
        self.assert_agree(book)
        self.assertEqual(account.missed(book.status), 0, "lost at a rate the link sustains: "
                         + str(account.reported_missed(book.status)))
        self.assertEqual(book.kernel["rx"]["packets"], sent["packets"])
        self.assertGreater(book.nfdump["records"], 100)

    def test_dpdk_af_packet_counts_every_packet(self):
        self.meter_everything("dpdk", "net_af_packet")

    def test_dpdk_af_xdp_counts_every_packet(self):
        self.meter_everything("dpdk", "net_af_xdp")

    def test_pcap_counts_every_packet(self):
        self.meter_everything("pcap")

    def test_af_xdp_counts_every_packet(self):
        self.meter_everything("af_xdp")

    def test_ebpf_counts_every_packet(self):
        self.meter_everything("ebpf")

    def test_a_stopped_meter_names_what_it_missed_with_dpdk(self):
        self.freeze("dpdk", rate=30000, stopped_s=2)

    def test_a_stopped_meter_names_what_it_missed_with_pcap(self):
        self.freeze("pcap", rate=50000, stopped_s=5)

    def test_a_stopped_meter_names_what_it_missed_with_af_xdp(self):
        self.freeze("af_xdp", rate=30000, stopped_s=2)

    def test_a_stopped_meter_loses_nothing_with_ebpf(self):
        """The kernel goes on counting: the ledger is exact and nothing is missed."""
        self.freeze("ebpf", rate=30000, stopped_s=2, misses=False)

    def freeze(self, driver, rate, stopped_s, misses=True):
        """SIGSTOP in the middle of traffic, for longer than the driver's ring can hold."""
        self.place()
        self.start(driver)
        sender = self.send(seconds=stopped_s + 5, rate=rate)
        resources.wait_for(self.busy_status, 30, "traffic")
        self.meter.process.send(signal.SIGSTOP)
        time.sleep(stopped_s)
        self.meter.process.send(signal.SIGCONT)
        sent = sender.wait(60)
        book = self.book(sent)
        self.assert_agree(book)
        if misses:
            self.assertGreater(account.missed(book.status), 0, "the ring held all of it")
        else:
            self.assertEqual(account.missed(book.status), 0)
        self.assertGreater(account.received(book.status), sent["packets"] // 5)

    def test_sigterm_in_the_middle_of_traffic_loses_no_record(self):
        """No quiet time before the stop: what nfcapd has is what the last status had, or more."""
        self.place()
        self.start("dpdk")
        sender = self.send(rate=4000)
        before = resources.wait_for(self.busy_status, 30, "4000 packets metered")
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        sent = sender.stop()
        self.nfcapd.settle().stop()
        got = self.nfcapd.totals()
        self.assertGreaterEqual(got["packets"], account.metered_ip(before))
        self.assertLessEqual(got["packets"], sent["ipv4"]["packets"] + sent["ipv6"]["packets"])
        self.assertEqual(self.nfcapd.sequence_failures(), 0)


    def busy_status(self):
        status = self.meter.ask("status")
        return status if account.metered_ip(status) > 4000 else None


class Leftovers(harness.Case):
    def test_nothing_stays_behind_after_a_run(self):
        source, within, _ = self.link()
        running = meter.Meter(self.lab, within, lambda socket: meter.config_text(
            meter.capture_section("dpdk", "m0"), [], socket))
        running.start()
        self.assertEqual(running.stop(), 0)
        self.assertFalse(meter.os.path.exists(running.socket), "the control socket stayed")
        shown = within.run("ip", "-d", "link", "show", "m0")
        self.assertNotIn("prog/xdp", shown)
        self.assertNotIn("promiscuity 1", shown)
        self.assertIn(source.name, namespace.run(["ip", "netns", "list"]))


if __name__ == "__main__":
    sys.exit(harness.main())
