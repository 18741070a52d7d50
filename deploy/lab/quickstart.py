#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on a link of its own, in the open: traffic, the meter, a collector, Prometheus.

Run by deploy/quickstart, which installs and builds first. Exit 0 only if every count agrees.
"""
import argparse
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lab import account, collectors, meter, namespace, resources  # noqa: E402

TOP_EVERY_S = 4
NETFLOW_PORT, METRICS_PORT, PROMETHEUS_PORT = 2055, 9108, 9090


def step(text):
    print(f"==> {text}", flush=True)


def note(text):
    print(f"    {text}", flush=True)


class Place:
    """Where the meter and the collectors run: a link of its own, or a real interface."""

    def __init__(self, lab, options):
        self.link = self.source = None
        if options.interface:
            self.inside, self.interface = resources.Host(), options.interface
            self.ports = resources.free_ports(3)
            note(f"interface {self.interface}; the collectors listen on loopback only")
            return
        self.ports = [NETFLOW_PORT, METRICS_PORT, PROMETHEUS_PORT]
        self.source = lab.add(namespace.Namespace("source"))
        self.inside = lab.add(namespace.Namespace("meter"))
        self.link = namespace.Link(self.source, self.inside)
        self.interface = "m0"
        note(f"{self.source.name}: s0 <--veth--> {self.inside.name}: m0, offloads off")


def start_all(lab, place, options):
    netflow, metrics, web = place.ports
    step("starting a NetFlow collector (nfcapd) and Prometheus")
    nfcapd = collectors.Nfcapd(lab, place.inside, netflow)
    prometheus = collectors.Prometheus(lab, place.inside, f"127.0.0.1:{metrics}", web)
    prometheus.wait_ready()
    step(f"starting wiretally, driver {options.driver}, on {place.interface}")
    capture = meter.capture_section(options.driver, place.interface)
    running = meter.Meter(lab, place.inside, lambda socket: meter.config_text(
        capture, [f"127.0.0.1:{netflow}"], socket, f"127.0.0.1:{metrics}"))
    with open(running.config_path) as text:
        for line in text:
            note("  " + line.rstrip())
    running.start()
    status = running.ask("status")
    note(f"it runs: driver {status['driver']} {status.get('driver_note', '')}".rstrip())
    return nfcapd, prometheus, running


def where_to_look(place, running):
    _, metrics, web = place.ports
    inside = "sudo " + " ".join(place.inside.command()) + " " if place.link else ""
    step("where to look, in another terminal")
    note(f"{inside}curl -s http://127.0.0.1:{metrics}/metrics")
    note(f"{inside}curl -s 'http://127.0.0.1:{web}/api/v1/query?query=wiretally_flows_active'")
    for view in ("top", "flows", "status"):
        note(f"sudo {meter.binary()} {view} --socket {running.socket}")


class Patience:
    """Waits until the time is up or Ctrl-C; the first Ctrl-C only ends the traffic."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds if seconds else None
        self.over = False
        self.before = signal.signal(signal.SIGINT, self.end)

    def end(self, *_):
        self.over = True
        signal.signal(signal.SIGINT, self.before)
        print("\n==> Ctrl-C: no more traffic; once more to leave at once", flush=True)

    def sleep(self, seconds):
        """False once it is time to finish."""
        wake = time.monotonic() + seconds
        while not self.over and (not self.until or time.monotonic() < self.until):
            if time.monotonic() >= wake:
                return True
            time.sleep(0.1)
        return False


def watch(running, processes, patience):
    while patience.sleep(TOP_EVERY_S):
        for process in processes:
            process.check_running()
        shown = running.command("top", "--by", "host", "-n", "8")
        if shown.returncode != 0:
            raise resources.LabError("wiretally top: " + shown.stderr.strip())
        print(f"\n--- top talkers, {time.strftime('%H:%M:%S')} "
              + "-" * 40 + "\n" + shown.stdout.rstrip(), flush=True)


def live(lab, place, options, nfcapd, prometheus, running):
    """Traffic until the end; returns what the sender sent (None on a real interface)."""
    sender = None
    if place.link:
        step(f"sending mixed traffic: TCP, UDP, DNS, ICMP, IPv6, VLAN, QinQ, fragments, ARP; "
             f"{options.rate} packets/s")
        sender = collectors.Sender(lab, place.source, "s0", rate=options.rate)
    patience = Patience(options.seconds)
    parts = [nfcapd.process, prometheus.process, running.process]
    watch(running, parts + ([sender.process] if sender else []), patience)
    return sender.stop() if sender else None


def finish(place, nfcapd, prometheus, running, sent):
    """The closing account: every count from the one who made it."""
    step("waiting for the last tick and the last scrape")
    status = account.wait_quiet(running, place.link, sent)
    text = running.command("ledger")
    told = None
    if place.link:
        told = prometheus.wait_for_value(account.METERED, account.metered(status), 15)
    step("stopping wiretally: SIGTERM exports every flow that is still active")
    code = running.stop()
    if code != 0:
        raise resources.LabError(f"wiretally ended with {code}:\n{running.process.log(15)}")
    nfcapd.settle().stop()
    step("the ledger")
    print(text.stdout.rstrip(), flush=True)
    step("who counted what")
    book = account.Book(sent, place.link and place.link.counters("m0"), status, nfcapd.totals(),
                        nfcapd.sequence_failures(), told, text.returncode)
    print(book.table(), flush=True)
    if not place.link:
        note("traffic went on until the stop: nfdump has at least what was metered before it")
    for fault in book.faults():
        print("    NOT EQUAL: " + fault, flush=True)
    return not book.faults()


def parse():
    ap = argparse.ArgumentParser(prog="deploy/quickstart")
    ap.add_argument("--driver", choices=["dpdk", "af_xdp", "ebpf", "pcap"], required=True)
    ap.add_argument("--seconds", type=float, default=0)
    ap.add_argument("--rate", type=int, default=5000)
    ap.add_argument("--interface")
    ap.add_argument("--keep", action="store_true")
    return ap.parse_args()


def main():
    options = parse()
    resources.raise_on_signals()
    for name in namespace.remove_leftovers():
        note(f"took away {name}, left by a run that was killed")
    with resources.Lab(options.keep) as lab:
        step("making the place" if options.interface else "making a link of its own")
        place = Place(lab, options)
        parts = start_all(lab, place, options)
        where_to_look(place, parts[2])
        sent = live(lab, place, options, *parts)
        good = finish(place, *parts, sent)
        if options.keep:
            note(f"kept: {lab.folder} (configuration, logs, nfcapd's files)")
    step("everything agrees; nothing is left running" if good else
         "the counts do not agree; see above")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except resources.LabError as fault:
        print(f"quickstart: {fault}", file=sys.stderr)
        sys.exit(3)
    except resources.Interrupted as asked:
        print(f"quickstart: {asked}; everything was taken away", file=sys.stderr)
        sys.exit(128 + asked.number)
    except (TimeoutError, subprocess.TimeoutExpired) as late:
        print(f"quickstart: {late}", file=sys.stderr)
        sys.exit(1)
