#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The test vectors, as other people's OpenFlow reads them.

What:   every good vector must be decoded by ovs-ofctl, os-ken and pyof
        (what pyof packs again must be the same bytes); every bad vector of
        the wire-* kind must be refused by ovs-ofctl.  What a peer cannot do
        is listed below with the reason; a listed vector that the peer does
        decode is an error too, so the lists stay true.
Usage:  crosscheck.py VECTORS
Exit:   0, 1 on a difference, 77 when no peer is there.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

DEBIAN_PYTHON = "/usr/bin/python3"

# What the peers cannot read: {peer: {file: reason}}.
EXCEPTIONS = {
    "ovs-ofctl": {
        "of10/experimenter": "wants a vendor it knows",
        "of10/nicira_header": "wants a subtype it knows",
        "of10/experimenter_stats_reply": "vendor statistics nobody defines",
        "of10/experimenter_stats_request": "vendor statistics nobody defines",
        "of14/async_set-experimenter": "wants an experimenter it knows",
        "of14/experimenter": "wants an experimenter it knows",
        "of14/experimenter_error_msg": "wants an experimenter it knows",
        "of14/experimenter_stats_reply": "statistics nobody defines",
        "of14/experimenter_stats_request": "statistics nobody defines",
        "of14/flow_add-copy_ttl_in": "has no such action",
        "of14/flow_add-copy_ttl_out": "has no such action",
        "of14/flow_add-push_pbb": "has no such action",
        "of14/flow_add-pop_pbb": "has no such action",
        "of14/flow_add-experimenter": "wants an experimenter it knows",
        "of14/flow_add-in_phy_port": "has no such field",
        "of14/flow_add-ipv6_exthdr": "has no such field",
        "of14/flow_add-pbb": "has no such field",
        "of14/flow_add-pbb_uca": "has no such field",
        "of14/meter_mod-dscp": "knows no experimenter band",
        "of13/table_features_stats_request-actions": "wants every property",
        "of14/table_features_stats_request-actions": "wants every property",
        "of15/table_features_stats_request-actions": "wants every property",
        "of15/flow_add-actions": "has no PBB actions",
        "of15/meter_mod-experimenter": "knows no experimenter band",
        "of14/table_features_stats_reply-sync": "wants every property",
        "of13/experimenter": "wants an experimenter it knows",
        "of13/onf_header": "wants a type it knows",
        "of13/experimenter_error_msg": "wants an experimenter it knows",
        "of13/experimenter_stats_reply": "statistics nobody defines",
        "of13/experimenter_stats_request": "statistics nobody defines",
        "of13/experimenter_stats_request-empty": "statistics nobody defines",
        "of13/flow_add-copy_ttl_in": "has no such action",
        "of13/flow_add-copy_ttl_out": "has no such action",
        "of13/flow_add-push_pbb": "has no such action",
        "of13/flow_add-pop_pbb": "has no such action",
        "of13/flow_add-experimenter": "wants an experimenter it knows",
        "of13/flow_add-in_phy_port": "has no such field",
        "of13/flow_add-ipv6_exthdr": "has no such field",
        "of13/flow_add-pbb": "has no such field",
        "of13/meter_mod-dscp": "knows no experimenter band",
        "of15/async_set": "does not know 1.5's properties",
        "of15/async_set-experimenter": "wants an experimenter it knows",
        "of15/bundle_features_stats_reply": "has no such statistics",
        "of15/bundle_features_stats_reply-time": "has no such statistics",
        "of15/bundle_features_stats_request": "has no such statistics",
        "of15/bundle_features_stats_request-time": "has no such statistics",
        "of15/controller_status": "has no such message",
        "of15/controller_status-role": "has no such message",
        "of15/controller_status_stats_reply": "has no such statistics",
        "of15/controller_status_stats_request": "has no such statistics",
        "of15/experimenter": "wants an experimenter it knows",
        "of15/experimenter_error_msg": "wants an experimenter it knows",
        "of15/experimenter_stats_reply": "statistics nobody defines",
        "of15/experimenter_stats_request": "statistics nobody defines",
        "of15/flow_add-pbb_uca": "has no such field",
        "of15/flow_add-set_in_port": "does not set the ingress port",
        "of15/flow_add-stat_trigger": "has no such instruction",
        "of15/flow_add-stat_trigger_empty": "has no such instruction",
        "of15/flow_add-stat_trigger_first": "has no such instruction",
        "of15/flow_add-write_meter": "has no meter in an action set",
        "of15/flow_stats_reply-trigger": "has no such instruction",
        "of15/group_add-experimenter": "wants an experimenter it knows",
        "of15/group_desc_stats_reply-prop": "wants an experimenter it knows",
        "of15/individual_flow_stats_reply": "has no such statistics",
        "of15/individual_flow_stats_reply-trigger": "has no such statistics",
        "of15/individual_flow_stats_reply-unknown_oxs":
            "has no such statistics",
        "of15/individual_flow_stats_request": "has no such statistics",
        "of15/meter_features_stats_reply": "reads 1.3's 16 bytes",
        "of15/packet_out-no_match": "wants an ingress port",
        "of15/table_features_stats_reply": "wants no feature flags",
    },
    "ovs-ofctl refuses": {
        "bad13/wire-flow_request_long": "ignores bytes behind the match",
        "bad14/wire-flow_request_long": "ignores bytes behind the match",
        "bad14/wire-bundle_ctrl_prop_length_2": "ignores properties",
        "bad14/wire-port_mod_optical_16": "ignores optical properties",
        "bad15/wire-bundle_time_prop_16_bytes": "ignores the property",
        "bad15/wire-bundle_time_prop_32_bytes": "ignores the property",
    },
    "os-ken": {
        "of14/bundle_ctrl_msg-prop": "wants a property it knows",
        "of14/flow_monitor_stats_reply": "wants the class of one event",
        "of14/flow_monitor_stats_reply-short": "wants the class of one event",
        "of14/port_desc_stats_reply-experimenter": "wants one it knows",
        "of14/queue_stats_reply-experimenter": "wants one it knows",
        "of14/role_status-experimenter": "wants one it knows",
        "of10/nicira_controller_role_request": "reads replies only",
        "of10/nicira_header": "wants a subtype it knows",
        "of10/experimenter_stats_reply": "statistics nobody defines",
        "of15/controller_status_stats_reply": "loops at a second entry",
        "of15/flow_monitor_stats_reply": "wants the class of one event",
        "of15/flow_stats_reply-trigger": "takes pad of copy-field for a field",
        "of15/group_desc_stats_reply": "takes a group for a property",
        "of15/individual_flow_stats_reply-unknown_oxs": "wants a field it knows",
    },
    "pyof": {
        "of10/flow_add-vendor_action": "reads it as an output",
        "of10/flow_delete": "takes port numbers for an enumeration",
        "of10/queue_get_config_reply": "takes ports for an enumeration",
        "of10/queue_get_config_request": "takes ports for an enumeration",
        "of13/queue_get_config_reply": "takes ports for an enumeration",
        "of13/queue_get_config_request": "takes ports for an enumeration",
        "of13/async_get_reply": "takes masks for an enumeration",
        "of13/async_set": "takes masks for an enumeration",
        "of13/experimenter_error_msg": "takes subtypes for an enumeration",
        "of13/experimenter_stats_reply": "loses the data",
        "of13/experimenter_stats_request": "loses the data",
        "of13/group_desc_stats_reply": "reads beyond the first bucket",
        "of13/hello-unknown_element": "does not skip an element's pad",
        "of13/meter_mod-add": "packs a wrong length",
        "of13/meter_mod-dscp": "knows no experimenter band",
        "of13/table_features_stats_reply": "reads ids as instructions",
        "of13/table_features_stats_request-actions": "reads ids as actions",
        "of13/table_features_stats_request-set": "reads ids as instructions",
    },
}

# os-ken reads what a controller reads: {wire version: message types}.
OSKEN_READS = {
    1: {0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 14, 17, 19, 21},
    4: {0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 14, 19, 21, 23, 25, 27},
    5: {0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 19, 21, 25, 27, 30, 31, 32, 33},
    6: {0, 1, 2, 3, 4, 6, 8, 10, 11, 12, 19, 21, 25, 27, 30, 31, 32, 33, 35},
}
PYOF_VERSIONS = (1, 4)


def load(path):
    """The bytes of a .data file."""
    out, section = bytearray(), None
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.startswith("-- "):
                section = line[3:].strip()
            elif section == "binary":
                words = line.split("#")[0].split()
                out += bytes(int(w, 16) for w in words)
    return bytes(out)


def vectors(root, folders):
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if name.endswith(".data"):
                key = f"{folder}/{name[:-5]}"
                yield key, load(os.path.join(root, folder, name))


# ------------------------------------------------------------------- peers

def ovs_decode(msg):
    """None, or why ovs-ofctl does not read it."""
    with tempfile.NamedTemporaryFile() as f:
        f.write(msg)
        f.flush()
        p = subprocess.run(["ovs-ofctl", "ofp-parse", f.name],
                           capture_output=True, text=True, check=False)
    out = p.stdout + p.stderr
    if p.returncode or not p.stdout.strip():
        return f"exit {p.returncode}: {p.stderr.strip()[:80]}"
    if msg[1] == 1:  # The refused message is printed too: not our business.
        out = out.splitlines()[0]
    bad = re.search(r"decode error: \S+", out)
    return bad.group(0) if bad else None


def osken_decode():
    from os_ken.ofproto import ofproto_parser
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc

    def looped(*_):
        raise RuntimeError("does not come to an end")

    def decode(msg):
        version, kind = msg[0], msg[1]
        dp = ProtocolDesc(version=version)
        xid = int.from_bytes(msg[4:8], "big")
        signal.signal(signal.SIGALRM, looped)
        signal.alarm(5)
        try:
            got = ofproto_parser.msg(dp, version, kind, len(msg), xid, msg)
            signal.alarm(0)
        except Exception as e:  # pylint: disable=broad-except
            return f"{type(e).__name__}: {e}"[:100]
        if got is None:
            return "no message"
        if isinstance(got, ofproto_parser.MsgBase) and got.xid == xid:
            return None
        return f"{type(got).__name__}"
    return decode


def pyof_decode():
    from pyof.utils import unpack

    def decode(msg):
        try:
            again = unpack(msg).pack()
        except Exception as e:  # pylint: disable=broad-except
            return f"{type(e).__name__}: {e}"[:100]
        return None if again == msg else "packs to other bytes"
    return decode


# ------------------------------------------------------------------- checks

def check(peer, decode, cases):
    """Number of vectors where the peer and the list disagree."""
    known, bad, n = EXCEPTIONS[peer], 0, 0
    for key, msg in cases:
        why = decode(msg)
        n += 1
        if why and key not in known:
            print(f"{peer}: {key}: {why}")
            bad += 1
        elif not why and key in known:
            print(f"{peer}: {key}: read, but listed: {known[key]}")
            bad += 1
    print(f"{peer}: {n} vectors, {len(known)} exceptions, {bad} faults")
    return bad


def headers(cases):
    """Version and length of each good vector."""
    bad = 0
    for key, msg in cases:
        version = {"of10": 1, "of13": 4, "of14": 5, "of15": 6}[key.split("/")[0]]
        if msg[0] != version or int.from_bytes(msg[2:4], "big") != len(msg):
            print(f"{key}: version {msg[0]}, length field of {len(msg)} bytes")
            bad += 1
    return bad


def reexec(root):
    """os-ken and pyof belong to Debian's python, which may be another one."""
    if os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON) \
            and os.path.exists(DEBIAN_PYTHON):
        os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, os.path.abspath(__file__),
                                 root])


def main():
    root = sys.argv[1]
    reexec(root)
    good = list(vectors(root, ("of10", "of13", "of14", "of15")))
    broken = [v for v in vectors(root, ("bad10", "bad13", "bad14", "bad15"))
              if v[0].split("/")[1].startswith("wire-")]
    bad, peers = headers(good), 0
    if shutil.which("ovs-ofctl"):
        bad += check("ovs-ofctl", ovs_decode, good)
        bad += check("ovs-ofctl refuses",
                     lambda m: None if ovs_decode(m) else "accepted", broken)
        peers += 1
    for name, make in (("os-ken", osken_decode), ("pyof", pyof_decode)):
        try:
            decode = make()
        except ImportError as e:
            print(f"{name}: absent ({e})")
            continue
        bad += check(name, decode, [
            (key, msg) for key, msg in good
            if (msg[1] in OSKEN_READS[msg[0]] if name == "os-ken"
                else msg[0] in PYOF_VERSIONS)])
        peers += 1
    if bad:
        return 1
    return 0 if peers else 77


if __name__ == "__main__":
    sys.exit(main())
