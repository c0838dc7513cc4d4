/* SPDX-License-Identifier: Apache-2.0 */
/* NVGRE: options and outer header. */
#include "tunnels/nvgre/nvgre.h"

#include "tunnels/tunnel_priv.h"

static const struct tnl_option nvgre_options[] = {
    TNL_OPTIONS_COMMON,
    { NULL, NULL, NULL },
};

/* An ARP request in VSID 6001, FlowID 0x5a, made by scapy 2.5:
 * GRE(proto=0x6558, key_present=1, key=6001<<8|0x5a)/Ether(
 * dst="ff:ff:ff:ff:ff:ff", src="02:00:00:00:00:01")/ARP(op=1,
 * hwsrc="02:00:00:00:00:01", psrc="10.0.0.1", pdst="10.0.0.2"). */
static const uint8_t nvgre_golden[] = {
    0x20, 0x00, 0x65, 0x58, 0x00, 0x17, 0x71, 0x5a, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x01,
    0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x0a, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00,
    0x00, 0x02,
};

static void
nvgre_defaults(struct tnl_config *c)
{
    tnl_common_defaults(&tnl_nvgre_ops, c);
}

static int
nvgre_parse(struct tnl_config *c, const char *name, const char *value,
            struct weft_err *e)
{
    return tnl_common_parse(&tnl_nvgre_ops, c, name, value, e);
}

static int
nvgre_check(const struct tnl_config *c, struct weft_err *e)
{
    return tnl_common_check(&tnl_nvgre_ops, c, e);
}

static int
nvgre_print(const struct tnl_config *c, char *buf, size_t size)
{
    return tnl_common_print(&tnl_nvgre_ops, c, buf, size);
}

static void
nvgre_build(const struct tnl_config *c, struct tnl_template *t)
{
    uint8_t *gre = t->bytes + t->len;

    put_be16(gre, NVGRE_FLAGS);
    put_be16(gre + 2, NVGRE_PROTO);
    put_be24(gre + 4, c->key);
    t->key_off = (uint8_t) (t->len + 4);
    /* RFC 7637 §3.2: FlowID, constant per inner flow. */
    t->entropy = TNL_ENTROPY_FLOW_ID;
    t->entropy_off = (uint8_t) (t->len + 7);
    t->len = (uint8_t) (t->len + NVGRE_HLEN);
}

const struct tnl_ops tnl_nvgre_ops = {
    .name = "nvgre",
    .title = "NVGRE (RFC 7637)",
    .ip_proto = 47,
    .gre_proto = NVGRE_PROTO,
    .key_min = NVGRE_VSID_MIN,
    .key_max = NVGRE_VSID_MAX,
    .l4_overhead = NVGRE_HLEN,
    .options = nvgre_options,
    .defaults = nvgre_defaults,
    .parse = nvgre_parse,
    .check = nvgre_check,
    .print = nvgre_print,
    .build = nvgre_build,
    .decap = nvgre_decap,
    .golden = nvgre_golden,
    .golden_len = sizeof nvgre_golden,
    .golden_key = 6001,
};
