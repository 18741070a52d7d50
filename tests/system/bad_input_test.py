#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people get wrong: each time one clear sentence with the cure and the right exit code, never
the trace of an exception. 2: usage or configuration. 3: the machine cannot do it.
"""
import os
import re
import shutil
import struct
import subprocess
import sys

import harness
from harness import meter

# What a program prints that was surprised.
SURPRISED = re.compile(r"terminate called|what\(\)|std::|Aborted|Segmentation|core dumped|"
                       r"Assertion|backtrace|Sanitizer|\bEAL: Error - exiting")
USAGE, MACHINE = 2, 3


class BadInput(harness.Case):
    limit_s = 60
    binary = None  # a copy, where the checkout is closed to the user of the test

    def wiretally(self, *arguments, prefix=(), **more):
        return subprocess.run([*prefix, self.binary or meter.binary(), *arguments],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30, **more)

    def write(self, name, data):
        path = self.lab.path(name)
        with open(path, "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())
        return path

    def assert_refused(self, done, code, *words):
        said = done.stderr.strip()
        self.assertEqual(done.returncode, code, said + done.stdout[-500:])
        self.assertTrue(said, "nothing on standard error")
        self.assertIsNone(SURPRISED.search(said), said)
        for word in words:
            self.assertIn(word.lower(), said.lower())
        self.assertLess(len(said.splitlines()), 8, "one sentence was meant:\n" + said)

    def capture(self, count=1000):
        path = self.lab.path("good.pcap")
        subprocess.run([sys.executable, os.path.join(harness.ROOT, "deploy/lab/traffic.py"),
                        "--write", path, "--count", str(count)], check=True,
                       stdout=subprocess.DEVNULL)
        return path

    def run_config(self, text, prefix=()):
        path = self.write("run.yaml", text)
        os.chmod(path, 0o644)
        return self.wiretally("run", "--config", path, prefix=prefix)

    def config(self, capture, **more):
        return meter.config_text(capture, more.pop("collectors", []), self.lab.path("c.sock"),
                                 more.pop("metrics", ""), more.pop("more", ""))

    def test_a_capture_of_an_unknown_link_type_is_an_error_and_still_counted(self):
        frame = bytes(60)
        records = b"".join(struct.pack("<IIII", 1_700_000_000 + i, 0, 60, 60) + frame
                           for i in range(3))
        path = self.write("usb.pcap", struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 189)
                          + records)
        done = self.wiretally("read", path, "-q", "-o", "csv")
        self.assert_refused(done, USAGE, "usb.pcap", "link type is 189 (USB_LINUX)", "3 packets",
                            "editcap")
        self.assertIn(",,,0,0,0,3,0,180,", done.stdout)
        both = self.wiretally("read", self.capture(), path, "-o", "none")
        self.assertEqual(both.returncode, USAGE, both.stderr)
        self.assertIn("3 unknown_link_type", both.stderr)
        self.assertIn("The ledger balances", both.stderr)

    def test_a_section_with_an_unknown_interface_is_counted_by_name(self):
        def block(kind, body):
            octets = 12 + len(body)
            return struct.pack("<II", kind, octets) + body + struct.pack("<I", octets)
        frame = bytes(12) + b"\x08\x06" + bytes(46)
        section = struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)
        path = self.write("two.pcapng", block(0x0a0d0d0a, section)
                          + b"".join(block(1, struct.pack("<HHI", kind, 0, 0)) for kind in (1, 147))
                          + b"".join(block(6, struct.pack("<IIIII", i, 0, 0, 60, 60) + frame)
                                     for i in (0, 1, 1)))
        done = self.wiretally("read", path, "-o", "none")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 unknown_link_type", done.stderr)

    def test_a_missing_capture(self):
        path = self.lab.path("nowhere.pcap")
        self.assert_refused(self.wiretally("read", path), USAGE, path, "no such file")

    def test_a_directory_for_a_capture(self):
        self.assert_refused(self.wiretally("read", self.lab.folder), USAGE, self.lab.folder,
                            "directory")

    def test_an_empty_capture(self):
        path = self.write("empty.pcap", b"")
        self.assert_refused(self.wiretally("read", path), USAGE, path, "empty")

    def test_a_file_that_is_no_capture(self):
        path = self.write("text.pcap", b"ceci n'est pas une capture\n" * 50)
        self.assert_refused(self.wiretally("read", path), USAGE, path)

    def test_a_capture_that_ends_in_a_packet_is_metered_and_said(self):
        """All whole packets count; the damage is told; it is not a reason to give up."""
        whole = self.capture()
        with open(whole, "rb") as data:
            cut = self.write("cut.pcap", data.read()[:-7])
        done = self.wiretally("read", cut, "--output", "csv")
        self.assertIsNone(SURPRISED.search(done.stderr), done.stderr)
        self.assertIn(cut, done.stderr)
        packets = sum(int(line.split(",")[7]) for line in done.stdout.splitlines()[1:])
        self.assertEqual(packets, 999)

    def test_a_missing_configuration(self):
        path = self.lab.path("nowhere.yaml")
        self.assert_refused(self.wiretally("run", "--config", path), USAGE, path)
        self.assert_refused(self.wiretally("check", path), USAGE, path)

    def test_a_wrong_type(self):
        path = self.write("type.yaml", "capture:\n  driver: pcap\n  promiscuous: perhaps\n")
        self.assert_refused(self.wiretally("check", path), USAGE, path + ":3:",
                            "capture.promiscuous")

    def test_an_unknown_key_and_the_nearest_name(self):
        path = self.write("key.yaml", "capture:\n  driver: pcap\n  promiscous: true\n")
        self.assert_refused(self.wiretally("check", path), USAGE, path + ":3:", "promiscuous")

    def test_yaml_that_is_none(self):
        path = self.write("broken.yaml", "capture: {driver: pcap\nflows: [\n")
        self.assert_refused(self.wiretally("check", path), USAGE, path)

    def test_an_unknown_subcommand_and_option(self):
        self.assert_refused(self.wiretally("reed"), USAGE, "reed")
        self.assert_refused(self.wiretally("read", "--outputs", "csv", "x"), USAGE, "--outputs")

    def test_a_collector_that_does_not_resolve(self):
        """The capture is metered all the same; the exit code and one sentence say what was not."""
        done = self.wiretally("read", self.capture(), "--collector", "no.such.host.invalid:2055",
                              "--output", "none", "--quiet")
        self.assert_refused(done, MACHINE, "no.such.host.invalid", "has no address")

    def test_a_collector_without_a_port(self):
        done = self.wiretally("read", self.capture(), "--collector", "127.0.0.1")
        self.assert_refused(done, USAGE, "127.0.0.1")

    def test_a_filter_that_does_not_compile(self):
        done = self.wiretally("read", self.capture(), "--filter", "port port port")
        self.assert_refused(done, USAGE, "port port port")

    def test_an_interface_that_does_not_exist(self):
        done = self.run_config(self.config(meter.capture_section("pcap", "nowhere0")))
        self.assert_refused(done, MACHINE, "nowhere0")

    def test_a_dpdk_port_that_does_not_exist(self):
        done = self.run_config(self.config(meter.capture_section("dpdk", "nowhere0")))
        self.assert_refused(done, MACHINE, "nowhere0")

    def test_no_huge_pages(self):
        """Asked for far more than any machine of ours has."""
        capture = meter.capture_section("dpdk", "lo")
        capture = re.sub(r"(no_huge: true\n\s*)?memory: \d+M", "memory: 900G", capture)
        self.assertIn("900G", capture)
        self.assert_refused(self.run_config(self.config(capture)), MACHINE, "huge")

    def unprivileged(self):
        """What to put before the arguments of a copy that anybody can reach."""
        copy = shutil.copy(meter.binary(), self.open_folder())
        os.chmod(copy, 0o755)
        self.binary = copy
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                "--bounding-set=-all", "--inh-caps=-all"]

    def test_no_permission_to_capture(self):
        for driver in ("pcap", "dpdk"):
            with self.subTest(driver=driver):
                text = meter.config_text(meter.capture_section(driver, "lo"), [],
                                         "/nonexistent/c.sock", "")
                path = self.write("run.yaml", text.replace("/nonexistent", self.open_folder()))
                os.chmod(path, 0o644)
                done = self.wiretally("run", "--config", path, prefix=self.unprivileged())
                self.assert_refused(done, MACHINE, "lo")

    def open_folder(self):
        path = self.lab.make_folder("open")
        os.chmod(path, 0o777)
        return path

    def test_a_capture_that_may_not_be_read(self):
        path = self.capture()
        os.chmod(path, 0)
        done = self.wiretally("read", path, prefix=self.unprivileged())
        self.assert_refused(done, MACHINE, path, "permission")

    def test_a_metrics_port_that_is_taken(self):
        import socket
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = self.run_config(self.config(meter.capture_section("pcap", "lo"),
                                               metrics=f"127.0.0.1:{port}"))
        self.assert_refused(done, MACHINE, str(port))

    def test_views_of_a_meter_that_does_not_run(self):
        for view in ("status", "ledger", "flows", "top", "stop"):
            with self.subTest(view=view):
                done = self.wiretally(view, "--socket", self.lab.path("nobody.sock"))
                self.assert_refused(done, 1, "nobody.sock")


if __name__ == "__main__":
    sys.exit(harness.main())
