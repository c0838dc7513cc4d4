# SPDX-License-Identifier: Apache-2.0
"""What all rows need: huge pages, a namespace, the plugin, and the measuring
of one window."""
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import bench_rules
from bench_ovs import Ovs
from bench_peers import STATS, PeerError, run
from bench_testpmd import Testpmd
from bench_weft import Weft

HUGE = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
HUGE_PAGES = 1400
# Seconds after which each has surely seen all flows of a row.
WARMUPS = {"testpmd": 0, "ovs": 8, "weft": 4}
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


def rss_kib(pid, what="VmRSS"):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(what + r":\s+(\d+)", f.read()).group(1))


def on_cpu_ns(task):
    with open(task + "/schedstat") as f:
        return int(f.read().split()[0])


def switches(task):
    """Involuntary context switches."""
    with open(task + "/status") as f:
        return int(re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)",
                             f.read()).group(1))


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
        if self.traced is not row["trace"]:
            bench_rules.write_flows(path, row["trace"]())
            self.traced = row["trace"]
        return path

    def ofblast(self, peer, core, *words, target=None):
        """The command line of the controller."""
        return self.netns + [
            "taskset", "-c", str(core),
            os.path.join(self.build, "tests/bench/ofblast"),
            target or peer.openflow_socket(), *[str(w) for w in words]]

    def identity(self):
        """A key and its certificate in one file, its own authority."""
        pem = os.path.join(self.dir, "identity.pem")
        if not os.path.exists(pem):
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                "-days", "2", "-subj", "/CN=bench", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", pem + ".key",
                "-out", pem + ".cert")
            with open(pem, "w") as f:
                for part in (".key", ".cert"):
                    with open(pem + part) as p:
                        f.write(p.read())
        return pem

    def measure(self, peer, seconds=None):
        """One window; cycles per packet and what is wrong, if anything."""
        task = peer.worker()
        peer.write_control(gap_max=0)
        a, cpu_a, t_a, sw_a = (peer.read_stats(), on_cpu_ns(task),
                               time.monotonic(), switches(task))
        time.sleep(seconds or self.o.seconds)
        b, cpu_b, t_b, sw_b = (peer.read_stats(), on_cpu_ns(task),
                               time.monotonic(), switches(task))
        d = {k: b[k] - a[k] for k in STATS}
        packets, wrong = judge(peer.row, peer.name, d)
        return dict(cycles=(cpu_b - cpu_a) / 1e9 * self.hz / max(packets, 1),
                    mpps=packets / (t_b - t_a) / 1e6, wrong=wrong,
                    lost=lost_share(peer.row, d),
                    worst_us=b["gap_max"] * 1e6 / max(1, b["hz"]),
                    switches=(sw_b - sw_a) / (t_b - t_a))

    def begin(self, name, row, setting):
        """A running peer, warm; what the row wants beside it runs, too."""
        peer = PEERS[name](self, row)
        try:
            peer.start(setting)
            if row["beside"] and name != "testpmd":
                peer.beside = peer.popen(*self.ofblast(peer, 0,
                                                       *row["beside"]))
            time.sleep(max(self.o.warmup, min(row["warmup"],
                                              WARMUPS[name])))
        except Exception:
            peer.stop()
            raise
        return peer

    def one_turn(self, name, row, settings):
        """{setting: window} of one peer, started once."""
        got = {}
        try:
            peer = self.begin(name, row, settings[0])
        except PeerError as e:
            return {settings[0][0]: failed(e)}
        try:
            for i, setting in enumerate(settings):
                if i:
                    peer.apply(setting)
                    time.sleep(max(1, row["warmup"] / 4))
                got[setting[0]] = self.measure(peer)
            self.check_rules(peer, got)
            if self.o.profile and name == "weft":
                got[setting[0]]["profile"] = self.profile(peer)
            if peer.beside and peer.beside.poll() is not None:  # Not by us.
                raise PeerError("ofblast %s ended" % row["beside"][0])
        except PeerError as e:
            got[setting[0]] = failed(e)
        finally:
            peer.stop()
        return got

    def profile(self, peer):
        """[(share, function)] of the worker's time, the largest first."""
        data = os.path.join(self.dir, "perf.data")
        run("perf", "record", "-q", "-e", "cpu-clock", "-F", "4999", "-t",
            os.path.basename(peer.worker()), "-o", data, "--", "sleep", "2")
        out = run("perf", "report", "--stdio", "-q", "-i", data,
                  "--no-children", "-F", "overhead,symbol", "-w", "8,60")
        found = re.findall(r"([\d.]+)%\s+\[.\]\s+(\S+)", out)
        return [(float(share), symbol) for share, symbol in found[:12]]

    @staticmethod
    def check_rules(peer, got):
        """Has the traffic met as many rules and tables as the row says?"""
        row = peer.row
        if not (row["rules_hit"] or row["tables_hit"]):
            return
        hit = [(table, n) for table, n in peer.rules_hit() or [] if n]
        tables = len({table for table, _ in hit})
        for one in got.values():
            one["rules_hit"] = len(hit)
            if peer.name != "testpmd" and (len(hit) < row["rules_hit"]
                                           or tables < row["tables_hit"]):
                one["wrong"] = one["wrong"] or (
                    "%d rules in %d tables met" % (len(hit), tables))

    def packet_row(self, name, row, known=None):
        """'known': Open vSwitch's best setting, from an earlier run."""
        peers = [p for p in self.o.peers if p in row["peers"]]
        settings = {n: list(PEERS[n].settings) for n in peers}
        for n in peers:
            if self.o.quick:
                settings[n] = settings[n][:1]
            elif n == "ovs" and known:
                settings[n] = [s for s in settings[n] if s[0] == known
                               ] or settings[n]
        got = {n: {} for n in peers}
        for turn in range(self.o.repeat):
            for n in peers:
                for setting, r in self.one_turn(n, row, settings[n]).items():
                    got[n].setdefault(setting, []).append(r)
                if not turn:  # It has found the best setting.
                    best = min(got[n], key=lambda s: cost(got[n][s][0]))
                    settings[n] = [s for s in settings[n] if s[0] == best]
        out = {n: summary(settings[n][0][0], got[n][settings[n][0][0]])
               for n in peers}
        return dict(row=name, title=row["title"], goal=row["goal"],
                    goal_cycles=row["cycles"], unit="cycles", **out)


def failed(error):
    return dict(cycles=float("inf"), mpps=0, lost=1, worst_us=0, switches=0,
                wrong=str(error))


def cost(r):
    return bool(r["wrong"]), r["cycles"]


def summary(setting, runs):
    cycles = [r["cycles"] for r in runs]
    wrong = [r["wrong"] for r in runs if r["wrong"]]
    return dict(setting=setting, cycles=statistics.median(cycles),
                low=min(cycles), high=max(cycles), runs=len(runs),
                mpps=statistics.median(r["mpps"] for r in runs),
                lost=statistics.median(r["lost"] for r in runs),
                worst_us=statistics.median(r["worst_us"] for r in runs),
                switches=max(r["switches"] for r in runs),
                rules_hit=runs[-1].get("rules_hit"),
                profile=runs[-1].get("profile"),
                wrong=wrong[0] if wrong else None)


def judge(row, name, d):
    """(packets that count, what is wrong) for the differences 'd'."""
    fate = row["fate"] if name != "testpmd" else "deliver"
    if fate in ("drop", "any"):
        packets = d["offered"]
    elif row["victim"] and name != "testpmd":
        packets = d["victim_delivered"]
    else:
        packets = d["delivered"]
    if not packets:
        return 0, ("nothing offered" if fate in ("drop", "any")
                   else "nothing delivered")
    if fate == "drop" and d["delivered"]:
        return packets, "%d delivered that were to be dropped" % d["delivered"]
    if d["wrong"]:
        return packets, "%d of %d checked frames wrong" % (d["wrong"],
                                                           d["checked"])
    if d["reordered"]:
        return packets, "%d frames out of order" % d["reordered"]
    return packets, None


def lost_share(row, d):
    offered, delivered = (("victim_offered", "victim_delivered")
                          if row["victim"] else ("offered", "delivered"))
    return 1 - d[delivered] / max(1, d[offered] * row["copies"])
