# SPDX-License-Identifier: Apache-2.0
"""What the benches beside other meters have in common: a collector that keeps everything in its
socket until it is asked, and a command charged with the time of its whole process tree."""
import ctypes
import os
import socket
import struct
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
IN_BYTES, IN_PKTS = 1, 2  # Information Elements, NetFlow v9 field types
LIMIT_S = 300
HEADER = {5: 24, 9: 20, 10: 16}  # octets
TEMPLATES = {9: 0, 10: 2}        # set id


def adopt_orphans():
    """run_tree() sees what a command leaves behind, too."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Sink:
    """A collector that keeps everything in its socket until asked, then sums it up."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        so_rcvbufforce = 33
        self.socket.setsockopt(socket.SOL_SOCKET, so_rcvbufforce, 1 << 30)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def totals(self):
        """(records, packets, octets) since the last call."""
        layouts, sums = {}, [0, 0, 0]
        while True:
            try:
                self._message(self.socket.recv(65536), layouts, sums)
            except BlockingIOError:
                return tuple(sums)

    @staticmethod
    def _message(data, layouts, sums):
        version = struct.unpack_from("!H", data)[0]
        if version == 5:
            return Sink._records(data[24:], (48, (16, 20), (20, 24)), sums)
        at = HEADER[version]
        while at + 4 <= len(data):
            identity, length = struct.unpack_from("!HH", data, at)
            if length < 4:
                return
            body = data[at + 4:at + length]
            if identity == TEMPLATES[version]:
                Sink._templates(body, layouts)
            elif identity in layouts:
                Sink._records(body, layouts[identity], sums)
            at += length

    @staticmethod
    def _templates(body, layouts):
        at = 0
        while at + 4 <= len(body):
            identity, fields = struct.unpack_from("!HH", body, at)
            at += 4
            size, places = 0, {}
            for _ in range(fields):
                kind, length = struct.unpack_from("!HH", body, at)
                at += 4
                places[kind] = (size, size + length)
                size += length
            if IN_PKTS in places and IN_BYTES in places:
                layouts[identity] = (size, places[IN_PKTS], places[IN_BYTES])

    @staticmethod
    def _records(body, layout, sums):
        size, (p0, p1), (b0, b1) = layout
        for at in range(0, len(body) - size + 1, size):
            sums[0] += 1
            sums[1] += int.from_bytes(body[at + p0:at + p1], "big")
            sums[2] += int.from_bytes(body[at + b0:at + b1], "big")


def run_tree(argv, folder, core=None):
    """(CPU seconds, wall seconds) of a command and everything it leaves behind, and its standard
    output. `core`: where all of it runs."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    with open(os.path.join(folder, "out"), "w+b") as out, \
            open(os.path.join(folder, "err"), "w+b") as err:
        began = time.monotonic()
        child = subprocess.Popen([*pinned, "timeout", str(LIMIT_S), *argv], cwd=folder, stdout=out,
                                 stderr=err, stdin=subprocess.DEVNULL)
        seconds = 0.0
        code = None
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            seconds += usage.ru_utime + usage.ru_stime
            if pid == child.pid:
                code = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        child.returncode = code
        out.seek(0)
        err.seek(0)
        if code != 0:
            raise RuntimeError(f"{argv[0]} ended with {code}: {err.read()[-300:].decode()}")
        return seconds, wall, out.read().decode()
