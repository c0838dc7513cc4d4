# SPDX-License-Identifier: Apache-2.0
"""Weft as a benchmark subject."""
import json
import os

import bench_rows
from bench_peers import (REMOTE, UNDERLAY, WORKER_CORE, Peer, run, wait_for)


class Weft(Peer):
    name = "weft"
    settings = [("default",)]
    core = WORKER_CORE

    def ctl(self, *words):
        return run(os.path.join(self.bench.build, "weftctl"), "--run-dir",
                   self.dir, *words, env=self.env)

    def dump(self, *words):
        return json.loads(run(os.path.join(self.bench.build, "weft-dump"),
                              "--run-dir", self.dir, "--json", *words))

    def start(self, setting):
        """setting: "default" polls, "no-poll" sleeps when idle; then more
        arguments of weftd."""
        self.write_conf("port")
        self.popen(os.path.join(self.bench.build, "weftd"), "--run-dir",
                   self.dir, "--no-state", "--workers", str(self.core),
                   "--eal", "-d " + self.bench.plugin,
                   *([] if setting[0] == "no-poll" else ["--poll"]),
                   *setting[1:])
        wait_for("weftd", lambda: os.path.exists(self.dir + "/weft.sock"))
        self.ctl("add-br", "br0")
        self.ctl("set-controller", "br0", "punix:" + self.openflow_socket())
        if self.row:
            self.ports()
            self.groups()
            self.add_flows(bench_rows.rules_of(self.row, self.name))

    def ports(self):
        r, devices = self.row, self.devices()
        if r["tunnel"]:
            self.tunnels(devices)
        for number, devargs in devices.items():
            self.ctl("add-port", "br0", "p%d" % number, "type=dpdk",
                     "devargs=" + devargs, "ofport=%d" % number)

    def tunnels(self, devices):
        """One port with a fixed key, or with keys that rules choose; hairpin
        rows have two, on one uplink."""
        r = self.row
        up = 2 if r["encap"] and not r["hairpin"] else 1
        self.ctl("add-uplink", "up0", "type=dpdk", "devargs=" + devices[up],
                 "address=%s/24" % UNDERLAY)
        del devices[up]
        key = bench_rows.KEYS[r["tunnel"]]
        for n, number in enumerate([1, 2] if r["hairpin"] else [up]):
            self.ctl("add-port", "br0", "tun%d" % number,
                     "type=" + r["tunnel"], "remote=" + REMOTE,
                     "local=" + UNDERLAY,
                     "key=flow" if r["keys"] else "key=%d" % (key + n),
                     "ofport=%d" % number)

    def groups(self):
        for command, lines in (("add-groups", self.row["groups"]),
                               ("add-meters", self.row["meters"])):
            if lines:
                self.ctl(command, "br0", self.write_lines(lines))

    def write_lines(self, lines):
        path = os.path.join(self.dir, "lines")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def listen_tls(self, port, pem):
        """The same key and certificate for both ends, its own authority."""
        self.ctl("set-br", "br0", "private-key=" + pem, "certificate=" + pem,
                 "ca-cert=" + pem)
        self.ctl("set-controller", "br0", "punix:" + self.openflow_socket(),
                 "ptls:%d:127.0.0.1" % port)

    def bounds(self):
        """Largest number of probes of any table, and its form."""
        tables = self.dump("tables", "br0")["tables"]
        return max((t["max_probes"], t["form"]) for t in tables)

    def taps(self, vms):
        for n, vm in enumerate(vms, 1):
            self.ctl("add-port", "br0", "bt%d" % n, "type=tap",
                     "netns=" + vm, "ofport=%d" % n)
        self.add_flows(["in_port=1,actions=output:2",
                        "in_port=2,actions=output:1"])

    def add_flows(self, rules):
        run("ovs-ofctl", "-O", "OpenFlow13", "add-flows",
            "unix:" + self.openflow_socket(), self.write_lines(rules))

    def longest_us(self, reset=False):
        w = self.dump("workers", *(["--reset-longest"] if reset else []))
        return max(x["longest_cycles"] * 1e6 / x["tsc_hz"]
                   for x in w["workers"])

    def rules_hit(self):
        return [(f["table"], f["packets"])
                for f in self.dump("flows", "br0")["flows"]]

    def worker(self):
        return self.thread(self.main_pid(), "weft-w")

    def main_pid(self):
        return self.procs[0].pid

    def openflow_socket(self):
        return os.path.join(self.dir, "br0.mgmt")
