#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""NVGRE, VXLAN and Geneve with Open vSwitch's userspace datapath as the peer.

    host (weftd)                              peer (Open vSwitch)
    VM 10.0.0.1 -tap- br0 -tun- eth0 192.0.2.1 === br-phy 192.0.2.2, br-int -gre/vxlan/geneve
                                                   br-int's own address 10.0.0.2
Open vSwitch's gre port has one 32-bit key: VSID << 8 | FlowID (RFC 7637
section 3.2); key=flow and a masked match leave the FlowID free."""
import unittest
import lab

VSID, VNI = 6001, 5001


class OpenVswitchPeer(unittest.TestCase):
    def ovs_side(self, l, peer, kind):
        lab.sh("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", ns=peer)
        o = l.ovs("ovs", peer)
        key = "flow" if kind == "gre" else str(VNI)
        o.vsctl("add-br", "br-phy", "--", "set", "bridge", "br-phy",
                "datapath_type=netdev", "--", "add-port", "br-phy", "eth0",
                "--", "add-br", "br-int", "--", "set", "bridge", "br-int",
                "datapath_type=netdev", "fail_mode=secure", "--", "add-port",
                "br-int", "tun", "--", "set", "interface", "tun",
                "type=" + kind, "options:remote_ip=192.0.2.1",
                "options:key=" + key, "ofport_request=2")
        for dev, address in (("br-phy", "192.0.2.2/24"),
                             ("br-int", "10.0.0.2/24")):
            lab.sh("ip", "-n", peer, "addr", "add", address, "dev", dev)
            lab.sh("ip", "-n", peer, "link", "set", dev, "up")
        lab.sh("ip", "-n", peer, "link", "set", "br-int", "mtu", 1450)
        if kind == "gre":
            o.ofctl("add-flow", "br-int", "in_port=LOCAL,actions="
                    "set_field:0x%x->tun_id,output:2" % (VSID << 8 | 0xff))
            o.ofctl("add-flow", "br-int", "in_port=2,tun_id=0x%x/0xffffff00,"
                    "actions=LOCAL" % (VSID << 8))
        else:
            o.ofctl("add-flow", "br-int", "in_port=LOCAL,actions=output:2")
            o.ofctl("add-flow", "br-int", "in_port=2,actions=LOCAL")
        return o

    def check_both_ways(self, kind):
        with lab.Lab() as l:
            host, peer, vm = l.ns("host"), l.ns("peer"), l.ns("vm")
            l.link(host, peer, address_a="192.0.2.1/24")
            o = self.ovs_side(l, peer, kind)
            # Open vSwitch reads veth by AF_PACKET without offload metadata:
            # its side needs complete checksums, a limit of the peer.
            lab.sh("ethtool", "-K", "br-int", "tx", "off", ns=peer,
                   check=False)
            s = l.switch("weft", host)
            s.ctl("add-br", "br0")
            s.ctl("add-uplink", "eth0")
            s.tap("br0", "vm1", vm, "10.0.0.1/24", mtu=1450, ofport=1)
            s.ctl("add-port", "br0", "tun",
                  "type=" + ("nvgre" if kind == "gre" else kind),
                  "local=192.0.2.1", "remote=192.0.2.2",
                  "key=%d" % (VSID if kind == "gre" else VNI), "ofport=2")
            s.flows("in_port=1,actions=output:2",
                    "in_port=2,actions=output:1")
            lab.wait_until("first ping", lambda: l.ping(
                vm, "10.0.0.2", count=1, check=False) == 1)
            l.ping(vm, "10.0.0.2", count=20)
            l.ping(peer, "10.0.0.1", count=20)
            l.tcp(vm, peer, "10.0.0.2", size=2 << 20)
            l.tcp(peer, vm, "10.0.0.1", size=2 << 20)
            if kind == "gre":
                self.check_entropy(l, peer, vm)

    def check_entropy(self, l, peer, vm):
        """Many inner flows, one VSID: several FlowIDs, none of them part of
        the identity.  Seen at the peer: AF_XDP passes tcpdump by."""
        dump = l.start("tcpdump", "tcpdump", "-i", "eth0", "-nn", "-l", "-x",
                       "proto", "gre", ns=peer)
        lab.wait_until("tcpdump", lambda: "listening" in dump.output())
        for port in range(1, 33):
            lab.sh(lab.PYTHON, "-c", "import socket; s = socket.socket("
                   "socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', "
                   "('10.0.0.2', %d))" % (2000 + port), ns=vm)
        lab.wait_until("frames", lambda: dump.output().count("0x0010:") >= 32)
        dump.stop()
        keys = set()
        for line in dump.output().splitlines():
            words = line.split()
            if words and words[0] == "0x0010:":
                keys.add(words[5] + words[6])  # IP bytes 24-27: the key
        vsids = {int(k, 16) >> 8 for k in keys}
        self.assertEqual(vsids, {VSID})
        self.assertGreater(len(keys), 8)

    def test_nvgre_ping_and_tcp_both_ways(self):
        self.check_both_ways("gre")

    def test_geneve_ping_and_tcp_both_ways(self):
        self.check_both_ways("geneve")

    def test_vxlan_ping_and_tcp_both_ways(self):
        self.check_both_ways("vxlan")


if __name__ == "__main__":
    lab.main("ovs-vsctl", "tcpdump", "ethtool")
