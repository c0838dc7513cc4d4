# SPDX-License-Identifier: Apache-2.0
"""Rows H: memory.  Resident memory as the kernel counts it; huge pages, which
hold the packet buffers of both switches, are not in it.  H2 is a row of
bench_control.py."""
import os
import re
import statistics
import time

import bench_rows
from bench_control import blast
from bench_peers import PeerError
from bench_run import PEERS, rss_kib

FLOWS = 1 << 20
NO_RULES = bench_rows.row("", list)


def million(v6):
    rules = (bench_rows.five_tuple_rules(1024) if not v6
             else bench_rows.exact_rules(range(1024), True)
             + ["priority=1,udp6,in_port=1,actions=output:2"])
    return bench_rows.row("", rules, flows=FLOWS, pairs=1024, v6=v6)


def cached_flows(peer):
    if peer.name == "weft":
        return sum(w["cache"]["entries"]
                   for w in peer.dump("workers")["workers"])
    found = re.search(r"flows: (\d+)", peer.appctl("dpctl/show"))
    return int(found.group(1)) if found else 0


def per_flow(bench, r, name):
    """Bytes per cached flow: what the same process grows by when, instead of
    one, a million flows come in."""
    peer = start(bench, name, million(r["v6"]))
    try:
        peer.write_control(active=1)
        time.sleep(2)
        before, flows_before = rss_kib(peer.main_pid()), cached_flows(peer)
        peer.write_control(active=0)
        time.sleep(r["seconds"])
        grown = rss_kib(peer.main_pid()) - before
        flows = cached_flows(peer) - flows_before
    finally:
        peer.stop()
    if flows < r["least"]:
        raise PeerError("only %d flows cached" % flows)
    return grown * 1024 / flows, dict(flows=flows)


def resting(bench, r, name):
    peer = start(bench, name, NO_RULES)
    try:
        time.sleep(2)
        return rss_kib(peer.main_pid()) / 1024, {}
    finally:
        peer.stop()


def replacing(bench, r, name):
    """Peak while a bundle replaces all rules, over the rest afterwards."""
    peer = start(bench, name, None)
    try:
        out = blast(bench, peer, 1, "replace", r["n"])
        time.sleep(3)  # For what is freed after a grace period.
        pid = peer.main_pid()
        peak, rest = rss_kib(pid, "VmHWM"), rss_kib(pid)
    finally:
        peer.stop()
    if out["errors"] or out["flows"] != r["n"]:
        raise PeerError("%d errors, %d flows" % (out["errors"], out["flows"]))
    return peak / rest, dict(seconds=out["seconds"], peak_mib=peak / 1024)


def churning(bench, r, name):
    """Growth of resident memory in % from the first round to the last."""
    peer = start(bench, name, None)
    try:
        n = r["n"] if name == "weft" else r["n"] // 10
        blast(bench, peer, 1, "churn", n // 10)
        time.sleep(1)
        before = rss_kib(peer.main_pid())
        out = blast(bench, peer, 1, "churn", n)
        time.sleep(1)
        after = rss_kib(peer.main_pid())
    finally:
        peer.stop()
    if out["errors"] or out["flows"]:
        raise PeerError("%d errors, %d flows left" % (out["errors"],
                                                      out["flows"]))
    return 100 * (after - before) / before, dict(
        mods=n, per_second=out["per_second"], rss_mib=after / 1024)


# goal: Weft's own value, in 'unit'.
ROWS = {
    "H1": dict(title="bytes per cached IPv4 flow, 1M", run=per_flow, v6=0,
               unit="B", own_goal=80, seconds=8, least=100000),
    "H1s": dict(title="bytes per cached IPv6 flow, 1M", run=per_flow, v6=1,
                unit="B", own_goal=144, seconds=8, least=100000),
    "H3": dict(title="resident, no rules, 2 ports", run=resting, unit="MiB",
               own_goal=40),
    "H4": dict(title="peak / rest, 1M rules replaced", run=replacing,
               unit="x", own_goal=1.5, n=1000000),
    "H5": dict(title="growth by 10M flow-mods", run=churning, unit="%",
               own_goal=2, n=10000000),
}


def start(bench, name, row):
    peer = PEERS[name](bench, row)
    setting = PEERS[name].settings[0]
    try:
        peer.start(("no-poll",) if name == "weft" and not row else setting)
        os.sched_setaffinity(peer.main_pid(), {0})  # This thread only.
    except Exception:
        peer.stop()
        raise
    return peer


def run_row(bench, name, peers):
    r = ROWS[name]
    result = dict(row=name, title=r["title"], unit=r["unit"], goal=None,
                  own_goal=r["own_goal"])
    for p in peers:
        if p == "testpmd":
            continue
        values, notes, wrong = [], {}, None
        for _ in range(bench.o.repeat):
            try:
                value, notes = r["run"](bench, r, p)
                values.append(value)
            except PeerError as e:
                wrong = str(e)
        result[p] = dict(value=statistics.median(values) if values else None,
                         notes=notes, wrong=wrong)
    return result


def ratio(r):
    if r["unit"] == "%" or not r["weft"]["value"]:
        return None
    return r["ovs"]["value"] / r["weft"]["value"]


def cell(r, p):
    return "%.1f %s" % (p["value"], r["unit"])


WORDS = {"flows": "%d flows", "seconds": "%.1f s", "peak_mib": "peak %d MiB",
         "mods": "%d flow-mods", "per_second": "%.0f/s",
         "rss_mib": "%d MiB at the end"}


def notes(p):
    return ", ".join(WORDS[k] % v for k, v in p["notes"].items())
