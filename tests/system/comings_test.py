#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interfaces that go down, go, and come back, under the drivers without a program of ours.

The cases are those of ebpf_test.py; af_xdp_test.py has them too.
"""
import sys
import time

import ebpf_test
import harness
from harness import account, meter


class Comings(ebpf_test.Comings):
    gap_reasons = {"not_attached", "kernel"}
    device = ""

    def capture(self):
        text = meter.capture_section(self.driver, "m0", self.device)
        return text.replace("name: lab,", f"name: lab, queues: {self.queues},")

    def is_back(self):
        return "attached again after" in self.meter.process.log(20)


class Pcap(Comings):
    driver = "pcap"


class DpdkAfPacket(Comings):
    driver, device = "dpdk", "net_af_packet"

    def test_an_interface_that_goes_again_and_again_is_taken_up_each_time(self):
        """Buffers and devices come back with it: nothing runs out."""
        self.place()
        self.meter.start()
        sent = 0
        for number in range(6):
            if number:
                self.within.run("ip", "link", "del", "m0")
                self.wire = harness.namespace.Link(self.source, self.within)
                harness.resources.wait_for(
                    lambda: self.meter.process.log(60).count("attached again after") >= number, 3,
                    f"return {number}")
            sent += self.send(rate=4000, count=1000, name=f"go{number}").wait(20)["packets"]
            time.sleep(0.3)
        status = account.wait_quiet(self.meter, self.wire, {"packets": sent})
        self.assertEqual(account.received(status) + account.missed(status), sent)
        self.assert_balanced(self.meter)


class DpdkAfPacketQueues(Comings):
    driver, device, queues = "dpdk", "net_af_packet", 2


class DpdkAfXdp(Comings):
    driver, device = "dpdk", "net_af_xdp"


del Comings  # a frame for the others

if __name__ == "__main__":
    sys.exit(harness.main())
