# SPDX-License-Identifier: Apache-2.0
"""The other side of the export: real collectors and a real Prometheus, each inside a namespace.

Nfcapd and Nfacctd take NetFlow on 127.0.0.1:PORT there and give back what they understood.
"""
import csv
import glob
import io
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from .resources import LabError, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


def listens(process, port, protocol):
    """True once the process' namespace has a socket bound to the port (udp) or listening (tcp)."""
    wanted = "%04X" % port
    for name in (protocol, protocol + "6"):
        try:
            with open(f"/proc/{process.pid}/net/{name}") as table:
                rows = [line.split() for line in table.read().splitlines()[1:]]
        except OSError:
            continue
        for row in rows:
            state_fits = protocol == "udp" or row[3] == "0A"
            if row[1].rsplit(":", 1)[1] == wanted and state_fits:
                return True
    return False


def udp_receiver(port, timeout_s):
    """A collector of one's own: a socket on 127.0.0.1 of the namespace we are in."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", port))
    receiver.settimeout(timeout_s)
    return receiver


def wait_empty(process, port):
    """Waits until the process has taken every datagram out of its socket."""
    def empty():
        with open(f"/proc/{process.pid}/net/udp") as table:
            rows = [line.split() for line in table.read().splitlines()[1:]]
        queues = [row[4] for row in rows if row[1].endswith(":%04X" % port)]
        return all(int(queue.split(":")[1], 16) == 0 for queue in queues)
    process.wait_until(empty, 10, "its socket does not run empty")


class Nfcapd:
    """nfcapd with its files in a folder; totals() after stop() by way of nfdump."""

    def __init__(self, lab, namespace, port=2055, name="nfcapd"):
        self.folder = lab.make_folder(name)
        self.port = port
        argv = ["nfcapd", "-w", self.folder, "-p", str(port), "-b", "127.0.0.1", "-t", "3600",
                "-B", "16777216", "-I", "lab"]
        self.process = lab.start(name, namespace.command(*argv))
        self.process.wait_until(lambda: listens(self.process, port, "udp"), 10, "no socket")

    def settle(self):
        wait_empty(self.process, self.port)
        return self

    def stop(self):
        self.process.stop(10)
        return self

    def nfdump(self, *arguments):
        done = subprocess.run(["nfdump", "-R", self.folder, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "TZ": "UTC"})
        if done.returncode != 0:
            raise LabError(f"nfdump: {done.stderr.strip()}")
        return done.stdout

    def records(self):
        """Rows of nfdump's CSV, as dictionaries; the summary below them is left out."""
        text = self.nfdump("-o", "csv").split("\nSummary\n")[0]
        if text.startswith("No matching flows") or not text.startswith("ts,"):
            return []
        return [row for row in csv.DictReader(io.StringIO(text)) if row.get("pr")]

    def totals(self):
        """{"records", "packets", "octets"} of everything received."""
        rows = self.records()
        return {"records": len(rows), "packets": sum(int(r["ipkt"]) for r in rows),
                "octets": sum(int(r["ibyt"]) for r in rows)}

    def files(self):
        return sorted(glob.glob(os.path.join(self.folder, "nfcapd.*")))

    def sequence_failures(self):
        return sum(int(n) for n in re.findall(r"Sequence failures: (\d+)", self.nfdump("-I")))


class Nfacctd:
    """pmacct's NetFlow collector; rows() after stop() are sums per 5-tuple."""

    CONFIG = """\
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
nfacctd_pipe_size: 16777216
plugins: print[p]
aggregate[p]: src_host, dst_host, src_port, dst_port, proto
print_output[p]: json
print_output_file[p]: {folder}/rows.json
print_output_file_append[p]: true
print_refresh_time[p]: 3600
plugin_buffer_size: 10240
plugin_pipe_size: 102400000
"""

    def __init__(self, lab, namespace, port=2056, name="nfacctd"):
        self.folder = lab.make_folder(name)
        self.port = port
        config = os.path.join(self.folder, "nfacctd.conf")
        with open(config, "w") as out:
            out.write(self.CONFIG.format(port=port, folder=self.folder))
        self.process = lab.start(name, namespace.command("nfacctd", "-f", config))
        self.process.wait_until(lambda: listens(self.process, port, "udp"), 15, "no socket")

    def stop(self):
        """Ends it; its print plugin writes on the way out, or nothing if it got nothing."""
        wait_empty(self.process, self.port)
        time.sleep(1)  # from the core process to its plugin there is one more pipe, unseen
        self.process.stop(20, signal.SIGINT)
        self._wait_written()
        return self

    def _wait_written(self, limit_s=8):
        """The plugin is a process of its own and may write a little after its parent has gone."""
        size, until = -1, time.monotonic() + limit_s
        while time.monotonic() < until:
            now = os.path.getsize(self._output()) if os.path.exists(self._output()) else -1
            if now == size and now > 0:
                return
            size = now
            time.sleep(0.3)

    def _output(self):
        return os.path.join(self.folder, "rows.json")

    def rows(self):
        if not os.path.exists(self._output()):
            return []
        with open(self._output()) as rows:
            return [json.loads(line) for line in rows if line.startswith("{")]

    def totals(self):
        rows = self.rows()
        return {"packets": sum(r["packets"] for r in rows), "octets": sum(r["bytes"] for r in rows)}


class Prometheus:
    """A real server that scrapes one target once a second."""

    CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: wiretally
    static_configs: [{{targets: ["{target}"]}}]
"""

    def __init__(self, lab, namespace, target, port=9090, name="prometheus"):
        self.namespace = namespace
        self.url = f"http://127.0.0.1:{port}"
        config = lab.path(name + ".yml")
        with open(config, "w") as out:
            out.write(self.CONFIG.format(target=target))
        data = lab.make_folder(name + "-data")
        argv = ["prometheus", "--config.file=" + config, "--storage.tsdb.path=" + data,
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        self.process = lab.start(name, namespace.command(*argv))

    def wait_ready(self, timeout_s=30):
        self.process.wait_until(self._ready, timeout_s, "not ready")

    def _ready(self):
        try:
            return fetch(self.namespace, self.url + "/-/ready")[0] == 200
        except OSError:
            return False

    def query(self, expression):
        """The number of an instant query; None while there is no such series."""
        query = urllib.parse.urlencode({"query": expression})
        _, text = fetch(self.namespace, f"{self.url}/api/v1/query?{query}")
        result = json.loads(text)["data"]["result"]
        return int(float(result[0]["value"][1])) if result else None

    def wait_for_value(self, expression, value, timeout_s=10):
        """Polls until the query gives the value; returns what it gave last."""
        last = [None]

        def equal():
            last[0] = self.query(expression)
            return last[0] == value
        try:
            wait_for(equal, timeout_s, expression, 0.2)
        except TimeoutError:
            pass
        return last[0]


def fetch(namespace, url, timeout_s=5):
    """(status, text) of an HTTP GET from inside the namespace (None: from here)."""
    def get():
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    return namespace.call(get) if namespace else get()


class Sender:
    """traffic.py in a namespace; totals() once it ended."""

    def __init__(self, lab, namespace, interface, name="sender", **options):
        argv = ["python3", os.path.join(HERE, "traffic.py"), "--interface", interface]
        for key, value in options.items():
            argv += ["--" + key, str(value)]
        self.process = lab.start(name, namespace.command(*argv))

    def wait(self, timeout_s):
        code = self.process.wait(timeout_s)
        if code != 0:
            raise LabError(f"the sender ended with {code}:\n{self.process.log(15)}")
        return self.totals()

    def stop(self):
        self.process.stop(10)
        return self.totals()

    def totals(self):
        return json.loads(self.process.log(1))
