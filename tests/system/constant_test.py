#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A constant 100 Mbit/s comes out constant: nfdump's records and Prometheus' counters, in equal
stretches of time, are within 3 % of what was sent in each. WIRETALLY_CONSTANT_SECONDS=300 makes it
five minutes in stretches of one."""
import calendar
import json
import os
import sys
import threading
import time

import harness
from harness import account, collectors, meter
from lab import frames  # noqa: E402  (harness has put deploy/ into the path)

SECONDS = int(os.environ.get("WIRETALLY_CONSTANT_SECONDS", "15"))
STRETCH_S = 60 if SECONDS >= 240 else 5
RATE = 100_000_000
FLOWS = 40
PAYLOAD = 1222  # 1250 octets of IP
SLICE_S = 0.005


class Stream(threading.Thread):
    """UDP in FLOWS flows, evenly; octets of IP by the time they were sent."""

    def __init__(self, namespace, interface):
        super().__init__()
        self.sent = []  # (seconds since the epoch, octets)
        self.packets = 0
        self._socket = namespace.call(frames.packet_socket, interface)
        self._frames = []
        for flow in range(FLOWS):
            source, target = frames.address("198.18.0.1", flow), frames.address("192.0.2.1")
            packet = frames.ip(source, target, frames.UDP, frames.udp(
                source, target, 1000 + flow, 9000, bytes(PAYLOAD)))
            self._frames.append(frames.ip_frame(packet, frames.mac(1), frames.mac(2)))

    def run(self):
        began = time.monotonic()
        size = self._frames[0].octets
        while time.monotonic() - began < SECONDS:
            due = int((time.monotonic() - began) * RATE / 8 / size)
            count = min(due - self.packets, 2000)
            for n in range(self.packets, self.packets + count):
                self._socket.send(self._frames[n % FLOWS].data)
            self.packets += count
            self.sent.append((time.time(), count * size))
            time.sleep(SLICE_S)
        self._socket.close()


def spread(first, last, amount, bins, begin):
    """Adds an amount that came evenly from first to last to the stretches it came in."""
    length = last - first
    for n in range(len(bins)):
        low, high = begin + n * STRETCH_S, begin + (n + 1) * STRETCH_S
        if length <= 0:
            bins[n] += amount if low <= first < high else 0
            continue
        bins[n] += amount * max(0.0, min(last, high) - max(first, low)) / length


class Constant(harness.Case):
    limit_s = 90 + 2 * SECONDS

    def test_a_constant_stream_gives_constant_records_and_counters(self):
        source, within, wire = self.link()
        nfcapd = collectors.Nfcapd(self.lab, within)
        running = meter.Meter(self.lab, within, lambda where: meter.config_text(
            meter.capture_section("pcap", "m0"), ["127.0.0.1:2055"], where,
            more="flows: {timeouts: {active: 2s, idle: 2s, udp: 2s}}\n")).start()
        stream = Stream(source, "s0")
        samples = []  # (time, octets) of the counter
        stream.start()
        while stream.is_alive():
            text = collectors.fetch(within, "http://127.0.0.1:9108/metrics")[1]
            octets = sum(float(line.split()[-1]) for line in text.splitlines()
                         if line.startswith("wiretally_metered_octets_total{"))
            samples.append((time.time(), octets))
            time.sleep(0.5)
        stream.join()
        status = account.wait_quiet(running, wire, {"packets": stream.packets})
        self.assert_balanced(running)
        self.assertEqual(running.stop(), 0, running.process.log(20))
        records = json.loads(nfcapd.settle().stop().nfdump("-o", "json"))
        self.assertEqual(sum(r["in_bytes"] for r in records),
                         account.metered_ip(status, "octets"))
        begin = stream.sent[0][0]
        count = int((stream.sent[-1][0] - begin) / STRETCH_S)
        truth, nfdump, scraped = [0.0] * count, [0.0] * count, [0.0] * count
        for when, octets in stream.sent:
            spread(when, when, octets, truth, begin)
        for row in records:
            spread(seconds(row["first"]), seconds(row["last"]), row["in_bytes"], nfdump, begin)
        for (first, before), (last, after) in zip(samples, samples[1:]):
            spread(first, last, after - before, scraped, begin)
        for name, got in (("nfdump", nfdump), ("the counter", scraped)):
            shares = ", ".join(f"{each / sent:.4f}" for each, sent in zip(got, truth))
            print(f"  {name}, of what was sent in each {STRETCH_S} s: {shares}", flush=True)
        for n in range(count):
            with self.subTest(stretch=n):
                self.assertAlmostEqual(nfdump[n] / truth[n], 1, delta=0.03)
                # A counter is up to a tick old: 3 % of a minute hold that, of 5 s they do not.
                self.assertAlmostEqual(scraped[n] / truth[n], 1,
                                       delta=0.03 if STRETCH_S == 60 else 0.3)


def seconds(text):
    whole, _, part = text.partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (part or "0"))


if __name__ == "__main__":
    sys.exit(harness.main())
