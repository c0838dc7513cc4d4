# SPDX-License-Identifier: Apache-2.0
"""testpmd, Open vSwitch with DPDK and Weft as benchmark subjects.

Each peer runs one row: start() brings it up with generator and sink, worker()
names the forwarding thread, stop() ends it.  The worker sits alone on core
WORKER_CORE, everything else on core 0.  All run inside one private network
namespace."""
import glob
import json
import os
import shutil
import subprocess
import time

import bench_rows
from bench_rows import VNI, VSID

WORKER_CORE = 1
OVS = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
FRAME, VXLAN_FRAME, NVGRE_FRAME = 64, 114, 106
UNDERLAY = "192.0.2.1"
REMOTE = "192.0.2.2"
REMOTE_MAC = "02:00:00:00:0f:02"
LOCAL_MAC = "02:00:00:00:0f:01"


class PeerError(Exception):
    pass


def run(*cmd, env=None, check=True):
    r = subprocess.run(cmd, env=env, text=True, capture_output=True)
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


def frame_size(row):
    if not row["decap"]:
        return FRAME
    return VXLAN_FRAME if row["tunnel"] == "vxlan" else NVGRE_FRAME


def outer(row):
    return "vxlan:%d" % VNI if row["tunnel"] == "vxlan" else "nvgre:%d" % VSID


class Peer:
    """What the three share: scratch folder, plugin, processes, stats file."""
    name = "?"

    def __init__(self, bench, row):
        self.bench, self.row = bench, row
        self.dir = os.path.join(bench.dir, self.name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.mkdir(self.dir, 0o700)
        self.stats = os.path.join(self.dir, "stats")
        with open(self.stats, "wb") as f:
            f.write(bytes(4096))
        self.procs = []
        self.env = dict(os.environ,
                        WEFT_BENCH_CONF=os.path.join(self.dir, "conf"))

    def write_conf(self, dst_mac, passthrough=False):
        """Generator on net_null0, sink on net_null1."""
        r = self.row or bench_rows.ROWS["A1"]
        rx = "rx net_null0 kind=%s flows=%d pairs=%d" % (r["kind"], r["flows"],
                                                         r["pairs"])
        tx = "tx net_null1 victim=%d" % r["victim"]
        if r["trace"]:
            rx += " file=" + self.bench.trace(r)
        if r["cold"]:
            rx += " cold=1"
        if not passthrough:
            tx += " edit=" + r["edit"]
        lines = ["stats " + self.stats]
        if r["decap"]:
            rx += " outer=%s dst_mac=%s" % (outer(r), dst_mac)
            if passthrough:
                tx += " outer=" + outer(r)
        if r["encap"] and not passthrough:
            tx += " outer=" + outer(r)
            lines.append("rx net_null1 arp=%s arp_target=%s dst_mac=%s" % (
                REMOTE, UNDERLAY, dst_mac))
        with open(self.env["WEFT_BENCH_CONF"], "w") as f:
            f.write("\n".join(lines + [rx, tx]) + "\n")

    def popen(self, *cmd, **kw):
        log = open(os.path.join(self.dir, "log"), "ab")
        p = subprocess.Popen(self.bench.netns + list(cmd), env=self.env,
                             stdout=log, stderr=log, **kw)
        self.procs.append(p)
        return p

    def thread(self, pid, match):
        for task in glob.glob("/proc/%d/task/*" % pid):
            with open(task + "/comm") as f:
                if f.read().startswith(match):
                    return task
        raise PeerError("%s has no thread %s*" % (self.name, match))

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

    def null_args(self):
        size = frame_size(self.row)
        return ("net_null0,size=%d,copy=0" % size,
                "net_null1,size=%d,copy=0%s" % (
                    size, "" if self.row["encap"] else ",no-rx=1"))


class Testpmd(Peer):
    """The I/O floor: the same generator and sink, nothing in between."""
    name = "testpmd"
    settings = [()]

    def start(self, setting):
        self.write_conf(REMOTE_MAC, passthrough=True)
        rx, tx = self.null_args()
        self.popen("dpdk-testpmd", "--lcores", "0@0,1@%d" % WORKER_CORE,
                   "--in-memory", "--no-pci", "-d", self.bench.plugin,
                   "--vdev", rx, "--vdev", tx, "--",
                   "--nb-cores=1", "--forward-mode=io", "--auto-start",
                   "--no-flush-rx", "--total-num-mbufs=16384",
                   stdin=subprocess.PIPE)
        wait_for("testpmd's forwarding", lambda: self.bench.delivered(self))

    def worker(self):
        pid = self.bench.real_pid(self.procs[0])
        for prefix in ("rte-worker-1", "dpdk-worker1", "lcore-worker-1"):
            try:
                return self.thread(pid, prefix)
            except PeerError:
                continue
        raise PeerError("testpmd's worker thread not found")


class Ovs(Peer):
    """Open vSwitch with DPDK, in each of the settings that may be best."""
    name = "ovs"
    settings = [("default",),
                ("emc-off", "emc-insert-inv-prob=0"),
                ("emc-off+smc", "emc-insert-inv-prob=0", "smc-enable=true"),
                ("emc-always", "emc-insert-inv-prob=1")]

    def ctl(self, *words):
        return run("ovs-vsctl", "--timeout=20", *words, env=self.env)

    def start(self, setting):
        d = self.dir
        for v in ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR"):
            self.env[v] = d
        self.write_conf(LOCAL_MAC)
        run("ovsdb-tool", "create", d + "/conf.db",
            "/usr/share/openvswitch/vswitch.ovsschema", env=self.env)
        self.popen("ovsdb-server", d + "/conf.db",
                   "--remote=punix:%s/db.sock" % d,
                   "--unixctl=%s/db.ctl" % d, "-vconsole:off")
        wait_for("ovsdb-server", lambda: os.path.exists(d + "/db.sock"))
        other = ["dpdk-init=true", "dpdk-socket-mem=1024",
                 "dpdk-lcore-mask=0x1", "pmd-cpu-mask=0x%x" % (1 << WORKER_CORE),
                 "flow-limit=2000000"] + list(setting[1:])
        self.ctl("--no-wait", "init")
        self.ctl("--no-wait", "set", "Open_vSwitch", ".",
                 "other_config:dpdk-extra=\"--no-pci -d %s\""
                 % self.bench.plugin,
                 *["other_config:" + o for o in other])
        self.popen(OVS, "unix:%s/db.sock" % d, "--unixctl=%s/vs.ctl" % d,
                   "-vconsole:off", "--log-file=%s/vs.log" % d)
        wait_for("ovs-vswitchd", lambda: os.path.exists(d + "/vs.ctl"))
        self.bridges()
        # At once, instead of 1,000 more each second.
        run("ovs-appctl", "-t", d + "/vs.ctl", "upcall/set-flow-limit",
            "2000000", env=self.env)

    def bridges(self):
        r = self.row
        rx, tx = self.null_args() if r else (None, None)
        add = ["--", "add-br", "br0", "--", "set", "bridge", "br0",
               "datapath_type=netdev", "fail_mode=secure"]
        if r and r["tunnel"]:
            add += self.underlay_words(rx, tx)
        elif r:
            add += self.port("br0", "p1", rx, 1) + self.port("br0", "p2", tx, 2)
        self.ctl(*add[1:])
        if r and r["tunnel"]:
            run(*self.bench.netns, "ip", "addr", "replace", UNDERLAY + "/24", "dev",
                "br-phy")
            run(*self.bench.netns, "ip", "link", "set", "br-phy", "up")
            run("ovs-appctl", "-t", self.dir + "/vs.ctl", "tnl/arp/set",
                "br-phy", REMOTE, REMOTE_MAC, env=self.env)
        if r:
            self.add_flows(bench_rows.rules_of(r) or self.tunnel_rules())

    @staticmethod
    def port(bridge, name, devargs, number):
        return ["--", "add-port", bridge, name, "--", "set", "interface", name,
                "type=dpdk", "options:dpdk-devargs=\"%s\"" % devargs,
                "ofport_request=%d" % number]

    def underlay_words(self, rx, tx):
        r = self.row
        kind, key = (("vxlan", str(VNI)) if r["tunnel"] == "vxlan"
                     else ("gre", "flow"))
        words = ["--", "add-br", "br-phy", "--", "set", "bridge", "br-phy",
                 "datapath_type=netdev", "other-config:hwaddr=" + LOCAL_MAC,
                 "--", "add-port", "br0", "tun", "--", "set", "interface",
                 "tun", "type=" + kind, "options:remote_ip=" + REMOTE,
                 "options:key=" + key,
                 "ofport_request=%d" % (2 if r["encap"] else 1)]
        if r["encap"]:
            return (words + self.port("br0", "p1", rx, 1)
                    + self.port("br-phy", "phy", tx, 1))
        return (words + self.port("br0", "p2", tx, 2)
                + self.port("br-phy", "phy", rx, 1))

    def tunnel_rules(self):
        if self.row["tunnel"] == "nvgre" and self.row["encap"]:
            return ["in_port=1,actions=set_field:0x%x->tun_id,output:2"
                    % (VSID << 8)]
        if self.row["tunnel"] == "nvgre":
            return ["in_port=1,tun_id=0x%x/0xffffff00,actions=output:2"
                    % (VSID << 8)]
        return ["in_port=1,actions=output:2"]

    def add_flows(self, rules):
        path = os.path.join(self.dir, "flows")
        with open(path, "w") as f:
            f.write("\n".join(rules) + "\n")
        run("ovs-ofctl", "-O", "OpenFlow14", "--bundle", "add-flows",
            "br0", path, env=self.env)

    def worker(self):
        return self.thread(self.bench.real_pid(self.procs[1]), "pmd-c")

    def main_pid(self):
        return self.bench.real_pid(self.procs[1])

    def taps(self, vms):
        """One tap per VM, moved into its namespace, joined by a rule."""
        for n, vm in enumerate(vms, 1):
            self.ctl("add-port", "br0", "bt%d" % n, "--", "set", "interface",
                     "bt%d" % n, "type=tap", "ofport_request=%d" % n)
            run(*self.bench.netns, "ip", "link", "set", "bt%d" % n, "netns",
                vm)
        self.add_flows(["in_port=1,actions=output:2",
                        "in_port=2,actions=output:1"])

    def openflow_socket(self):
        return os.path.join(self.dir, "br0.mgmt")

    def stop(self):
        """Ends it in order: by a signal it leaves its taps behind."""
        run("ovs-appctl", "-t", self.dir + "/vs.ctl", "exit", "--cleanup",
            env=self.env, check=False)
        super().stop()


class Weft(Peer):
    name = "weft"
    settings = [("default",)]

    def ctl(self, *words):
        return run(os.path.join(self.bench.build, "weftctl"), "--run-dir",
                   self.dir, *words, env=self.env)

    def start(self, setting):
        r = self.row
        self.write_conf("port")
        self.popen(os.path.join(self.bench.build, "weftd"), "--run-dir",
                   self.dir, "--no-state", "--workers", str(WORKER_CORE),
                   "--eal", "-d " + self.bench.plugin,
                   *([] if setting[0] == "no-poll" else ["--poll"]))
        wait_for("weftd", lambda: os.path.exists(self.dir + "/weft.sock"))
        self.ctl("add-br", "br0")
        self.ctl("set-controller", "br0", "punix:" + self.openflow_socket())
        if r:
            self.ports()
            self.add_flows(bench_rows.rules_of(r)
                           or ["in_port=1,actions=output:2"])

    def ports(self):
        r = self.row
        rx, tx = self.null_args()
        ends = {"p1": (rx, 1), "p2": (tx, 2)}
        if r["tunnel"]:
            up, key = (("p2", tx) if r["encap"] else ("p1", rx)), (
                VNI if r["tunnel"] == "vxlan" else VSID)
            number = ends.pop(up[0])[1]
            self.ctl("add-uplink", "up0", "type=dpdk", "devargs=" + up[1],
                     "address=%s/24" % UNDERLAY)
            self.ctl("add-port", "br0", "tun", "type=" + r["tunnel"],
                     "remote=" + REMOTE, "local=" + UNDERLAY, "key=%d" % key,
                     "ofport=%d" % number)
        for name, (devargs, number) in ends.items():
            self.ctl("add-port", "br0", name, "type=dpdk",
                     "devargs=" + devargs, "ofport=%d" % number)

    def taps(self, vms):
        for n, vm in enumerate(vms, 1):
            self.ctl("add-port", "br0", "bt%d" % n, "type=tap",
                     "netns=" + vm, "ofport=%d" % n)
        self.add_flows(["in_port=1,actions=output:2",
                        "in_port=2,actions=output:1"])

    def add_flows(self, rules):
        path = os.path.join(self.dir, "flows")
        with open(path, "w") as f:
            f.write("\n".join(rules) + "\n")
        run("ovs-ofctl", "-O", "OpenFlow13", "add-flows",
            "unix:" + self.openflow_socket(), path)

    def longest_us(self, reset=False):
        w = json.loads(run(os.path.join(self.bench.build, "weft-dump"),
                           "--run-dir", self.dir, "--json", "workers",
                           *(["--reset-longest"] if reset else [])))
        return max(x["longest_cycles"] * 1e6 / x["tsc_hz"]
                   for x in w["workers"])

    def worker(self):
        return self.thread(self.main_pid(), "weft-w")

    def main_pid(self):
        return self.bench.real_pid(self.procs[0])

    def openflow_socket(self):
        return os.path.join(self.dir, "br0.mgmt")
