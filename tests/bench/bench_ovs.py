# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch with DPDK as a benchmark subject, in each of the settings of
its caches that may be best."""
import os
import re

import bench_rows
from bench_peers import (LOCAL_MAC, REMOTE, REMOTE_MAC, UNDERLAY, WORKER_CORE,
                         Peer, run, wait_for)

PROGRAM = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"


class Ovs(Peer):
    name = "ovs"
    # Name, emc-insert-inv-prob (100 is its default), smc-enable.
    settings = [("default", "100", "false"), ("emc-always", "1", "false"),
                ("emc-off", "0", "false"), ("emc-off+smc", "0", "true")]

    def ctl(self, *words):
        return run("ovs-vsctl", "--timeout=20", *words, env=self.env)

    def ofctl(self, *words):
        return run("ovs-ofctl", *words, env=self.env)

    def appctl(self, *words, check=True):
        return run("ovs-appctl", "-t", self.dir + "/vs.ctl", *words,
                   env=self.env, check=check)

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
                 "dpdk-lcore-mask=0x1",
                 "pmd-cpu-mask=0x%x" % (1 << WORKER_CORE),
                 "flow-limit=2000000"] + list(setting[3:])
        self.ctl("--no-wait", "init")
        self.ctl("--no-wait", "set", "Open_vSwitch", ".",
                 "other_config:dpdk-extra=\"--no-pci -d %s\""
                 % self.bench.plugin,
                 *["other_config:" + o for o in other])
        self.apply(setting, "--no-wait")
        self.popen(PROGRAM, "unix:%s/db.sock" % d, "--unixctl=%s/vs.ctl" % d,
                   "-vconsole:off", "--log-file=%s/vs.log" % d)
        wait_for("ovs-vswitchd", lambda: os.path.exists(d + "/vs.ctl"))
        self.bridges()
        # At once, instead of 1,000 more each second.
        self.appctl("upcall/set-flow-limit", "2000000")

    def apply(self, setting, *how):
        if len(setting) > 2:
            self.ctl(*how, "set", "Open_vSwitch", ".",
                     "other_config:emc-insert-inv-prob=" + setting[1],
                     "other_config:smc-enable=" + setting[2])

    def bridges(self):
        r = self.row
        add = ["--", "add-br", "br0", "--", "set", "bridge", "br0",
               "datapath_type=netdev", "fail_mode=secure"]
        devices = self.devices() if r else {}
        if r and r["tunnel"]:
            add += self.underlay_words(devices)
        for number, devargs in devices.items():
            add += self.port("br0", "p%d" % number, devargs, number)
        self.ctl(*add[1:])
        if not r:
            return
        if r["tunnel"]:
            run(*self.bench.netns, "ip", "addr", "replace", UNDERLAY + "/24",
                "dev", "br-phy")
            run(*self.bench.netns, "ip", "link", "set", "br-phy", "up")
            self.appctl("tnl/arp/set", "br-phy", REMOTE, REMOTE_MAC)
        for command, lines in (("add-groups", r["groups"]),
                               ("add-meter", r["meters"])):
            if command == "add-groups" and lines:
                self.ofctl("-O", "OpenFlow15", command, "br0",
                           self.write_lines(lines))
            for line in lines if command == "add-meter" else []:
                self.ofctl("-O", "OpenFlow13", command, "br0", line)
        self.add_flows(bench_rows.rules_of(r, self.name))

    @staticmethod
    def port(bridge, name, devargs, number):
        return ["--", "add-port", bridge, name, "--", "set", "interface", name,
                "type=dpdk", "options:dpdk-devargs=\"%s\"" % devargs,
                "ofport_request=%d" % number]

    def underlay_words(self, devices):
        """Takes the underlay's device out of 'devices'."""
        r = self.row
        up = 2 if r["encap"] and not r["hairpin"] else 1
        kind, key = (("vxlan", bench_rows.KEYS["vxlan"])
                     if r["tunnel"] == "vxlan" else ("gre", None))
        words = ["--", "add-br", "br-phy", "--", "set", "bridge", "br-phy",
                 "datapath_type=netdev", "other-config:hwaddr=" + LOCAL_MAC]
        for n, number in enumerate([1, 2] if r["hairpin"] else [up]):
            name = "tun%d" % number
            words += ["--", "add-port", "br0", name, "--", "set", "interface",
                      name, "type=" + kind, "options:remote_ip=" + REMOTE,
                      "options:key=%s" % ("flow" if r["keys"] or not key
                                          else key + n),
                      "ofport_request=%d" % number]
        return words + self.port("br-phy", "phy", devices.pop(up), 1)

    def write_lines(self, lines):
        path = os.path.join(self.dir, "lines")
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def add_flows(self, rules):
        self.ofctl("-O", "OpenFlow14", "--bundle", "add-flows", "br0",
                   self.write_lines(rules))

    def rules_hit(self):
        out = self.ofctl("-O", "OpenFlow13", "dump-flows", "br0")
        return [(int(t), int(n)) for t, n in re.findall(
            r"table=(\d+), n_packets=(\d+)", out)]

    def worker(self):
        return self.thread(self.main_pid(), "pmd-c")

    def main_pid(self):
        return self.procs[1].pid

    def listen_tls(self, port, pem):
        """The same key and certificate for both ends, its own authority."""
        self.ctl("set-ssl", pem, pem, pem)
        self.ctl("set-controller", "br0", "pssl:%d:127.0.0.1" % port)

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
        self.appctl("exit", "--cleanup", check=False)
        super().stop()
