#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.4: ovs-ofctl -O OpenFlow14, and os-ken's classes on a socket."""
import os
import socket
import struct
import unittest
import lab

try:
    from os_ken.ofproto import ofproto_parser
    from os_ken.ofproto import ofproto_v1_4 as ofp
    from os_ken.ofproto import ofproto_v1_4_parser as parser
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc
    DP = ProtocolDesc(version=ofp.OFP_VERSION)
except ImportError:
    DP = None


class Bridge(lab.TwoVms):
    def of(self, command, *words, check=True):
        return lab.sh("ovs-ofctl", "-O", "OpenFlow14", command,
                      self.s.openflow(), *words, check=check)


class OvsOfctl(Bridge):
    def test_show_and_ports_are_read(self):
        out = self.of("show")
        for word in ("OF1.4", "dpid:00000000000000aa", "1(tap1)", "2(tap2)",
                     "addr:02:00:00:00:00:01"):
            self.assertIn(word, out)
        self.assertIn("1(tap1)", self.of("dump-ports-desc"))
        self.assertRegex(self.of("dump-ports", "1"), r"rx pkts=\d+")

    def test_importance_is_kept_and_counters_count(self):
        self.of("add-flow", "importance=77,in_port=1,actions=output:2")
        self.of("add-flow", "in_port=2,actions=output:1")
        self.lab.ping(self.a, "10.0.0.2", count=5)
        out = self.of("dump-flows", "in_port=1")
        self.assertIn("importance=77", out)
        lab.wait_until("counters", lambda: "n_packets=0" not in
                       self.of("dump-flows", "in_port=1"))
        self.assertRegex(self.of("dump-tables"), r"active=2")

    def test_mod_port_changes_the_port(self):
        self.of("mod-port", "2", "no-forward")
        self.assertIn("NO_FWD", self.of("show"))
        self.of("mod-port", "2", "forward")
        self.assertNotIn("NO_FWD", self.of("show"))

    def test_monitor_watches_flows_of_other_versions(self):
        # Without "!own" ovs-ofctl 3.1 sets ONLY_OWN, and has none.
        m = self.lab.start(
            "watch%d" % len(self.lab.processes), "ovs-ofctl", "-O",
            "OpenFlow14", "monitor", self.s.openflow(), "watch:!own",
            env=dict(os.environ, OVS_RUNDIR=self.lab.dir))
        lab.wait_until("reply", lambda: "FLOW_MONITOR" in m.output())
        self.s.flows("priority=9,in_port=1,actions=output:2")  # By 1.3.
        lab.wait_until("ADDED", lambda: "event=ADDED" in m.output())
        self.s.ofctl("del-flows")
        lab.wait_until("DELETED", lambda: "event=DELETED" in m.output())
        self.assertIn("reason=delete", m.output())
        m.stop()


class Session:
    """A controller that speaks 1.4 with os-ken's classes."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.settimeout(10)
        self.data = b""
        assert self.raw()[0] >= ofp.OFP_VERSION
        self.sock.sendall(struct.pack("!BBHI", ofp.OFP_VERSION, 0, 8, 1))
        self.xid = 100

    def send(self, msg):
        self.xid += 1
        msg.set_xid(self.xid)
        msg.serialize()
        self.sock.sendall(msg.buf)

    def raw(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack_from(
                "!H", self.data, 2)[0]:
            more = self.sock.recv(65536)
            assert more, "connection ended"
            self.data += more
        size, = struct.unpack_from("!H", self.data, 2)
        msg, self.data = self.data[:size], self.data[size:]
        return msg

    def next(self, cls):
        """The next message, which os-ken reads as 'cls'."""
        m = self.raw()
        v, kind, size, xid = struct.unpack_from("!BBHI", m)
        got = ofproto_parser.msg(DP, v, kind, size, xid, m)
        assert isinstance(got, cls), "%s: %s" % (type(got).__name__, m.hex())
        return got

    def ask(self, msg, cls):
        self.send(msg)
        return self.next(cls)

    def close(self):
        self.sock.close()


@unittest.skipUnless(DP, "python3-os-ken not installed")
class OsKen(Bridge):
    def session(self):
        s = Session(self.s.openflow().split(":", 1)[1])
        self.addCleanup(s.close)
        return s

    def test_ports_have_properties(self):
        c = self.session()
        desc = c.ask(parser.OFPPortDescStatsRequest(DP),
                     parser.OFPPortDescStatsReply)
        port = {p.port_no: p for p in desc.body}[1]
        self.assertEqual(port.name, b"tap1")
        self.assertIsInstance(port.properties[0],
                              parser.OFPPortDescPropEthernet)
        stats = c.ask(parser.OFPPortStatsRequest(DP, 0, 1),
                      parser.OFPPortStatsReply)
        self.assertEqual(stats.body[0].port_no, 1)
        self.assertIsInstance(stats.body[0].properties[0],
                              parser.OFPPortStatsPropEthernet)

    def test_port_mod_is_refused_and_taken_by_its_properties(self):
        c = self.session()
        desc = c.ask(parser.OFPPortDescStatsRequest(DP),
                     parser.OFPPortDescStatsReply)
        mac = {p.port_no: p.hw_addr for p in desc.body}[1]
        optical = parser.OFPPortModPropOptical(
            ofp.OFPPMPT_OPTICAL, 24, 0, 0, 0, 0, 0)
        err = c.ask(parser.OFPPortMod(DP, 1, mac, 0, 0, [optical]),
                    parser.OFPErrorMsg)
        self.assertEqual((err.type, err.code),
                         (ofp.OFPET_BAD_PROPERTY, ofp.OFPBPC_BAD_TYPE))

    def test_roles_and_role_status(self):
        one, two = self.session(), self.session()
        one.ask(parser.OFPRoleRequest(DP, ofp.OFPCR_ROLE_MASTER, 1),
                parser.OFPRoleReply)
        two.ask(parser.OFPRoleRequest(DP, ofp.OFPCR_ROLE_MASTER, 2),
                parser.OFPRoleReply)
        status = one.next(parser.OFPRoleStatus)
        self.assertEqual((status.role, status.reason, status.generation_id),
                         (ofp.OFPCR_ROLE_SLAVE, ofp.OFPCRR_MASTER_REQUEST, 2))
        err = one.ask(parser.OFPFlowMod(DP), parser.OFPErrorMsg)
        self.assertEqual((err.type, err.code),
                         (ofp.OFPET_BAD_REQUEST, ofp.OFPBRC_IS_SLAVE))

    def test_async_configuration_decides_what_is_heard(self):
        c = self.session()
        c.send(parser.OFPSetAsync(DP, [parser.OFPAsyncConfigPropReasons(
            ofp.OFPACPT_PACKET_IN_MASTER, 8, 1 << ofp.OFPR_ACTION_SET)]))
        got = c.ask(parser.OFPGetAsyncRequest(DP), parser.OFPGetAsyncReply)
        masks = {p.type: p.mask for p in got.properties}
        self.assertEqual(masks[ofp.OFPACPT_PACKET_IN_MASTER],
                         1 << ofp.OFPR_ACTION_SET)
        # apply-actions is not heard; the action set is.
        for i, actions in enumerate(("CONTROLLER",
                                     "write_actions(CONTROLLER)")):
            self.of("add-flow", "table=0,priority=%d,dl_type=0x88b%d,actions="
                    "%s" % (i + 1, i + 5, actions))
        for kind in ("88b5", "88b6"):
            self.of("packet-out", "in_port=1, packet=020000000002"
                    "020000000001" + kind + "00" * 50 + ", actions=TABLE")
        pin = c.next(parser.OFPPacketIn)
        self.assertEqual(pin.reason, ofp.OFPR_ACTION_SET)
        self.assertEqual(pin.data[12:14], b"\x88\xb6")

    def test_packet_in_reasons(self):
        c = self.session()
        self.of("add-flow", "priority=0,actions=CONTROLLER")
        self.of("packet-out", "in_port=1, packet=020000000002020000000001"
                "88b7" + "00" * 50 + ", actions=TABLE")
        self.assertEqual(c.next(parser.OFPPacketIn).reason,
                         ofp.OFPR_TABLE_MISS)
        self.of("packet-out", "in_port=1, packet=020000000002020000000001"
                "88b7" + "00" * 50 + ", actions=CONTROLLER")
        self.assertEqual(c.next(parser.OFPPacketIn).reason,
                         ofp.OFPR_PACKET_OUT)
        self.of("add-flow", "priority=7,dl_type=0x88b8,actions=CONTROLLER")
        self.of("packet-out", "in_port=1, packet=020000000002020000000001"
                "88b8" + "00" * 50 + ", actions=TABLE")
        self.assertEqual(c.next(parser.OFPPacketIn).reason,
                         ofp.OFPR_APPLY_ACTION)

    def test_flow_monitor_abbreviates_what_the_session_did_itself(self):
        c = self.session()
        c.ask(parser.OFPFlowMonitorRequest(
            DP, 0, 1, ofp.OFPP_ANY, ofp.OFPG_ANY,
            ofp.OFPFMF_ADD | ofp.OFPFMF_REMOVED, ofp.OFPTT_ALL,
            ofp.OFPFMC_ADD, parser.OFPMatch()), parser.OFPFlowMonitorReply)
        c.send(parser.OFPFlowMod(DP, priority=5))
        update = c.next(parser.OFPFlowMonitorReply).body[0]
        self.assertEqual((update.event, update.xid),
                         (ofp.OFPFME_ABBREV, c.xid))
        err = c.ask(parser.OFPFlowMonitorRequest(
            DP, 0, 1, ofp.OFPP_ANY, ofp.OFPG_ANY, ofp.OFPFMF_ADD,
            ofp.OFPTT_ALL, ofp.OFPFMC_ADD, parser.OFPMatch()),
            parser.OFPErrorMsg)
        self.assertEqual((err.type, err.code), (
            ofp.OFPET_FLOW_MONITOR_FAILED, ofp.OFPMOFC_MONITOR_EXISTS))

    def test_sessions_of_all_versions_at_once(self):
        c = self.session()
        for version in ("OpenFlow10", "OpenFlow13"):
            lab.sh("ovs-ofctl", "-O", version, "add-flow", self.s.openflow(),
                   "priority=%d,in_port=1,actions=output:2"
                   % (10 if version == "OpenFlow10" else 13))
        c.send(parser.OFPFlowMod(DP, priority=14, importance=3))
        stats = c.ask(parser.OFPFlowStatsRequest(DP),
                      parser.OFPFlowStatsReply)
        self.assertEqual({s.priority: s.importance for s in stats.body},
                         {10: 0, 13: 0, 14: 3})


if __name__ == "__main__":
    lab.main("ovs-ofctl")
