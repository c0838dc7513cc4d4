# SPDX-License-Identifier: Apache-2.0
"""The rows of the benchmark: traffic, rules, and what must be delivered.

warmup: seconds before the window; Open vSwitch needs them to fill its caches
with that many flows.

A row is data; bench_peers.py turns it into a running testpmd, Open vSwitch or
Weft.  Port 1 receives, port 2 sends; in tunnel rows one of them is the
underlay and 'tunnel' names the type."""

VNI = 5001
VSID = 6001


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
             tunnel=None, encap=False, decap=False, victim=False, goal=1.0, warmup=0)
    r.update(kw)
    return r


# goal: the ratio (Open vSwitch's cycles / Weft's) that the project asks for.
ROWS = {
    "A1": row("1 flow, port to port", PORT_RULE),
    "A2": row("1 flow, full 5-tuple rule", FULL_RULE),
    "B1": row("1k flows, 5-tuple", five_tuple_rules(32), flows=1024, pairs=32),
    "B3": row("100k flows, 5-tuple", five_tuple_rules(320), flows=102400,
              pairs=320, goal=2.0, warmup=8),
    "B4": row("1M flows, 5-tuple", five_tuple_rules(1024), flows=1 << 20,
              pairs=1024, goal=20.0, warmup=8),
    "D1": row("3 rules, random 5-tuples", ACL_RULES, kind="random",
              flows=1 << 20, goal=4.0),
    "D2": row("tuple-space explosion, victim", TSE_RULES, kind="tse",
              flows=8193, victim=True, goal=20.0),
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
# G1 is no packet row: 100k flow-mods one by one, then a barrier.
G1_ADDS = 100000
G1_GOAL = 3.0
ALL = list(ROWS) + ["G1", "T1"]
ALIASES = {"E4": ["E4e", "E4d"]}


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
