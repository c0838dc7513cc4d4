#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The protocol descriptions against what is known elsewhere.

What:   sizes-1.x.txt, written by hand from the specifications, has a row for
        every class and agrees; every match field of include/weft/fields.def
        has its OXM, masked when maskable; constants have the values that
        os-ken gives them (when it is installed).
Usage:  protocol.py SRCDIR
Exit:   0, 1 on a fault.
"""
import importlib
import os
import re
import sys

DEBIAN_PACKAGES = "/usr/lib/python3/dist-packages"

# Our value is newer: IANA's port, OpenFlow 1.3.3.
NEWER = {(4, "OFP_TCP_PORT")}
FEWEST_CONSTANTS = 100


def read_sizes(path):
    rows = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                rows[words[0]] = int(words[1])
    return rows


def sizes(model, version, path):
    rows = read_sizes(path)
    mine = {name: c for (v, name), c in model.classes.items() if v == version}
    bad = 0
    for name, size in rows.items():
        got = mine[name].min_size if name in mine else None
        if got != size:
            print(f"{path}: {name} {size}, described as {got}")
            bad += 1
    for name, c in mine.items():
        # OXMs are checked against fields.def, id classes are derived.
        if name not in rows and not re.match(
                r"of_(oxm_|action_id|instruction_id)", name):
            print(f"{path}: no row for {name} ({c.min_size})")
            bad += 1
    print(f"{os.path.basename(path)}: {len(rows)} rows, {bad} faults")
    return bad


# First wire version of the basic class that has the fields of a kind.
KNOWN_SINCE = {"ANY": 4, "OF14": 5, "OF15": 6, "OF15_ONF": 6}


def fields(model, path, version):
    """(class, field) of every line of fields.def against the OXM classes of
    one version."""
    oxms = {}
    for (v, name), c in model.classes.items():
        if (v == version and name.startswith("of_oxm_")
                and name != "of_oxm_id"):
            header = next(m for m in c.members if m.name == "type_len").value
            oxms[header] = (name, c.min_size - 4)
    bad = 0
    for header, (name, size) in oxms.items():
        if header & 0xff != size:
            print(f"{name}: header says {header & 0xff} bytes, has {size}")
            bad += 1
    seen = set()
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    for args in re.findall(r"FLOW_FIELD\(([^)]*)\)", text):
        a = [x.strip() for x in args.split(",")]
        base = int(a[2], 0) << 16 | int(a[3]) << 9
        known = version >= KNOWN_SINCE[a[4]]
        bits, maskable = int(a[5]), a[9] == "1"
        width = 4 if bits == 20 else (bits + 7) // 8
        for header, wanted in ((base | width, known),
                               (base | 0x100 | 2 * width,
                                known and maskable)):
            seen.add(header)
            if (header in oxms) != wanted:
                print(f"{a[0]}: OXM 0x{header:08x}"
                      f" {'missing' if wanted else 'is not expected'}"
                      f" in version {version}")
                bad += 1
    for header in sorted(set(oxms) - seen):
        print(f"{oxms[header][0]}: no such field in fields.def")
        bad += 1
    print(f"fields.def, version {version}: {len(oxms)} OXMs, {bad} faults")
    return bad


def constants(model, version, module):
    if os.path.isdir(DEBIAN_PACKAGES):
        sys.path.append(DEBIAN_PACKAGES)
    try:
        peer = importlib.import_module("os_ken.ofproto." + module)
    except ImportError as e:
        print(f"constants of {module}: os-ken absent ({e})")
        return 0
    n = bad = 0
    for (v, enum), e in model.enums.items():
        for entry in e.entries if v == version else ():
            theirs = getattr(peer, entry.name, None)
            if theirs is None or (v, entry.name) in NEWER:
                continue
            if v == 1 and enum in ("ofp_port", "ofp_port_no"):
                theirs |= 0xffff0000  # 16 bits there, 32 in our API.
            n += 1
            if theirs != entry.value:
                print(f"{enum} {entry.name}: {entry.value}, os-ken {theirs}")
                bad += 1
    print(f"constants of {module}: {n} compared, {bad} differ")
    return bad if n >= FEWEST_CONSTANTS else bad + 1


def main():
    src = sys.argv[1]
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(src, "ofproto/bindings"))
    generator = importlib.import_module("ofbind.model")
    model = generator.build(generator.load(
        [os.path.join(src, "ofproto/protocol")]))
    bad = sum(fields(model, os.path.join(src, "include/weft/fields.def"), v)
              for v in (4, 5, 6))
    for version, name, module in ((1, "1.0", "ofproto_v1_0"),
                                  (4, "1.3", "ofproto_v1_3")):
        bad += sizes(model, version,
                     os.path.join(src, f"tests/ofproto/sizes-{name}.txt"))
        bad += constants(model, version, module)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
