# SPDX-License-Identifier: Apache-2.0
"""The rows of the benchmark: traffic, rules, and what must be delivered.

warmup: seconds before the window; Open vSwitch needs them to fill its caches
with that many flows.

A row is data; bench_peers.py turns it into a running testpmd, Open vSwitch or
Weft.  Port 1 receives, port 2 sends; in tunnel rows one of them is the
underlay and 'tunnel' names the type."""

import functools

import bench_rules

VNI = 5001
VSID = 6001
TRACE = 1 << 19  # Packets of a trace, which is sent again and again.


def pair(n):
    """Addresses of flow pair n, as gen_plugin.c's udp_tuple has them."""
    return ("10.1.%d.%d" % (n >> 8 & 255, n & 255),
            "10.2.%d.%d" % (n >> 8 & 255, n & 255))


def five_tuple_rules(pairs):
    """One exact rule per address pair, each with another source port, and one
    wide rule below them.  Every address pair and every source port of the
    traffic stands in some rule, so telling a flow apart takes all five fields
    in full: no switch may widen the cached flow (tries over addresses or
    ports do not help)."""
    rules = []
    for n in range(pairs):
        src, dst = pair(n)
        rules.append("priority=100,udp,in_port=1,nw_src=%s,nw_dst=%s,"
                     "tp_src=%d,tp_dst=20000,actions=output:2"
                     % (src, dst, 10000 + n))
    rules.append("priority=1,udp,in_port=1,actions=output:2")
    return rules


FULL_RULE = ["priority=100,udp,in_port=1,nw_src=10.1.0.0,nw_dst=10.2.0.0,"
             "tp_src=10000,tp_dst=20000,actions=output:2"]
# Three harmless rules: two look at a transport port, one takes the rest.
ACL_RULES = ["priority=30,tcp,in_port=1,tp_dst=80,actions=output:2",
             "priority=20,tcp,in_port=1,tp_src=12345,actions=output:2",
             "priority=10,ip,in_port=1,actions=output:2"]
# The rules of the tuple-space explosion (CoNEXT 2019): three allow rules over
# one field each, the rest is dropped.
TSE_RULES = ["priority=30,tcp,in_port=1,tp_dst=80,actions=output:2",
             "priority=20,tcp,in_port=1,nw_src=10.0.0.1,actions=output:2",
             "priority=10,tcp,in_port=1,tp_src=12345,actions=output:2",
             "priority=1,in_port=1,actions=drop"]
PORT_RULE = ["in_port=1,actions=output:2"]


def row(title, rules, **kw):
    r = dict(title=title, rules=rules, kind="udp", flows=1, pairs=1,
             tunnel=None, encap=False, decap=False, victim=False, goal=1.0,
             warmup=0, trace=None, edit="none", drop=False, cold=False)
    r.update(kw)
    return r


def rules_of(r):
    return r["rules"]() if callable(r["rules"]) else r["rules"]


def trace_row(title, rules, trace, **kw):
    """'rules' and 'trace' are functions: built when the row is run."""
    return row(title, rules, kind="file", trace=trace, flows=TRACE, **kw)


@functools.lru_cache(maxsize=1)
def rule_set(shape, n):
    return bench_rules.rule_set(shape, n)


def shape_row(shape, n, title, goal, flows=TRACE, zipf=False, **kw):
    """Rules of a shape; each packet a flow of its own, or 'flows' flows by a
    Zipf law."""
    def trace():
        f = bench_rules.matching_flows(rule_set(shape, n), flows)
        return (bench_rules.zipf([x[:5] for x in f], TRACE) if zipf else f)

    return trace_row(title, lambda: bench_rules.texts(rule_set(shape, n)),
                     trace, goal=goal, **kw)


def zipf_million():
    return bench_rules.zipf(bench_rules.udp_flows(1 << 20, 1024), TRACE)


def scan_half():
    return bench_rules.scan_mix(bench_rules.udp_flows(10240, 320), TRACE)


# Prefixes of 16 bits: a million streams are few cached flows.
PREFIX_RULES = ["priority=10,ip,in_port=1,nw_dst=10.%d.0.0/16,"
                "actions=output:2" % i for i in range(256)]
HOP_RULE = ["ip,in_port=1,actions=dec_ttl,set_field:02:00:00:00:00:aa->eth_dst,"
            "set_field:02:00:00:00:00:bb->eth_src,output:2"]
VLAN_RULE = ["in_port=1,actions=push_vlan:0x8100,set_field:4196->vlan_vid,"
             "output:2"]  # 0x1000 (present) and 100


# goal: the ratio (Open vSwitch's cycles / Weft's) that the project asks for.
ROWS = {
    "A1": row("1 flow, port to port", PORT_RULE),
    "A2": row("1 flow, full 5-tuple rule", FULL_RULE),
    "A3": row("1 flow, drop", ["in_port=1,actions=drop"], drop=True,
              goal=1.0),
    "A4": row("TTL and both MACs, an L3 hop", HOP_RULE, edit="l3hop",
              goal=1.7),
    "A5": row("push a VLAN tag", VLAN_RULE, edit="vlan"),
    "A8": row("A2 with cold headers", FULL_RULE, cold=True),
    "B1": row("1k flows, 5-tuple", five_tuple_rules(32), flows=1024, pairs=32),
    "B2": row("10k flows, 5-tuple", five_tuple_rules(320), flows=10240,
              pairs=320, goal=4.0, warmup=4),
    "B3": row("100k flows, 5-tuple", five_tuple_rules(320), flows=102400,
              pairs=320, goal=2.0, warmup=8),
    "B4": row("1M flows, 5-tuple", five_tuple_rules(1024), flows=1 << 20,
              pairs=1024, goal=20.0, warmup=8),
    "B5": trace_row("1M flows, Zipf, 5-tuple", five_tuple_rules(1024),
                    zipf_million, goal=30.0, warmup=8),
    "B6": row("1M flows, 256 rules on /16", PREFIX_RULES, flows=1 << 20,
              pairs=1024, goal=3.5),
    "C1": shape_row("acl", 10000, "acl 10k rules, 10k flows Zipf", 5.0,
                    flows=10000, zipf=True, warmup=4),
    "C3a": shape_row("acl", 10000, "acl 10k rules, new flows", 1000.0),
    "C3f": shape_row("fw", 10000, "fw 10k rules, new flows", 1000.0),
    "C3i": shape_row("ipc", 10000, "ipc 10k rules, new flows", 1000.0),
    "C3A": shape_row("acl", 100000, "acl 100k rules, new flows", 1000.0),
    "C3F": shape_row("fw", 100000, "fw 100k rules, new flows", 1000.0),
    "C3I": shape_row("ipc", 100000, "ipc 100k rules, new flows", 1000.0),
    "C4": row("10 tables, 100k flows", bench_rules.pipeline(10, 320),
              flows=102400, pairs=320, goal=8.0, warmup=8),
    "C4m": row("20 tables, 100k flows", bench_rules.pipeline(20, 320),
               flows=102400, pairs=320, goal=8.0, warmup=8),
    "C4l": row("40 tables, 100k flows", bench_rules.pipeline(40, 320),
               flows=102400, pairs=320, goal=8.0, warmup=8),
    "D1": row("3 rules, random 5-tuples", ACL_RULES, kind="random",
              flows=1 << 20, goal=4.0),
    "D2": row("tuple-space explosion, victim", TSE_RULES, kind="tse",
              flows=8193, victim=True, goal=20.0),
    "D4": trace_row("flows of 10 packets", five_tuple_rules(320),
                    lambda: bench_rules.short_lived(TRACE, 10), goal=40.0),
    "D5": trace_row("half a scan, half 10k flows", five_tuple_rules(320),
                    scan_half),
    "E1": row("VXLAN encap, 1k flows", None, flows=1024, pairs=32,
              tunnel="vxlan", encap=True),
    "E3": row("VXLAN decap, 1k flows", None, flows=1024, pairs=32,
              tunnel="vxlan", decap=True, goal=2.0),
    "E4e": row("NVGRE encap, 1k flows", None, flows=1024, pairs=32,
               tunnel="nvgre", encap=True),
    "E4d": row("NVGRE decap, 1k flows", None, flows=1024, pairs=32,
               tunnel="nvgre", decap=True),
}
# T1: TCP between two VMs' taps on one host, default kernel settings; Gbit/s.
TAP_GOAL = 2.0
# Rows G and H are bench_control.py's.
CONTROL = ["G1", "G2", "G3", "G3t", "G4", "G5", "G7", "G8", "H2"]
ALL = list(ROWS) + CONTROL + ["T1"]
ALIASES = {"E4": ["E4e", "E4d"], "C3": ["C3a", "C3f", "C3i"]}


def select(names):
    """Row names for the words of ROWS=; ValueError names a bad one."""
    chosen = []
    for name in names:
        for one in ALIASES.get(name, [name]):
            if one not in ALL:
                raise ValueError("no row %s (there are %s)" % (
                    one, " ".join(ALL)))
            chosen.append(one)
    return chosen
