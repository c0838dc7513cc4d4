#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every type that has a folder or file is in its list, and the other way."""
import os
import re
import tree

# list file, macro, folder, what an entry looks like there
REGISTRIES = (
    ("tunnels/tunnel_types.def", "TNL_TYPE", "tunnels", "folder"),
    ("datapath/ports/port_types.def", "PORT_TYPE", "datapath/ports",
     "folder"),
    ("ofproto/handlers/handlers.def", "OFP_HANDLER", "ofproto/handlers",
     "file"),
    ("ofproto/actions/of_actions.def", "OFP_ACTION", "ofproto/actions",
     "file"),
)
# Folders beside the types that are no type.
NO_TYPE = {"tunnels": {"underlay"}, "datapath/ports": {"common"}}


def listed(root, path, macro):
    text = re.sub(r"/\*.*?\*/", "", tree.read(root, path), flags=re.S)
    return set(re.findall(r"^%s\(\s*(\w+)" % macro, text, flags=re.M))


def present(root, folder, kind):
    names = os.listdir(os.path.join(root, folder))
    if kind == "folder":
        found = {n for n in names
                 if os.path.isdir(os.path.join(root, folder, n))}
    else:
        found = {n[:-2] for n in names if n.endswith(".c")}
    return {n.replace("-", "_") for n in found - NO_TYPE.get(folder, set())}


def check(root):
    for path, macro, folder, kind in REGISTRIES:
        if not os.path.exists(os.path.join(root, path)):
            continue
        have, want = present(root, folder, kind), listed(root, path, macro)
        for name in sorted(have - want):
            yield "%s:1: %s/%s is in no list: add %s(%s)" % (
                path, folder, name, macro, name)
        if kind == "folder":
            for name in sorted(want - have):
                yield "%s:1: %s(%s) has no %s %s/%s" % (
                    path, macro, name, kind, folder, name)


if __name__ == "__main__":
    tree.main(check)
