/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "table_config": table features, limits, eviction, vacancy, table-mod
 * and table-desc. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

enum { ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT };
enum { EVICTION = 4, VACANCY = 8 };           /* OFPTC_* */
enum { OTHER = 1, IMPORTANCE = 2, LIFETIME = 4 }; /* OFPTMPEF_* */
#define TABLE_STATUS 31
#define FLOW_REMOVED 11
#define REASON_EVICTION 5

static struct mem_conn c14;

static void
setup(void)
{
    bed_open();
    bed_session(&c14, 5, false);
}

static void
teardown(void)
{
    mem_close(&c14);
    bed_close();
}

/* ---------------------------------------------------------------- messages */

/* One table of a table features request. */
static size_t
put_features(uint8_t *p, uint8_t table, const char *name, uint32_t max)
{
    memset(p, 0, 64);
    put_be16(p, 64);
    p[2] = table;
    memcpy(p + 8, name, strlen(name));
    memset(p + 40, 0xff, 16);
    put_be32(p + 60, max);
    return 64;
}

static size_t
put_features_head(uint8_t *m, uint8_t version)
{
    memset(m, 0, 16);
    m[0] = version;
    m[1] = 18;
    m[7] = 0x77;
    put_be16(m + 8, 12);
    return 16;
}

static void
send_features(struct mem_conn *c, const uint8_t *m, size_t n)
{
    mem_send(c, m, n);
    bed_settle();
}

/* Table 0 as it is: packets begin there. */
static size_t
put_table_0(uint8_t *p)
{
    return put_features(p, 0, "table0", 1u << 21);
}

/* Sets one table, beside table 0 the only one, and drains the reply. */
static void
limit(uint8_t table, uint32_t max)
{
    uint8_t m[16 + 2 * 64];
    size_t n = put_features_head(m, 5);
    const uint8_t *r;

    if (table)
        n += put_table_0(m + n);
    n += put_features(m + n, table, "t", max);
    put_be32(m + n - 8, EVICTION | VACANCY);
    send_features(&c14, m, n);
    r = expect(&c14, 19, &n);
    ck_assert_uint_eq(get_be16(r + 8), 12);
    mem_drain(&c14);
}

static void
table_mod(uint8_t table, uint32_t config, const char *props)
{
    uint8_t m[256] = { 5, 17, 0, 0, 0, 0, 0, 0x77, table };
    size_t n = 16;

    put_be32(m + 12, config);
    for (; *props; props += 2, n++) {
        unsigned v;

        ck_assert_int_eq(sscanf(props, "%2x", &v), 1);
        m[n] = (uint8_t) v;
    }
    mem_send(&c14, m, n);
    bed_settle();
}

static void
add14(uint16_t priority, uint16_t importance, uint16_t hard, uint16_t flags)
{
    uint8_t m[FM_MAX];
    char match[64];
    size_t n;

    snprintf(match, sizeof match, OXM_DST("%08x"), priority);
    n = put_fm(m, &(struct fm) { .priority = priority, .match = match,
                                 .instr = OUT1, .hard = hard,
                                 .flags = flags });
    m[0] = 5;
    put_be16(m + 46, importance);
    mem_send(&c14, m, n);
    bed_settle();
}

static bool
has(uint16_t priority)
{
    struct dp_rule *r;

    for (unsigned i = 0; (r = dummy_rule_nth(bed.dpb, i)); i++)
        if (r->priority == priority)
            return true;
    return false;
}

/* ---------------------------------------------------------------- features */

START_TEST(test_features_reply_says_what_every_table_can_do)
{
    uint8_t m[16];
    size_t len;
    const uint8_t *r;
    unsigned tables = 0, parts = 0;
    bool more = true;

    mem_send(&bed.c, m, put_features_head(m, 4));
    bed_settle();
    while (more) {
        r = expect(&bed.c, 19, &len);
        more = get_be16(r + 10) & 1;
        parts++;
        for (size_t at = 16; at < len; at += get_be16(r + at)) {
            bool seen[16] = { false };

            ck_assert_uint_eq(r[at + 2], tables);
            for (size_t p = at + 64; p < at + get_be16(r + at);
                 p += (get_be16(r + p + 2) + 7u) / 8 * 8) {
                ck_assert_uint_le(get_be16(r + p), 15);
                seen[get_be16(r + p)] = true;
                if (get_be16(r + p) == 2) /* Next tables. */
                    ck_assert_uint_eq(get_be16(r + p + 2) - 4,
                                      DP_N_TABLES - 1 - tables);
                if (get_be16(r + p) == 0) /* Meter is the last one. */
                    ck_assert_uint_eq(get_be16(r + p + get_be16(r + p + 2)
                                               - 4), 6);
            }
            for (unsigned i = 0; i < 16; i++)
                ck_assert(seen[i] == (i != 9 && i != 11));
            tables++;
        }
    }
    ck_assert_uint_eq(tables, DP_N_TABLES);
    ck_assert_uint_gt(parts, 5);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_features_set_names_and_limits_a_table)
{
    uint8_t m[16 + 3 * 64];
    size_t n = put_features_head(m, 4), len;
    const uint8_t *r;

    n += put_table_0(m + n);
    n += put_features(m + n, 3, "acl", 2);
    n += put_features(m + n, 5, "fwd", 100);
    send_features(&bed.c, m, n);
    r = expect(&bed.c, 19, &len);
    for (size_t at = 16; at < len; at += get_be16(r + at)) {
        if (r[at + 2] == 3) {
            ck_assert_str_eq((const char *) r + at + 8, "acl");
            ck_assert_uint_eq(get_be32(r + at + 60), 2);
        }
        if (r[at + 2] == 5)
            ck_assert_str_eq((const char *) r + at + 8, "fwd");
        ck_assert_uint_ne(r[at + 2], 4); /* Not named: gone. */
    }
    mem_drain(&bed.c);
    for (uint16_t i = 0; i < 2; i++)
        FM(.table = 3, .priority = i, .match = OXM_IP, .instr = OUT1);
    expect_quiet(&bed.c);
    FM(.table = 3, .priority = 7, .match = OXM_IP, .instr = OUT1);
    expect_error(&bed.c, 5, 1); /* TABLE_FULL */
    FM(.table = 3, .priority = 1, .match = OXM_IP, .instr = OUT2);
    FM(.table = 5, .priority = 7, .match = OXM_IP, .instr = OUT1);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    FM(.table = 4, .priority = 7, .match = OXM_IP, .instr = OUT1);
    expect_error(&bed.c, 5, 2);
    FM(.instr = "0001000804000000"); /* goto 4 */
    expect_error(&bed.c, 3, 2);
}
END_TEST

/* 1.4 names what a table-mod may set. */
START_TEST(test_features_capabilities_bound_table_mods)
{
    uint8_t m[16 + 2 * 64];
    size_t n = put_features_head(m, 5);
    const uint8_t *r;

    n += put_table_0(m + n);
    n += put_features(m + n, 2, "t", 5);
    put_be32(m + n - 8, VACANCY);
    send_features(&c14, m, n);
    r = expect(&c14, 19, NULL);
    r += 16 + get_be16(r + 16);
    ck_assert_uint_eq(get_be32(r + 56), VACANCY);
    mem_drain(&c14);
    table_mod(2, EVICTION, "");
    expect_error(&c14, 8, 1);
    table_mod(2, VACANCY, "");
    table_mod(9, 0, ""); /* Gone. */
    expect_error(&c14, 8, 0);
}
END_TEST

/* What a reply says may be sent back as it is. */
START_TEST(test_features_of_a_reply_are_a_request)
{
    uint8_t m[16];
    size_t len;
    uint8_t *copy;
    const uint8_t *r;

    mem_send(&bed.c, m, put_features_head(m, 4));
    bed_settle();
    r = expect(&bed.c, 19, &len);
    copy = malloc(len);
    memcpy(copy, r, len);
    mem_drain(&bed.c);
    copy[1] = 18;
    put_be16(copy + 10, 0);
    put_be32(copy + 16 + 60, 77);
    send_features(&bed.c, copy, len);
    r = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(get_be32(r + 16 + 60), 77);
    free(copy);
}
END_TEST

START_TEST(test_features_set_with_a_fault_changes_nothing)
{
    static const struct {
        uint8_t table;
        uint32_t max;
        unsigned at;       /* Byte of the second entry that is set ... */
        uint8_t value;     /* ... to this; at 0: none. */
        unsigned code;
    } faults[] = {
        { 254, 5, 0, 0, 0 },  /* BAD_TABLE */
        { 1, 5, 0, 0, 0 },    /* Twice. */
        { 2, 0, 0, 0, 5 },    /* No room at all: EPERM. */
        { 2, 5, 0, 0, 5 },    /* Without table 0. */
        { 2, 5, 56, 0x80, 5 },
    };

    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint8_t m[16 + 2 * 64];
        size_t n = put_features_head(m, 4), second;

        n += put_features(m + n, 1, "x", 1);
        second = n;
        n += put_features(m + n, faults[i].table, "y", faults[i].max);
        if (faults[i].at)
            m[second + faults[i].at] = faults[i].value;
        send_features(&bed.c, m, n);
        expect_error(&bed.c, 13, faults[i].code);
        for (uint16_t k = 0; k < 3; k++)
            FM(.table = 1, .priority = (uint16_t) (10 * i + k),
               .match = OXM_IP, .instr = OUT1);
        expect_quiet(&bed.c);
    }
}
END_TEST

/* Appends a property in hex, padded to 8. */
static size_t
put_prop(uint8_t *p, unsigned type, const char *hex)
{
    size_t n = 4;
    unsigned v;

    for (; *hex; hex += 2, n++) {
        ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
        p[n] = (uint8_t) v;
    }
    put_be16(p, (uint16_t) type);
    put_be16(p + 2, (uint16_t) n);
    while (n % 8)
        p[n++] = 0;
    return n;
}

enum { P_INSTRUCTIONS = 0, P_NEXT = 2, P_WRITE = 4, P_APPLY = 6, P_MATCH = 8,
       P_WILDCARDS = 10, P_APPLY_SET = 14 };

/* Table 1 shall: match in_port, eth_type, ipv4_dst (no mask), of which
 * eth_type must be there; apply output and set-field of eth_dst. */
static size_t
put_restricted(uint8_t *p)
{
    size_t n = put_features(p, 1, "narrow", 100);

    memset(p + 44, 0, 4); /* metadata_match, metadata_write: high half. */
    memset(p + 52, 0, 4);
    n += put_prop(p + n, P_INSTRUCTIONS, "00010004" "00020004" "00040004");
    n += put_prop(p + n, P_NEXT, "03");
    n += put_prop(p + n, P_WRITE, "");
    n += put_prop(p + n, P_APPLY, "00000004" "00190004");
    n += put_prop(p + n, P_MATCH, "80000004" "80000a02" "80001804");
    n += put_prop(p + n, P_WILDCARDS, "80000004" "80001804");
    n += put_prop(p + n, P_APPLY_SET, "80000606");
    put_be16(p, (uint16_t) n);
    return n;
}

#define ACT8(hex) "0004001000000000" hex
#define ACT16(hex) "0004001800000000" hex

static void
restrict_table_1(void)
{
    uint8_t m[1024];
    size_t n = put_features_head(m, 4);

    n += put_table_0(m + n);
    n += put_restricted(m + n);
    n += put_features(m + n, 2, "second", 5);
    n += put_features(m + n, 3, "third", 5);
    send_features(&bed.c, m, n);
}

START_TEST(test_features_restricted_table_refuses_what_it_shall_not)
{
    static const struct {
        struct fm fm;
        unsigned type, code; /* 0: accepted. */
    } cases[] = {
        { { .match = OXM_IP, .instr = OUT1 }, 0, 0 },
        { { .match = OXM_DST("0a000001"), .instr = OUT1 }, 0, 0 },
        { { .match = OXM_IN_PORT1, .instr = OUT1 }, 4, 5 },
        { { .match = OXM_IP "800016040a000001", .instr = OUT1 }, 4, 6 },
        { { .match = OXM_IP "800019080a000000ff000000", .instr = OUT1 }, 4, 8 },
        { { .match = OXM_IP, .instr = "0005000800000000" }, 3, 1 },
        { { .match = OXM_IP, .instr = "0006000800000001" }, 12, 3 },
        { { .match = OXM_IP, .instr = "0003001800000000" ACTION_OUT1 }, 3, 1 },
        { { .match = OXM_IP, .instr = "0001000803000000" }, 0, 0 },
        { { .match = OXM_IP, .instr = "0001000802000000" }, 3, 2 },
        { { .match = OXM_IP, .instr = "0001000804000000" }, 3, 2 },
        { { .match = OXM_IP, .instr = "0002001800000000" "0000000100000000"
                                      "00000001ffffffff" }, 3, 4 },
        { { .match = OXM_IP, .instr = "0002001800000000" "0000000100000000"
                                      "0000000100000000" }, 0, 0 },
        { { .match = OXM_IP, .instr = ACT8("0011000881000000") }, 2, 0 },
        { { .match = OXM_IP, .instr = ACT16("00190010" "80000606" "02000000"
                                            "00010000") }, 0, 0 },
        { { .match = OXM_IP, .instr = ACT16("00190010" "80000806" "02000000"
                                            "00010000") }, 2, 13 },
        /* The table-miss rule matches nothing, and does the same. */
        { { .priority = 0, .instr = OUT1 }, 0, 0 },
        { { .priority = 0, .instr = "0005000800000000" }, 3, 1 },
    };

    restrict_table_1();
    expect(&bed.c, 19, NULL);
    mem_drain(&bed.c);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FM(.table = 1, .match = cases[i].fm.match, .instr = cases[i].fm.instr,
           .priority = cases[i].fm.match ? 7 : 0);
        if (cases[i].type)
            expect_error(&bed.c, cases[i].type, cases[i].code);
        else
            expect_quiet(&bed.c);
    }
    /* Modified rules, too; elsewhere all is as it was. */
    FM(.command = MODIFY, .table = 1, .instr = "0005000800000000");
    expect_error(&bed.c, 3, 1);
    FM(.table = 2, .match = OXM_IN_PORT1, .instr = "0005000800000000");
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_features_that_change_empty_the_table_in_silence)
{
    const unsigned send_flow_rem = 1;

    FM(.table = 1, .match = OXM_IN_PORT1, .flags = send_flow_rem,
       .instr = OUT1);
    FM(.table = 0, .match = OXM_IN_PORT1, .instr = OUT1);
    FM(.table = 9, .match = OXM_IN_PORT1, .instr = OUT1);
    restrict_table_1();
    expect(&bed.c, 19, NULL);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 1); /* In table 0. */
    /* The same again is no change. */
    FM(.table = 1, .match = OXM_IP, .instr = OUT1);
    restrict_table_1();
    expect(&bed.c, 19, NULL);
    expect_quiet(&bed.c);
    ck_assert_uint_eq(bed.dpb->n_rules, 2);
}
END_TEST

START_TEST(test_features_that_were_set_are_told_and_may_be_widened)
{
    uint8_t m[1024], wide[4096];
    size_t n, len;
    const uint8_t *r;

    mem_send(&bed.c, m, put_features_head(m, 4));
    bed_settle();
    r = expect(&bed.c, 19, &len);
    memcpy(wide, r, 16); /* Tables 0 and 1 as they are. */
    n = 16 + get_be16(r + 16);
    n += get_be16(r + n);
    ck_assert_uint_le(n, sizeof wide);
    memcpy(wide, r, n);
    mem_drain(&bed.c);
    restrict_table_1();
    r = expect(&bed.c, 19, &len);
    expect_quiet(&bed.c);
    r += 16 + get_be16(r + 16);
    ck_assert_uint_eq(r[2], 1);
    ck_assert_uint_eq(get_be64(r + 40), 0xffffffff00000000);
    put_restricted(m);
    ck_assert_str_eq(hex_of(r + 64, 16), hex_of(m + 64, 16));
    wide[1] = 18;
    put_be16(wide + 2, (uint16_t) n);
    put_be16(wide + 10, 0);
    send_features(&bed.c, wide, n);
    r = expect(&bed.c, 19, &len);
    ck_assert_uint_eq(len, n);
    FM(.table = 1, .match = OXM_IN_PORT1, .instr = "0005000800000000");
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_features_properties_that_no_table_has_are_refused)
{
    static const struct {
        unsigned prop;
        const char *hex;
        unsigned code;
    } bad[] = {
        { P_INSTRUCTIONS, "00080004", 4 },         /* BAD_ARGUMENT */
        { P_INSTRUCTIONS, "ffff000800002320", 4 },
        { P_NEXT, "fe", 4 },
        { P_APPLY, "00630004", 4 },
        { P_APPLY_SET, "80000004", 4 },            /* in_port */
        { P_MATCH, "80006601", 4 },
        { P_MATCH, "80000108", 4 },                /* in_port masked */
        { 30, "", 2 },                             /* BAD_TYPE */
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t m[512];
        size_t n = put_features_head(m, 4), at;

        n += put_table_0(m + n);
        at = n;
        n += put_features(m + n, 1, "x", 1);
        n += put_prop(m + n, bad[i].prop, bad[i].hex);
        put_be16(m + at, (uint16_t) (n - at));
        send_features(&bed.c, m, n);
        expect_error(&bed.c, 13, bad[i].code);
        FM(.table = 2, .match = OXM_IN_PORT1, .instr = OUT1);
        expect_quiet(&bed.c);
    }
}
END_TEST

/* OFPMPF_REQ_MORE: nothing happens before the last part. */
START_TEST(test_features_in_parts_are_one_request)
{
    uint8_t m[1024];
    size_t n = put_features_head(m, 4);

    m[11] = 1;
    n += put_table_0(m + n);
    send_features(&bed.c, m, n);
    expect_quiet(&bed.c);
    FM(.table = 2, .match = OXM_IN_PORT1, .instr = OUT1);
    expect_quiet(&bed.c);
    mem_send_hex(&bed.c, "0412 0000 00000099 000c 0000 00000000");
    bed_settle();
    expect(&bed.c, 19, NULL); /* Another request, that only asks. */
    mem_drain(&bed.c);
    n = put_features_head(m, 4);
    n += put_restricted(m + n);
    send_features(&bed.c, m, n);
    expect(&bed.c, 19, NULL);
    expect_quiet(&bed.c);
    FM(.table = 2, .match = OXM_IN_PORT1, .instr = OUT1);
    expect_error(&bed.c, 5, 2);
}
END_TEST

START_TEST(test_features_in_parts_fail_as_one_and_once)
{
    uint8_t m[1024];
    size_t n = put_features_head(m, 4);

    m[11] = 1;
    n += put_features(m + n, 254, "x", 1);
    send_features(&bed.c, m, n);
    expect_error(&bed.c, 13, 0);
    n = put_features_head(m, 4);
    n += put_table_0(m + n);
    send_features(&bed.c, m, n);
    expect_quiet(&bed.c);
    FM(.table = 2, .match = OXM_IN_PORT1, .instr = OUT1);
    expect_quiet(&bed.c);
}
END_TEST

START_TEST(test_features_whose_last_part_never_comes_time_out)
{
    uint8_t m[1024];
    size_t n = put_features_head(m, 5);

    m[11] = 1;
    n += put_table_0(m + n);
    send_features(&c14, m, n);
    bed_advance(9000);
    expect_quiet(&c14);
    bed_advance(2000);
    expect_error(&c14, 1, 14); /* MULTIPART_REQUEST_TIMEOUT */
    bed_advance(20000);
    expect_quiet(&c14);
}
END_TEST

/* ---------------------------------------------------------------- eviction */

START_TEST(test_eviction_takes_the_least_important_and_says_so)
{
    const uint8_t *m;
    size_t len;

    limit(0, 3);
    add14(1, 5, 0, 1);
    add14(2, 3, 0, 1);
    add14(3, 9, 0, 1);
    add14(4, 9, 0, 1);
    expect_error(&c14, 5, 1); /* TABLE_FULL: eviction is off. */
    table_mod(0, EVICTION, "0002000800000002");
    expect_quiet(&c14);
    add14(4, 9, 0, 1);
    m = expect(&c14, FLOW_REMOVED, &len);
    ck_assert_uint_eq(get_be16(m + 16), 2); /* Priority. */
    ck_assert_uint_eq(m[18], REASON_EVICTION);
    ck_assert(!has(2) && has(4));
    add14(5, 2, 0, 0); /* Less than all that are there. */
    expect_error(&c14, 5, 1);
    add14(3, 1, 0, 1); /* Replaces; now it is the least. */
    expect_quiet(&c14);
    add14(6, 4, 0, 1);
    m = expect(&c14, FLOW_REMOVED, &len);
    ck_assert_uint_eq(get_be16(m + 16), 3);
    ck_assert_uint_eq(bed.dpb->n_rules, 3);
    expect_quiet(&c14);
}
END_TEST

START_TEST(test_eviction_by_lifetime_takes_what_would_go_first)
{
    limit(0, 3);
    table_mod(0, EVICTION, "0002000800000004");
    add14(1, 0, 0, 0);
    add14(2, 0, 100, 0);
    add14(3, 0, 50, 0);
    add14(4, 0, 0, 0);
    ck_assert(!has(3) && has(4));
    add14(5, 0, 0, 0);
    ck_assert(!has(2) && has(5));
    add14(6, 0, 0, 0); /* Nothing has a timeout: the oldest. */
    ck_assert(!has(1) && has(6));
    expect_quiet(&c14);
}
END_TEST

/* More rules than candidates, against the plain minimum. */
START_TEST(test_eviction_finds_the_minimum_among_many)
{
    enum { N = 700, ROUNDS = 900 };
    static uint16_t importance[N + ROUNDS];
    static bool there[N + ROUNDS];
    uint32_t rng = 1;

    limit(0, N);
    table_mod(0, EVICTION, "0002000800000002");
    for (unsigned i = 0; i < N + ROUNDS; i++) {
        unsigned least = 0;

        rng = rng * 1103515245 + 12345;
        importance[i] = (uint16_t) (rng >> 16);
        add14((uint16_t) (i + 1), importance[i], 0, 0);
        if (i < N) {
            there[i] = true;
            continue;
        }
        while (!there[least])
            least++;
        for (unsigned k = least; k < i; k++)
            if (there[k] && importance[k] < importance[least])
                least = k;
        there[i] = importance[i] >= importance[least];
        if (there[i])
            there[least] = false;
        else
            mem_drain(&c14);
        ck_assert(has((uint16_t) (least + 1)) == there[least]);
        ck_assert(has((uint16_t) (i + 1)) == there[i]);
    }
    ck_assert_uint_eq(bed.dpb->n_rules, N);
}
END_TEST

/* ----------------------------------------------------------------- vacancy */

static void
expect_status(unsigned reason, unsigned vacancy)
{
    size_t len;
    const uint8_t *m = expect(&c14, TABLE_STATUS, &len);

    ck_assert_uint_eq(m[8], reason);
    ck_assert_uint_eq(get_be16(m + 16), len - 16); /* The description. */
    ck_assert_uint_eq(m[18], 0);
    ck_assert_uint_eq(get_be32(m + 20), VACANCY);
    ck_assert_uint_eq(get_be16(m + 24), 2);
    ck_assert_uint_eq(get_be16(m + 32), 3);
    ck_assert_uint_eq(m[36], 30);
    ck_assert_uint_eq(m[37], 60);
    ck_assert_uint_eq(m[38], vacancy);
}

START_TEST(test_vacancy_events_come_once_per_crossing)
{
    limit(0, 10);
    table_mod(0, VACANCY, "00030008" "1e3c0000");
    for (uint16_t i = 1; i <= 7; i++)
        add14(i, 0, 0, 0);
    expect_quiet(&c14); /* 30 % is not below 30 %. */
    add14(8, 0, 0, 0);
    expect_status(3, 20);
    add14(9, 0, 0, 0);
    expect_quiet(&c14);
    FM(.command = DELETE, .table = 0, .match = OXM_DST("00000001"));
    FM(.command = DELETE, .table = 0, .match = OXM_DST("00000002"));
    expect_quiet(&c14); /* Up again to 30 %: not the upper threshold. */
    for (unsigned i = 3; i < 6; i++) {
        char match[64];

        snprintf(match, sizeof match, OXM_DST("%08x"), i);
        FM(.command = DELETE, .table = 0, .match = match);
    }
    expect_quiet(&c14); /* 60 % */
    FM(.command = DELETE, .table = 0, .match = OXM_DST("00000006"));
    expect_status(4, 70);
    expect_quiet(&c14);
    expect_quiet(&bed.c); /* 1.3 knows no such thing. */
}
END_TEST

/* --------------------------------------------------------------- table-mod */

START_TEST(test_table_mod_faults_have_their_errors)
{
    static const struct {
        uint8_t table;
        uint32_t config;
        const char *props;
        unsigned type, code;
    } faults[] = {
        { 254, 0, "", 8, 0 },                        /* BAD_TABLE */
        { 0, 0x10, "", 8, 1 },                       /* BAD_CONFIG */
        { 0, 4, "0002000800000008", 14, 2 },         /* BAD_VALUE */
        { 0, 8, "0003000850140000", 14, 2 },         /* down above up */
        { 0, 8, "0003000814650000", 14, 2 },         /* above 100 */
        { 0, 4, "0009000800000000", 14, 0 },         /* BAD_TYPE */
        { 0, 4, "00020008000000010002000800000001", 14, 4 }, /* DUP_TYPE */
        { 0, 4, "ffff000c000000010000000100000000", 14, 5 },
    };

    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        table_mod(faults[i].table, faults[i].config, faults[i].props);
        expect_error(&c14, faults[i].type, faults[i].code);
        expect_quiet(&c14);
    }
}
END_TEST

START_TEST(test_table_desc_shows_all_that_was_set)
{
    uint8_t ask[16] = { 5, 18, 0, 16, 0, 0, 0, 1, 0, 14 };
    const uint8_t *m;
    size_t len;

    table_mod(0xff, EVICTION, "0002000800000003");
    table_mod(7, EVICTION | VACANCY | 1, "000300081e3c0000");
    mem_send(&c14, ask, sizeof ask);
    m = expect(&c14, 19, &len);
    ck_assert_uint_eq(len, 16 + DP_N_TABLES * 24);
    for (unsigned t = 0; t < DP_N_TABLES; t++) {
        const uint8_t *d = m + 16 + 24 * t;

        ck_assert_uint_eq(get_be16(d), 24);
        ck_assert_uint_eq(d[2], t);
        ck_assert_uint_eq(get_be32(d + 4), t == 7 ? 13 : 4);
        ck_assert_uint_eq(get_be32(d + 12), 3);
        ck_assert_uint_eq(d[20], t == 7 ? 30 : 0);
        ck_assert_uint_eq(d[22], 100);
    }
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("table_config");
    TCase *tc = tcase_create("table_config");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_features_reply_says_what_every_table_can_do);
    tcase_add_test(tc, test_features_set_names_and_limits_a_table);
    tcase_add_test(tc, test_features_of_a_reply_are_a_request);
    tcase_add_test(tc, test_features_set_with_a_fault_changes_nothing);
    tcase_add_test(tc,
                   test_features_restricted_table_refuses_what_it_shall_not);
    tcase_add_test(tc, test_features_that_change_empty_the_table_in_silence);
    tcase_add_test(tc, test_features_that_were_set_are_told_and_may_be_widened);
    tcase_add_test(tc, test_features_properties_that_no_table_has_are_refused);
    tcase_add_test(tc, test_features_capabilities_bound_table_mods);
    tcase_add_test(tc, test_features_in_parts_are_one_request);
    tcase_add_test(tc, test_features_in_parts_fail_as_one_and_once);
    tcase_add_test(tc, test_features_whose_last_part_never_comes_time_out);
    tcase_add_test(tc, test_eviction_takes_the_least_important_and_says_so);
    tcase_add_test(tc, test_eviction_by_lifetime_takes_what_would_go_first);
    tcase_add_test(tc, test_eviction_finds_the_minimum_among_many);
    tcase_add_test(tc, test_vacancy_events_come_once_per_crossing);
    tcase_add_test(tc, test_table_mod_faults_have_their_errors);
    tcase_add_test(tc, test_table_desc_shows_all_that_was_set);
    suite_add_tcase(s, tc);
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
