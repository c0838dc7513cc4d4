#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check passes on a clean little tree and fails on a planted fault."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
CC = os.environ.get("CC", "cc").split()


def plant(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as f:
        f.write(text)


def run(check, *args):
    return subprocess.run([sys.executable, os.path.join(HERE, check), *args],
                          capture_output=True, text=True).returncode


class Checks(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.root = self.dir.name
        plant(self.root, "include/weft/x.h", "#ifndef X\n#define X\n#endif\n")
        plant(self.root, "datapath/a.c", '#include "weft/x.h"\n')

    def tearDown(self):
        self.dir.cleanup()

    def test_layers_pass_on_downward_includes(self):
        self.assertEqual(run("check_layers.py", self.root), 0)

    def test_layers_fail_on_a_sideways_include(self):
        plant(self.root, "tunnels/t.h", "")
        plant(self.root, "datapath/b.c", '#include "tunnels/t.h"\n')
        self.assertEqual(run("check_layers.py", self.root), 1)

    def test_layers_fail_on_dpdk_in_ofproto(self):
        plant(self.root, "ofproto/b.c", "#include <rte_mbuf.h>\n")
        self.assertEqual(run("check_layers.py", self.root), 1)

    def test_layers_fail_on_a_private_header_of_another_layer(self):
        plant(self.root, "ofproto/ofproto.h", "")
        plant(self.root, "ofproto/rule.h", "")
        plant(self.root, "utils/weftd/main.c",
              '#include "ofproto/ofproto.h"\n')
        self.assertEqual(run("check_layers.py", self.root), 0)
        plant(self.root, "utils/weftd/main.c", '#include "ofproto/rule.h"\n')
        self.assertEqual(run("check_layers.py", self.root), 1)

    def test_registry_fails_on_an_unlisted_folder(self):
        plant(self.root, "tunnels/tunnel_types.def", "TNL_TYPE(vxlan)\n")
        plant(self.root, "tunnels/vxlan/vxlan.c", "")
        self.assertEqual(run("check_registry.py", self.root), 0)
        plant(self.root, "tunnels/stt/stt.c", "")
        self.assertEqual(run("check_registry.py", self.root), 1)

    def test_registry_fails_on_a_line_without_a_folder(self):
        plant(self.root, "tunnels/tunnel_types.def",
              "TNL_TYPE(vxlan)\nTNL_TYPE(stt)\n")
        plant(self.root, "tunnels/vxlan/vxlan.c", "")
        self.assertEqual(run("check_registry.py", self.root), 1)

    def test_manuals_fail_on_a_command_that_is_not_written_down(self):
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                            "../..")
        for folder in ("utils/weftctl", "utils/weft-dump", "utils/weftd",
                       "docs"):
            shutil.copytree(os.path.join(here, folder),
                            os.path.join(self.root, folder))
        self.assertEqual(run("check_manuals.py", self.root), 0)
        with open(os.path.join(self.root, "utils/weftctl/commands.def"),
                  "a") as f:
            f.write('EDIT("add-nothing", "bridge", NONE, "")\n')
        self.assertEqual(run("check_manuals.py", self.root), 1)

    def function(self, lines, comment=""):
        return (comment + "static void\nlong_one(int a)\n{\n"
                + "    a++;\n" * (lines - 4) + "}\n")

    def test_length_fails_on_a_long_function(self):
        plant(self.root, "datapath/l.c", self.function(60))
        self.assertEqual(run("check_length.py", self.root), 0)
        plant(self.root, "datapath/l.c", self.function(61))
        self.assertEqual(run("check_length.py", self.root), 1)

    def test_length_allows_100_lines_with_a_reason(self):
        why = "/* long: one case per opcode, nothing to share. */\n"
        plant(self.root, "datapath/l.c", self.function(100, why))
        self.assertEqual(run("check_length.py", self.root), 0)
        plant(self.root, "datapath/l.c", self.function(101, why))
        self.assertEqual(run("check_length.py", self.root), 1)

    def test_length_fails_on_a_long_file(self):
        plant(self.root, "datapath/l.c", "\n" * 801)
        self.assertEqual(run("check_length.py", self.root), 1)

    def compile(self, name, body):
        plant(self.root, name + ".c", body)
        obj = os.path.join(self.root, name + ".o")
        subprocess.run(CC + ["-c", os.path.join(self.root, name + ".c"), "-o",
                             obj], check=True)
        return obj

    def test_fast_fails_on_one_malloc(self):
        good = self.compile("good_fast", "int f(int a) { return a; }\n")
        bad = self.compile("bad_fast", "#include <stdlib.h>\n"
                           "void *f(void) { return malloc(3); }\n")
        self.assertEqual(run("check_fast.py", good), 0)
        self.assertEqual(run("check_fast.py", good, bad), 1)

    def test_fast_fails_when_there_is_nothing_to_check(self):
        self.assertEqual(run("check_fast.py", self.root), 1)

    def test_headers_fail_on_one_that_needs_another(self):
        inc = ["-I", os.path.join(self.root, "include")]
        self.assertEqual(run("check_headers.py", self.root, *CC, *inc), 0)
        plant(self.root, "datapath/b.h", "uint32_t needs_stdint;\n")
        self.assertEqual(run("check_headers.py", self.root, *CC, *inc), 1)

    def test_headers_fail_on_a_missing_guard(self):
        inc = ["-I", os.path.join(self.root, "include")]
        plant(self.root, "datapath/b.h", "struct b { int x; };\n")
        self.assertEqual(run("check_headers.py", self.root, *CC, *inc), 1)


if __name__ == "__main__":
    unittest.main()
