/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ofproto/bundle_bed.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "weft/be.h"

struct mem_conn bundle_c14;

void
bundle_setup(void)
{
    bed_open();
    bed_session(&bundle_c14, 5, false);
}

void
bundle_teardown(void)
{
    mem_close(&bundle_c14);
    bed_close();
}

uint8_t
bundle_version(const struct mem_conn *c)
{
    return c == &bundle_c14 ? 5 : 4;
}

/* ---------------------------------------------------------------- messages */

size_t
bundle_put_head(uint8_t *m, const struct mem_conn *c, unsigned type14)
{
    uint8_t version = bundle_version(c);

    memset(m, 0, 16);
    m[0] = version;
    m[1] = version == 5 ? (uint8_t) type14 : 4;
    put_be32(m + 4, XID);
    if (version == 5)
        return 8;
    put_be32(m + 8, ONF);
    put_be32(m + 12, type14 == 33 ? 2300 : 2301);
    return 16;
}

void
bundle_control(struct mem_conn *c, uint32_t id, unsigned type, unsigned flags)
{
    uint8_t m[32];
    size_t n = bundle_put_head(m, c, 33);

    put_be32(m + n, id);
    put_be16(m + n + 4, (uint16_t) type);
    put_be16(m + n + 6, (uint16_t) flags);
    mem_send(c, m, n + 8);
    bed_settle();
    bed_settle(); /* What the switch-over lets go on. */
}

void
bundle_add_raw(struct mem_conn *c, uint32_t id, unsigned flags, const void *msg,
        size_t len)
{
    static uint8_t m[65536];
    size_t n = bundle_put_head(m, c, 34);

    put_be32(m + n, id);
    put_be16(m + n + 4, 0);
    put_be16(m + n + 6, (uint16_t) flags);
    memcpy(m + n + 8, msg, len);
    mem_send(c, m, n + 8 + len);
    bed_settle();
}

void
bundle_add_fm(struct mem_conn *c, uint32_t id, unsigned flags, const struct fm *f)
{
    uint8_t m[FM_MAX];
    size_t n = put_fm(m, f);

    m[0] = bundle_version(c);
    bundle_add_raw(c, id, flags, m, n);
}

void
bundle_expect_control(struct mem_conn *c, uint32_t id, unsigned type,
               unsigned flags)
{
    size_t len, at = bundle_version(c) == 5 ? 8 : 16;
    const uint8_t *m = expect(c, bundle_version(c) == 5 ? 33 : 4, &len);

    ck_assert_uint_eq(len, at + 8);
    ck_assert_uint_eq(get_be32(m + 4), XID);
    if (at == 16) {
        ck_assert_uint_eq(get_be32(m + 8), ONF);
        ck_assert_uint_eq(get_be32(m + 12), 2300);
    }
    ck_assert_uint_eq(get_be32(m + at), id);
    ck_assert_uint_eq(get_be16(m + at + 4), type);
    ck_assert_uint_eq(get_be16(m + at + 6), flags);
}

/* 1.3 has no such error type: it is ONF's experimenter's. */
void
bundle_expect_error(struct mem_conn *c, unsigned code)
{
    size_t len;
    const uint8_t *m = expect(c, 1, &len);

    if (bundle_version(c) == 5) {
        ck_assert_uint_eq(get_be16(m + 8), 17);
        ck_assert_uint_eq(get_be16(m + 10), code);
        return;
    }
    ck_assert_uint_eq(get_be16(m + 8), 0xffff);
    ck_assert_uint_eq(get_be16(m + 10), 2300 + code);
    ck_assert_uint_eq(get_be32(m + 12), ONF);
}

void
bundle_open(struct mem_conn *c, unsigned flags)
{
    bundle_control(c, 1, OPEN, flags);
    bundle_expect_control(c, 1, OPEN_REPLY, flags);
}

void
bundle_commit(struct mem_conn *c, unsigned flags)
{
    bundle_control(c, 1, COMMIT, flags);
    bundle_expect_control(c, 1, COMMIT_REPLY, flags);
    expect_quiet(c);
}

struct mem_conn *
bundle_conn(int i)
{
    return i ? &bundle_c14 : &bed.c;
}
