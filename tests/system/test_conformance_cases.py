#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our own conformance cases (tests/conformance/cases) against Weft, each
version and group, without a pause between barrier reply and packet.
`make conformance` runs the same beside Open vSwitch."""
import os
import sys
import unittest
import lab

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "conformance"))
try:
    import bed
    import cases
    import runner
    import os_ken.ofproto  # noqa: F401
except ImportError as e:
    print("python3-os-ken: %s: skipped" % e)
    raise SystemExit(lab.SKIPPED)

HERE = os.path.join(os.path.dirname(cases.__file__), "cases")
GROUPS = {  # What must pass, and at least how many cases there are of it.
    "1.3": {"action": 35, "error": 10, "match": 55, "set_field": 35,
            "group": 15, "meter": 8},
    "1.4": {"action": 35, "error": 10, "match": 55, "set_field": 35,
            "group": 15, "meter": 8},
    "1.5": {"action": 35, "error": 10, "match": 55, "set_field": 35,
            "group": 6, "meter": 4},
}


class ConformanceCases(unittest.TestCase):
    def run_version(self, version):
        os.environ["WEFT_BUILD"] = lab.BUILD
        todo = [c for c in cases.load(HERE, version)
                if c.group in GROUPS[version]]
        for group, least in GROUPS[version].items():
            self.assertGreaterEqual(
                sum(c.group == group for c in todo), least, group)
        with bed.Bed("weft", version) as b:
            judge = runner.Judge(b, 0)
            for c in todo:
                with self.subTest(case=c.name, text=c.text):
                    self.assertEqual(judge.run_case(c), "")
            self.assertTrue(b.alive(), b.log())


for v in GROUPS:
    setattr(ConformanceCases, "test_openflow_" + v.replace(".", "_"),
            lambda self, version=v: self.run_version(version))

if __name__ == "__main__":
    lab.main("ip")
