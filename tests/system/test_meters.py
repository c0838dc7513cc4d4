#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Meters and queues under real traffic, asked of by ovs-ofctl.  Exact rates
are tests/datapath/test_meter.c's and test_queue.c's; here a coarse guard."""
import re
import time
import unittest
import lab


class Qos(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.a, cls.b = cls.lab.ns("a"), cls.lab.ns("b")
        cls.s = s = cls.lab.switch()
        s.ctl("add-br", "br0")
        s.tap("br0", "tap1", cls.a, "10.0.0.1/24", ofport=1)
        s.tap("br0", "tap2", cls.b, "10.0.0.2/24", ofport=2)

    @classmethod
    def tearDownClass(cls):
        cls.s.check_balance()
        cls.lab.down()

    def setUp(self):
        self.s.ofctl("del-flows")
        self.s.ofctl("del-meters")
        self.s.flows("priority=1,actions=NORMAL")
        self.lab.ping(self.a, "10.0.0.2", count=1)

    def flood(self, count, interval):
        out = lab.sh("ping", "-c", str(count), "-i", str(interval), "-W", "1",
                     "10.0.0.2", ns=self.a, check=False)
        return int(re.search(r"(\d+) received", out.stdout).group(1))

    def test_ovs_ofctl_adds_changes_lists_and_deletes_meters(self):
        s = self.s
        s.ofctl("add-meter", "meter=5,kbps,burst,stats,bands=type=drop,"
                "rate=1000,burst_size=100")
        s.ofctl("add-meter", "meter=7,pktps,bands=type=dscp_remark,rate=5,"
                "prec_level=1,type=drop,rate=10")
        out = s.ofctl("dump-meters")
        self.assertIn("meter=5 kbps burst stats bands=", out)
        self.assertIn("type=drop rate=1000 burst_size=100", out)
        self.assertIn("type=dscp_remark rate=5 prec_level=1", out)
        s.ofctl("mod-meter", "meter=5,pktps,bands=type=drop,rate=3")
        self.assertIn("type=drop rate=3", s.ofctl("dump-meter", "meter=5"))
        self.assertIn("max_meter:65536", s.ofctl("meter-features"))
        s.flows("priority=5,icmp,actions=meter:5,NORMAL")
        self.assertIn("flow_count:1", s.ofctl("meter-stats", "meter=5"))
        s.ofctl("del-meter", "meter=5")
        self.assertNotIn("meter:5", s.ofctl("dump-flows"))
        out = s.ofctl("add-flow", "actions=meter:5,NORMAL", check=False)
        self.assertIn("OFPMMFC_UNKNOWN_METER", str(out))

    def test_meter_lets_its_rate_pass_and_counts_the_rest(self):
        s = self.s
        s.ofctl("add-meter", "meter=1,pktps,stats,bands=type=drop,rate=20")
        s.flows("priority=5,in_port=1,icmp,actions=meter:1,NORMAL")
        start = time.monotonic()
        got = self.flood(300, 0.01)
        seconds = time.monotonic() - start
        self.assertGreater(got, 30)
        self.assertLess(got, 20 * seconds + 10)
        out = s.ofctl("meter-stats", "meter=1")
        self.assertEqual(300, int(re.search(r"packet_in_count:(\d+)",
                                            out).group(1)))
        self.assertEqual(300 - got, int(re.search(r"0: packet_count:(\d+)",
                                                  out).group(1)))
        self.assertGreaterEqual(s.drops().get("meter", 0), 300 - got)

    def test_queue_shapes_and_is_listed(self):
        s = self.s
        s.ctl("set-queue", "br0", "tap2", "3", "max-rate=80k", "burst=2k")
        self.assertIn("80k", str(s.ctl("export")))
        s.flows("priority=5,in_port=1,icmp,actions=set_queue:3,NORMAL")
        # 98 bytes each: 100 frames in a second and a half are 9.8 kB at 10
        # kB/s: nothing is lost, all of it waits.
        start = time.monotonic()
        got = self.flood(100, 0.005)
        self.assertEqual(100, got)
        self.assertGreater(time.monotonic() - start, 0.7)
        out = s.ofctl("queue-stats")
        self.assertRegex(out, r"port tap2 queue 3: bytes=\d+, pkts=100|"
                         r"port +\"?2\"? queue 3: bytes=\d+, pkts=100|"
                         r"queue 3: bytes=\d+, pkts=100")
        self.assertIn("3", s.ofctl("queue-get-config", "2"))
        queue = [q for q in s.json("queues", "br0")["queues"]
                 if q["queue"] == 3]
        self.assertEqual(["tap2"], [q["port_name"] for q in queue])
        self.assertEqual((80000, 2000, 100),
                         tuple(queue[0][k] for k in ("max_rate", "burst",
                                                     "tx_packets")))
        self.assertRegex(s.dump("queues", "br0", "tap2"),
                         r"tap2 +3 +- +80k +2k +100 ")
        self.assertNotIn("tap2", s.dump("queues", "br0", "tap1"))
        s.ctl("del-queue", "br0", "tap2", "3")
        self.assertNotIn(3, [q["queue"]
                             for q in s.json("queues", "br0")["queues"]])
        self.assertNotIn("80k", str(s.ctl("export")))
        self.assertEqual(20, self.flood(20, 0.01))


if __name__ == "__main__":
    lab.main("ping", "ovs-ofctl")
