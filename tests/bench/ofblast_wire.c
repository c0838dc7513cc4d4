/* SPDX-License-Identifier: Apache-2.0 */
#include "ofblast.h"

#include <string.h>

uint8_t version = 4;
uint32_t n_rules, n_tables = 1;

uint8_t *
put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t) (v >> 8 * (bytes - 1 - i));
    return p + bytes;
}

uint64_t
get(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t *
header(uint8_t *p, unsigned type, unsigned len, uint32_t xid)
{
    p = put(p, version, 1);
    p = put(p, type, 1);
    p = put(p, len, 2);
    return put(p, xid, 4);
}

static uint8_t *
oxm(uint8_t *p, unsigned field, unsigned len, uint64_t v)
{
    p = put(p, 0x8000, 2);
    p = put(p, field << 1, 1);
    p = put(p, len, 1);
    return put(p, v, len);
}

static uint8_t *
pad8(uint8_t *start, uint8_t *p)
{
    while ((p - start) % 8)
        *p++ = 0;
    return p;
}

/* OpenFlow 1.3.5 §7.2.4: set-field of eth_dst, output. */
static uint8_t *
actions(uint8_t *p, uint32_t hop, uint32_t port)
{
    uint8_t *start = p;

    p = put(p, 25, 2);
    p = put(p, 16, 2);
    p = oxm(p, 3, 6, UINT64_C(0x020000000000) + hop);
    p = pad8(start, p);
    p = put(p, 0, 2);
    p = put(p, 16, 2);
    p = put(p, port, 4);
    p = put(p, 0xffff, 2);
    return put(p, 0, 6);
}

/* OpenFlow 1.3.5 §7.3.4.1, the same in 1.4. */
uint8_t *
flow_mod_head(uint8_t *p, unsigned command, unsigned table, uint64_t cookie,
              unsigned len, unsigned priority)
{
    p = header(p, FLOW_MOD, len, (uint32_t) cookie + 10);
    p = put(p, cookie, 8);
    p = put(p, 0, 8);         /* cookie mask */
    p = put(p, table, 1);
    p = put(p, command, 1);
    p = put(p, 0, 4);         /* timeouts */
    p = put(p, priority, 2);
    p = put(p, ANY, 4);       /* no buffer */
    p = put(p, ANY, 4);       /* any port */
    p = put(p, ANY, 4);       /* any group */
    return put(p, 0, 4);      /* flags; pad or importance */
}

struct udp_match {
    uint32_t in_port, src, dst;
    uint16_t sport, dport;
};

/* The match of a flow-mod that begins at 'start'. */
static uint8_t *
udp_match(uint8_t *start, uint8_t *p, const struct udp_match *m)
{
    p = put(p, 1, 2); /* OXM */
    p = put(p, 4 + 8 + 6 + 5 + 8 + 8 + 6 + 6, 2);
    p = oxm(p, 0, 4, m->in_port);
    p = oxm(p, 5, 2, 0x0800);    /* eth_type */
    p = oxm(p, 10, 1, 17);       /* ip_proto */
    p = oxm(p, 11, 4, m->src);
    p = oxm(p, 12, 4, m->dst);
    p = oxm(p, 15, 2, m->sport);
    p = oxm(p, 16, 2, m->dport);
    return pad8(start, p);
}

/* One apply-actions instruction with nothing but an output. */
static uint8_t *
apply_output(uint8_t *p, uint32_t port)
{
    p = put(p, 4, 2);
    p = put(p, 24, 2);
    p = put(p, 0, 4);
    p = put(p, 0, 2);
    p = put(p, 16, 2);
    p = put(p, port, 4);
    p = put(p, 0xffff, 2);
    return put(p, 0, 6);
}

uint8_t *
flow_mod(uint8_t *start, unsigned command, uint32_t i, uint32_t hop)
{
    bool last = i == n_rules - 1;
    struct udp_match m = { IN_PORT, 0x0a000000 + i, 0x0b000000 + i / 3,
                           (uint16_t) (1000 + i % 50000), 53 };
    uint8_t *p = flow_mod_head(start, command, (n_rules - 1 - i) % n_tables,
                               i, FLOW_MOD_LEN, 100);

    p = udp_match(start, p, &m);
    p = put(p, 4, 2);  /* apply-actions */
    p = put(p, 40, 2);
    p = put(p, 0, 4);
    return actions(p, hop % N_HOPS, last ? TO_CONTROLLER : 2 + hop % N_HOPS);
}

uint8_t *
live_flow_mod(uint8_t *start, unsigned command, uint32_t i, uint16_t sport)
{
    struct udp_match m = { 1, 0x0a010000 + i, 0x0a020000 + i, sport, 20000 };
    uint8_t *p = flow_mod_head(start, command, 0, i, LIVE_FLOW_MOD_LEN, 100);

    return apply_output(udp_match(start, p, &m), 2);
}

uint8_t *
steer_flow_mod(uint8_t *start, unsigned command, uint32_t port)
{
    uint8_t *p = flow_mod_head(start, command, 0, 1, 88, 50);

    p = put(p, 1, 2);
    p = put(p, 4 + 8, 2);
    p = oxm(p, 0, 4, 1);
    return apply_output(pad8(start, p), port);
}

uint8_t *
delete_all(uint8_t *start)
{
    uint8_t *p = flow_mod_head(start, DELETE, 0xff, 0, 56, 0);

    p = put(p, 0x00010004, 4);
    return put(p, 0, 4);
}

/* The frame that rule i matches, sent through the tables. */
size_t
packet_out(uint8_t *start, uint32_t i)
{
    uint8_t *p = header(start, PACKET_OUT, 24 + 16 + 60, 5);

    p = put(p, ANY, 4);
    p = put(p, IN_PORT, 4);
    p = put(p, 16, 2);
    p = put(p, 0, 6);
    p = put(p, 0, 2);  /* output to the tables */
    p = put(p, 16, 2);
    p = put(p, 0xfffffff9u, 4);
    p = put(p, 0, 8);
    p = put(p, 0x020000000001, 6);
    p = put(p, 0x020000000002, 6);
    p = put(p, 0x0800, 2);
    p = put(p, 0x45000000u | 46, 4);
    p = put(p, 0, 4);
    p = put(p, 0x40110000u, 4);
    p = put(p, 0x0a000000 + i, 4);
    p = put(p, 0x0b000000 + i / 3, 4);
    p = put(p, 1000 + i % 50000, 2);
    p = put(p, 53, 2);
    p = put(p, 26, 2);
    memset(p, 0, 60 - (14 + 20 + 6));
    p += 60 - (14 + 20 + 6);
    return (size_t) (p - start);
}

uint8_t *
barrier(uint8_t *p)
{
    return header(p, BARRIER_REQUEST, 8, 3);
}

/* A request for statistics of all flows (§7.3.5.2, §7.3.5.3). */
size_t
stats_request(uint8_t *start, unsigned type)
{
    uint8_t *p = header(start, MULTIPART_REQUEST, 56, 4);

    p = put(p, type, 2);
    p = put(p, 0, 6);
    p = put(p, 0xff000000, 4); /* all tables */
    p = put(p, ANY, 4);
    p = put(p, ANY, 4);
    p = put(p, 0, 4);
    p = put(p, 0, 8);
    p = put(p, 0, 8);
    p = put(p, 0x00010004, 4);
    p = put(p, 0, 4);
    return (size_t) (p - start);
}

/* OpenFlow 1.4.1 §7.3.9. */
uint8_t *
bundle_control(uint8_t *p, unsigned type)
{
    p = header(p, BUNDLE_CONTROL, 16, 6);
    p = put(p, 77, 4);
    p = put(p, type, 2);
    return put(p, 3, 2); /* atomic, ordered */
}

uint8_t *
bundle_add(uint8_t *p, unsigned len, uint64_t cookie)
{
    p = header(p, BUNDLE_ADD, len + 16, (uint32_t) cookie + 10);
    p = put(p, 77, 4);
    p = put(p, 0, 2);
    return put(p, 3, 2);
}

/* A rule of lowest priority that sends everything here. */
size_t
miss_rule(uint8_t *start)
{
    uint8_t *p = flow_mod_head(start, ADD, 0, 1, 80, 0);

    p = put(p, 0x00010004, 4);
    p = put(p, 0, 4);
    p = apply_output(p, TO_CONTROLLER);
    return (size_t) (barrier(p) - start);
}
