# SPDX-License-Identifier: Apache-2.0
"""Finds the corpus of real captures with their truth, which is kept beside the project.

WIRETALLY_CORPUS names the folder that holds truth.py, check.py and public/; else it is looked for
in ../shared/corpus beside the checkout.
"""
import json
import os
import subprocess
import sys

from harness import ROOT


def folder():
    """The corpus' folder, or None."""
    for place in (os.environ.get("WIRETALLY_CORPUS"),
                  os.path.join(os.path.dirname(ROOT), "shared", "corpus")):
        if place and os.path.exists(os.path.join(place, "truth.py")):
            return os.path.abspath(place)
    return None


ABSENT = "there is no corpus beside the checkout (WIRETALLY_CORPUS or ../shared/corpus)"


def index():
    """Rows of INDEX.tsv as dictionaries, in the order of their names."""
    with open(os.path.join(folder(), "public", "INDEX.tsv")) as rows:
        head = rows.readline().rstrip("\n").split("\t")
        table = [dict(zip(head, row.rstrip("\n").split("\t"))) for row in rows if row.strip()]
    return sorted(table, key=lambda row: row["file"])


def capture(name):
    return os.path.join(folder(), "public", "pcaps", name)


def truth_path(name, ending):
    stem = name[:-3] if name.endswith(".gz") else name
    base = os.path.join(folder(), "public", "truth")
    for each in (stem.rsplit(".", 1)[0], name):
        if os.path.exists(os.path.join(base, each + ".json")):
            return os.path.join(base, each + ending)
    raise FileNotFoundError(f"no truth for {name}")


def totals(name):
    with open(truth_path(name, ".json")) as text:
        return json.load(text)


def compare(name, nfdump_file, *options):
    """(equal, text) of truth.py compare for what nfdump printed into the file."""
    argv = [sys.executable, os.path.join(folder(), "truth.py"), "compare", "--truth",
            truth_path(name, ".flows.tsv"), "--nfdump-csv", nfdump_file, *options]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    return done.returncode == 0, done.stdout
