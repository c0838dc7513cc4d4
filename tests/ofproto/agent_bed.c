/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ofproto/agent_bed.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/agent_events.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "weft/be.h"

struct bed bed;

void
bed_open(void)
{
    struct dp_config dc = {
        .events = agent_events(&bed.b),
    };
    struct ofp_bridge_config bc = { .name = "br0", .dpid = 0x1122334455667788 };

    memset(&bed, 0, sizeof bed);
    base_log_set_level(BASE_LOG_ERR);
    bed.now_ns = UINT64_C(1000000000000);
    base_clock_fake(&bed.now_ns);
    ck_assert_int_eq(dp_create(&dc, &bed.dp, NULL), 0);
    ck_assert_int_eq(ofp_bridge_create(bed.dp, &bc, &bed.b, NULL), 0);
    bed.dpb = ofp_bridge_dp(bed.b);
    dummy_port_add(bed.dpb, "p1", 1);
    dummy_port_add(bed.dpb, "p2", 2);
    bed_settle();
    bed_session(&bed.c, 4, false);
}

void
bed_close(void)
{
    mem_close(&bed.c);
    ofp_bridge_destroy(bed.b);
    dp_destroy(bed.dp);
    base_clock_fake(NULL);
}

void
bed_session(struct mem_conn *c, uint8_t version, bool service)
{
    uint8_t hello[8] = { version, 0, 0, 8, 0, 0, 0, 1 };

    mem_open(c, ofp_bridge_agent(bed.b), service);
    mem_send_raw(c, hello, sizeof hello);
    ck_assert_int_eq(c->result, 0);
    mem_drain(c);
    bed_settle();
}

void
bed_settle(void)
{
    for (unsigned i = 0; ofp_flush(bed.b); i++)
        ck_assert_uint_lt(i, 100000);
    while (dp_run(bed.dp, 100))
        ;
}

void
bed_advance(uint64_t ms)
{
    bed.now_ns += ms * 1000000;
    ofp_tick(bed.b, bed.now_ns);
    bed_settle();
}

/* ---------------------------------------------------------------- build */

static size_t
put_hex(uint8_t *p, const char *hex)
{
    size_t n = 0;
    unsigned byte;
    int used;

    for (; hex && sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        p[n++] = (uint8_t) byte;
    return n;
}

size_t
put_fm(uint8_t m[FM_MAX], const struct fm *f)
{
    size_t n;

    memset(m, 0, FM_MAX);
    m[0] = 4;
    m[1] = 14;
    m[7] = 0x77;
    put_be64(m + 8, f->cookie);
    put_be64(m + 16, f->cookie_mask);
    m[24] = f->table;
    m[25] = f->command;
    put_be16(m + 26, f->idle);
    put_be16(m + 28, f->hard);
    put_be16(m + 30, f->priority);
    put_be32(m + 32, f->buffer_id ? f->buffer_id : ~0u);
    put_be32(m + 36, f->out_port ? f->out_port : ~0u);
    put_be32(m + 40, f->out_group ? f->out_group : ~0u);
    put_be16(m + 44, f->flags);
    put_be16(m + 48, 1); /* OFPMT_OXM */
    n = put_hex(m + 52, f->match);
    put_be16(m + 50, (uint16_t) (4 + n));
    n = (52 + n + 7) / 8 * 8;
    n += put_hex(m + n, f->instr);
    put_be16(m + 2, (uint16_t) n);
    return n;
}

void
send_fm(struct mem_conn *c, const struct fm *f)
{
    uint8_t m[FM_MAX];

    mem_send(c, m, put_fm(m, f));
    if (c == &bed.c)
        bed_settle();
}

/* --------------------------------------------------------------- expect */

const uint8_t *
expect(struct mem_conn *c, unsigned type, size_t *len)
{
    size_t n;
    const uint8_t *m = mem_next(c, &n);

    ck_assert_msg(m != NULL, "no message, type %u expected", type);
    ck_assert_msg(m[1] == type, "type %u, not %u: %s", m[1], type,
                  hex_of(m, n));
    ck_assert_uint_eq(m[0], c->version);
    if (len)
        *len = n;
    return m;
}

void
expect_error(struct mem_conn *c, unsigned type, unsigned code)
{
    size_t len;
    const uint8_t *m = expect(c, 1, &len);

    ck_assert_msg(get_be16(m + 8) == type && get_be16(m + 10) == code,
                  "error %u/%u, not %u/%u", get_be16(m + 8), get_be16(m + 10),
                  type, code);
    ck_assert_uint_ge(len, 12 + 8);
    ck_assert_mem_eq(m + 12 + 4, m + 4, 4); /* xid of the request. */
    /* The whole request or at least 64 bytes of it. */
    ck_assert(len - 12 >= 64 || len - 12 == get_be16(m + 14));
}

void
expect_quiet(struct mem_conn *c)
{
    size_t len;
    const uint8_t *m = mem_next(c, &len);

    ck_assert_msg(!m, "unexpected %s", m ? hex_of(m, len) : "");
}

const char *
hex_of(const void *p, size_t len)
{
    static char text[8192];

    for (size_t i = 0; i < len && i < sizeof text / 2 - 1; i++)
        sprintf(text + 2 * i, "%02x", ((const uint8_t *) p)[i]);
    text[2 * WEFT_MIN(len, sizeof text / 2 - 1)] = '\0';
    return text;
}

const char *
hex_plain(const char *hex)
{
    static char text[8192];
    char *to = text;

    for (; *hex; hex++)
        if (*hex != ' ')
            *to++ = *hex;
    *to = '\0';
    return text;
}
