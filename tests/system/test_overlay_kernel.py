#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""VXLAN with the Linux kernel as the peer, IPv4 underlay, both ways.

    host (weftd)                      peer (kernel only)
    VM 10.0.0.1 -tap- br0 -vx0- eth0 192.0.2.1 === 192.0.2.2 eth0 - vxlan0 10.0.0.2
"""
import unittest
import lab


class KernelVxlan(unittest.TestCase):
    def topology(self, l, mode="auto", vm_mtu=1450):
        host, peer, vm = l.ns("host"), l.ns("peer"), l.ns("vm")
        l.link(host, peer, address_a="192.0.2.1/24",
               address_b="192.0.2.2/24")
        lab.sh("ip", "-n", peer, "link", "add", "vxlan0", "type", "vxlan",
               "id", 5001, "local", "192.0.2.2", "remote", "192.0.2.1",
               "dstport", 4789, "dev", "eth0")
        lab.sh("ip", "-n", peer, "addr", "add", "10.0.0.2/24", "dev",
               "vxlan0")
        lab.sh("ip", "-n", peer, "link", "set", "vxlan0", "up")
        s = l.switch("weft", host)
        s.ctl("add-br", "br0")
        s.ctl("add-uplink", "eth0", "mode=" + mode)
        s.tap("br0", "vm1", vm, "10.0.0.1/24", mtu=vm_mtu, ofport=1)
        s.ctl("add-port", "br0", "vx0", "type=vxlan", "local=192.0.2.1",
              "remote=192.0.2.2", "key=5001", "ofport=2")
        s.flows("in_port=1,actions=output:2", "in_port=2,actions=output:1")
        return s, vm, peer, host

    def check_both_ways(self, mode):
        with lab.Lab() as l:
            s, vm, peer, host = self.topology(l, mode)
            l.ping(vm, "10.0.0.2", count=20)
            l.ping(peer, "10.0.0.1", count=20)
            l.ping(vm, "10.0.0.2", size=1422, df=True)  # A full 1450 packet.
            l.tcp(vm, peer, "10.0.0.2")
            l.tcp(peer, vm, "10.0.0.1")
            # The kernel keeps the interface: its own traffic still works.
            l.ping(host, "192.0.2.2", count=3)
            self.assertEqual(s.drops(), {})

    def test_ping_and_tcp_both_ways_over_af_xdp(self):
        self.check_both_ways("xdp")

    def test_ping_and_tcp_both_ways_over_af_packet(self):
        self.check_both_ways("af_packet")

    def test_guest_with_an_ordinary_mtu_is_told_the_tunnels(self):
        with lab.Lab() as l:
            s, vm, peer, _ = self.topology(l, vm_mtu=1500)
            out = lab.sh("ping", "-c", 2, "-i", "0.2", "-W", "1", "-s", 1472,
                         "-M", "do", "10.0.0.2", ns=vm, check=False).stdout
            self.assertIn("mtu = 1450", out)  # ICMP, by Weft.
            self.assertEqual(s.drops(), {"tnl_tx_too_big": 1})
            self.assertIn("mtu 1450", lab.sh(
                "ip", "route", "get", "10.0.0.2", ns=vm))
            # From now on the guest cuts to fit.
            l.ping(vm, "10.0.0.2", size=4000)

    def test_other_vni_is_dropped_by_reason(self):
        with lab.Lab() as l:
            s, vm, peer, _ = self.topology(l)
            lab.sh("ip", "-n", peer, "link", "set", "vxlan0", "down")
            lab.sh("ip", "-n", peer, "link", "add", "vxlan9", "type", "vxlan",
                   "id", 5009, "local", "192.0.2.2", "remote", "192.0.2.1",
                   "dstport", 4789, "dev", "eth0")
            lab.sh("ip", "-n", peer, "link", "set", "vxlan0", "down")
            lab.sh("ip", "-n", peer, "addr", "flush", "dev", "vxlan0")
            lab.sh("ip", "-n", peer, "addr", "add", "10.0.0.2/24", "dev",
                   "vxlan9")
            lab.sh("ip", "-n", peer, "link", "set", "vxlan9", "up")
            self.assertEqual(l.ping(peer, "10.0.0.1", count=3, check=False),
                             0)
            up = s.json("uplinks")["uplinks"][0]
            self.assertGreater(up["drops"].get("tnl_unknown", 0), 0)

    def test_no_port_unreachable_from_the_kernel(self):
        for mode in ("xdp", "af_packet"):
            with self.subTest(mode=mode), lab.Lab() as l:
                s, vm, peer, host = self.topology(l, mode)
                dump = l.start("tcpdump", "tcpdump", "-i", "eth0", "-nn",
                               "-l", "icmp", ns=peer)
                lab.wait_until("tcpdump", lambda: "listening" in
                               dump.output())
                l.ping(vm, "10.0.0.2", count=5)
                l.ping(peer, "10.0.0.1", count=5)
                dump.stop()
                self.assertNotIn("unreachable", dump.output())


if __name__ == "__main__":
    lab.main("iperf3", "ping")
