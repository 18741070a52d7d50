# SPDX-License-Identifier: Apache-2.0
"""The corpus suite: real captures against flow tables that other tools computed.

For each capture four claims, each a case of its own: its flows are equal to the truth, by the outer
and by the innermost header; every frame is metered or under a named reason; reading it under
AddressSanitizer and UBSan finds nothing.
"""
import csv
import json
import os
import re
import subprocess
import sys

from build import ROOT, Build, BuildFailed
from report import FAIL, PASS, SKIP, say

sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import corpus  # noqa: E402

CAPTURE_LIMIT_S = 60

def run(report, only):
    report.heading("corpus: captures against their truth")
    if not corpus.folder():
        report.add(SKIP, "corpus", corpus.ABSENT)
        return
    rows = [row for row in corpus.index() if not only or only in row["file"]]
    if not rows:
        report.add(SKIP, "corpus", f"no capture has '{only}' in its name")
        return
    try:
        plain = Build("build").setup().compile(["wiretally"])
        checked = Build("build-asan").setup().compile(["wiretally"])
    except BuildFailed as fault:
        say(str(fault))
        report.add(FAIL, "corpus: the build")
        return
    check_flows(report, plain, rows, "outer")
    check_flows(report, plain, rows, "inner")
    check_frames(report, plain, rows)
    check_sanitized(report, checked, rows)


def check_flows(report, build, rows, tunnel):
    """check.py names every capture that is not equal; the others are. `tunnel`: outer or inner."""
    argv = ["/usr/bin/python3", os.path.join(corpus.folder(), "check.py"), "--timeout",
            str(CAPTURE_LIMIT_S)]
    argv += ["--capture", rows[0]["file"]] if len(rows) == 1 else []
    argv += ["--inner"] if tunnel == "inner" else []
    argv += [os.path.join(corpus.folder(), "public"), "--", build.binary(), "read", "{}",
             "--output", "csv", "--tunnel", tunnel]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not re.search(r"^\d+ of \d+ captures exact$", done.stdout, re.M):
        say(done.stdout[-3000:])
        report.add(FAIL, f"corpus {tunnel} flows", f"check.py ended with {done.returncode}")
        return
    say("  " + done.stdout.rstrip().splitlines()[-1])
    unequal = {words[1]: line for line in done.stdout.splitlines()
               if (words := line.split()) and words[0] in ("FAIL", "DIFF")}
    excepted = exceptions(tunnel)
    for row in rows:
        name = f"corpus {tunnel} flows {row['file']}"
        differs, reason = row["file"] in unequal, excepted.get(row["file"])
        if differs and reason:
            say(f"  {row['file']} differs, as it is meant to: {reason}")
        if differs == bool(reason):
            report.add(PASS, name, quiet=True)
        elif differs:
            report.add(FAIL, name, " ".join(unequal[row["file"]].split()[2:]))
        else:
            report.add(FAIL, name, "is equal, but stands in tests/corpus_exceptions.tsv")


def exceptions(tunnel):
    """{capture: reason} of tests/corpus_exceptions.tsv."""
    found = {}
    with open(os.path.join(ROOT, "tests", "corpus_exceptions.tsv")) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                capture, view, reason = line.rstrip("\n").split("\t")
                if view == tunnel:
                    found[capture] = reason
    return found


def check_frames(report, build, rows):
    for row in rows:
        name = f"corpus frames {row['file']}"
        try:
            fault = frame_fault(build, row["file"])
        except (ValueError, KeyError, OSError, subprocess.TimeoutExpired) as e:
            fault = f"{type(e).__name__}: {e}"
        report.add(FAIL if fault else PASS, name, fault, quiet=True)


def frame_fault(build, name):
    """"" if frames and octets of the capture are all in records or under a named reason."""
    done = read(build, name, "csv")
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()[-200:]}"
    rows = list(csv.DictReader(done.stdout.splitlines()))
    metered = sum(int(row["packets"]) for row in rows)
    metered_l2 = sum(int(row["l2_octets"]) for row in rows)
    missing, missing_l2 = not_metered(done.stderr)
    truth = corpus.totals(name)
    if metered + missing != truth["packets"]:
        return f"{metered} metered + {missing} not metered of {truth['packets']} frames"
    if metered_l2 + missing_l2 != truth["l2_bytes"]:
        return (f"{metered_l2} metered + {missing_l2} not metered of {truth['l2_bytes']} "
                "layer-2 octets")
    return ""


def not_metered(ledger):
    """(packets, layer-2 octets) under the reasons of the ledger that `read` closes with."""
    packets = octets = 0
    for line in ledger.splitlines():
        words = line.replace(",", "").split()
        if len(words) > 2 and words[0] in "=+" and words[1].startswith("not_metered."):
            packets += int(words[2])
            octets += int(words[-1])
    return packets, octets


def check_sanitized(report, build, rows):
    for row in rows:
        name = f"corpus sanitized {row['file']}"
        try:
            done = read(build, row["file"], "none")
            fault = sanitizer_fault(done)
        except subprocess.TimeoutExpired:
            fault = f"not read within {CAPTURE_LIMIT_S} s"
        report.add(FAIL if fault else PASS, name, fault, quiet=True)


def sanitizer_fault(done):
    for line in done.stderr.splitlines():
        if "Sanitizer" in line or "runtime error:" in line:
            return line.strip()
    return f"exit code {done.returncode}" if done.returncode != 0 else ""


def read(build, name, output):
    return subprocess.run([build.binary(), "read", corpus.capture(name), "--output", output],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=CAPTURE_LIMIT_S,
                          env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1"})
