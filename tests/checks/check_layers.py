#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom.

A folder is a layer: it sees include/weft, utils/base and itself.  The table
below is the whole rule; ARCHITECTURE.md explains it."""
import os
import re
import tree

# Layer -> folders of this project whose headers it may include, itself and
# include/weft (as "weft/...") aside.
MAY_SEE = {
    "include/weft": (),
    "utils/base": (),
    "utils/flow": (),
    "tunnels": ("utils/base",),
    "datapath": ("utils/base",),
    "ofproto": ("utils/base",),
    "controller_client": ("utils/base",),
    # The daemon wires the layers: it sees their public headers.
    "utils/weftd": ("utils/base", "utils/flow", "ofproto", "controller_client", "tunnels"),
    "utils/weftctl": ("utils/base", "utils/cli"),
    "utils/weft-dump": ("utils/base", "utils/cli"),
    "utils/cli": ("utils/base",),
}
# Headers that another layer may see although its folder has more.
PUBLIC = {
    "ofproto": ("ofproto/ofproto.h", "ofproto/commands.h",
                "ofproto/questions.h",
                "ofproto/text/flow_text.h"),
    "controller_client": ("controller_client/controller_client.h",),
    "tunnels": ("tunnels/underlay/underlay.h",),
}
BASE_SEES = ("weft/compiler.h",)
# Contracts that only these layers meet through.
ONLY_FOR = {
    "weft/dp.h": ("include/weft", "datapath", "ofproto", "utils/weftd"),
    "weft/ofconn.h": ("include/weft", "ofproto", "controller_client",
                      "utils/weftd"),
}
RTE_LAYERS = ("datapath", "utils/weftd")
GENERATED = ("loci/",)


def layer_of(path):
    best = ""
    for layer in MAY_SEE:
        if path.startswith(layer + "/") and len(layer) > len(best):
            best = layer
    return best


def fault_of(root, path, layer, header, quoted):
    if re.match(r"rte_|generic/rte_", header):
        if layer not in RTE_LAYERS:
            return "DPDK header %s outside %s" % (header,
                                                  " and ".join(RTE_LAYERS))
        return None
    if not quoted:
        return None
    if header.startswith("weft/"):
        if layer == "utils/base" and header not in BASE_SEES:
            return "utils/base may see %s only" % ", ".join(BASE_SEES)
        if layer not in ONLY_FOR.get(header, (layer,)):
            return "%s may be seen by %s only" % (
                header, ", ".join(ONLY_FOR[header]))
        return None
    if header.startswith(GENERATED):
        return None if layer == "ofproto" else "bindings belong to ofproto"
    own = os.path.normpath(os.path.join(os.path.dirname(path), header))
    target = own if os.path.exists(os.path.join(root, own)) else header
    seen = layer_of(target)
    if not seen or seen == layer:
        return None
    if seen not in MAY_SEE[layer]:
        return "%s may not see %s" % (layer, header)
    if seen in PUBLIC and target not in PUBLIC[seen]:
        return "%s is private to %s (public: %s)" % (
            header, seen, ", ".join(PUBLIC[seen]))
    return None


def check(root):
    for path in tree.source_files(root):
        layer = layer_of(path)
        if not layer:
            yield "%s:1: folder is in no layer of check_layers.py" % path
            continue
        for no, header, quoted in tree.includes(tree.read(root, path)):
            fault = fault_of(root, path, layer, header, quoted)
            if fault:
                yield "%s:%d: %s" % (path, no, fault)


if __name__ == "__main__":
    tree.main(check)
