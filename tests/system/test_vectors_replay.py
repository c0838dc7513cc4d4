#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every vector of the bindings' tests, of what controllers and switches send
and of what is malformed, sent to Weft as it is and mutated: each is answered
as it should be or the connection ends, and the switch serves on."""
import os
import sys
import unittest
import lab

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "conformance"))
try:
    import bed  # noqa: F401
    import cases
    import conform
    import os_ken.ofproto  # noqa: F401
except ImportError as e:
    print("python3-os-ken: %s: skipped" % e)
    raise SystemExit(lab.SKIPPED)

VECTORS = os.path.join(os.path.dirname(cases.__file__), "..", "ofproto",
                       "vectors")
MUTATIONS = 15
LEAST = {"1.0": 60, "1.3": 150, "1.4": 170, "1.5": 190}  # Vectors.


class VectorsReplay(unittest.TestCase):
    def run_version(self, version):
        os.environ["WEFT_BUILD"] = lab.BUILD
        digits = version.replace(".", "")
        todo = [v for kind in ("of", "bad")
                for v in cases.vectors(os.path.join(VECTORS, kind + digits),
                                       version)]
        self.assertGreaterEqual(len(todo), LEAST[version])
        r = conform.run_vectors("weft", version, todo, MUTATIONS, 1)
        self.assertEqual(r.failures, [])
        self.assertEqual(r.died, "")


for v in LEAST:
    setattr(VectorsReplay, "test_openflow_" + v.replace(".", "_"),
            lambda self, version=v: self.run_version(version))

if __name__ == "__main__":
    lab.main("ip")
