# SPDX-License-Identifier: Apache-2.0
"""Runs the system tests of one file; says of each case, on a line of its own: PASS, FAIL or SKIP.

A case is a method test_... of a Case. It gets a lab of its own that is taken away whatever happens,
and a time limit (limit_s), past which it fails and is cleaned up like any other failure.
"""
import os
import signal
import sys
import time
import traceback
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy"))
from lab import account, collectors, meter, namespace, resources  # noqa: E402,F401

# Sustained tests run this long; an hour-long soak is the same test with another number.
SECONDS = float(os.environ.get("WIRETALLY_TEST_SECONDS", "15"))
MARK = "case "


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Late(Exception):
    pass


class Case(unittest.TestCase):
    limit_s = 90 + 2 * SECONDS
    maxDiff = None

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root: it makes network namespaces")
        signal.signal(signal.SIGALRM, self._late)
        signal.alarm(int(self.limit_s))
        self.addCleanup(signal.alarm, 0)
        self.lab = resources.Lab()
        self.addCleanup(self.lab.close)

    def _late(self, *_):
        raise Late(f"not done within {self.limit_s:g} s")

    def inside(self, label="meter"):
        """A namespace without any link: loopback only."""
        return self.lab.add(namespace.Namespace(label))

    def link(self, queues=1):
        """(source namespace, meter namespace, link between them: s0 - m0)"""
        source, inside = self.inside("source"), self.inside("meter")
        return source, inside, namespace.Link(source, inside, queues=queues)

    def assert_balanced(self, running):
        answer = running.command("ledger")
        self.assertEqual(answer.returncode, 0, "wiretally ledger:\n" + answer.stdout
                         + answer.stderr)

    def assert_agree(self, book):
        self.assertEqual(book.faults(), [], "\n" + book.table())


class Lines(unittest.TestResult):
    """One line a case, at once, so that a hang is seen where it is."""

    interrupted = None

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.outcome = None
        print(f"  running {name_of(test)}", flush=True)

    def _say(self, word, test, text=""):
        self.outcome = word
        took = time.monotonic() - self.began
        print(f"{MARK}{word} {name_of(test)} ({took:.1f} s){text}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say("PASS", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("SKIP", test, ": " + reason)

    def _fault(self, test, err):
        if isinstance(err[1], resources.Interrupted):
            self.interrupted = err[1]
            self.stop()  # the case cleans up after itself; no other begins
        print("".join(traceback.format_exception(*err)).rstrip(), flush=True)
        if self.outcome != "FAIL":  # a failing clean-up after a failing test is one failure
            self._say("FAIL", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fault(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fault(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"in {subtest._subDescription()}:", flush=True)
            self._fault(test, err)


def name_of(test):
    parts = test.id().split(" ")[0].split(".")  # a sub-test has its parameters behind the name
    return f"{os.path.splitext(os.path.basename(sys.argv[0]))[0]}.{parts[-1]}"


def main():
    resources.raise_on_signals()
    namespace.remove_leftovers()
    wanted = sys.argv[1:]
    suite = unittest.TestSuite(
        test for group in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
        for test in group if not wanted or any(w in test.id() for w in wanted))
    result = Lines()
    suite.run(result)
    if result.interrupted:
        return 128 + result.interrupted.number
    return 0 if result.wasSuccessful() else 1
