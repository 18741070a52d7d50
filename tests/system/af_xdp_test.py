#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Driver af_xdp on a link: every queue, jumbo frames, idleness, bursts, what auto makes of a tap.

Kills, another's program, comings and goings and rights are the cases of ebpf_test.py.
"""
import os
import socket
import subprocess
import sys
import time

import ebpf_test
import harness
from harness import account, meter, namespace, resources
from lab.frames import keep_pace, packet_socket  # noqa: E402  (harness has put deploy/ in the path)


def thread_seconds(pid):
    """{thread: CPU time}: a worker is one of them."""
    times = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        times[thread] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return times


def send_frames(interface, frames, rate=0):
    """All of them, at most `rate` a second; 0: as fast as it goes."""
    with packet_socket(interface) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        began = time.monotonic()
        for number, frame in enumerate(frames):
            if rate and number % 32 == 0:
                keep_pace(began, number, rate)
            sock.send(frame)


class AfXdp(ebpf_test.Ebpf):
    driver, program = "af_xdp", "wt_redirect"
    gap_reasons = {"not_attached", "not_bound"}

    def begin(self, queues=1, more=""):
        self.source, self.within, self.wire = self.link(queues)
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            meter.capture_section("af_xdp", "m0") + more, [], path)).start()

    def metrics(self):
        argv = [sys.executable, "-c", "import urllib.request as r; print(r.urlopen("
                "'http://127.0.0.1:9108/metrics', timeout=5).read().decode())"]
        return namespace.run(self.within.command(*argv))


class Kills(AfXdp, ebpf_test.Kills):
    pass


class Comings(AfXdp, ebpf_test.Comings):
    pass


class Rights(AfXdp, ebpf_test.Rights):
    CAPABILITIES = {"net_admin": 12, "net_raw": 13, "ipc_lock": 14, "bpf": 39}

    def test_without_locked_memory_the_refusal_says_what_it_takes(self):
        self.run_as_nobody([name for name in self.CAPABILITIES if name != "ipc_lock"])
        self.assertEqual(self.meter.process.wait(20), 3)
        self.assertIn("CAP_IPC_LOCK", self.meter.process.log(20))


class Neighbours(AfXdp):
    def test_another_s_program_is_not_replaced_and_is_named(self):
        ebpf_test.Neighbours.test_another_s_program_is_not_replaced_and_is_named(self)

    def test_auto_takes_the_frames_of_a_tap_and_not_those_of_a_host(self):
        self.source, self.within, self.wire = self.link()
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            meter.capture_section("auto", "m0"), [], path, "")).start()
        status = self.meter.ask("status")
        self.assertEqual(status["driver"], "af_xdp")
        for word in ("not dpdk: no capture.dpdk.ports", "not ebpf, pcap:"):
            self.assertIn(word, status["driver_note"])
        self.assertEqual(self.meter.stop(), 0)
        self.within.run("ip", "address", "add", "192.0.2.2/24", "dev", "m0")
        self.meter.start()
        status = self.meter.ask("status")
        self.assertEqual(status["driver"], "ebpf")
        self.assertIn("m0 has the address 192.0.2.2", status["driver_note"])
        self.assertEqual(self.meter.stop(), 0)
        self.within.run("ip", "address", "flush", "dev", "m0")
        self.within.run("ip", "link", "add", "br0", "type", "bridge")
        self.within.run("ip", "link", "set", "m0", "master", "br0")
        self.meter.start()
        self.assertIn("m0 belongs to br0", self.meter.ask("status")["driver_note"])

    def test_the_mode_is_in_log_status_and_metrics(self):
        self.begin()
        self.assertIn("m0 native-copy, 1 queue", self.meter.process.log(20))
        self.assertEqual(self.port()["mode"], "native-copy")
        self.assertIn("m0 (native-copy)", self.meter.command("status").stdout)
        self.assertIn('wiretally_port_info{port="m0",driver="af_xdp",mode="native-copy"} 1',
                      self.metrics())

    def test_generic_mode_is_said_where_native_cannot_be(self):
        ebpf_test.make_uneven_link(self)
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            meter.capture_section("af_xdp", "m0"), [], path, "")).start()
        self.assertRegex(self.meter.ask("status")["driver_note"],
                         r"m0 generic, 1 queue \(native: .+\)")
        self.assertEqual(self.port()["mode"], "generic")
        sent = self.send(rate=2000, count=3000).wait(20)
        self.wait_received(sent["packets"])
        self.assertEqual(self.port()["received"]["packets"], sent["packets"])
        self.assertEqual(self.port()["received"]["l2_octets"], sent["l2_octets"])
        self.assert_balanced(self.meter)


class Queues(AfXdp):
    def send_on_queues(self, queues, each):
        """veth keeps the queue of the sender, which is that of its CPU: what matters is the sum."""
        frames = [bytes(ebpf_test.udp_template())] * each
        for _ in range(queues):
            self.source.call(send_frames, "s0", frames, 20000)
        return queues * each

    def test_every_queue_has_a_worker_and_is_counted(self):
        self.begin(queues=4)
        status = self.meter.ask("status")
        self.assertEqual(len(status["workers"]), 4)
        self.assertIn("4 queues", status["driver_note"])
        sent = self.send_on_queues(4, 2000)
        self.wait_received(sent)
        self.assertEqual(account.missed(self.meter.ask("status")), 0)
        self.assert_balanced(self.meter)

    def test_a_queue_that_somebody_has_is_named(self):
        """The other one binds queue 1 without any program: the meter cannot have it."""
        self.source, self.within, self.wire = self.link(queues=2)
        holder = subprocess.Popen(
            self.within.command(sys.executable, "-c", HOLDER, "m0", "1"), stdout=subprocess.PIPE,
            text=True)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline(), "bound\n")
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            meter.capture_section("af_xdp", "m0"), [], path, ""))
        argv = self.within.command(meter.binary(), "run", "--config", self.meter.config_path)
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=30)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("m0: no socket for queue 1, and its frames would be missed", done.stdout)
        self.assertFalse(self.xdp_of(), "the program stayed")

    def test_queues_that_come_later_are_bound_too(self):
        self.begin(queues=4)
        self.meter.stop()
        for inside, end in ((self.source, "s0"), (self.within, "m0")):
            # The kernel lets go of a closed socket's queue a little later.
            resources.wait_for(lambda: not inside.run("ethtool", "-L", end, "rx", "1", "tx", "1",
                                                      check=False), 5, f"one queue on {end}", 0.2)
        self.meter.start()
        self.assertEqual(len(self.meter.ask("status")["workers"]), 1)
        first = self.send_on_queues(1, 2000)
        self.wait_received(first)
        self.within.run("ethtool", "-L", "m0", "rx", "4", "tx", "4")
        self.source.run("ethtool", "-L", "s0", "rx", "4", "tx", "4")
        resources.wait_for(lambda: "4 receive queues, there were 1" in self.meter.process.log(20),
                           3, "the new queues were noticed")
        time.sleep(0.3)
        second = self.send_on_queues(4, 2000)
        self.wait_received(first + second)
        self.assertEqual(account.missed(self.meter.ask("status")), 0)
        self.assert_balanced(self.meter)


# Binds an AF_XDP socket to (interface, queue): 64 frames of 2 KiB, copy mode.
HOLDER = """
import ctypes, mmap, socket, struct, sys, time
SOL_XDP, RX_RING, UMEM_REG, FILL, COMPLETION = 283, 2, 4, 5, 6
memory = mmap.mmap(-1, 64 * 2048)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
xsk = socket.socket(44, socket.SOCK_RAW, 0)
xsk.setsockopt(SOL_XDP, UMEM_REG, struct.pack("=QQIIII", address, len(memory), 2048, 0, 0, 0))
for ring in (FILL, COMPLETION, RX_RING):
    xsk.setsockopt(SOL_XDP, ring, 64)
name = struct.pack("=HHIII", 44, 2, socket.if_nametoindex(sys.argv[1]), int(sys.argv[2]), 0)
if ctypes.CDLL(None, use_errno=True).bind(xsk.fileno(), name, len(name)) != 0:
    sys.exit("bind: errno %d" % ctypes.get_errno())
print("bound", flush=True)
time.sleep(60)
"""


class Loads(AfXdp):
    def test_jumbo_frames_are_counted_whole(self):
        self.source, self.within, self.wire = self.link()
        for inside, end in ((self.source, "s0"), (self.within, "m0")):
            inside.run("ip", "link", "set", end, "mtu", "9000")
        self.meter = meter.Meter(self.lab, self.within, lambda path: meter.config_text(
            meter.capture_section("af_xdp", "m0"), [], path, "")).start()
        sizes = [60, 1514, 2000, 3840, 3841, 4096, 7700, 9014] * 50
        frames = [bytes(ebpf_test.udp_template(size)) for size in sizes]
        self.source.call(send_frames, "s0", frames, 2000)
        status = account.wait_quiet(self.meter, self.wire, {"packets": len(frames)}, 15)
        self.assertEqual(account.reported_missed(status), {})
        port = status["ports"][0]
        self.assertEqual(port["received"]["packets"], len(frames))
        self.assertEqual(port["received"]["l2_octets"], sum(sizes))
        self.assertEqual(account.metered(status, ("4",), "octets"),
                         sum(size - 14 for size in sizes))
        self.assert_balanced(self.meter)

    def test_an_idle_worker_sleeps_and_a_burst_after_it_loses_nothing(self):
        self.begin()
        time.sleep(1)
        pid = self.meter.process.child.pid
        before, began = thread_seconds(pid), time.monotonic()
        time.sleep(4)
        seconds = time.monotonic() - began
        used = {thread: (after - before.get(thread, 0)) / seconds
                for thread, after in thread_seconds(pid).items()}
        print(f"    idle: the busiest thread uses {100 * max(used.values()):.2f} % of a core",
              flush=True)
        self.assertLess(max(used.values()), 0.05)
        frames = [bytes(ebpf_test.udp_template())] * 10000
        sent = 0
        for _ in range(3):
            self.source.call(send_frames, "s0", frames)
            sent += len(frames)
            time.sleep(1.5)
        status = account.wait_quiet(self.meter, self.wire, {"packets": sent}, 15)
        self.assertEqual(account.reported_missed(status), {})
        self.assertEqual(account.received(status), sent)
        self.assert_balanced(self.meter)


if __name__ == "__main__":
    sys.exit(harness.main())
