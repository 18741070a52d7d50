#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods on a live link, into a meter that is far too small for them: every packet is exported, a
flow that was there before keeps its exact count, and the victim (or the scanner) is named in `top`
and, as nfdump and tshark read it, in the export within two ticks."""
import ipaddress
import json
import random
import struct
import subprocess
import sys
import threading
import time

import harness
from harness import account, collectors, meter, resources
from lab import frames  # noqa: E402  (harness has put deploy/ into the path)

PACKETS, RATE = 300_000, 60_000
RESIDENT_EVERY = 50
VICTIM, SCANNER = "198.51.100.7", "203.0.113.9"
RESIDENT, SERVER = "192.0.2.1", "192.0.2.2"
PORT = 2055
TWO_TICKS_S = 2.0
SLACK_S = 2.0  # of a busy machine: a tick that comes late, a datagram that waits for its turn


def number(address):
    return int(ipaddress.IPv4Address(address))


def syn(source, target, source_port, target_port):
    ip = struct.pack("!BBHHHBBHII", 0x45, 0, 40, 0, 0, 64, 6, 0, source, target)
    tcp = struct.pack("!HHIIBBHHH", source_port, target_port, 0, 0, 0x50, 2, 1024, 0, 0)
    return (b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp).ljust(60, b"\0")


class Flood(threading.Thread):
    """PACKETS frames at RATE a second; each fiftieth is of the one flow that lasts."""

    def __init__(self, namespace, interface, frame_of):
        super().__init__()
        self._socket = namespace.call(frames.packet_socket, interface)
        self._frame_of = frame_of
        self.began = 0.0

    def run(self):
        draw = random.Random(3)
        resident = syn(number(RESIDENT), number(SERVER), 7, 9)
        self.began = time.time()
        began = time.monotonic()
        for n in range(PACKETS):
            if n % 64 == 0:
                frames.keep_pace(began, n, RATE)
            self._socket.send(resident if n % RESIDENT_EVERY == 0
                              else self._frame_of(draw.getrandbits(32), n & 0xffff))
        self._socket.close()


class Floods(harness.Case):
    limit_s = 180

    def place(self):
        source, within, self.wire = self.link()
        self.nfcapd = collectors.Nfcapd(self.lab, within)
        self.dump_path = self.lab.path("export.pcap")
        self.tcpdump = self.lab.start("tcpdump", within.command(
            "tcpdump", "-i", "lo", "-B", "32768", "-s", "0", "-U", "--immediate-mode", "-Z", "root",
            "-w", self.dump_path, "udp", "dst", "port", str(PORT)))
        self.tcpdump.wait_until(lambda: "listening on" in self.tcpdump.log(), 10, "not listening")
        self.meter = meter.Meter(self.lab, within, lambda path: meter.config_text(
            meter.capture_section("pcap", "m0"), [f"127.0.0.1:{PORT}"], path,
            more="flows: {table_entries: 4096, max_flows: 20000}\n")).start()
        return source

    def named_by_top(self, how, address, began):
        """Seconds from the flood's begin until `top` has the address in its first row."""
        def first():
            rows = self.meter.ask("top", "--by", how, "-n", "1")["rows"]
            return rows and address in rows[0]["name"]
        resources.wait_for(first, 10, f"top names {address}", 0.1)
        return time.time() - began

    def exported(self):
        """(time, source, destination, packets) of each record, as tshark reads it."""
        fields = ["cflow.srcaddr", "cflow.dstaddr", "cflow.packets"]
        text = subprocess.run(
            ["tshark", "-n", "-r", self.dump_path, "-d", f"udp.port=={PORT},cflow", "-Y",
             "cflow.packets", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", "-e",
             "frame.time_epoch", *[word for field in fields for word in ("-e", field)]],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
        for line in text.splitlines():
            when, *columns = line.split("\t")
            columns = [column.split(";") for column in columns]
            self.assertEqual(len({len(column) for column in columns}), 1, line)
            for row in zip(*columns):
                yield float(when), row[0], row[1], int(row[2])

    def check(self, frame_of, how, place, address):
        """`place`: 1 if the address is a record's source, 2 if its destination."""
        flood = Flood(self.place(), "s0", frame_of)
        before = harness.resident_kib(self.meter.process.child.pid)
        flood.start()
        resources.wait_for(lambda: flood.began, 5, "the flood began", 0.01)
        top_s = self.named_by_top(how, address, flood.began)
        flood.join()
        status = account.wait_quiet(self.meter, self.wire, {"packets": PACKETS}, 20)
        after = harness.resident_kib(self.meter.process.child.pid)
        print(f"    resident {before} KiB before, {after} KiB after", flush=True)
        self.assertLess(after, 1.05 * before)
        self.assert_balanced(self.meter)
        self.assertEqual(account.missed(status), 0)
        self.assertEqual(self.meter.stop(), 0, self.meter.process.log(20))
        self.nfcapd.settle().stop()
        time.sleep(1)  # tcpdump forgets what it has not read yet
        self.tcpdump.stop(10, 2)
        rows = list(self.exported())
        coarse = [row for row in rows if row[place] == address and row[3 - place] == "0.0.0.0"]
        self.assertGreater(len(coarse), 0, "no record names " + address)
        export_s = min(row[0] for row in coarse) - flood.began
        print(f"    {address} named by top after {top_s:.1f} s, in the export after {export_s:.1f}"
              f" s, {sum(row[3] for row in coarse)} of {PACKETS} packets in {len(coarse)} such "
              f"records of {len(rows)}", flush=True)
        self.assertLessEqual(top_s, TWO_TICKS_S + SLACK_S)
        self.assertLessEqual(export_s, TWO_TICKS_S + SLACK_S)
        self.check_sums(rows, address, place)

    def check_sums(self, rows, address, place):
        """tshark and nfdump have every packet, and those of the flow that lasted."""
        lasting = PACKETS // RESIDENT_EVERY
        self.assertEqual(sum(row[3] for row in rows), PACKETS, self.tcpdump.log(5))
        self.assertEqual(sum(r[3] for r in rows if r[1:3] == (RESIDENT, SERVER)), lasting)
        records = json.loads(self.nfcapd.nfdump("-o", "json"))
        self.assertEqual(sum(r["in_packets"] for r in records), PACKETS)
        self.assertEqual(sum(r["in_bytes"] for r in records), 40 * PACKETS)
        key = "src4_addr" if place == 1 else "dst4_addr"
        of_it = sum(r["in_packets"] for r in records if r[key] == address)
        self.assertGreater(of_it, PACKETS // 2)
        self.assertEqual(self.nfcapd.sequence_failures(), 0)

    def test_a_syn_flood_from_random_sources_names_its_victim(self):
        victim = number(VICTIM)
        self.check(lambda drawn, n: syn(drawn, victim, n, 80), "destination", 2, VICTIM)

    def test_a_scan_of_random_destinations_names_its_source(self):
        scanner = number(SCANNER)
        self.check(lambda drawn, n: syn(scanner, drawn, 4000, 22 + n % 2), "source", 1, SCANNER)


if __name__ == "__main__":
    sys.exit(harness.main())
