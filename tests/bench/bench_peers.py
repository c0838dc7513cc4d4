# SPDX-License-Identifier: Apache-2.0
"""What testpmd, Open vSwitch and Weft share as benchmark subjects.

Each peer runs one row: start() brings it up with generator and sink, worker()
names the forwarding thread, stop() ends it.  The worker sits alone on core
WORKER_CORE, everything else on core 0.  All run inside one private network
namespace.  How a row becomes ports is here, what a row is in bench_rows.py."""
import glob
import os
import shutil
import struct
import subprocess
import time

import bench_rows

WORKER_CORE = 1
OVERHEAD = {"vxlan": 50, "nvgre": 42, None: 0}
UNDERLAY = "192.0.2.1"
REMOTE = "192.0.2.2"
REMOTE_MAC = "02:00:00:00:0f:02"
LOCAL_MAC = "02:00:00:00:0f:01"

# The shared file: see struct stats in gen.h.
STATS = ("offered", "delivered", "checked", "wrong", "victim_offered",
         "victim_delivered", "other", "reordered", "gap_max", "gaps_50us",
         "gaps_200us", "hz", "pps", "active", "epoch")
LAT_AT, LAT_STEPS, LAT_BUCKETS = 16 * 8, 16, 48 * 16
STATS_BYTES = LAT_AT + LAT_BUCKETS * 8


class PeerError(Exception):
    pass


def run(*cmd, env=None, check=True, timeout=None):
    try:
        r = subprocess.run(cmd, env=env, text=True, capture_output=True,
                           timeout=timeout)
    except subprocess.TimeoutExpired:
        raise PeerError("%s: not within %d s" % (cmd[0], timeout)) from None
    if check and r.returncode:
        raise PeerError("%s: %s" % (" ".join(cmd), (r.stderr or r.stdout)
                                    .strip()))
    return r.stdout


def wait_for(what, test, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if test():
            return
        time.sleep(0.05)
    raise PeerError("%s did not happen within %d s" % (what, seconds))


def device_size(row):
    """Largest frame that the row's generator makes, tunnel included."""
    inner = 1514 if row["size"] == "imix" else max(row["size"], 64)
    return inner + (OVERHEAD[row["tunnel"]] if row["decap"] else 0)


def device_words(row):
    """OpenFlow port: devargs.  Tunnel rows: 1 and 2 are in and out, one of
    them (both in hairpin rows) is the underlay."""
    size = device_size(row)
    rx = "net_null%d,size=%d,copy=0"
    tx = rx + ",no-rx=1"
    if row["ports"] > 2:
        return {n + 1: rx % (n, size) for n in range(row["ports"])}
    if row["hairpin"]:
        return {1: rx % (0, size)}
    devices = {1: rx % (0, size),
               2: (rx if row["encap"] else tx) % (1, size)}
    if row["second"]:
        devices[3] = rx % (2, size)
    if row["two_sinks"]:
        devices[3] = tx % (2, size)
    return devices


def key_of(row, leaving=False):
    """'type:key' of the tunnel, as the plugin reads it."""
    kind = row["tunnel"]
    key = bench_rows.KEYS[kind] + (1 if leaving and row["hairpin"] else 0)
    return "%s:%d keys=%d" % (kind, key, row["keys"])


def rx_words(row, trace):
    words = ["kind=%s" % row["kind"], "flows=%d" % row["flows"],
             "pairs=%d" % row["pairs"], "size=%s" % row["size"],
             "v6=%d" % row["v6"], "attack_every=%d" % row["attack_every"],
             "burst=%d" % row["burst"], "cold=%d" % row["cold"],
             "stamp=%d" % row["stamp"]]
    return words + (["file=" + trace(row)] if row["trace"] else [])


def conf_lines(row, dst_mac, passthrough, trace):
    """What the plugin does with the row's ports, see gen.h."""
    rx = rx_words(row, trace)
    tx = ["victim=%d" % row["victim"], "stamp=%d" % row["stamp"]]
    arp = ["arp=" + REMOTE, "arp_target=" + UNDERLAY, "dst_mac=" + dst_mac]
    lines = []
    if not passthrough:
        tx.append("edit=" + row["edit"])
    if row["decap"]:
        rx += ["outer=" + key_of(row)] + (arp if row["hairpin"]
                                          else ["dst_mac=" + dst_mac])
        if passthrough:
            tx.append("outer=" + key_of(row))
    if row["encap"] and not passthrough:
        tx.append("outer=" + key_of(row, leaving=True))
        if not row["hairpin"]:
            lines.append(["rx", "net_null1"] + arp)
    if row["ports"] > 2:
        for n in range(row["ports"]):
            lines += [["rx", "net_null%d" % n] + rx,
                      ["tx", "net_null%d" % n] + tx]
    elif row["two_sinks"]:
        lines += [["rx", "net_null0"] + rx,
                  ["tx", "net_null1"] + tx + ["side=0"],
                  ["tx", "net_null2"] + tx + ["side=1"]]
    else:
        lines += [["rx", "net_null0"] + rx,
                  ["tx", "net_null%d" % (not row["hairpin"])] + tx]
    if row["second"] and not passthrough:
        second = dict(row, **row["second"])
        lines.append(["rx", "net_null2"] + rx_words(second, trace)
                     + ["pps=%d" % second["pps"]])
    return [" ".join(line) for line in lines]


class Peer:
    """Scratch folder, plugin, processes, shared file."""
    name = "?"

    def __init__(self, bench, row):
        self.bench, self.row = bench, row
        self.dir = os.path.join(bench.dir, self.name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir, 0o700)
        self.stats = os.path.join(self.dir, "stats")
        with open(self.stats, "wb") as f:
            f.write(bytes(STATS_BYTES))
        self.procs = []
        self.beside = None  # The controller that runs meanwhile.
        self.env = dict(os.environ,
                        WEFT_BENCH_CONF=os.path.join(self.dir, "conf"))

    def write_conf(self, dst_mac, passthrough=False):
        lines = conf_lines(self.row or bench_rows.row("", []), dst_mac,
                           passthrough, self.bench.trace)
        with open(self.env["WEFT_BENCH_CONF"], "w") as f:
            f.write("\n".join(["stats " + self.stats] + lines) + "\n")

    def read_stats(self):
        with open(self.stats, "rb") as f:
            return dict(zip(STATS, struct.unpack(
                "<%dQ" % len(STATS), f.read(8 * len(STATS)))))

    def read_latencies(self):
        with open(self.stats, "rb") as f:
            f.seek(LAT_AT)
            return struct.unpack("<%dQ" % LAT_BUCKETS, f.read())

    def write_control(self, **words):
        """Sets words of the shared file: pps, active, epoch, gap_max ..."""
        with open(self.stats, "r+b") as f:
            for name, value in words.items():
                f.seek(8 * STATS.index(name))
                f.write(struct.pack("<Q", value))

    def reset_latencies(self):
        with open(self.stats, "r+b") as f:
            f.seek(LAT_AT)
            f.write(bytes(LAT_BUCKETS * 8))

    def popen(self, *cmd, **kw):
        with open(os.path.join(self.dir, "log"), "ab") as log:
            inside = [] if cmd[:3] == tuple(self.bench.netns[:3]) else \
                self.bench.netns
            p = subprocess.Popen(inside + list(cmd), env=self.env,
                                 stdout=log, stderr=log, **kw)
        self.procs.append(p)
        return p

    def thread(self, pid, match):
        for task in glob.glob("/proc/%d/task/*" % pid):
            with open(task + "/comm") as f:
                if f.read().startswith(match):
                    return task
        raise PeerError("%s has no thread %s*" % (self.name, match))

    def apply(self, setting):
        """Takes on another of 'settings' while running."""

    def stop(self):
        for p in self.procs:
            p.terminate()
        for p in self.procs:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.procs = []

    def longest_us(self, reset=False):
        """Longest time for which a worker did not look at its ports since
        the last reset; None: it does not say."""
        return None

    def rules_hit(self):
        """[(table, packets)] of all rules; None: it has none."""
        return None

    def devices(self):
        return device_words(self.row)
