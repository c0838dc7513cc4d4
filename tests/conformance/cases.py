# SPDX-License-Identifier: Apache-2.0
"""Conformance cases: what they are and the formats they are read from.

What:    A Case is an empty switch, messages to send to it, and steps: a frame
         in on a port, and what must come of it.  load() reads
         - folders of JSON files in the format of os-ken's (Ryu's) switch
           tester, and our own in cases/ with the keys that README.md lists;
         - flattened cases, one JSON object per line;
         vectors() reads byte vectors (JSON lines) for the replay.
Model:   steps[i] has 'frame', 'in_port' and 'expect': egress (port, out),
         packet_in (out), miss (tables), nothing, rate (pps, seconds, want).
Errors:  a file that cannot be read as cases is a Case with 'broken' set, so
         that it is counted and named, never left out in silence.
Owns:    frames are written as expressions; they are evaluated by a walk over
         their syntax tree that knows calls of packet classes and constants."""
import ast
import importlib
import json
import os
import pkgutil
import random
import struct
import sys

sys.dont_write_bytecode = True
from wire import WIRE, padded  # noqa: E402

os.environ.setdefault("OS_KEN_HUB_TYPE", "native")
PORTS = {"target_recv_port": 1, "target_send_port_1": 2,
         "target_send_port_2": 3, "tester_send_port": 1,
         "tester_recv_port_1": 2, "tester_recv_port_2": 3}
FIXED_FRAMES = 512  # Of a random packet, this many different ones are built.


class Case:
    """One case; see the head of the file."""

    def __init__(self, name, group, text, version):
        self.name, self.group, self.text = name, group, text
        self.version = version
        self.setup = []      # Bytes of messages, xid 0.
        self.messages = []   # The same, as os-ken objects, for read-back.
        self.error = None    # (type, code) that the last message must bring.
        self.steps = []
        self.broken = None   # Why it cannot be run.


def group_of(path):
    """action, match, set_field, group, meter: from the file's place."""
    top = path.split("/")[0]
    if top.endswith((".json", ".jsonl")):
        top = "other"
    return "set_field" if "SET_FIELD" in path.upper() else top


# ---------------------------------------------------------------- frames

def crc32c(data):
    c = 0xffffffff
    for x in data:
        c ^= x
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
    return struct.unpack(">I", struct.pack("<I", c ^ 0xffffffff))[0]


class Frames:
    """Evaluates frame expressions with os-ken's packet classes."""

    SPECIAL = {("ipv6", "option"): "ipv6option",
               ("icmpv6", "echo"): "icmpv6echo"}
    SKIP = {"bgp", "dhcp", "dhcp6", "ospf", "zebra", "bfd", "openflow"}

    def __init__(self):
        lib = importlib.import_module("os_ken.lib.packet")
        self.packet = importlib.import_module("os_ken.lib.packet.packet")
        self.names = {"randint": random.randint, "bytes": bytes,
                      "bytearray": bytearray, "str": str}
        for m in pkgutil.iter_modules(lib.__path__):
            if m.name in self.SKIP:
                continue
            module = importlib.import_module("os_ken.lib.packet." + m.name)
            for name, value in vars(module).items():
                if isinstance(value, type):
                    self.names.setdefault(
                        self.SPECIAL.get((m.name, name), name), value)
        # os-ken 2.5 sums the text of the bytes (RFC 4960 §B: CRC32c).
        sctp = importlib.import_module("os_ken.lib.packet.sctp")
        sctp.sctp._checksum = lambda self, data: crc32c(bytes(data))

    def value(self, node):
        """The value of an expression that only builds packets."""
        if isinstance(node, ast.Expression):
            return self.value(node.body)
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(x) for x in node.elts]
        if isinstance(node, ast.Dict):
            return {self.value(k): self.value(v)
                    for k, v in zip(node.keys, node.values)}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) \
                and node.func.id in self.names:
            return self.names[node.func.id](
                *[self.value(x) for x in node.args],
                **{k.arg: self.value(k.value) for k in node.keywords})
        if isinstance(node, ast.BinOp):
            a, b = self.value(node.left), self.value(node.right)
            for kind, op in ((ast.Mult, lambda: a * b), (ast.Add,
                             lambda: a + b), (ast.Sub, lambda: a - b),
                             (ast.Mod, lambda: a % b)):
                if isinstance(node.op, kind):
                    return op()
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.value(node.operand)
        raise ValueError("%s is not a frame's part" % ast.unparse(node))

    def build(self, parts):
        p = self.packet.Packet()
        for text in parts:
            v = self.value(ast.parse(text.strip(), mode="eval"))
            p.add_protocol(v.encode("latin-1") if isinstance(v, str) else v)
        p.serialize()
        return bytes(p.data)


# ---------------------------------------------------------------- os-ken's

class OskenLoader:
    """Reads os-ken's case files for one protocol version."""

    def __init__(self, version):
        self.version = version
        self.frames = Frames()
        self.parser = importlib.import_module("os_ken.ofproto.ofproto_parser")
        protocol = importlib.import_module("os_ken.ofproto.ofproto_protocol")
        for v in ("0", "3", "4", "5"):
            importlib.import_module("os_ken.ofproto.ofproto_v1_%s_parser" % v)
        self.dp = protocol.ProtocolDesc(WIRE[version])

    def message(self, text):
        m = self.parser.ofp_msg_from_jsondict(self.dp, text)
        m.set_xid(0)
        m.serialize()
        return m

    def file(self, path, name):
        """The cases of a file."""
        try:
            with open(path) as f:
                items = json.load(f)
            if not isinstance(items, list):
                raise ValueError("not a list of cases")
        except (OSError, ValueError) as e:
            c = Case(name, group_of(name), "", self.version)
            c.broken = str(e)
            return [c]
        return [self.case(item, "%s#%d" % (name, i), group_of(name))
                for i, item in enumerate(x for x in items
                                         if isinstance(x, dict))
                if self.version in item.get("of", [self.version])]

    def case(self, item, name, group):
        c = Case(name, group, " ".join(item.get("description", "").split()),
                 self.version)
        c.clause = item.get("clause", "")
        try:
            ports_by_name(item)
            for text in item["prerequisite"]:
                if "hex" in text:
                    c.setup.append(bytes.fromhex(text["hex"]))
                    continue
                m = self.message(text)
                c.messages.append(m)
                c.setup.append(bytes(m.buf))
            if item.get("read_back") is False:
                c.messages = []
            c.error = tuple(item["error"]) if "error" in item else None
            c.steps = [self.step(t) for t in item.get("tests", [])]
        except Exception as e:  # Whatever os-ken raises: the case is named.
            c.broken = "%s: %s" % (type(e).__name__, e)
        return c

    def step(self, t):
        s = {"in_port": t.get("in_port", 1)}
        given = t["ingress"]
        if isinstance(given, dict):
            p = given["packets"]
            s.update(pps=p.get("pktps", 1000), seconds=p.get("duration_time",
                                                             30))
            varied = any("randint" in x for x in p["data"])
            s["frames"] = [padded(self.frames.build(p["data"])) for _ in
                           range(FIXED_FRAMES if varied else 1)]
        else:
            s["frame"] = padded(self.frames.build(given))
        if isinstance(t.get("egress"), dict):
            s.update(expect="rate", want=[self.rate(w) for w in
                                          t["egress"]["throughput"]])
        elif "egress" in t:
            s.update(expect="egress", port=t.get("port", 2),
                     out=padded(self.frames.build(t["egress"])))
        elif "egress_ports" in t:
            s.update(expect="ports", ports={
                int(k): [padded(self.frames.build(f)) for f in v]
                for k, v in t["egress_ports"].items()})
        elif "PACKET_IN" in t:
            s.update(expect="packet_in",
                     out=padded(self.frames.build(t["PACKET_IN"])))
        elif "table-miss" in t:
            s.update(expect="miss", tables=t["table-miss"])
        elif t.get("nothing"):
            s.update(expect="nothing")
        else:
            raise ValueError("a test without an expectation")
        return s

    @staticmethod
    def rate(w):
        fields = {}
        for tlv in w["OFPMatch"]["oxm_fields"]:
            tlv = tlv["OXMTlv"]
            fields[tlv["field"]] = (tlv["value"], tlv.get("mask"))
        return {"match": fields, "kbps": w.get("kbps"),
                "pktps": w.get("pktps")}


def ports_by_name(item):
    """Puts numbers where a case names the tester's ports."""
    if isinstance(item, dict):
        for k, v in item.items():
            if isinstance(v, str) and v in PORTS and k in ("port", "value"):
                item[k] = PORTS[v]
            else:
                ports_by_name(v)
    elif isinstance(item, list):
        for v in item:
            ports_by_name(v)


# ---------------------------------------------------------------- flattened

def flattened(path, version):
    """Cases of a JSON-lines file that are for 'version'."""
    cases = []
    with open(path) as f:
        for n, line in enumerate(f, 1):
            if not line.strip():
                continue
            try:
                j = json.loads(line)
                if j.get("of", version) != version:
                    continue
                name = j["id"].split("/", 1)[-1]
                c = Case(name, group_of(name), j.get("desc", ""), version)
                c.setup = [bytes.fromhex(h) for h in j["setup"]]
                for s in j["steps"]:
                    s = dict(s)
                    for k in ("frame", "out"):
                        if k in s:
                            s[k] = padded(bytes.fromhex(s[k]))
                    if s["expect"] == "rate":
                        s["frames"] = [s["frame"]]
                        s["want"] = [flat_rate(w) for w in s["want"]]
                    c.steps.append(s)
            except (ValueError, KeyError, TypeError) as e:
                c = Case("%s:%d" % (os.path.basename(path), n), "other", "",
                         version)
                c.broken = "%s: %s" % (type(e).__name__, e)
            cases.append(c)
    return cases


def flat_rate(w):
    if "OFPMatch" in w:
        return OskenLoader.rate(w)
    return {"match": {"in_port": (w["port"], None)}, "kbps": w.get("kbps"),
            "pktps": w.get("pktps")}


def load(path, version, groups=()):
    """Cases of a folder or a file, in a stable order."""
    if os.path.isfile(path):
        if path.endswith(".jsonl"):
            cases = flattened(path, version)
        else:
            cases = OskenLoader(version).file(path, os.path.basename(path))
    else:
        cases, loader = [], None
        for root, dirs, files in os.walk(path):
            dirs.sort()
            for name in sorted(files):
                full = os.path.join(root, name)
                rel = os.path.relpath(full, path)
                if name.endswith(".jsonl") and not name.startswith("vector"):
                    cases += flattened(full, version)
                elif name.endswith(".json"):
                    loader = loader or OskenLoader(version)
                    cases += loader.file(full, rel)
    return [c for c in cases if not groups
            or any(g == c.group or g in c.name for g in groups)]


def data_file(path):
    """The bytes of a vector of the bindings: its section "binary"."""
    with open(path) as f:
        sections = f.read().split("\n-- ")
    for s in sections:
        name, _, body = s.partition("\n")
        if name.strip() == "binary":
            return bytes(int(x, 16) for line in body.splitlines()
                         for x in line.split("#")[0].split())
    raise ValueError("%s: no bytes" % path)


def raw_vectors(path, version):
    """(id, bytes), as they stand in a file or folder."""
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            if name.endswith(".data"):
                yield name[:-5], data_file(os.path.join(path, name))
        return
    with open(path) as f:
        for j in map(json.loads, f):
            if j["of"] == version and \
                    j.get("kind", "message") in ("message", "malformed"):
                yield j["id"], bytes.fromhex(j["hex"])


def vectors(path, version):
    """[(id, bytes)]: whole messages of the version, each once."""
    seen, got = set(), []
    for name, m in raw_vectors(path, version):
        # A wrong outer length would only put the stream out of step.
        if m in seen or len(m) < 8 or m[0] != WIRE[version] or \
                struct.unpack(">H", m[2:4])[0] != len(m):
            continue
        seen.add(m)
        got.append((name, m))
    return got
