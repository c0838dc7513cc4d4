#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs OpenFlow conformance cases against Weft and, beside it, Open vSwitch.

  conform.py [--of 1.3]... [--target weft --target ovs] [--settle S] CASES...

CASES are folders or files: cases of os-ken's (Ryu's) switch tester (JSON),
flattened cases (JSON lines with "setup" and "steps"), byte vectors (JSON lines
with "hex", or a folder like tests/ofproto/vectors/of15) which are replayed, with
--fuzz N mutated copies of each.  Prints a table: per group what each switch passed, then Weft's failures by name.  Exit
code 0: the first target passed all; 1: not; 2: could not run.  README.md has the
formats."""
import argparse
import collections
import json
import os
import random
import re
import struct
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import bed  # noqa: E402
import cases  # noqa: E402
import runner  # noqa: E402

SETTLE = {"weft": 0.0, "ovs": 0.15}  # Open vSwitch's datapath lags.


def is_vectors(path):
    if os.path.isdir(path):
        return any(x.endswith(".data") for x in os.listdir(path))
    if not path.endswith(".jsonl"):
        return False
    with open(path) as f:
        return "hex" in json.loads(f.readline())


def versions_of(path, wanted):
    """The versions to run a path's cases with: as asked for, else from a
    folder's name (of13), else what the file says, else 1.3."""
    if wanted:
        return wanted
    named = re.findall(r"(?:^|/)(?:of|bad)(1[0345])(?:/|$|[^0-9])",
                       os.path.abspath(path))
    if named:
        return ["%s.%s" % (named[-1][0], named[-1][1])]
    if os.path.isfile(path) and path.endswith(".jsonl"):
        with open(path) as f:
            return sorted({json.loads(x).get("of", "1.3") for x in f}
                          & set(bed.NAMES))
    if os.path.abspath(path) == os.path.join(HERE, "cases"):
        return ["1.3", "1.4", "1.5"]
    return ["1.3"]


def mutated(message, rnd):
    """A copy with something broken inside; the outer length is right."""
    b = bytearray(message)
    how = rnd.choice(("cut", "append", "flip", "length"))
    if how == "cut" and len(b) > 9:
        del b[rnd.randrange(8, len(b)):]
    elif how == "append":
        b += rnd.randbytes(rnd.randrange(1, 33))
    elif how == "flip" and len(b) > 8:
        for _ in range(rnd.randrange(1, 5)):
            b[rnd.randrange(8, len(b))] ^= 1 << rnd.randrange(8)
    elif len(b) > 11:
        at = rnd.randrange(8, len(b) - 1) & ~1
        struct.pack_into(">H", b, at, rnd.choice(
            (0, 1, 4, 7, 8, 12, 0x7fff, 0xfff8, 0xffff)))
    struct.pack_into(">H", b, 2, len(b))
    return bytes(b)


class Result:
    """What one target made of one list of cases."""

    def __init__(self, target, version):
        self.target, self.version = target, version
        self.groups = collections.OrderedDict()  # Name -> [passed, total].
        self.failures, self.answers = [], {}
        self.seconds, self.died = 0.0, ""

    def add(self, group, name, text, why):
        n = self.groups.setdefault(group, [0, 0])
        n[0] += not why
        n[1] += 1
        if why:
            self.failures.append((group, name, text, why))


def run_cases(target, version, todo, settle):
    r, started = Result(target, version), time.monotonic()
    if settle is None:
        settle = SETTLE.get(target, 0.0)
    with bed.Bed(target, version) as b:
        judge = runner.Judge(b, settle)
        for i, c in enumerate(todo):
            r.add(c.group, c.name, c.text, judge.run_case(c))
            progress(target, version, i + 1, len(todo), r)
        if not b.alive():
            r.died = b.log()
    r.seconds = time.monotonic() - started
    return r


def run_vectors(target, version, vectors, fuzz, seed):
    r, started = Result(target, version), time.monotonic()
    rnd = random.Random(seed)
    with bed.Bed(target, version) as b:
        judge = runner.Judge(b, 0)
        for i, (name, message) in enumerate(vectors):
            for k in range(1 + fuzz):
                m = mutated(message, rnd) if k else message
                got, stands = judge.run_vector(m)
                full = "%s~%d" % (name, k) if k else name
                r.add("mutated" if k else "vector", full, m.hex(),
                      "" if stands else got)
                r.answers[full] = got
            progress(target, version, i + 1, len(vectors), r)
            if not stands and not b.alive():
                break
        if not b.alive():
            r.died = b.log() or "?"
    r.seconds = time.monotonic() - started
    return r


def progress(target, version, n, total, r):
    if sys.stderr.isatty() or n == total:
        sys.stderr.write("%s%s %s: %d of %d, %d failed%s" % (
            "\r" if sys.stderr.isatty() else "", target, version, n, total,
            len(r.failures), "\n" if n == total else ""))
        sys.stderr.flush()


def show(path, results, full):
    """The table of one run, all targets beside each other."""
    print("%s, OpenFlow %s" % (path, results[0].version))
    groups = sorted({g for r in results for g in r.groups})
    print("  %-16s" % "group" + "".join("%16s" % r.target for r in results))
    for g in groups + ["all"]:
        cells = ""
        for r in results:
            passed, total = r.groups.get(g, (0, 0)) if g != "all" else (
                sum(n[0] for n in r.groups.values()),
                sum(n[1] for n in r.groups.values()))
            cells += "%16s" % ("%d/%d" % (passed, total))
        print("  %-16s" % g + cells)
    print("  %-16s" % "seconds" + "".join("%16.0f" % r.seconds
                                          for r in results))
    for r in results if full else results[:1]:
        for group, name, text, why in r.failures:
            print("  FAIL %s %s %s [%s]: %s" % (r.target, group, name, text,
                                                why[:300]))
    for r in results:
        if r.died:
            print("  %s DIED in this run:\n%s" % (r.target, r.died))
    if len(results) > 1 and results[0].answers:
        a, b = results[0].answers, results[1].answers
        for name in a:
            if "~" not in name and name in b and a[name] != b[name]:
                print("  answers differ: %s: %s: %s; %s: %s" % (
                    name, results[0].target, a[name], results[1].target,
                    b[name]))
    sys.stdout.flush()


def run_path(path, o):
    """True when the first target passed all."""
    good = True
    for version in versions_of(path, o.of):
        if is_vectors(path):
            todo = [v for v in cases.vectors(path, version)
                    if not o.only or o.only in v[0]]
            run = [lambda t, v=version, c=todo: run_vectors(
                t, v, c, o.fuzz, o.seed)]
        else:
            todo = [c for c in cases.load(path, version)
                    if not o.only or o.only in c.name or o.only == c.group]
            if o.rates_off:
                todo = [c for c in todo if all(s["expect"] != "rate"
                                               for s in c.steps)]
            run = [lambda t, v=version, c=todo: run_cases(t, v, c, o.settle)]
        if not todo:
            print("%s: no cases for OpenFlow %s" % (path, version))
            continue
        results = [run[0](t) for t in o.target or ["weft", "ovs"]]
        show(path, results, o.all_failures)
        if o.json:
            with open(o.json, "a") as f:
                for r in results:
                    json.dump(vars(r), f)
                    f.write("\n")
        good = good and not results[0].failures and not results[0].died
    return good


def main():
    ap = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="The formats of cases: README.md beside this program.")
    ap.add_argument("cases", nargs="*", default=[os.path.join(HERE, "cases")])
    ap.add_argument("--of", action="append", choices=sorted(bed.NAMES))
    ap.add_argument("--target", action="append",
                    help="weft, ovs or a hook script (default: both)")
    ap.add_argument("--settle", type=float,
                    help="seconds between barrier reply and packet "
                    "(default: weft 0, ovs 0.15)")
    ap.add_argument("--only", help="cases whose name contains this, or a "
                    "group")
    ap.add_argument("--rates-off", action="store_true",
                    help="leave cases that measure a rate out (30 s each)")
    ap.add_argument("--fuzz", type=int, default=0,
                    help="mutated copies of each byte vector")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--all-failures", action="store_true",
                    help="list those of the peers too")
    ap.add_argument("--json", help="append the results to this file")
    o = ap.parse_args()
    if os.geteuid():
        print("conform.py: needs root (network namespaces)", file=sys.stderr)
        return 2
    return 0 if all([run_path(p, o) for p in o.cases]) else 1


if __name__ == "__main__":
    sys.exit(main())
