# SPDX-License-Identifier: Apache-2.0
"""The fast suite: unit tests three times over, case by case, tidy, and the fuzzers for some
seconds each. No root is needed."""
import json
import os
import re

import fuzz
from build import Build, BuildFailed
from report import FAIL, PASS, SKIP, run_logged, say, tail

SKIPPED = 77  # how a script says so, to meson too; its last line is the reason
SLOWER = {"build": 1, "build-asan": 4, "build-tsan": 10}  # how much longer a test may take
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}
# What runs with ThreadSanitizer: the places where two threads of ours meet, by name or by suite.
THREADS_MEET = re.compile(r"^(worker|api|export)$")


def run(report, only):
    for name, wanted in (("build", None), ("build-asan", None), ("build-tsan", THREADS_MEET)):
        report.heading(f"fast: unit tests of {name}")
        try:
            run_build(report, name, wanted, only)
        except BuildFailed as fault:
            say(str(fault))
            report.add(FAIL, f"{name}: the build")
    fuzz.run(report, only)


def run_build(report, name, wanted, only):
    build = Build(name).setup()
    tests = [t for t in build.unit_tests() if not t.suites & {"root", "bench", "perf"}]
    if name != "build":
        tests = [t for t in tests if t.is_gtest]  # scripts are the same with any compiler
    tests = [t for t in tests if (not wanted or wanted.search(t.name) or "threads" in t.suites)
             and (not only or only in t.name)]
    if not tests:
        report.add(SKIP, name, f"no unit test has '{only}' in its name" if only
                   else "no unit test fits this build")
        return
    run_tests(report, build, tests)


def run_tests(report, build, tests):
    if not tests:
        return
    build.compile(sorted({target for t in tests for target in t.targets}))
    for test in tests:
        run_test(report, build, test)


def run_test(report, build, test):
    label = f"{build.name}:{test.name}"
    log = os.path.join(build.folder, f"test-{test.name.replace('/', '_').replace(' ', '_')}.log")
    out = log + ".json"
    if os.path.exists(out):
        os.remove(out)
    argv = list(test.command) + ([f"--gtest_output=json:{out}"] if test.is_gtest else [])
    code = run_logged(argv, log, test.limit_s * SLOWER[build.name], cwd=test.folder,
                      env={**os.environ, **SANITIZER_ENVIRONMENT, **test.environment})
    counts = add_cases(report, label, out, log) if os.path.exists(out) else None
    if code == 0:
        if counts is None:
            report.add(PASS, label)
        elif not sum(counts.values()):
            report.add(FAIL, label, "it ran no test")
        else:
            say(f"PASS {label}: {counts[PASS]} cases"
                + (f", {counts[SKIP]} skipped" if counts[SKIP] else ""))
        return
    if code == SKIPPED and not test.is_gtest:
        report.add(SKIP, label, tail(log, 1).strip())
        return
    say(tail(log, 60))
    if not counts or not counts[FAIL]:  # it died: no case of its own says so
        report.add(FAIL, label, "not done in time" if code is None else f"exit code {code}")


def skip_reasons(log):
    """{case: what its GTEST_SKIP said}: GoogleTest 1.12 leaves it out of its JSON."""
    with open(log, errors="replace") as text:
        found = re.findall(r"^\[ RUN      \] (\S+)\n(?:(?!\[ RUN ).*\n)*?\S+: Skipped\n"
                           r"((?:(?!\[).+\n)*)", text.read(), re.M)
    return {case: " ".join(why.split()) for case, why in found}


def add_cases(report, label, path, log):
    counts = {PASS: 0, FAIL: 0, SKIP: 0}
    reasons = skip_reasons(log)
    with open(path) as text:
        told = json.load(text)
    for suite in told["testsuites"]:
        for case in suite["testsuite"]:
            outcome, why = outcome_of(case)
            if outcome == SKIP:
                why = reasons.get(f"{suite['name']}.{case['name']}", "it does not say why")
            if outcome:
                counts[outcome] += 1
                report.add(outcome, f"{label} {suite['name']}.{case['name']}", why, quiet=True)
    return counts


def outcome_of(case):
    if case.get("failures"):
        return FAIL, case["failures"][0]["failure"].splitlines()[0]
    if case.get("result") == "SKIPPED":
        return SKIP, ""
    return (PASS, "") if case.get("status") == "RUN" else (None, "")
