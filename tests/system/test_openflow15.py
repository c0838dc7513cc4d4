#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.5 on the wire: ovs-ofctl -O OpenFlow15 as a tool, os-ken's
messages of 1.5 as a controller, frames through what they set up."""
import re
import unittest
import lab
from test_conformance import (A, B, LATE, SOON, Controller, Ether, Frames, IP,
                              Raw, TCP, UDP)

from os_ken.ofproto import ofproto_protocol
from os_ken.ofproto import ofproto_v1_5 as of
from os_ken.ofproto import ofproto_v1_5_parser as msg


class Controller15(Controller):
    """A session of 1.5 with os-ken's messages."""

    def __init__(self, path):
        import socket
        self.dp = ofproto_protocol.ProtocolDesc(of.OFP_VERSION)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.buf, self.xid = b"", 0
        self.send(msg.OFPHello(self.dp))

    def barrier(self):
        xid, got = self.send(msg.OFPBarrierRequest(self.dp)), []
        while True:
            m = self.receive(LATE)
            if m is None:
                raise AssertionError("no barrier reply")
            if m.xid == xid:
                return got
            got.append(m)

    def ask(self, request):
        """The reply to a request."""
        xid = self.send(request)
        while True:
            m = self.receive(LATE)
            if m is None:
                raise AssertionError("no reply")
            if m.xid == xid:
                return m

    def wait(self, kind):
        """The next message of a class; others are passed over."""
        while True:
            m = self.receive(LATE)
            if m is None:
                raise AssertionError("no %s" % kind.__name__)
            if isinstance(m, kind):
                return m

    def flow(self, *instructions, command=of.OFPFC_ADD, table=0, priority=100,
             flags=0, **match):
        self.send(msg.OFPFlowMod(
            self.dp, table_id=table, command=command, priority=priority,
            out_port=of.OFPP_ANY, out_group=of.OFPG_ANY, flags=flags,
            buffer_id=of.OFP_NO_BUFFER, match=msg.OFPMatch(**match),
            instructions=list(instructions)))

    def clear(self):
        self.flow(command=of.OFPFC_DELETE, table=of.OFPTT_ALL)


def apply(*actions):
    return msg.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, list(actions))


def out(port):
    return msg.OFPActionOutput(port, of.OFPCML_NO_BUFFER)


class OpenFlow15(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.a, cls.b = cls.lab.ns("a"), cls.lab.ns("b")
        cls.s = s = cls.lab.switch()
        s.ctl("add-br", "br0")
        for port, ns in ((1, cls.a), (2, cls.b)):
            s.tap("br0", "tap%d" % port, ns, ofport=port,
                  mac="02:00:00:00:00:%02x" % (9 + port))
            lab.sh("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", ns=ns)
        cls.c = Controller15(s.openflow()[5:])
        cls.c.barrier()
        cls.frames = {1: Frames(cls.a, "tap1"), 2: Frames(cls.b, "tap2")}

    @classmethod
    def tearDownClass(cls):
        cls.s.check_balance()
        cls.lab.down()

    def setUp(self):
        self.c.clear()
        self.assertEqual([m for m in self.c.barrier()
                          if isinstance(m, msg.OFPErrorMsg)], [])
        for f in self.frames.values():
            f.take()

    def ofctl(self, *words):
        return lab.sh("ovs-ofctl", "-O", "OpenFlow15", words[0],
                      self.s.openflow(), *words[1:])

    def accepted(self):
        got = self.c.barrier()
        self.assertEqual([m for m in got if isinstance(m, msg.OFPErrorMsg)],
                         [])
        return got

    def through(self, frame, port=2):
        """The frame as it leaves 'port' after it came in at port 1."""
        self.frames[port].take()
        self.frames[1].s.send(bytes(frame))
        def arrived():
            for d in self.frames[port].take():
                if d[12:14] in (b"\x08\x00", b"\x81\x00", b"\x88\xb5"):
                    return Ether(d)
            return None
        return lab.wait_until("frame at port %d" % port, arrived, LATE)

    @staticmethod
    def tcp(sport=1000, dport=2000):
        return (Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2")
                / TCP(sport=sport, dport=dport) / Raw(b"weft"))

    # ------------------------------------------------------------ ovs-ofctl

    def test_ovs_ofctl_reads_back_what_it_added(self):
        given = ("priority=5,tcp,tcp_dst=80 actions=output:2",
                 "priority=6,ip,nw_dst=10.0.0.0/24 "
                 "actions=set_field:02:00:00:00:00:09->eth_dst,output:2",
                 "priority=7,tcp,tcp_flags=+syn-ack actions=drop",
                 "priority=8,in_port=1 actions=write_actions(output:2),"
                 "goto_table:3",
                 "priority=9,tcp actions=move:NXM_OF_TCP_SRC[]->"
                 "NXM_OF_TCP_DST[],output:2",
                 "importance=7,priority=10,udp actions=output:1")
        for rule in given:
            self.ofctl("add-flow", rule)
        printed = sorted(
            re.sub(r"\b(cookie|duration|table|n_packets|n_bytes|idle_age)="
                   r"[^, ]*,? ?", "", line).strip()
            for line in self.ofctl("dump-flows").splitlines()
            if "actions=" in line)
        self.assertEqual(printed, sorted(
            g.replace("importance=7,priority=10", "importance=7, priority=10")
            .replace("tcp_dst", "tp_dst") for g in given))

    def test_ovs_ofctl_counts_and_aggregates(self):
        self.ofctl("add-flow", "in_port=1,actions=output:2")
        for _ in range(3):
            self.through(self.tcp())
        lab.wait_until("counters", lambda: "packet_count=3" in
                       self.ofctl("dump-aggregate"))
        self.assertIn("n_packets=3", self.ofctl("dump-flows"))
        self.assertIn("flow_count=1", self.ofctl("dump-aggregate"))

    def test_ovs_ofctl_describes_ports_and_sends_packets(self):
        self.assertIn("1(tap1)", self.ofctl("show"))
        self.assertIn("2(tap2)", self.ofctl("dump-ports-desc", "2"))
        self.assertNotIn("1(tap1)", self.ofctl("dump-ports-desc", "2"))
        self.assertRegex(self.ofctl("dump-ports", "1"), r"rx pkts=\d+")
        frame = bytes(Ether(src=A, dst=B, type=0x88b5) / Raw(b"x" * 46))
        self.frames[2].take()
        self.ofctl("packet-out", "in_port=CONTROLLER packet=%s "
                   "actions=output:2" % frame.hex())
        lab.wait_until("packet", lambda: frame in self.frames[2].take())

    # ------------------------------------------------------------- actions

    def test_copy_field_moves_bits_of_the_packet(self):
        self.c.flow(apply(msg.OFPActionCopyField(
            n_bits=16, src_offset=0, dst_offset=0, oxm_ids=[
                msg.OFPOxmId("tcp_src"), msg.OFPOxmId("tcp_dst")]), out(2)),
            in_port=1, eth_type=0x800, ip_proto=6)
        self.accepted()
        got = self.through(self.tcp(sport=4242, dport=80))
        self.assertEqual((got[TCP].sport, got[TCP].dport), (4242, 4242))
        want = Ether(bytes(got))
        del want[TCP].chksum
        self.assertEqual(bytes(got), bytes(want))

    def test_copy_field_through_metadata(self):
        self.c.flow(apply(msg.OFPActionCopyField(
            n_bits=8, src_offset=8, dst_offset=0, oxm_ids=[
                msg.OFPOxmId("tcp_dst"), msg.OFPOxmId("metadata")])),
            msg.OFPInstructionGotoTable(1), in_port=1, eth_type=0x800,
            ip_proto=6)
        self.c.flow(apply(out(2)), table=1, metadata=0x12)
        self.accepted()
        self.assertEqual(self.through(self.tcp(dport=0x1234))[TCP].dport,
                         0x1234)

    def test_set_field_takes_a_mask(self):
        self.c.flow(apply(msg.OFPActionSetField(
            ipv4_dst=("10.9.0.0", "255.255.0.0")), out(2)),
            in_port=1, eth_type=0x800)
        self.accepted()
        self.assertEqual(self.through(self.tcp())[IP].dst, "10.9.0.2")

    def test_tcp_flags_are_matched(self):
        self.c.flow(apply(out(2)), in_port=1, eth_type=0x800, ip_proto=6,
                    tcp_flags=(2, 0x12))
        self.accepted()
        syn = self.tcp()
        syn[TCP].flags = "S"
        self.through(syn)
        syn[TCP].flags = "SA"
        self.frames[2].take()
        self.frames[1].s.send(bytes(syn))
        self.assertEqual(self.c.barrier(), [])
        import time
        time.sleep(SOON)
        self.assertEqual(self.frames[2].take(), [])

    # ---------------------------------------------------------- packet-out

    def test_packet_out_has_a_match(self):
        frame = bytes(Ether(src=A, dst=B, type=0x88b5) / Raw(b"y" * 46))
        self.c.send(msg.OFPPacketOut(
            self.dp(), of.OFP_NO_BUFFER, msg.OFPMatch(in_port=1), [out(2)],
            frame))
        self.accepted()
        lab.wait_until("packet", lambda: frame in self.frames[2].take())
        self.c.send(msg.OFPPacketOut(
            self.dp(), of.OFP_NO_BUFFER,
            msg.OFPMatch(in_port=1, eth_type=0x800), [out(2)], frame))
        e = self.c.wait(msg.OFPErrorMsg)
        self.assertEqual((e.type, e.code), (of.OFPET_BAD_REQUEST,
                                            of.OFPBRC_PIPELINE_FIELDS_ONLY))

    def dp(self):
        return self.c.dp

    # ---------------------------------------------------------- statistics

    def test_flow_statistics_and_descriptions(self):
        self.c.flow(apply(out(2)), in_port=1, priority=7)
        self.accepted()
        for _ in range(4):
            self.through(self.tcp())
        def counted():
            r = self.c.ask(msg.OFPFlowStatsRequest(self.dp()))
            return r.body[0] if r.body[0].stats["packet_count"] == 4 else None
        entry = lab.wait_until("statistics", counted)
        self.assertEqual((entry.priority, entry.reason),
                         (7, of.OFPFSR_STATS_REQUEST))
        self.assertEqual(entry.stats["byte_count"], 4 * len(self.tcp()))
        desc = self.c.ask(msg.OFPFlowDescStatsRequest(self.dp())).body[0]
        self.assertEqual(desc.instructions[0].actions[0].port, 2)
        self.assertEqual(desc.match["in_port"], 1)
        r = self.c.ask(msg.OFPAggregateStatsRequest(
            self.dp(), 0, of.OFPTT_ALL, of.OFPP_ANY, of.OFPG_ANY, 0, 0,
            msg.OFPMatch()))
        self.assertEqual(r.body.stats["flow_count"], 1)

    def test_flow_removed_has_statistics(self):
        self.c.flow(apply(out(2)), in_port=1, flags=of.OFPFF_SEND_FLOW_REM)
        self.accepted()
        self.through(self.tcp())
        self.c.clear()
        m = self.c.wait(msg.OFPFlowRemoved)
        self.assertEqual(m.reason, of.OFPRR_DELETE)
        self.assertEqual(m.stats["packet_count"], 1)
        self.assertEqual(m.match["in_port"], 1)

    def test_stat_trigger_reports_when_the_threshold_is_passed(self):
        self.c.flow(msg.OFPInstructionStatTrigger(
            of.OFPSTF_PERIODIC, msg.OFPStats(packet_count=3)),
            apply(out(2)), in_port=1)
        self.accepted()
        for n in (3, 6):
            for _ in range(3):
                self.through(self.tcp())
            m = self.c.wait(msg.OFPFlowStatsReply)
            self.assertEqual(m.body[0].reason, of.OFPFSR_STAT_TRIGGER)
            self.assertEqual(m.body[0].stats["packet_count"], n)

    # ------------------------------------------------------- egress tables

    def set_first_egress(self, table, on):
        """As a controller does: reads the description, sends it changed."""
        def pages(first):
            out = list(first.body)
            m = first
            while m.flags & of.OFPMPF_REPLY_MORE:
                m = self.c.wait(msg.OFPTableFeaturesStatsReply)
                out += m.body
            return out
        tables = pages(self.c.ask(msg.OFPTableFeaturesStatsRequest(
            self.dp(), 0, [])))
        self.assertEqual(len(tables), 254)
        t = tables[table]
        flags = of.OFPTFF_EGRESS_TABLE | (of.OFPTFF_FIRST_EGRESS if on else
                                          of.OFPTFF_INGRESS_TABLE)
        entry = msg.OFPTableFeaturesStats(
            table_id=table, command=of.OFPTFC_MODIFY, features=flags,
            name=t.name, metadata_match=t.metadata_match,
            metadata_write=t.metadata_write, capabilities=t.capabilities,
            max_entries=t.max_entries, properties=[])
        r = self.c.ask(msg.OFPTableFeaturesStatsRequest(self.dp(), 0,
                                                        [entry]))
        self.assertIsInstance(r, msg.OFPTableFeaturesStatsReply)
        self.assertEqual(pages(r)[table].features, flags)

    def test_egress_tables_see_what_leaves(self):
        self.set_first_egress(100, True)
        try:
            self.c.flow(apply(out(2)), in_port=1)
            self.c.flow(apply(msg.OFPActionSetField(eth_src=B)), table=100,
                        actset_output=2)
            self.accepted()
            self.assertEqual(self.through(self.tcp()).src, B)
            self.c.clear()
            self.c.flow(msg.OFPInstructionGotoTable(100), in_port=1)
            e = self.c.wait(msg.OFPErrorMsg)
            self.assertEqual((e.type, e.code), (of.OFPET_BAD_INSTRUCTION,
                                                of.OFPBIC_BAD_TABLE_ID))
        finally:
            self.set_first_egress(100, False)

    # --------------------------------------------------------- controllers

    def test_controllers_are_told_of_each_other(self):
        import socket
        other = Controller15(self.s.openflow()[5:])
        other.ask(msg.OFPFeaturesRequest(other.dp))  # A controller now.
        self.c.ask(msg.OFPFeaturesRequest(self.dp()))
        other.ask(msg.OFPRoleRequest(other.dp, of.OFPCR_ROLE_EQUAL, 17, 0))
        m = self.c.wait(msg.OFPControllerStatus)
        while m.status.reason != of.OFPCSR_SHORT_ID:
            m = self.c.wait(msg.OFPControllerStatus)
        self.assertEqual(m.status.short_id, 17)
        other.s.shutdown(socket.SHUT_RDWR)
        other.s.close()
        m = self.c.wait(msg.OFPControllerStatus)
        self.assertEqual((m.status.reason, m.status.channel_status),
                         (of.OFPCSR_CHANNEL_STATUS, of.OFPCT_STATUS_DOWN))


if __name__ == "__main__":
    lab.main("ovs-ofctl")
