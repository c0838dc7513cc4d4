# SPDX-License-Identifier: Apache-2.0
"""The history of benchmark results: one line of JSON per row and run, with
when, what and where."""
import json
import os
import platform
import subprocess
import time

from bench_ovs import PROGRAM


def said(*cmd):
    """First line that a program prints; "" if it cannot."""
    try:
        out = subprocess.run(cmd, capture_output=True, text=True).stdout
    except OSError:
        return ""
    return out.splitlines()[0].strip() if out.strip() else ""


def processor():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def command(o):
    """What makes such a figure again; without the names of files."""
    words = ["--repeat %d" % o.repeat, "--seconds %g" % o.seconds,
             "--warmup %g" % o.warmup, "--peers " + ",".join(o.peers)]
    if o.quick:
        words.append("--quick")
    if o.known_best:
        words.append("--known-best HISTORY")
    return 'make bench ROWS="..." REPEAT=%d BENCH_FLAGS="%s"' % (
        o.repeat, " ".join(words[1:]))


def conditions(bench):
    top = os.path.dirname(os.path.abspath(__file__))
    return dict(
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        commit=said("git", "-C", top, "rev-parse", "--short", "HEAD"),
        machine="%s, %d cores" % (processor(), os.cpu_count()),
        kernel=platform.release(), tsc_hz=bench.hz,
        versions=dict(
            weft=said(os.path.join(bench.build, "weftd"), "--version"),
            ovs=said(PROGRAM, "--version"),
            dpdk=said("pkg-config", "--modversion", "libdpdk")),
        command=command(bench.o),
        repeat=bench.o.repeat, seconds=bench.o.seconds)


def append(path, bench, r):
    with open(path, "a") as f:
        f.write(json.dumps(dict(r, **conditions(bench))) + "\n")


def read(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def best_setting(path, row):
    """Open vSwitch's setting in the row's last run; None: it has none."""
    for r in reversed(read(path)):
        if r["row"] == row and r.get("ovs") and not r["ovs"]["wrong"]:
            return r["ovs"].get("setting")
    return None
