# SPDX-License-Identifier: Apache-2.0
"""Rows J: what a packet waits, what the longest pause is, what comes in
order.

The generator stamps a frame with the time at which it was due, not at which
it was taken: a switch that sleeps or stalls is charged for it.  The sink
subtracts.  J2's pauses are the times between two polls of the generator's
port; testpmd, which the flow-mods do not concern (another Weft, without
ports, gets them), shows what the machine itself takes."""
import os
import statistics
import time

import bench_rows
from bench_control import blast
from bench_peers import LAT_STEPS, PeerError
from bench_run import PEERS, on_cpu_ns

STAMPED = dict(bench_rows.ROWS["A1"], stamp=True)
ORDERED = dict(bench_rows.ROWS["B4"], stamp=True, warmup=2,
               beside=("storm", "20000"))
LOADS = (10, 50, 90)
# What each offers between polling and sleeping.
IDLE = {"weft": (("default", ("no-poll",)),
                 ("target 100 us", ("no-poll", "--latency-target", "100"))),
        "ovs": (("default", ("default", "100", "false")),
                ("maxsleep 100 us", ("default", "100", "false",
                                     "pmd-maxsleep=100")))}
TRICKLES = (1000, 10000, 100000)


def bucket_cycles(i):
    """Upper end of a histogram's bucket, see note_latency() in gen_tx.c."""
    if i < LAT_STEPS:
        return i + 1
    top, step = divmod(i - LAT_STEPS, LAT_STEPS)
    return (LAT_STEPS + step + 1) << top


def percentile(counts, share, hz):
    """Microseconds that 'share' of the packets took at most."""
    want, seen = share * sum(counts), 0
    for i, n in enumerate(counts):
        seen += n
        if n and seen >= want:
            return bucket_cycles(i) * 1e6 / hz
    return None


def waits(bench, peer, pps):
    """Latencies at 'pps' packets per second, and the worker's share of its
    core."""
    peer.write_control(pps=round(pps))
    time.sleep(0.5)
    peer.reset_latencies()
    a, cpu = peer.read_stats(), on_cpu_ns(peer.worker())
    start = time.monotonic()
    time.sleep(bench.o.seconds)
    share = (on_cpu_ns(peer.worker()) - cpu) / 1e9 / (time.monotonic() - start)
    b, counts = peer.read_stats(), peer.read_latencies()
    if b["wrong"] > a["wrong"] or b["reordered"] > a["reordered"]:
        raise PeerError("frames wrong or out of order")
    got = (b["delivered"] - a["delivered"]) / bench.o.seconds
    if got < 0.9 * pps:
        raise PeerError("%.0f of %.0f packets/s delivered" % (got, pps))
    return dict(pps=round(pps), cpu=share,
                **{name: percentile(counts, q, b["hz"]) for name, q in (
                    ("p50", .5), ("p99", .99), ("p999", .999))})


def loaded(bench, name):
    """J1: at shares of what the peer can do."""
    peer = bench.begin(name, STAMPED, PEERS[name].settings[0])
    try:
        most = bench.measure(peer, 1)["mpps"] * 1e6
        points = {"%d %%" % load: waits(bench, peer, most * load / 100)
                  for load in LOADS}
    finally:
        peer.stop()
    return points["50 %"]["p999"], points


def idling(bench, name):
    """J1i: trickles, the switch free to sleep."""
    if name == "testpmd":
        return None, {}
    points = {}
    for title, setting in IDLE[name]:
        peer = PEERS[name](bench, STAMPED)
        try:
            peer.start(setting)
            for pps in TRICKLES:
                points["%s %dk/s" % (title, pps / 1000)] = waits(bench, peer,
                                                                 pps)
        finally:
            peer.stop()
    return points[IDLE[name][0][0] + " 10k/s"]["p99"], points


def pauses(bench, name):
    """J2: the longest pause while the control plane is busy."""
    traffic = bench.begin(name, bench_rows.ROWS["B1"],
                          PEERS[name].settings[0])
    target = traffic
    try:
        if name == "testpmd":
            target = PEERS["weft"](bench, None)
            target.core = 0
            target.start(("no-poll",))
        os.sched_setaffinity(target.main_pid(), {0})
        points = {}
        for title, words in (("nothing", None), ("100k adds", ("add", 100000)),
                             ("modify, delete", ("change", 100000)),
                             ("100k bundle", ("bundle", 100000)),
                             ("statistics", ("stats", 100000))):
            traffic.write_control(gap_max=0, gaps_50us=0, gaps_200us=0)
            if words:
                blast(bench, target, 0, *words)
            else:
                time.sleep(1)
            s = traffic.read_stats()
            points[title] = dict(longest_us=s["gap_max"] * 1e6 / s["hz"],
                                 over_50us=s["gaps_50us"],
                                 over_200us=s["gaps_200us"])
    finally:
        if target is not traffic:
            target.stop()
        traffic.stop()
    return max(p["longest_us"] for p in points.values()), points


def order(bench, name):
    """J3: frames out of order within a flow while rules and cache change."""
    setting = PEERS[name].settings[0]
    if name == "weft":  # Far fewer than there are flows.
        setting += ("--cache", "65536")
    row = dict(ORDERED, beside=None) if name == "testpmd" else ORDERED
    peer = bench.begin(name, row, setting)
    try:
        time.sleep(bench.o.seconds)
        s = peer.read_stats()
    finally:
        peer.stop()
    if s["wrong"] or not s["delivered"]:
        raise PeerError("%d wrong, %d delivered" % (s["wrong"],
                                                    s["delivered"]))
    return s["reordered"], {"all": dict(delivered=s["delivered"])}


ROWS = {
    "J1": dict(title="latency at half load, p99.9", run=loaded, unit="us",
               own_goal=20),
    "J1i": dict(title="latency at 10k packets/s, p99", run=idling, unit="us",
                own_goal=None),
    "J2": dict(title="longest pause of the worker", run=pauses, unit="us",
               own_goal=200),
    "J3": dict(title="frames out of order", run=order, unit="",
               own_goal=0),
}


def run_row(bench, name, peers):
    r = ROWS[name]
    result = dict(row=name, title=r["title"], unit=r["unit"], goal=None,
                  own_goal=r["own_goal"])
    for p in peers:
        values, points, wrong = [], {}, None
        for _ in range(bench.o.repeat):
            try:
                value, points = r["run"](bench, p)
            except PeerError as e:
                wrong = str(e)
                continue
            if value is not None:
                values.append(value)
        if values or wrong:
            result[p] = dict(value=statistics.median(values) if values
                             else None, points=points, wrong=wrong)
    return result


def ratio(r):
    return r["ovs"]["value"] / r["weft"]["value"] if r["weft"]["value"] \
        else None


def cell(r, p):
    return "%.1f %s" % (p["value"], r["unit"])


def notes(p):
    return "; ".join("%s: %s" % (k, ", ".join(
        "%s %.4g" % (name, v) for name, v in point.items() if v is not None))
        for k, point in p["points"].items())
