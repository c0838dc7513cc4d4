# SPDX-License-Identifier: Apache-2.0
"""OpenFlow connections and raw sockets for the conformance runner.

What:    Connection frames and sends messages as bytes, any version, and keeps
         what came in order; Port is a packet socket on the tester's end of a
         link.  Nothing here interprets a match or an action.
Errors:  Lost is raised when the peer closes or answers no barrier.
Source:  OpenFlow 1.0.0 §5.1, 1.3.5 §7.1, 1.5.1 §7.1."""
import select
import socket
import struct
import time

WIRE = {"1.0": 1, "1.3": 4, "1.4": 5, "1.5": 6}
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, FEATURES = 0, 1, 2, 3, 5
PACKET_IN = 10
SOL_PACKET, PACKET_AUXDATA, TAG_VALID, PACKET_OUTGOING = 263, 8, 16, 4
MIN_FRAME = 60  # Ethernet's 64 bytes less the FCS.
ANY = 0xffffffff


class Lost(Exception):
    """The connection is gone, or the switch does not answer."""


def padded(frame):
    """As any Ethernet port would send it: a veth does not pad."""
    return frame + bytes(max(0, MIN_FRAME - len(frame)))


class Port:
    """A packet socket on interface 'name' of this thread's namespace."""

    def __init__(self, name):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                               socket.htons(3))
        self.s.bind((name, 3))
        self.s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.s.setblocking(False)

    def fileno(self):
        return self.s.fileno()

    def send(self, frame):
        self.s.send(frame)

    def take(self):
        """Frames that came in; the VLAN tag that the kernel took off is put
        back where it was."""
        got = []
        while True:
            try:
                frame, extra, _, addr = self.s.recvmsg(65600, 256)
            except BlockingIOError:
                return got
            if addr[2] == PACKET_OUTGOING:
                continue
            for level, kind, data in extra:
                if (level, kind) != (SOL_PACKET, PACKET_AUXDATA):
                    continue
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH",
                                                              data[:20])
                if status & TAG_VALID:
                    frame = (frame[:12] + struct.pack(">HH", tpid or 0x8100,
                                                      tci) + frame[12:])
            got.append(frame)


class Connection:
    """A controller's connection to a switch that listens on (host, port)."""

    def __init__(self, version, address):
        self.version, self.address = WIRE[version], address
        self.s, self.buf, self.xid = None, b"", 0x1000
        self.open()

    def open(self, seconds=20):
        end = time.monotonic() + seconds
        if self.s:
            self.s.close()
        while True:
            try:
                self.s = socket.create_connection(self.address, timeout=3)
                break
            except OSError as e:
                if time.monotonic() > end:
                    raise Lost("cannot connect: %s" % e) from None
                time.sleep(0.1)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""
        self.send(HELLO)
        self._expect(HELLO)
        self.send(FEATURES)
        self._expect(FEATURES + 1)

    def _expect(self, kind):
        for t, _, m in self.until(lambda t, x: t == kind, 5):
            if t == ERROR:
                raise Lost("handshake refused: " + m.hex())

    def send(self, kind, body=b""):
        """Sends a message; its xid."""
        self.xid += 1
        self._out(struct.pack(">BBHI", self.version, kind, 8 + len(body),
                              self.xid) + body)
        return self.xid

    def send_raw(self, message):
        """Sends ready bytes under a new xid, which it returns."""
        self.xid += 1
        self._out(message[:4] + struct.pack(">I", self.xid) + message[8:])
        return self.xid

    def _out(self, data):
        try:
            self.s.settimeout(10)
            self.s.sendall(data)
        except OSError as e:
            raise Lost("send: %s" % e) from None

    def _one(self):
        """The next whole message of the buffer, or None."""
        if len(self.buf) < 8:
            return None
        n = struct.unpack(">H", self.buf[2:4])[0]
        if n < 8:
            raise Lost("message with length %d" % n)
        if len(self.buf) < n:
            return None
        m, self.buf = self.buf[:n], self.buf[n:]
        return m[1], struct.unpack(">I", m[4:8])[0], m

    def until(self, stop, seconds):
        """[(type, xid, bytes)] up to the one that 'stop' likes; Lost when it
        does not come, with what came in .got."""
        got, end = [], time.monotonic() + seconds
        while True:
            one = self._one()
            if one:
                if one[0] == ECHO_REQUEST:
                    self._out(one[2][:1] + bytes([ECHO_REPLY]) + one[2][2:])
                    continue
                got.append(one)
                if stop(one[0], one[1]):
                    return got
                continue
            left = end - time.monotonic()
            if left < 0 or not select.select([self.s], [], [],
                                             max(0, left))[0]:
                raise self._lost("no answer within %.1f s" % seconds, got)
            try:
                data = self.s.recv(262144)
            except OSError:
                data = b""
            if not data:
                raise self._lost("closed", got)
            self.buf += data

    @staticmethod
    def _lost(why, got):
        e = Lost(why)
        e.got = got
        return e

    def waiting(self):
        """Messages that are here already."""
        got = []
        while True:
            one = self._one()
            if one:
                if one[0] == ECHO_REQUEST:
                    self._out(one[2][:1] + bytes([ECHO_REPLY]) + one[2][2:])
                else:
                    got.append(one)
                continue
            if not select.select([self.s], [], [], 0)[0]:
                return got
            data = self.s.recv(262144)
            if not data:
                raise self._lost("closed", got)
            self.buf += data

    def barrier(self, seconds=5):
        """What came before the barrier's reply."""
        kind = 18 if self.version == 1 else 20
        xid = self.send(kind)
        return self.until(lambda t, x: x == xid and t in (kind + 1, ERROR),
                          seconds)[:-1]

    def multipart(self, kind, body=b"", seconds=5):
        """The replies' bytes, all parts."""
        request = 16 if self.version == 1 else 18
        head = struct.pack(">HH", kind, 0)
        if self.version > 1:
            head += bytes(4)
        xid, parts = self.send(request, head + body), []
        while True:
            t, _, m = self.until(lambda t, x: x == xid, seconds)[-1]
            parts.append(m)
            if t != request + 1 or not m[11] & 1:
                return parts

    def reset(self):
        """No flows, groups or meters, and a barrier behind it."""
        if self.version == 1:
            match = struct.pack(">I", 0x3fffff) + bytes(36)
            self.send(14, match + struct.pack(">QHHHHIHH", 0, 3, 0, 0, 0, ANY,
                                              0xffff, 0))
            return self.barrier()
        self.send(14, struct.pack(">QQBBHHHIIIHHHHI", 0, 0, 255, 3, 0, 0, 0,
                                  ANY, ANY, ANY, 0, 0, 1, 4, 0))
        group = struct.pack(">HBBI", 2, 0, 0, 0xfffffffc)
        if self.version >= 6:
            group += struct.pack(">HHI", 0, 0, 0xffffffff)
        self.send(15, group)
        self.send(29, struct.pack(">HHI", 2, 0, 0xffffffff))
        return self.barrier()

    def table_counts(self):
        """{table: (lookups, matches)} (OFPMP_TABLE)."""
        counts = {}
        for m in self.multipart(3):
            if self.version == 1:
                for i in range(12, len(m) - 63, 64):
                    counts[m[i]] = struct.unpack_from(">QQ", m, i + 48)
            else:
                for i in range(16, len(m) - 23, 24):
                    counts[m[i]] = struct.unpack_from(">QQ", m, i + 8)
        return counts

    def packet_in(self, m):
        """(reason, frame) of a packet-in's bytes."""
        if self.version == 1:
            return m[16], m[18:]
        match = struct.unpack(">H", m[26:28])[0]
        return m[14], m[24 + (match + 7) // 8 * 8 + 2:]


def describe(version, m):
    """A short name of what a switch answered."""
    if m[1] == ERROR and len(m) >= 12:
        return "error(%d,%d)" % struct.unpack(">HH", m[8:12])
    if m[1] == (17 if version == 1 else 19) and len(m) >= 12:
        return "multipart(%d)" % struct.unpack(">H", m[8:10])
    return "type(%d)" % m[1]
