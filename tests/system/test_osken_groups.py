#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Groups and meters driven by os-ken controllers (OpenFlow 1.3, 1.4, 1.5),
two to a bridge, with frames through what they set up.

        sender (h)            weft (sw)             receivers (r)
          eth0 ------------ v1 = port 1
                            v2 = port 2 ------------- r2
                            v3 = port 3 ------------- r3
                            v4 = port 4 ------------- r4
"""
import importlib
import json
import os
import select
import socket
import time
import unittest
import lab
from test_groups import MARK, Fan, frame

APP = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "osken_remote.py")
PORTS = {"a": 6653, "b": 6654}


class Remote:
    """One osken-manager with osken_remote.py and the line to it."""

    def __init__(self, l, ns, name, version):
        path = os.path.join(l.dir, name + ".sock")
        self.process = l.start(
            "osken-" + name, lab.PYTHON, "/usr/bin/osken-manager",
            "--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port",
            PORTS[name], APP, ns=ns, env=dict(
                os.environ, OSKEN_SOCKET=path, OSKEN_VERSION=version))
        lab.wait_until("os-ken " + name, lambda: os.path.exists(path), 30)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(30)
        self.s.connect(path)
        self.file = self.s.makefile("rw")

    def ask(self, *messages):
        """What the switch said until the barrier: [(class, body)]."""
        json.dump([m.to_jsondict() for m in messages], self.file)
        self.file.write("\n")
        self.file.flush()
        return [next(iter(m.items())) for m in json.loads(
            self.file.readline())]


class OsKen(Fan):
    """The cases, for one version."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        module = "os_ken.ofproto.ofproto_v1_" + cls.version
        cls.of = importlib.import_module(module)
        cls.msg = importlib.import_module(module + "_parser")
        cls.a, cls.b = (Remote(cls.lab, cls.sw, name, cls.version)
                        for name in PORTS)
        cls.s.ctl("set-controller", "br0", "punix:%s/br0.mgmt" % cls.s.dir,
                  *("tcp:127.0.0.1:%d" % p for p in PORTS.values()))

    def setUp(self):
        of = self.of
        said = self.a.ask(self.group(of.OFPGC_DELETE, group=of.OFPG_ALL),
                          self.meter(of.OFPMC_DELETE, of.OFPM_ALL),
                          self.flow(command=of.OFPFC_DELETE))
        self.assertLessEqual({name for name, _ in said}, {"OFPFlowRemoved"})
        self.b.ask()
        self.receive(0.05)

    # --------------------------------------------------------------- messages

    def do(self, *messages):
        self.assertEqual([], self.a.ask(*messages))

    def refused(self, kind, code, message):
        said = self.a.ask(message)
        self.assertEqual([("OFPErrorMsg", kind, code)], [
            (name, m["type"], m["code"]) for name, m in said])

    def reply(self, request):
        """The entries of a multipart's replies."""
        body = []
        for name, m in self.a.ask(request):
            self.assertTrue(name.endswith("StatsReply"), (name, m))
            body += m["body"] if isinstance(m["body"], list) else [m["body"]]
        return [next(iter(e.values())) for e in body]

    def output(self, port):
        return self.msg.OFPActionOutput(port, 0xffff)

    def flow(self, *actions, command=0, meter=None, **match):
        of, msg = self.of, self.msg
        actions, inst = list(actions), []
        if meter and self.version == "5":
            actions.insert(0, msg.OFPActionMeter(meter))
        elif meter:
            inst.append(msg.OFPInstructionMeter(
                meter, of.OFPIT_METER) if self.version == "4"
                else msg.OFPInstructionMeter(meter))
        if actions:
            inst.append(msg.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS,
                                                  actions))
        return msg.OFPFlowMod(
            self.a_dp(), table_id=of.OFPTT_ALL if command else 0,
            command=command, priority=10, buffer_id=of.OFP_NO_BUFFER,
            out_port=of.OFPP_ANY, out_group=of.OFPG_ANY,
            flags=0 if command else of.OFPFF_SEND_FLOW_REM,
            match=msg.OFPMatch(**match), instructions=inst)

    @classmethod
    def a_dp(cls):
        from os_ken.ofproto import ofproto_protocol
        return ofproto_protocol.ProtocolDesc(cls.of.OFP_VERSION)

    def bucket(self, number, *actions, weight=0, port=None, group=None):
        of, msg = self.of, self.msg
        if self.version != "5":
            return msg.OFPBucket(
                weight, of.OFPP_ANY if port is None else port,
                of.OFPG_ANY if group is None else group, list(actions))
        props = []
        if weight:
            props.append(msg.OFPGroupBucketPropWeight(
                type_=of.OFPGBPT_WEIGHT, weight=weight))
        if port is not None:
            props.append(msg.OFPGroupBucketPropWatch(
                type_=of.OFPGBPT_WATCH_PORT, watch=port))
        if group is not None:
            props.append(msg.OFPGroupBucketPropWatch(
                type_=of.OFPGBPT_WATCH_GROUP, watch=group))
        return msg.OFPBucket(bucket_id=number, actions=list(actions),
                             properties=props)

    def group(self, command, kind=0, group=1, buckets=(), **more):
        return self.msg.OFPGroupMod(self.a_dp(), command=command, type_=kind,
                                    group_id=group, buckets=list(buckets),
                                    **more)

    def meter(self, command, number=1, flags=0, bands=()):
        return self.msg.OFPMeterMod(self.a_dp(), command=command, flags=flags,
                                    meter_id=number, bands=list(bands))

    # ----------------------------------------------------------------- frames

    def send(self, n=1, **kw):
        for i in range(n):
            self.tx.send(frame(i, **kw))

    def receive(self, wait=0.3):
        """{port: frames} of what comes until 'wait' s of quiet."""
        got = {i: [] for i in self.rx}
        port_of = {s: i for i, s in self.rx.items()}
        while True:
            ready = select.select(list(port_of), [], [], wait)[0]
            if not ready:
                return got
            for s in ready:
                try:
                    data, address = s.recvfrom(2048)
                except OSError:  # Said once when the link goes down.
                    continue
                if MARK in data and address[2] != socket.PACKET_OUTGOING:
                    got[port_of[s]].append(data)

    def counts(self):
        got = self.receive()
        return tuple(len(got[i]) for i in (2, 3, 4))

    def group_stats(self, number=1):
        return self.reply(self.msg.OFPGroupStatsRequest(
            self.a_dp(), 0, number))

    def group_desc(self):
        return self.reply(self.msg.OFPGroupDescStatsRequest(self.a_dp(), 0))

    # ------------------------------------------------------------------ cases

    def test_group_is_added_changed_described_and_deleted(self):
        of = self.of
        self.do(self.group(of.OFPGC_ADD, of.OFPGT_ALL, 7, [
                    self.bucket(0, self.output(2)),
                    self.bucket(1, self.output(3))]),
                self.flow(self.msg.OFPActionGroup(7), in_port=1))
        self.send(5)
        self.assertEqual((5, 5, 0), self.counts())
        stats = self.group_stats(7)[0]
        self.assertEqual((7, 1, 5, 5 * len(frame(0))), tuple(
            stats[k] for k in ("group_id", "ref_count", "packet_count",
                               "byte_count")))
        self.assertEqual([5, 5], [
            k["OFPBucketCounter"]["packet_count"]
            for k in stats["bucket_stats"]])
        self.do(self.group(of.OFPGC_MODIFY, of.OFPGT_INDIRECT, 7, [
            self.bucket(0, self.output(4))]))
        self.send(5)
        self.assertEqual((0, 0, 5), self.counts())
        desc = self.group_desc()
        self.assertEqual([(of.OFPGT_INDIRECT, 7)], [
            (d["type"], d["group_id"]) for d in desc])
        actions = desc[0]["buckets"][0]["OFPBucket"]["actions"]
        self.assertEqual([4], [a["OFPActionOutput"]["port"] for a in actions])
        self.refused(of.OFPET_GROUP_MOD_FAILED, of.OFPGMFC_GROUP_EXISTS,
                     self.group(of.OFPGC_ADD, of.OFPGT_ALL, 7))
        removed = self.a.ask(self.group(of.OFPGC_DELETE, group=7))
        self.assertEqual([("OFPFlowRemoved", of.OFPRR_GROUP_DELETE)], [
            (name, m["reason"]) for name, m in removed])
        self.assertEqual([], self.group_desc())
        self.send(5)
        self.assertEqual((0, 0, 0), self.counts())
        self.refused(of.OFPET_GROUP_MOD_FAILED, of.OFPGMFC_UNKNOWN_GROUP,
                     self.group(of.OFPGC_MODIFY, of.OFPGT_ALL, 7))

    def test_group_features_name_all_types_and_abilities(self):
        of = self.of
        f = self.reply(self.msg.OFPGroupFeaturesStatsRequest(
            self.a_dp(), 0))[0]
        self.assertEqual(0xf, f["types"])
        self.assertEqual(
            of.OFPGFC_SELECT_WEIGHT | of.OFPGFC_SELECT_LIVENESS
            | of.OFPGFC_CHAINING | of.OFPGFC_CHAINING_CHECKS,
            f["capabilities"])
        self.assertEqual(4, len([n for n in f["max_groups"] if n > 1000]))
        for actions in f["actions"]:
            self.assertTrue(actions & 1 << of.OFPAT_OUTPUT
                            and actions & 1 << of.OFPAT_GROUP)

    def test_select_spreads_flows_by_weight_and_keeps_each(self):
        of = self.of
        self.do(self.group(of.OFPGC_ADD, of.OFPGT_SELECT, 1, [
                    self.bucket(0, self.output(2), weight=1),
                    self.bucket(1, self.output(3), weight=3)]),
                self.flow(self.msg.OFPActionGroup(1), in_port=1))
        homes = {}
        for _ in range(2):
            for sport in range(1000, 1400):
                self.send(sport=sport)
            for port, frames in self.receive().items():
                for data in frames:
                    homes.setdefault(data[34:36], []).append(port)
        self.assertEqual(400, len(homes))
        self.assertTrue(all(len(h) == 2 and h[0] == h[1]
                            for h in homes.values()))
        # 300 of 400 are due; 6 standard deviations are 52.
        third = sum(h[0] == 3 for h in homes.values())
        self.assertLess(abs(third - 300), 52)
        counters = self.group_stats()[0]["bucket_stats"]
        self.assertEqual([2 * (400 - third), 2 * third], [
            k["OFPBucketCounter"]["packet_count"] for k in counters])

    def test_failover_leaves_a_port_that_goes_down_and_returns(self):
        of = self.of
        self.do(self.group(of.OFPGC_ADD, of.OFPGT_FF, 1, [
                    self.bucket(0, self.output(2), port=2),
                    self.bucket(1, self.output(3), port=3)]),
                self.flow(self.msg.OFPActionGroup(1), in_port=1))
        self.send(5)
        self.assertEqual((5, 0, 0), self.counts())
        for state, want in (("down", (0, 5, 0)), ("up", (5, 0, 0))):
            lab.sh("ip", "-n", self.r, "link", "set", "r2", state)
            lab.wait_until("port 2 " + state, lambda: (
                self.link_is_up(2) == (state == "up")))
            self.send(5)
            self.assertEqual(want, self.counts())

    def link_is_up(self, port):
        out = lab.sh("ovs-ofctl", "-O", "OpenFlow13", "dump-ports-desc",
                     self.s.openflow("br0"), str(port))
        return "LINK_DOWN" not in out

    def test_meter_is_added_changed_described_and_deleted(self):
        of, msg = self.of, self.msg
        flags = of.OFPMF_KBPS | of.OFPMF_BURST | of.OFPMF_STATS
        self.do(self.meter(of.OFPMC_ADD, 5, flags, [
            msg.OFPMeterBandDrop(rate=1000, burst_size=100),
            msg.OFPMeterBandDscpRemark(rate=500, burst_size=50,
                                       prec_level=1)]))
        desc = self.meter_desc()
        self.assertEqual([(5, flags)], [(m["meter_id"], m["flags"])
                                        for m in desc])
        bands = [next(iter(b.values())) for b in desc[0]["bands"]]
        self.assertEqual([(of.OFPMBT_DROP, 1000, 100),
                          (of.OFPMBT_DSCP_REMARK, 500, 50)], [
            (b["type"], b["rate"], b["burst_size"]) for b in bands])
        self.do(self.meter(of.OFPMC_MODIFY, 5, of.OFPMF_PKTPS, [
            msg.OFPMeterBandDrop(rate=3)]))
        self.assertEqual([of.OFPMF_PKTPS],
                         [m["flags"] for m in self.meter_desc()])
        features = self.reply(msg.OFPMeterFeaturesStatsRequest(
            self.a_dp(), 0))[0]
        self.assertEqual(1 << of.OFPMBT_DROP | 1 << of.OFPMBT_DSCP_REMARK,
                         features["band_types"])
        self.assertGreaterEqual(features["max_bands"], 2)
        self.refused(of.OFPET_METER_MOD_FAILED, of.OFPMMFC_METER_EXISTS,
                     self.meter(of.OFPMC_ADD, 5, of.OFPMF_PKTPS))
        self.do(self.flow(self.output(2), meter=5, in_port=1))
        removed = self.a.ask(self.meter(of.OFPMC_DELETE, 5))
        reason = of.OFPRR_DELETE if self.version == "3" \
            else of.OFPRR_METER_DELETE
        self.assertEqual([("OFPFlowRemoved", reason)], [
            (name, m["reason"]) for name, m in removed])
        self.refused(of.OFPET_METER_MOD_FAILED, of.OFPMMFC_UNKNOWN_METER,
                     self.meter(of.OFPMC_MODIFY, 5, of.OFPMF_PKTPS))

    def meter_desc(self):
        name = "OFPMeterDescStatsRequest" if self.version == "5" \
            else "OFPMeterConfigStatsRequest"
        return self.reply(getattr(self.msg, name)(self.a_dp(), 0,
                                                  self.of.OFPM_ALL))

    def test_meter_lets_its_rate_pass_and_counts_all(self):
        of, msg = self.of, self.msg
        rate, sent = 200, 1500
        self.do(self.meter(of.OFPMC_ADD, 9, of.OFPMF_PKTPS | of.OFPMF_STATS, [
                    msg.OFPMeterBandDrop(rate=rate)]),
                self.flow(self.output(2), meter=9, in_port=1))
        start = time.monotonic()
        for i in range(sent):
            self.tx.send(frame(i))
            time.sleep(max(0, start + (i + 1) / 1000 - time.monotonic()))
        seconds = time.monotonic() - start
        got = self.counts()[0]
        # A bucket that holds one second's worth at most, then the rate.
        self.assertGreater(got, 0.9 * rate * min(seconds, 1.5))
        self.assertLess(got, rate * (seconds + 1) + 10)
        stats = self.reply(msg.OFPMeterStatsRequest(self.a_dp(), 0, 9))[0]
        band = stats["band_stats"][0]["OFPMeterBandStats"]
        self.assertEqual((9, sent, sent * len(frame(0))), tuple(
            stats[k] for k in ("meter_id", "packet_in_count",
                               "byte_in_count")))
        self.assertEqual(sent - got, band["packet_band_count"])


class RequestForward:
    """What one controller changes, the other hears if it asked (§7.4.6 of
    1.4.1; 1.3 has no such message)."""

    def test_other_controller_hears_of_group_and_meter_mods(self):
        of, msg = self.of, self.msg
        mods = [self.group(of.OFPGC_ADD, of.OFPGT_INDIRECT, 3,
                           [self.bucket(0, self.output(2))]),
                self.meter(of.OFPMC_ADD, 4, of.OFPMF_PKTPS,
                           [msg.OFPMeterBandDrop(rate=7)]),
                self.meter(of.OFPMC_MODIFY, 4, of.OFPMF_PKTPS,
                           [msg.OFPMeterBandDrop(rate=8)]),
                self.group(of.OFPGC_DELETE, group=3)]
        self.do(*mods)
        self.assertEqual([], self.b.ask())  # It did not ask yet.
        self.do(self.meter(of.OFPMC_DELETE, 4))
        self.assertEqual([], self.b.ask(msg.OFPSetAsync(self.a_dp(), [
            msg.OFPAsyncConfigPropReasons(
                of.OFPACPT_REQUESTFORWARD_MASTER, mask=3)])))
        self.do(*mods)
        self.refused(of.OFPET_METER_MOD_FAILED, of.OFPMMFC_METER_EXISTS,
                     self.meter(of.OFPMC_ADD, 4, of.OFPMF_PKTPS))
        heard = self.b.ask()
        self.assertEqual({"OFPRequestForward"}, {name for name, _ in heard})
        heard = [next(iter(m["request"].items())) for _, m in heard]
        self.assertEqual(
            [("OFPGroupMod", of.OFPGC_ADD), ("OFPMeterMod", of.OFPMC_ADD),
             ("OFPMeterMod", of.OFPMC_MODIFY),
             ("OFPGroupMod", of.OFPGC_DELETE)],
            [(name, m["command"]) for name, m in heard])
        self.assertEqual([3, 4, 4, 3], [m.get("group_id", m.get("meter_id"))
                                        for _, m in heard])
        band = next(iter(heard[2][1]["bands"][0].values()))
        self.assertEqual(8, band["rate"])


class OpenFlow13(OsKen, unittest.TestCase):
    version = "3"


class OpenFlow14(OsKen, RequestForward, unittest.TestCase):
    version = "4"


class OpenFlow15(OsKen, RequestForward, unittest.TestCase):
    version = "5"

    def test_buckets_are_inserted_and_removed_by_number(self):
        of = self.of
        self.do(self.group(of.OFPGC_ADD, of.OFPGT_ALL, 1, [
                    self.bucket(10, self.output(2))]),
                self.group(of.OFPGC_INSERT_BUCKET, of.OFPGT_ALL, 1, [
                    self.bucket(11, self.output(3))],
                    command_bucket_id=of.OFPG_BUCKET_LAST),
                self.flow(self.msg.OFPActionGroup(1), in_port=1))
        self.send(3)
        self.assertEqual((3, 3, 0), self.counts())
        self.do(self.group(of.OFPGC_REMOVE_BUCKET, of.OFPGT_ALL, 1,
                           command_bucket_id=10))
        self.send(3)
        self.assertEqual((0, 3, 0), self.counts())
        self.assertEqual([11], [k["OFPBucket"]["bucket_id"] for k in
                                self.group_desc()[0]["buckets"]])


if __name__ == "__main__":
    if not os.path.exists("/usr/bin/osken-manager"):
        print("python3-os-ken not installed: skipped")
        raise SystemExit(lab.SKIPPED)
    lab.main("ovs-ofctl")
