/* SPDX-License-Identifier: Apache-2.0 */
/* The walk through the tables, and the programs that come out of it.
 *
 * A burst of packets walks together: all packets that stand at the lowest
 * table are looked up in one call, then move on (goto only leads upwards,
 * OpenFlow 1.3.5 §5.9).  A packet that ends in table 0 at a rule without goto
 * runs the program inside the rule and never enters struct walk.  Any other path is looked up by the
 * unique numbers of its rules' instructions in the worker's intern table, and
 * folded when it is new. */
#include "datapath/worker.h"

#include <string.h>

#include "datapath/stage_fast.h"

enum { WALKING, DONE, DONE_RESUME };
#define PATH_START 3u /* In front of a path: start[], metadata. */

static inline uint64_t
mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
    return h ^ (h >> 32);
}

/* What a miss adds to the path: no rule's number looks like it. */
#define MISS_UID(table, miss)                                                 \
    (UINT64_C(1) << 63 | (uint64_t) (miss) << 8 | (table))

void
walk_arena_swap(struct worker *w)
{
    struct arena_ref *r = &w->arena;
    struct arena *next = dp_load(&r->next);

    if (!next || dp_load(&r->full)) {
        w->woke_control = true; /* It is behind. */
        return;
    }
    dp_publish(&r->next, NULL);
    dp_publish(&r->full, r->now); /* Before 'now' changes: tally_now. */
    dp_publish(&r->now, next);
    dp_count(r->n_resets, 1);
    memset(w->codes, 0, sizeof w->codes);
    w->woke_control = true;
    __atomic_store_n(&w->epoch, w->epoch + 1, __ATOMIC_RELEASE);
}

void
walk_scratch_end(struct worker *w)
{
    tally_arena(w->dp, w->arena.scratch, w->id);
    w->arena.scratch->n = 1;
}

bool
walk_prog_is_scratch(const struct worker *w, const struct prog *p)
{
    const struct arena *a = w->arena.scratch;

    return (uintptr_t) p - (uintptr_t) a->words < 8ul * a->n;
}

/* ---------------------------------------------------------------- the walk */

static void
walk_init(struct worker *w, const struct flow_key *const keys[], unsigned n,
          const struct dp_op *start)
{
    struct walk *k = &w->walk;
    uint64_t hash = mix(mix(0, k->start[0]), k->start[1]);

    for (unsigned i = 0; i < n; i++) {
        k->key[i] = keys[i];
        k->n[i] = 0;
        k->table[i] = start ? (uint8_t) start->aux : 0;
        k->state[i] = WALKING;
        k->metadata[i] = be64_to(keys[i]->metadata);
        k->hash[i] = mix(hash, k->metadata[i]);
        k->actset_output[i] = be32_to(keys[i]->actset_output);
        k->actset_group[i] = false;
    }
}

/* Names the start of the walk.  Misses have no number of their own, so the
 * bridge is part of it; so is what programs are made by. */
static void
walk_name(struct walk *k, const struct dp_bridge *br,
          const struct walk_start *start)
{
    k->start[0] = (uintptr_t) br;
    k->start[1] = (uint64_t) k->egress << 56;
    if (start && start->op->code == PROG_OP_RESUME)
        k->start[0] =
            ((const struct prog_resume *) (const void *) start->op->data)->uid;
    else if (start)
        k->start[1] |= start->egress_port | (uint64_t) start->to_in_port << 32
                       | UINT64_C(1) << 33;
}

static inline void
walk_step(struct walk *k, unsigned i, const struct prog_step *step,
          uint8_t table, uint64_t uid)
{
    unsigned s = k->n[i]++;

    k->step[i][s] = *step;
    k->tables[i][s] = table;
    k->uid[i][s] = uid;
    k->hash[i] = mix(k->hash[i], uid);
}

/* A number that no path will have again. */
static uint64_t
uid_fresh(struct worker *w)
{
    return ++w->resume_uid | UINT64_C(1) << 62;
}

/* ----------------------------------------------------------- what counts */

static bool
rule_is_there(void *gen, const struct tbl_rule *tr)
{
    const struct dp_rule *r = WEFT_CONTAINER_OF(tr, struct dp_rule, tr);

    return dp_rule_is_there(r, *(const uint32_t *) gen);
}

/* What a packet meets in a table, and its number in the path. */
struct met {
    struct prog_step step;
    uint64_t uid;
};

/* The rule 'tr', NULL: none, as the batch has it.  'next': if the rule is not
 * there for it, the best of those that are counts. */
static void
meet(struct worker *w, const struct dp_bridge *br, uint8_t t,
     const struct flow_key *key, struct tbl_rule *tr, struct met *out)
{
    uint32_t gen = w->batch.gen;
    bool next = true;

    while (tr) {
        struct dp_rule *r = dp_rule_of(tr);
        const struct rule_act *a;

        out->step.rule = r;
        out->uid = dp_load(&r->uid);
        a = dp_rule_act(r);
        out->step.act = a;
        out->step.cookie = dp_rule_cookie(r, a);
        if (weft_unlikely(a->flags & ACT_STAGED)) {
            const struct rule_side s = rule_stage_at(r, a, gen);

            out->step.act = s.act;
            out->step.cookie = s.cookie;
            out->uid = s.uid;
        } else {
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
            /* Control is just changing it: what comes out is for now. */
            if (weft_unlikely(!out->uid || dp_read(r->uid) != out->uid))
                out->uid = uid_fresh(w);
        }
        if (weft_likely(out->step.act != NULL))
            return;
        tr = next ? tbl_lookup_accepted(dp_load(&br->tables[t].tbl), key,
                                        rule_is_there, &gen)
                  : NULL;
        next = false;
    }
    out->step = (struct prog_step) { .act = NULL };
}

/* The key of packet 'i', to be changed. */
static struct flow_key *
walk_scratch(struct walk *k, unsigned i)
{
    if (k->key[i] != &k->scratch[i]) {
        k->scratch[i] = *k->key[i];
        k->key[i] = &k->scratch[i];
    }
    return &k->scratch[i];
}

/* These ops come to the action set of packet 'i': its key says to what
 * port. */
static void
walk_actset(struct walk *k, unsigned i, const uint64_t *words, unsigned n)
{
    const struct dp_op *op;

    PROG_FOR_OPS(op, words, n)
        if (op->code == DP_OP_GROUP)
            k->actset_group[i] = true;
        else if (dp_op_port(op) != FLOW_PORT_UNSET)
            k->actset_output[i] = prog_actset_output(op, NULL);
    walk_scratch(k, i)->actset_output =
        be32_from(k->actset_group[i] ? FLOW_PORT_UNSET
                                     : k->actset_output[i]);
}

static void
walk_writes(struct walk *k, unsigned i, const struct rule_act *a)
{
    if (a->flags & ACT_CLEAR) {
        k->actset_output[i] = FLOW_PORT_UNSET;
        k->actset_group[i] = false;
    }
    walk_actset(k, i, a->words + a->n_apply, a->n_write);
}

/* Packet 'i' goes by 'met' in table 't': where to? */
static void
walk_advance(struct dp_bridge *br, struct walk *k, unsigned i,
             const struct met *met, uint8_t t)
{
    const struct rule_act *a = met->step.act;

    if (!a) {
        uint8_t miss = dp_read(br->tables[t].miss);

        walk_step(k, i, &met->step, t, MISS_UID(t, miss));
        /* Ingress tables do not run on into egress tables. */
        if (miss == DP_MISS_CONTINUE && t + 1 < DP_N_TABLES
            && t + 1 != k->egress)
            k->table[i] = (uint8_t) (t + 1);
        else
            k->state[i] = DONE;
        return;
    }

    walk_step(k, i, &met->step, t, met->uid);
    if (a->goto_table == DP_NO_TABLE) {
        k->state[i] = DONE;
        return;
    }
    if (a->flags & (ACT_CHANGES | ACT_METADATA)) {
        if (!prog_simulate(br, a, walk_scratch(k, i))) {
            k->state[i] = DONE_RESUME;
            return;
        }
    }
    if (weft_unlikely(dp_read(br->match_actset))
        && (a->n_write || a->flags & ACT_CLEAR))
        walk_writes(k, i, a);
    k->table[i] = a->goto_table;
}

/* Looks up every packet that stands at table 't'. */
static void
walk_table(struct worker *w, struct dp_bridge *br, unsigned n, uint8_t t)
{
    struct walk *k = &w->walk;
    const struct flow_key *keys[BATCH_MAX];
    struct tbl_rule *rules[BATCH_MAX];
    uint8_t at[BATCH_MAX];
    unsigned m = 0;
    const struct tbl *tbl = dp_load(&br->tables[t].tbl);

    for (unsigned i = 0; i < n; i++)
        if (k->state[i] == WALKING && k->table[i] == t) {
            keys[m] = k->key[i];
            at[m++] = (uint8_t) i;
        }
    if (tbl && m)
        tbl_lookup_burst(tbl, keys, m, rules);
    for (unsigned i = 0; i < m; i++) {
        struct met met;

        meet(w, br, t, keys[i], tbl ? rules[i] : NULL, &met);
        walk_advance(br, k, at[i], &met, t);
    }
}

static void
walk_all(struct worker *w, struct dp_bridge *br, unsigned n)
{
    const struct walk *k = &w->walk;

    for (;;) {
        unsigned t = DP_N_TABLES;

        for (unsigned i = 0; i < n; i++)
            if (k->state[i] == WALKING && k->table[i] < t)
                t = k->table[i];
        if (t == DP_N_TABLES)
            return;
        walk_table(w, br, n, (uint8_t) t);
    }
}

/* ---------------------------------------------------------------- programs */

static const struct prog *
intern_find(const struct worker *w, uint64_t hash, unsigned i)
{
    const struct walk *k = &w->walk;
    const struct arena *a = w->arena.now;
    uint32_t off = a->index[hash & a->index_mask];

    while (off) {
        const struct interned *e = (const void *) (a->words + off);

        if (e->hash == hash && e->n_path == k->n[i] + PATH_START
            && e->path[0] == k->start[0] && e->path[1] == k->start[1]
            && e->path[2] == k->metadata[i]
            && !memcmp(e->path + PATH_START, k->uid[i], 8u * k->n[i]))
            return &e->prog->prog;
        off = e->next;
    }
    return NULL;
}

/* Credits of the path; returns their number. */
static uint32_t
path_credits(const struct walk *k, unsigned i, prog_credit *out)
{
    for (unsigned s = 0; s < k->n[i]; s++)
        out[s] = k->step[i][s].act ? (prog_credit) k->step[i][s].rule
                              : PROG_CREDIT_MISS(k->tables[i][s]);
    return k->n[i];
}

/* The walk's result when there is no room even in the scratch arena. */
static const struct prog *
prog_no_room(void)
{
    static const uint64_t words[1] = {
        (uint64_t) PROG_OP_DROP | UINT64_C(1) << 8
            | (uint64_t) DROP_NO_BUFFER << 32
    };
    static const struct prog_code code = { .ops = words, .n_words = 1 };
    static const struct prog p = { .code = &code, .kind = PROG_PLAIN };

    return &p;
}

/* What the start says of a path. */
static void
path_start(struct prog_path *p, const struct walk_start *start)
{
    p->start = start->op;
    p->in_egress = start->op->code == PROG_OP_EGRESS
                   || start->op->aux & PROG_IN_EGRESS;
    if (!p->in_egress)
        return;
    p->egress = DP_NO_TABLE; /* What egress tables send, leaves. */
    p->output = (struct dp_op) {
        .code = start->to_in_port ? DP_OP_IN_PORT : DP_OP_OUTPUT,
        .words = 1, .arg = start->egress_port,
    };
}

/* Folds the path into code at 'room', or finds the same among others' of late;
 * *n: words used.  NULL: no room. */
static const struct prog_code *
walk_code(struct worker *w, const struct prog_path *path, uint64_t *room,
          size_t n_words, bool share, unsigned *n)
{
    const unsigned head = sizeof(struct prog_code) / 8;
    struct prog_code *code = (struct prog_code *) (void *) room;
    const struct prog_code *same;
    uint64_t *ops = room + head, hash = 0;
    int len = n_words > head ? prog_fold(path, ops, n_words - head) : -1;

    if (len < 0)
        return NULL;
    for (int i = 0; i < len; i++)
        hash = mix(hash, ops[i]);
    same = w->codes[hash % CODES];
    *n = 0;
    if (same && same->n_words == (uint32_t) len
        && !memcmp(same->ops, ops, 8u * (unsigned) len))
        return same;
    *code = (struct prog_code) { .ops = ops, .n_words = (uint32_t) len };
    *n = head + (unsigned) len;
    if (share)
        w->codes[hash % CODES] = code;
    return code;
}

/* Makes the program of packet 'i' in 'a'.  NULL: no room. */
static const struct prog *
intern_in(struct worker *w, struct arena *a, unsigned i, struct dp_bridge *br,
          const struct prog_path *path)
{
    struct walk *k = &w->walk;
    uint32_t n_path = k->n[i] + PATH_START, off = a->n;
    /* The program is on a line of its own. */
    uint32_t at = (off + (uint32_t) sizeof(struct interned) / 8 + n_path + 7)
                  & ~7u;
    uint32_t end = at + (uint32_t) sizeof(struct walk_prog) / 8 + k->n[i];
    struct interned *e = (struct interned *) (void *) (a->words + off);
    struct walk_prog *p = (struct walk_prog *) (void *) (a->words + at);
    const struct prog_code *code;
    unsigned n = 0;

    if (end >= a->n_words)
        return NULL;
    code = walk_code(w, path, a->words + end, a->n_words - end,
                     a == w->arena.now, &n);
    if (!code)
        return NULL;
    *p = (struct walk_prog) { .prog = { .code = code, .kind = PROG_WALK },
                              .br = br };
    p->n_credits = path_credits(k, i, walk_prog_credits(p));
    e->hash = k->hash[i];
    e->n_path = n_path;
    e->words = end + n - off;
    e->prog = p;
    e->path[0] = k->start[0];
    e->path[1] = k->start[1];
    e->path[2] = k->metadata[i];
    memcpy(e->path + PATH_START, k->uid[i], 8u * k->n[i]);
    dp_publish(&a->n, off + e->words);
    return &p->prog;
}

static const struct prog *
intern_new(struct worker *w, struct dp_bridge *br, unsigned i,
           const struct walk_start *start)
{
    struct walk *k = &w->walk;
    struct arena *a = w->arena.now;
    uint32_t off = a->n, *slot = &a->index[k->hash[i] & a->index_mask];
    const struct prog *p;
    struct prog_path path = {
        .steps = k->step[i], .tables = k->tables[i], .n = k->n[i],
        .miss = (uint8_t) (k->uid[i][k->n[i] - 1] >> 8), /* If it is one. */
        .resume = k->state[i] == DONE_RESUME,
        .egress = k->egress,
        .metadata = k->metadata[i],
        .resume_uid = uid_fresh(w),
    };

    if (start)
        path_start(&path, start);
    p = intern_in(w, a, i, br, &path);
    if (weft_likely(p != NULL)) {
        ((struct interned *) (void *) (a->words + off))->next = *slot;
        *slot = off;
        return p;
    }
    p = intern_in(w, w->arena.scratch, i, br, &path);
    return p ? p : prog_no_room();
}

/* Looks all packets up in table 0.  Where a rule without goto settles it, its
 * program is the result; the others are made ready to walk on, and 'at' tells
 * whose they are.  Returns their number. */
static unsigned
walk_first(struct worker *w, struct dp_bridge *br,
           const struct flow_key *const keys[], unsigned n,
           const struct prog *progs[], uint8_t at[])
{
    const struct tbl *tbl = dp_load(&br->tables[0].tbl);
    const struct flow_key *rest[BATCH_MAX];
    struct tbl_rule *rules[BATCH_MAX];
    /* A rule's own program knows nothing of egress tables. */
    bool no_egress = w->walk.egress == DP_NO_TABLE;
    unsigned m = 0;

    if (weft_unlikely(!tbl))
        memset(rules, 0, sizeof rules);
    else
        tbl_lookup_burst(tbl, keys, n, rules);
    for (unsigned i = 0; i < n; i++) {
        if (weft_likely(rules[i] != NULL)) {
            const struct dp_rule *r = dp_rule_of(rules[i]);
            const struct rule_act *a = dp_rule_act(r);

            /* Stand-ins have a goto. */
            if (weft_likely(a->code.ops && a->goto_table == DP_NO_TABLE
                            && no_egress)) {
                progs[i] = &r->prog;
                continue;
            }
        }
        rest[m] = keys[i];
        rules[m] = rules[i];
        at[m++] = (uint8_t) i;
    }
    if (weft_likely(!m))
        return 0;
    walk_name(&w->walk, br, NULL);
    walk_init(w, rest, m, NULL);
    for (unsigned i = 0; i < m; i++) {
        struct met met;

        meet(w, br, 0, rest[i], rules[i], &met);
        walk_advance(br, &w->walk, i, &met, 0);
    }
    return m;
}

void
walk_burst(struct worker *w, struct dp_bridge *br,
           const struct flow_key *const keys[], unsigned n,
           const struct walk_start *start, const struct prog *progs[])
{
    struct walk *k = &w->walk;
    uint8_t at[BATCH_MAX];

    /* Once: a program is kept under a name that has it. */
    k->egress = dp_read(br->egress);
    if (start) {
        walk_name(k, br, start);
        walk_init(w, keys, n, start->op);
        for (unsigned i = 0; i < n; i++) {
            at[i] = (uint8_t) i;
            if (dp_read(br->match_actset)
                && start->op->code == PROG_OP_RESUME)
                walk_actset(k, i,
                            ((const struct prog_resume *) (const void *)
                                 start->op->data)->aset,
                            start->op->arg);
        }
    } else {
        n = walk_first(w, br, keys, n, progs, at);
        if (weft_likely(!n))
            return;
    }
    walk_all(w, br, n);
    for (unsigned i = 0; i < n; i++) {
        const struct prog *p = intern_find(w, k->hash[i], i);

        progs[at[i]] = p ? p : intern_new(w, br, i, start);
    }
}
