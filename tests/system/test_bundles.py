#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles of ovs-ofctl under traffic: no frame ever meets half of one.

Two sets of rules lead the same frames through different tables; metadata
says by which set a frame came.  Whatever meets a table of one set by a rule
of the other is caught there and shows at port 4.

    set A:  table 0 -- metadata 0xa --> table 1 -- per address --> port 2
            table 2 -- any ----------------------------------------> port 4
    set B:  table 0 -- metadata 0xb --> table 2 -- per address --> port 3
            table 1 -- any ----------------------------------------> port 4
"""
import ctypes
import os
import re
import socket
import struct
import threading
import time
import unittest
import lab

ADDRESSES = 200   # Rules of each set.
FLIPS = 12        # Per way of asking.
FRAMES = 20000    # At least, per way of asking.
BURST, PAUSE = 16, 0.002


def frame(i):
    """A small UDP frame to address 'i' of the sets."""
    udp = struct.pack("!HHHH", 1000, 9, 26, 0) + bytes(18)
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0,
                               64, 17, 0, socket.inet_aton("10.0.0.1"),
                               socket.inet_aton(address(i))))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip[10:12] = struct.pack("!H", ~((total & 0xffff) + (total >> 16))
                            & 0xffff)
    return bytes.fromhex("0200000000020200000000010800") + ip + udp


def address(i):
    return "10.1.0.%d" % i


def rules(name):
    """A whole set, by the letter."""
    mark, mine, other, port = {"A": (0xa, 1, 2, 2), "B": (0xb, 2, 1, 3)}[name]
    return (["table=0,priority=10,in_port=1,actions=write_metadata:%#x,"
             "goto_table:%d" % (mark, mine)]
            + ["table=%d,priority=%d,metadata=%#x,ip,nw_dst=%s,actions="
               "output:%d" % (mine, 10 + mark, mark, address(i), port)
               for i in range(ADDRESSES)]
            + ["table=%d,priority=0,actions=output:4" % table
               for table in (mine, other)])


def raw_socket(ns, interface):
    """On an interface of another namespace."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/thread-self/ns/net") as here, \
            open("/var/run/netns/" + ns) as there:
        if setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            s.bind((interface, 0))
            return s
        finally:
            if setns(here.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns back")


class Stream(threading.Thread):
    """Sends frames, evenly, until it is told to stop."""

    def __init__(self, tx):
        super().__init__()
        self.tx, self.sent, self.stopping = tx, 0, threading.Event()
        self.frames = [frame(i) for i in range(ADDRESSES)]

    def run(self):
        while not self.stopping.is_set():
            for _ in range(BURST):
                self.tx.send(self.frames[self.sent % ADDRESSES])
                self.sent += 1
            time.sleep(PAUSE)

    def stop(self):
        self.stopping.set()
        self.join()


class Bundles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.s = s = cls.lab.switch()
        s.ctl("add-br", "br0")
        cls.vm = {}
        for i in (1, 2, 3, 4):
            cls.vm[i] = cls.lab.ns("vm%d" % i)
            s.tap("br0", "tap%d" % i, cls.vm[i], ofport=i)
        # A worker that the machine puts aside is not to cost a frame.
        lab.sh("ip", "-n", cls.vm[1], "link", "set", "tap1", "txqueuelen",
               20000)
        cls.tx = raw_socket(cls.vm[1], "tap1")
        cls.file = {}
        for name in "AB":
            cls.file[name] = os.path.join(cls.lab.dir, name)
            with open(cls.file[name], "w") as f:
                f.write("\n".join(rules(name)) + "\n")
            # The same as what 'bundle' reads: all rules go, then these come.
            cls.file["bundle " + name] = cls.file[name] + ".bundle"
            with open(cls.file["bundle " + name], "w") as f:
                f.write("flow delete\n" + "".join(
                    "flow add %s\n" % r for r in rules(name)))

    @classmethod
    def tearDownClass(cls):
        cls.tx.close()
        try:
            cls.s.check_balance()
        finally:
            cls.lab.down()

    def setUp(self):
        self.of("del-flows")
        self.of("del-groups")

    def of(self, command, *words, version="13", options=(), check=True,
           text=None):
        return lab.sh("ovs-ofctl", "-O", "OpenFlow" + version, *options,
                      command, self.s.openflow(), *words, check=check,
                      text=text)

    def state(self):
        """Rules and groups as they are told, without their ages."""
        out = self.of("dump-flows") + self.of("dump-groups")
        out = re.sub(r"(duration|idle_age|hard_age)=[^,]*, ?", "", out)
        return sorted(line for line in out.splitlines() if "OFPST" not in line)

    def arrived(self):
        """Frames that came out of each port, as its VM's kernel saw them."""
        return {i: int(lab.sh("cat", "/sys/class/net/tap%d/statistics/"
                              "rx_packets" % i, ns=self.vm[i]))
                for i in (2, 3, 4)}

    def since(self, before):
        return {i: n - before[i] for i, n in self.arrived().items()}

    def flip_under_traffic(self, flip):
        """flip('A' or 'B'), many times; where the frames went."""
        flip("A")
        before, drops = self.arrived(), self.s.drops()
        stream = Stream(self.tx)
        stream.start()
        try:
            flips = 0
            while flips < FLIPS or stream.sent < FRAMES:
                flip("BA"[flips % 2])
                flips += 1
                self.assertTrue(stream.is_alive())
        finally:
            stream.stop()
        try:
            lab.wait_until("every frame arrives", lambda: sum(
                self.since(before).values()) >= stream.sent)
        except AssertionError as e:
            raise AssertionError("%s: sent %d, arrived %s, dropped %s" % (
                e, stream.sent, self.since(before), self.s.drops())) from None
        got = self.since(before)
        self.assertEqual(got[4], 0, "frames met half a bundle")
        self.assertEqual(got[2] + got[3], stream.sent)
        self.assertGreater(min(got[2], got[3]), 0)
        self.assertEqual(self.s.drops(), drops)
        self.s.check_balance()

    # ---------------------------------------------------------------- traffic

    def test_half_a_set_shows_at_port_4(self):
        """What the others rely on."""
        for name, other in ("AB", "BA"):
            self.of("del-flows")
            self.s.flows(*[r for r in rules(other) if "table=0" not in r],
                         rules(name)[0])
            before = self.arrived()
            for i in range(10):
                self.tx.send(frame(i))
            lab.wait_until("frames at port 4", lambda: self.since(before)
                           == {2: 0, 3: 0, 4: 10})

    def test_replace_flows_as_a_bundle_in_1_4(self):
        self.flip_under_traffic(lambda name: self.of(
            "replace-flows", self.file[name], version="14",
            options=["--bundle"]))

    def test_replace_flows_as_a_bundle_in_1_3(self):
        self.flip_under_traffic(lambda name: self.of(
            "replace-flows", self.file[name], version="13",
            options=["--bundle"]))

    def test_bundle_that_deletes_and_adds_all_in_1_4(self):
        self.flip_under_traffic(lambda name: self.of(
            "bundle", self.file["bundle " + name], version="14"))

    def test_bundle_that_deletes_and_adds_all_in_1_3(self):
        self.flip_under_traffic(lambda name: self.of(
            "bundle", self.file["bundle " + name], version="13"))

    # --------------------------------------------------------- all or nothing

    def refused(self, lines, version, word):
        before = self.state()
        path = os.path.join(self.lab.dir, "refused")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        r = self.of("bundle", path, version=version, check=False)
        self.assertNotEqual(r.returncode, 0)
        self.assertIn(word, r.stdout + r.stderr)
        self.assertEqual(self.state(), before)

    def test_bad_message_in_the_middle_changes_nothing(self):
        self.s.flows(*rules("A"))
        self.of("add-group", "group_id=5,type=all,bucket=output:2")
        adds = ["flow add " + r for r in rules("B")]
        for version in ("13", "14"):
            self.refused(adds + ["flow add table=7,actions=group:77"]
                         + ["flow delete"], version, "BAD_OUT_GROUP")
            self.refused(["flow delete"] + adds
                         + ["flow add table=7,actions=group:77"] + adds,
                         version, "BAD_OUT_GROUP")

    def test_groups_and_rules_come_and_go_together(self):
        self.of("add-group", "group_id=5,type=all,bucket=output:2")
        self.s.flows("table=1,actions=group:5")
        lines = ["group add group_id=6,type=select,bucket=output:3",
                 "flow add table=3,actions=group:6",
                 "group modify group_id=5,type=all,bucket=output:4",
                 "group delete group_id=5",
                 "flow add table=4,actions=output:2"]
        for version in ("13", "14"):
            self.refused(lines + ["group add group_id=6,type=all"], version,
                         "GROUP_EXISTS")
        path = os.path.join(self.lab.dir, "groups")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        self.of("bundle", path, version="14")
        text = "\n".join(self.state())
        for word in ("group_id=6", "actions=group:6", "actions=output:2"):
            self.assertIn(word, text)
        for word in ("group_id=5", "actions=group:5"):
            self.assertNotIn(word, text)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
