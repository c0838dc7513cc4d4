/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: group-mod, statistics, descriptions, features.
 * Source: OpenFlow 1.3.5 §6.7, §7.3.4.2, §7.3.5.9 to §7.3.5.11; OpenFlow
 * 1.5.1 §7.3.4.3, §7.3.5.8 to §7.3.5.10; the selection method is Netronome's
 * (Documentation/group-selection-method-property.txt of Open vSwitch). */
#include "ofproto/handlers/handlers_priv.h"

#include <stdlib.h>

#include "ofproto/group_graph.h"
#include "ofproto/oxm.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define CAPABILITIES 0xfu /* Weight, liveness, chaining, its checks. */
#define WALK_BUCKETS 256  /* Of one step. */

enum { PROP_WEIGHT, PROP_WATCH_PORT, PROP_WATCH_GROUP };

/* Selection method: a group property of 1.5, and its data. */
#define NTR_EXPERIMENTER 0x0000154du
#define NTR_SELECTION 1u
#define NTR_METHOD 4 /* Behind a pad: name, parameter, fields. */
#define NTR_METHOD_LEN 16
#define NTR_PARAM (NTR_METHOD + NTR_METHOD_LEN)
#define NTR_FIELDS (NTR_PARAM + 8)

static const char *const method_names[] = {
    [OFP_SELECT_HASH] = "hash",
    [OFP_SELECT_DP_HASH] = "dp_hash",
};

/* ---------------------------------------------------------------- bucket in */

/* 1.5: each property at most once. */
static enum ofp_err
take_bucket_props(of_bucket_t *b, struct dp_bucket *k)
{
    of_list_group_bucket_prop_t list;
    of_group_bucket_prop_t p;
    unsigned seen = 0;
    int rv;

    of_bucket_properties_bind(b, &list);
    OF_LIST_GROUP_BUCKET_PROP_ITER(&list, &p, rv) {
        uint16_t type;

        of_group_bucket_prop_type_get(&p, &type);
        if (type > PROP_WATCH_GROUP)
            return type == 0xffff ? OFP_ERR_PROP_BAD_EXPERIMENTER
                                  : OFP_ERR_PROP_BAD_TYPE;
        if (seen >> type & 1)
            return OFP_ERR_PROP_DUP_TYPE;
        seen |= 1u << type;
        if (type == PROP_WEIGHT)
            of_group_bucket_prop_weight_weight_get(&p, &k->weight);
        else if (type == PROP_WATCH_PORT)
            of_group_bucket_prop_watch_port_watch_get(&p, &k->watch_port);
        else
            of_group_bucket_prop_watch_group_watch_get(&p, &k->watch_group);
    }
    return OFP_OK;
}

/* The bucket but its actions; 'index': its id before 1.5. */
static enum ofp_err
take_bucket(of_bucket_t *b, enum dp_group_type type, uint32_t index,
            struct dp_bucket *k)
{
    *k = (struct dp_bucket) { .id = index, .watch_port = DP_PORT_NONE,
                              .watch_group = DP_GROUP_NONE };
    if (b->version >= OF_VERSION_1_5) {
        of_bucket_bucket_id_get(b, &k->id);
        k->weight = type == DP_GROUP_SELECT; /* The default. */
        return take_bucket_props(b, k);
    }
    of_bucket_weight_get(b, &k->weight);
    of_bucket_watch_port_get(b, &k->watch_port);
    of_bucket_watch_group_get(b, &k->watch_group);
    /* Both zero, where nothing needs to be watched: a controller that did not
     * fill them in.  No port is 0. */
    if (!k->watch_port && !k->watch_group && type != DP_GROUP_FF) {
        k->watch_port = k->watch_group = UINT32_MAX;
        k->said_zero = true;
    }
    return OFP_OK;
}

static enum ofp_err
take_buckets(struct ofp_session *s, of_object_t *msg, struct ofp_group_mod *m)
{
    struct ofp_compile *c = &s->b->compile;
    size_t cap = 0;
    of_list_bucket_t list;
    of_bucket_t b;
    uint32_t start = 0;
    int rv;

    ofp_compile_begin(c, s->version, 0, NULL);
    c->bucket = true;
    c->reason = DP_PUNT_GROUP;
    of_group_mod_buckets_bind(msg, &list);
    OF_LIST_BUCKET_ITER(&list, &b, rv) {
        size_t i = m->config.n_buckets;
        of_list_action_t actions;
        enum ofp_err err;

        if (i == cap) {
            cap = WEFT_MAX(2 * cap, (size_t) 8);
            m->config.buckets = base_xrealloc(m->config.buckets,
                                              cap * sizeof(struct dp_bucket));
        }
        err = take_bucket(&b, m->config.type, (uint32_t) i,
                          &m->config.buckets[i]);
        m->config.n_buckets++;
        of_bucket_actions_bind(&b, &actions);
        if (!err)
            err = ofp_compile_actions(c, &actions,
                                      &m->config.buckets[i].actions);
        if (err)
            return err;
    }
    for (size_t i = 0; i < m->config.n_buckets; i++) {
        ofp_compile_place(c, start, &m->config.buckets[i].actions);
        start += m->config.buckets[i].actions.n_words;
    }
    return OFP_OK;
}

/* ------------------------------------------------------------- selection in */

/* OXMs whose values are masks. */
static enum ofp_err
take_fields(const uint8_t *p, size_t len, uint8_t version,
            struct flow_key *mask)
{
    while (len) {
        unsigned hlen, n;
        const struct flow_field *f = ofp_oxm_find(p, len, version, &hlen);
        uint8_t v[16] = { 0 }, ones[16];

        if (!f)
            return OFP_ERR_PROP_BAD_EXP_VALUE;
        n = flow_field_oxm_len(f);
        if (len < hlen + n || p[3] - (hlen - 4) != n)
            return OFP_ERR_PROP_BAD_LEN;
        memcpy(v + 16 - n, p + hlen, n);
        memset(ones, 0xff, sizeof ones);
        flow_field_set_masked(mask, f, v, ones);
        p += hlen + n;
        len -= hlen + n;
    }
    return OFP_OK;
}

static enum ofp_err
take_selection(const uint8_t *p, size_t len, uint8_t version,
               struct ofp_group_config *c)
{
    char name[NTR_METHOD_LEN + 1] = "";

    if (len < NTR_FIELDS)
        return OFP_ERR_PROP_BAD_LEN;
    if (c->selection)
        return OFP_ERR_PROP_DUP_TYPE;
    if (c->type != DP_GROUP_SELECT)
        return OFP_ERR_PROP_BAD_VALUE;
    memcpy(name, p + NTR_METHOD, NTR_METHOD_LEN);
    for (unsigned i = OFP_SELECT_HASH; i < WEFT_ARRAY_LEN(method_names); i++)
        if (!strcmp(name, method_names[i]))
            c->selection = (enum ofp_selection) i;
    if (!c->selection)
        return OFP_ERR_PROP_BAD_EXP_VALUE;
    c->selection_param = get_be64(p + NTR_PARAM);
    if (c->selection != OFP_SELECT_HASH && len > NTR_FIELDS)
        return OFP_ERR_PROP_BAD_EXP_VALUE;
    return take_fields(p + NTR_FIELDS, len - NTR_FIELDS, version,
                       &c->fields.mask);
}

static enum ofp_err
take_group_props(of_object_t *msg, struct ofp_group_config *c)
{
    of_list_group_prop_t list;
    of_group_prop_t p;
    int rv;

    of_group_mod_properties_bind(msg, &list);
    OF_LIST_GROUP_PROP_ITER(&list, &p, rv) {
        uint32_t experimenter, type;
        of_octets_t data;
        enum ofp_err err;

        if (get_be16(OF_OBJECT_BUFFER_INDEX(&p, 0)) != 0xffff)
            return OFP_ERR_PROP_BAD_TYPE;
        of_group_prop_experimenter_experimenter_get(&p, &experimenter);
        of_group_prop_experimenter_exp_type_get(&p, &type);
        of_group_prop_experimenter_experimenter_data_get(&p, &data);
        if (experimenter != NTR_EXPERIMENTER)
            return OFP_ERR_PROP_BAD_EXPERIMENTER;
        if (type != NTR_SELECTION)
            return OFP_ERR_PROP_BAD_EXP_TYPE;
        err = take_selection(data.data, (size_t) data.bytes,
                             (uint8_t) msg->version, c);
        if (err)
            return err;
    }
    return OFP_OK;
}

/* ---------------------------------------------------------------- group-mod */

static enum ofp_err
take_head(of_object_t *msg, struct ofp_group_mod *m)
{
    uint8_t type;

    switch ((int) msg->object_id) {
    case OF_GROUP_ADD:
        m->command = OFP_GC_ADD;
        break;
    case OF_GROUP_MODIFY:
        m->command = OFP_GC_MODIFY;
        break;
    case OF_GROUP_DELETE:
        m->command = OFP_GC_DELETE;
        break;
    case OF_GROUP_INSERT_BUCKET:
        m->command = OFP_GC_INSERT_BUCKET;
        break;
    case OF_GROUP_REMOVE_BUCKET:
        m->command = OFP_GC_REMOVE_BUCKET;
        break;
    default:
        return OFP_ERR_GROUP_BAD_COMMAND;
    }
    of_group_mod_group_id_get(msg, &m->group);
    of_group_mod_group_type_get(msg, &type);
    m->config.type = type;
    if (msg->version >= OF_VERSION_1_5)
        of_group_mod_command_bucket_id_get(msg, &m->bucket);
    return OFP_OK;
}

enum ofp_err
ofp_group_mod_take(struct ofp_session *s, of_object_t *msg,
                   struct ofp_group_mod *m)
{
    const struct ofp_group *g;
    enum ofp_err err;

    *m = (struct ofp_group_mod) { .bucket = OFP_BUCKET_ALL };
    err = take_head(msg, m);
    /* What the rest says counts for nothing when buckets go. */
    if (err || m->command == OFP_GC_DELETE
        || m->command == OFP_GC_REMOVE_BUCKET)
        return err;
    if (m->group > DP_GROUP_MAX)
        return OFP_ERR_GROUP_INVALID_GROUP;
    if (m->config.type > DP_GROUP_FF)
        return OFP_ERR_GROUP_BAD_TYPE;
    g = ofp_group_find(&s->b->groups, m->group);
    if (m->command == OFP_GC_INSERT_BUCKET && g)
        m->config.type = g->config.type; /* Whatever the message says. */
    err = take_buckets(s, msg, m);
    if (!err && s->version >= OF_VERSION_1_5)
        err = take_group_props(msg, &m->config);
    if (err)
        ofp_group_mod_free(m);
    return err;
}

void
ofp_group_mod_free(struct ofp_group_mod *m)
{
    free(m->config.buckets);
    m->config.buckets = NULL;
    m->config.n_buckets = 0;
}

/* ------------------------------------------------------- delete, with flows */

/* Removes the flows that name a group, then the group. */
struct delete_job {
    struct ofp_job job;
    struct ofp_cursor cursor;
    struct ofp_group_mod mod;
    bool done;
};

/* False: none is left. */
static bool
delete_flow(struct delete_job *d, struct ofp_bridge *b, unsigned *cost)
{
    struct ofp_rule *r;
    struct dp_instr in;

    *cost = 1;
    if (!ofp_group_flows(&b->groups, d->mod.group))
        return false;
    r = ofp_cursor_next(&b->tables, &d->cursor);
    if (!r)
        return false;
    ofp_rule_instr(r, &in);
    if (ofp_instr_has_group(&in, d->mod.group)) {
        *cost = OFP_COST_ACT;
        ofp_rule_remove(b, r, OFP_RR_GROUP_DELETE);
    }
    return true;
}

/* In slices while the session lives; other sessions may have led to the group
 * meanwhile. */
static enum ofp_step
delete_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct delete_job *d = WEFT_CONTAINER_OF(job, struct delete_job, job);
    enum ofp_err err;
    unsigned cost;

    do {
        if (!*budget)
            return OFP_STEP_MORE;
        if (!delete_flow(d, s->b, &cost))
            break;
        *budget -= WEFT_MIN(cost, *budget);
    } while (true);
    d->done = true;
    err = ofp_group_apply(s->b, &d->mod);
    if (err)
        ofp_session_error(s, err, job->head, job->head_len);
    return OFP_STEP_DONE;
}

static void
delete_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct delete_job *d = WEFT_CONTAINER_OF(job, struct delete_job, job);
    unsigned cost;

    if (!d->done && !b->txn) { /* The session went: what was begun is ended. */
        while (delete_flow(d, b, &cost))
            continue;
        (void) ofp_group_apply(b, &d->mod);
    }
    ofp_cursor_end(&d->cursor);
    free(d);
}

static enum ofp_err
delete_start(struct ofp_session *s, const struct ofp_group_mod *m)
{
    struct delete_job *d;
    enum ofp_err err = ofp_group_check(s->b, m);

    if (err)
        return err;
    if (!ofp_group_flows(&s->b->groups, m->group))
        return ofp_group_apply(s->b, m);
    BASE_NEW(d);
    d->job.run = delete_run;
    d->job.destroy = delete_destroy;
    d->job.writes = true;
    d->mod = *m;
    ofp_cursor_start(&s->b->tables, &d->cursor, OFP_TABLE_ALL);
    ofp_session_start_job(s, &d->job);
    return OFP_OK;
}

enum ofp_err
ofp_handle_group_mod(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_group_mod m;
    enum ofp_err err = ofp_group_mod_take(s, msg, &m);

    if (err)
        return err;
    err = m.command == OFP_GC_DELETE ? delete_start(s, &m)
                                     : ofp_group_apply(s->b, &m);
    if (!err)
        ofp_async_forward(s, OFP_FORWARD_GROUP_MOD, s->msg, s->msg_len);
    ofp_group_mod_free(&m);
    return err;
}

/* -------------------------------------------------------- bucket, props out */

static int
put_bucket_props(of_bucket_t *b, enum dp_group_type type,
                 const struct dp_bucket *k)
{
    of_list_group_bucket_prop_t list;
    of_object_t p;
    int err = 0;

    of_bucket_properties_bind(b, &list);
    if (type == DP_GROUP_SELECT) {
        of_group_bucket_prop_weight_init(&p, b->version, -1, 1);
        err = of_list_group_bucket_prop_append_bind(&list, &p);
        if (!err)
            of_group_bucket_prop_weight_weight_set(&p, k->weight);
    }
    if (!err && k->watch_port != DP_PORT_NONE) {
        of_group_bucket_prop_watch_port_init(&p, b->version, -1, 1);
        err = of_list_group_bucket_prop_append_bind(&list, &p);
        if (!err)
            of_group_bucket_prop_watch_port_watch_set(&p, k->watch_port);
    }
    if (!err && k->watch_group != DP_GROUP_NONE) {
        of_group_bucket_prop_watch_group_init(&p, b->version, -1, 1);
        err = of_list_group_bucket_prop_append_bind(&list, &p);
        if (!err)
            of_group_bucket_prop_watch_group_watch_set(&p, k->watch_group);
    }
    return err;
}

int
ofp_group_put_bucket(of_list_bucket_t *list, enum dp_group_type type,
           const struct dp_bucket *k)
{
    of_list_action_t actions;
    of_bucket_t b;
    int err;

    of_bucket_init(&b, list->version, -1, 1);
    err = of_list_bucket_append_bind(list, &b);
    if (err)
        return err;
    if (b.version >= OF_VERSION_1_5) {
        of_bucket_bucket_id_set(&b, k->id);
        err = put_bucket_props(&b, type, k);
    } else {
        of_bucket_weight_set(&b, k->weight);
        of_bucket_watch_port_set(&b, k->said_zero ? 0 : k->watch_port);
        of_bucket_watch_group_set(&b, k->said_zero ? 0 : k->watch_group);
    }
    of_bucket_actions_bind(&b, &actions);
    return err ? err : ofp_encode_actions(&k->actions, &actions);
}

/* Bytes of the property's fields. */
static size_t
selection_fields(const struct ofp_group_config *c, uint8_t version,
                 uint8_t *p, size_t room)
{
    size_t n = 0;

    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];
        uint8_t v[16], zero[16] = { 0 };
        unsigned len = flow_field_oxm_len(f), hlen;

        flow_field_get(&c->fields.mask, f, v);
        if (!memcmp(v, zero, 16) || n + OFP_OXM_HLEN + len > room)
            continue;
        hlen = ofp_oxm_put_header(f, version, false, p + n);
        if (!hlen)
            continue;
        memcpy(p + n + hlen, v + 16 - len, len);
        n += hlen + len;
    }
    return n;
}

int
ofp_group_put_selection(of_list_group_prop_t *list,
                        const struct ofp_group_config *c)
{
    uint8_t data[NTR_FIELDS + 1024] = { 0 };
    of_octets_t octets = { data, NTR_FIELDS };
    of_group_prop_experimenter_t p;
    int err;

    memcpy(data + NTR_METHOD, method_names[c->selection],
           strlen(method_names[c->selection]));
    put_be64(data + NTR_PARAM, c->selection_param);
    octets.bytes += (int) selection_fields(c, (uint8_t) list->version,
                                           data + NTR_FIELDS, 1024);
    of_group_prop_experimenter_init(&p, list->version, -1, 1);
    err = of_list_group_prop_append_bind(list, &p);
    if (err)
        return err;
    of_group_prop_experimenter_experimenter_set(&p, NTR_EXPERIMENTER);
    of_group_prop_experimenter_exp_type_set(&p, NTR_SELECTION);
    return of_group_prop_experimenter_experimenter_data_set(&p, &octets);
}

/* ------------------------------------------------------- statistics and desc */

struct group_walk {
    struct ofp_job job;
    struct ofp_reply reply;
    uint32_t group, next;
    bool desc;
};

static void
append_stats(struct group_walk *w, const struct ofp_group_view *v)
{
    uint64_t age = base_clock_ns() - v->created_ns;
    of_version_t version = (of_version_t) w->reply.s->version;
    of_group_stats_entry_t *e = of_group_stats_entry_new(version);
    of_list_bucket_counter_t list;
    int err = 0;

    if (!e)
        return;
    of_group_stats_entry_group_id_set(e, v->id);
    of_group_stats_entry_ref_count_set(e, v->ref_count);
    of_group_stats_entry_packet_count_set(e, v->total.packets);
    of_group_stats_entry_byte_count_set(e, v->total.bytes);
    of_group_stats_entry_duration_sec_set(e, (uint32_t) (age / NS_PER_S));
    of_group_stats_entry_duration_nsec_set(e, (uint32_t) (age % NS_PER_S));
    of_group_stats_entry_bucket_stats_bind(e, &list);
    for (size_t i = 0; i < v->config->n_buckets && !err; i++) {
        of_bucket_counter_t k;

        of_bucket_counter_init(&k, version, -1, 1);
        err = of_list_bucket_counter_append_bind(&list, &k);
        if (err)
            break;
        of_bucket_counter_packet_count_set(&k, v->buckets[i].packets);
        of_bucket_counter_byte_count_set(&k, v->buckets[i].bytes);
    }
    if (!err)
        ofp_reply_append(&w->reply, e);
    of_object_delete(e);
}

static void
append_desc(struct group_walk *w, const struct ofp_group_view *v)
{
    const struct ofp_group_config *c = v->config;
    of_group_desc_stats_entry_t *e;
    of_list_bucket_t list;
    int err = 0;

    e = of_group_desc_stats_entry_new((of_version_t) w->reply.s->version);
    if (!e)
        return;
    of_group_desc_stats_entry_group_type_set(e, (uint8_t) c->type);
    of_group_desc_stats_entry_group_id_set(e, v->id);
    of_group_desc_stats_entry_buckets_bind(e, &list);
    for (size_t i = 0; i < c->n_buckets && !err; i++)
        err = ofp_group_put_bucket(&list, c->type, &c->buckets[i]);
    if (!err && c->selection && e->version >= OF_VERSION_1_5) {
        of_list_group_prop_t props;

        of_group_desc_stats_entry_properties_bind(e, &props);
        err = ofp_group_put_selection(&props, c);
    }
    if (!err)
        ofp_reply_append(&w->reply, e);
    of_object_delete(e);
}

static void
walk_group(void *arg, const struct ofp_group_view *v)
{
    struct group_walk *w = arg;

    if (w->desc)
        append_desc(w, v);
    else
        append_stats(w, v);
}

static enum ofp_step
walk_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct group_walk *w = WEFT_CONTAINER_OF(job, struct group_walk, job);
    unsigned cost = WALK_BUCKETS * OFP_COST_ACT;
    bool more;

    do {
        if (!*budget)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&w->reply))
            return OFP_STEP_BLOCKED;
        more = ofp_group_walk(s->b, w->group, &w->next, WALK_BUCKETS,
                              walk_group, w);
        *budget -= WEFT_MIN(cost, *budget);
    } while (more);
    ofp_reply_end(&w->reply);
    return OFP_STEP_DONE;
}

static void
walk_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct group_walk *w = WEFT_CONTAINER_OF(job, struct group_walk, job);

    (void) b;
    ofp_reply_abort(&w->reply);
    free(w);
}

static enum ofp_err
walk_start(struct ofp_session *s, uint32_t group, bool desc)
{
    struct group_walk *w;

    BASE_NEW(w);
    w->job.run = walk_run;
    w->job.destroy = walk_destroy;
    w->group = group;
    w->desc = desc;
    ofp_reply_begin(&w->reply, s,
                    desc ? OF_GROUP_DESC_STATS_REPLY : OF_GROUP_STATS_REPLY,
                    ofp_session_xid(s));
    ofp_session_start_job(s, &w->job);
    return OFP_OK;
}

/* An unknown group gives an empty reply. */
enum ofp_err
ofp_handle_group_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t group;

    of_group_stats_request_group_id_get(msg, &group);
    return walk_start(s, group, false);
}

enum ofp_err
ofp_handle_group_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t group = OFP_GROUP_ALL;

    if (s->version >= OF_VERSION_1_5)
        of_group_desc_stats_request_group_id_get(msg, &group);
    return walk_start(s, group, true);
}

/* ----------------------------------------------------------------- features */

/* Bit N: action type N. */
static uint32_t
action_types(void)
{
    uint32_t types = 0;

    for (unsigned i = 0; i < ofp_n_actions; i++) {
        int type = ofp_actions[i]->type13;

        if (type >= 0 && type < 32)
            types |= 1u << type;
    }
    return types;
}

enum ofp_err
ofp_handle_group_features_stats(struct ofp_session *s, of_object_t *msg)
{
    of_group_features_stats_reply_t *r;
    uint32_t actions = action_types();

    (void) msg;
    r = of_group_features_stats_reply_new((of_version_t) s->version);
    if (r) {
        of_object_xid_set(r, ofp_session_xid(s));
        of_group_features_stats_reply_types_set(r, 0xf); /* All four. */
        of_group_features_stats_reply_capabilities_set(r, CAPABILITIES);
        of_group_features_stats_reply_max_groups_all_set(r, OFP_MAX_GROUPS);
        of_group_features_stats_reply_max_groups_select_set(r, OFP_MAX_GROUPS);
        of_group_features_stats_reply_max_groups_indirect_set(r,
                                                              OFP_MAX_GROUPS);
        of_group_features_stats_reply_max_groups_ff_set(r, OFP_MAX_GROUPS);
        of_group_features_stats_reply_actions_all_set(r, actions);
        of_group_features_stats_reply_actions_select_set(r, actions);
        of_group_features_stats_reply_actions_indirect_set(r, actions);
        of_group_features_stats_reply_actions_ff_set(r, actions);
    }
    ofp_session_send(s, r);
    return OFP_OK;
}
