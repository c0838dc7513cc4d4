#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side-by-side benchmark: testpmd / Open vSwitch with DPDK / Weft.

  bench.py --build DIR [--rows "A1 B3 ..."] [--repeat N] [--seconds S]
           [--history FILE] [--peers testpmd,ovs,weft] [--quick]

One forwarding core; the figure is TSC cycles of the forwarding thread per
packet that was delivered right (on-CPU time from the scheduler x TSC
frequency / packets), generator and sink included, the same for all three.
Peers take turns within each repetition; the first tries each of Open vSwitch's
settings, the others repeat its best one; medians are printed, ratios are
Open vSwitch / Weft.  A row whose delivered packets are wrong does not count.
Each row is appended to the history, from which bench_report.py makes the
report.  Reserves huge pages for the run and gives them back."""
import argparse
import os
import shutil
import signal
import sys
import time

import bench_control
import bench_history
import bench_latency
import bench_memory
import bench_rows
import bench_taps
from bench_ovs import PROGRAM
from bench_run import PEERS, Bench

# Rows that are not cycles per packet: each module has ROWS, run_row() and
# words for its results.
OTHERS = (bench_control, bench_memory, bench_latency, bench_taps)
ALL = list(bench_rows.ROWS) + [name for m in OTHERS for name in m.ROWS]


def select(words):
    """Row names for the words of ROWS= (a row, a letter, an alias, "all");
    ValueError names a bad one."""
    chosen = []
    for word in words:
        names = (ALL if word == "all" else
                 [n for n in ALL if n[0] == word] if len(word) == 1 else
                 bench_rows.ALIASES.get(word, [word]))
        for one in names:
            if one not in ALL and one not in bench_rows.SWEEP_ROWS:
                raise ValueError("no row %s (there are %s, %s and all)" % (
                    one, " ".join(ALL), " ".join(bench_rows.ALIASES)))
            chosen.append(one)
    return list(dict.fromkeys(chosen))


def module_of(name):
    for m in OTHERS:
        if name in m.ROWS:
            return m
    return None


def ratio(r):
    """Open vSwitch's cost over Weft's; None: one of them has none."""
    o, w = r.get("ovs"), r.get("weft")
    if not o or not w or o["wrong"] or w["wrong"]:
        return None
    m = module_of(r["row"])
    return m.ratio(r) if m else o["cycles"] / w["cycles"]


def cell(r, name):
    p = r.get(name)
    if not p:
        return "-"
    if p["wrong"]:
        return "WRONG"
    m = module_of(r["row"])
    return m.cell(r, p) if m else "%.0f (%.0f-%.0f)" % (p["cycles"], p["low"],
                                                        p["high"])


def print_row(r):
    q, weft = r["ratio"], r.get("weft", {})
    beyond = ("goal %s cycles" % r["goal_cycles"]
              if r.get("goal_cycles") and weft.get("cycles", 0)
              > r["goal_cycles"] else "")
    print("%-4s %-34s %-16s %-24s %-16s %8s %8s  %s %s" % (
        r["row"], r["title"], cell(r, "testpmd"), cell(r, "ovs"),
        cell(r, "weft"), "%.2fx" % q if q else "-",
        ">=%gx" % r["goal"] if r["goal"] else
        "<=%g" % r["own_goal"] if r.get("own_goal") is not None else "",
        r.get("ovs", {}).get("setting", ""), beyond), flush=True)
    for name in PEERS:
        if r.get(name, {}).get("wrong"):
            print("     %s: %s" % (name, r[name]["wrong"]))
    m = module_of(r["row"])
    for name in PEERS if m else ():
        if r.get(name) and m.notes(r[name]):
            print("     %s: %s" % (name, m.notes(r[name])))


def options():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=".")
    p.add_argument("--rows", default="all")
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--warmup", type=float, default=2)
    p.add_argument("--history", "--json", default="bench-history.jsonl",
                   help="file that each row's result is appended to")
    p.add_argument("--peers", default="testpmd,ovs,weft")
    p.add_argument("--quick", action="store_true",
                   help="Open vSwitch in its default setting only")
    p.add_argument("--profile", action="store_true",
                   help="sample Weft's worker with perf after the window")
    p.add_argument("--budget", type=float, default=float("inf"),
                   help="begin no row after so many seconds")
    p.add_argument("--known-best", metavar="HISTORY",
                   help="Open vSwitch in its best setting there")
    o = p.parse_args()
    o.peers = o.peers.split(",")
    return o


def check_programs(o):
    if o.profile and not shutil.which("perf"):
        sys.exit("bench.py: perf not found: apt-get install linux-perf")
    if os.geteuid():
        sys.exit("bench.py: needs root (namespaces, huge pages): use sudo")
    for peer, program, package in (
            ("testpmd", "dpdk-testpmd", "dpdk-dev"),
            ("ovs", PROGRAM, "openvswitch-switch-dpdk"),
            ("weft", "ovs-ofctl", "openvswitch-switch")):
        if peer in o.peers and not shutil.which(program):
            sys.exit("bench.py: %s not found: apt-get install %s" % (program,
                                                                     package))


def run_row(bench, name, o):
    m = module_of(name)
    if m:
        return m.run_row(bench, name, o.peers)
    row = bench_rows.ROWS.get(name) or bench_rows.SWEEP_ROWS[name]
    known = (bench_history.best_setting(o.known_best, name) if o.known_best
             else None)
    return bench.packet_row(name, row, known)


def main():
    o = options()
    check_programs(o)
    # Ended from outside: what was started is stopped all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench.py: ended"))
    try:
        rows = select(o.rows.replace(",", " ").split())
    except ValueError as e:
        sys.exit("bench.py: %s" % e)
    with Bench(o) as bench:
        print("TSC cycles per delivered packet, median of %d x %g s "
              "(lowest-highest); TSC %.0f MHz" % (o.repeat, o.seconds,
                                                  bench.hz / 1e6))
        print("%-4s %-34s %-16s %-24s %-16s %8s %8s  %s" % (
            "row", "workload", "testpmd", "Open vSwitch (best)", "Weft",
            "ratio", "goal", "its setting"))
        begun = time.monotonic()
        for name in rows:
            if time.monotonic() - begun > o.budget:
                print("not begun: " + " ".join(rows[rows.index(name):]))
                break
            r = run_row(bench, name, o)
            r["ratio"] = ratio(r)
            print_row(r)
            bench_history.append(o.history, bench, r)
    print("appended to %s" % o.history)


if __name__ == "__main__":
    main()
