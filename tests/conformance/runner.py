# SPDX-License-Identifier: Apache-2.0
"""Runs one conformance case, or one byte vector, against a live switch.

What:    run_case() empties the switch, sends the case's messages, reads them
         back, puts each frame in and judges what comes out; the answer is ""
         or one line that says what differed.  run_vector() sends bytes and
         tells how the switch answered.
Model:   a frame or packet-in where none is due fails the case.  With settle 0
         the frame follows the barrier's reply at once: what a barrier has
         confirmed is in force (OpenFlow 1.3.5 §6.2).
Source:  what is read back and what counts as a packet-in of the case follow
         os-ken's switch tester, so that results can be compared."""
import select
import struct
import time

import wire

LATE = 1.0     # Seconds within which what is due must come.
ELSE = 0.03    # Seconds to see what else comes.
NEVER = 0.15   # Seconds to see that nothing comes.
MARGIN = 0.10  # Of a rate.
NO_MATCH, INVALID_TTL = 0, 2  # Packet-in reasons that are no output action.


class Judge:
    """One switch, one connection, its ports."""

    def __init__(self, bed, settle):
        self.bed, self.settle = bed, settle
        self.c = bed.connect()
        self.ports = bed.ports

    # ------------------------------------------------------------ messages

    def run_case(self, case):
        if case.broken:
            return "cannot read the case: " + case.broken
        try:
            return self._run(case)
        except (wire.Lost, OSError) as e:
            try:
                self.bed.reopen(self.c)
            except (wire.Lost, OSError):
                return "the switch is gone: %s" % e
            return "connection lost: %s" % e

    def _run(self, case):
        self.c.reset()
        why = self._install(case)
        if why or case.error:
            return why
        for i, step in enumerate(case.steps):
            if self.settle:
                time.sleep(self.settle)
            why = getattr(self, "_" + step["expect"])(step)
            if why:
                return "packet %d: %s" % (i, why) if i else why
        return ""

    def _install(self, case):
        sent = [self.c.send_raw(m) for m in case.setup]
        for t, xid, m in self.c.barrier():
            if t != wire.ERROR or xid not in sent:
                continue
            got = struct.unpack(">HH", m[8:12])
            if case.error and xid == sent[-1]:
                return "" if got == case.error else \
                    "error %s, want %s" % (got, case.error)
            return "message %d refused: %s" % (
                sent.index(xid), wire.describe(self.c.version, m))
        if case.error:
            return "accepted, want error %s" % (case.error,)
        for i, m in enumerate(case.messages):
            if any(type(x) is type(m) and x.command
                   for x in case.messages[i + 1:]):
                continue  # Changed since.
            why = read_back(self.c, m)
            if why:
                return why
        return ""

    # ------------------------------------------------------------- packets

    def _clear(self):
        for p in self.ports:
            p.take()
        self.c.waiting()

    def _watch(self, seconds):
        """({port: frames}, packet-ins) until 'seconds' passed, or ELSE behind
        the first that came."""
        frames, packet_ins, end = {}, [], time.monotonic() + seconds
        first = None
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return frames, packet_ins
            select.select(self.ports + [self.c.s], [], [], left)
            for i, p in enumerate(self.ports):
                for f in p.take():
                    frames.setdefault(i + 1, []).append(wire.padded(f))
            for t, _, m in self.c.waiting():
                if t == wire.PACKET_IN:
                    reason, data = self.c.packet_in(m)
                    if self.c.version == 1 and reason == NO_MATCH:
                        continue  # 1.0 §3.4: a miss goes to the controller.
                    packet_ins.append((reason, wire.padded(data)))
            if (frames or packet_ins) and first is None:
                first = time.monotonic()
                end = min(end, first + ELSE)

    def _send(self, step, seconds):
        self._clear()
        self.ports[step["in_port"] - 1].send(step["frame"])
        return self._watch(seconds)

    def _ports(self, step):
        frames, pis = self._send(step, LATE)
        if pis:
            return "a packet-in; want none"
        return compare(frames, step["ports"])

    def _egress(self, step):
        frames, pis = self._send(step, LATE)
        if pis and not frames:
            return "a packet-in; want a frame on port %d" % step["port"]
        if pis:
            return "a packet-in besides the frame"
        return compare(frames, {step["port"]: [step["out"]]})

    def _packet_in(self, step):
        frames, pis = self._send(step, LATE)
        if frames:
            return "frames on ports %s; want a packet-in" % sorted(frames)
        if len(pis) != 1:
            return "%d packet-ins; want one" % len(pis)
        reason, data = pis[0]
        if reason == NO_MATCH or reason == INVALID_TTL and \
                self.c.version > 1:
            return "packet-in with reason %d" % reason
        return "" if data == step["out"] else "packet-in carries " + data.hex()

    def _nothing(self, step):
        frames, pis = self._send(step, NEVER)
        if self.c.version > 1:  # Tells of a frame that went nowhere.
            pis = [p for p in pis if p[0] != INVALID_TTL]
        return "frames on ports %s, %d packet-ins; want none" % (
            sorted(frames), len(pis)) if frames or pis else ""

    def _miss(self, step):
        before = self.c.table_counts()
        self._clear()
        self.ports[step["in_port"] - 1].send(step["frame"])
        end = time.monotonic() + LATE
        while True:
            frames, pis = self._watch(ELSE)
            if frames or pis:
                return "frames on ports %s, %d packet-ins; want none" % (
                    sorted(frames), len(pis))
            after = self.c.table_counts()
            looked = [t for t in step["tables"] if after.get(t, (0, 0))[0]
                      > before.get(t, (0, 0))[0]]
            if looked or time.monotonic() > end:
                break
        if not looked:
            return "no lookup counted in tables %s" % step["tables"]
        for t in looked:
            if after[t][1] > before[t][1]:
                return "table %d counted a match" % t
        return ""

    def _rate(self, step):
        """Frames at a steady pace; what comes out, per second, per want."""
        self._clear()
        time.sleep(0.3)
        got = [[0, 0] for _ in step["want"]]
        port = self.ports[step["in_port"] - 1]
        total, sent = int(step["pps"] * step["seconds"]), 0
        start = time.monotonic()
        while sent < total:
            due = min(total, int((time.monotonic() - start) * step["pps"]) + 1)
            if due - sent > step["pps"] * 0.05 + 2:  # Never catch up in a
                late = due - sent - 2                # burst: shift the clock.
                start += late / step["pps"]
                due -= late
            while sent < due:
                try:
                    port.send(step["frames"][sent % len(step["frames"])])
                except OSError:
                    break
                sent += 1
            self._count(step["want"], got)
            time.sleep(0.001)
        took = time.monotonic() - start
        time.sleep(0.2)
        self._count(step["want"], got)
        return "; ".join(filter(None, (
            rate_fault(w, n, took) for w, n in zip(step["want"], got))))

    def _count(self, want, got):
        for i, p in enumerate(self.ports):
            for f in p.take():
                for w, n in zip(want, got):
                    if frame_matches(w["match"], i + 1, f):
                        n[0] += 1
                        n[1] += len(f)

    # ------------------------------------------------------------- vectors

    def run_vector(self, message):
        """(how it was answered, whether the switch stands)."""
        try:
            try:
                self.c.reset()
            except (wire.Lost, OSError):
                self.bed.reopen(self.c)
                self.c.reset()
        except (wire.Lost, OSError) as e:
            return "the switch is gone: %s" % e, False
        got, xid = [], None
        try:
            xid = self.c.send_raw(message)
            answers = self.c.barrier()
            stands = True
        except (wire.Lost, OSError) as e:
            answers = getattr(e, "got", [])
            stands = False
        for _, x, m in answers:
            name = wire.describe(self.c.version, m)
            if x == xid and name not in got:
                got.append(name)
        if not stands:
            got.append("no barrier reply, or closed")
        # Roles, configuration and hello change the connection's state.
        if not stands or message[1] in (0, 9, 24, 28, 33, 34):
            try:
                self.bed.reopen(self.c)
            except (wire.Lost, OSError):
                return "the switch is gone", False
        return " ".join(got) or "silent", stands


def compare(frames, want):
    if sorted(frames) != sorted(want):
        return "frames on ports %s; want %s" % (sorted(frames) or "none",
                                                sorted(want))
    for port in want:
        if sorted(frames[port]) != sorted(want[port]):
            return "port %d: %d frames; got %s want %s" % (
                port, len(frames[port]), frames[port][0].hex(),
                want[port][0].hex())
    return ""


# -------------------------------------------------------------- reading back

KINDS = {  # Message -> multipart types by version (OpenFlow's ofp_multipart).
    "OFPFlowMod": (1, "flow"), "OFPGroupMod": (7, "group"),
    "OFPMeterMod": (10, "meter")}


def read_back(c, message):
    """What statistics and descriptions tell of a flow, group or meter must be
    what was sent, if the message adds it."""
    kind = KINDS.get(type(message).__name__)
    if not kind or message.command != 0:
        return ""
    parser = message.datapath.ofproto_parser
    body = b""
    if kind[1] == "flow":
        if c.version == 1:
            body = struct.pack(">I", 0x3fffff) + bytes(36) + struct.pack(
                ">BBH", 0xff, 0, 0xffff)
        else:
            body = struct.pack(">BBHIIIQQHHI", 255, 0, 0, wire.ANY, wire.ANY,
                               0, 0, 0, 1, 4, 0)
    elif kind[1] == "meter":
        body = struct.pack(">II", wire.ANY, 0)
    elif c.version >= 6:
        body = struct.pack(">II", 0xfffffffc, 0)
    seen = []
    from os_ken.ofproto import ofproto_parser
    for m in c.multipart(kind[0], body):
        if m[1] == wire.ERROR:
            return "%s statistics refused: %s" % (
                kind[1], wire.describe(c.version, m))
        if kind[1] == "group" and c.version >= 6:
            seen += groups_differ(m, message)
            continue
        v, t, size, xid = ofproto_parser.header(m)
        reply = ofproto_parser.msg(message.datapath, v, t, size, xid, m)
        seen += [differs(parser, kind[1], s, message) for s in reply.body]
    if "" in seen:
        return ""
    return "%s read back otherwise: %s" % (kind[1],
                                           "; ".join(seen) or "none there")


def groups_differ(m, sent):
    """Of the groups in a group description of 1.5, byte by byte: os-ken takes
    a bucket's successors for its properties."""
    sent.serialize()
    kind, group, size = struct.unpack_from("!BxIH", sent.buf, 10)
    want = kind, group, bytes(sent.buf[24:24 + size])
    out, at = [], 16
    while at < len(m):
        length, kind, group, size = struct.unpack_from("!HBxIH", m, at)
        got = kind, group, bytes(m[at + 16:at + 16 + size])
        out.append("" if got == want else "group %s, sent %s" % (got, want))
        at += length
    return out


def differs(parser, kind, stats, sent):
    names = {"flow": ["cookie", "priority", "hard_timeout", "idle_timeout"],
             "group": ["type", "group_id", "buckets"],
             "meter": ["flags", "meter_id", "bands"]}[kind]
    if kind == "flow":
        names = names + (["actions"] if hasattr(stats, "actions")
                         else ["table_id", "instructions"])
        # '10::0' and '10::' are one address: compare the wire's form.
        got, want = match_bytes(stats.match), match_bytes(sent.match)
        if got != want:
            return "match %s, sent %s" % (stats.match, sent.match)
    for name in names:
        got, want = getattr(stats, name), getattr(sent, name)
        if name in ("actions", "instructions"):
            got = sorted(got, key=lambda x: x.type)
            want = sorted(want, key=lambda x: x.type)
        if str(got) != str(want):
            return "%s %s, sent %s" % (name, got, want)
    return ""


def match_bytes(match):
    if not hasattr(match, "serialize"):
        return str(match)
    buf = bytearray()
    try:
        match.serialize(buf, 0)
    except TypeError:  # 1.0: a fixed structure.
        d = match.to_jsondict()["OFPMatch"]
        return str({k: v for k, v in d.items() if k != "wildcards"})
    tlvs, i = [], 4
    end = struct.unpack(">H", buf[2:4])[0]
    while i < end:  # The order of fields is free.
        n = 4 + buf[i + 3]
        tlvs.append(bytes(buf[i:i + n]))
        i += n
    return sorted(tlvs)


# --------------------------------------------------------------------- rates

def rate_fault(want, got, seconds):
    packets, size = got
    if want["pktps"]:
        measured, due, unit = packets / seconds, want["pktps"], "pktps"
    else:
        # os-ken's tester counts 1024 bits as a kilobit.
        measured, due, unit = size * 8 / 1024 / seconds, want["kbps"], "kbps"
    if abs(measured - due) <= due * MARGIN:
        return ""
    return "%s: %.1f %s, want %d" % (want["match"], measured, unit, due)


def frame_fields(port, f):
    """The fields by which rates are told apart."""
    fields = {"in_port": port, "eth_dst": f[0:6].hex(":"),
              "eth_src": f[6:12].hex(":")}
    kind, at = struct.unpack_from(">H", f, 12)[0], 14
    if kind in (0x8100, 0x88a8):
        tci, kind = struct.unpack_from(">HH", f, 14)
        fields.update(vlan_vid=0x1000 | tci & 0xfff, vlan_pcp=tci >> 13)
        at = 18
    fields["eth_type"] = kind
    if kind == 0x0800:
        fields.update(ip_dscp=f[at + 1] >> 2, ip_ecn=f[at + 1] & 3,
                      ip_proto=f[at + 9],
                      ipv4_src=".".join(str(x) for x in f[at + 12:at + 16]),
                      ipv4_dst=".".join(str(x) for x in f[at + 16:at + 20]))
    elif kind == 0x86dd:
        tc = struct.unpack_from(">I", f, at)[0] >> 20 & 0xff
        fields.update(ip_dscp=tc >> 2, ip_ecn=tc & 3, ip_proto=f[at + 6])
    return fields


def frame_matches(match, port, frame):
    fields = frame_fields(port, frame)
    for name, (value, mask) in match.items():
        if mask is not None or name not in (
                "in_port", "eth_dst", "eth_src", "vlan_vid", "vlan_pcp",
                "eth_type", "ip_dscp", "ip_ecn", "ip_proto", "ipv4_src",
                "ipv4_dst"):
            raise ValueError("a rate by %s/%s cannot be told" % (name, mask))
        if fields.get(name) != value:
            return False
    return True
