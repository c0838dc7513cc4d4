#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What peers, guests and operators may send: nothing crashes, nothing stalls,
everything is counted or answered."""
import random
import socket
import struct
import time
import unittest
import lab

HELLO = bytes.fromhex("0400000800000001")


class OpenFlowBytes(unittest.TestCase):
    def connect(self, s):
        c = socket.socket(socket.AF_UNIX)
        c.settimeout(5)
        c.connect(s.openflow()[5:])
        return c

    @staticmethod
    def message(kind, body=b"", xid=7, version=4, length=None):
        return struct.pack("!BBHI", version, kind,
                           8 + len(body) if length is None else length,
                           xid) + body

    def read_messages(self, c, seconds=1.0):
        c.settimeout(seconds)
        data = b""
        try:
            while True:
                more = c.recv(65536)
                if not more:
                    return self.split(data), True
                data += more
        except (socket.timeout, ConnectionResetError) as e:
            return self.split(data), isinstance(e, ConnectionResetError)

    @staticmethod
    def split(data):
        out = []
        while len(data) >= 8:
            n = struct.unpack("!H", data[2:4])[0]
            out.append(data[:n])
            data = data[n:]
        return out

    def test_bad_messages_get_their_error_or_a_closed_connection(self):
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0")
            cases = [
                (self.message(99), (1, 1)),                 # BAD_TYPE
                (self.message(14, b"\0" * 8), (1, 6)),      # short flow-mod
                (self.message(18, b"\0\x77" + b"\0" * 6), (1, 2)),
                (self.message(0x14, b"", version=9), (1, 0)),  # BAD_VERSION
            ]
            for msg, (kind, code) in cases:
                c = self.connect(s)
                c.sendall(HELLO + msg)
                got, closed = self.read_messages(c)
                errors = [m for m in got if m[1] == 1]
                self.assertTrue(errors or closed, msg.hex())
                if errors:
                    self.assertEqual(struct.unpack("!HH", errors[0][8:12]),
                                     (kind, code), msg.hex())
                c.close()
            # A length that no message can have.
            c = self.connect(s)
            c.sendall(HELLO + self.message(2, length=3))
            self.assertTrue(self.read_messages(c)[1])

    def test_random_bytes_neither_crash_nor_stall_another_connection(self):
        rng = random.Random(2026)
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0")
            good = self.connect(s)
            good.sendall(HELLO)
            self.read_messages(good, 0.2)
            before = s.rss_kib()
            worst = 0.0
            for i in range(300):
                c = self.connect(s)
                body = rng.randbytes(rng.randrange(0, 400))
                kind = rng.randrange(0, 30)
                try:
                    c.sendall(HELLO + self.message(kind, body)
                              + rng.randbytes(rng.randrange(0, 64)))
                except OSError:
                    pass
                c.close()
                if i % 10 == 0:
                    t = time.monotonic()
                    good.sendall(self.message(2, b"ping", xid=i))
                    good.settimeout(5)
                    data = b""
                    while b"ping" not in data:
                        data += good.recv(4096)
                    worst = max(worst, time.monotonic() - t)
            self.assertLess(worst, 1.0)
            self.assertTrue(s.process.alive())
            self.assertLess(s.rss_kib() - before, 20000)

    def test_a_controller_that_does_not_read_is_disconnected(self):
        with lab.Lab() as l:
            a = l.ns("a")
            s = l.switch()
            s.ctl("add-br", "br0")
            s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1)
            deaf = self.connect(s)
            deaf.sendall(HELLO)
            # Ask for more than any queue holds and never read.
            ask = self.message(2, b"x" * 60000)
            deaf.settimeout(2)
            sent = 0
            try:
                while sent < 400 << 20:
                    sent += deaf.send(ask)
            except (socket.timeout, OSError):
                pass
            s.flows("actions=NORMAL")  # Another one is served meanwhile.
            self.assertTrue(s.process.alive())
            deaf.close()


class Commands(unittest.TestCase):
    def test_a_bad_command_changes_nothing_and_says_why(self):
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0")
            before = s.ctl("export")
            for words, named in (
                    (("add-br", "br0"), "br0"),
                    (("add-port", "nobr", "p"), "nobr"),
                    (("add-port", "br0", "p", "type=warp"), "warp"),
                    (("add-port", "br0", "v", "type=vxlan",
                      "remote=192.0.2.2", "key=16777216"), "16777215"),
                    (("add-port", "br0", "n", "type=nvgre",
                      "remote=192.0.2.2", "key=4095"), "4095"),
                    (("add-port", "br0", "v", "type=vxlan",
                      "remote=192.0.2.300", "key=1"), "192.0.2.300"),
                    (("add-port", "br0", "t", "type=tap", "mtu=99999"),
                     "99999"),
                    (("add-port", "br0", "t", "type=tap", "mac=zz"), "zz"),
                    (("add-port", "br0", "t", "type=tap", "ofport=0"), "0"),
                    (("add-port", "br0", "t", "type=tap", "colour=red"),
                     "colour"),
                    (("del-port", "br0", "nope"), "nope"),
                    (("add-uplink", "nosuchdev"), "nosuchdev"),
                    (("set-controller", "br0", "carrier-pigeon:1"),
                     "carrier-pigeon"),
                    (("set-controller", "br0", "tcp:1.2.3.4:70000"),
                     "70000")):
                r = s.ctl(*words, check=False)
                self.assertEqual(r.returncode, 1, words)
                self.assertIn(named, r.stderr, words)
            self.assertEqual(s.ctl("export"), before)


class Frames(unittest.TestCase):
    def test_malformed_frames_are_counted_by_reason(self):
        eth = bytes.fromhex("020000000002020000000001")
        ip = bytes.fromhex("4500001c000000004011") + b"\0\0" + bytes(8)
        frames = {
            "parse_arp": eth + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1",
            "parse_ipv4": eth + b"\x08\x00" + b"\x4f\0\0\x14" + bytes(16),
            "parse_ipv6": eth + b"\x86\xdd" + b"\x60" + bytes(20),
            "parse_vlan": eth + b"\x81\x00" + b"\0",
            "parse_mpls": eth + b"\x88\x47" + b"\0\0",
            "parse_l4": eth + b"\x08\x00" + ip[:2] + b"\0\x18" + ip[4:]
            + b"\0\1\0\2",
        }
        with lab.Lab() as l:
            a = l.ns("a")
            s = l.switch()
            s.ctl("add-br", "br0")
            s.tap("br0", "tap1", a, ofport=1)
            s.flows("actions=drop")
            for reason, frame in frames.items():
                for _ in range(3):
                    self.inject(a, "tap1", frame)
                lab.wait_until("%s: %s" % (reason, s.drops()), lambda:
                               s.drops().get(reason, 0) == 3, 3)

    @staticmethod
    def inject(ns, device, frame):
        lab.sh(lab.PYTHON, "-c", "import socket; s = socket.socket("
               "socket.AF_PACKET, socket.SOCK_RAW); s.bind(('%s', 0)); "
               "s.send(bytes.fromhex('%s'))" % (device, frame.hex()), ns=ns)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
