#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Budgets: file 800 lines; function 60 lines, or 100 where a comment right
above it says why with the word "long:".  Prints p99 and the ten longest."""
import re
import tree

FILE_LINES = 800
FUNCTION_LINES = 60
FUNCTION_LINES_ARGUED = 100
SHOW = 10


def functions(text):
    """(name, first line, length, comment above) of each definition whose
    braces open and close in column 0, which is how the tree is formatted."""
    lines = text.splitlines()
    start = None
    for no, line in enumerate(lines):
        if line == "{" and start is None:
            start = no
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and lines[head - 1].strip() not in ("", "*/") \
                    and not lines[head - 1].rstrip().endswith((";", "}", "*/")):
                head -= 1
            above = head - 1
            comment = ""
            while above >= 0 and lines[above].strip().startswith(("/*", "*")):
                comment = lines[above] + comment
                above -= 1
            m = re.search(r"(\w+)\s*\(", " ".join(lines[head:start]))
            yield (m.group(1) if m else "?", head + 1, no - head + 1, comment)
            start = None


def check(root):
    lengths = []
    for path in tree.source_files(root, suffixes=(".c", ".h")):
        text = tree.read(root, path)
        n = text.count("\n")
        if n > FILE_LINES:
            yield "%s:1: %d lines (at most %d): split it" % (path, n,
                                                             FILE_LINES)
        for name, line, length, comment in functions(text):
            lengths.append((length, name, path, line))
            limit = (FUNCTION_LINES_ARGUED if "long:" in comment
                     else FUNCTION_LINES)
            if length > limit:
                yield "%s:%d: %s is %d lines (at most %d)" % (
                    path, line, name, length, limit)
    lengths.sort(reverse=True)
    if lengths:
        print("functions: %d, median %d, p99 %d lines; longest:" % (
            len(lengths), lengths[len(lengths) // 2][0],
            lengths[len(lengths) // 100][0]))
    for length, name, path, line in lengths[:SHOW]:
        print("  %4d %s (%s:%d)" % (length, name, path, line))


if __name__ == "__main__":
    tree.main(check)
