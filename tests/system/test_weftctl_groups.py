#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""weftctl's groups, meters and bundles, beside ovs-ofctl on the same bridge."""
import json
import re
import lab


class WeftctlGroups(lab.OneBridge):
    def setUp(self):
        super().setUp()
        self.sw.ctl("del-groups", "br0")
        self.sw.ctl("del-meters", "br0")

    def groups(self):
        """As ovs-ofctl sees them; weftctl must say the same."""
        theirs = self.sw.ofctl("dump-groups").splitlines()[1:]
        ours = self.sw.ctl("dump-groups", "br0").splitlines()
        plain = [re.sub(r"bucket_id:\d+,", "", x.strip()) for x in ours]
        self.assertEqual([x.strip() for x in theirs], plain)
        return plain

    def test_groups_are_added_changed_and_deleted(self):
        self.sw.ctl("add-group", "br0", "group_id=1,type=all,"
                    "bucket=output:1,bucket=output:2")
        self.sw.ctl("add-group", "br0", "group_id=2,type=select,"
                    "bucket=weight:5,output:3")
        self.assertEqual(len(self.groups()), 2)
        self.sw.ctl("mod-group", "br0", "group_id=2,type=indirect,"
                    "bucket=output:4")
        self.assertIn("group_id=2,type=indirect,bucket=actions=output:4",
                      self.groups())
        self.sw.ctl("insert-buckets", "br0", "group_id=1,"
                    "command_bucket_id=last,bucket=bucket_id:7,output:5")
        self.assertEqual(self.groups()[0].count("bucket="), 3)
        self.sw.ctl("remove-buckets", "br0", "group_id=1,"
                    "command_bucket_id=7")
        self.assertEqual(self.groups()[0].count("bucket="), 2)
        self.sw.ctl("del-groups", "br0", "group_id=1")
        self.assertEqual(len(self.groups()), 1)

    def test_group_that_ovs_ofctl_prints_is_read_back(self):
        self.sw.ctl("add-group", "br0", "group_id=9,type=ff,"
                    "bucket=watch_port:1,output:1,"
                    "bucket=watch_port:2,set_field:5->tun_id,output:2")
        before = self.groups()
        self.sw.ctl("del-groups", "br0")
        self.ctl_in("\n".join(before) + "\n", "add-groups", "br0", "-")
        self.assertEqual(self.groups(), before)

    def test_refusals_name_the_error(self):
        self.sw.ctl("add-group", "br0", "group_id=1,type=all,bucket=1")
        for words, want in (
                (("add-group", "br0", "group_id=1,type=all,bucket=1"),
                 "GROUP_EXISTS"),
                (("add-group", "br0", "group_id=2,type=al,bucket=1"), "al"),
                (("add-flow", "br0", "actions=group:77"), "GROUP"),
                (("add-meter", "br0", "meter=5,kbps,bands=type=drop"),
                 "rate"),
                (("mod-meter", "br0",
                  "meter=5,kbps,bands=type=drop,rate=1"), "METER")):
            r = self.sw.ctl(*words, check=False)
            self.assertEqual(r.returncode, 1, words)
            self.assertIn(want, r.stderr)

    def test_meters_are_seen_by_ovs_ofctl(self):
        self.sw.ctl("add-meter", "br0",
                    "meter=5,pktps,burst,bands=type=drop,rate=100,"
                    "burst_size=10")
        self.sw.ctl("add-flow", "br0", "ip,actions=meter:5,output:1")
        theirs = self.sw.ofctl("dump-meters")
        self.assertIn("meter=5 pktps burst bands=", theirs)
        self.assertIn("rate=100 burst_size=10", theirs)
        ours = self.sw.ctl("dump-meters", "br0")
        self.assertIn("meter=5", ours)
        self.assertIn("flow_count:1", self.sw.ctl("meter-stats", "br0"))
        m = self.sw.json("meters", "br0")["meters"]
        self.assertEqual([(x["meter"], x["flow_count"]) for x in m],
                         [("5", 1)])
        self.sw.ctl("del-meters", "br0", "meter=5")
        self.assertEqual(self.sw.ctl("dump-flows", "br0"), "")

    def test_bundle_is_all_or_nothing(self):
        good = ("group add group_id=1,type=all,bucket=output:1\n"
                "meter add meter=1,kbps,bands=type=drop,rate=1000\n"
                "flow add priority=1,ip,actions=meter:1,group:1\n"
                "flow add priority=2,arp,actions=output:2\n"
                "flow delete_strict priority=2,arp\n")
        self.ctl_in(good, "bundle", "br0", "-")
        self.assertEqual(
            self.sw.ctl("dump-flows", "br0", "--no-stats").strip(),
            "cookie=0x0, table=0, priority=1,ip actions=meter:1,group:1")
        r = self.ctl_in("flow add priority=5,tcp,actions=1\n"
                        "flow delete ip\n"
                        "flow add priority=6,udp,actions=group:99\n",
                        "bundle", "br0", "-", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("line 3: refused", r.stderr)
        self.assertIn("nothing was changed", r.stderr)
        self.assertEqual(
            self.sw.ctl("dump-flows", "br0", "--no-stats").strip(),
            "cookie=0x0, table=0, priority=1,ip actions=meter:1,group:1")

    def test_bundle_of_flows_keeps_the_old_ones_when_one_is_refused(self):
        self.sw.ctl("add-flow", "br0", "ip,actions=1")
        r = self.ctl_in("delete\narp,actions=1\ntable=9,goto_table:1,"
                        "actions=goto_table:3\n", "add-flows", "--bundle",
                        "br0", "-", check=False)
        self.assertEqual(r.returncode, 1)
        r = self.ctl_in("delete\narp,actions=1\ntable=9,"
                        "actions=goto_table:3\n", "add-flows", "--bundle",
                        "br0", "-", check=False)
        self.assertIn("INS_BAD_TABLE_ID", r.stderr)
        self.assertIn("ip actions=output:1",
                      self.sw.ctl("dump-flows", "br0"))
        self.ctl_in("delete\narp,actions=1\n", "add-flows", "--bundle",
                    "br0", "-")
        self.assertNotIn("ip actions", self.sw.ctl("dump-flows", "br0"))

    def test_dump_of_groups_has_counters(self):
        self.sw.ctl("add-group", "br0", "group_id=3,type=all,bucket=output:1")
        g = self.sw.json("groups", "br0")["groups"]
        self.assertEqual([(x["group"], x["type"], x["packets"],
                           len(x["buckets"])) for x in g],
                         [(3, "all", 0, 1)])
        self.assertIn("ref_count=0", self.sw.ctl("dump-group-stats", "br0"))
        self.assertIn("output:1", self.sw.dump("groups", "br0"))
        json.loads(self.sw.ctl("--json", "dump-groups", "br0"))


if __name__ == "__main__":
    lab.main("ovs-ofctl")
