/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/datapath/differential.h"

#include <stdlib.h>
#include <string.h>

#include "ofproto/agent_priv.h"
#include "ofproto/compile.h"
#include "tests/support/ofconn_mem.h"
#include "utils/base/log.h"

#define NO_BUFFER 0xffffffffu
#define ERROR_TYPE 1

unsigned wire_accepted, wire_refused;

static struct ofp_bridge *agent;
static struct dp_bridge *unused; /* bed's own. */
static struct mem_conn conn;
static of_version_t version;

/* Sends and takes the object; 0, or -1 when an error came back. */
static int
say(of_object_t *m)
{
    const uint8_t *reply;
    size_t len;
    int refused = 0;

    mem_send(&conn, OF_OBJECT_BUFFER_INDEX(m, 0), (size_t) m->length);
    of_object_delete(m);
    for (unsigned i = 0; ofp_flush(agent); i++)
        ck_assert_uint_lt(i, 100000);
    while ((reply = mem_next(&conn, &len)))
        if (reply[1] == ERROR_TYPE)
            refused = -1;
    mem_drain(&conn);
    wire_accepted += !refused;
    wire_refused += refused != 0;
    return refused;
}

static of_object_t *
flow_mod(const struct diff_rule *r, of_object_t *m)
{
    of_object_t view;

    of_flow_mod_cookie_set(m, r->ir.cookie);
    of_flow_mod_table_id_set(m, r->ir.table);
    of_flow_mod_priority_set(m, r->ir.priority);
    of_flow_mod_buffer_id_set(m, NO_BUFFER);
    of_flow_mod_out_port_set(m, OFP_PORT_ANY);
    of_flow_mod_out_group_set(m, OFP_GROUP_ANY);
    of_flow_mod_match_bind(m, &view);
    ck_assert_int_eq(ofp_match_put(&view, &r->ir.match), 0);
    return m;
}

static int
wire_rule_add(struct diff_rule *r)
{
    of_object_t *m = flow_mod(r, of_flow_add_new(version));
    of_object_t list;

    of_flow_mod_instructions_bind(m, &list);
    ck_assert_int_eq(ofp_encode_instructions(&r->ir.instr, NULL, &list), 0);
    return say(m);
}

static void
wire_rule_del(struct diff_rule *r)
{
    of_object_t *m = flow_mod(r, of_flow_delete_strict_new(version));

    of_flow_mod_cookie_set(m, 0);
    ck_assert_int_eq(say(m), 0);
}

static int
wire_group_set(uint32_t id, struct dp_group_config *c)
{
    of_object_t *m = diff.group[id].there ? of_group_modify_new(version)
                                          : of_group_add_new(version);
    of_list_bucket_t list;

    of_group_mod_group_type_set(m, (uint8_t) c->type);
    of_group_mod_group_id_set(m, id);
    if (version >= OF_VERSION_1_5)
        of_group_mod_command_bucket_id_set(m, 0xffffffffu);
    of_group_mod_buckets_bind(m, &list);
    for (size_t i = 0; i < c->n_buckets; i++)
        ck_assert_int_eq(ofp_group_put_bucket(&list, c->type,
                                              &c->buckets[i]), 0);
    return say(m);
}

static int
wire_meter_set(uint32_t id, const struct dp_meter_config *c)
{
    of_object_t *m = of_meter_mod_new(version);
    of_list_meter_band_t list;

    of_meter_mod_command_set(m, diff.meter[id].there);
    of_meter_mod_flags_set(m, (uint16_t) (c->pktps ? 2 : 1) | 4);
    of_meter_mod_meter_id_set(m, id);
    if (version == OF_VERSION_1_3)
        of_meter_mod_meters_bind(m, &list);
    else
        of_meter_mod_bands_bind(m, &list);
    for (size_t i = 0; i < c->n_bands; i++)
        ck_assert_int_eq(ofp_meter_put_band(&list, &c->bands[i]), 0);
    return say(m);
}

static void
wire_commit(void)
{
    ck_assert(!ofp_flush(agent));
}

const struct diff_install *
wire_install(void)
{
    static struct diff_install how = {
        .rule_add = wire_rule_add,
        .rule_set = wire_rule_add, /* Overwrites. */
        .rule_del = wire_rule_del,
        .group_set = wire_group_set,
        .meter_set = wire_meter_set,
        .commit = wire_commit,
    };

    how.meter_op = how.copy_field = version >= OF_VERSION_1_5;
    return &how;
}

static void
on_port(void *arg, struct dp_bridge *br, void *owner, enum dp_port_event what,
        const struct dp_port_info *info)
{
    (void) arg;
    if (br != unused)
        ofp_port_event(owner, what, info);
}

static void
on_synced(void *arg, uint64_t seq)
{
    (void) arg;
    ofp_synced(agent, seq);
}

void
wire_open(uint32_t cache, uint8_t wire_version)
{
    const struct ofp_bridge_config c = { .name = "br1", .dpid = 1 };
    uint8_t hello[8] = { wire_version, 0, 0, 8, 0, 0, 0, 1 };

    version = (of_version_t) wire_version;
    wire_accepted = wire_refused = 0;
    base_log_set_level(BASE_LOG_ERR);
    bed_open_cache(&bed, 0, 0, cache);
    unused = bed.br;
    bed.dp->ev.port = on_port;
    ck_assert_int_eq(ofp_bridge_create(bed.dp, &c, &agent, NULL), 0);
    bed.br = ofp_bridge_dp(agent);
    for (unsigned i = 1; i <= N_PORTS; i++)
        bed_add_port(&bed, bed.br, i, 0);
    bed_run(&bed);
    bed.dp->ev.synced = on_synced;
    mem_open(&conn, ofp_bridge_agent(agent), false);
    mem_send_raw(&conn, hello, sizeof hello);
    ck_assert_int_eq(conn.result, 0);
    wire_commit();
    mem_drain(&conn);
    diff_reset(wire_install());
}

void
wire_close(void)
{
    bed_run(&bed);
    bed_check_balance(bed.br);
    bed.dp->ev.synced = NULL;
    bed.dp->ev.port = NULL;
    mem_close(&conn);
    ofp_bridge_destroy(agent);
    bed.br = unused;
    bed_close(&bed);
}
