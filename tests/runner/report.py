# SPDX-License-Identifier: Apache-2.0
"""Collects what passed, failed and was skipped, says so as it comes, and closes with one line."""
import subprocess
import sys
import time

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"


def say(text):
    print(text, flush=True)


class Report:
    def __init__(self):
        self.outcomes = []
        self.began = time.monotonic()

    def add(self, outcome, name, why="", quiet=False):
        """`quiet` passes are counted, not shown: thousands of unit tests are no news."""
        self.outcomes.append((outcome, name, why))
        if outcome != PASS or not quiet:
            say(f"{outcome} {name}" + (f": {why}" if why else ""))

    def heading(self, text):
        say(f"\n===== {text} [{time.monotonic() - self.began:.0f} s]")

    def count(self, outcome):
        return sum(1 for each, _, _ in self.outcomes if each == outcome)

    def close(self):
        """Repeats what failed and was skipped; the closing line stands alone. Exit code."""
        for outcome in (SKIP, FAIL):
            some = [(name, why) for each, name, why in self.outcomes if each == outcome]
            if some:
                self.heading(f"{outcome}: {len(some)}")
            for name, why in some:
                say(f"{name}: {why}" if why else name)
        say(f"\ntook {time.monotonic() - self.began:.0f} s")
        say(f"{self.count(PASS)} passed, {self.count(FAIL)} failed, {self.count(SKIP)} skipped")
        return 1 if self.count(FAIL) or not self.count(PASS) else 0


def run_logged(argv, log_path, timeout_s, every_s=15, progress=None, **more):
    """Runs argv with its output in a file; shows `progress(last line)` now and then. Exit code or
    None when the time was over: then the process is killed."""
    with open(log_path, "wb") as log:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT, **more)
        until = time.monotonic() + timeout_s
        shown = time.monotonic()
        try:
            while child.poll() is None:
                if time.monotonic() > until:
                    return None
                if progress and time.monotonic() - shown > every_s:
                    shown = time.monotonic()
                    progress(tail(log_path, 1))
                time.sleep(0.05)
            return child.returncode
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


def tail(path, lines):
    with open(path, errors="replace") as text:
        return "\n".join(text.read().splitlines()[-lines:])


def stop_with(code, text):
    print(f"tests/run: {text}", file=sys.stderr, flush=True)
    sys.exit(code)
