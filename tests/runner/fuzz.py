# SPDX-License-Identifier: Apache-2.0
"""The libFuzzer targets: built together, seeded, run. As a part of the fast suite each makes a
fixed number of executions that are the same on every machine; tests/fuzz/run goes new ways for as
long as one likes."""
import base64
import glob
import os
import random
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

from build import ROOT, Build, BuildFailed
from report import FAIL, PASS, SKIP, say, tail

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import corpus  # noqa: E402


class Target(NamedTuple):
    seeds: str    # the kind of seeds it reads
    longest: int  # the longest input worth its time (0: libFuzzer's choice)
    runs: int     # in the fast suite: some 6 s on two cores


TARGETS = {
    "parser": Target("packet", 0, 400_000),
    "differential": Target("packet", 0, 200_000),
    "explain": Target("packet", 0, 70_000),
    "pipeline": Target("pipeline", 8192, 800),
    "capture_file": Target("capture_file", 16384, 20_000),
    "config": Target("config", 0, 4_000),
    "control": Target("control", 0, 6_000),
    "decoder": Target("decoder", 0, 5_000),
}
SHORT_SEED = 1
SHORT_LIMIT_S = 120  # a machine that needs longer for its executions makes fewer
AT_A_TIME = 2
STARTUP_LIMIT_S = 120  # for reading the seeds, before and beside the time that was asked for
SHOWN_MAX = 2048  # octets of an input that a log is to hold


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


def seeds_of(build, target):
    return os.path.join(build.folder, "seeds", TARGETS[target].seeds)


class Run:
    """One target with these options of libFuzzer, which end it after at most `limit_s`."""

    def __init__(self, build, target, seed, limit_s, options):
        self.build, self.target, self.seed, self.limit_s = build, target, seed, limit_s
        self.options = options
        self.program = os.path.join("tests", "fuzz", f"{target}_fuzz")
        self.findings = os.path.join(build.folder, "findings")
        self.log = os.path.join(build.folder, f"fuzz-{target}.log")
        self.finding = ""

    def start(self):
        os.makedirs(self.findings, exist_ok=True)
        longest = TARGETS[self.target].longest
        argv = [os.path.join(self.build.folder, self.program), f"-seed={self.seed}",
                f"-max_total_time={self.limit_s}", "-timeout=25", "-rss_limit_mb=2048",
                "-print_final_stats=1", f"-artifact_prefix={self.findings}/{self.target}-"]
        words = os.path.join(ROOT, "tests", "fuzz", f"{self.target}.dict")
        argv += [f"-dict={words}"] if os.path.exists(words) else []
        argv += [f"-max_len={longest}"] if longest else []
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                argv + self.options, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=seeds_of(self.build, self.target),
                env={**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1"})
        return self

    def wait(self):
        try:
            code = self.child.wait(self.limit_s + STARTUP_LIMIT_S)
            if code != 0:
                self.finding = "\n".join([f"exit code {code}; see {self.log}", *self._what_broke(),
                                          *self._how_to_repeat()])
            elif not self.executions():
                self.finding = "it executed nothing"
        except subprocess.TimeoutExpired:
            self.finding = f"not done within {self.limit_s + STARTUP_LIMIT_S} s"
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
        return (f"fuzz {self.target}, seed {self.seed}: {self.executions():,} executions, "
                f"{self.coverage():,} edges, {1 if self.finding else 0} findings")

    def _text(self):
        with open(self.log, "rb") as log:
            return log.read()

    def _what_broke(self):
        """What a target said before it stopped itself, and the sanitizers' own words."""
        text = tail(self.log, 200)
        said = re.findall(r"^broken: .*?(?=\n==\d+==|\Z)", text, re.M | re.S)
        return said + re.findall(r"^.*(?:ERROR|runtime error|SUMMARY).*$", text, re.M)

    def _how_to_repeat(self):
        """The input itself: where only the log is left, as of CI, it is enough."""
        written = re.findall(rb"^.*Test unit written to (.+)$", self._text(), re.M)
        if not written:
            return []
        with open(written[-1], "rb") as file:
            octets = file.read()
        program = os.path.join(self.build.name, self.program)
        if len(octets) > SHOWN_MAX:
            return [f"input: {len(octets):,} octets, {os.fsdecode(written[-1])}",
                    f"repeat: {program} FILE"]
        text = base64.b64encode(octets).decode()
        return [f"repeat: echo {text} | base64 -d > input && {program} input"]


def short_run(build, target):
    """The same executions everywhere: seeds in a fixed order, a number of executions in place of a
    time, nothing read back from a folder, and no compared values in the mutations, for among them
    are addresses, which differ from run to run. tests/README.md has what still differs."""
    listed = os.path.join(build.folder, f"seeds-{target}.txt")
    with open(listed, "w") as file:
        file.write(",".join(sorted(os.listdir(seeds_of(build, target)))))
    return Run(build, target, SHORT_SEED, SHORT_LIMIT_S,
               [f"-runs={TARGETS[target].runs}", f"-seed_inputs=@{listed}", "-use_cmp=0"])


def long_run(build, target, seconds, seed=None, keep=None):
    """New ways every time. `keep`: the folder of inputs that is read and added to."""
    kept = os.path.abspath(os.path.join(keep or os.path.join(build.folder, "corpus"), target))
    os.makedirs(kept, exist_ok=True)
    return Run(build, target, seed or random.randrange(1, 2**32), seconds,
               [kept, seeds_of(build, target)])


def run(report, only):
    """The fast suite's part: a short run of every target."""
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
    for old in glob.glob(os.path.join(build.folder, "findings", "*")):
        os.remove(old)
    for first in range(0, len(targets), AT_A_TIME):
        runs = [short_run(build, t).start() for t in targets[first:first + AT_A_TIME]]
        for each in runs:
            outcome = each.wait()
            say("  " + outcome.summary())
            report.add(FAIL if outcome.finding else PASS, f"fuzz {outcome.target}", outcome.finding)
