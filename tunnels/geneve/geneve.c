/* SPDX-License-Identifier: Apache-2.0 */
/* Geneve: options and outer header. */
#include "tunnels/geneve/geneve.h"

#include "tunnels/tunnel_priv.h"

static const struct tnl_option geneve_options[] = {
    TNL_OPTIONS_COMMON,
    { "port", "6081", "UDP destination port, 1 to 65535" },
    { "src-port", "49152-65535", "range of UDP source ports: one per flow" },
    { "inner-vlan", "keep", "frames with a VLAN tag: drop or keep" },
    { NULL, NULL, NULL },
};

/* An ARP request in VNI 5001, made by scapy 2.5:
 * UDP(sport=49321, dport=6081, chksum=0)/GENEVE(vni=5001, proto=0x6558)/Ether(
 * dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01")/ARP(op=1,
 * hwsrc="02:00:00:00:00:01", psrc="10.0.0.1", pdst="10.0.0.2"). */
static const uint8_t geneve_golden[] = {
    0xc0, 0xa9, 0x17, 0xc1, 0x00, 0x3a, 0x00, 0x00, 0x00, 0x00, 0x65, 0x58,
    0x00, 0x13, 0x89, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00,
    0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04,
    0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x02,
};

static void
geneve_defaults(struct tnl_config *c)
{
    tnl_common_defaults(&tnl_geneve_ops, c);
    c->keep_inner_vlan = true; /* RFC 8926 has no rule against tags. */
}

static int
geneve_parse(struct tnl_config *c, const char *name, const char *value,
             struct weft_err *e)
{
    return tnl_common_parse(&tnl_geneve_ops, c, name, value, e);
}

static int
geneve_check(const struct tnl_config *c, struct weft_err *e)
{
    return tnl_common_check(&tnl_geneve_ops, c, e);
}

static int
geneve_print(const struct tnl_config *c, char *buf, size_t size)
{
    return tnl_common_print(&tnl_geneve_ops, c, buf, size);
}

/* A source port per flow: RFC 8926 §3.3; no UDP checksum, which §4.3.1 allows
 * over IPv4. */
static void
geneve_build(const struct tnl_config *c, struct tnl_template *t)
{
    uint8_t *gn = tnl_build_udp(c, t, GENEVE_HLEN);

    put_be16(gn + 2, GENEVE_ETHERNET);
    put_be24(gn + 4, c->key);
    t->key_off = (uint8_t) (gn + 4 - t->bytes);
}

const struct tnl_ops tnl_geneve_ops = {
    .name = "geneve",
    .title = "Geneve (RFC 8926)",
    .ip_proto = 17,
    .default_dst_port = GENEVE_PORT,
    .key_min = 0,
    .key_max = 0xffffff,
    .l4_overhead = GENEVE_UDP_HLEN + GENEVE_HLEN,
    .has_options = true,
    .options = geneve_options,
    .defaults = geneve_defaults,
    .parse = geneve_parse,
    .check = geneve_check,
    .print = geneve_print,
    .build = geneve_build,
    .decap = geneve_decap,
    .golden = geneve_golden,
    .golden_len = sizeof geneve_golden,
    .golden_key = 5001,
};
