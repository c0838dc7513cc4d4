# SPDX-License-Identifier: Apache-2.0
"""Row T1: TCP between two VMs' taps on one host, default kernel settings.
The bytes' rightness is the system tests' matter (test_taps.py)."""
import json
import statistics
import subprocess
import time

from bench_peers import run
from bench_run import PEERS

ROWS = {"T1": dict(title="TCP, tap to tap, Gbit/s", goal=2.0)}


def tap_run(bench, name):
    peer = PEERS[name](bench, None)
    vms = ["%s-%s" % (bench.ns, n) for n in "ab"]
    try:
        for vm in vms:
            run("ip", "netns", "add", vm)
        peer.start(PEERS[name].settings[0])
        peer.taps(vms)
        for n, vm in enumerate(vms, 1):
            for words in (("addr", "add", "10.0.0.%d/24" % n, "dev",
                           "bt%d" % n), ("link", "set", "bt%d" % n, "up")):
                run("ip", "-n", vm, *words)
        server = subprocess.Popen(
            ["ip", "netns", "exec", vms[1], "iperf3", "-s", "-1"],
            stdout=subprocess.DEVNULL)
        time.sleep(1)
        out = json.loads(run("ip", "netns", "exec", vms[0], "iperf3", "-c",
                             "10.0.0.2", "-t", str(int(bench.o.seconds) + 2),
                             "-J"))
        server.wait(10)
        return out["end"]["sum_received"]["bits_per_second"] / 1e9
    finally:
        peer.stop()
        for vm in vms:
            run("ip", "netns", "del", vm, check=False)


def run_row(bench, name, peers):
    result = dict(row=name, unit="Gbit/s", **ROWS[name])
    rates = {p: [] for p in peers if p != "testpmd"}
    for _ in range(bench.o.repeat):
        for p, values in rates.items():
            values.append(tap_run(bench, p))
    for p, values in rates.items():
        result[p] = dict(value=statistics.median(values), wrong=None)
    return result


def ratio(r):
    return r["weft"]["value"] / r["ovs"]["value"]


def cell(r, p):
    return "%.2f" % p["value"]


def notes(p):
    return ""
