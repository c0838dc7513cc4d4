#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The physical part fails and comes back: VM, underlay link, weftd itself."""
import os
import re
import socket
import subprocess
import tempfile
import time
import unittest
import lab


class Recovery(unittest.TestCase):
    def overlay(self, l):
        hosts, vms, switches = [], [], []
        for i in (1, 2):
            hosts.append(l.ns("h%d" % i))
        l.link(hosts[0], hosts[1], address_a="192.0.2.1/24",
               address_b="192.0.2.2/24")
        for i in (1, 2):
            vm = l.ns("vm%d" % i)
            vms.append(vm)
            s = l.switch("weft%d" % i, hosts[i - 1])
            s.ctl("add-br", "br0")
            s.ctl("add-uplink", "eth0")
            s.tap("br0", "vm1", vm, "10.0.0.%d/24" % i, ofport=1, mtu=1450)
            s.ctl("add-port", "br0", "vx0", "type=vxlan",
                  "local=192.0.2.%d" % i, "remote=192.0.2.%d" % (3 - i),
                  "key=5001", "ofport=2")
            s.flows("in_port=1,actions=output:2",
                    "in_port=2,actions=output:1")
            switches.append(s)
        l.ping(vms[0], "10.0.0.2", count=5)
        return hosts, vms, switches

    def test_underlay_link_down_and_up(self):
        with lab.Lab() as l:
            hosts, vms, _ = self.overlay(l)
            lab.sh("ip", "-n", hosts[0], "link", "set", "eth0", "down")
            self.assertEqual(l.ping(vms[0], "10.0.0.2", count=2,
                                    check=False), 0)
            lab.sh("ip", "-n", hosts[0], "link", "set", "eth0", "up")
            lab.wait_until("ping after link up", lambda: l.ping(
                vms[0], "10.0.0.2", count=1, check=False) == 1)
            l.ping(vms[0], "10.0.0.2", count=10)

    def test_underlay_link_replaced(self):
        with lab.Lab() as l:
            hosts, vms, _ = self.overlay(l)
            lab.sh("ip", "-n", hosts[0], "link", "del", "eth0")
            self.assertEqual(l.ping(vms[0], "10.0.0.2", count=2,
                                    check=False), 0)
            l.link(hosts[0], hosts[1], address_a="192.0.2.1/24",
                   address_b="192.0.2.2/24")
            lab.wait_until("ping over the new link", lambda: l.ping(
                vms[0], "10.0.0.2", count=1, check=False) == 1, 20)
            l.ping(vms[0], "10.0.0.2", count=10)

    def test_vm_namespace_killed_and_made_again(self):
        with lab.Lab() as l:
            _, vms, switches = self.overlay(l)
            lab.sh("ip", "netns", "del", vms[1])
            lab.wait_until("port says why it is down", lambda: [
                p for p in switches[1].json("ports", "br0")["ports"]
                if p["ofport"] == 1 and not p["link_up"]])
            self.assertEqual(l.ping(vms[0], "10.0.0.2", count=2,
                                    check=False), 0)
            lab.sh("ip", "netns", "add", vms[1])
            lab.wait_until("tap is back", lambda: lab.sh(
                "ip", "-n", vms[1], "link", "show", "vm1",
                check=False).returncode == 0)
            lab.sh("ip", "-n", vms[1], "addr", "add", "10.0.0.2/24", "dev",
                   "vm1")
            lab.sh("ip", "-n", vms[1], "link", "set", "vm1", "up")
            lab.wait_until("ping to the new VM", lambda: l.ping(
                vms[0], "10.0.0.2", count=1, check=False) == 1)

    def test_kill_9_leaves_no_program_and_a_restart_works(self):
        with lab.Lab() as l:
            hosts, vms, switches = self.overlay(l)
            s = switches[0]
            self.assertRegex(self.link(hosts[0]), r"\bxdp")
            s.process.stop(9)
            lab.wait_until("XDP program gone", lambda: not re.search(
                r"\bxdp", self.link(hosts[0])))
            l.ping(hosts[0], "192.0.2.2", count=3)  # The host's own traffic.
            s.start()
            s.ctl("add-br", "br0")
            s.ctl("add-uplink", "eth0")
            s.tap("br0", "vm1", vms[0], "10.0.0.1/24", ofport=1, mtu=1450)
            s.ctl("add-port", "br0", "vx0", "type=vxlan", "local=192.0.2.1",
                  "remote=192.0.2.2", "key=5001", "ofport=2")
            s.ctl("set-controller", "br0", "punix:" + s.openflow()[5:])
            s.flows("in_port=1,actions=output:2",
                    "in_port=2,actions=output:1")
            lab.wait_until("ping after restart", lambda: l.ping(
                vms[0], "10.0.0.2", count=1, check=False) == 1)

    @staticmethod
    def link(ns):
        return lab.sh("ip", "-n", ns, "-d", "link", "show", "eth0")

    def test_configuration_survives_kill_9(self):
        with lab.Lab() as l:
            host, a, b = l.ns("host"), l.ns("a"), l.ns("b")
            s = l.switch("weft", host, args=["--state-dir",
                                             l.dir + "/state"])
            s.ctl("add-br", "br0", "dpid=77")
            s.tap("br0", "t1", a, "10.0.0.1/24", ofport=1)
            s.tap("br0", "t2", b, "10.0.0.2/24", ofport=2)
            s.openflow()
            before = s.ctl("export")
            time.sleep(1.5)  # Durable within one second.
            s.process.stop(9)
            s.start()
            self.assertEqual(s.ctl("export"), before)


class Start(unittest.TestCase):
    def test_socket_answers_as_soon_as_it_is_there(self):
        """A script may wait for the file and connect at once."""
        for _ in range(10):
            with tempfile.TemporaryDirectory() as folder:
                p = subprocess.Popen(
                    [os.path.join(lab.BUILD, "weftd"), "--run-dir", folder,
                     "--no-state"], stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
                try:
                    self.connect(p, os.path.join(folder, "weft.sock"))
                finally:
                    p.terminate()
                    p.wait()

    def connect(self, process, path):
        while True:
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    return s.connect(path)
                except FileNotFoundError:
                    self.assertIsNone(process.poll())


if __name__ == "__main__":
    lab.main("ping", "ovs-ofctl")
