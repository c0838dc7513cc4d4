#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, and twice in a row.

usage: check_headers.py ROOT COMPILER FLAGS..."""
import subprocess
import sys
import tree


def fault_of(root, path, command):
    text = '#include "%s"\n#include "%s"\nint weft_header_check;\n' % (path,
                                                                     path)
    run = subprocess.run(command + ["-I", root, "-x", "c", "-fsyntax-only",
                                    "-"], input=text, text=True,
                         capture_output=True)
    return run.stderr.strip().splitlines()[0] if run.returncode else None


def main():
    root, command = sys.argv[1], sys.argv[2:]
    faults = 0
    paths = tree.source_files(root, suffixes=(".h",))
    for path in paths:
        fault = fault_of(root, path, command)
        if fault:
            print("%s: not self-contained: %s" % (path, fault))
            faults += 1
    print("check_headers.py: %d headers, %s" % (
        len(paths), "%d faults" % faults if faults else "ok"))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
