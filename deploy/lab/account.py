# SPDX-License-Identifier: Apache-2.0
"""Holds the counts of sender, kernel, meter, nfdump and Prometheus against each other."""
from .resources import wait_for

METERED = "sum(wiretally_metered_packets_total)"


def received(status):
    return sum(port["received"]["packets"] for port in status["ports"])


def missed(status):
    return sum(sum(port["missed"].values()) for port in status["ports"])


def metered(status, versions=None, what="packets"):
    """Sum over the ports; `versions`: names of wiretally's label ip_version, None for all."""
    return sum(volume[what] for port in status["ports"]
               for name, volume in port["metered"].items() if versions is None or name in versions)


def metered_ip(status, what="packets"):
    """What goes to collectors: frames without IP are not sent to them unless asked for."""
    return metered(status, ("4", "6"), what)


def reported_missed(status):
    return {reason: packets for port in status["ports"]
            for reason, packets in port["missed"].items() if packets}


def wait_quiet(meter, link=None, sent=None, timeout_s=10):
    """The status once every sent packet was received or missed, else after a quiet time."""
    last = [None]

    def settled():
        before = last[0]
        last[0] = meter.ask("status")
        if sent is not None:
            return received(last[0]) + missed(last[0]) >= sent["packets"]
        return before is not None and before["tick"]["count"] != last[0]["tick"]["count"]
    try:
        wait_for(settled, timeout_s, "the meter's last tick", 0.3)
    except TimeoutError:
        pass  # the comparison names what is missing
    return last[0]


class Book:
    """`sent` None: the traffic is not ours and goes on, so what nfdump has grows until the stop."""

    def __init__(self, sent, kernel, status, nfdump, sequence_failures, prometheus, ledger_code):
        self.sent = sent
        self.kernel = kernel
        self.status = status
        self.nfdump = nfdump
        self.sequence_failures = sequence_failures
        self.prometheus = prometheus
        self.ledger_code = ledger_code

    def rows(self):
        s = self.status
        if self.sent:
            yield "sender: sent", self.sent["packets"], self.sent["l2_octets"], "layer 2"
            yield ("sender: of these IPv4 and IPv6", *self._sent_ip(), "layer 3")
        if self.kernel:
            yield ("kernel: arrived at the interface", self.kernel["rx"]["packets"],
                   self.kernel["rx"]["bytes"], "layer 2")
        yield ("wiretally: received", received(s),
               sum(p["received"]["l2_octets"] for p in s["ports"]), "layer 2")
        yield "wiretally: missed", missed(s), None, str(reported_missed(s) or "")
        yield "wiretally: metered", metered(s), metered(s, what="l2_octets"), "layer 2"
        yield "wiretally: of these IPv4 and IPv6", metered_ip(s), metered_ip(s, "octets"), "layer 3"
        yield ("nfdump: sum of all records", self.nfdump["packets"], self.nfdump["octets"],
               f"layer 3, {self.nfdump['records']} records")
        if self.prometheus is not None:
            yield "Prometheus: metered", self.prometheus, None, ""

    def _sent_ip(self):
        return [self.sent["ipv4"][k] + self.sent["ipv6"][k] for k in ("packets", "octets")]

    def table(self):
        lines = [f"    {'':36}{'packets':>14}{'octets':>16}"]
        for name, packets, octets, remark in self.rows():
            shown = "" if octets is None else f"{octets}"
            lines.append(f"    {name:36}{packets:>14}{shown:>16}  {remark}".rstrip())
        return "\n".join(lines)

    def faults(self):
        """One sentence for every pair that should be equal and is not."""
        s = self.status
        got = {key: self.nfdump[key] for key in ("packets", "octets")}
        if not self.sent:
            got = {key: min(got[key], metered_ip(s, key)) for key in got}
        pairs = [("nfdump's packets", got["packets"], "metered IP", metered_ip(s)),
                 ("nfdump's octets", got["octets"], "metered IP", metered_ip(s, "octets")),
                 ("nfdump's sequence failures", self.sequence_failures, "none", 0),
                 ("exit code of wiretally ledger", self.ledger_code, "balanced", 0)]
        if self.prometheus is not None:
            pairs.append(("Prometheus", self.prometheus, "metered", metered(s)))
        if self.sent:
            pairs.append(("received + missed", received(s) + missed(s), "sent",
                          self.sent["packets"]))
        if self.sent and not missed(s):
            ip = self._sent_ip()
            pairs += [("metered IP packets", metered_ip(s), "sent", ip[0]),
                      ("metered IP octets", metered_ip(s, "octets"), "sent", ip[1])]
        return [f"{a} {x}, {b} {y}" for a, x, b, y in pairs if x != y]
