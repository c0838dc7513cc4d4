#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the benchmark promises of its rules, traffic and arithmetic."""
import ipaddress
import os
import struct
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import bench_latency  # noqa: E402
import bench_rows     # noqa: E402
import bench_rules    # noqa: E402
import bench_svg      # noqa: E402


def matches(rule, flow):
    src, dst, sport, dport, proto = flow[:5]
    return all((
        src & bench_rules.prefix_mask(rule.src[1]) == rule.src[0],
        dst & bench_rules.prefix_mask(rule.dst[1]) == rule.dst[0],
        sport & rule.sport[1] == rule.sport[0],
        dport & rule.dport[1] == rule.dport[0],
        rule.proto in (None, proto)))


class Rules(unittest.TestCase):
    def test_rule_sets_are_the_same_on_every_machine(self):
        for shape in CRCS:
            text = "\n".join(bench_rules.texts(
                bench_rules.rule_set(shape, 100)))
            again = "\n".join(bench_rules.texts(
                bench_rules.rule_set(shape, 100)))
            self.assertEqual(text, again)
            self.assertEqual(zlib.crc32(text.encode()), CRCS[shape], shape)

    def test_each_flow_matches_the_rule_it_was_made_for(self):
        rules = bench_rules.rule_set("fw", 200)
        flows = bench_rules.matching_flows(rules, 200)
        self.assertEqual(len(set(flows)), 200)
        met = [any(matches(r, f) for f in flows) for r in rules]
        self.assertTrue(all(met))

    def test_free_bits_of_a_flow_never_leave_its_rule(self):
        for rule in bench_rules.rule_set("ipc", 50):
            flow = bench_rules.matching_flows([rule], 1)[0]
            changed = flow[:2] + (flow[2] ^ flow[5],) + flow[3:]
            self.assertTrue(matches(rule, changed))

    def test_flows_of_one_crc_differ_and_have_it(self):
        flows = bench_rules.one_crc(500)
        self.assertEqual(len(set(flows)), 500)
        self.assertEqual(len({bench_rules.crc32c(struct.pack("!IIHHB", *f))
                              for f in flows}), 1)

    def test_crc_is_that_of_rfc_3720(self):
        # §B.4: 32 bytes of zeros.  A start value of all ones is the same as
        # the first four bytes inverted; the final complement is ours to do.
        self.assertEqual(bench_rules.crc32c(b"\xff" * 4 + bytes(28))
                         ^ 0xffffffff, 0x8a9136aa)

    def test_flow_mod_says_its_length_and_its_match(self):
        for rule in bench_rules.rule_set("fw", 50):
            m = rule.flow_mod(7)
            self.assertEqual(struct.unpack("!BBH", m[:4]), (4, 14, len(m)))
            self.assertEqual(len(m) % 8, 0)
            self.assertEqual(struct.unpack("!HH", m[48:52])[1],
                             4 + len(rule.oxm()))

    def test_short_lived_flows_live_as_long_as_they_shall(self):
        seen = {}
        for f in bench_rules.short_lived(64 * 10 * 5, 10):
            seen[f] = seen.get(f, 0) + 1
        self.assertEqual(set(seen.values()), {10})


class Rows(unittest.TestCase):
    def test_addresses_are_those_of_the_generator(self):
        self.assertEqual(bench_rows.pair(300), ("10.1.1.44", "10.2.1.44"))
        self.assertEqual(int(ipaddress.IPv6Address(bench_rows.pair6(300)[0]))
                         & 0xffffffff, 0x0a01012c)

    def test_relative_goals_name_rows(self):
        for name, r in bench_rows.ROWS.items():
            if r["within"]:
                self.assertIn(r["within"][0], bench_rows.ROWS, name)

    def test_pipelines_go_through_all_tables(self):
        for n in (2, 10, 40):
            rules = bench_rows.bench_pipelines.pipeline(n, 320)
            self.assertEqual({r.split(",")[0] for r in rules},
                             {"table=%d" % t for t in range(n)})


class Arithmetic(unittest.TestCase):
    def test_percentile_of_a_histogram(self):
        counts = [0] * 200
        counts[10], counts[100] = 99, 1
        self.assertEqual(bench_latency.percentile(counts, .5, 1e6), 11)
        self.assertEqual(bench_latency.percentile(counts, 1, 1e6),
                         bench_latency.bucket_cycles(100))

    def test_bucket_ends_grow(self):
        ends = [bench_latency.bucket_cycles(i) for i in range(700)]
        self.assertEqual(ends, sorted(set(ends)))

    def test_plot_has_a_line_for_each_series(self):
        svg = bench_svg.plot("t", "x", "y", {"a": [(1, 10), (1000, 99)],
                                             "b<": [(10, 5)]})
        self.assertEqual(svg.count("<polyline"), 2)
        self.assertIn("b&lt;", svg)


# Of the first 100 rules; a change makes all histories incomparable.
CRCS = {"acl": 0xcabf22e7, "fw": 0x21088080, "ipc": 0x0199606a}

if __name__ == "__main__":
    unittest.main()
