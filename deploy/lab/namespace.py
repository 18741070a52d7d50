# SPDX-License-Identifier: Apache-2.0
"""Network namespaces and the veth pair between them. Needs root. Nothing outside them is touched.

Names are wt-LABEL-PID-N, so that several labs can run at once and a later one can take away what a
killed one left. Programs are put inside by `nsenter --net=`, not by `ip netns exec`, which mounts
/sys anew and hides bpffs from XDP.
"""
import ctypes
import itertools
import json
import os
import re
import subprocess
import threading

from .resources import LIBC, LabError

CLONE_NEWNET = 0x40000000
FOLDER = "/run/netns"
_numbers = itertools.count(1)

# Offloads make one big packet of many, or leave checksums to nobody: a meter then sees what was
# never sent. Feature by feature, as old kernels refuse a list with one unknown name.
OFFLOADS = ["rx", "tx", "sg", "tso", "gso", "gro", "tx-udp-segmentation", "rxvlan", "txvlan"]


def run(argv, check=True):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: exit {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def remove_leftovers():
    """Deletes the namespaces of labs whose process is gone. Returns their names."""
    gone = []
    for name in sorted(os.listdir(FOLDER)) if os.path.isdir(FOLDER) else []:
        match = re.fullmatch(r"wt-[a-z0-9]+-(\d+)-\d+", name)
        if match and not os.path.exists("/proc/" + match.group(1)):
            run(["ip", "netns", "del", name], check=False)
            gone.append(name)
    return gone


class Namespace:
    def __init__(self, label):
        self.name = f"wt-{label}-{os.getpid()}-{next(_numbers)}"
        self.path = os.path.join(FOLDER, self.name)
        try:
            run(["ip", "netns", "add", self.name])
        except (LabError, OSError) as e:
            raise LabError("no network namespace can be made here (it needs root, and in a "
                           f"container the capability CAP_SYS_ADMIN): {e}") from None
        self.run("ip", "link", "set", "lo", "up")
        # Router solicitations and the like are traffic too: nothing but the sender may speak.
        for key in ("all", "default"):
            self.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{key}/disable_ipv6 || true")

    def command(self, *argv):
        return ["nsenter", "--net=" + self.path, *argv]

    def run(self, *argv, check=True):
        return run(self.command(*argv), check)

    def call(self, function, *args):
        """Runs function(*args) in a thread of its own that has entered the namespace."""
        answer = {}

        def inside():
            try:
                with open(self.path) as handle:
                    if LIBC.setns(handle.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns " + self.path)
                answer["value"] = function(*args)
            except BaseException as e:  # handed to the caller below
                answer["error"] = e
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if "error" in answer:
            raise answer["error"]
        return answer["value"]

    def close(self):
        run(["ip", "netns", "del", self.name], check=False)


class Link:
    """A veth pair: `sender_interface` in one namespace, `meter_interface` in the other."""

    def __init__(self, sender, meter, sender_interface="s0", meter_interface="m0", queues=1):
        self.ends = {sender_interface: sender, meter_interface: meter}
        q = ["numtxqueues", str(queues), "numrxqueues", str(queues)]
        run(["ip", "link", "add", sender_interface, "netns", sender.name, *q, "type", "veth",
             "peer", "name", meter_interface, "netns", meter.name, *q])
        for interface, namespace in self.ends.items():
            namespace.run("ip", "link", "set", interface, "addrgenmode", "none", check=False)
            for feature in OFFLOADS:
                namespace.run("ethtool", "-K", interface, feature, "off", check=False)
        for interface, namespace in self.ends.items():
            namespace.run("ip", "link", "set", interface, "up")

    def counters(self, interface):
        """The kernel's own {"rx": {"packets", "dropped", ...}, "tx": {...}} of one end."""
        return interface_counters(self.ends[interface], interface)


def interface_counters(namespace, interface):
    argv = ["ip", "-s", "-j", "link", "show", "dev", interface]
    text = namespace.run(*argv) if namespace else run(argv)
    return json.loads(text)[0]["stats64"]
