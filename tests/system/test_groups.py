#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Groups on real frames, by ovs-ofctl in OpenFlow 1.3 and 1.5.

        sender (h)            weft (sw)             receivers (r)
          eth0 ------------ v1 = port 1
                            v2 = port 2 ------------- r2
                            v3 = port 3 ------------- r3
                            v4 = port 4 ------------- r4
"""
import errno
import re
import select
import socket
import struct
import threading
import time
import unittest
import lab

MARK = b"weft-group"


def frame(number, src="10.0.0.1", sport=1000):
    """An Ethernet frame with UDP; 'number' is in the payload."""
    data = MARK + struct.pack("!I", number)
    udp = struct.pack("!HHHH", sport, 9, 8 + len(data), 0) + data
    ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0,
                               64, 17, 0, socket.inet_aton(src),
                               socket.inet_aton("10.0.0.2")))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    ip[10:12] = struct.pack("!H", ~total & 0xffff)
    return (bytes.fromhex("020000000002020000000001") + b"\x08\x00" + ip + udp)


def packet_socket(ns, interface):
    """A raw socket on an interface of another namespace."""
    here = open("/proc/self/ns/net")
    with open("/var/run/netns/" + ns) as there:
        lab_setns(there.fileno())
    try:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.bind((interface, 0))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        return s
    finally:
        lab_setns(here.fileno())
        here.close()


def lab_setns(fd):
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


class Fan:
    """A sender at port 1 of a switch, a receiver at each of ports 2 to 4; for
    a TestCase."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.h, cls.r = cls.lab.ns("h"), cls.lab.ns("r")
        cls.sw = cls.lab.ns("sw")
        cls.lab.link(cls.sw, cls.h, "v1", "eth0")
        for i in (2, 3, 4):
            cls.lab.link(cls.sw, cls.r, "v%d" % i, "r%d" % i)
        cls.s = s = cls.lab.switch(ns=cls.sw)
        s.ctl("add-br", "br0")
        for i in (1, 2, 3, 4):
            s.ctl("add-port", "br0", "v%d" % i, "type=netdev", "ofport=%d" % i)
        cls.tx = packet_socket(cls.h, "eth0")
        cls.rx = {i: packet_socket(cls.r, "r%d" % i) for i in (2, 3, 4)}

    @classmethod
    def tearDownClass(cls):
        for s in [cls.tx] + list(cls.rx.values()):
            s.close()
        try:
            cls.s.check_balance()
        finally:
            cls.lab.down()


class Groups(Fan, unittest.TestCase):
    def setUp(self):
        self.of("del-groups")
        self.of("del-flows")
        for i in (2, 3, 4):
            lab.sh("ip", "-n", self.r, "link", "set", "r%d" % i, "up")
            self.wait_link(i, True)
        self.receive(0.05)

    def of(self, command, *words, version="13", check=True, text=None):
        return lab.sh("ovs-ofctl", "-O", "OpenFlow" + version, command,
                      self.s.openflow("br0"), *words, check=check, text=text)

    def wait_link(self, port, up):
        def is_up():
            out = self.of("dump-ports-desc", str(port))
            return ("LINK_DOWN" not in out) == up
        lab.wait_until("port %d %s" % (port, "up" if up else "down"), is_up)

    def send(self, n=1, first=0, **kw):
        for i in range(first, first + n):
            self.tx.send(frame(i, **kw))

    def receive(self, wait=0.3):
        """{port: [(number, frame)]} of what comes until 'wait' s of quiet."""
        got = {i: [] for i in self.rx}
        port_of = {s: i for i, s in self.rx.items()}
        while True:
            ready, _, _ = select.select(list(port_of), [], [], wait)
            if not ready:
                return got
            for s in ready:
                try:
                    data, address = s.recvfrom(2048)
                except OSError as e: # Said once when the link goes down.
                    if e.errno != errno.ENETDOWN:
                        raise
                    continue
                at = data.find(MARK)
                if at >= 0 and address[2] != socket.PACKET_OUTGOING:
                    got[port_of[s]].append((struct.unpack(
                        "!I", data[at + 10:at + 14])[0], data))

    def counts(self, got):
        return tuple(len(got[i]) for i in (2, 3, 4))

    def refused(self, word, command, *words, version="13"):
        r = self.of(command, *words, version=version, check=False)
        self.assertIn(word, r.stdout + r.stderr)

    def stats(self, group, version="13"):
        out = self.of("dump-group-stats", "group_id=%d" % group,
                      version=version)
        line = [l for l in out.splitlines() if "group_id=%d," % group in l][0]
        return (int(re.search(r"ref_count=(\d+)", line).group(1)),
                [int(n) for n in re.findall(r"packet_count=(\d+)", line)])

    # ------------------------------------------------------------------ types

    def test_all_sends_copies_and_the_rule_goes_on(self):
        self.of("add-group", "group_id=1,type=all,"
                "bucket=mod_dl_dst:02:00:00:00:00:33,output:2,"
                "bucket=output:1,bucket=output:3")
        self.of("add-flow", "in_port=1,actions=group:1,output:4")
        self.send(10)
        got = self.receive()
        self.assertEqual(self.counts(got), (10, 10, 10))
        self.assertEqual(got[2][0][1][:6].hex(), "020000000033")
        self.assertEqual(got[3][0][1], frame(0))
        self.assertEqual(got[4][0][1], frame(0))
        self.assertEqual(self.stats(1), (1, [10, 10, 10, 10]))

    def test_indirect_and_modify(self):
        self.of("add-group", "group_id=1,type=indirect,bucket=output:2")
        self.of("add-flow", "in_port=1,actions=group:1")
        self.send(3)
        self.assertEqual(self.counts(self.receive()), (3, 0, 0))
        self.of("mod-group", "group_id=1,type=indirect,bucket=output:4")
        self.send(3)
        self.assertEqual(self.counts(self.receive()), (0, 0, 3))
        self.assertEqual(self.stats(1), (1, [6, 3]))

    def test_select_spreads_flows_by_weight_and_keeps_them(self):
        self.of("add-group", "group_id=1,type=select,"
                "bucket=weight:10,output:2,bucket=weight:30,output:3,"
                "bucket=weight:60,output:4")
        self.of("add-flow", "in_port=1,actions=group:1")
        flows = 2000
        path = {}
        for turn in range(2):
            for i in range(flows):
                self.send(1, i, src="10.1.%d.%d" % (i // 250, 1 + i % 250),
                          sport=1000 + i)
                if i % 100 == 99:
                    time.sleep(0.01)
            got = self.receive()
            self.assertEqual(sum(self.counts(got)), flows)
            for port, frames in got.items():
                for number, _ in frames:
                    self.assertEqual(path.setdefault(number, port), port)
        counts = self.counts(got)
        chi = sum((c - flows * share) ** 2 / (flows * share)
                  for c, share in zip(counts, (0.1, 0.3, 0.6)))
        # Two degrees of freedom: exceeded once in a million runs.
        print("select: %s of %d flows, chi-square %.1f (bound 27.6)" % (
            counts, flows, chi))
        self.assertLess(chi, 27.6)

    def test_failover_within_10_ms(self):
        self.of("add-group", "group_id=1,type=ff,"
                "bucket=watch_port:2,output:2,bucket=watch_port:3,output:3")
        self.of("add-flow", "in_port=1,actions=group:1")
        worst = []
        for turn in range(3):
            self.assertLess(self.one_failover(turn, worst), 10)
        print("failover: %s frames of 1 kHz lost" % worst)

    def one_failover(self, turn, worst):
        stop = threading.Event()
        sent = []

        def stream():
            begin, n = time.monotonic(), 0
            while not stop.is_set():
                self.tx.send(frame(n))
                sent.append(n)
                n += 1
                time.sleep(max(0, begin + n / 1000 - time.monotonic()))
        thread = threading.Thread(target=stream)
        thread.start()
        try:
            time.sleep(0.3)
            lab.sh("ip", "-n", self.r, "link", "set", "r2", "down")
            time.sleep(0.3)
        finally:
            stop.set()
            thread.join()
        got = self.receive()
        numbers = sorted(n for i in (2, 3) for n, _ in got[i])
        self.assertTrue(got[2] and got[3], "turn %d" % turn)
        self.assertEqual(numbers[-1], sent[-1])
        gap = max(b - a for a, b in zip(numbers, numbers[1:])) - 1
        worst.append(gap)
        lab.sh("ip", "-n", self.r, "link", "set", "r2", "up")
        self.wait_link(2, True)
        self.send(2)
        self.assertEqual(self.counts(self.receive()), (2, 0, 0))
        return gap

    def test_failover_follows_port_mod(self):
        self.of("add-group", "group_id=1,type=ff,"
                "bucket=watch_port:2,output:2,bucket=watch_port:3,output:3")
        self.of("add-flow", "in_port=1,actions=group:1")
        self.of("mod-port", "2", "down")
        self.send(2)
        self.assertEqual(self.counts(self.receive()), (0, 2, 0))
        self.of("mod-port", "2", "up")
        self.send(2)
        self.assertEqual(self.counts(self.receive()), (2, 0, 0))

    # --------------------------------------------------------------- chaining

    def test_chain_is_run_and_loop_is_refused(self):
        self.of("add-group", "group_id=3,type=all,bucket=output:3,"
                "bucket=output:4")
        self.of("add-group", "group_id=2,type=indirect,"
                "bucket=mod_dl_dst:02:00:00:00:00:44,group:3")
        self.of("add-group", "group_id=1,type=all,bucket=output:2,"
                "bucket=group:2")
        self.of("add-flow", "in_port=1,actions=group:1")
        self.send(4)
        got = self.receive()
        self.assertEqual(self.counts(got), (4, 4, 4))
        self.assertEqual(got[2][0][1], frame(0))
        self.assertEqual(got[4][0][1][:6].hex(), "020000000044")
        self.refused("OFPGMFC_LOOP", "mod-group",
                     "group_id=3,type=all,bucket=group:1")
        self.refused("OFPGMFC_CHAINED_GROUP", "del-groups", "group_id=3")
        self.refused("OFPGMFC_GROUP_EXISTS", "add-group",
                     "group_id=3,type=all")
        self.refused("OFPGMFC_UNKNOWN_GROUP", "mod-group",
                     "group_id=9,type=all,bucket=output:1")
        self.refused("OFPBAC_BAD_OUT_GROUP", "add-flow", "actions=group:77")
        # Nothing of the refused ones stayed.
        self.send(4)
        self.assertEqual(self.counts(self.receive()), (4, 4, 4))

    def test_delete_takes_flows_along(self):
        self.of("add-group", "group_id=1,type=all,bucket=output:2")
        self.of("add-flows", "-", text="priority=9,in_port=1,actions=group:1\n"
                "priority=1,actions=output:3\n")
        self.send(1)
        self.assertEqual(self.counts(self.receive()), (1, 0, 0))
        self.of("del-groups", "group_id=1")
        self.assertNotIn("group:1", self.of("dump-flows"))
        self.send(1)
        self.assertEqual(self.counts(self.receive()), (0, 1, 0))

    def test_groups_are_described_as_they_were_added(self):
        given = ("group_id=5,type=select,bucket=weight:7,watch_port:2,"
                 "actions=output:2,bucket=weight:9,watch_group:4,"
                 "actions=output:3")
        self.of("add-group", "group_id=4,type=all,bucket=output:4")
        self.of("add-group", given)
        out = self.of("dump-groups")
        self.assertIn("group_id=4,type=all,bucket=actions=output:4", out)
        self.assertIn(given, out)
        features = self.of("dump-group-features")
        self.assertIn("fast failover", features.lower())
        self.assertIn("Capabilities:  0xf", features)

    # -------------------------------------------------------------------- 1.5

    def test_buckets_come_and_go_in_openflow_15(self):
        self.of("add-group", "group_id=1,type=all,"
                "bucket=bucket_id:1,output:2", version="15")
        self.of("add-flow", "in_port=1,actions=group:1")
        self.send(2)
        self.assertEqual(self.counts(self.receive()), (2, 0, 0))
        self.of("insert-buckets", "group_id=1,command_bucket_id=last,"
                "bucket=bucket_id:2,output:3,bucket=bucket_id:3,output:4",
                version="15")
        self.send(3)
        self.assertEqual(self.counts(self.receive()), (3, 3, 3))
        self.assertEqual(self.stats(1, "15"), (1, [5, 5, 3, 3]))
        self.of("remove-buckets", "group_id=1,command_bucket_id=2",
                version="15")
        self.send(1)
        self.assertEqual(self.counts(self.receive()), (1, 0, 1))
        self.refused("OFPGMFC_UNKNOWN_BUCKET", "remove-buckets",
                     "group_id=1,command_bucket_id=9", version="15")
        self.refused("OFPGMFC_BUCKET_EXISTS", "insert-buckets",
                     "group_id=1,command_bucket_id=first,"
                     "bucket=bucket_id:3,output:4", version="15")

    def test_selection_method_of_open_vswitch(self):
        self.of("add-group", "group_id=1,type=select,selection_method=hash,"
                "fields(ip_dst),bucket=output:2,bucket=output:3",
                version="15")
        self.of("add-flow", "in_port=1,actions=group:1")
        for i in range(50): # All to one address: one bucket.
            self.send(1, i, sport=1000 + i)
        counts = self.counts(self.receive())
        self.assertEqual(sorted(counts), [0, 0, 50])
        out = self.of("dump-groups", version="15")
        self.assertIn("selection_method=hash", out)
        self.assertIn("ip_dst", out)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
