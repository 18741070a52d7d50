#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No signal that a meter can catch costs a flow: it ends in order, or goes on."""
import signal
import sys
import time

import harness
from harness import account, collectors, meter

ENDS = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGXCPU, signal.SIGPWR]
GOES_ON = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM,
           signal.SIGPROF, signal.SIGIO, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGRTMIN,
           signal.SIGRTMIN + 5, signal.SIGRTMAX]
IGNORED = ["Alarm clock", "User defined signal 2", "Profiling timer expired", "Real-time signal 5"]


class Signals(harness.Case):
    limit_s = 60 + 20 * len(ENDS)

    def start(self):
        source, within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, within)
        self.meter = meter.Meter(self.lab, within, lambda socket: meter.config_text(
            meter.capture_section("pcap", "m0"), [{"address": "127.0.0.1:2055"}], socket)).start()
        sent = collectors.Sender(self.lab, source, "s0", rate=4000, count=4000).wait(60)
        return account.wait_quiet(self.meter, self.wire, sent)

    def assert_all_exported(self, *statuses):
        """nfcapd's folder is the lab's: it has what all meters of a case exported."""
        totals = self.nfcapd.settle().stop().totals()
        for unit in ("packets", "octets"):
            self.assertEqual(totals[unit], sum(account.metered_ip(s, unit) for s in statuses))

    def test_a_signal_that_ends_the_meter_exports_every_flow_first(self):
        statuses = []
        for number in ENDS:
            with self.subTest(signal=number):
                statuses.append(self.start())
                self.assert_balanced(self.meter)
                self.assertEqual(self.meter.stop(number=number), 0, self.meter.process.log(20))
                self.assert_all_exported(*statuses)

    def test_any_other_signal_changes_nothing_and_is_told(self):
        status = self.start()
        for number in GOES_ON:
            self.meter.process.send(number)
            time.sleep(0.1)
        self.assert_balanced(self.meter)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        self.assert_all_exported(status)
        for name in IGNORED:
            self.assertIn(f"({name}) has no meaning here", self.meter.process.log(100))


if __name__ == "__main__":
    sys.exit(harness.main())
