#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Taps with default kernel settings: TCP, large segments, MTU, NORMAL."""
import unittest
import lab


def pair(l, mtu=1500):
    a, b = l.ns("a"), l.ns("b")
    s = l.switch()
    s.ctl("add-br", "br0")
    s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1, mtu=mtu)
    s.tap("br0", "tap2", b, "10.0.0.2/24", ofport=2, mtu=mtu)
    s.flows("in_port=1,actions=output:2", "in_port=2,actions=output:1")
    return s, a, b


class Taps(unittest.TestCase):
    def test_tcp_bytes_arrive_right_with_default_settings(self):
        with lab.Lab() as l:
            s, a, b = pair(l)
            l.tcp(a, b, "10.0.0.2", size=64 << 20)
            l.tcp(b, a, "10.0.0.1", size=64 << 20)
            self.assertEqual(s.drops(), {})

    def test_large_segments_pass_whole(self):
        with lab.Lab() as l:
            s, a, b = pair(l)
            l.tcp(a, b, "10.0.0.2", size=64 << 20)
            p = [p for p in s.json("ports", "br0")["ports"]
                 if p["ofport"] == 1][0]["stats"]
            self.assertGreater(p["rx_bytes"] / p["rx_packets"], 4000)

    def test_frames_up_to_the_mtu_pass_and_larger_ones_are_counted(self):
        with lab.Lab() as l:
            s, a, b = pair(l)
            l.ping(a, "10.0.0.2", size=1472, df=True)
            self.assertEqual(s.drops(), {})
            s.ctl("set-port", "tap2", "mtu=1400")
            self.assertEqual(l.ping(a, "10.0.0.2", size=1473 - 100, count=3,
                                    df=True, check=False), 0)
            self.assertEqual(s.drops(), {"tx_too_big": 3})
            l.ping(a, "10.0.0.2", size=1372, df=True)

    def test_normal_learns_and_keeps_unicast_to_itself(self):
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0")
            vms = []
            for i in (1, 2, 3):
                ns = l.ns("n%d" % i)
                s.tap("br0", "t%d" % i, ns, "10.0.0.%d/24" % i, ofport=i,
                      mac="02:00:00:00:00:0%d" % i)
                vms.append(ns)
            s.flows("actions=NORMAL")
            l.ping(vms[0], "10.0.0.2", count=20)
            macs = {m["mac"]: m["port"] for m in s.json("macs", "br0")
                    ["macs"]}
            self.assertEqual(macs["02:00:00:00:00:01"], 1)
            self.assertEqual(macs["02:00:00:00:00:02"], 2)
            before = self.tx(s, 3)
            l.ping(vms[0], "10.0.0.2", count=20)
            self.assertLess(self.tx(s, 3) - before, 3)
            l.tcp(vms[0], vms[1], "10.0.0.2")

    @staticmethod
    def tx(s, number):
        return [p for p in s.json("ports", "br0")["ports"]
                if p["ofport"] == number][0]["stats"]["tx_packets"]

    def test_tcp_between_a_tap_and_a_veth_without_ethtool(self):
        with lab.Lab() as l:
            host, a, b = l.ns("host"), l.ns("a"), l.ns("b")
            l.link(host, b, "veth1", "eth0", None, "10.0.0.2/24")
            s = l.switch("weft", host)
            s.ctl("add-br", "br0")
            s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1)
            s.ctl("add-port", "br0", "veth1", "type=netdev", "ofport=2")
            s.flows("in_port=1,actions=output:2",
                    "in_port=2,actions=output:1")
            l.tcp(a, b, "10.0.0.2", size=16 << 20)
            l.tcp(b, a, "10.0.0.1", size=16 << 20)

    def test_tcp_through_a_patch_between_two_bridges(self):
        with lab.Lab() as l:
            a, b = l.ns("a"), l.ns("b")
            s = l.switch()
            s.ctl("add-br", "br0")
            s.ctl("add-br", "br1")
            s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1)
            s.tap("br1", "tap2", b, "10.0.0.2/24", ofport=1)
            s.ctl("add-port", "br0", "p0", "type=patch", "peer=p1",
                  "ofport=2")
            s.ctl("add-port", "br1", "p1", "type=patch", "peer=p0",
                  "ofport=2")
            for br in ("br0", "br1"):
                s.flows("in_port=1,actions=output:2",
                        "in_port=2,actions=output:1", bridge=br)
            l.ping(a, "10.0.0.2", count=10)
            l.tcp(a, b, "10.0.0.2", size=16 << 20)

    def test_internal_port_talks_to_a_tap(self):
        with lab.Lab() as l:
            host, a = l.ns("host"), l.ns("a")
            s = l.switch("weft", host)
            s.ctl("add-br", "br0")
            s.ctl("add-port", "br0", "br0", "type=internal")
            lab.sh("ip", "-n", host, "addr", "add", "10.0.0.2/24", "dev",
                   "br0")
            lab.sh("ip", "-n", host, "link", "set", "br0", "up")
            s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1)
            s.flows("in_port=1,actions=LOCAL", "in_port=LOCAL,actions="
                    "output:1")
            l.ping(a, "10.0.0.2", count=10)
            l.tcp(a, host, "10.0.0.2", size=16 << 20)


if __name__ == "__main__":
    lab.main("ping", "ovs-ofctl")
