# SPDX-License-Identifier: Apache-2.0
"""Builds Ethernet frames octet by octet (RFC 894, 791, 8200, 9293, 768, 792, 4443, 826).

Every frame comes with what a meter must make of it, computed here and not by any meter.
Addresses are documentation and benchmarking ranges only (RFC 5737, 2544, 3849).
"""
import collections
import ipaddress
import socket
import struct
import time

# kind: 4, 6 or 0 (no IP). octets: IP total length, 0 without IP.
Frame = collections.namedtuple("Frame", "data kind octets")

FRAME_MIN = 60  # without FCS; a network card pads to it
IPV4, IPV6, ARP, LLDP, VLAN, QINQ = 0x0800, 0x86DD, 0x0806, 0x88CC, 0x8100, 0x88A8
ICMP, TCP, UDP, FRAGMENT, ICMPV6 = 1, 6, 17, 44, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def packet_socket(interface):
    """Sends whole frames out of the interface of the namespace we are in."""
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        out.bind((interface, 0))
    except OSError:
        out.close()
        raise
    return out


def keep_pace(began, number, rate):
    """Waits until frame `number` is due: `rate` a second since `began` (monotonic)."""
    ahead = began + number / rate - time.monotonic()
    if ahead > 0:
        time.sleep(ahead)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac(number):
    return b"\x02\x00" + struct.pack("!I", number & 0xFFFFFFFF)


def ethernet(source, destination, ethertype, payload, tags=()):
    head = destination + source
    for tpid, vlan in tags:
        head += struct.pack("!HH", tpid, vlan)
    return (head + struct.pack("!H", ethertype) + payload).ljust(FRAME_MIN, b"\0")


def transport_checksum(source, destination, protocol, segment, at):
    pseudo = source.packed + destination.packed
    if source.version == 4:
        pseudo += struct.pack("!BBH", 0, protocol, len(segment))
    else:
        pseudo += struct.pack("!IHBB", len(segment), 0, 0, protocol)
    value = checksum(pseudo + segment) or 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2:]


def tcp(source, destination, sport, dport, flags, sequence, acknowledgement, payload=b""):
    options = b"\x02\x04\x05\xb4\x01\x03\x03\x07" if flags & SYN else b""
    offset = (20 + len(options)) // 4
    head = struct.pack("!HHIIBBHHH", sport, dport, sequence & 0xFFFFFFFF,
                       acknowledgement & 0xFFFFFFFF, offset << 4, flags, 64240, 0, 0)
    return transport_checksum(source, destination, TCP, head + options + payload, 16)


def udp(source, destination, sport, dport, payload):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    return transport_checksum(source, destination, UDP, head + payload, 6)


def icmp(kind, code, rest):
    message = struct.pack("!BBH", kind, code, 0) + rest
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


def icmpv6(source, destination, kind, code, rest):
    message = struct.pack("!BBH", kind, code, 0) + rest
    return transport_checksum(source, destination, ICMPV6, message, 2)


def dns(identifier, name, answer=None):
    """A query for A, or its response when an IPv4 address is given."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    flags, answers = (0x8180, 1) if answer else (0x0100, 0)
    text = struct.pack("!HHHHHH", identifier, flags, 1, answers, 0, 0) + labels + b"\0\x01\0\x01"
    if answer:
        text += struct.pack("!HHHIH", 0xC00C, 1, 1, 300, 4) + answer.packed
    return text


def ip(source, destination, protocol, payload, ttl=64, tos=0, identifier=0):
    """The IP packet of either version."""
    if source.version == 6:
        head = struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), protocol, ttl)
        return head + source.packed + destination.packed + payload
    return ipv4_header(source, destination, protocol, len(payload), ttl, tos, identifier,
                       0x4000) + payload


def ipv4_header(source, destination, protocol, length, ttl, tos, identifier, fragment):
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + length, identifier & 0xFFFF, fragment, ttl,
                       protocol, 0) + source.packed + destination.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def fragments(source, destination, protocol, payload, identifier, size=1480):
    """The IP packets that carry the payload in pieces of `size` (a multiple of 8)."""
    packets = []
    for at in range(0, len(payload), size):
        piece = payload[at:at + size]
        more = at + size < len(payload)
        if source.version == 4:
            head = ipv4_header(source, destination, protocol, len(piece), 64, 0, identifier,
                               (0x2000 if more else 0) | at // 8)
            packets.append(head + piece)
        else:
            extension = struct.pack("!BBHI", protocol, 0, at | int(more), identifier)
            packets.append(ip(source, destination, FRAGMENT, extension + piece))
    return packets


def ip_frame(packet, source_mac, destination_mac, tags=()):
    version = packet[0] >> 4
    ethertype = IPV4 if version == 4 else IPV6
    return Frame(ethernet(source_mac, destination_mac, ethertype, packet, tags), version,
                 len(packet))


def arp_frame(source_mac, source, target, reply_to=None):
    operation, to = (2, reply_to) if reply_to else (1, b"\xff" * 6)
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, operation) + source_mac + source.packed
    body += (reply_to or b"\0" * 6) + target.packed
    return Frame(ethernet(source_mac, to, ARP, body), 0, 0)


def lldp_frame(source_mac):
    """IEEE 802.1AB: chassis, port, time to live, end."""
    body = b"\x02\x07\x04" + source_mac + b"\x04\x03\x07s0" + b"\x06\x02\x00\x78" + b"\0\0"
    return Frame(ethernet(source_mac, b"\x01\x80\xc2\0\0\x0e", LLDP, body), 0, 0)


def address(text, offset=0):
    return ipaddress.ip_address(text) + offset
