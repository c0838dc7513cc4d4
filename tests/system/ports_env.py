# SPDX-License-Identifier: Apache-2.0
"""Namespaces, commands and the two-port forwarder for the port tests.

Every test gets its own names (with the process's id) and leaves nothing."""
import os
import re
import shutil
import struct
import subprocess
import sys
import time

PID = os.getpid() % 100000
BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
FORWARD = os.path.join(BUILD, "tests/system/port_forward")


def need(*tools):
    if os.geteuid() != 0:
        skip("not root")
    if not os.path.exists("/dev/net/tun"):
        skip("no /dev/net/tun")
    for tool in tools:
        if not shutil.which(tool):
            skip(tool + " not found")
    if not os.path.exists(FORWARD):
        skip("%s not built" % FORWARD)


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def sh(cmd, check=True, timeout=60):
    r = subprocess.run(cmd, shell=True, text=True, capture_output=True,
                       timeout=timeout)
    if check and r.returncode:
        raise RuntimeError("%s: %s%s" % (cmd, r.stdout, r.stderr))
    return r.stdout + r.stderr


class Netns:
    def __init__(self, tag):
        self.name = "wp%s%d" % (tag, PID)
        self.add()

    def add(self):
        sh("ip netns add " + self.name)
        self.run("ip link set lo up")
        # Quiet: no router solicitations in counters.
        self.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 "
                 "net.ipv6.conf.default.accept_dad=0")

    def run(self, cmd, **kw):
        return sh("ip netns exec %s %s" % (self.name, cmd), **kw)

    def start(self, cmd):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name] + cmd.split(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def delete(self):
        sh("ip netns del " + self.name, check=False)


class Forwarder:
    """A running port_forward; status() is a dict per port."""

    def __init__(self, *args, netns=None):
        cmd = ["ip", "netns", "exec", netns.name] if netns else []
        self.p = subprocess.Popen(cmd + [FORWARD] + list(args), text=True,
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        line = self.p.stdout.readline().strip()
        if line != "ready":
            raise RuntimeError("port_forward said %r" % line)

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        return self.p.stdout.readline().strip()

    def status(self):
        lines = [self.ask("status"), self.p.stdout.readline().strip()]
        out = []
        for line in lines:
            d = dict(re.findall(r"(\w+)=(\S+)", line.split(" status=")[0]))
            d = {k: int(v) if v.isdigit() else v for k, v in d.items()}
            d["status"] = line.split(" status=")[1]
            out.append(d)
        return out

    def wait_status(self, i, text, seconds=5):
        end = time.time() + seconds
        while time.time() < end:
            s = self.status()[i]
            if text in s["status"]:
                return s
            time.sleep(0.1)
        raise AssertionError("status %r never said %r" % (s, text))

    def kill(self):
        self.p.kill()
        self.p.wait()

    def stop(self):
        if self.p.poll() is None:
            self.p.stdin.write("quit\n")
            self.p.stdin.flush()
            self.p.wait(timeout=10)
        assert self.p.returncode == 0, self.p.returncode


def iperf(server, client, addr, options="-t 2", port=5201):
    """Mbit/s from client to server."""
    s = server.start("iperf3 -s -1 -p %d" % port)
    time.sleep(0.5)
    try:
        out = client.run("iperf3 -c %s -p %d -f m %s" % (addr, port, options))
    finally:
        s.kill()
        s.wait()
    return float(re.findall(r"([\d.]+) Mbits/sec.*receiver", out)[-1])


def pcap_frames(path):
    data = open(path, "rb").read()
    frames, at = [], 24
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return frames


def run(tests):
    """Runs functions; each gets a list for its clean-up."""
    failed = 0
    for test in tests:
        cleanup = []
        try:
            test(cleanup)
            print("ok   %s" % test.__name__)
        except Exception as e:  # noqa: report and go on with the next
            failed += 1
            print("FAIL %s: %s: %s" % (test.__name__, type(e).__name__, e))
        finally:
            for undo in reversed(cleanup):
                try:
                    undo()
                except Exception as e:
                    print("     clean-up:", e)
    sys.exit(1 if failed else 0)
