# SPDX-License-Identifier: Apache-2.0
"""Build folders: one for what is shipped, one for each sanitizer; and the unit tests they hold."""
import json
import os
import re
import shutil
import subprocess

from report import run_logged, say, tail

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_LIMIT_S = 1500

# Compiling is most of the time a run takes: line numbers are all of the debug information needed,
# and -O1 is what the sanitizers' makers advise.
SANITIZED = ["-Dbuildtype=debug", "-Doptimization=1", "-Db_lundef=false"]
OPTIONS = {
    "build": [],
    "build-asan": SANITIZED + ["-Db_sanitize=address,undefined",
                               "-Dcpp_args=-g1 -fno-sanitize-recover=all"],
    # -fno-sanitize-recover stands in the top meson.build.
    "build-fuzz": SANITIZED + ["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Dcpp_args=-g1"],
    "build-tsan": SANITIZED + ["-Db_sanitize=thread", "-Dcpp_args=-g1"],
}


COMPILERS = {"build-fuzz": "clang++"}  # libFuzzer comes with clang


class BuildFailed(Exception):
    pass


class Build:
    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(ROOT, name)

    def setup(self):
        if os.path.exists(os.path.join(self.folder, "build.ninja")):
            return self
        environment = dict(os.environ)
        cache = "ccache " if shutil.which("ccache") else ""
        if self.name in COMPILERS:
            environment["CXX"] = cache + COMPILERS[self.name]
        elif cache:
            environment.setdefault("CXX", cache + "g++")
        done = subprocess.run(["meson", "setup", self.folder, ROOT, *OPTIONS[self.name]],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=environment)
        if done.returncode != 0:
            raise BuildFailed(f"meson setup {self.name}:\n" + done.stdout[-3000:])
        return self

    def compile(self, targets):
        log = os.path.join(self.folder, "tests-run.log")
        say(f"building {self.name}: {', '.join(targets) if len(targets) < 6 else len(targets)}"
            + (" programs" if len(targets) >= 6 else ""))
        code = run_logged(["ninja", "-C", self.folder, *targets], log, BUILD_LIMIT_S,
                          progress=self._progress)
        if code != 0:
            why = "not done in time" if code is None else "failed"
            raise BuildFailed(f"building {self.name} {why}:\n" + tail(log, 40))
        return self

    @staticmethod
    def _progress(line):
        match = re.match(r"\[\d+/\d+\]", line)
        if match:
            say("  " + match.group(0))

    def binary(self):
        return os.path.join(self.folder, "wiretally")

    def unit_tests(self):
        """What meson knows as tests: name, command, environment, folder, seconds, suites."""
        files = {each["id"]: each["filename"] for each in self._introspect("--targets")}
        return [UnitTest(self, each, files) for each in self._introspect("--tests")]

    def _introspect(self, what):
        done = subprocess.run(["meson", "introspect", what, self.folder],
                              stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


class UnitTest:
    """`files`: what each target of the build makes, by the target's id."""

    def __init__(self, build, told, files):
        self.name = told["name"]
        self.command = told["cmd"]
        self.environment = told["env"]
        self.folder = told["workdir"] or build.folder
        self.limit_s = told["timeout"]
        self.suites = {suite.split(":")[-1] for suite in told["suite"]}
        self.is_gtest = told["protocol"] == "gtest" or self._is_program_of(build)
        made = [self.command[0], *(f for each in told["depends"] for f in files.get(each, []))]
        paths = [os.path.relpath(path, build.folder) for path in made]
        self.targets = [path for path in paths if not path.startswith("..")]

    def _is_program_of(self, build):
        inside = not os.path.relpath(self.command[0], build.folder).startswith("..")
        return inside and len(self.command) == 1
