# SPDX-License-Identifier: Apache-2.0
"""Match fields: what an OXM's description alone does not say.

PREREQ names the rule of OpenFlow 1.3.5 Table 11, column prerequisites; BITS
the significant bits of fields narrower than their bytes (§7.2.3.7).
"""
from dataclasses import dataclass

from .lexer import InputError
from .model import strip_t

PREREQ = {
    "in_phy_port": "IN_PORT",
    "vlan_pcp": "VLAN",
    "ip_dscp": "IP", "ip_ecn": "IP", "ip_proto": "IP",
    "ipv4_src": "IPV4", "ipv4_dst": "IPV4",
    "tcp_src": "TCP", "tcp_dst": "TCP", "tcp_flags": "TCP",
    "udp_src": "UDP", "udp_dst": "UDP",
    "sctp_src": "SCTP", "sctp_dst": "SCTP",
    "icmpv4_type": "ICMPV4", "icmpv4_code": "ICMPV4",
    "icmpv6_type": "ICMPV6", "icmpv6_code": "ICMPV6",
    "arp_op": "ARP", "arp_spa": "ARP", "arp_tpa": "ARP",
    "arp_sha": "ARP", "arp_tha": "ARP",
    "ipv6_src": "IPV6", "ipv6_dst": "IPV6", "ipv6_flabel": "IPV6",
    "ipv6_exthdr": "IPV6",
    "ipv6_nd_target": "ND", "ipv6_nd_sll": "ND_SOLICIT",
    "ipv6_nd_tll": "ND_ADVERT",
    "mpls_label": "MPLS", "mpls_tc": "MPLS", "mpls_bos": "MPLS",
    "pbb_isid": "PBB", "pbb_uca": "PBB",
}

BITS = {
    "vlan_vid": 13, "vlan_pcp": 3, "ip_dscp": 6, "ip_ecn": 2,
    "ipv6_flabel": 20, "ipv6_exthdr": 9, "mpls_label": 20, "mpls_tc": 3,
    "mpls_bos": 1, "tcp_flags": 12, "pbb_uca": 1,
}


@dataclass
class Field:
    name: str
    type_len: int
    experimenter: int
    value: object       # model.Member
    cls: str
    masked: str         # Class of the masked form, "" when there is none.
    versions: list

    @property
    def header(self):
        """Class and field number: what identifies the field."""
        return self.type_len >> 9


def collect(model):
    fields = {}
    for u in model.unified:
        if not u.name.startswith("of_oxm_") or u.name.endswith("_masked"):
            continue
        c = u.versions[max(u.versions)]
        value = c.member("value")
        type_len = c.member("type_len")
        if not value or not type_len or type_len.role != "fixed":
            continue
        exp = c.member("experimenter_id") or c.member("experimenter")
        name = strip_t(u.name)[len("of_oxm_"):]
        masked = u.name + "_masked"
        if not any((v, masked) in model.classes for v in u.versions):
            masked = ""
        f = Field(name, type_len.value, exp.value if exp else 0, value,
                  u.name, masked, sorted(u.versions))
        check(f, c, model)
        fields[name] = f
    out = sorted(fields.values(),
                 key=lambda f: (f.type_len, f.experimenter, f.name))
    seen = {}
    for f in out:
        key = (f.header, f.experimenter)
        if key in seen:
            raise InputError(f.value.pos, f"{f.cls} and {seen[key]} have the"
                                          " same OXM header")
        seen[key] = f.cls
    return out


def check(f, c, model):
    """The length byte and the mask bit agree with the members."""
    extra = 4 if f.type_len >> 16 == 0xffff else 0
    if f.type_len & 0xff != f.value.width + extra or f.type_len & 0x100:
        raise InputError(c.pos, f"{f.cls}: header {f.type_len:#x} does not"
                                f" fit a value of {f.value.width} bytes")
    if extra and not f.experimenter:
        raise InputError(c.pos, f"{f.cls}: no experimenter_id")
    if not f.masked:
        return
    m = model.classes[max(f.versions), f.masked]
    want = (f.type_len | 0x100) + f.value.width
    if m.member("type_len").value != want:
        raise InputError(m.pos, f"{f.masked}: header is not {want:#x}")
