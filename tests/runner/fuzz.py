# SPDX-License-Identifier: Apache-2.0
"""The libFuzzer targets: built together, seeded, run for a time; as a part of the fast suite for
some seconds each, two at a time. tests/fuzz/run is the same for as long as one likes."""
import glob
import os
import re
import shutil
import subprocess
import sys

from build import ROOT, Build, BuildFailed
from report import FAIL, PASS, SKIP, say, tail

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import corpus  # noqa: E402

# The kind of seeds each reads, and the longest input worth its time (0: libFuzzer's choice).
TARGETS = {
    "parser": ("packet", 0),
    "differential": ("packet", 0),
    "explain": ("packet", 0),
    "pipeline": ("pipeline", 8192),
    "capture_file": ("capture_file", 16384),
    "config": ("config", 0),
    "control": ("control", 0),
    "decoder": ("decoder", 0),
}
SHORT_S = 6
AT_A_TIME = 2
STARTUP_LIMIT_S = 120  # for reading the seeds, before and beside the time that was asked for


def lacking():
    """Why it cannot be built here; "" if it can."""
    if not shutil.which("clang++"):
        return "there is no clang++: libFuzzer comes with it (package clang)"
    argv = ["clang++", "-print-file-name=libclang_rt.fuzzer-x86_64.a"]
    path = subprocess.run(argv, stdout=subprocess.PIPE, text=True).stdout.strip()
    return "" if os.path.exists(path) else "clang++ has no libFuzzer (package libclang-rt-14-dev)"


def make(targets):
    """Builds the targets and writes their seeds. Raises BuildFailed."""
    build = Build("build-fuzz").setup()
    build.compile(["tests/fuzz/fuzz_seeds", *(f"tests/fuzz/{t}_fuzz" for t in targets)])
    seeds = os.path.join(build.folder, "seeds")
    shutil.rmtree(seeds, ignore_errors=True)
    argv = [os.path.join(build.folder, "tests/fuzz/fuzz_seeds"), seeds, ROOT]
    if corpus.folder():
        argv.append(os.path.join(corpus.folder(), "public", "pcaps"))
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise BuildFailed("no seeds for the fuzzers:\n" + done.stdout[-2000:])
    return build


class Run:
    """One target for some seconds. `keep`: the folder of inputs that is read and added to."""

    def __init__(self, build, target, seconds, keep=None):
        self.build, self.target, self.seconds = build, target, seconds
        self.keep = os.path.join(keep or os.path.join(build.folder, "corpus"), target)
        self.findings = os.path.join(build.folder, "findings")
        self.log = os.path.join(build.folder, f"fuzz-{target}.log")
        self.finding = ""

    def start(self):
        for folder in (self.keep, self.findings):
            os.makedirs(folder, exist_ok=True)
        seeds, longest = TARGETS[self.target]
        argv = [os.path.join(self.build.folder, f"tests/fuzz/{self.target}_fuzz"),
                f"-max_total_time={self.seconds}", "-timeout=25", "-rss_limit_mb=2048",
                "-print_final_stats=1", f"-artifact_prefix={self.findings}/{self.target}-"]
        words = os.path.join(ROOT, "tests", "fuzz", f"{self.target}.dict")
        argv += [f"-dict={words}"] if os.path.exists(words) else []
        argv += [f"-max_len={longest}"] if longest else []
        argv += [self.keep, os.path.join(self.build.folder, "seeds", seeds)]
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"})
        return self

    def wait(self):
        try:
            code = self.child.wait(self.seconds + STARTUP_LIMIT_S)
            if code != 0:
                self.finding = f"exit code {code}; see {self.log}\n" + self._what_broke()
            elif not self.executions():
                self.finding = "it executed nothing"
        except subprocess.TimeoutExpired:
            self.finding = f"not done within {self.seconds + STARTUP_LIMIT_S} s"
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        return self

    def executions(self):
        counts = re.findall(rb"^stat::number_of_executed_units: *(\d+)", self._text(), re.M)
        return int(counts[-1]) if counts else 0

    def coverage(self):
        edges = re.findall(rb"\bcov: (\d+)", self._text())
        return int(edges[-1]) if edges else 0

    def summary(self):
        return (f"fuzz {self.target}: {self.executions():,} executions in {self.seconds} s, "
                f"{self.coverage():,} edges, {1 if self.finding else 0} findings")

    def _text(self):
        with open(self.log, "rb") as log:
            return log.read()

    def _what_broke(self):
        lines = [line for line in tail(self.log, 200).splitlines()
                 if re.search(r"^broken|ERROR|runtime error|Test unit written|SUMMARY", line)]
        return "\n".join(lines)


def run(report, only):
    """The fast suite's part: every target for some seconds from a fresh corpus."""
    targets = [t for t in TARGETS if not only or only in f"fuzz {t}"]
    if not targets:
        return
    report.heading("fast: fuzzers")
    if lacking():
        report.add(SKIP, "fuzz", lacking())
        return
    try:
        build = make(targets)
    except BuildFailed as fault:
        say(str(fault))
        report.add(FAIL, "fuzz: the build")
        return
    fresh = os.path.join(build.folder, "short-runs")
    shutil.rmtree(fresh, ignore_errors=True)
    for old in glob.glob(os.path.join(build.folder, "findings", "*")):
        os.remove(old)
    for first in range(0, len(targets), AT_A_TIME):
        runs = [Run(build, t, SHORT_S, fresh).start() for t in targets[first:first + AT_A_TIME]]
        for each in runs:
            outcome = each.wait()
            say("  " + outcome.summary())
            report.add(FAIL if outcome.finding else PASS, f"fuzz {outcome.target}", outcome.finding)
