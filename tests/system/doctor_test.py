#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `doctor` and `devices` see of a real interface, and offloads that the meter manages."""
import json
import sys

import harness
from harness import meter


# /sys shows the interfaces of the namespace that mounted it. `ip netns exec` would mount it, but
# wants / to be a mount point, which it is not in a chroot.
WITH_ITS_SYS = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
                'mount --make-private /sys; mount -t sysfs sysfs /sys; exec "$@"', "sh"]


def ask(namespace, *arguments):
    return json.loads(namespace.run(*WITH_ITS_SYS, meter.binary(), *arguments, "--json",
                                    check=False))


class Doctor(harness.Case):
    def offloads_on(self, interface="m0"):
        text = self.within.run("ethtool", "-k", interface)
        names = {"generic-receive-offload": "gro", "generic-segmentation-offload": "gso",
                 "tx-tcp-segmentation": "tso"}
        return {names[key] for key, value in
                (line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
                if key in names and value.startswith("on")}

    def start(self, more):
        self.source, self.within, _ = self.link()
        self.within.run("ethtool", "-K", "m0", "tx", "on", "sg", "on", "gro", "on", "gso", "on",
                        "tso", "on")
        self.before = self.offloads_on()
        self.assertIn("gro", self.before)
        capture = meter.capture_section("pcap", "m0") + more
        return meter.Meter(self.lab, self.within,
                           lambda socket: meter.config_text(capture, [], socket)).start()

    def test_managed_offloads_are_off_while_it_runs_and_on_again_after(self):
        running = self.start("  manage_offloads: true\n")
        self.assertEqual(self.offloads_on(), set())
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.offloads_on(), self.before)

    def test_unmanaged_offloads_are_left_alone_and_warned_of(self):
        running = self.start("")
        self.assertEqual(self.offloads_on(), self.before)
        self.assertIn("ethtool -K m0 gro", running.process.log(50))
        findings = ask(self.within, "doctor", "m0")["findings"]
        mine = [one for one in findings if one["check"] == "m0"]
        self.assertTrue(any("manage_offloads" in one["cure"] for one in mine), mine)
        self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    sys.exit(harness.main())
