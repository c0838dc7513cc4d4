# SPDX-License-Identifier: Apache-2.0
"""The bed a conformance run lies in: two namespaces, links, a switch.

      tester's namespace              the switch's namespace
        tst1 ------------------------- tgt1    OpenFlow port 1
        tst2 ------------------------- tgt2    OpenFlow port 2
        ...                            ...
        mgmt 10.203.0.2 --- 10.203.0.1 mgmt    OpenFlow, port 6653

What:    Bed makes all that and starts the switch by a hook script
         (target-weft.sh names what a hook is given); on the way out it stops
         the switch and removes the namespaces.
Needs:   root, iproute2."""
import ctypes
import os
import shutil
import subprocess
import tempfile
import time

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
N_PORTS = 4
SWITCH, TESTER = "10.203.0.1", "10.203.0.2"
OF_PORT = 6653
NAMES = {"1.0": "OpenFlow10", "1.3": "OpenFlow13", "1.4": "OpenFlow14",
         "1.5": "OpenFlow15"}


def sh(*cmd, ns=None, env=None, check=True):
    full = (["ip", "netns", "exec", ns] if ns else []) + list(cmd)
    r = subprocess.run(full, capture_output=True, text=True, env=env,
                       timeout=120)
    if check and r.returncode:
        raise RuntimeError("%s: exit %d\n%s%s" % (" ".join(full),
                                                  r.returncode, r.stdout,
                                                  r.stderr))
    return r


class Inside:
    """with Inside(ns): sockets opened in it belong to that namespace."""

    def __init__(self, ns):
        self.ns = ns

    def __enter__(self):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = open("/proc/self/ns/net")
        with open("/run/netns/" + self.ns) as there:
            if self.libc.setns(there.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns " + self.ns)

    def __exit__(self, *_):
        self.libc.setns(self.home.fileno(), 0)
        self.home.close()


class Bed:
    """One switch under test, of one OpenFlow version."""

    def __init__(self, target, version):
        self.name, self.version = target, version
        self.hook = os.path.join(HERE, "target-%s.sh" % target)
        if os.path.exists(target):  # A hook of somebody's own.
            self.hook = os.path.abspath(target)
            self.name = os.path.basename(target)
        self.ns = "cf%d" % os.getpid()
        self.tester = self.ns + "t"
        self.run = tempfile.mkdtemp(prefix="weft-cf-")
        self.env = dict(
            os.environ, CF_RUN=self.run, CF_NS=self.ns, CF_PORTKIND="veth",
            CF_PORTS=" ".join("tgt%d" % i for i in range(1, N_PORTS + 1)),
            CF_CONTROLLER="ptcp:%d:%s" % (OF_PORT, SWITCH),
            CF_DPID="%016x" % 1, CF_OFVER=NAMES[version])

    def __enter__(self):
        try:
            self._up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def _link(self, a, b):
        sh("ip", "-n", self.ns, "link", "add", a, "type", "veth", "peer",
           "name", b, "netns", self.tester)
        for ns, name in ((self.ns, a), (self.tester, b)):
            sh("ip", "-n", ns, "link", "set", name, "arp",
               "on" if a == b else "off", "up")

    def _up(self):
        for ns in (self.ns, self.tester):
            sh("ip", "netns", "add", ns)
            sh("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
               "net.ipv6.conf.default.disable_ipv6=1", ns=ns)
            sh("ip", "-n", ns, "link", "set", "lo", "up")
        self._link("mgmt", "mgmt")
        for ns, address in ((self.ns, SWITCH), (self.tester, TESTER)):
            sh("ip", "-n", ns, "addr", "add", address + "/30", "dev", "mgmt")
        for i in range(1, N_PORTS + 1):
            self._link("tgt%d" % i, "tst%d" % i)
        sh(self.hook, "start", ns=self.ns, env=self.env)
        with Inside(self.tester):
            self.ports = [wire.Port("tst%d" % i)
                          for i in range(1, N_PORTS + 1)]

    def connect(self):
        with Inside(self.tester):
            return wire.Connection(self.version, (SWITCH, OF_PORT))

    def reopen(self, connection):
        with Inside(self.tester):
            connection.open()

    def alive(self):
        time.sleep(0.2)
        return sh(self.hook, "check", ns=self.ns, env=self.env,
                  check=False).returncode == 0

    def log(self):
        """The last words of the switch."""
        for path in ("weft/log", "ovs/vs.log"):
            try:
                with open(os.path.join(self.run, path),
                          errors="replace") as f:
                    return f.read()[-2000:]
            except OSError:
                pass
        return ""

    def down(self):
        if os.path.exists("/run/netns/" + self.ns):
            sh(self.hook, "stop", ns=self.ns, env=self.env, check=False)
        for ns in (self.ns, self.tester):
            sh("ip", "netns", "del", ns, check=False)
        shutil.rmtree(self.run, ignore_errors=True)
