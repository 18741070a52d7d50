# SPDX-License-Identifier: Apache-2.0
"""Reads IPFIX (RFC 7011, 5103) from a stream or a file, written from the documents: messages,
Templates, records; says what a strict collector would complain about. And a collector over TCP or
TLS that uses it, in a thread."""
import collections
import socket
import ssl
import struct
import threading

REVERSE = 29305  # PEN of RFC 5103
Field = collections.namedtuple("Field", "element length enterprise")


class Session:
    """One transport session: a connection, or a file."""

    def __init__(self):
        self.templates = {}  # id -> (fields, is_options)
        self.records = []    # of flows: {(element, enterprise): octets}
        self.options = []    # Options records, the same
        self.messages = 0
        self.faults = []
        self._next = None
        self._rest = b""

    def feed(self, octets):
        self._rest += octets
        while len(self._rest) >= 16:
            version, length = struct.unpack_from("!HH", self._rest)
            if version != 10 or length < 16:
                self.faults.append(f"no message: version {version}, length {length}")
                self._rest = b""
                return
            if len(self._rest) < length:
                return
            self._message(self._rest[:length])
            self._rest = self._rest[length:]

    def at_boundary(self):
        return not self._rest

    def _message(self, octets):
        sequence = struct.unpack_from("!I", octets, 8)[0]
        if self._next is not None and sequence != self._next:
            self.faults.append(f"sequence {sequence} instead of {self._next}")
        if self._next is None and sequence != 0:
            self.faults.append(f"a session begins with sequence {sequence}")
        self.messages += 1
        before = len(self.records) + len(self.options)
        at = 16
        while at < len(octets):
            if len(octets) - at < 4:
                self.faults.append("octets behind the last set")
                break
            set_id, length = struct.unpack_from("!HH", octets, at)
            if length < 4 or at + length > len(octets):
                self.faults.append(f"set {set_id} has length {length}")
                break
            self._set(set_id, octets[at + 4:at + length])
            at += length
        self._next = (sequence + len(self.records) + len(self.options) - before) & 0xFFFFFFFF

    def _set(self, set_id, body):
        if set_id in (2, 3):
            self._templates(body, set_id == 3)
        elif set_id not in self.templates:
            self.faults.append(f"data of template {set_id} before the template")
        else:
            self._data(set_id, body)

    def _templates(self, body, is_options):
        at = 0
        while len(body) - at >= (6 if is_options else 4):
            template, count = struct.unpack_from("!HH", body, at)
            at += 6 if is_options else 4
            fields = []
            for _ in range(count):
                element, length = struct.unpack_from("!HH", body, at)
                at += 4
                enterprise = 0
                if element & 0x8000:
                    enterprise = struct.unpack_from("!I", body, at)[0]
                    at += 4
                fields.append(Field(element & 0x7FFF, length, enterprise))
            self.templates[template] = (fields, is_options)

    def _data(self, set_id, body):
        fields, is_options = self.templates[set_id]
        size = sum(f.length for f in fields)
        for start in range(0, len(body) - size + 1, size):
            record, at = {}, start
            for field in fields:
                record[field.element, field.enterprise] = body[at:at + field.length]
                at += field.length
            (self.options if is_options else self.records).append(record)
        if any(body[len(body) - len(body) % size:]):
            self.faults.append(f"padding of set {set_id} is not zero")

    def sum(self, element):
        return sum(int.from_bytes(r[key], "big") for r in self.records for key in r
                   if key[0] == element and key[1] in (0, REVERSE))

    def option(self, element):
        """What the newest Options record with it says; None: there is none."""
        values = [r[element, 0] for r in self.options if (element, 0) in r]
        return int.from_bytes(values[-1], "big") if values else None

    def packets(self):
        return self.sum(2)

    def octets(self):
        return self.sum(1)


def read_file(path):
    session = Session()
    with open(path, "rb") as stored:
        session.feed(stored.read())
    if not session.at_boundary():
        session.faults.append("the file ends within a message")
    return session


class StreamCollector:
    """Takes one connection after the other on 127.0.0.1:port, inside a namespace. `reads` False: it
    accepts and never reads. `context`: an ssl.SSLContext, or None for TCP."""

    def __init__(self, namespace, port, context=None, reads=True):
        self.sessions = []
        self.refused = []  # what TLS said
        self._context = context
        self._reads = reads
        self._open = []
        self._ended = False
        self._listener = namespace.call(self._listen, port)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _listen(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(4)
        listener.settimeout(0.2)
        return listener

    def _serve(self):
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except (socket.timeout, OSError):
                continue
            self._open.append(connection)
            if self._reads:
                self._take(connection)

    def _take(self, connection):
        try:
            if self._context:
                connection.settimeout(5)
                connection = self._context.wrap_socket(connection, server_side=True)
            connection.settimeout(0.2)
            session = Session()
            self.sessions.append(session)
            while not self._ended:
                try:
                    octets = connection.recv(65536)
                except socket.timeout:
                    continue
                if not octets:
                    break
                session.feed(octets)
        except (ssl.SSLError, OSError) as e:
            self.refused.append(str(e))
        finally:
            connection.close()

    def records(self):
        return sum(len(s.records) for s in self.sessions)

    def packets(self):
        return sum(s.packets() for s in self.sessions)

    def octets(self):
        return sum(s.octets() for s in self.sessions)

    def faults(self):
        return [fault for session in self.sessions for fault in session.faults]

    def close(self):
        self._ended = True
        self._listener.close()
        for each in self._open:
            try:
                each.close()
            except OSError:
                pass
        self._thread.join(10)
