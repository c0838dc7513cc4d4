#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Auxiliary connections over TCP and TLS (OpenFlow 1.3.5 §6.3.6).  No
controller at hand uses them, so the controller here is sockets and os-ken's
encoder."""
import os
import socket
import ssl
import struct
import subprocess
import unittest
import lab

try:
    from os_ken.ofproto import ofproto_v1_3 as ofp
    from os_ken.ofproto import ofproto_v1_3_parser as parser
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc
except ImportError:
    print("python3-os-ken not installed: skipped")
    raise SystemExit(lab.SKIPPED)

DP = ProtocolDesc(version=ofp.OFP_VERSION)


class Channel:
    """One connection of the switch, seen by the controller."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""
        sock.settimeout(10)
        self.version = self.receive()[0]
        self.sock.sendall(struct.pack("!BBHI", ofp.OFP_VERSION, 0, 8, 1))
        self.send(parser.OFPFeaturesRequest(DP))
        reply = self.expect(ofp.OFPT_FEATURES_REPLY)
        self.dpid, = struct.unpack_from("!Q", reply, 8)
        self.aux = reply[21]

    def send(self, msg):
        msg.set_xid(7)
        msg.serialize()
        self.sock.sendall(msg.buf)

    def receive(self):
        """The next whole message; None at the end of the connection."""
        while len(self.data) < 8 or len(self.data) < struct.unpack_from(
                "!H", self.data, 2)[0]:
            more = self.sock.recv(65536)
            if not more:
                return None
            self.data += more
        size, = struct.unpack_from("!H", self.data, 2)
        msg, self.data = self.data[:size], self.data[size:]
        return msg

    def expect(self, kind):
        while True:
            msg = self.receive()
            assert msg is not None, "connection ended"
            assert msg[1] != ofp.OFPT_ERROR, "error: " + msg.hex()
            if msg[1] == ofp.OFPT_ECHO_REQUEST:
                self.sock.sendall(msg[:1] + b"\x03" + msg[2:])
            if msg[1] == kind:
                return msg

    def barrier(self):
        self.send(parser.OFPBarrierRequest(DP))
        self.expect(ofp.OFPT_BARRIER_REPLY)

    def packet_ins(self):
        """Source addresses (last byte) of the packet-ins until the reply to
        a barrier."""
        self.send(parser.OFPBarrierRequest(DP))
        sources = []
        while True:
            msg = self.receive()
            if msg[1] == ofp.OFPT_BARRIER_REPLY:
                return sources
            if msg[1] == ofp.OFPT_PACKET_IN:
                sources.append(msg[-60:][29])


class Controller:
    def __init__(self, tls=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.port = self.listener.getsockname()[1]
        self.tls = tls

    def accept(self):
        sock, _ = self.listener.accept()
        return Channel(self.tls.wrap_socket(sock, server_side=True)
                       if self.tls else sock)

    def accept_all(self, n):
        return sorted((self.accept() for _ in range(n)), key=lambda c: c.aux)


def identity(folder, name):
    """A self-signed key and certificate."""
    key, cert = (os.path.join(folder, name + end) for end in (".key", ".crt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=" + name, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return key, cert


def frame(i):
    """A UDP frame of flow i."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0,
                     bytes([10, 0, 0, i]), bytes([10, 0, 1, 1]))
    return (bytes.fromhex("020000000002020000000001") + b"\x08\x00"
            + ip).ljust(60, b"\x00")


class Auxiliary(unittest.TestCase):
    def run_with(self, l, s, controller, scheme):
        s.ctl("set-controller", "br0",
              "%s:127.0.0.1:%d" % (scheme, controller.port))
        main, *aux = controller.accept_all(3)
        self.assertEqual([c.aux for c in (main, *aux)], [0, 1, 2])
        self.assertEqual({c.dpid for c in (main, *aux)}, {main.dpid})
        self.assertEqual({c.version for c in aux}, {ofp.OFP_VERSION})
        shown = s.json("controllers")["controllers"]
        self.assertEqual(sorted(c["auxiliary_id"] for c in shown), [0, 1, 2])
        # A rule by one auxiliary connection, in force by its own barrier.
        aux[0].send(parser.OFPFlowMod(
            DP, table_id=0, priority=1, match=parser.OFPMatch(),
            instructions=[parser.OFPInstructionActions(
                ofp.OFPIT_APPLY_ACTIONS, [parser.OFPActionOutput(
                    ofp.OFPP_CONTROLLER, 0xffff)])]))
        aux[0].barrier()
        # 32 flows, three packets each, through the tables and back.
        for _ in range(3):
            for i in range(32):
                main.send(parser.OFPPacketOut(
                    DP, ofp.OFP_NO_BUFFER, ofp.OFPP_CONTROLLER,
                    [parser.OFPActionOutput(ofp.OFPP_TABLE)], frame(i)))
        main.barrier()
        lab.wait_until("packet-ins", lambda: s.balance("br0")["punted"] >= 96)
        got = [c.packet_ins() for c in aux]
        self.assertEqual(main.packet_ins(), [])
        self.assertEqual(sorted(got[0] + got[1]), sorted(list(range(32)) * 3))
        self.assertFalse(set(got[0]) & set(got[1]))
        self.assertGreaterEqual(min(len(set(g)) for g in got), 4)
        print("%s: flows per auxiliary connection: %d, %d" % (
            scheme, len(set(got[0])), len(set(got[1]))))
        # One auxiliary connection is lost: it comes back alone.
        aux[0].sock.close()
        again = controller.accept()
        self.assertEqual(again.aux, 1)
        main.barrier()
        # The main one is lost: the others end at once.
        main.sock.close()
        for c in (aux[1], again):
            while c.receive() is not None:
                pass
        self.assertEqual([c.aux for c in controller.accept_all(3)],
                         [0, 1, 2])

    def test_tcp(self):
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0", "aux-connections=2", "min-backoff=100",
                  "protocols=OpenFlow13")
            self.run_with(l, s, Controller(), "tcp")

    def test_tls(self):
        with lab.Lab() as l:
            s = l.switch()
            key, cert = identity(s.dir, "switch")
            peer_key, peer_cert = identity(s.dir, "controller")
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(peer_cert, peer_key)
            tls.load_verify_locations(cert)
            tls.verify_mode = ssl.CERT_REQUIRED
            s.ctl("add-br", "br0", "aux-connections=2", "min-backoff=100",
                  "protocols=OpenFlow13", "private-key=" + key,
                  "certificate=" + cert, "ca-cert=" + peer_cert)
            self.run_with(l, s, Controller(tls), "tls")

    def test_option_out_of_range_is_refused(self):
        with lab.Lab() as l:
            s = l.switch()
            r = s.ctl("add-br", "br0", "aux-connections=17", check=False)
            self.assertNotEqual(r.returncode, 0)
            self.assertIn("17", r.stderr)


if __name__ == "__main__":
    lab.main()
