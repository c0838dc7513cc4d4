#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Networks without a controller: two tenants over three hosts, one of them
the Linux kernel.

    a (weftd) 192.0.2.1 ---+
    b (weftd) 192.0.2.2 ---+--- router (the underlay)
    c (kernel) 192.0.2.3 --+

Both tenants use the same addresses; what one sends, the other never sees."""
import json
import re
import unittest
import lab

BLUE, GREEN = "vni=5001", "vsid=6001"


class Underlay:
    """Hosts around a router."""

    def __init__(self, l, names):
        self.l, self.router, self.ns = l, l.ns("router"), {}
        lab.sh("sysctl", "-qw", "net.ipv4.ip_forward=1", ns=self.router)
        for i, name in enumerate(names, 1):
            ns = self.ns[name] = l.ns(name)
            port = "to-" + name
            l.link(self.router, ns, port, "eth0",
                   address_a="198.51.100.1/32", address_b="192.0.2.%d/32" % i)
            lab.sh("ip", "-n", self.router, "route", "add", "192.0.2.%d" % i,
                   "dev", port)
            lab.sh("ip", "-n", ns, "route", "add", "default", "via",
                   "198.51.100.1", "dev", "eth0", "onlink")

    def weft(self, name):
        s = self.l.switch(name, self.ns[name])
        s.ctl("add-uplink", "eth0")
        return s

    def kernel(self, name, vni, remotes, address):
        """The kernel as an end point: static flood list, learning on."""
        ns = self.ns[name]
        local = lab.sh("ip", "-n", ns, "-4", "-o", "addr", "show", "eth0")
        local = re.search(r"inet ([0-9.]+)", local).group(1)
        lab.sh("ip", "-n", ns, "link", "add", "vx", "type", "vxlan", "id",
               vni, "local", local, "dstport", 4789, "dev", "eth0")
        for remote in remotes:
            lab.sh("bridge", "-n", ns, "fdb", "append", "00:00:00:00:00:00",
                   "dev", "vx", "dst", remote)
        lab.sh("ip", "-n", ns, "addr", "add", address, "dev", "vx")
        lab.sh("ip", "-n", ns, "link", "set", "vx", "up")
        return ns


def vm(l, s, net, name, address):
    ns = l.ns(name)
    s.tap(net, name, ns, address, mtu=1450)
    return ns


def remotes(s, net):
    return sorted(v["remote"] for v in s.json("vteps", net)["vteps"])


class Networks(unittest.TestCase):
    def test_tenants_share_addresses_and_never_meet(self):
        with lab.Lab() as l:
            u = Underlay(l, "ab")
            a, b = u.weft("a"), u.weft("b")
            for s, peer in ((a, "192.0.2.2"), (b, "192.0.2.1")):
                s.ctl("add-net", "blue", BLUE, "peers=" + peer)
                s.ctl("add-net", "green", GREEN, "peers=" + peer)
            blue_a = vm(l, a, "blue", "bla", "10.0.0.1/24")
            blue_b = vm(l, b, "blue", "blb", "10.0.0.2/24")
            green_a = vm(l, a, "green", "gra", "10.0.0.1/24")
            green_b = vm(l, b, "green", "grb", "10.0.0.2/24")
            for one, other in ((blue_a, blue_b), (green_a, green_b)):
                l.ping(one, "10.0.0.2", count=20)
                l.ping(one, "10.0.0.2", size=1422, df=True)
                l.tcp(one, other, "10.0.0.2")
                l.tcp(other, one, "10.0.0.1")
            # Only blue has 10.0.0.3: green asks in vain.
            lab.sh("ip", "-n", blue_b, "addr", "add", "10.0.0.3/24", "dev",
                   "blb")
            l.ping(blue_a, "10.0.0.3")
            self.assertEqual(l.ping(green_a, "10.0.0.3", check=False), 0)
            far = [m for m in a.json("macs", "blue")["macs"]
                   if m.get("remote")]
            self.assertEqual({m["remote"] for m in far}, {"192.0.2.2"})
            self.assertEqual(a.drops("blue"), {})
            self.assertEqual(a.drops("green"), {})

    def test_three_hosts_one_the_kernel(self):
        with lab.Lab() as l:
            u = Underlay(l, "abc")
            a, b = u.weft("a"), u.weft("b")
            a.ctl("add-net", "blue", BLUE, "peers=192.0.2.2,192.0.2.3")
            b.ctl("add-net", "blue", BLUE)
            b.ctl("add-peer", "blue", "192.0.2.1", "192.0.2.3")
            vm_a = vm(l, a, "blue", "va", "10.0.0.1/24")
            vm_b = vm(l, b, "blue", "vb", "10.0.0.2/24")
            c = u.kernel("c", 5001, ["192.0.2.1", "192.0.2.2"],
                         "10.0.0.3/24")
            for ns, others in ((vm_a, (2, 3)), (vm_b, (1, 3)), (c, (1, 2))):
                for n in others:
                    l.ping(ns, "10.0.0.%d" % n, count=10)
            l.tcp(vm_a, c, "10.0.0.3")
            l.tcp(c, vm_b, "10.0.0.2")
            self.assertEqual(a.drops("blue"), {})
            # Known addresses are not flooded: b sees nothing of a and c.
            before = b.balance("blue")["received"]
            l.ping(vm_a, "10.0.0.3", count=20)
            self.assertLessEqual(b.balance("blue")["received"] - before, 2)

    def test_peers_are_learnt_when_wanted_and_strangers_dropped(self):
        with lab.Lab() as l:
            u = Underlay(l, "abc")
            a, b = u.weft("a"), u.weft("b")
            a.ctl("add-net", "blue", BLUE, "remote=learn")
            b.ctl("add-net", "blue", BLUE, "peers=192.0.2.1")
            vm_a = vm(l, a, "blue", "va", "10.0.0.1/24")
            vm_b = vm(l, b, "blue", "vb", "10.0.0.2/24")
            self.assertEqual(remotes(a, "blue"), [])
            l.ping(vm_b, "10.0.0.1", count=10)
            self.assertEqual(remotes(a, "blue"), ["192.0.2.2"])
            self.assertEqual(a.json("vteps", "blue")["vteps"][0]["origin"],
                             "learnt")
            # c is not among b's peers: dropped by reason, nothing learnt.
            c = u.kernel("c", 5001, ["192.0.2.2"], "10.0.0.3/24")
            self.assertEqual(l.ping(c, "10.0.0.2", count=3, check=False), 0)
            self.assertEqual(remotes(b, "blue"), ["192.0.2.1"])
            drops = b.json("uplinks")["uplinks"][0]["drops"]
            self.assertGreater(drops.get("tnl_unknown", 0), 0)
            b.ctl("add-peer", "blue", "192.0.2.3")
            l.ping(c, "10.0.0.2", count=3)
            l.ping(vm_a, "10.0.0.2", count=3)

    def test_a_vm_moves_and_its_traffic_follows(self):
        with lab.Lab() as l:
            u = Underlay(l, "abc")
            s = {n: u.weft(n) for n in "abc"}
            for n, others in (("a", "192.0.2.2,192.0.2.3"),
                              ("b", "192.0.2.1,192.0.2.3"),
                              ("c", "192.0.2.1,192.0.2.2")):
                s[n].ctl("add-net", "blue", BLUE, "peers=" + others)
            vm_a = vm(l, s["a"], "blue", "va", "10.0.0.1/24")
            moving = l.ns("moving")
            s["b"].tap("blue", "vm", moving, "10.0.0.9/24",
                       mac="02:00:00:00:00:99")
            l.ping(vm_a, "10.0.0.9")
            s["b"].ctl("del-port", "vm")
            s["c"].tap("blue", "vm", moving, "10.0.0.9/24",
                       mac="02:00:00:00:00:99")
            # Its first frame tells where it is now.
            l.ping(moving, "10.0.0.1", count=1)
            l.ping(vm_a, "10.0.0.9")
            where = [m["remote"] for m in s["a"].json("macs", "blue")["macs"]
                     if m["mac"] == "02:00:00:00:00:99"]
            self.assertEqual(where, ["192.0.2.3"])

    def test_a_guest_that_floods_addresses_takes_no_others_place(self):
        with lab.Lab() as l:
            u = Underlay(l, "ab")
            a, b = u.weft("a"), u.weft("b")
            a.ctl("add-net", "blue", BLUE, "peers=192.0.2.2")
            a.ctl("set-br", "blue", "mac-limit=20")
            b.ctl("add-net", "blue", BLUE, "peers=192.0.2.1")
            vm_a = vm(l, a, "blue", "va", "10.0.0.1/24")
            vm(l, b, "blue", "vb", "10.0.0.2/24")
            l.ping(vm_a, "10.0.0.2")
            lab.sh(lab.PYTHON, "-c", """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("va", 0))
for i in range(200):
    s.send(b"\\xff" * 6 + bytes((2, 9, 9, 9, 0, i)) + b"\\x88\\xb5"
           + bytes(46))
""", ns=vm_a)
            macs = lab.wait_until("refused", lambda: next(
                m for m in [json.loads(a.ctl("--json", "show"))
                            ["bridges"][0]["macs"]] if m["refused"]))
            self.assertEqual((macs["addresses"], macs["limit"]), (20, 20))
            self.assertIn("20 of 20", a.ctl("show"))
            before = b.balance("blue")["received"]
            l.ping(vm_a, "10.0.0.2", count=10)  # Known still: not flooded.
            self.assertLessEqual(b.balance("blue")["received"] - before, 22)

    def test_configuration_of_a_network_comes_back(self):
        with lab.Lab() as l:
            s = l.switch("weft", l.ns("host"))
            s.ctl("add-net", "blue", BLUE, "peers=192.0.2.2", "ttl=9")
            s.ctl("add-peer", "blue", "192.0.2.3")
            doc = s.ctl("export")
            s.ctl("del-net", "blue")
            self.assertEqual(json.loads(s.ctl("export"))["bridges"], {})
            lab.sh(lab.BUILD + "/weftctl", "--run-dir", s.dir, "apply", "-",
                   text=doc)
            self.assertEqual(json.loads(s.ctl("export")), json.loads(doc))
            self.assertEqual(remotes(s, "blue"), ["192.0.2.2", "192.0.2.3"])
            s.ctl("del-peer", "blue", "192.0.2.2")
            self.assertEqual(remotes(s, "blue"), ["192.0.2.3"])

    def test_bad_commands_name_the_fault_and_change_nothing(self):
        with lab.Lab() as l:
            s = l.switch("weft", l.ns("host"))
            s.ctl("add-net", "blue", BLUE, "peers=192.0.2.2")
            doc = s.ctl("export")
            for words, said in (
                    (("add-net", "red"), "vni=N"),
                    (("add-net", "red", "vni=1", "vsid=5000"), "one of"),
                    (("add-net", "red", "vni=16777216"), "16777215"),
                    (("add-net", "red", "vsid=4095"), "reserved"),
                    (("add-net", "red", BLUE), "exists already"),
                    (("add-net", "blue", "vni=7"), "exists already"),
                    (("add-net", "red", "vni=7", "peers=192.0.2.300"),
                     "192.0.2.300"),
                    (("add-net", "red", "vni=7", "peers=224.0.0.1"),
                     "224.0.0.1"),
                    (("add-net", "red", "vni=7", "key=8"), "one of"),
                    (("add-net", "red", "type=vxlan", "key=flow"), "key"),
                    (("add-net", "x" * 61, "vni=7"), "61 characters"),
                    (("add-peer", "red", "192.0.2.9"), "red"),
                    (("add-peer", "blue", "192.0.2.2"), "already"),
                    (("add-peer", "blue", "192.0.2.8", "192.0.2.8"),
                     "twice"),
                    (("del-peer", "blue", "192.0.2.9"), "192.0.2.9"),
                    (("del-net", "red"), "red")):
                r = s.ctl(*words, check=False)
                self.assertEqual(r.returncode, 1, words)
                self.assertIn(said, r.stderr, words)
                self.assertEqual(s.ctl("export"), doc, words)


if __name__ == "__main__":
    lab.main("ping", "bridge")
