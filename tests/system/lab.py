# SPDX-License-Identifier: Apache-2.0
"""A laboratory for system tests: hosts, VMs and peers in network namespaces.

What:    Lab makes namespaces and links under names of its own and removes
         them; Switch is a running weftd with weftctl and weft-dump; Ovs is a
         private Open vSwitch with the userspace datapath.
Model:   with Lab() as lab: ... ; on the way out every switch's accounting must
         balance (received + injected + copied = sent + punted + consumed +
         dropped), every process started here is ended, every namespace gone.
Needs:   root; a test without it exits 77 (skipped), see main().
The build folder is $top_builddir (make check sets it) or --build DIR."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
PYTHON = "/usr/bin/python3"  # Debian's: it has os-ken and scapy.
SKIPPED = 77
# The test matrix (matrix.sh) runs every switch with more arguments.
WEFTD_ARGS = os.environ.get("WEFTD_ARGS", "").split()


def sh(*cmd, ns=None, check=True, timeout=60, text=None, env=None):
    """Runs a command (inside a namespace); its output.  A failure raises with
    what the command said."""
    full = (["ip", "netns", "exec", ns] if ns else []) + [str(c) for c in cmd]
    r = subprocess.run(full, capture_output=True, text=True, timeout=timeout,
                       input=text, env=env)
    if check and r.returncode:
        raise AssertionError("%s: exit %d\n%s%s" % (" ".join(full),
                                                    r.returncode, r.stdout,
                                                    r.stderr))
    return r.stdout if check else r


def wait_until(what, test, seconds=15):
    """Polls 'test' until it is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not within %d s" % (what, seconds))
        time.sleep(0.05)


class Process:
    """A program in the background; its output goes to a file."""

    def __init__(self, lab, name, cmd, ns=None, env=None):
        self.name, self.log = name, os.path.join(lab.dir, name + ".log")
        full = (["ip", "netns", "exec", ns] if ns else []) + [
            str(c) for c in cmd]
        with open(self.log, "ab") as log:
            self.p = subprocess.Popen(full, stdout=log, stderr=log,
                                      stdin=subprocess.DEVNULL, env=env,
                                      start_new_session=True)
        lab.processes.append(self)

    @property
    def pid(self):
        return self.p.pid

    def alive(self):
        return self.p.poll() is None

    def output(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM):
        if self.alive():
            self.p.send_signal(sig)
        try:
            return self.p.wait(15)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise AssertionError("%s did not end within 15 s of signal %d" % (
                self.name, sig)) from None


class Switch:
    """One weftd in a namespace."""

    def __init__(self, lab, name, ns=None, args=()):
        self.lab, self.name, self.ns = lab, name, ns
        self.args = list(args) + WEFTD_ARGS
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir, exist_ok=True)
        self.balanced = True  # Tests that kill weftd turn this off.
        self.start()

    def start(self):
        if "--state-dir" not in self.args and "--no-state" not in self.args:
            self.args.append("--no-state")
        self.process = Process(self.lab, self.name + "-weftd",
                               [os.path.join(BUILD, "weftd"), "--run-dir",
                                self.dir] + self.args, self.ns)
        wait_until("weftd %s answers: %s" % (self.name, self.process.log),
                   lambda: self.ctl("ping", check=False).returncode == 0
                   or self._died())

    def _died(self):
        if not self.process.alive():
            raise AssertionError("weftd %s died:\n%s" % (
                self.name, self.process.output()))

    def ctl(self, *words, check=True):
        return sh(os.path.join(BUILD, "weftctl"), "--run-dir", self.dir,
                  *words, ns=self.ns, check=check)

    def dump(self, *words, check=True):
        return sh(os.path.join(BUILD, "weft-dump"), "--run-dir", self.dir,
                  *words, ns=self.ns, check=check)

    def json(self, *words):
        return json.loads(self.dump("--json", *words))

    def openflow(self, bridge="br0"):
        """Path of a passive OpenFlow socket of the bridge, made when new."""
        path = os.path.join(self.dir, bridge + ".mgmt")
        if not os.path.exists(path):
            self.ctl("set-controller", bridge, "punix:" + path)
            wait_until("OpenFlow socket", lambda: os.path.exists(path))
        return "unix:" + path

    def ofctl(self, command, *words, bridge="br0", check=True, text=None,
              strict=False):
        return sh("ovs-ofctl", "-O", "OpenFlow13",
                  *(["--strict"] if strict else []), command,
                  self.openflow(bridge), *words, check=check, text=text)

    def flows(self, *rules, bridge="br0"):
        """Adds rules in ovs-ofctl's syntax and waits for the barrier."""
        self.ofctl("add-flows", "-", bridge=bridge, text="\n".join(rules)
                   + "\n")

    def tap(self, bridge, name, ns, address=None, mac=None, **options):
        """A VM's tap: port 'name' in namespace 'ns', up, with an address."""
        words = ["%s=%s" % kv for kv in options.items()]
        if mac:
            words.append("mac=" + mac)
        self.ctl("add-port", bridge, name, "type=tap", "netns=" + ns, *words)
        if address:
            sh("ip", "-n", ns, "addr", "add", address, "dev", name)
        sh("ip", "-n", ns, "link", "set", name, "up")

    def drops(self, bridge="br0"):
        """{reason: packets} of the bridge, only what is not zero."""
        return {k: v for k, v in self.balance(bridge)["dropped"].items() if v}

    def balance(self, bridge):
        for b in self.json("drops", bridge)["bridges"]:
            if b["bridge"] == bridge:
                return b
        raise AssertionError("weft-dump drops does not name " + bridge)

    def bridges(self):
        return [b["bridge"] for b in self.json("drops")["bridges"]]

    def check_balance(self):
        """Exactly, once nothing is inside any more."""
        for bridge in self.bridges():
            def off():
                b = self.balance(bridge)
                return (b["received"] + b["injected"] + b["copied"]
                        - b["sent"] - b["punted"] - b["consumed"]
                        - sum(b["dropped"].values()))
            try:
                wait_until("balance", lambda: off() == 0, 3)
            except AssertionError:
                raise AssertionError(
                    "bridge %s of %s: accounting is off by %d: %s" % (
                        bridge, self.name, off(), self.balance(bridge))
                ) from None

    def rss_kib(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])

    def stop(self):
        return self.process.stop()


class Ovs:
    """A private Open vSwitch with the userspace datapath in a namespace."""

    def __init__(self, lab, name, ns):
        self.lab, self.ns = lab, ns
        self.dir = d = os.path.join(lab.dir, name)
        os.makedirs(d)
        self.env = dict(os.environ, OVS_RUNDIR=d, OVS_DBDIR=d, OVS_LOGDIR=d,
                        OVS_SYSCONFDIR=d)
        sh("ovsdb-tool", "create", d + "/conf.db",
           "/usr/share/openvswitch/vswitch.ovsschema", env=self.env)
        Process(lab, name + "-ovsdb", ["ovsdb-server", d + "/conf.db",
                                       "--remote=punix:%s/db.sock" % d,
                                       "--unixctl=%s/db.ctl" % d], ns,
                self.env)
        wait_until("ovsdb-server", lambda: os.path.exists(d + "/db.sock"))
        self.vsctl("--no-wait", "init")
        self.process = Process(
            lab, name + "-vswitchd",
            ["/usr/lib/openvswitch-switch/ovs-vswitchd",
             "unix:%s/db.sock" % d, "--unixctl=%s/vs.ctl" % d,
             "--log-file=%s/vs.log" % d], ns, self.env)
        wait_until("ovs-vswitchd", lambda: os.path.exists(d + "/vs.ctl"))

    def vsctl(self, *words):
        return sh("ovs-vsctl", "--timeout=20", *words, env=self.env,
                  ns=self.ns)

    def appctl(self, *words):
        return sh("ovs-appctl", "-t", self.dir + "/vs.ctl", *words,
                  env=self.env, ns=self.ns)

    def ofctl(self, *words):
        return sh("ovs-ofctl", "-O", "OpenFlow13", *words, env=self.env,
                  ns=self.ns)

    def stop(self):
        """By a signal it would leave its bridges' taps behind."""
        sh("ovs-appctl", "-t", self.dir + "/vs.ctl", "exit", "--cleanup",
           env=self.env, ns=self.ns, check=False)


class Lab:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="weft-lab-")
        self.tag = "wl%d" % os.getpid()
        self.namespaces, self.processes = [], []
        self.switches, self.peers = [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        try:
            if kind is None:
                for s in self.switches:
                    if s.balanced and s.process.alive():
                        s.check_balance()
        finally:
            self.down(failed=kind is not None)

    def down(self, failed=False):
        for peer in self.peers:
            peer.stop()
        faults = []
        for p in reversed(self.processes):
            try:
                p.stop()
            except AssertionError as e:
                faults.append(str(e))
        for ns in self.namespaces:
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)
        if failed:
            self.show_logs()
        shutil.rmtree(self.dir, ignore_errors=True)
        if faults and not failed:
            raise AssertionError("; ".join(faults))

    def show_logs(self):
        for log in sorted(glob.glob(self.dir + "/*.log")):
            with open(log, errors="replace") as f:
                tail = f.read()[-3000:]
            if tail:
                print("--- %s\n%s" % (os.path.basename(log), tail))

    def ns(self, name):
        """A namespace; the full name is unique to this run."""
        full = "%s-%s" % (self.tag, name)
        sh("ip", "netns", "add", full)
        self.namespaces.append(full)
        sh("ip", "-n", full, "link", "set", "lo", "up")
        # No router solicitations and the like: tests count packets.
        sh("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1",
           "net.ipv6.conf.all.disable_ipv6=1", ns=full)
        return full

    def link(self, ns_a, ns_b, name_a="eth0", name_b="eth0",
             address_a=None, address_b=None, mtu=1500):
        """A veth between two namespaces, both ends up."""
        sh("ip", "-n", ns_a, "link", "add", name_a, "mtu", mtu, "type",
           "veth", "peer", "name", name_b, "mtu", mtu, "netns", ns_b)
        for ns, name, address in ((ns_a, name_a, address_a),
                                  (ns_b, name_b, address_b)):
            if address:
                sh("ip", "-n", ns, "addr", "add", address, "dev", name)
            sh("ip", "-n", ns, "link", "set", name, "up")

    def switch(self, name="weft", ns=None, args=()):
        s = Switch(self, name, ns, args)
        self.switches.append(s)
        return s

    def ovs(self, name, ns):
        o = Ovs(self, name, ns)
        self.peers.append(o)
        return o

    def start(self, name, *cmd, ns=None, env=None):
        return Process(self, name, cmd, ns, env)

    @staticmethod
    def ping(ns, address, count=5, size=56, check=True, interval=0.05,
             df=False):
        """Packets that came back."""
        out = sh("ping", "-c", count, "-i", interval, "-W", "1", "-s", size,
                 *(["-M", "do"] if df else []), address, ns=ns, check=False)
        got = 0
        for part in out.stdout.split(","):
            if "received" in part:
                got = int(part.split()[0])
        if check and got != count:
            raise AssertionError("%d of %d pings came back\n%s%s" % (
                got, count, out.stdout, out.stderr))
        return got

    def tcp(self, client_ns, server_ns, address, size=8 << 20):
        """Sends 'size' random bytes by TCP; fails unless they arrive right.
        Returns bits per second."""
        here = os.path.dirname(os.path.abspath(__file__))
        tool = os.path.join(here, "tcp_bytes.py")
        server = self.start("tcp-server%d" % len(self.processes), PYTHON,
                            tool, "serve", address, ns=server_ns)
        wait_until("TCP server", lambda: "listening" in server.output())
        out = sh(PYTHON, tool, "send", address, size, ns=client_ns,
                 timeout=120)
        if server.p.wait(30):
            raise AssertionError("TCP server: " + server.output())
        sent = json.loads(out)
        got = json.loads(server.output().splitlines()[-1])
        if sent["digest"] != got["digest"] or got["bytes"] != size:
            raise AssertionError("TCP bytes differ: sent %s, got %s" % (sent,
                                                                       got))
        return size * 8 / got["seconds"]

    def iperf(self, client_ns, server_ns, address, seconds=3):
        """Bits per second that the receiver saw."""
        server = self.start("iperf%d" % len(self.processes), "iperf3", "-s",
                            "-1", ns=server_ns)
        wait_until("iperf3", lambda: "5201" in sh(
            "ss", "-Hltn", ns=server_ns))
        out = sh("iperf3", "-c", address, "-t", seconds, "-J", ns=client_ns,
                 timeout=60)
        server.p.wait(10)
        return json.loads(out)["end"]["sum_received"]["bits_per_second"]


class OneBridge(unittest.TestCase):
    """A case with one switch for all its tests, and bridge br0."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab().__enter__()
        cls.sw = cls.lab.switch()
        cls.sw.ctl("add-br", "br0")

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__(None, None, None)

    def setUp(self):
        self.sw.ctl("del-flows", "br0")

    def ctl_in(self, text, *words, check=True):
        """weftctl with 'text' as its standard input."""
        return sh(BUILD + "/weftctl", "--run-dir", self.sw.dir, *words,
                  text=text, check=check)


class TwoVms(unittest.TestCase):
    """A case with one switch for all its tests: bridge br0 with tap1 (VM in
    self.a, 10.0.0.1, port 1) and tap2 (in self.b, 10.0.0.2, port 2)."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.a, cls.b = cls.lab.ns("a"), cls.lab.ns("b")
        cls.s = s = cls.lab.switch()
        s.ctl("add-br", "br0", "dpid=00000000000000aa")
        for i, ns in ((1, cls.a), (2, cls.b)):
            s.tap("br0", "tap%d" % i, ns, "10.0.0.%d/24" % i, ofport=i,
                  mac="02:00:00:00:00:%02x" % i)

    @classmethod
    def tearDownClass(cls):
        cls.s.check_balance()
        cls.lab.down()

    def setUp(self):
        self.s.ofctl("del-flows")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(*needs):
    """unittest.main for make check: exit 77 without root or a peer."""
    if os.geteuid():
        print("needs root: skipped")
        sys.exit(SKIPPED)
    for tool in needs:
        if not shutil.which(tool):
            print("%s not found: skipped" % tool)
            sys.exit(SKIPPED)
    unittest.main(verbosity=2, argv=sys.argv[:1] + sys.argv[1:])
