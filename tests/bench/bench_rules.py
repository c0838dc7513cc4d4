# SPDX-License-Identifier: Apache-2.0
"""Rule sets, pipelines and traffic of the benchmark, drawn from seeds.

The three shapes differ in what firewall and router rule sets are known to
differ in (Taylor and Turner, ClassBench, 2007): how long the prefixes are, how
many fields are wildcards, whether ports are exact.

  acl  long destination prefixes, exact destination ports: router lists
  fw   many wildcards, port ranges at either end: firewalls
  ipc  all fields in use, nested prefixes on both sides: IP chains

Everything is a function of (shape, size, seed): the same arguments give the
same bytes on every machine.  A flow is a tuple (source, destination, source
port, destination port, protocol) and, where the rows need ever new flows,
the bits of the source port that may change; traffic is a list of flows in the order in
which they are sent."""
import ipaddress
import itertools
import random
import struct

TCP, UDP = 6, 17
SEEDS = {"acl": 11, "fw": 23, "ipc": 37, "traffic": 41}
ZIPF = 1.1
PRIORITY_TOP = 60000

# (prefix length, weight): of source and destination; then the weights of
# (protocol, source port, destination port).  Ports: "any", "exact", "high"
# (1024 and up as the mask 0xfc00 sees it), "range" (an aligned block).
SHAPES = {
    "acl": dict(src=((0, 40), (16, 10), (24, 25), (32, 25)),
                dst=((16, 5), (24, 25), (28, 20), (32, 50)),
                l4=(((TCP, "any", "exact"), 60), ((UDP, "any", "exact"), 15),
                    ((TCP, "any", "any"), 10), ((None, "any", "any"), 15))),
    "fw": dict(src=((0, 50), (8, 5), (16, 10), (24, 15), (32, 20)),
               dst=((0, 30), (16, 10), (24, 20), (32, 40)),
               l4=(((TCP, "any", "exact"), 25), ((TCP, "high", "exact"), 15),
                   ((TCP, "any", "range"), 15), ((UDP, "high", "high"), 10),
                   ((UDP, "any", "exact"), 15), ((TCP, "exact", "any"), 10),
                   ((None, "any", "any"), 10))),
    "ipc": dict(src=((0, 15), (8, 5), (16, 20), (24, 30), (32, 30)),
                dst=((0, 15), (8, 5), (16, 20), (24, 30), (32, 30)),
                l4=(((TCP, "any", "exact"), 25), ((TCP, "exact", "any"), 15),
                    ((TCP, "exact", "exact"), 10), ((UDP, "any", "exact"), 15),
                    ((TCP, "any", "range"), 10), ((None, "any", "any"), 25))),
}
SERVICES = [20, 21, 22, 23, 25, 53, 80, 110, 123, 143, 161, 179, 389, 443, 445,
            514, 636, 993, 995, 1433, 1521, 1723, 2049, 3128, 3306, 3389, 5060,
            5432, 5900, 6379, 6653, 8080, 8443, 9200, 11211, 27017]


class Rule:
    """src, dst: (value, prefix length); sport, dport: (value, mask)."""

    def __init__(self, src, dst, proto, sport, dport):
        self.src, self.dst, self.proto = src, dst, proto
        self.sport, self.dport = sport, dport

    def key(self):
        return self.src, self.dst, self.proto, self.sport, self.dport

    def text(self, priority):
        words = ["priority=%d" % priority,
                 {TCP: "tcp", UDP: "udp", None: "ip"}[self.proto],
                 "in_port=1"]
        for name, (value, plen) in (("nw_src", self.src),
                                    ("nw_dst", self.dst)):
            if plen:
                words.append("%s=%s/%d" % (name, ipaddress.IPv4Address(value),
                                           plen))
        for name, (value, mask) in (("tp_src", self.sport),
                                    ("tp_dst", self.dport)):
            if mask == 0xffff:
                words.append("%s=%d" % (name, value))
            elif mask:
                words.append("%s=0x%x/0x%x" % (name, value, mask))
        return ",".join(words) + ",actions=output:2"

    def flow(self, rnd):
        """A flow that the rule matches."""
        def fill(value, mask, bits):
            return value | rnd.getrandbits(bits) & ~mask & (1 << bits) - 1

        return (fill(self.src[0], prefix_mask(self.src[1]), 32),
                fill(self.dst[0], prefix_mask(self.dst[1]), 32),
                fill(*self.sport, 16), fill(*self.dport, 16),
                self.proto or rnd.choice((TCP, UDP)),
                ~self.sport[1] & 0xffff)


    def oxm(self):
        """The match as OXM TLVs (OpenFlow 1.3.5 §7.2.3)."""
        def tlv(field, value, mask, width):
            full = (1 << 8 * width) - 1
            if not mask:
                return b""
            head = struct.pack("!HBB", 0x8000, field << 1 | (mask != full),
                               width * (1 + (mask != full)))
            return head + value.to_bytes(width, "big") + (
                mask.to_bytes(width, "big") if mask != full else b"")

        ports = {TCP: (13, 14), UDP: (15, 16)}.get(self.proto, (0, 0))
        return (tlv(0, 1, 0xffffffff, 4) + tlv(5, 0x0800, 0xffff, 2)
                + tlv(10, self.proto or 0, 0xff if self.proto else 0, 1)
                + tlv(11, self.src[0], prefix_mask(self.src[1]), 4)
                + tlv(12, self.dst[0], prefix_mask(self.dst[1]), 4)
                + tlv(ports[0], *self.sport, 2)
                + tlv(ports[1], *self.dport, 2))

    def flow_mod(self, priority):
        """An OpenFlow 1.3 add with an output to port 2 (§7.3.4.1)."""
        oxm = self.oxm()
        match = struct.pack("!HH", 1, 4 + len(oxm)) + oxm
        match += bytes(-len(match) % 8)
        body = struct.pack("!QQBBHHHIIIHH", 0, 0, 0, 0, 0, 0, priority,
                           0xffffffff, 0xffffffff, 0xffffffff, 0, 0) + match
        body += struct.pack("!HHIHHIH6x", 4, 24, 0, 0, 16, 2, 0xffff)
        return struct.pack("!BBHI", 4, 14, 8 + len(body), 7) + body


def prefix_mask(plen):
    return 0xffffffff << (32 - plen) & 0xffffffff


def weighted(rnd, choices):
    return rnd.choices([c for c, _ in choices], [w for _, w in choices])[0]


def networks(rnd, n):
    """Addresses that rules share their upper bits with: hosts of few nets."""
    nets = [rnd.getrandbits(16) << 16 for _ in range(max(4, n // 100))]
    subnets = [rnd.choice(nets) | rnd.getrandbits(8) << 8
               for _ in range(max(8, n // 10))]
    return [rnd.choice(subnets) | rnd.getrandbits(8)
            for _ in range(max(16, n))]


def port(rnd, kind):
    if kind == "exact":
        return (rnd.choice(SERVICES) if rnd.random() < .7
                else rnd.randrange(1, 65536)), 0xffff
    if kind == "high":
        return 0x0400 << rnd.randrange(3), 0xfc00
    if kind == "range":
        mask = 0xffff << rnd.randrange(2, 10) & 0xffff
        return rnd.getrandbits(16) & mask, mask
    return 0, 0


def rule_set(shape, n):
    """'n' different rules, the first has the highest priority."""
    rnd = random.Random("%s %d %d" % (shape, n, SEEDS[shape]))
    s, hosts, seen, rules = SHAPES[shape], networks(rnd, n), set(), []
    while len(rules) < n:
        proto, sport, dport = weighted(rnd, s["l4"])
        ends = []
        for side in ("src", "dst"):
            plen = weighted(rnd, s[side])
            ends.append((rnd.choice(hosts) & prefix_mask(plen), plen))
        rule = Rule(*ends, proto, port(rnd, sport), port(rnd, dport))
        if rule.key() not in seen:
            seen.add(rule.key())
            rules.append(rule)
    return rules


def texts(rules):
    """With a rule below all that takes the rest."""
    step = max(1, len(rules) // PRIORITY_TOP + 1)
    return [r.text(PRIORITY_TOP - i // step) for i, r in enumerate(rules)] + [
        "priority=0,ip,in_port=1,actions=output:2"]


def write_flow_mods(path, rules):
    """In random order, each with a priority of its own (as far as there are
    any), for ofblast's mode "file"."""
    step = len(rules) // PRIORITY_TOP + 1
    messages = [r.flow_mod(PRIORITY_TOP - i // step)
                for i, r in enumerate(rules)]
    random.Random("order %d" % SEEDS["traffic"]).shuffle(messages)
    with open(path, "wb") as f:
        f.write(b"".join(messages))


def worst_texts(n, port=3):
    """'n' rules of which hardly two have the same mask: what a tenant writes
    who wants lookups to be slow."""
    rnd, rules = random.Random("worst %d %d" % (n, SEEDS["fw"])), {}
    while len(rules) < n:
        src, dst = (rnd.getrandbits(32) for _ in range(2))
        masks = [rnd.getrandbits(32) & prefix_mask(rnd.randrange(33))
                 for _ in range(2)]
        sm, dm = rnd.getrandbits(16), rnd.getrandbits(16)
        rules["tcp,in_port=%d,nw_src=%s/%s,nw_dst=%s/%s,tp_src=0x%x/0x%x,"
              "tp_dst=0x%x/0x%x" % (
                  port, ipaddress.IPv4Address(src & masks[0]),
                  ipaddress.IPv4Address(masks[0]),
                  ipaddress.IPv4Address(dst & masks[1]),
                  ipaddress.IPv4Address(masks[1]),
                  rnd.getrandbits(16) & sm, sm,
                  rnd.getrandbits(16) & dm, dm)] = None
    return ["priority=%d,%s,actions=output:2" % (PRIORITY_TOP - i, r)
            for i, r in enumerate(rules)] + [
        "priority=0,in_port=%d,actions=output:2" % port]


# --------------------------------------------------------------- traffic

def rnd_of(*words):
    return random.Random("%s %d" % (words, SEEDS["traffic"]))


def matching_flows(rules, n):
    """'n' different flows, each made for one rule."""
    rnd, seen = rnd_of("match", len(rules), n), {}
    while len(seen) < n:
        # Every rule once before any has its turn again.
        for rule in rnd.sample(rules, min(len(rules), n - len(seen))):
            seen.setdefault(rule.flow(rnd))
    return list(seen)


def udp_flows(n, pairs):
    """The flows of the plugin's own kind "udp", see gen_plugin.c."""
    return [(0x0a010000 + i % pairs, 0x0a020000 + i % pairs,
             10000 + i // pairs % 1024, 20000 + i // pairs // 1024, UDP)
            for i in range(n)]


def zipf(flows, n):
    """'n' packets; the k-th flow of a shuffled list has weight k^-ZIPF."""
    rnd = rnd_of("zipf", len(flows), n)
    ranked = rnd.sample(flows, len(flows))
    weights = list(itertools.accumulate((k + 1) ** -ZIPF
                                        for k in range(len(ranked))))
    return rnd.choices(ranked, cum_weights=weights, k=n)


def scan_mix(flows, n, every):
    """One packet in 'every' is a flow of its own, the others come from
    'flows' in turn."""
    rnd = rnd_of("scan", len(flows), n)
    turn = itertools.cycle(flows)
    return [next(turn) if i % every else
            (rnd.getrandbits(32), rnd.getrandbits(32), rnd.getrandbits(16),
             rnd.getrandbits(16), UDP, 0xffff) for i in range(n)]


def short_lived(n, life):
    """Flows of 'life' packets each, one after the other, 64 at a time."""
    rnd = rnd_of("churn", n, life)
    out, live = [], []
    while len(out) < n:
        live = [(f, left - 1) for f, left in live if left > 1]
        while len(live) < 64:
            live.append(((rnd.getrandbits(32), rnd.getrandbits(32),
                          rnd.getrandbits(16), rnd.getrandbits(16), UDP,
                          0xffff), life))
        out += [f for f, _ in live]
    return out[:n]


def crc32c(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc


def one_crc(n):
    """'n' flows whose five fields have the same CRC32C, whatever it starts
    with: what an attacker can make against a hash of that kind, and against
    one whose secret is its start value (CRC is linear).  The bits of both
    addresses and the source port are combined by Gaussian elimination."""
    def record(bits):
        return struct.pack("!IIHHB", bits & 0xffffffff, bits >> 32 & 0xffffffff,
                           bits >> 64, 53, UDP)

    zero = crc32c(record(0))
    rows, kernel = {}, []  # By highest bit of the CRC; combinations of 0.
    for i in range(80):
        crc, bits = crc32c(record(1 << i)) ^ zero, 1 << i
        while crc and crc.bit_length() in rows:
            other = rows[crc.bit_length()]
            crc, bits = crc ^ other[0], bits ^ other[1]
        if crc:
            rows[crc.bit_length()] = crc, bits
        else:
            kernel.append(bits)
    flows = []
    for i in range(1, n + 1):
        bits = 0
        for k, vector in enumerate(kernel):
            if i >> k & 1:
                bits ^= vector
        flows.append((bits & 0xffffffff, bits >> 32 & 0xffffffff, bits >> 64,
                      53, UDP))
    return flows


def write_flows(path, flows):
    """For the plugin's kind "file": 16 bytes a packet."""
    record = struct.Struct("!IIHHBxH")
    with open(path, "wb") as f:
        f.write(b"".join(record.pack(*(flow if len(flow) == 6
                                       else flow + (0,)))
                         for flow in flows))
