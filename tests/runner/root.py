# SPDX-License-Identifier: Apache-2.0
"""The root suite: unit tests that need root (meson's suite `root`), then every
tests/system/*_test.py, in a process of its own with a time limit.
"""
import glob
import os
import re
import subprocess
import sys
import threading

import fast
from build import ROOT, Build, BuildFailed
from report import FAIL, SKIP, say

FILE_LIMIT_S = 1200
CASE = re.compile(r"case (PASS|FAIL|SKIP) (\S+) \([\d.]+ s\)(?:: (.*))?$")


def run(report, only):
    report.heading("root: system tests in namespaces")
    if os.geteuid() != 0:
        report.add(SKIP, "root", "not run by root: network namespaces need it; use sudo tests/run")
        return
    try:
        build = Build("build").setup().compile(["wiretally"])
        fast.run_tests(report, build, [t for t in build.unit_tests() if "root" in t.suites
                                       and (not only or only in t.name)])
    except BuildFailed as fault:
        say(str(fault))
        report.add(FAIL, "build: the build")
        return
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "system", "*_test.py"))):
        run_file(report, path, only)


def run_file(report, path, only):
    name = os.path.splitext(os.path.basename(path))[0]
    argv = ["/usr/bin/python3", "-B", path] + ([only] if only and only not in name else [])
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")
    # SIGTERM first: the file's own clean-up takes its namespaces away.
    timers = [threading.Timer(FILE_LIMIT_S, child.terminate),
              threading.Timer(FILE_LIMIT_S + 30, child.kill)]
    for timer in timers:
        timer.start()
    cases = failed = 0
    try:
        for line in child.stdout:
            match = CASE.match(line.rstrip("\n"))
            if not match:
                sys.stdout.write("  " + line)
                sys.stdout.flush()
                continue
            outcome, case, why = match.groups()
            cases += 1
            failed += outcome == FAIL
            report.add(outcome, case, why or "")
        code = child.wait()
    finally:
        for timer in timers:
            timer.cancel()
        if child.poll() is None:
            child.terminate()
            child.wait(60)
    if code != 0 and not failed:
        report.add(FAIL, name, f"ended with exit code {code} after {cases} cases")
    elif not cases and not only:
        report.add(FAIL, name, "it ran no test")
