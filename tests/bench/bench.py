#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side-by-side benchmark: testpmd / Open vSwitch with DPDK / Weft.

  bench.py --build DIR [--rows "A1 B3 ..."] [--repeat N] [--seconds S]
           [--json FILE] [--peers testpmd,ovs,weft] [--quick]

One forwarding core; the figure is TSC cycles of the forwarding thread per
packet that was delivered right (on-CPU time from the scheduler x TSC
frequency / packets), generator and sink included, the same for all three.
Peers take turns within each repetition; the first tries each of Open vSwitch's
settings, the others repeat its best one; medians are printed, ratios are
Open vSwitch / Weft.  A row whose delivered packets are wrong
does not count.  Reserves huge pages for the run and gives them back."""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import bench_control
import bench_rows
import bench_rules
from bench_peers import OVS, Ovs, PeerError, Testpmd, Weft, run

HUGE = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
HUGE_PAGES = 1400
STATS = ("offered", "delivered", "checked", "wrong", "victim_offered",
         "victim_delivered", "other")
PEERS = {"testpmd": Testpmd, "ovs": Ovs, "weft": Weft}


def tsc_hz():
    """From the kernel's log, else the processor's nominal frequency."""
    log = subprocess.run(["dmesg"], capture_output=True, text=True).stdout
    m = re.findall(r"tsc: (?:Detected|Refined TSC clocksource calibration:)"
                   r"\s+([\d.]+) MHz", log)
    if not m:
        with open("/proc/cpuinfo") as f:
            m = re.findall(r"cpu MHz\s*:\s*([\d.]+)", f.read())
    return float(m[-1]) * 1e6


class Bench:
    def __init__(self, opts):
        self.o = opts
        self.build = os.path.abspath(opts.build)
        self.hz = tsc_hz()
        self.ns = "weftbench%d" % os.getpid()
        self.netns = ["ip", "netns", "exec", self.ns]
        self.huge_before = None
        self.traced = None

    def __enter__(self):
        # EAL refuses plugins from folders that others may write to.
        self.dir = tempfile.mkdtemp(prefix="weft-bench-", dir="/run")
        self.plugin = os.path.join(self.dir, "gen_plugin.so")
        shutil.copy(os.path.join(self.build, "tests/bench/gen_plugin.so"),
                    self.plugin)
        with open(HUGE) as f:
            self.huge_before = int(f.read())
        if self.huge_before < HUGE_PAGES:
            print("reserving %d huge pages of 2 MiB for the run" % HUGE_PAGES)
            with open(HUGE, "w") as f:
                f.write(str(HUGE_PAGES))
            with open(HUGE) as f:
                got = int(f.read())
            if got < HUGE_PAGES:
                raise PeerError("only %d of %d huge pages could be reserved: "
                                "free memory and try again" % (got,
                                                               HUGE_PAGES))
        run("ip", "netns", "add", self.ns)
        run(*self.netns, "ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *exc):
        run("ip", "netns", "del", self.ns, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self.huge_before is not None:
            with open(HUGE, "w") as f:
                f.write(str(self.huge_before))
            print("huge pages given back (%d as before)" % self.huge_before)

    def trace(self, row):
        """File with the row's packets, written once."""
        path = os.path.join(self.dir, "trace")
        if self.traced is not row:
            bench_rules.write_flows(path, row["trace"]())
            self.traced = row
        return path

    def read_stats(self, peer):
        with open(peer.stats, "rb") as f:
            return dict(zip(STATS, struct.unpack("<7Q", f.read(56))))

    def delivered(self, peer):
        return self.read_stats(peer)["delivered"] > 0

    @staticmethod
    def real_pid(proc):
        """'ip netns exec' replaces itself by the program."""
        return proc.pid

    @staticmethod
    def on_cpu_ns(task):
        with open(task + "/schedstat") as f:
            return int(f.read().split()[0])

    def measure(self, peer):
        """One window; cycles per packet and what is wrong, if anything."""
        task = peer.worker()
        time.sleep(max(self.o.warmup, peer.row["warmup"]))
        a, cpu_a, t_a = (self.read_stats(peer), self.on_cpu_ns(task),
                         time.monotonic())
        time.sleep(self.o.seconds)
        b, cpu_b, t_b = (self.read_stats(peer), self.on_cpu_ns(task),
                         time.monotonic())
        d = {k: b[k] - a[k] for k in STATS}
        victim = peer.row["victim"]
        drop = peer.row["drop"] and peer.name != "testpmd"
        packets = d["offered" if drop else
                    "victim_delivered" if victim else "delivered"]
        wrong = None
        if not packets:
            wrong = "nothing offered" if drop else "nothing delivered"
        elif drop and d["delivered"]:
            wrong = "%d delivered that were to be dropped" % d["delivered"]
        elif d["wrong"]:
            wrong = "%d of %d checked frames wrong" % (d["wrong"],
                                                       d["checked"])
        return dict(cycles=(cpu_b - cpu_a) / 1e9 * self.hz / max(packets, 1),
                    mpps=packets / (t_b - t_a) / 1e6, wrong=wrong,
                    lost=1 - packets / max(1, d["victim_offered" if victim
                                               else "offered"]))

    def one(self, name, row, setting):
        peer = PEERS[name](self, row)
        try:
            peer.start(setting)
            return self.measure(peer)
        finally:
            peer.stop()

    @staticmethod
    def cost(runs):
        return (any(r["wrong"] for r in runs), runs[0]["cycles"])

    def packet_row(self, row_name):
        row = bench_rows.ROWS[row_name]
        got = {}
        settings = {n: PEERS[n].settings[:1] if self.o.quick
                    else PEERS[n].settings for n in self.o.peers}
        for _ in range(self.o.repeat):
            for name in self.o.peers:
                for setting in settings[name]:
                    key = (name, setting[0] if setting else "")
                    try:
                        r = self.one(name, row, setting)
                    except PeerError as e:
                        r = dict(cycles=float("inf"), mpps=0, lost=1,
                                 wrong=str(e))
                    got.setdefault(key, []).append(r)
            # The first turn has found each peer's best setting.
            settings = {n: [min(settings[n], key=lambda s: self.cost(
                got[n, s[0] if s else ""]))] for n in self.o.peers}
        got = {k: v for k, v in got.items() if len(v) == self.o.repeat}
        out = {}
        for (name, setting), runs in got.items():
            cycles = [r["cycles"] for r in runs]
            wrong = [r["wrong"] for r in runs if r["wrong"]]
            one = dict(setting=setting, cycles=statistics.median(cycles),
                       low=min(cycles), high=max(cycles),
                       mpps=statistics.median(r["mpps"] for r in runs),
                       lost=statistics.median(r["lost"] for r in runs),
                       wrong=wrong[0] if wrong else None)
            best = out.get(name)
            if not best or (one["wrong"] is None, -one["cycles"]) > (
                    best["wrong"] is None, -best["cycles"]):
                out[name] = one
        return dict(row=row_name, title=row["title"], goal=row["goal"], **out)

    def rss_kib(self, pid):
        with open("/proc/%d/status" % pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def tap_run(self, name):
        """iperf3 between two taps; the bytes' rightness is the system
        tests' matter (test_taps.py)."""
        peer = PEERS[name](self, None)
        vms = ["%s-%s" % (self.ns, n) for n in "ab"]
        try:
            for vm in vms:
                run("ip", "netns", "add", vm)
            peer.start(("default",))
            peer.taps(vms)
            for n, vm in enumerate(vms, 1):
                for words in (("addr", "add", "10.0.0.%d/24" % n, "dev",
                               "bt%d" % n), ("link", "set", "bt%d" % n, "up")):
                    run("ip", "-n", vm, *words)
            server = subprocess.Popen(
                ["ip", "netns", "exec", vms[1], "iperf3", "-s", "-1"],
                stdout=subprocess.DEVNULL)
            time.sleep(1)
            out = json.loads(run("ip", "netns", "exec", vms[0], "iperf3",
                                 "-c", "10.0.0.2", "-t",
                                 str(int(self.o.seconds) + 2), "-J"))
            server.wait(10)
            return dict(gbps=out["end"]["sum_received"]["bits_per_second"]
                        / 1e9)
        finally:
            peer.stop()
            for vm in vms:
                run("ip", "netns", "del", vm, check=False)

    def tap_row(self):
        result = dict(row="T1", title="TCP, tap to tap, Gbit/s",
                      goal=bench_rows.TAP_GOAL)
        runs = {}
        for _ in range(self.o.repeat):
            for name in self.o.peers:
                if name != "testpmd":
                    runs.setdefault(name, []).append(
                        self.tap_run(name)["gbps"])
        for name, rates in runs.items():
            result[name] = dict(gbps=statistics.median(rates), wrong=None)
        return result


def ratio(r):
    if "ovs" not in r or "weft" not in r:
        return None
    o, w = r["ovs"], r["weft"]
    if w["wrong"] or o["wrong"]:
        return None
    if r["row"] in bench_control.ROWS:
        return bench_control.ratio(r)
    if r["row"] == "T1":
        return w["gbps"] / o["gbps"]
    return o["cycles"] / w["cycles"]


def cell(r, name):
    p = r.get(name)
    if not p:
        return "-"
    if p["wrong"]:
        return "WRONG"
    if r["row"] in bench_control.ROWS:
        return bench_control.cell(p, r["unit"])
    if r["row"] == "T1":
        return "%.2f" % p["gbps"]
    return "%.0f (%.0f-%.0f)" % (p["cycles"], p["low"], p["high"])


def print_row(r):
    q = ratio(r)
    print("%-4s %-32s %-16s %-24s %-16s %8s %8s  %s" % (
        r["row"], r["title"], cell(r, "testpmd"), cell(r, "ovs"),
        cell(r, "weft"), "%.2fx" % q if q else "-", ">=%gx" % r["goal"],
        r.get("ovs", {}).get("setting", "")), flush=True)
    for name in PEERS:
        if r.get(name, {}).get("wrong"):
            print("     %s: %s" % (name, r[name]["wrong"]))
    for name in ("ovs", "weft"):
        if r["row"] in bench_control.ROWS and r.get(name, {}).get("notes"):
            print("     %s: %s" % (name, bench_control.notes(r[name])))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default=".")
    p.add_argument("--rows", default=" ".join(bench_rows.ALL))
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--warmup", type=float, default=2)
    p.add_argument("--json", default="bench.json")
    p.add_argument("--peers", default="testpmd,ovs,weft")
    p.add_argument("--quick", action="store_true",
                   help="Open vSwitch in its default setting only")
    o = p.parse_args()
    o.peers = o.peers.split(",")
    if os.geteuid():
        sys.exit("bench.py: needs root (namespaces, huge pages): use sudo")
    for peer, program, package in (
            ("testpmd", "dpdk-testpmd", "dpdk-dev"),
            ("ovs", OVS, "openvswitch-switch-dpdk"),
            ("weft", "ovs-ofctl", "openvswitch-switch")):
        if peer in o.peers and not shutil.which(program):
            sys.exit("bench.py: %s not found: apt-get install %s" % (program,
                                                                     package))
    try:
        rows = bench_rows.select(o.rows.replace(",", " ").split())
    except ValueError as e:
        sys.exit("bench.py: %s" % e)
    results = []
    with Bench(o) as bench:
        control = bench_control.Control(bench, PEERS)
        print("TSC cycles per delivered packet, median of %d x %g s "
              "(lowest-highest); TSC %.0f MHz" % (o.repeat, o.seconds,
                                                  bench.hz / 1e6))
        print("%-4s %-32s %-16s %-24s %-16s %8s %8s  %s" % (
            "row", "workload", "testpmd", "Open vSwitch (best)", "Weft",
            "ratio", "goal", "its setting"))
        for name in rows:
            r = (control.run_row(name, [p for p in o.peers if p != "testpmd"],
                                 o.repeat)
                 if name in bench_control.ROWS
                 else bench.tap_row() if name == "T1"
                 else bench.packet_row(name))
            r["ratio"] = ratio(r)
            results.append(r)
            print_row(r)
    with open(o.json, "w") as f:
        json.dump(dict(machine=platform.processor() or platform.machine(),
                       kernel=platform.release(), tsc_hz=bench.hz,
                       repeat=o.repeat, seconds=o.seconds, rows=results), f,
                  indent=1)
    print("written to %s" % o.json)


if __name__ == "__main__":
    main()
