#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A plain os-ken learning switch turns a bridge into a learning switch."""
import os
import unittest
import lab

APP = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                   "learning_switch.py")


class LearningSwitch(unittest.TestCase):
    def start_controller(self, l, ns, port=6653):
        c = l.start("osken%d" % len(l.processes), lab.PYTHON,
                    "/usr/bin/osken-manager", "--ofp-listen-host",
                    "127.0.0.1", "--ofp-tcp-listen-port", port, APP, ns=ns)
        return c

    def topology(self, l):
        host = l.ns("host")
        s = l.switch("weft", host)
        s.ctl("add-br", "br0")
        vms = []
        for i in (1, 2, 3):
            ns = l.ns("vm%d" % i)
            s.tap("br0", "vm%d" % i, ns, "10.0.0.%d/24" % i, ofport=i,
                  mac="02:00:00:00:00:0%d" % i)
            vms.append(ns)
        s.ctl("set-controller", "br0", "tcp:127.0.0.1:6653")
        return s, host, vms

    @staticmethod
    def connected(s):
        return any(c["connected"] for c in s.json("controllers")
                   ["controllers"])

    def test_hosts_reach_each_other_and_rules_are_learnt(self):
        with lab.Lab() as l:
            s, host, vms = self.topology(l)
            self.start_controller(l, host)
            lab.wait_until("controller", lambda: self.connected(s), 20)
            lab.wait_until("table-miss rule", lambda: "CONTROLLER" in s.dump(
                "flows", "br0"))
            l.ping(vms[0], "10.0.0.2", count=10)
            l.ping(vms[1], "10.0.0.3", count=10)
            l.ping(vms[2], "10.0.0.1", count=10)
            l.tcp(vms[0], vms[2], "10.0.0.3")
            flows = s.dump("flows", "br0")
            self.assertIn("dl_dst=02:00:00:00:00:01", flows)
            self.assertIn("dl_dst=02:00:00:00:00:03", flows)

    def test_controller_killed_and_started_again(self):
        with lab.Lab() as l:
            s, host, vms = self.topology(l)
            c = self.start_controller(l, host)
            lab.wait_until("controller", lambda: self.connected(s), 20)
            lab.wait_until("ping", lambda: l.ping(
                vms[0], "10.0.0.2", count=1, check=False) == 1)
            c.stop(9)
            lab.wait_until("disconnect", lambda: not self.connected(s))
            l.ping(vms[0], "10.0.0.2", count=10)  # Fail-secure: rules stay.
            self.start_controller(l, host)
            lab.wait_until("reconnect", lambda: self.connected(s), 30)
            lab.wait_until("ping to a new host", lambda: l.ping(
                vms[0], "10.0.0.3", count=1, check=False) == 1)


if __name__ == "__main__":
    if not os.path.exists("/usr/bin/osken-manager"):
        print("python3-os-ken not installed: skipped")
        raise SystemExit(lab.SKIPPED)
    lab.main()
