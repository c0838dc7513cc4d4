# SPDX-License-Identifier: Apache-2.0
"""What the checks share: the tree's root, its C files, how a check reports.

A check is a function check(root) that yields lines "file:line: what is wrong
and what would be right"; main() prints them and exits 1 if there was one."""
import os
import re
import sys

SOURCE_DIRS = ("include", "utils", "datapath", "tunnels", "ofproto",
               "controller_client")
# What a tarball carries ready-made: written by the bindings generator and by
# bpftool.
GENERATED_DIRS = ("build", "gen")
GENERATED_SUFFIX = ".skel.h"


def source_files(root, dirs=SOURCE_DIRS, suffixes=(".c", ".h", ".def")):
    """Paths relative to root, sorted, what the build makes excluded."""
    found = []
    for top in dirs:
        for here, subdirs, names in os.walk(os.path.join(root, top)):
            subdirs[:] = sorted(d for d in subdirs if d not in GENERATED_DIRS
                                and not d.startswith("."))
            found += [os.path.relpath(os.path.join(here, n), root)
                      for n in sorted(names) if n.endswith(suffixes)
                      and not n.endswith(GENERATED_SUFFIX)]
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def includes(text):
    """(line number, header, quoted) of each #include."""
    for no, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            yield no, m.group(2), m.group(1) == '"'


def main(check):
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    faults = list(check(root))
    for fault in faults:
        print(fault)
    name = os.path.basename(sys.argv[0])
    print("%s: %s" % (name, "%d faults" % len(faults) if faults else "ok"))
    sys.exit(1 if faults else 0)
