#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""weftctl trace, held against what the switch does.

        vm1 --- 1 br0 2 --- vm2
                  br0 3 --- vm3

The frame that the trace says will leave is caught behind the port."""
import subprocess
import unittest
import lab

CATCH = r"""
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag is there.
s.bind((sys.argv[2], 0))
s.settimeout(0.2)
print("ready", flush=True)
end = time.time() + 5
while time.time() < end:
    try:
        data, aux, flags, where = s.recvmsg(65535, 256)
    except socket.timeout:
        continue
    if where[2] != socket.PACKET_OUTGOING and data[6:12] == bytes.fromhex(
            sys.argv[1]):
        status, tci, tpid = struct.unpack("I12x2H", aux[0][2])
        if status & 1 << 4:
            data = data[:12] + struct.pack("!2H", tpid, tci) + data[12:]
        print(data.hex(), flush=True)
        break
"""

SEND = r"""
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("tap1", 0))
for i in range(int(sys.argv[2])):
    s.send(bytes.fromhex(sys.argv[1]))
"""

FLOW = "in_port=1,tcp,dl_src=02:00:00:00:00:77,nw_src=10.0.0.1," \
       "nw_dst=10.0.0.2,tp_src=1000,tp_dst=80"
SOURCE = "020000000077"


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab().__enter__()
        cls.sw = cls.lab.switch()
        cls.sw.ctl("add-br", "br0")
        cls.ns = [cls.lab.ns("vm%d" % i) for i in (1, 2, 3)]
        for i, ns in enumerate(cls.ns):
            cls.sw.tap("br0", "tap%d" % (i + 1), ns, ofport=i + 1)

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__(None, None, None)

    def setUp(self):
        self.sw.ctl("del-flows", "br0")

    def rules(self, *rules):
        for rule in rules:
            self.sw.ctl("add-flow", "br0", rule)

    def trace(self, *words):
        r = lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "--json",
                   "trace", "br0", *words)
        return lab.json.loads(r)

    def send(self, frame, times=1):
        lab.sh(lab.PYTHON, "-c", SEND, frame, str(times), ns=self.ns[0])

    def caught(self, port, frame):
        """What leaves by 'port' when 'frame' comes in by port 1."""
        p = subprocess.Popen(["ip", "netns", "exec", self.ns[port - 1],
                              lab.PYTHON, "-c", CATCH, SOURCE,
                              "tap%d" % port],
                             stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.stdout.readline(), "ready\n")
        self.send(frame)
        out = p.stdout.readline().strip()
        p.wait()
        p.stdout.close()
        return out

    def agrees_with_the_wire(self, flow):
        """The traced frames of each port are those that leave there."""
        t = self.trace(flow)
        self.assertTrue(t["agrees"], t["text"])
        sent = [r for r in t["result"] if "frame" in r and "port" in r]
        self.assertTrue(sent, t["text"])
        for r in sent:
            self.assertEqual(self.caught(r["port"], t["frame"]), r["frame"],
                             t["text"])
        return t

    # ------------------------------------------------------------- results

    def test_rewritten_packet_leaves_as_traced(self):
        self.rules("tcp,tp_dst=80,actions=set_field:8080->tcp_dst,dec_ttl,"
                   "mod_nw_dst:10.0.0.9,output:2")
        t = self.agrees_with_the_wire(FLOW)
        self.assertIn("Table 0: rule priority=32768,tcp,tp_dst=80", t["text"])
        self.assertIn("tp_dst=80 becomes tp_dst=8080", t["text"])
        self.assertIn("nw_ttl=64 becomes nw_ttl=63", t["text"])
        self.assertIn("leaves by port 2", t["text"])

    def test_tables_tags_and_two_outputs(self):
        self.rules("ip,actions=push_vlan:0x8100,set_field:0x1064->vlan_vid,"
                   "write_metadata:5,goto_table:3",
                   "table=3,metadata=5,dl_vlan=100,"
                   "actions=output:3,pop_vlan,output:2")
        t = self.agrees_with_the_wire(FLOW)
        self.assertEqual([x["table"] for x in t["tables"]], [0, 3])
        self.assertIn("the packet becomes tcp,in_port=1,dl_vlan=100",
                      t["text"])
        self.assertIn("metadata becomes 0x5", t["text"])

    def test_action_set_is_told_in_its_order(self):
        self.rules("ip,actions=write_actions(output:2,dec_ttl),goto_table:1",
                   "table=1,tcp,actions=set_field:99->tcp_src")
        t = self.agrees_with_the_wire(FLOW)
        text = t["text"]
        self.assertLess(text.index("the action set"), text.index("dec_ttl: "))
        self.assertLess(text.index("dec_ttl: nw_ttl"),
                        text.index("output:2: to port 2"))

    # --------------------------------------------------------------- drops

    def test_each_drop_has_its_reason_and_a_hint(self):
        for rules, flow, reason in (
                ((), FLOW, "no_rule"),
                (("ip,actions=drop",), FLOW, "rule_drop"),
                (("ip,actions=output:1",), FLOW, "to_in_port"),
                (("ip,actions=output:77",), FLOW, "no_port"),
                (("ip,actions=dec_ttl,output:2",), FLOW + ",nw_ttl=1",
                 "bad_ttl")):
            with self.subTest(reason):
                self.setUp()
                self.rules(*rules)
                t = self.trace(flow)
                self.assertEqual([r.get("drop") for r in t["result"]],
                                 [reason])
                self.assertTrue(t["result"][0]["hint"])
                self.assertIn("hint: ", t["text"])
                before = self.sw.drops()
                self.send(t["frame"])
                lab.wait_until("the drop is counted", lambda: self.sw.drops()
                               .get(reason, 0) > before.get(reason, 0))

    # ------------------------------------------------------------- agreement

    def test_cache_entry_of_the_flow_is_shown_and_agrees(self):
        if "--cache=1" in lab.WEFTD_ARGS:
            self.assertEqual([c["state"] for c in self.trace(FLOW)["caches"]],
                             ["no_cache"])
            return
        self.rules("ip,actions=goto_table:1",
                   "table=1,tcp,tp_dst=80,actions=set_field:81->tcp_dst,"
                   "output:2")
        self.assertEqual({c["state"] for c in self.trace(FLOW)["caches"]},
                         {"unknown"})
        self.send(self.trace(FLOW)["frame"], 10)
        t = {}

        def cached():
            nonlocal t
            t = self.trace(FLOW)
            return t["caches"][0]["state"] == "agrees"
        lab.wait_until("the flow is cached", cached)
        self.assertIn("set_field:81->tcp_dst,output:2",
                      t["caches"][0]["actions"])
        self.rules("table=1,priority=40000,tcp,tp_dst=80,actions=output:3")
        t = self.trace(FLOW)
        self.assertEqual(t["caches"][0]["state"], "stale", t["text"])
        self.assertTrue(t["agrees"])

    def test_trace_moves_no_counter(self):
        self.rules("ip,actions=output:2")
        for _ in range(5):
            self.trace(FLOW)
        self.assertIn("n_packets=0", self.sw.dump("flows", "br0"))

    # ----------------------------------------------------------------- input

    def test_frame_in_hexadecimal_is_taken_too(self):
        self.rules("ip,in_port=1,actions=output:2")
        frame = self.trace(FLOW)["frame"]
        t = self.trace(frame, "in_port=1")
        self.assertEqual(t["result"][0]["frame"], frame)
        self.assertEqual(t["result"][0]["change"], "unchanged")

    def test_ports_are_named_or_numbered(self):
        self.rules("ip,in_port=1,actions=output:2")
        t = self.trace(FLOW.replace("in_port=1", "in_port=tap1"))
        for port in ("1", "tap1"):
            r = self.trace(t["frame"], "in_port=" + port)["result"]
            self.assertEqual(r[0]["port"], 2)

    def test_broken_frames_and_ports_are_refused_by_place(self):
        frame = "ffffffffffff02000000000188b5"
        for words, code, what in (
                ((frame + "0x",), 1, 'byte 15, column 29: "0x"'),
                ((frame + "0",), 1, "byte 15"),
                (("0102",), 1, "frame of 2 bytes"),
                ((frame, "in_port=99"), 1, "br0 has no port 99"),
                ((frame, "in_port=tap9"), 1, "tap9"),
                ((frame, "tun_src=1.2.3"), 1, "tun_src"),
                ((frame, "port=1"), 2, '"port"'),
                (("in_port=99,tcp",), 1, "br0 has no port 99"),
                (("tcp,tp_dst=65536",), 1, "65536 exceeds 65535")):
            r = self.sw.ctl("trace", "br0", *words, check=False)
            self.assertEqual(r.returncode, code, r.stderr)
            self.assertIn(what, r.stderr)

    def test_broken_input_is_refused_with_the_word(self):
        for words, what in ((("tcp,nw_dst=10.0.0",), "nw_dst"),
                            (("metadata=5",), "metadata"),
                            (("tp_dst=80",), "tp_dst")):
            r = self.sw.ctl("trace", "br0", *words, check=False)
            self.assertEqual(r.returncode, 1)
            self.assertIn(what, r.stderr)


if __name__ == "__main__":
    lab.main("ip")
