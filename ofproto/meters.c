/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/meters.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "ofproto/text/meter_text.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

static bool
id_is_virtual(uint32_t id)
{
    return id == DP_METER_SLOWPATH || id == DP_METER_CONTROLLER;
}

static bool
id_is_valid(uint32_t id)
{
    return (id && id <= DP_METER_MAX) || id_is_virtual(id);
}

static uint32_t
id_hash(uint32_t id)
{
    return base_hash_finish(base_hash_mix(0, id));
}

static struct ofp_meter *
meter_find(const struct ofp_meters *ms, uint32_t id)
{
    struct base_hnode *n = base_hmap_first(&ms->map, id_hash(id));

    for (; n; n = base_hmap_next_same(n)) {
        struct ofp_meter *m = WEFT_CONTAINER_OF(n, struct ofp_meter, node);

        if (m->spec.id == id)
            return m;
    }
    return NULL;
}

/* ------------------------------------------------------------ single meters */

static bool
dp_has(struct ofp_bridge *b, uint32_t id)
{
    struct dp_stats s;

    return !dp_meter_get_stats(b->dpb, id, &s, NULL, 0);
}

/* Without the flag, the burst said does not count (§7.3.4.4). */
static int
meter_give_now(struct ofp_bridge *b, const struct ofp_meter_spec *spec)
{
    struct dp_meter_band bands[DP_METER_BANDS];
    const struct dp_meter_config c = {
        .pktps = spec->flags & OFP_MTF_PKTPS,
        .bands = bands,
        .n_bands = spec->n_bands,
    };

    memcpy(bands, spec->bands, spec->n_bands * sizeof bands[0]);
    for (unsigned i = 0; i < spec->n_bands; i++)
        if (!(spec->flags & OFP_MTF_BURST))
            bands[i].burst = 0;
    b->dirty = true;
    return dp_meter_set(b->dpb, spec->id, &c);
}

/* In a transaction, packets meet what becomes of a meter that is there with
 * the rules' switch-over; a new one none of them meets before. */
struct staged_meter {
    uint32_t id;
    bool anew; /* It was deleted and added again. */
};

static void
staged_give(struct ofp_bridge *b, void *rec)
{
    const struct staged_meter *s = rec;
    const struct ofp_meter *m = meter_find(&b->meters, s->id);

    if (!m)
        return;
    if (s->anew)
        dp_meter_del(b->dpb, s->id);
    if (meter_give_now(b, &m->spec))
        base_log(BASE_LOG_ERR, OFP_LOG,
                 "%s: meter %u could not be changed: out of memory", b->name,
                 s->id);
}

static void
staged_del(struct ofp_bridge *b, void *rec)
{
    const struct staged_meter *s = rec;

    b->dirty = true;
    if (!meter_find(&b->meters, s->id))
        dp_meter_del(b->dpb, s->id);
}

static const struct ofp_txn_ops staged_give_ops = {
    .size = sizeof(struct staged_meter),
    .at_switch = staged_give,
};
static const struct ofp_txn_ops staged_del_ops = {
    .size = sizeof(struct staged_meter),
    .done = staged_del,
};

/* The datapath's meter will be 'spec', which is kept by then. */
static int
meter_give(struct ofp_bridge *b, const struct ofp_meter_spec *spec, bool anew)
{
    if (!b->txn || !dp_has(b, spec->id))
        return meter_give_now(b, spec);
    if (ofp_txn_is_open(b)) /* Else it is being undone: it never changed. */
        *(struct staged_meter *) ofp_txn_log(b, &staged_give_ops) =
            (struct staged_meter) { spec->id, anew };
    return 0;
}

static enum ofp_err
dp_err(int err)
{
    return err == -ENOMEM || err == -ENOSPC ? OFP_ERR_METER_OUT_OF_METERS
                                            : OFP_ERR_METER_UNKNOWN;
}

static enum ofp_err
meter_add(struct ofp_bridge *b, const struct ofp_meter_spec *spec)
{
    struct ofp_meter *m;
    int err = meter_give(b, spec, true);

    if (err)
        return dp_err(err);
    BASE_NEW(m);
    m->spec = *spec;
    m->created_ns = base_clock_ns();
    base_hmap_add(&b->meters.map, &m->node, id_hash(spec->id));
    b->meters.sorted = false;
    return OFP_OK;
}

static enum ofp_err
meter_modify(struct ofp_bridge *b, struct ofp_meter *m,
             const struct ofp_meter_spec *spec)
{
    int err = meter_give(b, spec, false);

    if (err)
        return dp_err(err);
    m->spec = *spec;
    return OFP_OK;
}

static void
dp_drop(struct ofp_bridge *b, uint32_t id)
{
    if (ofp_txn_is_open(b))
        *(struct staged_meter *) ofp_txn_log(b, &staged_del_ops) =
            (struct staged_meter) { .id = id };
    else
        dp_meter_del(b->dpb, id);
}

/* 'in_dp' stays in the datapath: its old form comes back. */
static void
meter_remove(struct ofp_bridge *b, struct ofp_meter *m, bool in_dp)
{
    if (!in_dp)
        dp_drop(b, m->spec.id);
    base_hmap_del(&b->meters.map, &m->node);
    b->meters.sorted = false;
    b->dirty = true;
    free(m);
}

/* Removes one meter, or all but the virtual ones, which OFPM_ALL does not
 * mean (§7.3.4.4). */
static void
meters_remove(struct ofp_bridge *b, uint32_t id)
{
    struct base_hnode *n, *tmp;
    struct ofp_meter *m;

    if (id != OFP_METER_ALL) {
        m = meter_find(&b->meters, id);
        if (m)
            meter_remove(b, m, false);
        return;
    }
    BASE_HMAP_FOR_SAFE(n, tmp, &b->meters.map) {
        m = WEFT_CONTAINER_OF(n, struct ofp_meter, node);
        if (!id_is_virtual(m->spec.id))
            meter_remove(b, m, false);
    }
}

/* ----------------------------------------------------------------- commands */

static enum ofp_err
check_spec(const struct ofp_meter_spec *spec)
{
    if (!id_is_valid(spec->id))
        return OFP_ERR_METER_INVALID_METER;
    if (spec->flags & ~OFP_MTF_ALL
        || !(~spec->flags & (OFP_MTF_KBPS | OFP_MTF_PKTPS)))
        return OFP_ERR_METER_BAD_FLAGS;
    if (spec->n_bands > DP_METER_BANDS)
        return OFP_ERR_METER_OUT_OF_BANDS;
    for (unsigned i = 0; i < spec->n_bands; i++) {
        const struct dp_meter_band *band = &spec->bands[i];

        if (band->type != OFP_MBT_DROP && band->type != OFP_MBT_DSCP_REMARK)
            return OFP_ERR_METER_BAD_BAND;
        if (!band->rate) /* Below it no packet could ever be. */
            return OFP_ERR_METER_BAD_RATE;
        if (band->type == OFP_MBT_DSCP_REMARK
            && band->prec_level > OFP_METER_PREC_MAX)
            return OFP_ERR_METER_BAD_BAND_VALUE;
    }
    return OFP_OK;
}

enum ofp_err
ofp_meter_check(struct ofp_bridge *b, enum ofp_meter_command command,
                const struct ofp_meter_spec *spec)
{
    const struct ofp_meter *m = meter_find(&b->meters, spec->id);
    enum ofp_err err;

    switch (command) {
    case OFP_MC_ADD:
        err = check_spec(spec);
        if (!err && m)
            err = OFP_ERR_METER_EXISTS;
        if (!err && b->meters.map.n >= OFP_MAX_METERS)
            err = OFP_ERR_METER_OUT_OF_METERS;
        return err;
    case OFP_MC_MODIFY:
        err = check_spec(spec);
        return !err && (!m || m->dying) ? OFP_ERR_METER_UNKNOWN_METER : err;
    case OFP_MC_DELETE: /* What is not there is no error. */
        return id_is_valid(spec->id) || spec->id == OFP_METER_ALL
                   ? OFP_OK
                   : OFP_ERR_METER_INVALID_METER;
    }
    return OFP_ERR_METER_BAD_COMMAND;
}

struct naming {
    uint32_t id;
    bool found;
};

static void
names_it(void *arg, const struct dp_instr *in, uint32_t n_rules)
{
    struct naming *n = arg;

    n->found |= n_rules && ofp_instr_has_meter(in, n->id);
}

/* Does any flow name it?  OFP_METER_ALL: any meter. */
static bool
is_named(struct ofp_bridge *b, uint32_t id)
{
    struct naming n = { id, false };

    dp_rules_metered(b->dpb, names_it, &n);
    return n.found;
}

static void
mark_dying(struct ofp_bridge *b, uint32_t id)
{
    struct base_hnode *n;
    struct ofp_meter *m;

    BASE_HMAP_FOR(n, &b->meters.map) {
        m = WEFT_CONTAINER_OF(n, struct ofp_meter, node);
        if (m->spec.id == id
            || (id == OFP_METER_ALL && !id_is_virtual(m->spec.id)))
            m->dying = true;
    }
}

/* All flows that named it are gone. */
static void
delete_end(struct ofp_bridge *b, uint32_t id)
{
    meters_remove(b, id);
}

static void
meter_delete(struct ofp_bridge *b, struct ofp_session *s, uint32_t id)
{
    struct ofp_filter f = OFP_FILTER_ALL;

    if (!is_named(b, id)) {
        meters_remove(b, id);
        return;
    }
    f.meter = id;
    if (s) {
        mark_dying(b, id);
        ofp_rules_delete(s, &f, OFP_RR_METER_DELETE, delete_end, id);
    } else {
        ofp_rules_delete_now(b, &f, OFP_RR_METER_DELETE);
        meters_remove(b, id);
    }
}

struct meter_record {
    struct ofp_meter_undo *was;
};

static void
record_undo(struct ofp_bridge *b, void *rec)
{
    struct meter_record *r = rec;

    ofp_meter_restore(b, r->was);
    r->was = NULL;
}

static void
record_free(void *rec)
{
    ofp_meter_undo_free(((struct meter_record *) rec)->was);
}

static const struct ofp_txn_ops record_ops = {
    .size = sizeof(struct meter_record),
    .undo = record_undo,
    .free = record_free,
};

enum ofp_err
ofp_meter_apply(struct ofp_bridge *b, struct ofp_session *s,
                enum ofp_meter_command command,
                const struct ofp_meter_spec *spec)
{
    enum ofp_err err = ofp_meter_check(b, command, spec);

    if (err)
        return err;
    if (ofp_txn_is_open(b))
        ((struct meter_record *) ofp_txn_log(b, &record_ops))->was =
            ofp_meter_snapshot(b, spec->id);
    switch (command) {
    case OFP_MC_ADD:
        return meter_add(b, spec);
    case OFP_MC_MODIFY:
        return meter_modify(b, meter_find(&b->meters, spec->id), spec);
    case OFP_MC_DELETE:
        meter_delete(b, s, spec->id);
        break;
    }
    return OFP_OK;
}

/* -------------------------------------------------------------------- flows */

bool
ofp_meter_exists(const struct ofp_bridge *b, uint32_t id)
{
    return meter_find(&b->meters, id) != NULL;
}

enum ofp_err
ofp_meter_usable(const struct ofp_bridge *b, uint32_t id)
{
    const struct ofp_meter *m;

    if (!id || id > DP_METER_MAX) /* Virtual ones are not for flows. */
        return OFP_ERR_METER_INVALID_METER;
    m = meter_find(&b->meters, id);
    return m && !m->dying ? OFP_OK : OFP_ERR_METER_UNKNOWN_METER;
}

static enum ofp_err
meters_of_ops(const struct ofp_bridge *b, const struct dp_op_list *ops)
{
    const struct dp_op *op;
    enum ofp_err err = OFP_OK;

    OFP_OP_FOR(op, ops)
        if (op->code == DP_OP_METER && !err)
            err = ofp_meter_usable(b, op->arg);
    return err;
}

enum ofp_err
ofp_meters_of_instr(const struct ofp_bridge *b, const struct dp_instr *in)
{
    enum ofp_err err = in->meter ? ofp_meter_usable(b, in->meter) : OFP_OK;

    if (!err)
        err = meters_of_ops(b, &in->apply);
    return err ? err : meters_of_ops(b, &in->write);
}

/* --------------------------------------------------------------------- undo */

struct undo_meter {
    struct ofp_meter_spec spec;
    uint64_t created_ns;
};

struct ofp_meter_undo {
    uint32_t id;
    uint32_t n;
    bool in_dp; /* Still: its deletion is staged. */
    struct undo_meter was[];
};

static void
undo_add(struct ofp_meter_undo *u, const struct ofp_meter *m)
{
    u->was[u->n++] = (struct undo_meter) { m->spec, m->created_ns };
}

struct ofp_meter_undo *
ofp_meter_snapshot(struct ofp_bridge *b, uint32_t id)
{
    bool all = id == OFP_METER_ALL;
    size_t max = all ? b->meters.map.n : 1;
    struct ofp_meter_undo *u = base_xmalloc(sizeof *u
                                            + max * sizeof u->was[0]);
    const struct ofp_meter *m = all ? NULL : meter_find(&b->meters, id);
    struct base_hnode *n;

    u->id = id;
    u->n = 0;
    u->in_dp = !all && dp_has(b, id);
    if (m)
        undo_add(u, m);
    if (all)
        BASE_HMAP_FOR(n, &b->meters.map)
            undo_add(u, WEFT_CONTAINER_OF(n, struct ofp_meter, node));
    return u;
}

/* Removes what is there now and was not then. */
static void
undo_remove(struct ofp_bridge *b, const struct ofp_meter_undo *u)
{
    struct base_hnode *n, *tmp;
    struct ofp_meter *m;

    for (uint32_t i = 0; i < u->n; i++) {
        m = meter_find(&b->meters, u->was[i].spec.id);
        if (m)
            m->keep = true;
    }
    BASE_HMAP_FOR_SAFE(n, tmp, &b->meters.map) {
        m = WEFT_CONTAINER_OF(n, struct ofp_meter, node);
        if (!m->keep && (u->id == OFP_METER_ALL || u->id == m->spec.id))
            meter_remove(b, m, u->in_dp);
        else
            m->keep = false;
    }
}

void
ofp_meter_restore(struct ofp_bridge *b, struct ofp_meter_undo *u)
{
    undo_remove(b, u);
    for (uint32_t i = 0; i < u->n; i++) {
        const struct undo_meter *was = &u->was[i];
        struct ofp_meter *m = meter_find(&b->meters, was->spec.id);
        enum ofp_err err = OFP_OK;

        if (!m)
            err = meter_add(b, &was->spec);
        else if (memcmp(&m->spec, &was->spec, sizeof m->spec))
            err = meter_modify(b, m, &was->spec);
        if (err) {
            base_log(BASE_LOG_ERR, OFP_LOG,
                     "%s: no memory to bring meter %u back", b->name,
                     was->spec.id);
            continue;
        }
        m = meter_find(&b->meters, was->spec.id);
        m->created_ns = was->created_ns;
        m->dying = false;
    }
    ofp_meter_undo_free(u);
}

void
ofp_meter_undo_free(struct ofp_meter_undo *u)
{
    free(u);
}

/* --------------------------------------------------------------------- walk */

static int
compare_ids(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return x < y ? -1 : x > y;
}

static void
meters_sort(struct ofp_meters *ms)
{
    struct base_hnode *n;
    size_t i = 0;

    if (ms->sorted)
        return;
    ms->ids = base_xrealloc(ms->ids, (ms->map.n + 1) * sizeof ms->ids[0]);
    BASE_HMAP_FOR(n, &ms->map)
        ms->ids[i++] = WEFT_CONTAINER_OF(n, struct ofp_meter, node)->spec.id;
    qsort(ms->ids, i, sizeof ms->ids[0], compare_ids);
    ms->sorted = true;
}

static void
count_one(struct ofp_bridge *b, uint32_t id, uint32_t flows)
{
    struct ofp_meter *m = meter_find(&b->meters, id);

    if (m)
        m->flow_count += flows;
}

static void
count_ops(struct ofp_bridge *b, const struct dp_op_list *ops, uint32_t flows)
{
    const struct dp_op *op;

    OFP_OP_FOR(op, ops)
        if (op->code == DP_OP_METER)
            count_one(b, op->arg, flows);
}

static void
count_instr(void *arg, const struct dp_instr *in, uint32_t n_rules)
{
    struct ofp_bridge *b = arg;

    if (in->meter)
        count_one(b, in->meter, n_rules);
    count_ops(b, &in->apply, n_rules);
    count_ops(b, &in->write, n_rules);
}

/* Counts the flows of all meters. */
static void
count_flows(struct ofp_bridge *b)
{
    struct base_hnode *n;

    BASE_HMAP_FOR(n, &b->meters.map)
        WEFT_CONTAINER_OF(n, struct ofp_meter, node)->flow_count = 0;
    dp_rules_metered(b->dpb, count_instr, b);
}

static void
meter_view(struct ofp_bridge *b, const struct ofp_meter *m,
           ofp_meter_view_cb *cb, void *arg)
{
    struct ofp_meter_view v = { .spec = &m->spec,
                                .created_ns = m->created_ns,
                                .flow_count = m->flow_count };

    if (dp_meter_get_stats(b->dpb, m->spec.id, &v.in, v.bands,
                           m->spec.n_bands))
        memset(&v.in, 0, sizeof v.in);
    cb(arg, &v);
}

/* First index in ids[] with an id >= 'id'. */
static size_t
ids_lower(const struct ofp_meters *ms, uint32_t id)
{
    size_t lo = 0, hi = ms->map.n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (ms->ids[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool
ofp_meter_walk(struct ofp_bridge *b, uint32_t id, uint32_t *next, unsigned n,
               ofp_meter_view_cb *cb, void *arg)
{
    struct ofp_meters *ms = &b->meters;
    const struct ofp_meter *m;

    count_flows(b);
    if (id != OFP_METER_ALL) {
        m = meter_find(ms, id);
        if (m)
            meter_view(b, m, cb, arg);
        return false;
    }
    meters_sort(ms);
    for (size_t i = ids_lower(ms, *next); i < ms->map.n; i++) {
        if (!n--) {
            *next = ms->ids[i];
            return true;
        }
        meter_view(b, meter_find(ms, ms->ids[i]), cb, arg);
    }
    return false;
}

/* --------------------------------------------------------------- the bridge */

void
ofp_meters_init(struct ofp_meters *ms)
{
    base_hmap_init(&ms->map);
}

void
ofp_meters_fini(struct ofp_bridge *b)
{
    struct base_hnode *n, *tmp;

    BASE_HMAP_FOR_SAFE(n, tmp, &b->meters.map)
        meter_remove(b, WEFT_CONTAINER_OF(n, struct ofp_meter, node),
                     false);
    base_hmap_fini(&b->meters.map);
    free(b->meters.ids);
    b->meters.ids = NULL;
}

/* ------------------------------------------------------------- for programs */

struct dump {
    uint64_t now_ns;
    ofp_meter_info_cb *cb;
    void *arg;
};

static void
dump_one(void *arg, const struct ofp_meter_view *v)
{
    const struct dump *d = arg;
    struct base_str id = BASE_STR_INIT, text = BASE_STR_INIT;

    ofp_text_add_meter_id(&id, v->spec->id);
    ofp_text_add_meter(&text, v->spec);

    const struct ofp_meter_info info = {
        .id = v->spec->id,
        .name = base_str_cstr(&id),
        .text = base_str_cstr(&text),
        .duration_ns = d->now_ns - v->created_ns,
        .flow_count = v->flow_count,
        .in = v->in,
        .bands = v->bands,
        .n_bands = v->spec->n_bands,
    };

    d->cb(d->arg, &info);
    base_str_fini(&id);
    base_str_fini(&text);
}

bool
ofp_meter_dump(struct ofp_bridge *b, uint32_t *next, unsigned n,
               ofp_meter_info_cb *cb, void *arg)
{
    struct dump d = { base_clock_ns(), cb, arg };

    return ofp_meter_walk(b, OFP_METER_ALL, next, n, dump_one, &d);
}

int
ofp_meter_command(struct ofp_bridge *b, const char *command, const char *text,
                  struct weft_err *e)
{
    static const char *const names[] = { "add", "mod", "del" };
    struct ofp_meter_spec spec = { .id = 0 };
    enum ofp_meter_command c = OFP_MC_ADD;
    enum ofp_err refusal;
    int err;

    while (c < OFP_MC_DELETE && strcmp(command, names[c]))
        c++;
    if (strcmp(command, names[c]))
        return weft_err_set(e, -EINVAL,
                            "meter command %.20s: add, mod or del is wanted",
                            command);
    err = c == OFP_MC_DELETE ? ofp_text_parse_meter_id(text, &spec.id, e)
                             : ofp_text_parse_meter(text, &spec, e);
    if (err)
        return err;
    refusal = ofp_meter_apply(b, NULL, c, &spec);
    if (refusal)
        return weft_err_set(e, -EINVAL, "bridge %s: meter %u: %s", b->name,
                            spec.id, ofp_err_name(refusal));
    ofp_flush(b);
    return 0;
}
