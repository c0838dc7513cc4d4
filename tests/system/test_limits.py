#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Idle processor time and memory of an ordinary switch."""
import time
import unittest
import lab


class Limits(unittest.TestCase):
    def test_idle_switch_with_two_taps_uses_under_5_percent_of_a_core(self):
        with lab.Lab() as l:
            a, b = l.ns("a"), l.ns("b")
            s = l.switch()
            s.ctl("add-br", "br0")
            s.tap("br0", "tap1", a, "10.0.0.1/24", ofport=1)
            s.tap("br0", "tap2", b, "10.0.0.2/24", ofport=2)
            s.flows("actions=NORMAL")
            l.ping(a, "10.0.0.2", count=3)
            time.sleep(2)
            cpu, start = lab.cpu_seconds(s.process.pid), time.monotonic()
            time.sleep(5)
            share = ((lab.cpu_seconds(s.process.pid) - cpu)
                     / (time.monotonic() - start))
            print("idle: %.2f %% of a core" % (100 * share))
            self.assertLess(share, 0.05)

    def idle_share(self, *args):
        """Share of a core with a port that can only be polled."""
        with lab.Lab() as l:
            s = l.switch(args=["--eal", "--no-huge"] + list(args))
            s.ctl("add-br", "br0")
            s.ctl("add-port", "br0", "p1", "type=dpdk",
                  "devargs=net_null0,no-rx=1", "ofport=1")
            time.sleep(1)
            cpu, start = lab.cpu_seconds(s.process.pid), time.monotonic()
            time.sleep(3)
            return ((lab.cpu_seconds(s.process.pid) - cpu)
                    / (time.monotonic() - start))

    def test_latency_target_decides_how_much_an_idle_worker_polls(self):
        # Two sleeps each ms at most, and their waking up; then none at all.
        default = self.idle_share()
        strict = self.idle_share("--latency-target", "100")
        always = self.idle_share("--latency-target", "10")
        print("idle: %.3f, %.3f, %.3f of a core" % (default, strict, always))
        self.assertLess(default, 0.05)
        self.assertLess(default, strict)
        self.assertLess(strict, always)

    def test_latency_target_out_of_range_is_refused(self):
        r = lab.sh(lab.BUILD + "/weftd", "--latency-target", "1000001",
                   check=False)
        self.assertEqual(r.returncode, 2)
        self.assertIn("--latency-target is not in 0..1000000", r.stderr)

    def test_memory_without_huge_pages_is_at_most_300_mib(self):
        with lab.Lab() as l:
            host, a = l.ns("host"), l.ns("a")
            l.link(host, a, address_a="192.0.2.1/24",
                   address_b="192.0.2.2/24")
            s = l.switch("weft", host, args=["--eal", "--no-huge"])
            s.ctl("add-br", "br0")
            s.ctl("add-uplink", "eth0")
            for i, t in enumerate(("blue", "red")):
                vm = l.ns(t)
                s.tap("br0", t + "-vm", vm, "10.0.0.1/24", mtu=1450)
                s.ctl("add-port", "br0", t + "-tun",
                      "type=" + ("vxlan", "nvgre")[i], "local=192.0.2.1",
                      "remote=192.0.2.2", "key=%d" % (5001 + 1000 * i))
            rss = s.rss_kib() / 1024
            print("resident: %.0f MiB" % rss)
            self.assertLessEqual(rss, 300)

    def test_memory_per_rule_is_at_most_256_bytes_and_comes_back(self):
        n = 200000
        with lab.Lab() as l:
            s = l.switch()
            s.ctl("add-br", "br0")
            s.flows("priority=1,actions=drop")
            before = s.rss_kib()
            rules = ("in_port=1,udp,nw_src=10.%d.%d.%d,tp_src=%d,tp_dst=53,"
                     "actions=set_field:02:00:00:00:00:%02x->eth_dst,output:2"
                     % (i >> 16, i >> 8 & 255, i & 255, 1000 + i % 50000,
                        i % 48) for i in range(n))
            s.flows(*rules)
            each = (s.rss_kib() - before) * 1024 / n
            print("%.0f bytes per rule" % each)
            # The last chunk and the hash table are not full.
            self.assertLess(each, 256)
            self.assertEqual(n + 1, int(s.ofctl(
                "dump-aggregate").split("flow_count=")[1]))
            s.ofctl("del-flows")
            lab.wait_until("memory back", lambda: (s.rss_kib() - before)
                           * 1024 / n < 64, 10)


if __name__ == "__main__":
    lab.main("ping", "ovs-ofctl")
