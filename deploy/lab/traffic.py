#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mixed traffic like a small office's: sent through an interface, or written as a capture.

  traffic.py --interface IF [--rate PPS] [--seconds S | --count N] [--seed N] [--flows N]
  traffic.py --write FILE.pcap --count N [--seed N] [--flows N]

Prints one line of JSON at the end, also after SIGTERM or SIGINT: what was sent, by IP version. The
same seed gives the same frames. --seconds 0 runs until it is told to stop.
"""
import argparse
import errno
import json
import os
import random
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lab import frames as f  # noqa: E402

GATEWAY = f.mac(1)
BATCH_S = 0.005  # frames are sent in groups this far apart
KINDS = {4: "ipv4", 6: "ipv6", 0: "non_ip"}
NAMES = ["www.example.org", "cdn.example.net", "mail.example.com", "time.example", "a.b.c.example"]


class Mix:
    """Conversations, each a list of frames; cycle() interleaves them."""

    def __init__(self, seed, flows):
        self.random = random.Random(seed)
        self.flows = flows
        self.hosts4 = [f.address("198.18.0.10", n) for n in range(200)]
        self.hosts6 = [f.address("2001:db8:1::10", n) for n in range(60)]
        self.servers4 = [f.address("192.0.2.1", n) for n in range(20)]
        self.servers4 += [f.address("203.0.113.1", n) for n in range(20)]
        self.servers6 = [f.address("2001:db8:ffff::1", n) for n in range(20)]

    def cycle(self):
        makers = [(30, self.web), (20, self.lookup), (8, self.stream), (6, self.ping),
                  (3, self.fragmented), (4, self.neighbours), (1, self.announcement),
                  (2, self.refused)]
        weights, functions = zip(*makers)
        talks = [make() for make in self.random.choices(functions, weights, k=self.flows)]
        return self.interleave(talks)

    def interleave(self, talks):
        """A random merge that keeps the order within each conversation."""
        owners = [n for n, talk in enumerate(talks) for _ in talk]
        self.random.shuffle(owners)
        rests = [iter(talk) for talk in talks]
        return [next(rests[n]) for n in owners]

    def pair(self):
        """(client, server, VLAN tags): a fifth speaks IPv6, some are tagged once or twice."""
        if self.random.random() < 0.2:
            client, server = self.random.choice(self.hosts6), self.favourite(self.servers6)
        else:
            client, server = self.random.choice(self.hosts4), self.favourite(self.servers4)
        dice = self.random.random()
        tags = [(f.VLAN, 100)] if dice < 0.06 else []
        if dice > 0.985:
            tags = [(f.QINQ, 300), (f.VLAN, 42)]
        return client, server, tags

    def favourite(self, servers):
        """A few servers get most of the traffic."""
        return servers[min(int(self.random.paretovariate(1.1)) - 1, len(servers) - 1)]

    def there(self, client, packet, tags):
        return f.ip_frame(packet, f.mac(int(client) & 0xFFFF | 0x10000), GATEWAY, tags)

    def back(self, client, packet, tags):
        return f.ip_frame(packet, GATEWAY, f.mac(int(client) & 0xFFFF | 0x10000), tags)

    def ephemeral(self):
        return self.random.randint(32768, 60999)

    def web(self):
        """TCP from SYN to FIN with a request and a response of some kilobytes."""
        client, server, tags = self.pair()
        cport, sport = self.ephemeral(), self.random.choice([80, 443, 443, 443, 22, 25])
        seq, ack = self.random.getrandbits(32), self.random.getrandbits(32)
        request = bytes(self.random.randint(80, 700))
        segment = 1440 if client.version == 4 else 1420
        rest = int(self.random.paretovariate(1.2) * 1500)
        sizes = [segment] * (min(rest, 60000) // segment) + [rest % segment + 1]

        def up(flags, payload=b""):
            data = f.tcp(client, server, cport, sport, flags, seq, ack, payload)
            return self.there(client, f.ip(client, server, f.TCP, data), tags)

        def down(flags, payload=b""):
            data = f.tcp(server, client, sport, cport, flags, ack, seq, payload)
            return self.back(client, f.ip(server, client, f.TCP, data, 57), tags)
        talk = [up(f.SYN), down(f.SYN | f.ACK), up(f.ACK), up(f.PSH | f.ACK, request)]
        for n, size in enumerate(sizes):
            talk.append(down(f.ACK, bytes(size)))
            if n % 2:
                talk.append(up(f.ACK))
        return talk + [up(f.FIN | f.ACK), down(f.FIN | f.ACK), up(f.ACK)]

    def refused(self):
        client, server, tags = self.pair()
        cport, sport = self.ephemeral(), self.random.randint(1, 1023)
        syn = f.tcp(client, server, cport, sport, f.SYN, 1, 0)
        rst = f.tcp(server, client, sport, cport, f.RST | f.ACK, 0, 2)
        return [self.there(client, f.ip(client, server, f.TCP, syn), tags),
                self.back(client, f.ip(server, client, f.TCP, rst), tags)]

    def lookup(self):
        """A DNS query and its response."""
        client, server, tags = self.pair()
        port, number = self.ephemeral(), self.random.getrandbits(16)
        name = self.random.choice(NAMES)
        query = f.udp(client, server, port, 53, f.dns(number, name))
        reply = f.udp(server, client, 53, port, f.dns(number, name, f.address("192.0.2.80")))
        return [self.there(client, f.ip(client, server, f.UDP, query), tags),
                self.back(client, f.ip(server, client, f.UDP, reply, 57), tags)]

    def stream(self):
        """UDP one way in even pieces, as voice or video is, marked EF."""
        client, server, tags = self.pair()
        cport, sport, size = self.ephemeral(), 4500, self.random.choice([172, 172, 1200])
        return [self.back(client, f.ip(server, client, f.UDP,
                                       f.udp(server, client, sport, cport, bytes(size)), 60, 0xB8),
                          tags) for _ in range(self.random.randint(5, 60))]

    def ping(self):
        client, server, tags = self.pair()
        talk = []
        for n in range(self.random.randint(1, 5)):
            rest = struct.pack("!HH", 77, n) + bytes(56)
            if client.version == 4:
                ask, tell, protocol = f.icmp(8, 0, rest), f.icmp(0, 0, rest), f.ICMP
            else:
                ask = f.icmpv6(client, server, 128, 0, rest)
                tell = f.icmpv6(server, client, 129, 0, rest)
                protocol = f.ICMPV6
            talk.append(self.there(client, f.ip(client, server, protocol, ask), tags))
            talk.append(self.back(client, f.ip(server, client, protocol, tell, 57), tags))
        return talk

    def fragmented(self):
        client, server, _ = self.pair()
        data = f.udp(client, server, self.ephemeral(), 2049, bytes(self.random.randint(2000, 7000)))
        size = 1480 if client.version == 4 else 1440
        return [self.there(client, packet, []) for packet in
                f.fragments(client, server, f.UDP, data, self.random.getrandbits(16), size)]

    def neighbours(self):
        host = self.random.choice(self.hosts4)
        source = f.mac(int(host) & 0xFFFF | 0x10000)
        gateway = f.address("198.18.0.1")
        return [f.arp_frame(source, host, gateway),
                f.arp_frame(GATEWAY, gateway, host, reply_to=source)]

    def announcement(self):
        return [f.lldp_frame(GATEWAY)]


class Account:
    """What was sent, by IP version: frames, IP octets, layer-2 octets."""

    def __init__(self):
        self.totals = {name: {"packets": 0, "octets": 0, "l2_octets": 0} for name in KINDS.values()}
        self.refused = 0

    def add(self, frame):
        total = self.totals[KINDS[frame.kind]]
        total["packets"] += 1
        total["octets"] += frame.octets
        total["l2_octets"] += len(frame.data)

    def as_json(self):
        whole = {key: sum(t[key] for t in self.totals.values())
                 for key in ("packets", "octets", "l2_octets")}
        return json.dumps({**whole, **self.totals, "refused": self.refused})


class Sender:
    def __init__(self, interface):
        self.socket = f.packet_socket(interface)
        self.account = Account()
        self.stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)

    def stop(self, *_):
        self.stopped = True

    def send(self, frame):
        while not self.stopped:
            try:
                self.socket.send(frame.data)
                self.account.add(frame)
                return
            except OSError as e:
                if e.errno not in (errno.ENOBUFS, errno.EAGAIN):
                    raise
                self.account.refused += 1
                time.sleep(0.001)

    def run(self, cycle, rate, seconds, count):
        began = time.monotonic()
        sent = 0
        while not self.stopped:
            passed = time.monotonic() - began
            if (seconds and passed >= seconds) or (count and sent >= count):
                return
            due = int(passed * rate) + 1
            for n in range(sent, min(due, count) if count else due):
                self.send(cycle[n % len(cycle)])
            sent = max(sent, min(due, count) if count else due)
            time.sleep(BATCH_S)


def write_capture(path, cycle, count, rate):
    """Microsecond pcap, little-endian, the frames evenly 1/rate apart."""
    account = Account()
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for n in range(count):
            frame = cycle[n % len(cycle)]
            microseconds = 1_700_000_000 * 1_000_000 + n * 1_000_000 // rate
            out.write(struct.pack("<IIII", *divmod(microseconds, 1_000_000), len(frame.data),
                                  len(frame.data)) + frame.data)
            account.add(frame)
    return account


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--interface")
    ap.add_argument("--write")
    ap.add_argument("--rate", type=int, default=5000, help="packets a second")
    ap.add_argument("--seconds", type=float, default=0)
    ap.add_argument("--count", type=int, default=0)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--flows", type=int, default=2000, help="conversations in one round")
    a = ap.parse_args()
    cycle = Mix(a.seed, a.flows).cycle()
    if a.write:
        account = write_capture(a.write, cycle, a.count or len(cycle), a.rate)
    elif a.interface:
        sender = Sender(a.interface)
        sender.run(cycle, a.rate, a.seconds, a.count)
        account = sender.account
    else:
        ap.error("--interface or --write is needed")
    print(account.as_json(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
