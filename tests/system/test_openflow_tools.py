#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ovs-ofctl -O OpenFlow13 against Weft: every command an operator uses."""
import os
import re
import time
import unittest
import lab


class OvsOfctl(lab.TwoVms):
    def rules(self, *filters):
        out = self.s.ofctl("dump-flows", *filters)
        return [line for line in out.splitlines() if "actions=" in line]

    def test_show_names_datapath_and_ports(self):
        out = self.s.ofctl("show")
        self.assertIn("dpid:00000000000000aa", out)
        for word in ("1(tap1)", "2(tap2)", "addr:02:00:00:00:00:01"):
            self.assertIn(word, out)

    def test_add_modify_delete_flows(self):
        self.s.flows("priority=5,ip,nw_dst=10.0.0.0/24,actions=output:1",
                     "priority=6,tcp,tp_dst=80,actions=output:2",
                     "table=3,arp,actions=NORMAL")
        self.assertEqual(len(self.rules()), 3)
        self.s.ofctl("mod-flows", "tcp,actions=output:1")
        self.assertIn("output:1", self.rules("tcp")[0])
        self.s.ofctl("mod-flows", "priority=5,ip,nw_dst=10.0.0.0/24,"
                     "actions=drop", strict=True)
        self.assertIn("actions=drop", self.rules("ip,nw_dst=10.0.0.0/24")[0]
                      + self.rules("ip,nw_dst=10.0.0.0/24")[-1])
        self.s.ofctl("del-flows", "priority=5,ip", strict=True)  # None such.
        self.assertEqual(len(self.rules()), 3)
        self.s.ofctl("del-flows", "table=0,ip")
        self.assertEqual(len(self.rules()), 1)
        self.s.ofctl("del-flows", "out_port=5")
        self.assertEqual(len(self.rules()), 1)

    def test_what_is_printed_reads_back_the_same(self):
        given = ("table=1,priority=7,dl_vlan=5,dl_vlan_pcp=3,actions="
                 "pop_vlan,output:2",
                 "table=1,priority=8,ipv6,ipv6_dst=2001:db8::/32,actions="
                 "set_field:02:00:00:00:00:09->eth_dst,dec_ttl,output:1",
                 "table=1,priority=9,udp,nw_src=10.1.0.0/16,tp_dst=53,"
                 "actions=write_actions(output:2),goto_table:4",
                 "table=1,priority=10,metadata=0x5/0xff,actions="
                 "write_metadata:0x10/0xf0,goto_table:2",
                 "table=1,priority=11,mpls,mpls_label=77,actions="
                 "pop_mpls:0x0800,output:2",
                 "table=1,priority=12,tun_id=0x1389,actions=CONTROLLER:128")
        self.s.flows(*given)
        # ovs-ofctl wraps actions in apply_actions itself; compare what it
        # prints before and after a second trip.
        def bare():
            return sorted(re.sub(r"^.*?table=", "table=", re.sub(
                r"(duration|n_packets|n_bytes)=[^,]*, ?", "", r))
                for r in self.rules())
        first = bare()
        self.assertEqual(len(first), len(given))
        self.s.ofctl("del-flows")
        self.s.flows(*[r.replace(" actions", ",actions") for r in first])
        self.assertEqual(bare(), first)
        mine = sorted(re.sub(r"^.*?table=", "table=", re.sub(
            r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, ?", "",
            r)) for r in self.s.dump("flows", "br0").splitlines()
            if "actions=" in r)
        self.assertEqual(mine, first)

    def test_dump_flows_counts_packets_and_bytes(self):
        self.s.flows("in_port=1,actions=output:2", "in_port=2,actions="
                     "output:1")
        sent = 10
        self.lab.ping(self.a, "10.0.0.2", count=sent)
        def counted():
            m = re.search(r"n_packets=(\d+), n_bytes=(\d+)",
                          self.rules("in_port=1")[0])
            return int(m.group(1)) >= sent and int(m.group(2)) >= sent * 98
        lab.wait_until("counters", counted)

    def test_dump_ports_and_descriptions_and_tables(self):
        out = self.s.ofctl("dump-ports")
        self.assertRegex(out, r"port\s+\"?(1|tap1)\"?:? *:? rx pkts=\d+")
        out = self.s.ofctl("dump-ports-desc")
        self.assertIn("1(tap1)", out)
        self.s.flows("table=0,ip,actions=drop")
        out = self.s.ofctl("dump-tables")
        self.assertRegex(out, r"table 0.*:\n\s+active=1, lookup=\d+")

    def test_packet_out_goes_where_it_says(self):
        self.s.flows("priority=0,actions=drop")
        before = self.port(2)["tx_packets"]
        frame = "ffffffffffff02000000000908060001" + "00" * 46
        self.s.ofctl("packet-out",
                     "in_port=CONTROLLER, packet=%s, actions=output:2"
                     % frame)
        lab.wait_until("packet on tap2",
                       lambda: self.port(2)["tx_packets"] > before)

    def port(self, number):
        for p in self.s.json("ports", "br0")["ports"]:
            if p["ofport"] == number:
                return p["stats"]

    def monitor(self, *words):
        """ovs-ofctl monitor, connected; it wants a place for its socket."""
        m = self.lab.start(
            "monitor%d" % len(self.lab.processes), "ovs-ofctl", "-O",
            "OpenFlow13", "monitor", self.s.openflow(), *words,
            env=dict(os.environ, OVS_RUNDIR=self.lab.dir))
        lab.wait_until("monitor is connected", lambda: any(
            c["connected"] for c in self.s.json("controllers")
            ["controllers"]))
        time.sleep(0.5)
        return m

    def test_monitor_sees_packet_ins(self):
        self.s.flows("priority=1,in_port=1,actions=CONTROLLER:65535")
        monitor = self.monitor("65534")
        self.lab.ping(self.a, "10.0.0.2", count=2, check=False)
        lab.wait_until("packet-in", lambda: "OFPT_PACKET_IN" in
                       monitor.output())
        self.assertIn("via action", monitor.output())
        self.assertIn("in_port=1", monitor.output())
        monitor.stop()

    def test_idle_timeout_and_flow_removed(self):
        monitor = self.monitor()
        self.s.flows("send_flow_rem,idle_timeout=1,priority=3,udp,actions="
                     "drop", "send_flow_rem,hard_timeout=1,priority=4,tcp,"
                     "actions=drop")
        lab.wait_until("both expire", lambda: not self.rules(), 5)
        lab.wait_until("flow-removed", lambda: monitor.output().count(
            "OFPT_FLOW_REMOVED") == 2)
        self.assertIn("reason=idle", monitor.output())
        self.assertIn("reason=hard", monitor.output())
        monitor.stop()

    def test_mod_port_takes_a_port_down_and_up(self):
        self.s.flows("in_port=1,actions=output:2", "in_port=2,actions="
                     "output:1")
        self.s.ofctl("mod-port", "2", "down")
        self.assertEqual(self.lab.ping(self.a, "10.0.0.2", count=2,
                                       check=False), 0)
        self.assertGreater(self.s.drops().get("tx_port_down", 0), 0)
        self.s.ofctl("mod-port", "2", "up")
        lab.wait_until("ping again", lambda: self.lab.ping(
            self.a, "10.0.0.2", count=1, check=False) == 1)

    def test_refusals_have_the_right_error(self):
        for rule, code in (
                ("group:5", "BAD_OUT_GROUP"),
                ("meter:3,output:1", "OFPMMFC_UNKNOWN_METER"),
                ("output:0", "BAD_OUT_PORT")):
            r = self.s.ofctl("add-flow", "actions=" + rule, check=False)
            self.assertNotEqual(r.returncode, 0, rule)
            self.assertRegex(r.stdout + r.stderr, code)
        self.assertEqual(self.rules(), [])

    def test_overlap_check_refuses(self):
        self.s.flows("priority=9,ip,nw_dst=10.0.0.0/8,actions=drop")
        r = self.s.ofctl("add-flow", "check_overlap,priority=9,ip,"
                         "nw_src=10.0.0.0/8,actions=drop", check=False)
        self.assertIn("OVERLAP", r.stdout + r.stderr)
        self.assertEqual(len(self.rules()), 1)

    def test_barrier_is_answered_after_it_is_in_force(self):
        """Packet right behind the barrier: no pause, never by the old
        rules."""
        for i in range(20):
            out = 2 if i % 2 else 1
            before = {n: self.port(n)["tx_packets"] for n in (1, 2)}
            self.s.ofctl("add-flow", "priority=50,dl_type=0x88b5,actions="
                         "output:%d" % out)
            self.s.ofctl("packet-out", "in_port=CONTROLLER, packet="
                         "02000000000202000000000188b5" + "00" * 50
                         + ", actions=TABLE")
            lab.wait_until("packet by the new rule", lambda: self.port(out)
                           ["tx_packets"] == before[out] + 1)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
