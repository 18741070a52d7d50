#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IPFM's logs: what rules and dumps make of captures, against a plain calculation from the truth
tables, for every form of a rule; periods against packets of our own; and Debian's ipfm itself
beside the meter on one link, with the same ipfm.conf.
"""
import collections
import csv
import ipaddress
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

import corpus
import harness
from harness import meter

LIMIT_S = 60
NEVER = "dump: {every: 366d, clear: never, timezone: UTC, format: ipfm"


def read(capture, config, folder):
    path = os.path.join(folder, "read.yaml")
    with open(path, "w") as text:
        text.write(config)
    return subprocess.run([meter.binary(), "read", capture, "--config", path, "--output", "none"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S)


# ---- the plain calculation ----

class Net:
    """"", "192.0.2.0/24", "192.0.2.1/255.0.255.255", "2001:db8::1"."""

    def __init__(self, text):
        self.any = not text
        address, _, mask = text.partition("/")
        if self.any:
            return
        self.address = ipaddress.ip_address(address)
        bits = self.address.max_prefixlen
        if not mask:
            self.mask = (1 << bits) - 1
        elif "." in mask:
            self.mask = int(ipaddress.IPv4Address(mask))
        else:
            self.mask = ((1 << int(mask)) - 1) << (bits - int(mask))

    def holds(self, host):
        if self.any:
            return True
        return (host.version == self.address.version
                and int(host) & self.mask == int(self.address) & self.mask)


class Rule:
    def __init__(self, log="both", net="", peer="", peer_net=""):
        self.text = " ".join(word for word in (log, net, peer, peer_net) if word) or "log"
        self.log, self.net, self.peer, self.peer_net = log or "both", Net(net), peer, Net(peer_net)

    def fits(self, host, peer):
        if not self.net.holds(host):
            return False
        return not self.peer or self.peer_net.holds(peer) == (self.peer == "with")


def decide(rules, host, peer):
    return next((rule.log for rule in reversed(rules) if rule.fits(host, peer)), "none")


def account(flows, rules):
    """{host: [in, out]}; `flows`: (source, destination, octets)."""
    hosts = collections.defaultdict(lambda: [0, 0])
    for source, destination, octets in flows:
        if decide(rules, source, destination) in ("from", "both"):
            hosts[source][1] += octets
        if decide(rules, destination, source) in ("to", "both"):
            hosts[destination][0] += octets
    return hosts


ORDERS = {"none": lambda counts: 0, "in": lambda counts: -counts[0],
          "out": lambda counts: -counts[1], "total": lambda counts: -sum(counts)}


def rows_of(hosts, sort):
    """As IPFM lists them: by the octets of the address, the last one first."""
    listed = sorted(hosts, key=lambda host: (host.version, host.packed[::-1]))
    listed.sort(key=lambda host: ORDERS[sort](hosts[host]))
    return "".join(f"{str(host):<35}{hosts[host][0]:15}{hosts[host][1]:15}{sum(hosts[host]):15}\n"
                   for host in listed)


def without_comments(text):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def truth_flows(name):
    octets = collections.Counter()
    with open(corpus.truth_path(name, ".flows.tsv")) as table:
        for row in csv.DictReader(table, delimiter="\t"):
            octets[row["src"], row["dst"]] += int(row["ip_bytes"])
    return [(ipaddress.ip_address(source), ipaddress.ip_address(destination), count)
            for (source, destination), count in octets.items()]


def rule_sets(flows):
    """Every form of a rule, with addresses of this capture; [(rules, sort)]."""
    talkers = collections.Counter()
    for source, destination, octets in flows:
        talkers[source] += octets
        talkers[destination] += octets
    a, b, *_ = [host for host, _ in talkers.most_common()] * 2
    def wide(host): return f"{host}/{24 if host.version == 4 else 64}"
    odd = f"{a}/255.0.255.0" if a.version == 4 else wide(a)
    sets = [[Rule()], [Rule("")], [Rule("from")], [Rule("to")], [Rule("none")]]
    for log in ("", "from", "to", "both"):
        sets += [[Rule(log, str(a))], [Rule(log, wide(a))], [Rule(log, "", "with", str(b))],
                 [Rule(log, "", "not with", wide(b))], [Rule(log, wide(a), "with", wide(b))],
                 [Rule(log, str(a), "not with", str(b))], [Rule(log, odd)]]
    sets += [[Rule(), Rule("none", str(a))], [Rule(), Rule("none", wide(a), "with", wide(b))],
             [Rule("none", str(a)), Rule()], [Rule("from", str(a)), Rule("to", str(a))],
             [Rule("both", wide(a)), Rule("from", str(a)), Rule("none", str(b))],
             [Rule("to"), Rule("both", "", "not with", str(a)), Rule("from", str(b))]]
    return [(rules, list(ORDERS)[i % len(ORDERS)]) for i, rules in enumerate(sets)]


class Rules(harness.Case):
    limit_s = 300

    def test_every_form_counts_what_the_truth_says(self):
        if not corpus.folder():
            self.skipTest(corpus.ABSENT)
        names = [row["file"] for row in corpus.index()]
        compared = hosts = 0
        for name in names:
            flows = truth_flows(name)
            if not flows:
                continue
            with self.subTest(capture=name), tempfile.TemporaryDirectory() as folder:
                sets = rule_sets(flows)
                entries = "".join(
                    f"  - {{name: r{i}, group_by: [host], max_groups: 1000000,\n"
                    f"     rules: [{', '.join(repr(rule.text) for rule in rules)}],\n"
                    f"     {NEVER}, sort: {sort}, file: {folder}/r{i}}}}}\n"
                    for i, (rules, sort) in enumerate(sets))
                done = read(corpus.capture(name), "monitors:\n" + entries, folder)
                self.assertIn("The ledger balances", done.stdout)
                for i, (rules, sort) in enumerate(sets):
                    expected = account(flows, rules)
                    with open(os.path.join(folder, f"r{i}")) as text:
                        written = without_comments(text.read())
                    self.assertEqual(written, rows_of(expected, sort),
                                     f"{name}: {[rule.text for rule in rules]}")
                    compared += 1
                    hosts += len(expected)
        self.assertGreater(compared, 35 * 80)
        print(f"  {compared} tables of {len(names)} captures, {hosts} rows of hosts", flush=True)


# ---- periods ----

BEGIN = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def packet(source, destination, octets):
    """An Ethernet frame with an IPv4 packet of so many octets."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, octets, 1, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", 0xffff ^ ((total & 0xffff) + (total >> 16))) + head[12:]
    return b"\2" * 6 + b"\4" * 6 + b"\x08\0" + head + bytes(octets - 20)


def write_capture(path, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for time, frame in packets:
            whole = int(time)
            file.write(struct.pack("<IIII", whole, round((time - whole) * 1e6), len(frame),
                                   len(frame)) + frame)


class Period:
    """A plain model of every, after, clear and clear_after, in seconds; clear 0: never."""

    def __init__(self, every, after=0, clear=None, clear_after=0):
        self.every, self.after = every, after
        self.clear = every if clear is None else clear
        self.clear_after = after + clear_after

    def text(self):
        clear = {0: "never", self.every: "always"}.get(self.clear, f"{self.clear}s")
        return (f"every: {self.every}s, after: {self.after}s, clear: {clear}, "
                f"clear_after: {self.clear_after - self.after if self.clear else 0}s")

    def dumps(self, packets):
        """{end: octets since the counts began}; the last packet's period is dumped at the end."""
        files, count, due = {}, 0, None
        for time, octets in packets:
            if due is not None and time >= due:
                files[due] = count
                if self.clear and any((t - self.clear_after) % self.clear == 0
                                      for t in range(due, int(time) + 1)):
                    count = 0
            if due is None or time >= due:
                due = int(time) - (int(time) - self.after) % self.every + self.every
            count += octets
        files[due] = count
        return files


class Periods(harness.Case):
    def test_are_exact_to_the_packet(self):
        # One packet each 2.5 s, one on each boundary, and a gap of many periods.
        times = [BEGIN + 2.5 * i for i in range(200)]
        times += [BEGIN + 9000 + 2.5 * i for i in range(60)]
        sizes = [100 + i for i in range(len(times))]
        periods = [Period(60), Period(60, 7), Period(90, 7), Period(10), Period(1), Period(3600),
                   Period(60, 0, 180), Period(60, 7, 180, 60), Period(120, 0, 0),
                   Period(20, 5, 600, 40), Period(86400, 50400)]
        with tempfile.TemporaryDirectory() as folder:
            capture = os.path.join(folder, "own.pcap")
            write_capture(capture, [(time, packet("10.0.0.1", "10.0.0.2", size))
                                    for time, size in zip(times, sizes)])
            entries = "".join(
                f"  - {{name: p{i}, dump: {{{period.text()}, timezone: UTC,\n"
                f"     file: \"{folder}/p{i}/%s\"}}}}\n" for i, period in enumerate(periods))
            done = read(capture, "monitors:\n" + entries, folder)
            self.assertIn("The ledger balances", done.stdout)
            for i, period in enumerate(periods):
                found = {}
                for name in os.listdir(f"{folder}/p{i}"):
                    with open(f"{folder}/p{i}/{name}") as text:
                        rows = [line.split() for line in without_comments(text.read()).splitlines()]
                    self.assertEqual([row[0] for row in rows], ["10.0.0.1", "10.0.0.2"])
                    self.assertEqual(rows[0][2], rows[1][1])
                    found[int(name)] = int(rows[0][2])
                self.assertEqual(found, period.dumps(list(zip(times, sizes))), period.text())


# ---- IPFM itself ----

IPFM_CONF = """\
DEVICE m0
UTC
LOG
LOG NONE 10.1.0.0/255.255.255.0 WITH 10.2.0.3
LOG FROM 10.2.0.2
FILENAME "{folder}/one"
DUMP EVERY 365 days
SORT TOTAL
NEWLOG
LOG 10.1.0.0/255.255.255.0 NOT WITH 10.2.0.1
FILENAME "{folder}/two"
DUMP EVERY 365 days
"""


class BesideIpfm(harness.Case):
    def test_one_configuration_gives_the_same_files(self):
        ipfm = shutil.which("ipfm", path="/usr/sbin:/sbin:/usr/bin")
        if not ipfm:
            self.skipTest("Debian's ipfm is not installed")
        source, inside, _ = self.link()
        with tempfile.TemporaryDirectory() as folder:
            for who in ("ipfm", "ours"):
                os.mkdir(f"{folder}/{who}")
                with open(f"{folder}/{who}.conf", "w") as text:
                    text.write(IPFM_CONF.format(folder=f"{folder}/{who}"))
            imported = subprocess.run([meter.binary(), "import", "ipfm", f"{folder}/ours.conf"],
                                      stdout=subprocess.PIPE, text=True, check=True)
            with open(f"{folder}/ours.yaml", "w") as text:
                text.write(imported.stdout + f"metrics: {{listen: \"\"}}\nhistory: {{path: \"\"}}\n"
                           f"control: {{socket: {folder}/socket}}\n")
            theirs = self.lab.add(Process(inside, [ipfm, "-n", "-c", f"{folder}/ipfm.conf", "-p",
                                                   f"{folder}/pid"]))
            ours = self.lab.add(Process(inside, [meter.binary(), "run", "--config",
                                                 f"{folder}/ours.yaml"]))
            harness.resources.wait_for(lambda: os.path.exists(f"{folder}/socket"), 20,
                                       "the meter's socket")
            harness.resources.wait_for(lambda: listeners(inside) >= 2, 20, "ipfm's packet socket")
            send(source, mixed_traffic())
            ours.process.send_signal(signal.SIGUSR1)  # a dump without an end
            for name in ("one", "two"):
                harness.resources.wait_for(lambda: ends(f"{folder}/ours/{name}"), 10, "SIGUSR1")
                os.rename(f"{folder}/ours/{name}", f"{folder}/ours/{name}.early")
            ours.end()
            theirs.end()
            for name in ("one", "two"):
                harness.resources.wait_for(
                    lambda: ends(f"{folder}/ipfm/{name}") and ends(f"{folder}/ours/{name}"), 10,
                    f"the files of log {name}")
                with open(f"{folder}/ipfm/{name}") as text:
                    expected = text.read()
                for file in (name, name + ".early"):
                    with open(f"{folder}/ours/{file}") as text:
                        self.assertEqual(text.read(), expected, file)
                self.assertGreater(expected.count("\n"), 8)


def listeners(namespace):
    """How many packet sockets there are in it."""
    table = subprocess.run(namespace.command("cat", "/proc/net/packet"), stdout=subprocess.PIPE,
                           text=True, check=True)
    return len(table.stdout.splitlines()) - 1


def send(source, frames):
    """From s0, gently: a socket of the capture holds some hundred frames."""
    with tempfile.NamedTemporaryFile(suffix=".py") as script:
        script.write(b"import socket, sys, time\n"
                     b"s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                     b"s.bind(('s0', 0))\n"
                     b"for n, line in enumerate(sys.stdin):\n"
                     b"    s.send(bytes.fromhex(line))\n"
                     b"    if n % 20 == 0: time.sleep(0.005)\n"
                     b"time.sleep(1)\n")
        script.flush()
        subprocess.run(source.command("/usr/bin/python3", script.name), timeout=60, check=True,
                       input="\n".join(frame.hex() for frame in frames), text=True)


def mixed_traffic():
    frames = [packet(f"10.1.0.{1 + i % 5}", f"10.2.0.{1 + i % 3}", 60 + i % 1000)
              for i in range(3000)]
    return frames + [packet(f"10.2.0.{1 + i % 3}", f"10.1.0.{1 + i % 7}", 60 + i % 900)
                     for i in range(3000)]


class Reload(harness.Case):
    def test_a_reload_dumps_what_changes(self):
        source, inside, _ = self.link()
        with tempfile.TemporaryDirectory() as folder:
            def write(rules):
                with open(f"{folder}/run.yaml", "w") as text:
                    text.write(
                        meter.capture_section("pcap", "m0") + "metrics: {listen: \"\"}\n"
                        f"history: {{path: \"\"}}\ncontrol: {{socket: {folder}/socket}}\n"
                        "monitors:\n"
                        + "".join(f"  - {{name: {name}, rules: ['{rule}'], dump: {{every: 366d,\n"
                                  f"     timezone: UTC, append: true, file: {folder}/{name}}}}}\n"
                                  for name, rule in rules.items()))
            write({"same": "from 10.1.0.0/16", "changes": "from 10.1.0.0/16",
                   "goes": "to 10.2.0.0/16"})
            ours = self.lab.add(Process(inside, [meter.binary(), "run", "--config",
                                                 f"{folder}/run.yaml"]))
            harness.resources.wait_for(lambda: os.path.exists(f"{folder}/socket"), 20,
                                       "the meter's socket")
            def reload():
                done = subprocess.run([meter.binary(), "reload", "--socket", f"{folder}/socket"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual(done.returncode, 0, done.stdout)
            send(source, [packet("10.1.0.1", "10.2.0.1", 100)] * 50)
            write({"same": "from 10.1.0.0/16", "changes": "to 10.2.0.0/16"})
            reload()
            send(source, [packet("10.1.0.1", "10.2.0.1", 100)] * 30)
            ours.end()
            found = {}
            for name in ("same", "changes", "goes"):
                with open(f"{folder}/{name}") as text:
                    found[name] = [line.split() for line
                                   in without_comments(text.read()).splitlines()]
            self.assertEqual(found["same"], [["10.1.0.1", "0", "8000", "8000"]])
            self.assertEqual(found["changes"], [["10.1.0.1", "0", "5000", "5000"],
                                                ["10.2.0.1", "3000", "0", "3000"]])
            self.assertEqual(found["goes"], [["10.2.0.1", "5000", "0", "5000"]])


def ends(path):
    """IPFM writes in a child of its own, which may come late."""
    try:
        with open(path) as text:
            return "# end of dump" in text.read()
    except FileNotFoundError:
        return False


class Process:
    """A program in a namespace that SIGTERM ends."""

    def __init__(self, namespace, argv):
        self.process = subprocess.Popen(namespace.command(*argv), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


if __name__ == "__main__":
    raise SystemExit(harness.main())
