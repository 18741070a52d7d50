# SPDX-License-Identifier: Apache-2.0
"""tests/run's second half, once python3 is there: the suites one after the other."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import captures  # noqa: E402
import fast  # noqa: E402
import root  # noqa: E402
from report import Report, stop_with  # noqa: E402

SUITES = {"fast": fast.run, "corpus": captures.run, "root": root.run}


def parse(words):
    wanted, only = [], None
    rest = iter(words)
    for word in rest:
        if word == "--only":
            only = next(rest, None) or stop_with(2, "--only needs a word")
        elif word in SUITES:
            wanted.append(word)
        else:
            stop_with(2, f"'{word}' is not a suite; there are {', '.join(SUITES)}")
    return wanted or list(SUITES), only


def main():
    wanted, only = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report()
    for name, run in SUITES.items():
        if name in wanted:
            run(report, only)
    return report.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        stop_with(130, "interrupted")
