#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes offload_golden.h: frames whose checksums scapy computed.

usage: gen_offload_golden.py > offload_golden.h (python3-scapy 2.5)"""
from scapy.all import (Dot1AD, Dot1Q, Ether, IP, IPv6, TCP, UDP, raw)

PAYLOAD = bytes((7 * i + (i >> 8)) & 0xff for i in range(250))
ETH = dict(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
V4 = dict(src="192.0.2.1", dst="198.51.100.7", ttl=63, flags="DF")
V6 = dict(src="2001:db8::1", dst="2001:db8:1::7", hlim=60)
T = dict(sport=49152, dport=443, ack=0x01020304, window=1000)


def array(name, data):
    rows = [data[i:i + 12] for i in range(0, len(data), 12)]
    print("static const uint8_t %s[] = {" % name)
    for row in rows:
        print("    " + " ".join("0x%02x," % b for b in row))
    print("};")


def checksum_frames():
    yield Ether(**ETH) / IP(id=7, **V4) / UDP(sport=53, dport=9) / PAYLOAD[:5]
    yield (Ether(**ETH) / Dot1Q(vlan=5) / IP(id=7, **V4)
           / TCP(seq=1, flags="PA", **T) / PAYLOAD[:33])
    yield (Ether(**ETH) / Dot1AD(vlan=9) / Dot1Q(vlan=5) / IPv6(**V6)
           / UDP(sport=1, dport=2) / PAYLOAD[:40])
    yield Ether(**ETH) / IPv6(**V6) / TCP(seq=1, flags="S", **T)


def tso_frames():
    for v6 in (False, True):
        def frame(off, n, flags, ident):
            ip = IPv6(**V6) if v6 else IP(id=ident, **V4)
            return (Ether(**ETH) / Dot1Q(vlan=7) / ip
                    / TCP(seq=100 + off, flags=flags, **T)
                    / PAYLOAD[off:off + n])
        yield v6, frame(0, 250, "CFPA", 77), [
            frame(0, 100, "CA", 77), frame(100, 100, "A", 78),
            frame(200, 50, "FPA", 79)]


def layers(pkt, v6):
    ip = pkt[IPv6] if v6 else pkt[IP]
    return len(pkt) - len(ip), 40 if v6 else 20, len(ip) - (40 if v6 else 20)


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Written by gen_offload_golden.py with scapy 2.5. */")
    table = []
    for i, pkt in enumerate(checksum_frames()):
        v6 = IPv6 in pkt
        array("golden_%d" % i, raw(pkt))
        table.append("    { golden_%d, %d, %d, %d, %d, %d, %s }," % (
            (i, len(pkt)) + layers(pkt, v6)
            + (17 if UDP in pkt else 6, "true" if v6 else "false")))
    print("static const struct golden {\n    const uint8_t *complete;\n"
          "    unsigned len, l2, l3, l4_len;\n    uint8_t proto;\n"
          "    bool v6;\n} golden[] = {\n" + "\n".join(table) + "\n};")
    table = []
    for i, (v6, large, segs) in enumerate(tso_frames()):
        array("golden_large_%d" % i, raw(large))
        for k, seg in enumerate(segs):
            array("golden_seg_%d_%d" % (i, k), raw(seg))
        l2, l3, _ = layers(large, v6)
        table.append("    { golden_large_%d, %d, %d, %d, 100, %s, %d,\n"
                     "      { %s },\n      { %s } }," % (
                         i, len(large), l2, l3, "true" if v6 else "false",
                         len(segs),
                         ", ".join("golden_seg_%d_%d" % (i, k)
                                   for k in range(len(segs))),
                         ", ".join(str(len(s)) for s in segs)))
    print("static const struct golden_tso {\n    const uint8_t *large;\n"
          "    unsigned large_len, l2, l3;\n    uint16_t mss;\n    bool v6;\n"
          "    int n_segs;\n    const uint8_t *seg[3];\n"
          "    unsigned seg_len[3];\n} golden_tso[] = {\n"
          + "\n".join(table) + "\n};")


main()
