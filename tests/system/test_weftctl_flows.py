#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""weftctl's OpenFlow commands, beside ovs-ofctl on the same bridge.

        weftctl add-flow ... --> br0 <-- ovs-ofctl dump-flows ..."""
import json
import re
import lab


def plain(text):
    """Rules of ovs-ofctl or weft-dump without counters and times."""
    rules = []
    for line in text.splitlines():
        if "actions=" not in line:
            continue
        line = re.sub(r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^ ]*"
                      r" *", "", line.strip())
        line = re.sub(r"(cookie|table)=[^ ]* *", lambda m: ""
                      if m.group(0).strip() in ("cookie=0x0,", "table=0,")
                      else m.group(0), line)
        rules.append(line.strip())
    return sorted(rules)


class WeftctlFlows(lab.OneBridge):
    def both(self):
        """What ovs-ofctl and weft-dump show; they must agree."""
        ours = plain(self.sw.dump("flows", "br0"))
        self.assertEqual(plain(self.sw.ofctl("dump-flows")), ours)
        return ours

    def test_flow_of_weftctl_is_read_by_ovs_ofctl(self):
        self.sw.ctl("add-flow", "br0", "priority=9,tcp,nw_dst=10.0.0.0/8,"
                    "tp_dst=80,actions=dec_ttl,output:2")
        self.assertEqual(self.both(), [
            "priority=9,tcp,nw_dst=10.0.0.0/8,tp_dst=80 "
            "actions=dec_ttl,output:2"])

    def test_file_with_comments_and_commands_is_applied_in_order(self):
        r = lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "--json",
                   "add-flows", "br0", "-", text="# a comment\n\n"
                   "priority=1,ip,actions=1  # behind a flow\n"
                   "add priority=2,arp actions=2\n"
                   "priority=3,ipv6,actions=3\n"
                   "delete ip\n"
                   "modify_strict priority=2,arp,actions=4\n")
        self.assertEqual(json.loads(r), {"sent": 5, "refused": 0})
        self.assertEqual(self.both(), ["priority=2,arp actions=output:4",
                                       "priority=3,ipv6 actions=output:3"])

    def test_error_in_a_file_names_the_line_and_changes_nothing(self):
        r = lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir,
                   "add-flows", "br0", "-", check=False,
                   text="ip,actions=1\nip,nw_dstt=1.2.3.4,actions=2\n")
        self.assertEqual(r.returncode, 1)
        self.assertIn("standard input: line 2: column 4: nw_dstt", r.stderr)
        self.assertEqual(self.both(), [])

    def test_error_far_down_in_a_long_file_changes_nothing(self):
        n = 70000
        text = "".join("ip,nw_src=10.%d.%d.%d,actions=1\n" % (
            i >> 16, i >> 8 & 255, i & 255) for i in range(n))
        r = self.ctl_in(text + "ip,tp_dst=80,actions=1\n", "add-flows",
                        "br0", "-", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("line %d: column 4: tp_dst" % (n + 1), r.stderr)
        self.assertEqual(self.both(), [])

    def test_refusal_of_the_agent_names_the_error(self):
        r = self.sw.ctl("add-flow", "br0", "table=9,actions=goto_table:3",
                        check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("INS_BAD_TABLE_ID", r.stderr)
        r = lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir,
                   "add-flows", "br0", "-", check=False,
                   text="ip,actions=1\ntable=9,actions=goto_table:3\n")
        self.assertEqual(r.returncode, 1)
        self.assertIn("line 2: refused: INS_BAD_TABLE_ID", r.stderr)
        self.assertEqual(self.both(), ["ip actions=output:1"])

    def test_strict_commands_touch_one_rule(self):
        self.sw.flows("priority=1,ip,actions=1", "priority=2,ip,actions=1",
                      "priority=2,tcp,actions=1")
        self.sw.ctl("mod-flows", "--strict", "br0", "priority=2,ip,actions=5")
        self.sw.ctl("del-flows", "--strict", "br0", "priority=1,ip")
        self.assertEqual(self.both(), ["priority=2,ip actions=output:5",
                                       "priority=2,tcp actions=output:1"])
        self.sw.ctl("mod-flows", "br0", "ip,actions=6")
        self.sw.ctl("del-flows", "br0", "tcp")
        self.assertEqual(self.both(), ["priority=2,ip actions=output:6"])

    def test_hundred_thousand_flows_go_in_and_out(self):
        n = 100000
        lab.sh(lab.BUILD + "/weftctl", "--run-dir", self.sw.dir, "add-flows",
               "br0", "-", text="".join(
                   "table=1,ip,nw_src=10.%d.%d.%d,actions=output:%d\n" % (
                       i >> 16, i >> 8 & 255, i & 255, i % 9 + 1)
                   for i in range(n)))
        t = self.sw.json("tables", "br0")["tables"]
        self.assertEqual([x["rules"] for x in t if x["table"] == 1], [n])
        self.sw.ctl("del-flows", "br0", "table=1")
        self.assertEqual(self.both(), [])

    def test_packet_out_leaves_by_the_port(self):
        ns = self.lab.ns("vm%d" % len(self.lab.namespaces))
        self.sw.tap("br0", "po1", ns, ofport=40)
        frame = "ffffffffffff02000000000188b5" + "00" * 46
        before = self.rx(ns)
        self.sw.ctl("packet-out", "br0", "in_port=controller,packet=%s,"
                    "actions=output:40" % frame)
        lab.wait_until("the frame", lambda: self.rx(ns) == before + 1)

    @staticmethod
    def rx(ns):
        out = json.loads(lab.sh("ip", "-j", "-s", "link", "show", "po1",
                                ns=ns))
        return out[0]["stats64"]["rx"]["packets"]

    def test_dump_flows_sorts_by_table_and_priority(self):
        self.sw.flows("table=1,priority=1,ip,actions=1",
                      "priority=1,arp,actions=1", "priority=9,tcp,actions=2",
                      "table=1,priority=7,cookie=0x5,udp,actions=drop")
        lines = self.sw.ctl("dump-flows", "br0", "--no-stats").splitlines()
        self.assertEqual([x.strip() for x in lines], [
            "cookie=0x0, table=0, priority=9,tcp actions=output:2",
            "cookie=0x0, table=0, priority=1,arp actions=output:1",
            "cookie=0x5, table=1, priority=7,udp actions=drop",
            "cookie=0x0, table=1, priority=1,ip actions=output:1"])
        by_cookie = self.sw.ctl("dump-flows", "br0", "table=1", "--no-stats",
                                "--rsort=cookie").splitlines()
        self.assertEqual(len(by_cookie), 2)
        self.assertIn("cookie=0x5", by_cookie[0])

    def test_diff_and_replace_make_bridge_and_file_the_same(self):
        self.sw.flows("priority=1,ip,actions=1", "priority=2,arp,actions=2",
                      "table=3,priority=3,ipv6,actions=3")
        # Other words for the second rule, another third, no first.
        want = ("priority=2,dl_type=0x0806,actions=output:2\n"
                "table=3,priority=3,ipv6,actions=4\n"
                "priority=5,ip,actions=mod_vlan_vid:7,5\n")
        diff = self.ctl_in(want, "diff-flows", "br0", "-", check=False)
        self.assertEqual(diff.returncode, 4)
        self.assertEqual(diff.stdout.splitlines(), [
            "-priority=1,ip actions=output:1",
            "-table=3 priority=3,ipv6 actions=output:3",
            "+priority=5,ip actions=push_vlan:0x8100,"
            "set_field:4103->vlan_vid,output:5",
            "+table=3 priority=3,ipv6 actions=output:4"])
        self.ctl_in(want, "replace-flows", "br0", "-")
        self.assertEqual(self.ctl_in(want, "diff-flows", "br0", "-"), "")
        # ovs-ofctl, too, finds nothing to change.
        path = self.sw.dir + "/want.txt"
        with open(path, "w") as f:
            f.write(self.sw.ctl("dump-flows", "br0", "--no-stats"))
        self.assertEqual(lab.sh(
            "ovs-ofctl", "-O", "OpenFlow13", "diff-flows", path,
            self.sw.openflow()), "")

    def test_error_in_a_file_to_compare_names_the_line(self):
        r = self.ctl_in("ip,actions=1\nip,actions=outputt:2\n",
                        "diff-flows", "br0", "-", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("line 2: column 12: outputt", r.stderr)

    def test_bridge_that_is_not_there_is_named(self):
        r = self.sw.ctl("add-flow", "br7", "actions=1", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("br7", r.stderr)


if __name__ == "__main__":
    lab.main("ovs-ofctl")
