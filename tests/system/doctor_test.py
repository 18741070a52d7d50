#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `doctor` and `devices` see of a real interface, and offloads that the meter manages."""
import glob
import json
import os
import shutil
import signal
import sys

import harness
from harness import meter, namespace, resources


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

    def start(self, more, driver="pcap"):
        self.source, self.within, _ = self.link()
        self.within.run("ethtool", "-K", "m0", "tx", "on", "sg", "on", "gro", "on", "gso", "on",
                        "tso", "on")
        self.before = self.offloads_on()
        self.assertIn("gro", self.before)
        capture = meter.capture_section(driver, "m0") + more
        return meter.Meter(self.lab, self.within,
                           lambda socket: meter.config_text(capture, [], socket)).start()

    def kill(self, running):
        running.process.send(signal.SIGKILL)
        running.process.child.wait(10)

    def test_managed_offloads_are_off_while_it_runs_and_on_again_after(self):
        running = self.start("  manage_offloads: true\n")
        self.assertEqual(self.offloads_on(), set())
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.offloads_on(), self.before)

    def test_offloads_behind_a_dpdk_device_are_managed_too(self):
        running = self.start("  manage_offloads: true\n", "dpdk")
        self.assertEqual(self.offloads_on(), set())
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.offloads_on(), self.before)

    def test_what_a_killed_meter_left_off_is_on_again_after_the_next(self):
        running = self.start("  manage_offloads: true\n")
        self.kill(running)
        self.assertEqual(self.offloads_on(), set())
        running.start()
        self.assertEqual(self.offloads_on(), set())
        self.assertIn("is off since a meter was killed", running.process.log(50))
        self.kill(running)  # twice: what was taken over is remembered too
        running.start()
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.offloads_on(), self.before)
        self.assertEqual(glob.glob(self.lab.path("*.offloads")), [])

    def test_the_next_meter_puts_right_what_it_does_not_manage(self):
        running = self.start("  manage_offloads: true\n")
        self.kill(running)
        with open(running.config_path) as config:
            text = config.read().replace("  manage_offloads: true\n", "")
        with open(running.config_path, "w") as config:
            config.write(text)
        running.start()
        self.assertEqual(self.offloads_on(), self.before)
        self.assertEqual(running.stop(), 0)
        self.assertEqual(self.offloads_on(), self.before)

    def test_doctor_says_what_a_killed_meter_left_off(self):
        """It looks where sockets stand by default."""
        running = self.start("  manage_offloads: true\n")
        state = glob.glob(self.lab.path("*.offloads"))
        self.assertEqual(len(state), 1)
        self.kill(running)
        place = f"/run/wiretally/{os.path.basename(self.lab.folder)}.offloads"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        self.addCleanup(os.unlink, place)
        shutil.copy(state[0], place)
        mine = [one for one in ask(self.within, "doctor", "m0")["findings"]
                if one["check"] == "m0" and "killed" in one["text"]]
        self.assertEqual(len(mine), 1)
        self.assertRegex(mine[0]["cure"], r"ethtool -K m0 .*gro on")

    def test_an_interface_made_anew_loses_its_offloads_too(self):
        running = self.start("  manage_offloads: true\n")
        self.within.run("ip", "link", "del", "m0")
        namespace.run(["ip", "link", "add", "s0", "netns", self.source.name, "type", "veth",
                       "peer", "name", "m0", "netns", self.within.name])  # with all its offloads
        resources.wait_for(lambda: "m0: tso, gso off" in running.process.log(50), 4,
                           "they are switched off")
        self.assertEqual(self.offloads_on(), set())
        self.assertEqual(running.stop(), 0)
        self.assertLessEqual({"tso", "gso"}, self.offloads_on())

    def test_doctor_knows_the_kernel_and_the_driver(self):
        """On this kernel: each feature is there, or the finding says what goes without it."""
        self.source, self.within, _ = self.link()
        findings = ask(self.within, "doctor", "m0")["findings"]
        told = " ".join(one["text"] for one in findings if one["check"] == "kernel features")
        for name in ("BPF ring buffer", "maps that user space sees", "tcx", "need-wakeup", "BTF",
                     "XDP on frames in pieces", "XDP sockets", "maps of maps"):
            self.assertIn(name, told)
        for one in findings:
            self.assertEqual(one["health"] == "good", not one["cure"], one)
        shown = [one for one in ask(self.within, "devices")["interfaces"] if one["name"] == "m0"]
        self.assertEqual(shown[0]["driver"], "veth")
        self.assertIn(shown[0]["xdp_by_driver"], ("native", "-"))  # "-": before Linux 6.3
        self.assertEqual(set(shown[0]["offloads_on"]), self.offloads_on())

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
