# SPDX-License-Identifier: Apache-2.0
"""What has to be taken away again: temporary folders, child processes, anything with close().

A Lab closes everything in reverse order, however the block is left: normally, by an exception, by
SIGINT, SIGTERM or SIGHUP. Children die with us even if we are killed. Thread: main.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class LabError(Exception):
    """The machine cannot do what is asked; the text says what is missing and what mends it."""


class Interrupted(BaseException):
    """A signal asked us to stop. No ordinary handler may swallow it."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def raise_on_signals():
    def handler(number, _frame):
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)  # the clean-up itself must not be interrupted
        raise Interrupted(number)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, handler)


def wait_for(condition, timeout_s, what, poll_s=0.05):
    """Polls until condition() is true; its value. TimeoutError names what was awaited."""
    until = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {timeout_s:g} s")
        time.sleep(poll_s)


class Host:
    """The namespace we are in, with the same few calls as a Namespace."""

    name = "host"

    def command(self, *argv):
        return list(argv)

    def call(self, function, *args):
        return function(*args)


def free_ports(count):
    """Ports free for both UDP and TCP on loopback at this moment."""
    held = []
    try:
        while len(held) < 2 * count:
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            stream.bind(("127.0.0.1", 0))
            held.append(stream)
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.append(datagram)
            try:
                datagram.bind(stream.getsockname())
            except OSError:
                del held[-2:]
        return [s.getsockname()[1] for s in held[::2]]
    finally:
        for each in held:
            each.close()


class Process:
    """One child with its output in a file. close() ends it: politely, then by force."""

    def __init__(self, name, argv, log_path, cwd=None):
        self.name = name
        self.argv = argv
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, cwd=cwd,
                                          stderr=subprocess.STDOUT, preexec_fn=_die_with_us)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def log(self, last_lines=None):
        with open(self.log_path, errors="replace") as f:
            lines = f.read().splitlines()
        return "\n".join(lines[-last_lines:] if last_lines else lines)

    def check_running(self):
        if not self.running():
            raise LabError(f"{self.name} ended with exit code {self.child.returncode}:\n"
                           + self.log(15))

    def wait_until(self, condition, timeout_s, what):
        def look():
            self.check_running()
            return condition()
        try:
            return wait_for(look, timeout_s, f"{self.name}: {what}")
        except TimeoutError as e:
            raise LabError(f"{e}\n{self.log(15)}") from None

    def wait(self, timeout_s):
        """Exit code; LabError with the log's end if it does not come in time."""
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end within {timeout_s:g} s:\n"
                           + self.log(15)) from None

    def stop(self, timeout_s=20, number=signal.SIGTERM):
        if self.running():
            self.child.send_signal(number)
        return self.wait(timeout_s)

    def close(self):
        if not self.running():
            return
        self.child.send_signal(signal.SIGCONT)
        self.child.terminate()
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def _die_with_us():
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    # A Ctrl-C goes to the whole terminal group; the children are ended by us, in order.
    os.setpgrp()
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Lab:
    """Owns everything; `with Lab() as lab:` leaves nothing behind (keep=True: the folder stays)."""

    def __init__(self, keep=False):
        self.keep = keep
        self.folder = tempfile.mkdtemp(prefix="wiretally-lab-")
        os.chmod(self.folder, 0o755)
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, resource):
        """Registers a thing with close(); returns it."""
        self._stack.callback(resource.close)
        return resource

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def make_folder(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def start(self, name, argv, cwd=None):
        program = next((a for a in argv if not a.startswith("-") and "nsenter" not in a), argv[0])
        if not shutil.which(argv[0]) or not shutil.which(program):
            raise LabError(f"{program} is not installed; deploy/install-packages build lab test "
                           "installs everything")
        return self.add(Process(name, argv, self.path(name + ".log"), cwd))

    def close(self):
        try:
            self._stack.close()
        finally:
            if not self.keep:
                shutil.rmtree(self.folder, ignore_errors=True)
