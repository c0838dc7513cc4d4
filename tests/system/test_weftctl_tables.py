#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""weftctl monitor, settings of ports and tables, long answers.

        weftctl mod-port, mod-table --> br0 <-- ovs-ofctl dump-table-desc ..."""
import re
import subprocess
import lab

ARP = ("ffffffffffff02000000000108060001080006040001020000000001c0a80001"
       "000000000000c0a80002")


class WeftctlTables(lab.OneBridge):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ns = cls.lab.ns("vm")
        for i in (1, 2):
            cls.sw.tap("br0", "tt%d" % i, ns, ofport=i)

    def refused(self, what, *words):
        r = self.sw.ctl(*words, check=False)
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertIn(what, r.stderr)

    def ofctl14(self, command, *words):
        return lab.sh("ovs-ofctl", "-O", "OpenFlow14", command,
                      self.sw.openflow(), *words)

    # --------------------------------------------------------------- monitor

    def monitor(self, *words):
        p = subprocess.Popen(
            [lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "monitor",
             "br0", *words], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, p)
        return p

    @staticmethod
    def end(p):
        p.terminate()
        p.wait()
        p.stdout.close()

    def until(self, p, pattern):
        """Lines up to the first one that has the pattern."""
        lines = []
        while True:
            line = p.stdout.readline()
            self.assertTrue(line, "ended after:\n" + "".join(lines))
            lines.append(line)
            if re.search(pattern, line):
                return "".join(lines)

    def test_monitor_tells_flows_packets_ports_and_removals(self):
        self.sw.ctl("add-flow", "br0", "priority=7,icmp,actions=output:2")
        p = self.monitor("65535", "watch:!own")
        self.until(p, r"event=INITIAL table=0 cookie=0x0 priority=7,icmp "
                      r"actions=output:2")
        self.sw.ctl("add-flow", "br0", "table=1,cookie=5,tcp,tp_dst=80,"
                    "send_flow_rem,idle_timeout=9,actions=2")
        self.until(p, r"event=ADDED table=1 idle_timeout=9 cookie=0x5 "
                      r"tcp,tp_dst=80 actions=output:2$")
        self.sw.ctl("mod-flows", "br0", "table=1,tcp,actions=output:1")
        self.until(p, r"event=MODIFIED table=1 .* actions=output:1$")
        self.sw.ctl("add-flow", "br0", "arp,actions=controller")
        self.sw.ctl("packet-out", "br0",
                    "in_port=1,packet=%s,actions=table" % ARP)
        text = self.until(p, r"^arp,.*arp_spa=192.168.0.1")
        self.assertIn("total_len=42 in_port=1 (via action) data_len=42 "
                      "(unbuffered)", text)
        self.sw.ctl("mod-port", "br0", "tt2", "no-packet-in")
        self.until(p, r"OFPT_PORT_STATUS .* MOD: 2\(tt2\)")
        self.until(p, r"config: +NO_PACKET_IN")
        self.sw.ctl("mod-port", "br0", "tt2", "packet-in")
        self.sw.ctl("del-flows", "br0", "table=1")
        self.until(p, r"OFPT_FLOW_REMOVED .*tcp,tp_dst=80 reason=delete "
                      r"table_id=1 cookie:0x5 duration.*idle9 pkts0")

    def test_monitor_watches_what_it_was_asked_for(self):
        p = self.monitor("watch:!initial,!delete,!actions,table=3")
        lab.wait_until("the monitor is there", lambda: self.watched(p))
        self.sw.ctl("add-flow", "br0", "table=2,ip,actions=1")
        self.sw.ctl("add-flow", "br0", "table=3,ip,actions=1")
        self.sw.ctl("del-flows", "br0")
        self.sw.ctl("add-flow", "br0", "table=3,arp,actions=1")
        text = self.until(p, "arp")
        events = [x.strip() for x in text.splitlines() if "event=" in x]
        self.assertEqual(events[-2:], [
            "event=ADDED table=3 cookie=0x0 ip",
            "event=ADDED table=3 cookie=0x0 arp"])
        self.assertFalse([e for e in events if "table=2" in e])

    def watched(self, p):
        """Its first line has come: the request is answered."""
        return "FLOW_MONITOR" in p.stdout.readline()

    def test_monitor_ends_with_its_bridge(self):
        self.sw.ctl("add-br", "br9")
        p = subprocess.Popen(
            [lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "monitor",
             "br9", "1", "watch:"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        p.stdout.readline()
        self.sw.ctl("del-br", "br9")
        out, err = p.communicate(timeout=10)
        self.assertEqual(p.returncode, 1, out + err)
        self.assertIn("br9", err)

    def test_monitor_refuses_words_that_it_does_not_know(self):
        self.refused('"loud"', "monitor", "br0", "loud")
        self.refused("tpp", "monitor", "br0", "watch:tpp")
        self.refused("cookie", "monitor", "br0", "watch:cookie=5")
        self.refused("65536 exceeds 65535", "monitor", "br0", "65536")
        self.refused("br7", "monitor", "br7")

    # -------------------------------------------------------------- settings

    def test_table_settings_are_read_by_ovs_ofctl(self):
        self.sw.ctl("mod-table", "br0", "4", "evict")
        self.sw.ctl("mod-table", "br0", "4", "vacancy:20,40")
        self.sw.ctl("mod-table", "br0", "4", "name:acl")
        self.sw.ctl("mod-table", "br0", "acl", "max:100")
        theirs = self.ofctl14("dump-table-desc")
        self.assertRegex(theirs, r"table 4[^:]*:\s+eviction=on "
                         r"eviction_flags=OTHER\|IMPORTANCE\|LIFETIME\s+"
                         r"vacancy=on\s+vacancy_down=20%\s+vacancy_up=40%")
        ours = self.sw.ctl("dump-table-desc", "br0")
        self.assertIn("  table 4:\n   eviction=on eviction_flags=OTHER|"
                      "IMPORTANCE|LIFETIME\n   vacancy=on vacancy_down=20% "
                      "vacancy_up=40% vacancy=100%\n", ours)
        features = self.sw.ctl("dump-table-features", "br0")
        self.assertIn('  table 4 ("acl"):\n    next tables: 5-253\n',
                      features)
        self.assertIn("    max_entries=100\n", features)
        self.sw.ctl("mod-table", "br0", "acl", "noevict")
        self.sw.ctl("mod-table", "br0", "all", "novacancy")
        self.assertNotIn("=on", self.sw.ctl("dump-table-desc", "br0"))
        self.sw.ctl("mod-table", "br0", "acl", "name:table4")

    def test_full_table_of_a_limit_refuses_the_next_flow(self):
        self.sw.ctl("mod-table", "br0", "9", "max:2")
        for i in (1, 2):
            self.sw.ctl("add-flow", "br0", "table=9,priority=%d,actions=1" % i)
        self.refused("TABLE_FULL", "add-flow", "br0",
                     "table=9,priority=3,actions=1")

    def test_settings_refuse_by_name_value_and_limit(self):
        for what, words in (
                ("777 exceeds 253", ("777", "evict")),
                ("table nix", ("nix", "evict")),
                ("101 exceeds 100", ("1", "vacancy:5,101")),
                ("first threshold", ("1", "vacancy:50,5")),
                ("vacancy:DOWN,UP", ("1", "vacancy:5")),
                ("exceeds 2097152", ("1", "max:2097153")),
                ("32 characters", ("1", "name:" + "x" * 32)),
                ("that of table 2", ("1", "name:table2")),
                ("digit", ("1", "name:7up")),
                ('"loud"', ("1", "loud")),
                ("table-miss", ("1", "controller"))):
            with self.subTest(what):
                self.refused(what, "mod-table", "br0", *words)
        self.refused('"loud"', "mod-port", "br0", "1", "loud")
        self.refused("no port 9", "mod-port", "br0", "9", "up")
        self.refused("tt9", "mod-port", "br0", "tt9", "up")
        r = self.sw.ctl("mod-port", "br0", "1", check=False)
        self.assertEqual(r.returncode, 2)

    def test_port_settings_are_read_by_ovs_ofctl(self):
        for setting, bit in (("no-receive", "NO_RECV"),
                             ("no-forward", "NO_FWD"),
                             ("no-packet-in", "NO_PACKET_IN"),
                             ("down", "PORT_DOWN")):
            self.sw.ctl("mod-port", "br0", "tt1", setting)
            self.assertIn(bit, self.sw.ofctl("dump-ports-desc"))
            self.sw.ctl("mod-port", "br0", "1",
                        "up" if setting == "down" else setting[3:])
            self.assertNotIn(bit, self.sw.ofctl("dump-ports-desc"))

    # ---------------------------------------------------------- long answers

    def test_long_dumps_are_complete_and_take_little_memory(self):
        n = 60000
        lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "add-flows",
               "br0", "-", text="".join(
                   "table=2,ip,nw_src=10.%d.%d.%d,actions=output:2\n" % (
                       i >> 16, i >> 8 & 255, i & 255) for i in range(n)))
        self.assertEqual(len(self.sw.json("flows", "br0")["flows"]), n)
        out = self.sw.dump("flows", "br0")
        self.assertEqual(len(set(re.findall(r"nw_src=([\d.]+)", out))), n)
        out = lab.sh("/usr/bin/env", lab.PYTHON, "-c", "import resource, "
                     "subprocess, sys; subprocess.run(sys.argv[1:], "
                     "stdout=subprocess.DEVNULL, check=True); print("
                     "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                     lab.BUILD + "/weft-dump", "--run-dir", self.sw.dir,
                     "--json", "flows", "br0")
        if "sanitize" not in lab.BUILD:
            self.assertLess(int(out), 40000)  # KiB; the answer is 15 MB.

    def test_many_addresses_are_told_once_each(self):
        self.sw.ctl("add-flow", "br0", "actions=normal")
        macs = ["02:00:00:00:%02x:%02x" % (i >> 8, i & 255)
                for i in range(600)]
        text = "".join("packet-out in_port=1,packet=ffffffffffff%s88b5%s,"
                       "actions=normal\n" % (m.replace(":", ""), "00" * 46)
                       for m in macs)
        lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "bundle",
               "br0", "-", text=text)
        def learned():
            return sorted(m["mac"] for m in self.sw.json("macs")["macs"]
                          if m["mac"] in macs)
        lab.wait_until("all are learned", lambda: learned() == macs)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
