#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flow text against the installed ovs-ofctl.

What:   random flows that Weft prints are read by ovs-ofctl and must come
        back in the same words; what ovs-ofctl prints for texts of its own
        must be what Weft prints for them.
Usage:  flow_text_ovs.py PATH_OF_flow_text_tool
Exit:   0, 1 on a difference, 77 when ovs-ofctl is absent.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

N_FLOWS = 5000
SEED = 20

# Aliases and odd spellings, as users type them.
TEXTS = """\
priority=5,tcp,tcp_dst=80,actions=drop
priority=1,eth_type=0x800,ip_proto=17,udp_src=53,actions=normal
priority=1,ip,ip_dscp=46,ip_ecn=1,actions=flood
priority=1,ip,nw_tos=184,actions=1
priority=1,vlan_vid=0x1005,vlan_pcp=3,actions=pop_vlan,output:LOCAL
priority=1,dl_vlan=0xffff,actions=push_vlan:0x8100,set_field:4101->vlan_vid,2
priority=1,vlan_tci=0x1000/0x1000,actions=in_port
priority=1,arp,nw_src=1.2.3.4,nw_proto=1,actions=all
priority=1,arp,arp_tha=00:00:00:00:00:02/ff:ff:ff:00:00:00,actions=drop
priority=1,icmp6,icmpv6_type=135,nd_target=fe80::/10,actions=controller:128
priority=1,mpls,mpls_label=0x10,mpls_bos=1,actions=dec_mpls_ttl,3
priority=1,tunnel_id=0x10/0xf0,tun_dst=192.0.2.0/255.255.255.0,actions=drop
priority=1,ip actions=mod_nw_tos:184,mod_nw_ttl:3,dec_ttl,set_tunnel:9,4
priority=1,udp actions=mod_tp_src:5,mod_tp_dst:6,mod_nw_src:10.0.0.1
priority=1 actions=meter:3,clear_actions,write_actions(group:5),goto_table:9
priority=1 actions=set_queue:0x5,output=1,write_metadata:7/0xff
priority=1,ipv6,ipv6_src=2001:db8::/32,ipv6_label=0x5/0xff,actions=drop
priority=1,tcp6,tcp_src=0x10/0xfff0,actions=controller(max_len=5)
""".splitlines()

# OpenFlow 1.5's.
TEXTS_15 = """\
priority=1,actset_output=3,actions=move:eth_src[]->eth_dst[],4
priority=1 actions=move:NXM_OF_ETH_SRC[0..15]->OXM_OF_ETH_DST[32..47]
priority=1,tcp,tcp_flags=+syn-ack,actions=load:5->tun_id[0..3],output:2
priority=1,ip,actions=set_field:10.0.0.0/8->ip_src,set_field:1->tun_id
priority=1,packet_type=(1,0x800),nw_dst=192.0.2.1,actions=2
priority=1,ip,actions=move:nw_src[0..7]->metadata[8..15],1
priority=1,eth_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=load:0xf->NXM_NX_TUN_ID[]
""".splitlines()


def run(args, text=None):
    p = subprocess.run(args, input=text, capture_output=True, text=True,
                       check=False)
    if p.returncode:
        sys.exit(f"{' '.join(args)}: exit {p.returncode}: {p.stderr[:500]}")
    return p.stdout.splitlines()


def ovs_print(flows, version="13"):
    """What ovs-ofctl makes of each flow."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write("\n".join(flows) + "\n")
        f.flush()
        out = run(["ovs-ofctl", "-O", "OpenFlow" + version, "parse-flows", f.name])
    found = [re.search(r"\): ADD (.*)", line) for line in out]
    return [m.group(1) for m in found if m]


def differences(what, ours, theirs, inputs):
    if len(ours) != len(theirs):
        sys.exit(f"{what}: {len(ours)} flows of ours, {len(theirs)} of theirs")
    bad = [(i, a, b) for i, a, b in zip(inputs, ours, theirs) if a != b]
    for text, a, b in bad[:10]:
        print(f"{what}: {text}\n  weft: {a}\n  ovs:  {b}")
    print(f"{what}: {len(ours)} flows, {len(bad)} differ")
    return len(bad)


def main():
    if not shutil.which("ovs-ofctl"):
        print("ovs-ofctl is absent (Debian: openvswitch-common)")
        return 77
    tool = sys.argv[1] if len(sys.argv) > 1 else os.environ["FLOW_TEXT_TOOL"]
    flows = run([tool, str(N_FLOWS), str(SEED)])
    theirs = ovs_print(flows)
    bad = differences("weft -> ovs-ofctl", flows, theirs, flows)
    back = run([tool], "\n".join(theirs) + "\n")
    bad += differences("ovs-ofctl -> weft", back, theirs, theirs)
    bad += differences("typed by hand", run([tool], "\n".join(TEXTS) + "\n"),
                       ovs_print(TEXTS), TEXTS)
    bad += differences("OpenFlow 1.5", run([tool], "\n".join(TEXTS_15) + "\n"),
                       ovs_print(TEXTS_15, "15"), TEXTS_15)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
