#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wall clock of a running meter is set forward and back by an hour, then so far that its uptime
crosses 2^32 ms: in every version and kind of times no record has a negative duration, and none is
off by more than a second. The clock is stepped_clock.c's; what is sent is known to the packet."""
import collections
import mmap
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
from harness import account, collectors, meter
from lab import frames  # noqa: E402  (harness has put deploy/ into the path)

HOUR = 3600
WRAP_S = 2**32 / 1000
PORT = 3001
LONG_PORT, FIRST_PORT = 9999, 10000  # the flow that is always there, and the first of the others
LIFE_S = 1.5                         # of the others
PAUSE_S = 0.05
FLOWS = "flows: {timeouts: {active: 2s, idle: 1s, udp: 1s}}\n"
KINDS = [(1, "uptime"), (5, "uptime"), (9, "milliseconds"), (9, "uptime"), (10, "milliseconds"),
         (10, "uptime"), (10, "nanoseconds")]
Record = collections.namedtuple("Record", "sport packets first last sent received")


class Stream(threading.Thread):
    """UDP, a packet of the long flow and one of a short flow every PAUSE_S."""

    def __init__(self, namespace, interface):
        super().__init__()
        self.sent = collections.defaultdict(list)  # times, by source port
        self.ended = threading.Event()
        self._socket = namespace.call(frames.packet_socket, interface)

    @staticmethod
    def _frame(sport):
        source, target = frames.address("198.18.0.1", 0), frames.address("192.0.2.1")
        packet = frames.ip(source, target, frames.UDP,
                           frames.udp(source, target, sport, 9000, bytes(100)))
        return frames.ip_frame(packet, frames.mac(1), frames.mac(2)).data

    def run(self):
        began = time.monotonic()
        while not self.ended.is_set():
            short = FIRST_PORT + int((time.monotonic() - began) / LIFE_S)
            for sport in (LONG_PORT, short):
                self._socket.send(self._frame(sport))
                self.sent[sport].append(time.time())
            time.sleep(PAUSE_S)
        self._socket.close()

    def packets(self):
        return sum(len(times) for times in self.sent.values())


class Collector(threading.Thread):
    """Records of one version with their times as seconds of the wall clock, decoded by the book."""

    def __init__(self, namespace, port):
        super().__init__(daemon=True)
        self.records = []
        self._templates = {}
        self._socket = namespace.call(collectors.udp_receiver, port, 0.2)
        self.ended = False
        self.start()

    def run(self):
        while not self.ended:
            try:
                self._message(self._socket.recv(65536), time.time())
            except socket.timeout:
                continue

    def _message(self, data, now):
        version, count = struct.unpack_from("!HH", data)
        if version in (1, 5):
            uptime, seconds, nanoseconds = struct.unpack_from("!III", data, 4)
            sent = seconds + nanoseconds / 1e9
            for n in range(count):
                at = (16 if version == 1 else 24) + 48 * n
                packets, _, first, last, sport = struct.unpack_from("!IIIIH", data, at + 16)
                boot = sent - uptime / 1000
                self.records.append(Record(sport, packets, boot + first / 1000, boot + last / 1000,
                                           sent, now))
        elif version == 9:
            uptime, seconds = struct.unpack_from("!II", data, 4)
            self._sets(data[20:], 0, seconds, seconds - uptime / 1000, now)
        else:
            self._sets(data[16:], 2, struct.unpack_from("!I", data, 4)[0], None, now)

    def _sets(self, data, template_set, sent, boot, now):
        at = 0
        while at + 4 <= len(data):
            identity, length = struct.unpack_from("!HH", data, at)
            body = data[at + 4:at + length]
            if identity == template_set:
                self._take_templates(body)
            elif identity in self._templates:
                fields = self._templates[identity]
                size = sum(n for _, n in fields)
                for start in range(0, len(body) - size + 1, size):
                    self._record(body[start:start + size], fields, sent, boot, now)
            at += length

    def _take_templates(self, body):
        at = 0
        while at + 4 <= len(body):
            identity, count = struct.unpack_from("!HH", body, at)
            pairs = struct.unpack_from(f"!{2 * count}H", body, at + 4)
            self._templates[identity] = list(zip(pairs[::2], pairs[1::2]))
            at += 4 + 4 * count

    def _record(self, data, fields, sent, boot, now):
        values, at = {}, 0
        for element, length in fields:
            values[element] = int.from_bytes(data[at:at + length], "big")
            at += length
        if 152 in values:
            first, last = values[152] / 1e3, values[153] / 1e3
        elif 156 in values:
            first, last = ((values[e] >> 32) - 2_208_988_800 + (values[e] & 0xFFFFFFFF) / 2**32
                           for e in (156, 157))
        else:
            boot = values[160] / 1e3 if 160 in values else boot
            first, last = boot + values[22] / 1e3, boot + values[21] / 1e3
        self.records.append(Record(values[7], values[2], first, last, sent, now))


class Clock(harness.Case):
    def make_clock(self):
        library, path = self.lab.path("stepped_clock.so"), self.lab.path("offset")
        source = os.path.join(harness.ROOT, "tests", "system", "stepped_clock.c")
        subprocess.run(["cc", "-O1", "-fPIC", "-shared", "-Wall", "-o", library, source],
                       check=True)
        with open(path, "wb") as out:
            out.write(struct.pack("d", 0))
        with open(path, "r+b") as opened:
            self.offset = mmap.mmap(opened.fileno(), 8)
        self.steps = [(0.0, 0.0)]  # (true time, offset from then on)
        return ["env", "LD_PRELOAD=" + library, "STEPPED_CLOCK=" + path]

    def set_clock(self, offset):
        self.offset[:] = struct.pack("d", offset)
        self.steps.append((time.time(), offset))

    def check(self, record, sent):
        """What is wrong with a record; None: nothing."""
        if record.last < record.first:
            return "negative duration"
        # By the clock of when it was made, which is at most two seconds before it came.
        offsets = [offset for (began, offset), after in zip(self.steps, self.steps[1:] + [None])
                   if began < record.received and (after is None or after[0] > record.received - 2)]
        for offset in offsets:
            first, last = record.first - offset, record.last - offset
            if (sent[0] - 1 < first and last < sent[-1] + 1 and last < record.received + 1
                    and record.received - last < 6):
                return None
        return f"is of no packet by any clock of then ({offsets})"

    def run_stepped(self, driver):
        source, within, wire = self.link()
        collectors = [Collector(within, PORT + n) for n in range(len(KINDS))]
        entries = [{"address": f"127.0.0.1:{PORT + n}", "version": version,
                    **({"times": times} if version > 5 else {})}
                   for n, (version, times) in enumerate(KINDS)]
        running = meter.Meter(self.lab, within, lambda where: meter.config_text(
            meter.capture_section(driver, "m0"), entries, where, more=FLOWS),
            prefix=self.make_clock()).start()
        began = time.time()
        stream = Stream(source, "s0")
        stream.start()
        for offset in (HOUR, -HOUR):
            time.sleep(4)
            self.set_clock(offset)
        time.sleep(4)
        uptime = time.time() - began
        self.set_clock(WRAP_S - uptime - 3)  # and three seconds later it crosses
        time.sleep(7)
        stream.ended.set()
        stream.join()
        status = account.wait_quiet(running, wire, {"packets": stream.packets()})
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0, running.process.log(20))
        time.sleep(0.5)
        for (version, times), collector in zip(KINDS, collectors):
            collector.ended = True
            collector.join(5)
            with self.subTest(version=version, times=times):
                self.assertEqual(sum(r.packets for r in collector.records),
                                 account.metered_ip(status))
                faults = [(self.check(r, stream.sent.get(r.sport, [0])), r)
                          for r in collector.records]
                faults = [f for f in faults if f[0]]
                self.assertEqual(faults, [], f"{len(faults)} of {len(collector.records)}")
                after = [r for r in collector.records if r.received > self.steps[-1][0] + 4]
                self.assertGreater(len(after), 0, "records after the uptime's wrap")

    def test_steps_of_the_clock_move_no_record_counted_by_the_kernel(self):
        self.run_stepped("ebpf")

    def test_steps_of_the_clock_move_no_packet_stamped_by_the_kernel(self):
        self.run_stepped("pcap")


if __name__ == "__main__":
    sys.exit(harness.main())
