#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.3 on the wire: messages in, frames in, frames and messages out.

Every packet is sent as soon as the barrier reply is there: what a barrier
confirmed is in force (OpenFlow 1.3.5 §6.2).  A frame on a port where none is
due fails the case too.  os-ken encodes and decodes the messages, scapy builds
the frames."""
import ctypes
import os
import select
import socket
import struct
import unittest
import lab

try:
    from os_ken.ofproto import ofproto_parser, ofproto_protocol
    from os_ken.ofproto import ofproto_v1_3 as of
    from os_ken.ofproto import ofproto_v1_3_parser as msg
    from scapy.contrib.mpls import MPLS
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt,
                                    IPv6ExtHdrFragment, IPv6ExtHdrHopByHop)
    from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
    from scapy.packet import Raw
except ImportError as e:
    print("python3-os-ken or python3-scapy: %s: skipped" % e)
    raise SystemExit(lab.SKIPPED)

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
SOL_PACKET, PACKET_AUXDATA, TAG_VALID, PACKET_OUTGOING = 263, 8, 16, 4
SOON, LATE = 0.15, 3.0  # Seconds: what else comes; what must come.
IN_PORT = of.OFPP_IN_PORT


class Frames:
    """A raw socket on an interface of a namespace."""

    def __init__(self, ns, name):
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net") as home, \
                open("/run/netns/" + ns) as there:
            if libc.setns(there.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns " + ns)
            try:
                self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                       socket.htons(3))
                self.s.bind((name, 3))
            finally:
                libc.setns(home.fileno(), 0)
        self.s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.s.setblocking(False)

    def take(self):
        """Frames that came out of the switch; the kernel's VLAN tag is put
        back."""
        out = []
        while True:
            try:
                d, extra, _, addr = self.s.recvmsg(65600, 256)
            except BlockingIOError:
                return out
            if addr[2] == PACKET_OUTGOING:
                continue
            for level, kind, c in extra:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, tpid = struct.unpack(
                        "IIIHHHH", c[:20])
                    if status & TAG_VALID:
                        d = d[:12] + struct.pack(">HH", tpid, tci) + d[12:]
            out.append(d)


class Controller:
    def __init__(self, path):
        self.dp = ofproto_protocol.ProtocolDesc(of.OFP_VERSION)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.buf, self.xid = b"", 0
        self.send(msg.OFPHello(self.dp))

    def send(self, m):
        self.xid += 1
        m.set_xid(self.xid)
        m.serialize()
        self.s.sendall(bytes(m.buf))
        return self.xid

    def receive(self, seconds):
        """The next message, or None."""
        while True:
            n = len(self.buf) >= 8 and struct.unpack(">H", self.buf[2:4])[0]
            if n and len(self.buf) >= n:
                one, self.buf = self.buf[:n], self.buf[n:]
                if one[1] == of.OFPT_ECHO_REQUEST:
                    self.s.sendall(one[:1] + b"\3" + one[2:])
                    continue
                v, t, size, xid = ofproto_parser.header(one)
                return ofproto_parser.msg(self.dp, v, t, size, xid, one)
            if not select.select([self.s], [], [], seconds)[0]:
                return None
            more = self.s.recv(65536)
            if not more:
                raise AssertionError("the switch closed the connection")
            self.buf += more

    def barrier(self):
        """What came before the reply."""
        xid, got = self.send(msg.OFPBarrierRequest(self.dp)), []
        while True:
            m = self.receive(LATE)
            if m is None:
                raise AssertionError("no barrier reply")
            if m.xid == xid:
                return got
            got.append(m)

    def flow(self, *actions, table=0, priority=100, goto=None, more=(),
             cookie=0, **match):
        inst = list(more)
        if actions:
            inst.insert(0, msg.OFPInstructionActions(
                of.OFPIT_APPLY_ACTIONS, list(actions)))
        if goto is not None:
            inst.append(msg.OFPInstructionGotoTable(goto))
        self.send(msg.OFPFlowMod(self.dp, table_id=table, priority=priority,
                                 cookie=cookie, match=msg.OFPMatch(**match),
                                 instructions=inst))


def out(port, max_len=of.OFPCML_NO_BUFFER):
    return msg.OFPActionOutput(port, max_len)


def put(**field):
    return msg.OFPActionSetField(**field)


def write(*actions):
    return msg.OFPInstructionActions(of.OFPIT_WRITE_ACTIONS, list(actions))


def eth(*layers, dst=B, **kw):
    p = Ether(dst=dst, src=A, **kw)
    for layer in layers:
        p /= layer
    return bytes(p)


def udp4(ttl=64, dst="10.0.0.2", dport=53):
    return IP(src="10.0.0.1", dst=dst, ttl=ttl) / UDP(
        sport=4000, dport=dport) / Raw(b"weft" * 8)


def tcp6(*ext, dst="fd00::2", **kw):
    p = IPv6(src="fd00::1", dst=dst, **kw)
    for e in ext:
        p /= e
    return p / TCP(sport=4000, dport=80) / Raw(b"weft" * 8)


PLAIN = eth(udp4())


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        ns = cls.lab.ns("ports")
        cls.s = cls.lab.switch()
        cls.s.ctl("add-br", "br0", "dpid=00000000000000cf")
        for i in (1, 2, 3):
            cls.s.tap("br0", "cf%d" % i, ns, ofport=i)
            lab.sh("ip", "-n", ns, "link", "set", "cf%d" % i, "arp", "off")
        cls.ports = {i: Frames(ns, "cf%d" % i) for i in (1, 2, 3)}
        cls.c = Controller(cls.s.openflow()[len("unix:"):])
        cls.c.barrier()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.c.s.close()
            cls.s.check_balance()
        finally:
            cls.lab.down()

    def setUp(self):
        self.c.send(msg.OFPFlowMod(
            self.c.dp, table_id=of.OFPTT_ALL, command=of.OFPFC_DELETE,
            out_port=of.OFPP_ANY, out_group=of.OFPG_ANY))
        self.c.barrier()

    def drive(self, act, want, packet_ins=0):
        """Runs 'act' after a barrier; the ports put out exactly 'want',
        {port: [frame]}, and the controller gets so many packet-ins."""
        for m in self.c.barrier():
            if isinstance(m, msg.OFPErrorMsg):
                self.fail("refused: type %d code %d" % (m.type, m.code))
        for p in self.ports.values():
            p.take()
        act()
        due = sum(len(v) for v in want.values()) + packet_ins
        seen, pins = {}, []
        fds = {p.s: i for i, p in self.ports.items()}
        while True:
            n = sum(len(v) for v in seen.values()) + len(pins)
            ready = select.select([*fds, self.c.s], [], [],
                                  LATE if n < due else SOON)[0]
            if not ready:
                break
            for s in ready:
                if s is self.c.s:
                    m = self.c.receive(0)
                    if isinstance(m, msg.OFPPacketIn):
                        pins.append(m)
                else:
                    seen.setdefault(fds[s], []).extend(
                        f.hex() for f in self.ports[fds[s]].take())
        self.assertEqual({k: v for k, v in seen.items() if v},
                         {k: [f.hex() for f in v] for k, v in want.items()})
        self.assertEqual(len(pins), packet_ins)
        return pins

    def pipe(self, frame, want, port=1, packet_ins=0):
        return self.drive(lambda: self.ports[port].s.send(frame), want,
                          packet_ins)

    def refused(self, kind, code, send):
        send()
        errors = [m for m in self.c.barrier()
                  if isinstance(m, msg.OFPErrorMsg)]
        self.assertEqual([(e.type, e.code) for e in errors], [(kind, code)])


class Actions(Case):
    """§5.12, §7.2.5."""

    def test_set_field_writes_header_and_checksums(self):
        v4 = udp4(dst="10.9.9.9", dport=99)
        cases = (
            (dict(eth_dst=C), PLAIN, eth(udp4(), dst=C)),
            (dict(ipv4_dst="10.9.9.9"), PLAIN, eth(udp4(dst="10.9.9.9"))),
            (dict(udp_dst=99), eth(udp4(dst="10.9.9.9")), eth(v4)),
            (dict(ipv6_dst="fd00::9"), eth(tcp6()), eth(tcp6(dst="fd00::9"))),
            (dict(ipv6_flabel=0x12345), eth(tcp6()), eth(tcp6(fl=0x12345))),
            (dict(ip_dscp=46), eth(tcp6()), eth(tcp6(tc=46 << 2))),
            (dict(arp_op=2), eth(ARP(op=1, hwsrc=A, psrc="10.0.0.1")),
             eth(ARP(op=2, hwsrc=A, psrc="10.0.0.1"))),
        )
        for field, given, wanted in cases:
            with self.subTest(**field):
                self.setUp()
                kind = struct.unpack(">H", given[12:14])[0]
                pre = {"eth_type": kind}
                if "udp_dst" in field:
                    pre["ip_proto"] = 17
                self.c.flow(put(**field), out(2), **pre)
                self.pipe(given, {2: [wanted]})

    def test_set_field_ip_proto_behind_extension_headers(self):
        before = tcp6(IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt())
        after = IPv6(bytes(before))
        after[IPv6ExtHdrDestOpt].nh = 200
        raw = bytearray(bytes(after))
        # The pseudo header counts the protocol: 6 became 200.
        at = 40 + 8 + 8 + 16
        old = struct.unpack(">H", raw[at:at + 2])[0]
        s = (~old & 0xffff) + (~6 & 0xffff) + 200
        s = (s & 0xffff) + (s >> 16)
        s = (s & 0xffff) + (s >> 16)
        raw[at:at + 2] = struct.pack(">H", ~s & 0xffff)
        self.c.flow(put(ip_proto=200), out(2), eth_type=0x86dd, ip_proto=6)
        self.pipe(eth(before), {2: [eth(Raw(bytes(raw)), type=0x86dd)]})

    def test_push_pop_vlan_8021ad_over_8021q(self):
        tagged = eth(Dot1Q(vlan=7, prio=3), udp4())
        twice = eth(Dot1AD(vlan=100, prio=3), Dot1Q(vlan=7, prio=3), udp4())
        self.c.flow(msg.OFPActionPushVlan(0x88a8), put(vlan_vid=0x1064),
                    out(2), in_port=1)
        self.c.flow(msg.OFPActionPopVlan(), out(1), in_port=3,
                    vlan_vid=0x1064)
        self.pipe(tagged, {2: [twice]})
        self.pipe(twice, {1: [tagged]}, port=3)

    def test_mpls_stack_pushed_and_popped(self):
        one = eth(MPLS(label=16, s=1, ttl=64), udp4(), type=0x8847)
        two = eth(MPLS(label=17, s=0, ttl=64), MPLS(label=16, s=1, ttl=64),
                  udp4(), type=0x8847)
        push = msg.OFPActionPushMpls(0x8847)
        self.c.flow(push, put(mpls_label=16), push, put(mpls_label=17),
                    out(2), in_port=1)
        self.c.flow(msg.OFPActionPopMpls(0x8847), out(1), in_port=2,
                    eth_type=0x8847, mpls_label=17)
        self.c.flow(msg.OFPActionPopMpls(0x0800), out(1), in_port=3,
                    eth_type=0x8847, mpls_bos=1)
        self.pipe(PLAIN, {2: [two]})
        self.pipe(two, {1: [one]}, port=2)
        self.pipe(one, {1: [PLAIN]}, port=3)

    def test_ttl_set_copied_counted_down(self):
        def mpls(ttl, inner):
            return eth(MPLS(label=16, s=1, ttl=ttl), udp4(inner), type=0x8847)
        for action, given, wanted in (
                (msg.OFPActionCopyTtlIn(), mpls(9, 64), mpls(9, 9)),
                (msg.OFPActionCopyTtlOut(), mpls(9, 64), mpls(64, 64)),
                (msg.OFPActionDecMplsTtl(), mpls(9, 64), mpls(8, 64)),
                (msg.OFPActionSetMplsTtl(3), mpls(9, 64), mpls(3, 64)),
                (msg.OFPActionDecNwTtl(), PLAIN, eth(udp4(63))),
                (msg.OFPActionSetNwTtl(5), PLAIN, eth(udp4(5)))):
            with self.subTest(action=type(action).__name__):
                self.setUp()
                self.c.flow(action, out(2),
                            eth_type=struct.unpack(">H", given[12:14])[0])
                self.pipe(given, {2: [wanted]})

    def test_pbb_pushed_set_and_popped(self):
        # IEEE 802.1ah: I-TAG of 4 bytes, then the customer's frame.
        outer = bytes.fromhex("02000000000b02000000000a88e7")
        itag = struct.pack(">I", 0x123456)
        self.c.flow(msg.OFPActionPushPbb(0x88e7), put(pbb_isid=0x123456),
                    out(2), in_port=1)
        self.c.flow(msg.OFPActionPopPbb(), out(1), in_port=3,
                    eth_type=0x88e7, pbb_isid=0x123456)
        self.pipe(PLAIN, {2: [outer + itag + PLAIN]})
        self.pipe(outer + itag + PLAIN, {1: [PLAIN]}, port=3)


class Pipeline(Case):
    """§5.1, §5.9, §5.10."""

    def test_metadata_is_written_under_its_mask_and_matched(self):
        self.c.flow(goto=1, more=[msg.OFPInstructionWriteMetadata(
            0xabcd, 0x0ff0)])
        self.c.flow(out(2), table=1, metadata=0x0bc0)
        self.c.flow(out(3), table=1, priority=99)
        self.pipe(PLAIN, {2: [PLAIN]})

    def test_action_set_runs_last_in_its_own_order(self):
        # §5.10: dec TTL and set-field before output, whatever came first.
        self.c.flow(goto=1, more=[write(out(2), put(eth_dst=C))])
        self.c.flow(out(3), table=1,
                    more=[write(msg.OFPActionDecNwTtl())], eth_type=0x0800)
        self.pipe(PLAIN, {3: [PLAIN], 2: [eth(udp4(63), dst=C)]})

    def test_later_write_replaces_and_clear_empties(self):
        clear = msg.OFPInstructionActions(of.OFPIT_CLEAR_ACTIONS, [])
        self.c.flow(goto=1, more=[write(out(2))])
        self.c.flow(table=1, more=[write(out(3))], in_port=1)
        self.c.flow(table=1, more=[clear], in_port=2)
        self.pipe(PLAIN, {3: [PLAIN]})
        self.pipe(PLAIN, {}, port=2)

    def test_later_table_matches_the_changed_header(self):
        self.c.flow(put(ipv4_dst="10.7.7.7"), goto=5, eth_type=0x0800)
        self.c.flow(out(2), table=5, eth_type=0x0800, ipv4_dst="10.7.7.7")
        self.pipe(PLAIN, {2: [eth(udp4(dst="10.7.7.7"))]})

    def test_miss_without_a_rule_drops(self):
        self.c.flow(out(2), eth_type=0x0806)
        self.pipe(PLAIN, {})


class Matches(Case):
    """§7.2.3."""

    def test_extension_header_bits_and_fragments(self):
        bits = {of.OFPIEH_HOP: IPv6ExtHdrHopByHop(),
                of.OFPIEH_DEST: IPv6ExtHdrDestOpt(),
                of.OFPIEH_FRAG: IPv6ExtHdrFragment(id=1)}
        for bit, header in bits.items():
            with self.subTest(bit=bit):
                self.setUp()
                self.c.flow(out(2), eth_type=0x86dd,
                            ipv6_exthdr=(bit, bit))
                self.c.flow(out(3), priority=1)
                with_it, bare = eth(tcp6(header)), eth(tcp6())
                self.pipe(with_it, {2: [with_it]})
                self.pipe(bare, {3: [bare]})

    def test_vlan_absent_present_and_any(self):
        tagged = eth(Dot1Q(vlan=7), udp4())
        other = eth(Dot1Q(vlan=8), udp4())
        self.c.flow(out(1), vlan_vid=0)
        self.c.flow(out(2), vlan_vid=0x1007)
        self.c.flow(out(3), priority=9, vlan_vid=(0x1000, 0x1000))
        self.pipe(PLAIN, {1: [PLAIN]}, port=3)
        self.pipe(tagged, {2: [tagged]})
        self.pipe(other, {3: [other]})


class Ports(Case):
    """§4.5: reserved ports."""

    def test_all_and_flood_leave_out_the_port_of_arrival(self):
        for port in (of.OFPP_ALL, of.OFPP_FLOOD):
            with self.subTest(port=port):
                self.setUp()
                self.c.flow(out(port))
                self.pipe(PLAIN, {2: [PLAIN], 3: [PLAIN]})

    def test_own_port_only_by_its_reserved_name(self):
        self.c.flow(out(1), out(2), in_port=1)
        self.c.flow(out(IN_PORT), in_port=2)
        self.pipe(PLAIN, {2: [PLAIN]})
        self.pipe(PLAIN, {2: [PLAIN]}, port=2)

    def test_packet_out_to_a_port_and_to_the_tables(self):
        def send(port):
            return lambda: self.c.send(msg.OFPPacketOut(
                self.c.dp, of.OFP_NO_BUFFER, 1, [out(port)], PLAIN))
        self.c.flow(put(eth_dst=C), out(3), in_port=1)
        self.drive(send(2), {2: [PLAIN]})
        self.drive(send(of.OFPP_TABLE), {3: [eth(udp4(), dst=C)]})


class PacketIns(Case):
    """§7.4.1."""

    def test_reason_cookie_and_table_of_an_action(self):
        self.c.flow(goto=4)
        self.c.flow(out(of.OFPP_CONTROLLER), table=4, cookie=0x77)
        m = self.pipe(PLAIN, {}, packet_ins=1)[0]
        self.assertEqual((m.reason, m.table_id, m.cookie, m.match["in_port"]),
                         (of.OFPR_ACTION, 4, 0x77, 1))
        self.assertEqual(m.data, PLAIN)
        self.assertEqual(m.total_len, len(PLAIN))

    def test_reason_of_a_table_miss_rule(self):
        self.c.flow(out(of.OFPP_CONTROLLER), priority=0)
        m = self.pipe(PLAIN, {}, packet_ins=1)[0]
        self.assertEqual(m.reason, of.OFPR_NO_MATCH)

    def test_frame_that_is_not_buffered_comes_whole(self):
        # Whatever max_len says: a switch that keeps nothing sends all of it.
        self.c.flow(out(of.OFPP_CONTROLLER, 16))
        m = self.pipe(PLAIN, {}, packet_ins=1)[0]
        self.assertEqual((m.buffer_id, m.data), (of.OFP_NO_BUFFER, PLAIN))

    def test_controller_gets_the_frame_as_it_was_at_its_action(self):
        tagged = eth(Dot1Q(vlan=9), udp4())
        self.c.flow(msg.OFPActionPushVlan(0x8100), put(vlan_vid=0x1009),
                    out(of.OFPP_CONTROLLER), msg.OFPActionPopVlan(), out(2))
        m = self.pipe(PLAIN, {2: [PLAIN]}, packet_ins=1)[0]
        self.assertEqual(m.data, tagged)


class Refusals(Case):
    """§7.4.4: type and code of errors."""

    def test_flow_mods_that_cannot_be(self):
        action, inst, match = (of.OFPET_BAD_ACTION, of.OFPET_BAD_INSTRUCTION,
                               of.OFPET_BAD_MATCH)
        f = self.c.flow
        for kind, code, send in (
                (inst, of.OFPBIC_BAD_TABLE_ID, lambda: f(table=3, goto=2)),
                (match, of.OFPBMC_BAD_PREREQ,
                 lambda: f(out(2), ipv4_dst="10.0.0.1")),
                (match, of.OFPBMC_BAD_VALUE,
                 lambda: f(out(2), vlan_vid=0x3007)),
                (action, of.OFPBAC_BAD_OUT_PORT, lambda: f(out(0))),
                (action, of.OFPBAC_BAD_ARGUMENT,
                 lambda: f(msg.OFPActionPushVlan(0x0800), out(2))),
                (action, of.OFPBAC_MATCH_INCONSISTENT,
                 lambda: f(put(tcp_dst=5), out(2), eth_type=0x0806)),
                (of.OFPET_FLOW_MOD_FAILED, of.OFPFMFC_BAD_TABLE_ID,
                 lambda: f(out(2), table=of.OFPTT_ALL))):
            with self.subTest(kind=kind, code=code):
                self.refused(kind, code, send)


if __name__ == "__main__":
    lab.main()
