#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the performance report from the benchmark's history.

  bench_report.py [--history FILE] [--out FOLDER]

Writes FOLDER/README.md and plots beside it.  Of each row the last result
with all peers counts.  FOLDER/remarks.md, if there, is put in as it is: what
no figure says (where the time goes, what was tried)."""
import argparse
import os

import bench
import bench_history
import bench_rows
import bench_svg

NAMES = {"testpmd": "testpmd", "ovs": "Open vSwitch", "weft": "Weft"}
HEAD = """# Performance

%(when)s, Weft commit %(commit)s. %(machine)s; Linux %(kernel)s, TSC %(mhz).0f
MHz; %(versions)s.

Made by `make bench-report` from [history.jsonl](history.jsonl), one line per
run of a row, with commit, versions and command. How rows are measured is in
[ARCHITECTURE.md](../../ARCHITECTURE.md#benchmark): cycles are TSC cycles of
the forwarding thread per packet delivered right, generator and sink included;
"own" is without what testpmd needs for the same frames, "of I/O" is testpmd's
share of Weft's cycles. Each figure is the median of the turns; the spread is
in brackets. Open vSwitch runs in the best of four settings of its caches.
A "~" marks a window in which the kernel took the core away more than 50 times
a second.
"""


def latest(history):
    """{row: result}: the last with Open vSwitch and Weft, else the last."""
    out = {}
    for r in history:
        whole = all(r.get(p) for p in ("ovs", "weft"))
        had = out.get(r["row"])
        if whole or not had or not all(had.get(p) for p in ("ovs", "weft")):
            out[r["row"]] = r
    return out


SWITCHES = 50  # Involuntary ones a second that make a window doubtful.


def figure(p):
    if p and not p["wrong"] and p["switches"] > SWITCHES:
        return "~" + plain_figure(p)
    return plain_figure(p)


def plain_figure(p):
    if not p:
        return "-"
    if p["wrong"]:
        return "wrong"
    if p["runs"] == 1:
        return "{:,.0f}".format(p["cycles"])
    return "{:,.0f} ({:,.0f}-{:,.0f})".format(p["cycles"], p["low"], p["high"])


def relative_goal(r, results):
    """Cycles that the row may take given another row's; None: no such."""
    row = bench_rows.ROWS.get(r["row"])
    if not row or not row["within"]:
        return None
    other, factor, more = row["within"]
    return (results[other]["weft"]["cycles"] * factor + more
            if good(results.get(other), "weft") else None)


def verdict(r, results):
    """What was asked and how far off it is; "" if all is met."""
    missed, w = [], r.get("weft")
    if not w or w["wrong"]:
        return "no figure: %s" % (w["wrong"] if w else "not run")
    goal, q = r.get("goal_cycles"), r.get("ratio")
    goal = goal or relative_goal(r, results)
    if goal and w["cycles"] > goal:
        missed.append("%.0f cycles over %.0f" % (w["cycles"] - goal, goal))
    if r.get("goal") and not q:
        missed.append("not compared")
    elif r.get("goal") and round(q, 2) < r["goal"]:
        missed.append("ratio %.3g of %g" % (q, r["goal"]))
    own = r.get("own_goal")
    if own is not None and w["value"] > own:
        missed.append("%.3g over %g" % (w["value"] - own, own))
    return ", ".join(missed)


def times(q):
    return "{:,.0f}x".format(q) if q >= 100 else "%.3gx" % q


def asked_cycles(r, results):
    goal = relative_goal(r, results)
    if r["goal_cycles"] or not goal:
        return str(r["goal_cycles"] or "")
    other, factor, more = bench_rows.ROWS[r["row"]]["within"]
    return "%.0f (%s%s%s)" % (goal, "%gx " % factor if factor != 1 else "",
                              other, " + %g" % more if more else "")


def packet_table(rows, results):
    lines = ["| row | workload | testpmd | Open vSwitch | Weft | own | of I/O "
             "| ratio | asked | goal, cycles | missed by |",
             "|" + "---|" * 11]
    for r in rows:
        t, w = r.get("testpmd"), r.get("weft")
        both = t and w and not t["wrong"] and not w["wrong"]
        lines.append("| %s |" % " | ".join((
            r["row"], r["title"], figure(t), figure(r.get("ovs")), figure(w),
            "%.0f" % (w["cycles"] - t["cycles"]) if both else "-",
            "%.2f" % (t["cycles"] / w["cycles"]) if both else "-",
            times(r["ratio"]) if r["ratio"] else "-",
            "%gx" % r["goal"] if r["goal"] else "",
            asked_cycles(r, results), verdict(r, results))))
    return lines


def other_table(rows, results):
    lines = ["| row | what | Open vSwitch | Weft | ratio | asked | missed by "
             "| besides |", "|" + "---|" * 8]
    for r in rows:
        m = bench.module_of(r["row"])
        besides = ["%s: %s" % (NAMES[p], m.notes(r[p])) for p in NAMES
                   if r.get(p) and not r[p]["wrong"] and m.notes(r[p])]
        asked = ("%gx" % r["goal"] if r.get("goal") else
                 "%g %s" % (r["own_goal"], r["unit"])
                 if r.get("own_goal") is not None else "")
        lines.append("| %s |" % " | ".join((
            r["row"], r["title"], bench.cell(r, "ovs"), bench.cell(r, "weft"),
            times(r["ratio"]) if r["ratio"] else "-", asked,
            verdict(r, results),
            "<br>".join(besides))))
    return lines


def good(r, peer):
    return r and r.get(peer) and not r[peer]["wrong"]


def sweep_series(results, names, peers):
    """{peer, or peer and sweep: [(x, cycles)]}."""
    series = {}
    for name in names:
        for peer in peers:
            points = [(x, results[row][peer]["cycles"])
                      for row, x, _ in bench_rows.SWEEPS[name]
                      if good(results.get(row), peer)]
            if points:
                label = NAMES[peer] + (name.split(",")[1] if "," in name
                                       else "")
                series[label] = points
    return series


PLOTS = (
    ("flows", "Cycles against flows", "flows, exact 5-tuples, in turn",
     ("flows",), ("testpmd", "ovs", "weft"), True),
    ("rules", "Cycles against rules, every packet a new flow", "rules",
     ("rules, acl", "rules, fw", "rules, ipc"), ("ovs", "weft"), True),
    ("tables", "Cycles against tables, 10k flows", "tables of the pipeline",
     ("tables",), ("testpmd", "ovs", "weft"), False),
)


def write_plots(results, out):
    """Lines of the report that show them."""
    lines = []
    for name, title, x_name, sweeps, peers, log_x in PLOTS:
        series = sweep_series(results, sweeps, peers)
        if not series:
            continue
        with open(os.path.join(out, name + ".svg"), "w") as f:
            f.write(bench_svg.plot(title, x_name, "TSC cycles per packet",
                                   series, log_x))
        lines += ["", "![%s](%s.svg)" % (title, name)]
    return lines


def totals(rows, results):
    asked = [r for r in rows if r.get("goal") or r.get("own_goal") is not None]
    met = [r for r in asked if not verdict(r, results)]
    return "%d of %d rows meet all that is asked of them." % (len(met),
                                                              len(asked))


PROFILED = ("A1", "B3", "C3a", "E1", "E3")


def profiles(history):
    """Where Weft's worker spends its cycles, function by function."""
    last = {r["row"]: r for r in history
            if (r.get("weft") or {}).get("profile")}
    if not last:
        return []
    lines = ["", "## Where the cycles go", "",
             "Weft's worker, sampled by perf; cycles per packet. gen_rx and "
             "gen_tx are the generator and the sink.", ""]
    for name in PROFILED:
        if name in last:
            w = last[name]["weft"]
            parts = [(share * w["cycles"] / 100, symbol)
                     for share, symbol in w["profile"]]
            lines.append("* %s, %s (%.0f cycles): %s" % (
                name, last[name]["title"], w["cycles"], ", ".join(
                    "%s %.0f" % (symbol, cycles)
                    for cycles, symbol in parts if cycles >= 2)))
    return lines


def report(history, out):
    results = latest(history)
    rows = [results[name] for name in bench.ALL if name in results]
    last = max(history, key=lambda r: r["when"])
    lines = [HEAD % dict(
        last, mhz=last["tsc_hz"] / 1e6, versions=", ".join(
            "%s: %s" % v for v in last["versions"].items())), totals(rows, results), ""]
    lines += ["## Packets", ""]
    lines += packet_table([r for r in rows if r["row"] in bench_rows.ROWS],
                          results)
    lines += ["", "## Control plane, memory, latency", ""]
    lines += other_table([r for r in rows
                          if r["row"] not in bench_rows.ROWS], results)
    lines += ["", "## Growth"] + write_plots(results, out)
    lines += profiles(history)
    remarks = os.path.join(out, "remarks.md")
    if os.path.exists(remarks):
        with open(remarks) as f:
            lines += ["", f.read().rstrip()]
    lines += ["", "## Commands", "", "```"] + sorted(
        {"%s    # %s" % (r["command"], r["commit"])
         for r in results.values()}) + ["```"]
    with open(os.path.join(out, "README.md"), "w") as f:
        f.write("\n".join(lines) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--history", default="bench-history.jsonl")
    p.add_argument("--out", default="docs/performance")
    o = p.parse_args()
    history = bench_history.read(o.history)
    if not history:
        raise SystemExit("bench_report.py: %s: no results; run `make bench` "
                         "first" % o.history)
    os.makedirs(o.out, exist_ok=True)
    report(history, o.out)
    print("written to %s" % os.path.join(o.out, "README.md"))


if __name__ == "__main__":
    main()
