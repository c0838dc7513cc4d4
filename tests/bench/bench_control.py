# SPDX-License-Identifier: Apache-2.0
"""Rows of the control plane: what a controller sees, and what the packets
feel meanwhile.

ofblast is the controller.  What a row gives comes from a run in which the
switch's main thread has core 0 and the controller core 1, no ports.  Rows
with 'traffic' run once more beside row A1 on core 1, the controller on core 0
with the main thread: no frame may be lost, and Weft's worker says how long it
did not look at its ports (this machine's other work included).  A result
counts only if the last rule forwards a packet, the switch counts as many
flows as were sent, and no error came."""
import json
import os
import statistics

import bench_rows
import bench_rules
from bench_peers import PeerError, run
from bench_run import PEERS, rss_kib

K100, M1 = 100000, 1000000
TLS_PORT = 6699
IN_FLIGHT = 256  # Frames between generator and sink.


def row(title, mode, n, unit, goal, **kw):
    r = dict(title=title, mode=mode, n=n, unit=unit, goal=goal, low=False,
             tables=1, traffic=False, fill=0, packets=None, tls=False)
    r.update(kw)
    return r


# Only a miss rule, so that every frame goes to the controller.
MISS = dict(bench_rows.ROWS["A1"], rules=["priority=0,actions=CONTROLLER:128"])
# ofblast makes the rule, and steers it to one or the other port.
FLIPS = dict(bench_rows.ROWS["B1"], rules=list, two_sinks=True, stamp=True)

# goal: ratio to Open vSwitch.  low: less is better.  fill: rules beforehand.
ROWS = {
    "G1": row("100k flow-mods, one by one", "add", K100, "/s", 10,
              value="per_second", traffic=True),
    "G2": row("100k flow-mods, one bundle", "bundle", K100, "/s", 3,
              value="per_second", traffic=True),
    "G3": row("1M rules, until the last forwards", "add", M1, "s", 8,
              value="forwards_after", low=True, traffic=True),
    "G3t": row("1M rules in 64 tables, likewise", "add", M1, "s", 8,
               value="forwards_after", low=True, tables=64),
    "G4": row("100k strict modifies, random order", "change", K100, "/s", 10,
              value="modifies_per_second"),
    "G5": row("barrier after 100 adds, p99", "barrier", 2000, "us", 5,
              low=True),
    "G6": row("100k fw rules in random order", "file", K100, "/s", 5,
              value="per_second"),
    "G7": row("packet-in, 64-byte frames", "packet-in", 3, "/s", 3,
              value="per_second", packets=MISS),
    "G8": row("flow stats of 1M rules, beside A1", "stats", M1, "s", 5,
              value="seconds", low=True, fill=M1, traffic=True),
    "G9": row("G1 over TLS", "add", K100, "/s", 10, value="per_second",
              tls=True),
    "G10": row("answer until the rule forwards, p99", "flip", 500, "us", 1,
               value="p99_us", low=True, packets=FLIPS),
    "H2": row("bytes per rule at 1M", "add", M1, "B", 3, low=True),
}
def what_is_wrong(r, out, others):
    """'others': rules that were there before."""
    if out.get("errors"):
        return "%d errors" % out["errors"]
    if r["mode"] == "file" and out["flows"] != r["n"]:
        return "%d flows, not %d" % (out["flows"], r["n"])
    if r["mode"] in ("add", "bundle"):
        if out["flows"] != r["n"] + others:
            return "%d flows, not %d" % (out["flows"], r["n"] + others)
        if not out["right_rule"]:
            return "the last rule does not forward"
    if r["mode"] == "change" and (out["flows"], out["flows_left"]) != (
            r["n"], 0):
        return "%d flows, then %d" % (out["flows"], out["flows_left"])
    if r["mode"] == "stats" and out["entries"] != r["fill"] + others:
        return "%d entries" % out["entries"]
    if r["mode"] == "packet-in" and not out["packet_ins"]:
        return "no packet-in"
    return None


def blast(bench, peer, core, *words, target=None):
    return json.loads(run(*bench.ofblast(peer, core, *words, target=target)))


def value(r, out, rss):
    if r["unit"] == "B":
        return rss * 1024 / r["n"]
    if r["mode"] == "barrier":
        return out["after_100_adds"]["p99_us"]
    return out[r["value"]]


def traffic_notes(peer, a, b):
    """What the packets of row A1 felt between two readings."""
    lost = b["offered"] - a["offered"] - (b["delivered"] - a["delivered"])
    return dict(lost=max(0, lost - IN_FLIGHT), longest_us=peer.longest_us(),
                gap_us=b["gap_max"] * 1e6 / b["hz"],
                gaps_200us=b["gaps_200us"] - a["gaps_200us"])


def last_word(bench, r, peer):
    """ofblast's fourth word."""
    if r["mode"] == "flip":
        return peer.stats
    if r["mode"] != "file":
        return r["tables"]
    path = os.path.join(bench.dir, "flow-mods")
    if not os.path.exists(path):
        bench_rules.write_flow_mods(path, bench_rows.rule_set("fw", r["n"]))
    return path


def run_peer(bench, r, peer, core, traffic):
    """The row on a running peer: value, notes, and what is wrong."""
    target = None
    if r["tls"]:
        peer.listen_tls(TLS_PORT, bench.identity())
        target = "tls:%d:%s" % (TLS_PORT, bench.identity())
    before = rss_kib(peer.main_pid())
    if r["fill"]:
        blast(bench, peer, core, "add", r["fill"])
    peer.longest_us(reset=True)
    peer.write_control(gap_max=0)
    a = peer.read_stats()
    out = blast(bench, peer, core, r["mode"], r["n"],
                last_word(bench, r, peer), target=target)
    b = peer.read_stats()
    wrong, notes = what_is_wrong(r, out, 1 if traffic else 0), {}
    if r["mode"] == "flip":
        notes["p50_us"] = out["p50_us"]
        if b["wrong"] or not b["delivered"]:
            wrong = "%d frames of %d by the rule before" % (b["wrong"],
                                                            b["delivered"])
    elif traffic and not r["packets"]:
        notes = traffic_notes(peer, a, b)
        if notes["lost"]:
            wrong = wrong or "%d frames lost" % notes["lost"]
    if r["mode"] == "change":
        notes["deletes_per_second"] = out["deletes_per_second"]
    if r["mode"] == "barrier":
        notes["idle_p99_us"] = out["idle"]["p99_us"]
    if r["mode"] == "file" and peer.name == "weft":
        notes["probes"], notes["form"] = peer.bounds()
    rss = rss_kib(peer.main_pid()) - before
    return dict(value=value(r, out, rss), wrong=wrong, notes=notes)


def one(bench, r, name, traffic):
    packets = r["packets"] or (bench_rows.ROWS["A1"] if traffic else None)
    peer = PEERS[name](bench, packets)
    try:
        peer.start(PEERS[name].settings[0] if packets or name != "weft"
                   else ("no-poll",))
        os.sched_setaffinity(peer.main_pid(), {0})  # This thread only.
        return run_peer(bench, r, peer, 0 if packets else 1, bool(packets))
    except PeerError as e:
        return dict(value=float("inf") if r["low"] else 0, wrong=str(e),
                    notes={})
    finally:
        peer.stop()


def run_row(bench, name, peers):
    r = ROWS[name]
    result = dict(row=name, title=r["title"], goal=r["goal"], unit=r["unit"])
    always = r["mode"] == "stats"  # Traffic is part of what is measured.
    runs = {p: [] for p in peers if p != "testpmd"}
    for _ in range(bench.o.repeat):
        for p, rs in runs.items():
            rs.append(one(bench, r, p, always))
    for p, rs in runs.items():
        notes = dict(rs[-1]["notes"])
        wrong = [x["wrong"] for x in rs if x["wrong"]]
        if r["traffic"] and not always:
            beside = one(bench, r, p, True)
            notes.update(beside["notes"])
            wrong += [beside["wrong"]] if beside["wrong"] else []
        result[p] = dict(value=statistics.median(x["value"] for x in rs),
                         low=min(x["value"] for x in rs),
                         high=max(x["value"] for x in rs), notes=notes,
                         wrong=wrong[0] if wrong else None)
    return result


def ratio(r):
    o, w = r["ovs"]["value"], r["weft"]["value"]
    return o / w if ROWS[r["row"]]["low"] else w / o


def cell(r, p):
    v = p["value"]
    if r["unit"] == "/s":
        return "%.0fk/s" % (v / 1e3)
    return "%.2f s" % v if r["unit"] == "s" else "%.0f %s" % (v, r["unit"])


WORDS = {"lost": "frames lost beside A1: %d",
         "longest_us": "longest time a worker did not look: %.0f us",
         "gap_us": "longest time between two polls: %.0f us",
         "gaps_200us": "times over 200 us: %d",
         "deletes_per_second": "deletes per second: %.0f",
         "idle_p99_us": "idle p99: %.0f us", "p50_us": "p50: %.0f us",
         "probes": "at most %d probes in a table", "form": "of form %s"}


def notes(p):
    return ", ".join(WORDS[k] % v for k, v in p["notes"].items()
                     if v is not None)
