/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "ofproto": sessions that speak OpenFlow 1.5. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "loci/loci.h"
#include "tests/ofproto/agent_bed.h"
#include "weft/be.h"

static struct mem_conn c15;

static void
setup(void)
{
    bed_open();
    bed_session(&c15, 6, false);
    mem_drain(&bed.c);
}

static void
teardown(void)
{
    mem_close(&c15);
    bed_close();
}

static void
ask(const char *hex)
{
    mem_send_hex(&c15, hex);
    bed_settle();
}

/* A match of in_port=1, of IPv4 TCP, of all; with the pads. */
#define PORT1 "0001 000c 80000004 00000001 00000000"
#define TCP "0001 000f 80000a020800 8000140106 00"
#define ANY "0001 0004 00000000"
#define NOTHING "ffffffff ffffffff ffffffff" /* buffer, out_port, out_group */
#define FLOW(command, table, prio, flags, match, instr)                       \
    "060e 0000 00000077 00000000000000aa 0000000000000000" table command      \
    "0000 0000" prio NOTHING flags "0000" match instr
#define ADD(match, instr) FLOW("00", "00", "0064", "0000", match, instr)
#define APPLY(len, actions) "0004" len "00000000" actions
#define OUTPUT2 "0000 0010 00000002 ffff 000000000000"
/* n_bits, offsets, OXM headers. */
#define COPY(n, src, dst, from, to) "001c 0018" n src dst "0000" from to      \
                                    "00000000"
#define TRIGGER(flags, oxs, len) "0007" len flags oxs

static const struct dp_op *
first_op(void)
{
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    return dummy_rule_nth(bed.dpb, 0)->instr.apply.ops;
}

/* ---------------------------------------------------------------- actions */

START_TEST(test_of15_copy_field_becomes_an_op)
{
    struct dp_copy_field cf;

    /* metadata[8..23] -> tunnel_id[0..15] */
    ask(ADD(PORT1, APPLY("0030", COPY("0010", "0008", "0000", "80000408",
                                      "80004c08") OUTPUT2)));
    expect_quiet(&c15);
    ck_assert_uint_eq(first_op()->code, DP_OP_COPY_FIELD);
    memcpy(&cf, first_op()->data, sizeof cf);
    ck_assert_uint_eq(cf.src, FLOW_F_METADATA);
    ck_assert_uint_eq(cf.dst, FLOW_F_TUN_ID);
    ck_assert_uint_eq(cf.n_bits, 16);
    ck_assert_uint_eq(cf.src_offset, 8);
    ck_assert_uint_eq(cf.dst_offset, 0);
}
END_TEST

/* Clause 7.2.6.8: what may be wrong with a copy. */
START_TEST(test_of15_copy_field_refusals_have_their_codes)
{
    static const struct {
        const char *hex;
        unsigned code;
    } cases[] = {
        { ADD(PORT1, APPLY("0020", COPY("0000", "0000", "0000", "80000408",
                                        "80004c08"))), 5 },  /* No bits. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0031", "0000", "80000408",
                                        "80004c08"))), 5 },  /* Beyond src. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0031", "80000408",
                                        "80004c08"))), 5 },  /* Beyond dst. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80006008",
                                        "80004c08"))), 13 }, /* Unknown. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80000508",
                                        "80004c08"))), 13 }, /* A mask. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80000404",
                                        "80004c08"))), 14 }, /* A length. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80000408",
                                        "80004e02"))), 10 }, /* No IPv6. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80001a02",
                                        "80004c08"))), 10 }, /* No TCP. */
        { ADD(PORT1, APPLY("0020", COPY("0010", "0000", "0000", "80000408",
                                        "80005604"))), 13 }, /* Read-only. */
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        ask(cases[i].hex);
        expect_error(&c15, 2, cases[i].code);
    }
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
}
END_TEST

START_TEST(test_of15_meter_instruction_of_14_is_unknown)
{
    ask(ADD(PORT1, "0006 0008 00000005"));
    expect_error(&c15, 3, 0);
}
END_TEST

START_TEST(test_of15_instruction_twice_is_a_duplicate)
{
    ask(ADD(PORT1, "0005 0008 00000000 0005 0008 00000000"));
    expect_error(&c15, 3, 9);
}
END_TEST

/* ----------------------------------------------------- statistics as OXS */

/* The bytes of OXS field 'header' in a message; NULL: not there. */
static const uint8_t *
oxs(const uint8_t *msg, size_t len, uint32_t header)
{
    for (size_t at = 0; at + 4 <= len; at++)
        if (get_be32(msg + at) == header)
            return msg + at + 4;
    return NULL;
}

#define OXS_DURATION 0x80020008
#define OXS_IDLE 0x80020208
#define OXS_FLOWS 0x80020604
#define OXS_PACKETS 0x80020808
#define OXS_BYTES 0x80020a08
#define FILTER "ff000000 ffffffff ffffffff 00000000" /* table ... pad */       \
               "0000000000000000 0000000000000000" ANY

static void
count(uint64_t packets, uint64_t bytes)
{
    struct dp_rule *r = dummy_rule_nth(bed.dpb, 0);

    r->stats.packets = packets;
    r->stats.bytes = bytes;
    r->stats.used_ns = bed.now_ns;
}

START_TEST(test_of15_flow_descriptions_give_back_what_was_added)
{
    const uint8_t *m;
    size_t len;

    ask(ADD(TCP, APPLY("0030", COPY("0010", "0000", "0000", "80001a02",
                                    "80001c02") OUTPUT2)
                 TRIGGER("00000001",
                         "0000 0010 80020808 000000000000000a", "0018")));
    expect_quiet(&c15);
    bed_advance(3000);
    count(7, 700);
    ask("0612 0000 00000011 0001 0000 00000000" FILTER);
    m = expect(&c15, 19, &len);
    /* Entry: length, table, priority, timeouts, flags, importance, cookie. */
    ck_assert_str_eq(hex_of(m + 8, 8), hex_plain("0001 0000 00000000"));
    ck_assert_uint_eq(get_be16(m + 16), len - 16);
    ck_assert_str_eq(hex_of(m + 20, 20),
                     hex_plain("0000 0064 0000 0000 0000 0000"
                               "00000000000000aa"));
    ck_assert_str_eq(hex_of(m + 40, 16), hex_plain(TCP));
    ck_assert_str_eq(hex_of(m + 56, 4), hex_plain("0000 0034"));
    ck_assert_uint_eq(get_be32(oxs(m, len, OXS_DURATION)), 3);
    ck_assert_uint_eq(get_be32(oxs(m, len, OXS_IDLE)), 0);
    ck_assert_uint_eq(get_be64(oxs(m, len, OXS_PACKETS)), 7);
    ck_assert_uint_eq(get_be64(oxs(m, len, OXS_BYTES)), 700);
    ck_assert_str_eq(
        hex_of(m + 112, len - 112),
        hex_plain(APPLY("0030", COPY("0010", "0000", "0000", "80001a02",
                                     "80001c02") OUTPUT2)
                  TRIGGER("00000001",
                          "0000 0010 80020808 000000000000000a", "0018")));
}
END_TEST

START_TEST(test_of15_flow_statistics_have_no_instructions)
{
    const uint8_t *m;
    size_t len;

    ask(ADD(PORT1, APPLY("0018", OUTPUT2)));
    count(9, 90);
    ask("0612 0000 00000012 0011 0000 00000000" FILTER);
    m = expect(&c15, 19, &len);
    /* table, reason STATS_REQUEST, priority. */
    ck_assert_str_eq(hex_of(m + 8, 16),
                     hex_plain("0011 0000 00000000 0050 0000 00 00 0064"));
    ck_assert_uint_eq(len, 16 + 0x50);
    ck_assert_uint_eq(get_be64(oxs(m, len, OXS_PACKETS)), 9);
}
END_TEST

START_TEST(test_of15_aggregate_is_oxs)
{
    const uint8_t *m;
    size_t len;

    ask(ADD(PORT1, APPLY("0018", OUTPUT2)));
    count(9, 90);
    ask("0612 0000 00000013 0002 0000 00000000" FILTER);
    m = expect(&c15, 19, &len);
    ck_assert_str_eq(hex_of(m + 16, len - 16),
                     hex_plain("0000 0024 80020604 00000001"
                               "80020808 0000000000000009"
                               "80020a08 000000000000005a 00000000"));
}
END_TEST

START_TEST(test_of15_flow_removed_has_statistics)
{
    const uint8_t *m;
    size_t len;

    ask(FLOW("00", "00", "0064", "0001", PORT1, APPLY("0018", OUTPUT2)));
    bed_advance(2000);
    count(4, 256);
    ask(FLOW("03", "ff", "0000", "0000", ANY, ""));
    m = expect(&c15, 11, &len);
    /* table, reason DELETE, priority, timeouts, cookie, match. */
    ck_assert_str_eq(hex_of(m + 8, 16),
                     hex_plain("00 02 0064 0000 0000 00000000000000aa"));
    ck_assert_str_eq(hex_of(m + 24, 16), hex_plain(PORT1));
    ck_assert_uint_eq(get_be32(oxs(m, len, OXS_DURATION)), 2);
    ck_assert_uint_eq(get_be64(oxs(m, len, OXS_BYTES)), 256);
}
END_TEST

/* ------------------------------------------------------------- triggers */

#define ON_PACKETS(flags, n) TRIGGER(flags, "0000 0010 80020808" n, "0018")

/* A tick later: is there an event, and for how many packets? */
static void
expect_event(uint64_t packets)
{
    const uint8_t *m;
    size_t len;

    bed_advance(100);
    m = expect(&c15, 19, &len);
    ck_assert_uint_eq(get_be16(m + 8), 17);
    ck_assert_uint_eq(m[21], 1); /* OFPFSR_STAT_TRIGGER */
    ck_assert_uint_eq(get_be64(oxs(m, len, OXS_PACKETS)), packets);
    expect_quiet(&c15);
}

START_TEST(test_of15_trigger_fires_once_behind_its_threshold)
{
    ask(ADD(PORT1, ON_PACKETS("00000000", "000000000000000a")));
    count(9, 0);
    bed_advance(100);
    expect_quiet(&c15);
    count(12, 0);
    expect_event(12);
    count(30, 0);
    bed_advance(100);
    expect_quiet(&c15);
    expect_quiet(&bed.c); /* 1.3 knows nothing of it. */
}
END_TEST

START_TEST(test_of15_trigger_periodic_fires_at_multiples)
{
    ask(ADD(PORT1, ON_PACKETS("00000001", "000000000000000a")));
    count(10, 0);
    expect_event(10);
    count(19, 0);
    bed_advance(100);
    expect_quiet(&c15);
    count(55, 0); /* Several at once are one event. */
    expect_event(55);
    count(60, 0);
    expect_event(60);
}
END_TEST

START_TEST(test_of15_trigger_only_first_forgets_the_others)
{
    ask(ADD(PORT1, TRIGGER("00000002",
                           "0000 001c 80020808 000000000000000a"
                           "80020a08 0000000000000064 00000000", "0028")));
    count(10, 50);
    expect_event(10);
    count(11, 200);
    bed_advance(100);
    expect_quiet(&c15);
}
END_TEST

START_TEST(test_of15_trigger_goes_with_its_rule_and_its_instruction)
{
    ask(ADD(PORT1, ON_PACKETS("00000001", "000000000000000a")));
    ask(FLOW("01", "00", "0064", "0000", PORT1, APPLY("0018", OUTPUT2)));
    count(100, 0);
    bed_advance(100);
    expect_quiet(&c15);
    ask(FLOW("01", "00", "0064", "0000", PORT1,
             ON_PACKETS("00000001", "000000000000000a")));
    ask(FLOW("03", "ff", "0000", "0000", ANY, ""));
    bed_advance(100);
    expect_quiet(&c15);
}
END_TEST

START_TEST(test_of15_trigger_refusals)
{
    ask(ADD(PORT1, ON_PACKETS("00000004", "000000000000000a")));
    expect_error(&c15, 3, 1);
    ask(ADD(PORT1, TRIGGER("00000000",
                           "0000 000c 8002 4004 00000001 00000000", "0018")));
    expect_error(&c15, 3, 1); /* Field 32. */
    ask(ADD(PORT1, TRIGGER("00000000",
                           "0000 000c 8002 0804 00000001 00000000", "0018")));
    expect_error(&c15, 3, 7);
}
END_TEST

START_TEST(test_of15_trigger_events_can_be_switched_off)
{
    ask("061c 0000 00000022 000d 0008 00000001"); /* FLOW_STATS_MASTER */
    ask(ADD(PORT1, ON_PACKETS("00000001", "000000000000000a")));
    count(10, 0);
    bed_advance(100);
    expect_quiet(&c15);
}
END_TEST

/* ---------------------------------------------------------- packet-out */

#define FRAME "020000000002 020000000001 88b5 00000000000000000000"
#define PACKET_OUT(match, actions_len, actions)                               \
    "060d 0000 00000031 ffffffff" actions_len "0000" match actions FRAME

START_TEST(test_of15_packet_out_takes_its_port_from_the_match)
{
    ask(PACKET_OUT(PORT1, "0010", OUTPUT2));
    expect_quiet(&c15);
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 1);
    ck_assert_uint_eq(dummy_last_packet_out(bed.dpb)->in_port, 1);
}
END_TEST

START_TEST(test_of15_packet_out_refusals)
{
    ask(PACKET_OUT(ANY, "0010", OUTPUT2));
    expect_error(&c15, 1, 11); /* No port. */
    ask(PACKET_OUT("0001 0012 80000004 00000001 80000a02 0800 000000000000",
                   "0010", OUTPUT2));
    expect_error(&c15, 1, 17); /* PIPELINE_FIELDS_ONLY */
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 0);
}
END_TEST

START_TEST(test_of15_packet_out_accepts_pipeline_fields)
{
    /* in_port, packet_type (0,0), metadata */
    ask(PACKET_OUT("0001 0020 80000004 00000001 80005804 00000000"
                   "80000408 0000000000000055",
                   "0010", OUTPUT2));
    expect_quiet(&c15);
    ck_assert_uint_eq(bed.dpb->n_packet_outs, 1);
}
END_TEST

/* ----------------------------------------------------------------- ports */

START_TEST(test_of15_port_desc_of_one_port)
{
    const uint8_t *m;
    size_t len;

    ask("0612 0000 00000041 000d 0000 00000000 00000002 00000000");
    m = expect(&c15, 19, &len);
    ck_assert_uint_eq(len, 16 + 72);
    ck_assert_uint_eq(get_be32(m + 16), 2);
    ask("0612 0000 00000041 000d 0000 00000000 ffffffff 00000000");
    expect(&c15, 19, &len);
    ck_assert_uint_gt(len, 16 + 2 * 72 - 1);
    ask("0612 0000 00000041 000d 0000 00000000 00000077 00000000");
    expect_error(&c15, 1, 11);
}
END_TEST

/* -------------------------------------------------------- table features */

/* An entry without properties: table, command, features, max_entries. */
#define ENTRY(table, command, features, max)                                  \
    "0040" table command features                                             \
    "0000000000000000000000000000000000000000000000000000000000000000"        \
    "ffffffffffffffff ffffffffffffffff 00000000" max
#define ALL_RULES "00200000"
#define FEATURES(entries) "0612 0000 00000061 000c 0000 00000000" entries

/* The features bits of all tables, from the replies. */
static void
take_features(uint32_t flags[DP_N_TABLES])
{
    unsigned n = 0;
    bool more = true;

    while (more) {
        size_t len;
        const uint8_t *m = expect(&c15, 19, &len);

        more = get_be16(m + 10) & 1;
        for (size_t at = 16; at < len; at += get_be16(m + at)) {
            ck_assert_uint_lt(n, DP_N_TABLES);
            ck_assert_uint_eq(m[at + 2], n);
            flags[n++] = get_be32(m + at + 4);
        }
        ck_assert_int_eq(of_validate_message(m, (int) len), 0);
    }
    ck_assert_uint_eq(n, DP_N_TABLES);
    expect_quiet(&c15);
}

START_TEST(test_of15_table_features_make_egress_tables)
{
    uint32_t flags[DP_N_TABLES];

    ask(FEATURES(""));
    take_features(flags);
    ck_assert_uint_eq(flags[0], 1);
    ck_assert_uint_eq(flags[200], 3);
    ask(FEATURES(ENTRY("c8", "01", "00000012", ALL_RULES)));
    take_features(flags);
    ck_assert_uint_eq(bed.dpb->egress, 200);
    ck_assert_uint_eq(flags[199], 1);
    ck_assert_uint_eq(flags[200], 0x12);
    ck_assert_uint_eq(flags[201], 2);
    /* Not from there into here, clause 5.1.2. */
    ask(ADD(PORT1, "0001 0008 c8 000000"));
    expect_error(&c15, 3, 2);
    ask(ADD(PORT1, "0001 0008 c7 000000"));
    ask(FLOW("00", "c8", "0001", "0000", ANY, "0001 0008 c9 000000"));
    expect_quiet(&c15);
    /* The action set's output is what the packet is there for. */
    ask(FLOW("00", "c8", "0001", "0000", PORT1, "0003 0018 00000000"
             "0000 0010 00000002 ffff 000000000000"));
    expect_error(&c15, 2, 0);
    ask(FLOW("00", "c8", "0001", "0000", PORT1, "0004 0018 00000000"
             "0000 0010 00000002 ffff 000000000000"));
    expect_quiet(&c15);
    ask(FEATURES(ENTRY("c8", "01", "00000003", ALL_RULES)));
    take_features(flags);
    ck_assert_uint_eq(bed.dpb->egress, DP_NO_TABLE);
}
END_TEST

START_TEST(test_of15_tables_are_disabled_and_enabled)
{
    size_t len;
    const uint8_t *m;
    bool more = true, seen = false;

    ask(FLOW("00", "05", "0001", "0000", PORT1, ""));
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    ask(FEATURES(ENTRY("05", "03", "00000003", ALL_RULES)));
    while (more) {
        m = expect(&c15, 19, &len);
        more = get_be16(m + 10) & 1;
        for (size_t at = 16; at < len; at += get_be16(m + at))
            seen |= m[at + 2] == 5;
    }
    ck_assert(!seen);
    ck_assert_uint_eq(bed.dpb->n_rules, 0);
    ask(FLOW("00", "05", "0001", "0000", PORT1, ""));
    expect_error(&c15, 5, 2);
    ask(ADD(PORT1, "0001 0008 05 000000"));
    expect_error(&c15, 3, 2);
    ask(FEATURES(ENTRY("05", "02", "00000003", ALL_RULES)));
    expect(&c15, 19, NULL);
    mem_drain(&c15);
    ask(FLOW("00", "05", "0001", "0000", PORT1, ""));
    expect_quiet(&c15);
}
END_TEST

START_TEST(test_of15_table_features_refusals)
{
    static const struct {
        const char *hex;
        unsigned type, code;
    } cases[] = {
        { FEATURES(ENTRY("fe", "01", "00000003", ALL_RULES)), 13, 0 },
        { FEATURES(ENTRY("01", "04", "00000003", ALL_RULES)), 13, 9 },
        { FEATURES(ENTRY("00", "03", "00000003", ALL_RULES)), 13, 5 },
        { FEATURES(ENTRY("01", "00", "00000003", ALL_RULES)), 13, 5 },
        { FEATURES(ENTRY("00", "01", "00000010", ALL_RULES)), 13, 8 },
        { FEATURES(ENTRY("01", "01", "00000100", ALL_RULES)), 13, 8 },
        { FEATURES(ENTRY("01", "01", "00000003", "00300000")), 13, 7 },
        { FEATURES(ENTRY("01", "01", "00000012", ALL_RULES)
                   ENTRY("02", "01", "00000012", ALL_RULES)), 13, 8 },
    };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(cases); i++) {
        ask(cases[i].hex);
        expect_error(&c15, cases[i].type, cases[i].code);
    }
    ck_assert_uint_eq(bed.dpb->egress, DP_NO_TABLE);
}
END_TEST

/* --------------------------------------------------------------- bundles */

/* A flow in a bundle of 1.5 comes with its trigger. */
START_TEST(test_of15_bundle_carries_triggers)
{
    size_t len;

    ask("0621 0000 00000072 00000001 0000 0003");
    expect(&c15, 33, &len);
    ask("0622 0000 00000077 00000001 0000 0003"
        "060e 0058 00000077 00000000000000aa 0000000000000000 00 00"
        "0000 0000 0064" NOTHING "0000 0000" PORT1
        ON_PACKETS("00000001", "000000000000000a"));
    ask("0621 0000 00000073 00000001 0004 0003");
    expect(&c15, 33, &len);
    ck_assert_uint_eq(bed.dpb->n_rules, 1);
    bed_advance(100); /* Triggers wait for the end of a transaction. */
    count(10, 0);
    expect_event(10);
}
END_TEST

/* ----------------------------------------------------------- controllers */

#define ROLE(role, short_id, generation)                                      \
    "0618 0000 00000051 0000000" role short_id "0000 000000000000000" generation

START_TEST(test_of15_controllers_hear_of_each_other)
{
    struct mem_conn other;
    const uint8_t *m;
    size_t len;

    bed_session(&other, 6, false);
    m = expect(&c15, 35, &len);
    /* Length, id, role EQUAL, CHANNEL_STATUS, UP. */
    ck_assert_str_eq(hex_of(m + 10, 14),
                     hex_plain("0000 00000001 01 00 000000000000"));
    ck_assert_str_eq(hex_of(m + 24, 2), "0000"); /* URI */
    ck_assert_uint_eq(get_be16(m + 8),
                      16 + (4 + strlen(other.conn.peer) + 7) / 8 * 8);
    ck_assert_uint_eq(get_be16(m + 26), 4 + strlen(other.conn.peer));
    ck_assert_mem_eq(m + 28, other.conn.peer, strlen(other.conn.peer));
    mem_send_hex(&other, ROLE("2", "0011", "1"));
    m = expect(&other, 25, &len);
    ck_assert_str_eq(hex_of(m + 8, 8), hex_plain("00000002 0011 0000"));
    m = expect(&c15, 35, &len);
    ck_assert_str_eq(hex_of(m + 10, 8), hex_plain("0011 00000001 05 00"));
    m = expect(&c15, 35, &len);
    ck_assert_str_eq(hex_of(m + 10, 8), hex_plain("0011 00000002 02 00"));
    mem_close(&other);
    m = expect(&c15, 35, &len);
    ck_assert_str_eq(hex_of(m + 10, 8), hex_plain("0011 00000002 01 01"));
    expect_quiet(&c15);
}
END_TEST

START_TEST(test_of15_short_id_of_another_is_in_use)
{
    struct mem_conn other;
    size_t len;

    bed_session(&other, 6, false);
    mem_drain(&c15);
    mem_send_hex(&other, ROLE("1", "0011", "1"));
    expect(&other, 25, &len);
    mem_drain(&c15);
    ask(ROLE("1", "0011", "1"));
    expect_error(&c15, 11, 4);
    ask(ROLE("1", "0012", "1"));
    expect(&c15, 25, &len);
    mem_close(&other);
}
END_TEST

START_TEST(test_of15_controller_status_lists_the_channels)
{
    const uint8_t *m;
    size_t len;

    ask("0612 0000 00000052 0012 0000 00000000");
    m = expect(&c15, 19, &len);
    ck_assert_str_eq(hex_of(m + 8, 8), hex_plain("0012 0000 00000000"));
    /* The session of 1.3 is one, too. */
    ck_assert_uint_eq(len, 16 + 2 * (16 + (4 + strlen(c15.conn.peer) + 7)
                                             / 8 * 8));
    ck_assert_uint_eq(m[16 + 8], 0); /* REQUEST */
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("ofproto");
    TCase *t = tcase_create("of15");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_of15_copy_field_becomes_an_op);
    tcase_add_test(t, test_of15_copy_field_refusals_have_their_codes);
    tcase_add_test(t, test_of15_meter_instruction_of_14_is_unknown);
    tcase_add_test(t, test_of15_instruction_twice_is_a_duplicate);
    tcase_add_test(t, test_of15_flow_descriptions_give_back_what_was_added);
    tcase_add_test(t, test_of15_flow_statistics_have_no_instructions);
    tcase_add_test(t, test_of15_aggregate_is_oxs);
    tcase_add_test(t, test_of15_flow_removed_has_statistics);
    tcase_add_test(t, test_of15_trigger_fires_once_behind_its_threshold);
    tcase_add_test(t, test_of15_trigger_periodic_fires_at_multiples);
    tcase_add_test(t, test_of15_trigger_only_first_forgets_the_others);
    tcase_add_test(t, test_of15_trigger_goes_with_its_rule_and_its_instruction);
    tcase_add_test(t, test_of15_trigger_refusals);
    tcase_add_test(t, test_of15_trigger_events_can_be_switched_off);
    tcase_add_test(t, test_of15_packet_out_takes_its_port_from_the_match);
    tcase_add_test(t, test_of15_packet_out_refusals);
    tcase_add_test(t, test_of15_packet_out_accepts_pipeline_fields);
    tcase_add_test(t, test_of15_port_desc_of_one_port);
    tcase_add_test(t, test_of15_controllers_hear_of_each_other);
    tcase_add_test(t, test_of15_short_id_of_another_is_in_use);
    tcase_add_test(t, test_of15_controller_status_lists_the_channels);
    tcase_add_test(t, test_of15_table_features_make_egress_tables);
    tcase_add_test(t, test_of15_tables_are_disabled_and_enabled);
    tcase_add_test(t, test_of15_table_features_refusals);
    tcase_add_test(t, test_of15_bundle_carries_triggers);
    suite_add_tcase(s, t);
    return s;
}

int
main(void)
{
    SRunner *sr = srunner_create(suite());
    int failed;

    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
