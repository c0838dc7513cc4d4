# SPDX-License-Identifier: Apache-2.0
"""The rows A to E of the benchmark: traffic, rules, and what must be
delivered.

A row is data; bench_peers.py turns it into a running testpmd, Open vSwitch or
Weft.  Port 1 receives, port 2 sends; in tunnel rows one of them is the
underlay and 'tunnel' names the type."""
import functools
import ipaddress

import bench_pipelines
import bench_rules

KEYS = {"vxlan": 5001, "nvgre": 6001}
TRACE = 1 << 19  # Packets of a trace, which is sent again and again.

# What a row says, and what it does when it does not say:
DEFAULTS = dict(
    # The generator, see gen.h.
    kind="udp", flows=1, pairs=1, size=64, v6=0, trace=None, burst=0,
    attack_every=100, cold=False, stamp=False,
    second=None,      # A second generator, on port 3: what differs.
    # Ports.
    ports=2,          # More: each receives and sends.
    two_sinks=False,  # Port 3 sends, too (row G10).
    # The tunnel: type, which way, number of keys (0: one, fixed).
    tunnel=None, encap=False, decap=False, hairpin=False, keys=0,
    # The switch, besides the rules.
    groups=(), meters=(),
    beside=None,      # Words of ofblast, which runs meanwhile.
    # What must come out.
    edit="none",      # What the rules change in each frame.
    fate="deliver",   # "drop": nothing comes out; "any".
    copies=1,         # Frames out for one frame in.
    victim=False,     # Count what is no attack.
    rules_hit=0,      # So many rules must have matched packets.
    tables_hit=0,     # ... in so many tables.
    # The measurement.
    goal=1.0,         # Ratio (Open vSwitch's cycles / Weft's) asked for.
    cycles=None,      # Weft's cycles asked for.
    within=None,      # Or (row, factor, more): of Weft's cycles there.
    warmup=0,         # Seconds before the window; Open vSwitch needs them
                      # to fill its caches with that many flows.
    peers=("testpmd", "ovs", "weft"),
)


def row(title, rules, **kw):
    unknown = set(kw) - set(DEFAULTS)
    assert not unknown, unknown
    return dict(DEFAULTS, title=title, rules=rules, **kw)


def address(base, n):
    return str(ipaddress.IPv4Address(base) + n)


def pair(n):
    """Addresses of flow pair n, as gen_frames.c's udp_tuple has them."""
    return address("10.1.0.0", n), address("10.2.0.0", n)


def pair6(n):
    return ("2001:db8::%x:%x" % (0x0a01 + (n >> 16), n & 0xffff),
            "2001:db8::%x:%x" % (0x0a02 + (n >> 16), n & 0xffff))


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


def exact_rules(numbers, v6):
    """One 5-tuple rule for each pair number."""
    words = (("udp6", "ipv6_src", "ipv6_dst", pair6) if v6
             else ("udp", "nw_src", "nw_dst", pair))
    return ["priority=100,%s,in_port=1,%s=%s,%s=%s,tp_src=10000,tp_dst=20000,"
            "actions=output:2" % (words[0], words[1], words[3](n)[0],
                                  words[2], words[3](n)[1]) for n in numbers]


def port_rules(n_ports):
    """Traffic of every port to every port; what would go back where it came
    from goes to the next one."""
    rules = []
    for n in range(n_ports):
        src, dst = pair(n)
        rules.append("priority=100,udp,nw_src=%s,nw_dst=%s,actions=output:%d"
                     % (src, dst, n + 1))
        rules.append("priority=200,udp,in_port=%d,nw_src=%s,nw_dst=%s,"
                     "actions=output:%d" % (n + 1, src, dst,
                                            (n + 1) % n_ports + 1))
        for i in range(4):  # Source ports tell flows apart.
            rules.append("priority=300,udp,nw_dst=10.2.0.%d,tp_src=%d,"
                         "tp_dst=9,actions=drop" % (n, 10000 + n * 4 + i))
    return rules


def tunnel_rules(r, name):
    """For 'key=flow' one rule per key.  Open vSwitch knows NVGRE as GRE whose
    key ends in the FlowID."""
    key = KEYS[r["tunnel"]]
    shifted = r["tunnel"] == "nvgre" and name == "ovs"
    if r["hairpin"] or not (r["keys"] or shifted):
        return ["in_port=1,actions=output:2"]
    keys = [key + n for n in range(r["keys"] or 1)]
    if r["encap"]:
        return ["ip,in_port=1,nw_dst=%s,actions=set_field:0x%x->tun_id,"
                "output:2" % (pair(n)[1], k << 8 if shifted else k)
                for n, k in enumerate(keys)] if r["keys"] else [
            "in_port=1,actions=set_field:0x%x->tun_id,output:2" % (key << 8)]
    return ["in_port=1,tun_id=%s,actions=output:2"
            % ("0x%x/0xffffff00" % (k << 8) if shifted else k) for k in keys]


def rules_of(r, name):
    if callable(r["rules"]):
        return r["rules"]()
    return r["rules"] or tunnel_rules(r, name)


def select_group(n, buckets):
    return "group_id=%d,type=select,%s" % (n, ",".join(
        "bucket=weight:1,actions=set_field:02:00:00:00:a0:%02x->eth_dst,"
        "output:2" % b for b in range(buckets)))


def all_group(n, buckets):
    return select_group(n, buckets).replace("type=select", "type=all").replace(
        "weight:1,", "")


def per_pair(action):
    """A rule for each of 1,024 destinations; action % its number."""
    return ["priority=10,udp,in_port=1,nw_dst=%s,actions=%s"
            % (pair(n)[1], action % (n + 1)) for n in range(1024)]


def trace_row(title, rules, trace, **kw):
    """'rules' and 'trace' are functions: built when the row is run."""
    kw.setdefault("flows", TRACE)
    return row(title, rules, kind="file", trace=trace, **kw)


@functools.lru_cache(maxsize=1)
def rule_set(shape, n):
    return bench_rules.rule_set(shape, n)


def shape_row(shape, n, title, goal, flows=TRACE, zipf=False, repeat=False,
              **kw):
    """Rules of a shape; each packet a flow of its own, or 'flows' flows by a
    Zipf law or ('repeat') in turn."""
    def trace():
        f = bench_rules.matching_flows(rule_set(shape, n), flows)
        if not (zipf or repeat):
            return f
        f = [x[:5] for x in f]
        return bench_rules.zipf(f, TRACE) if zipf else f

    return trace_row(title, lambda: bench_rules.texts(rule_set(shape, n)),
                     trace, goal=goal, flows=flows if repeat else TRACE, **kw)


def zipf_million():
    return bench_rules.zipf(bench_rules.udp_flows(1 << 20, 1024), TRACE)


def scan_half():
    return bench_rules.scan_mix(bench_rules.udp_flows(10240, 320), TRACE, 2)


def some_new():
    return bench_rules.scan_mix(bench_rules.udp_flows(102400, 320), TRACE, 20)


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
TSE6_RULES = [r.replace("tcp,", "tcp6,").replace(
    "nw_src=10.0.0.1", "ipv6_src=2001:db8::a00:1") for r in TSE_RULES]
PORT_RULE = ["in_port=1,actions=output:2"]
# Prefixes of 16 bits: a million streams are few cached flows.
PREFIX_RULES = ["priority=10,ip,in_port=1,nw_dst=10.%d.0.0/16,"
                "actions=output:2" % i for i in range(256)]
HOP_RULE = ["ip,in_port=1,actions=dec_ttl,set_field:02:00:00:00:00:aa->eth_dst,"
            "set_field:02:00:00:00:00:bb->eth_src,output:2"]
VLAN_RULE = ["in_port=1,actions=push_vlan:0x8100,set_field:4196->vlan_vid,"
             "output:2"]  # 0x1000 (present) and 100
# Frames that lie meet rules that look at all of them.
BAD_RULES = ["priority=30,udp,in_port=1,tp_dst=80,actions=output:2",
             "priority=20,tcp,in_port=1,nw_src=10.0.0.0/8,tp_src=80,"
             "actions=output:2",
             "priority=10,udp6,in_port=1,tp_dst=80,actions=output:2",
             "priority=1,in_port=1,actions=output:2"]
# What leaves depends on all fields: no switch can widen a cached flow.
HASH_GROUP = ("group_id=1,type=select,selection_method=hash,"
              "fields(ip_src,ip_dst,udp_src,udp_dst),bucket=output:2,"
              "bucket=output:2")
# Port 3 is another tenant's.
FLOOD_RULES = PORT_RULE + ["in_port=3,actions=CONTROLLER:128"]


def tenant_rules():
    """Tenant 1 as in row B1, in table 1; the other one's in table 2."""
    own = ["table=1," + r for r in five_tuple_rules(32)]
    return own + ["table=2," + r for r in bench_rules.worst_texts(10000)] + [
        "table=0,in_port=1,actions=goto_table:1",
        "table=0,in_port=3,actions=goto_table:2"]


ROWS = {
    "A1": row("1 flow, port to port", PORT_RULE, goal=1.6, cycles=90),
    "A2": row("1 flow, full 5-tuple rule", FULL_RULE, goal=1.6, cycles=92),
    "A3": row("1 flow, drop", ["in_port=1,actions=drop"], fate="drop",
              goal=2, cycles=60),
    "A4": row("TTL and both MACs, an L3 hop", HOP_RULE, edit="l3hop",
              goal=1.7, cycles=105),
    "A5": row("push a VLAN tag", VLAN_RULE, edit="vlan", goal=2, cycles=105),
    "A6": row("A1 in bursts of 1 to 4", PORT_RULE, burst=4, goal=1.5,
              within=("A1", 1.6, 0)),
    "A7": row("IMIX 64/570/1518, 12 flows", PORT_RULE, size="imix", flows=12,
              goal=1.9, cycles=90),
    "A7l": row("A1 with 1518-byte frames", PORT_RULE, size=1514, goal=1.9,
               cycles=90),
    "A8a": row("A1 with cold headers", PORT_RULE, cold=True, goal=1.9,
               cycles=120),
    "A8b": row("A2 with cold headers", FULL_RULE, cold=True, goal=1.9,
               cycles=122),
    "A8c": row("B3 with cold headers", five_tuple_rules(320), flows=102400,
               pairs=320, cold=True, goal=1.9, cycles=135, warmup=8),

    "B1": row("1k flows, 5-tuple", five_tuple_rules(32), flows=1024, pairs=32,
              goal=2.2, cycles=92),
    "B2": row("10k flows, 5-tuple", five_tuple_rules(320), flows=10240,
              pairs=320, goal=4, cycles=95, warmup=4),
    "B3": row("100k flows, 5-tuple", five_tuple_rules(320), flows=102400,
              pairs=320, goal=5, cycles=105, warmup=8),
    "B4": row("1M flows, 5-tuple", five_tuple_rules(1024), flows=1 << 20,
              pairs=1024, goal=100, cycles=135, warmup=8),
    "B5": trace_row("1M flows, Zipf, 5-tuple", five_tuple_rules(1024),
                    zipf_million, goal=30, cycles=110, warmup=8),
    "B6": row("1M flows, 256 rules on /16", PREFIX_RULES, flows=1 << 20,
              pairs=1024, goal=3.5, cycles=100),
    "B7": row("30 ports x 16k flows", port_rules(30), flows=16384, pairs=30,
              ports=30, goal=3, cycles=130, warmup=6),

    "C1": shape_row("acl", 10000, "acl 10k rules, 10k flows Zipf", 5,
                    flows=10000, zipf=True, warmup=4, cycles=100,
                    rules_hit=5000),
    "C2": shape_row("fw", 100000, "fw 100k rules, 1M flows", 10,
                    flows=1 << 20, repeat=True, warmup=8, cycles=450,
                    rules_hit=10000),
    "C3a": shape_row("acl", 10000, "acl 10k rules, new flows", 1000,
                     cycles=300, rules_hit=5000),
    "C3f": shape_row("fw", 10000, "fw 10k rules, new flows", 1000,
                     cycles=700, rules_hit=1000),
    "C3i": shape_row("ipc", 10000, "ipc 10k rules, new flows", 1000,
                     cycles=300, rules_hit=5000),
    "C3A": shape_row("acl", 100000, "acl 100k rules, new flows", 1000,
                     cycles=300, rules_hit=50000),
    "C3F": shape_row("fw", 100000, "fw 100k rules, new flows", 1000,
                     cycles=700, rules_hit=10000),
    "C3I": shape_row("ipc", 100000, "ipc 100k rules, new flows", 1000,
                     cycles=300, rules_hit=50000),
    "C4": row("10 tables, 100k flows", bench_pipelines.pipeline(10, 320),
              flows=102400, pairs=320, goal=8, cycles=105, warmup=8,
              tables_hit=10),
    "C4m": row("20 tables, 100k flows", bench_pipelines.pipeline(20, 320),
               flows=102400, pairs=320, goal=8, cycles=105, warmup=8,
               tables_hit=20),
    "C4l": row("40 tables, 100k flows", bench_pipelines.pipeline(40, 320),
               flows=102400, pairs=320, goal=8, cycles=105, warmup=8,
               tables_hit=40),
    "C5": trace_row("C4 and 5 % new flows",
                    bench_pipelines.pipeline(10, 320), some_new, goal=4,
                    cycles=140, warmup=8, tables_hit=10),
    "C6s": row("1k select groups of 4, 10k flows", per_pair("group:%d"),
               groups=[select_group(n, 4) for n in range(1, 1025)],
               flows=10240, pairs=1024, edit="mac", goal=2, warmup=2,
               within=("A4", 1, 30)),
    "C6a": row("1k all groups of 2, per copy", per_pair("group:%d"),
               groups=[all_group(n, 2) for n in range(1, 1025)],
               flows=1024, pairs=1024, edit="mac", copies=2, goal=2, warmup=2,
               within=("A4", 1, 30)),
    "C6m": row("1k meters, 1k flows", per_pair("meter:%d,output:2"),
               meters=["meter=%d,pktps,burst,bands=type=drop,rate=50000000,"
                       "burst_size=1000000" % n for n in range(1, 1025)],
               flows=1024, pairs=1024, goal=2, warmup=2,
               within=("A4", 1, 30)),
    "C7": row("100k IPv4 and 100k IPv6 rules",
              lambda: exact_rules(range(0, 200000, 2), False)
              + exact_rules(range(1, 200000, 2), True),
              flows=200000, pairs=200000, v6=2, goal=2, warmup=8,
              rules_hit=190000),
    "C7f": row("100k IPv4 rules, 100k flows",
               lambda: exact_rules(range(100000), False), flows=100000,
               pairs=100000, goal=2, warmup=8, rules_hit=95000),
    "C7s": row("100k IPv6 rules, 100k flows",
               lambda: exact_rules(range(100000), True), flows=100000,
               pairs=100000, v6=1, goal=2, warmup=8, rules_hit=95000,
               within=("C7f", 1, 20)),

    "D1": row("3 rules, random 5-tuples", ACL_RULES, kind="random",
              flows=1 << 20, goal=5, cycles=250),
    "D2": row("tuple-space explosion, victim", TSE_RULES, kind="tse",
              flows=8193, victim=True, goal=200),
    "D3": row("the same over IPv6, every 2nd", TSE6_RULES, kind="tse", v6=1,
              flows=8193, victim=True, attack_every=2, goal=5),
    "D4": trace_row("flows of 10 packets, hashed", ["udp,actions=group:1"],
                    lambda: bench_rules.short_lived(TRACE, 10),
                    groups=[HASH_GROUP], goal=40, cycles=300, warmup=4),
    "D4w": trace_row("the same, not hashed", five_tuple_rules(320),
                     lambda: bench_rules.short_lived(TRACE, 10), cycles=300),
    "D5": trace_row("half a scan, half 10k flows", five_tuple_rules(320),
                    scan_half, goal=1),
    "D6": trace_row("100k flows of one CRC32C", five_tuple_rules(320),
                    lambda: bench_rules.one_crc(102400), flows=102400,
                    goal=1, warmup=8,
                    within=("B3", 1.1, 0)),
    "D7": row("beside a tenant of 10k odd rules", tenant_rules, flows=1024,
              pairs=32, victim=True, goal=1,
              second=dict(kind="random", flows=1 << 16, pps=100000),
              within=("B1", 1.1, 0)),
    "D7w": row("10k odd rules, random 5-tuples",
               lambda: bench_rules.worst_texts(10000, 1), kind="random",
               flows=1 << 20, goal=5),
    "D8": row("malformed frames only", BAD_RULES, kind="bad", flows=4096,
              fate="any", goal=2, cycles=180),
    "D9": row("beside 1M packet-ins/s", FLOOD_RULES, victim=True, goal=3,
              second=dict(flows=1024, pairs=32, pps=1000000),
              beside=("packet-in", "60"),
              within=("A1", 1.25, 0)),
    "D10": row("B3 in a storm of 50k flow-mods/s", five_tuple_rules(320),
               flows=102400, pairs=320, goal=5, warmup=8,
               beside=("storm", "50000"),
               within=("B3", 1.3, 0)),

    "E1": row("VXLAN encap, 1k flows", None, flows=1024, pairs=32,
              tunnel="vxlan", encap=True, goal=1.5, cycles=122),
    "E2": row("VXLAN encap, 4k VNIs, 64k flows", None, flows=65536,
              pairs=4096, keys=4096, tunnel="vxlan", encap=True, goal=2.5,
              cycles=150, warmup=8),
    "E3": row("VXLAN decap, 1k flows", None, flows=1024, pairs=32,
              tunnel="vxlan", decap=True, goal=3, cycles=135),
    "E3k": row("VXLAN decap, 4k VNIs, 64k flows", None, flows=65536,
               pairs=4096, keys=4096, tunnel="vxlan", decap=True, goal=3,
               cycles=150, warmup=8),
    "E4e": row("NVGRE encap, 1k flows", None, flows=1024, pairs=32,
               tunnel="nvgre", encap=True, goal=1.5, cycles=122),
    "E4d": row("NVGRE decap, 1k flows", None, flows=1024, pairs=32,
               tunnel="nvgre", decap=True, goal=2.7, cycles=135),
    "E5": row("VXLAN to VXLAN, one uplink", None, flows=1024, pairs=32,
              tunnel="vxlan", encap=True, decap=True, hairpin=True, goal=3,
              cycles=175),
    "E7": row("VXLAN decap, 40 tables, 10k flows",
              bench_pipelines.pipeline(40, 320), flows=10240, pairs=320,
              tunnel="vxlan", decap=True, goal=4, cycles=230, warmup=4,
              tables_hit=40),
    "E8": row("VXLAN encap of 1450-byte frames", None, flows=1024, pairs=32,
              size=1450, tunnel="vxlan", encap=True, goal=2,
              within=("E1", 1, 10)),
}
# For the plots: the same rules or flows, more and more of them.
SWEEPS = {
    "flows": [("flows%d" % n, n, row(
        "%d flows, 5-tuple" % n, five_tuple_rules(1024), flows=n, pairs=1024,
        warmup=4 if n > 1000 else 0))
        for n in (1, 10, 100, 1000, 10000, 100000, 1000000)],
    "tables": [("tables%d" % n, n, row(
        "%d tables, 10k flows" % n, bench_pipelines.pipeline(n, 320),
        flows=10240, pairs=320, warmup=4)) for n in (2, 5, 10, 20, 30, 40)],
}
for shape in ("acl", "fw", "ipc"):
    SWEEPS["rules, " + shape] = [
        ("%s%d" % (shape, n), n, shape_row(
            shape, n, "%s %d rules, new flows" % (shape, n), 1))
        for n in (10, 100, 1000, 10000, 100000)]
SWEEP_ROWS = {name: r for points in SWEEPS.values() for name, _, r in points}
ALIASES = {"A8": ["A8a", "A8b", "A8c"], "C3": ["C3a", "C3f", "C3i"],
           "C6": ["C6s", "C6a", "C6m"], "E4": ["E4e", "E4d"],
           "sweeps": list(SWEEP_ROWS)}
