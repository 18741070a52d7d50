#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attributes of flows in CSV and in export templates that name them: frames whose every field is
known go in, `read --fields` and what tshark and nfdump decode of the records has to say the same.
"""
import csv
import json
import socket
import struct
import subprocess
import sys

import harness
from harness import collectors, meter

LIMIT_S = 60
SOURCE, TARGET = "00:1b:21:0a:0b:0c", "00:1b:21:0d:0e:0f"
FIELDS = ("ip_version,src,dst,proto,sport,dport,packets,octets,tcp_flags,tos,tos_or,ttl_min,"
          "ttl_max,length_min,length_max,flow_label,fragment_flags,icmp_type,icmp_code,src_mac,"
          "dst_mac,vlan,vlan_priority,inner_vlan,inner_vlan_priority,vlan_tags,mpls_labels,"
          "mpls_depth,mpls_exp,tunnel,tunnel_id")
# A column, what one lists in `fields`, where tshark shows it, and how it writes the value.
ELEMENTS = [
    ("tcp_flags", "tcpControlBits", "cflow.tcpflags", int),
    ("tos", "ipClassOfService", "cflow.tos", int),
    ("ttl_min", "minimumTTL", "cflow.ttl_min", int),
    ("ttl_max", "maximumTTL", "cflow.ttl_max", int),
    ("length_min", "minimumIpTotalLength", "cflow.length_min", int),
    ("length_max", "maximumIpTotalLength", "cflow.length_max", int),
    ("flow_label", "flowLabelIPv6", "cflow.ipv6flowlabel", int),
    ("fragment_flags", "fragmentFlags", "cflow.ip_fragment_flags", int),
    ("icmp_type", "icmpTypeIPv4", "cflow.icmp_ipv4_type", int),
    ("icmp_code", "icmpCodeIPv4", "cflow.icmp_ipv4_code", int),
    ("icmp_type", "icmpTypeIPv6", "cflow.icmp_ipv6_type", int),
    ("icmp_code", "icmpCodeIPv6", "cflow.icmp_ipv6_code", int),
    ("src_mac", "sourceMacAddress", "cflow.srcmac", str),
    ("dst_mac", "destinationMacAddress", "cflow.dstmac", str),
    ("vlan", "dot1qVlanId", "cflow.dot1q_vlan_id", int),
    ("vlan_priority", "dot1qPriority", "cflow.dot1q_priority", int),
    ("inner_vlan", "dot1qCustomerVlanId", "cflow.dot1q_customer_vlan_id", int),
    ("inner_vlan_priority", "dot1qCustomerPriority", "cflow.dot1q_customer_priority", int),
    ("mpls_depth", "mplsLabelStackDepth", "cflow.mpls_label_depth", int),
    ("mpls_exp", "mplsTopLabelExp", "cflow.mpls_top_label_exp", int),
    ("tunnel_id", "layer2SegmentId", "cflow.layer2_segment_id", int),
]
OTHER = {4: "IPv6", 6: "IPv4"}  # elements for the other kind of record
VXLAN_SEGMENT = 1 << 56  # IANA's layer2SegmentId: what kind of segment, in the first octet
NFDUMP = {"packets": "in_packets", "octets": "in_bytes", "tos": "src_tos", "vlan": "src_vlan",
          "icmp_type": "icmp_type", "icmp_code": "icmp_code"}
LABELS = ["mplsTopLabelStackSection", "mplsLabelStackSection2", "mplsLabelStackSection3"]
KEY = ["sourceIPv4Address", "destinationIPv4Address", "sourceIPv6Address", "destinationIPv6Address",
       "protocolIdentifier", "sourceTransportPort", "destinationTransportPort", "packetDeltaCount",
       "octetDeltaCount", "flowStartMilliseconds", "flowEndMilliseconds"]


def mac(text):
    return bytes(int(part, 16) for part in text.split(":"))


def ethernet(*rest):
    return mac(TARGET) + mac(SOURCE) + b"".join(rest)


def tag(tpid, priority, number):
    return struct.pack(">HH", tpid, priority << 13 | number)


def label(number, traffic_class, bottom):
    return struct.pack(">I", number << 12 | traffic_class << 9 | bottom << 8 | 64)


def ipv4(protocol, payload, tos=0, ttl=64, flags=0):
    return struct.pack(">BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), 7, flags << 8, ttl, protocol,
                       0, bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])) + payload


def ipv6(protocol, payload, traffic_class=0, flow_label=0, hops=64):
    head = struct.pack(">IHBB", 6 << 28 | traffic_class << 20 | flow_label, len(payload), protocol,
                       hops)
    ends = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + \
        socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    return head + ends + payload


def tcp(flags, octets):
    return struct.pack(">HHIIHHHH", 5001, 443, 1, 1, 5 << 12 | flags, 1000, 0, 0) + bytes(octets)


def udp(to, payload):
    return struct.pack(">HHHH", 5002, to, 8 + len(payload), 0) + payload


def tagged_flow():
    """Two tags, three labels, a flow whose packets differ in all that is a range or an OR."""
    links = [tag(0x88a8, 5, 1001), tag(0x8100, 3, 202), struct.pack(">H", 0x8847),
             label(70001, 6, 0), label(70002, 0, 0), label(70003, 0, 1)]
    return ([ethernet(*links, ipv4(6, tcp(0x902, 10), 0xb8, 61, 0x40)),
             ethernet(*links, ipv4(6, tcp(0x4c1, 400), 0x04, 250, 0x20))],
            {"ip_version": 4, "src": "192.0.2.1", "dst": "198.51.100.2", "proto": 6,
             "sport": 5001, "dport": 443, "packets": 2, "octets": 490,
             "tcp_flags": 0xdc3, "tos": 0xb8, "tos_or": 0xbc, "ttl_min": 61, "ttl_max": 250,
             "length_min": 50, "length_max": 440, "fragment_flags": 0x60, "vlan": 1001,
             "vlan_priority": 5, "inner_vlan": 202, "inner_vlan_priority": 3, "vlan_tags": 2,
             "mpls_labels": "70001/70002/70003",
             "mpls_depth": 3, "mpls_exp": 6})


def labelled_flow():
    kind = struct.pack(">H", 0x86dd)
    return ([ethernet(kind, ipv6(17, udp(53, bytes(9)), 0x20, 0xabcde, 9)),
             ethernet(kind, ipv6(17, udp(53, bytes(99)), 0x08, 0x12345, 10))],
            {"ip_version": 6, "src": "2001:db8::1", "dst": "2001:db8::2", "proto": 17,
             "sport": 5002, "dport": 53, "packets": 2, "octets": 204, "tcp_flags": 0,
             "tos": 0x20, "tos_or": 0x28, "ttl_min": 9,
             "ttl_max": 10, "length_min": 57, "length_max": 147, "flow_label": 0xabcde, "vlan": 0,
             "vlan_tags": 0, "mpls_depth": 0})


def icmp_flow():
    return ([ethernet(struct.pack(">H", 0x0800), ipv4(1, struct.pack(">BBHI", 3, 4, 0, 1400)))],
            {"ip_version": 4, "proto": 1, "sport": 0, "dport": 3 * 256 + 4,
             "packets": 1, "octets": 28, "icmp_type": 3, "icmp_code": 4,
             "ttl_min": 64, "ttl_max": 64, "fragment_flags": 0})


def icmpv6_flow():
    return ([ethernet(struct.pack(">H", 0x86dd), ipv6(58, struct.pack(">BBHI", 1, 3, 0, 0)))],
            {"ip_version": 6, "proto": 58, "sport": 0, "dport": 256 + 3, "packets": 1, "octets": 48,
             "icmp_type": 1, "icmp_code": 3, "flow_label": 0})


def vxlan_flow():
    frame = ethernet(struct.pack(">H", 0x0800), ipv4(17, udp(9, b"")))
    packet = udp(4789, struct.pack(">BBHI", 8, 0, 0, 0x123456 << 8) + frame)
    return ([ethernet(struct.pack(">H", 0x0800), ipv4(17, packet))],
            {"ip_version": 4, "proto": 17, "dport": 4789, "packets": 1, "octets": 78,
             "tunnel": "vxlan", "tunnel_id": 0x123456})


FLOWS = {"tcp": tagged_flow, "udp over IPv6": labelled_flow, "icmp": icmp_flow,
         "icmpv6": icmpv6_flow, "vxlan": vxlan_flow}


def pcap(frames, link_type=1):
    records = (struct.pack("<IIII", 1_700_000_000 + i, 0, len(f), len(f)) + f
               for i, f in enumerate(frames))
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link_type) + b"".join(records)


def read_as(kind, text):
    return kind(text, 0) if kind is int else kind(text)


class AttributeExport(harness.Case):
    def write(self, name, data):
        path = self.lab.path(name)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def read(self, *arguments, command=lambda *argv: list(argv)):
        done = subprocess.run(command(meter.binary(), "read", *arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def config(self, port, version, layout):
        return self.write("export.yaml", (
            f"export:\n  collectors:\n    - {{address: '127.0.0.1:{port}', version: {version}, "
            f"{layout}}}\n").encode())

    def test_fields_are_columns_with_the_frames_values(self):
        for name, flow in FLOWS.items():
            with self.subTest(name):
                frames, wanted = flow()
                wanted = {**wanted, "src_mac": SOURCE, "dst_mac": TARGET}
                path = self.write("flow.pcap", pcap(frames))
                rows = list(csv.DictReader(self.read(path, "-o", "csv", "--fields", FIELDS)
                                           .stdout.splitlines()))
                self.assertEqual(len(rows), 1, rows)
                got = {column: read_as(type(value), rows[0][column])
                       for column, value in wanted.items()}
                self.assertEqual(got, wanted)

    def exported(self, capture, version):
        """The datagrams that a collector of all elements gets, as a recording."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
            collector.bind(("127.0.0.1", 0))
            collector.settimeout(0.2)
            port = collector.getsockname()[1]
            names = KEY + LABELS + list(dict.fromkeys(each[1] for each in ELEMENTS))
            config = self.config(port, version, "fields: [" + ", ".join(names) + "]")
            told = self.read(capture, "-o", "none", "--config", config)
            self.assertIn("The ledger balances", told.stderr)
            datagrams = []
            try:
                while True:
                    datagrams.append(collector.recv(65535))
            except TimeoutError:
                pass
        self.assertTrue(datagrams)
        return self.write("export.pcap", pcap([ipv4(17, udp(2055, d)) for d in datagrams], 101))

    def decoded(self, recording):
        """{field of tshark: text} of the one Data Record."""
        fields = [each[2] for each in ELEMENTS] + ["cflow.mpls_label", "cflow.packets",
                                                   "cflow.octets", "_ws.expert"]
        argv = ["tshark", "-n", "-r", recording, "-d", "udp.port==2055,cflow", "-Y",
                "cflow.packets || cflow.octets", "-T", "fields", "-E", "separator=/t"]
        for field in fields:
            argv += ["-e", field]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 1, done.stdout + done.stderr)
        return dict(zip(fields, lines[0].split("\t")))

    def test_tshark_reads_each_named_element_as_the_frames_have_it(self):
        compared = 0
        for name, flow in FLOWS.items():
            frames, wanted = flow()
            wanted = {**wanted, "src_mac": SOURCE, "dst_mac": TARGET}
            capture = self.write("flow.pcap", pcap(frames))
            for version in (9, 10):
                with self.subTest(f"{name}, version {version}"):
                    got = self.decoded(self.exported(capture, version))
                    self.assertEqual(got["_ws.expert"], "")
                    self.assertEqual(int(got["cflow.octets"]), wanted["octets"])
                    for column, element, field, kind in ELEMENTS:
                        if column not in wanted or element.endswith(OTHER[wanted["ip_version"]]):
                            continue
                        value = wanted[column]
                        if column == "tunnel_id":
                            value |= VXLAN_SEGMENT
                        self.assertNotEqual(got[field], "", element)
                        self.assertEqual(read_as(kind, got[field]), value, element)
                        compared += 1
                    labels = got["cflow.mpls_label"].replace(",", "/")
                    self.assertEqual(labels, wanted.get("mpls_labels", "0/0/0"))
        print(f"  {compared} values compared")
        self.assertGreaterEqual(compared, 80)

    def test_nfdump_reads_what_it_knows_of_layout_full(self):
        """One capture of all flows; records told apart by protocol and ports."""
        flows = [flow() for flow in FLOWS.values()]
        capture = self.write("flows.pcap", pcap([f for frames, _ in flows for f in frames]))
        within = self.inside()
        for version in (9, 10):
            nfcapd = collectors.Nfcapd(self.lab, within, 2055, f"nfcapd{version}")
            self.read(capture, "-o", "none", "--config",
                      self.config(2055, version, "layout: full"), command=within.command)
            nfcapd.settle().stop()
            records = [r for r in json.loads(nfcapd.nfdump("-o", "json")) if r["type"] == "FLOW"]
            self.assertEqual(len(records), len(flows))
            for _, wanted in flows:
                with self.subTest(f"protocol {wanted['proto']}, version {version}"):
                    [got] = [r for r in records if r["proto"] == wanted["proto"] and
                             r.get("dst_port", wanted["dport"]) == wanted["dport"]]
                    for column, key in NFDUMP.items():
                        if column in wanted:
                            self.assertEqual(got.get(key, 0), wanted[column], f"{key} of {got}")
                    if wanted["proto"] == 6:
                        self.assertEqual([got[key] for key in ("mpls_1", "mpls_3", "tcp_flags")],
                                         ["70001-6-0", "70003-0-1", "CE....SF"])
                    self.assertEqual((got["in_src_mac"], got["in_dst_mac"]), (SOURCE, TARGET))


if __name__ == "__main__":
    sys.exit(harness.main())
