/* SPDX-License-Identifier: Apache-2.0 */
/* VXLAN: options and outer header. */
#include "tunnels/vxlan/vxlan.h"

#include "tunnels/tunnel_priv.h"

static const struct tnl_option vxlan_options[] = {
    TNL_OPTIONS_COMMON,
    { "port", "4789", "UDP destination port, 1 to 65535" },
    { "src-port", "49152-65535", "range of UDP source ports: one per flow" },
    { "inner-vlan", "drop", "frames with a VLAN tag: drop or keep" },
    { NULL, NULL, NULL },
};

/* An ARP request in VNI 5001, made by scapy 2.5:
 * UDP(sport=49321, dport=4789, chksum=0)/VXLAN(vni=5001, flags=8)/Ether(
 * dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01")/ARP(op=1,
 * hwsrc="02:00:00:00:00:01", psrc="10.0.0.1", pdst="10.0.0.2"). */
static const uint8_t vxlan_golden[] = {
    0xc0, 0xa9, 0x12, 0xb5, 0x00, 0x3a, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x13, 0x89, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04,
    0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x02,
};

static void
vxlan_defaults(struct tnl_config *c)
{
    tnl_common_defaults(&tnl_vxlan_ops, c);
}

static int
vxlan_parse(struct tnl_config *c, const char *name, const char *value,
            struct weft_err *e)
{
    return tnl_common_parse(&tnl_vxlan_ops, c, name, value, e);
}

static int
vxlan_check(const struct tnl_config *c, struct weft_err *e)
{
    return tnl_common_check(&tnl_vxlan_ops, c, e);
}

static int
vxlan_print(const struct tnl_config *c, char *buf, size_t size)
{
    return tnl_common_print(&tnl_vxlan_ops, c, buf, size);
}

/* RFC 7348 §5: the UDP checksum SHOULD be transmitted as zero. */
static void
vxlan_build(const struct tnl_config *c, struct tnl_template *t)
{
    uint8_t *vx = tnl_build_udp(c, t, VXLAN_HLEN);

    vx[0] = VXLAN_F_I; /* The rest is zero on transmission, §5. */
    put_be24(vx + 4, c->key);
    t->key_off = (uint8_t) (vx + 4 - t->bytes);
}

const struct tnl_ops tnl_vxlan_ops = {
    .name = "vxlan",
    .title = "VXLAN (RFC 7348)",
    .ip_proto = 17,
    .default_dst_port = VXLAN_PORT,
    .key_min = 0,
    .key_max = 0xffffff,
    .l4_overhead = VXLAN_UDP_HLEN + VXLAN_HLEN,
    .options = vxlan_options,
    .defaults = vxlan_defaults,
    .parse = vxlan_parse,
    .check = vxlan_check,
    .print = vxlan_print,
    .build = vxlan_build,
    .decap = vxlan_decap,
    .golden = vxlan_golden,
    .golden_len = sizeof vxlan_golden,
    .golden_key = 5001,
};
