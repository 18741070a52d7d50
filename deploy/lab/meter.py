# SPDX-License-Identifier: Apache-2.0
"""The meter under a lab's care: its configuration, its process, and its live views."""
import glob
import json
import os
import signal
import subprocess

from .resources import LabError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary():
    path = os.environ.get("WIRETALLY_BINARY", os.path.join(ROOT, "build", "wiretally"))
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there; meson setup build && meson compile -C build makes it")
    return os.path.abspath(path)


def free_huge_pages_mib():
    """Free huge pages of 2 MiB, in MiB. EAL takes them through memfd: no mount is needed."""
    total = 0
    for path in glob.glob("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"):
        with open(path) as pages:
            total += 2 * int(pages.read())
    return total


def dpdk_memory():
    """The line for capture.dpdk: huge pages where there are enough, else none (half the speed)."""
    return "memory: 256M" if free_huge_pages_mib() >= 256 else "no_huge: true, memory: 256M"


def worker_core():
    """The last CPU we may use: the first ones have the interrupts and everybody else."""
    return max(os.sched_getaffinity(0))


DPDK_DEVICES = {
    "net_af_packet": "net_af_packet0,iface={interface}",
    "net_af_xdp": "net_af_xdp0,iface={interface}",
}


def capture_section(driver, interface, device="net_af_packet"):
    """The YAML of `capture` for one kernel interface, as interface 1 of the record."""
    if driver == "dpdk":
        name = DPDK_DEVICES[device].format(interface=interface)
        return f"""\
capture:
  driver: dpdk
  dpdk:
    {dpdk_memory().replace(', ', chr(10) + '    ')}
    workers: [{worker_core()}]
    ports:
      - {{device: "{name}", name: lab, ifindex: 1}}
"""
    return f"""\
capture:
  driver: {driver}
  interfaces:
    - {{name: {interface}, ifindex: 1}}
"""


def config_text(capture, collectors, socket, metrics="127.0.0.1:9108", more=""):
    """A whole configuration; `collectors` are addresses or {"address": ..., key: value} maps."""
    lines = []
    for each in collectors:
        entry = each if isinstance(each, dict) else {"address": each}
        inside = ", ".join(f"{k}: {json.dumps(v)}" for k, v in entry.items())
        lines.append(f"    - {{{inside}}}\n")
    export = "export:\n  collectors:\n" + "".join(lines) if lines else ""
    return (capture + export + f"metrics: {{listen: \"{metrics}\"}}\n"
            f"control: {{socket: {socket}}}\n" + more)


class Meter:
    """`wiretally run`. Views by ask(); stop() flushes everything."""

    def __init__(self, lab, namespace, config, name="meter", prefix=()):
        """`config`: what makes the YAML's text out of the control socket's path. `prefix`: words
        before the command."""
        self.lab = lab
        self.namespace = namespace
        self.name = name
        self.socket = lab.path(name + ".sock")
        self.config_path = lab.path(name + ".yaml")
        with open(self.config_path, "w") as out:
            out.write(config(self.socket))
        self.process = None
        self.prefix = prefix

    def start(self, timeout_s=30):
        argv = [binary(), "run", "--config", self.config_path]
        self.process = self.lab.start(self.name, self.namespace.command(*self.prefix, *argv))
        self.process.wait_until(self.answers, timeout_s, "the control socket does not answer")
        return self

    def answers(self):
        return os.path.exists(self.socket) and self.command("status", "--json").returncode == 0

    def command(self, *arguments, timeout_s=20):
        argv = [binary(), *arguments, "--socket", self.socket]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout_s)

    def ask(self, *arguments):
        """The view as parsed JSON. `ledger` may exit 1: that is an answer too."""
        done = self.command(*arguments, "--json")
        if done.returncode not in (0, 1) or not done.stdout:
            raise LabError(f"wiretally {' '.join(arguments)}: exit {done.returncode}: "
                           + done.stderr.strip())
        return json.loads(done.stdout)

    def stop(self, timeout_s=30, number=signal.SIGTERM):
        """Exit code after SIGTERM; everything counted is exported by then."""
        return self.process.stop(timeout_s, number)
