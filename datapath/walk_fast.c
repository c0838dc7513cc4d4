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
#define PATH_START 2u /* In front of a path: where it starts, metadata. */

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
walk_arena_reset(struct worker *w)
{
    memset(w->intern, 0, sizeof w->intern);
    w->arena_n = 1; /* Offset 0 means none. */
    w->epoch++;
}

/* ---------------------------------------------------------------- the walk */

static void
walk_init(struct worker *w, const struct flow_key *const keys[], unsigned n,
          const struct dp_op *start)
{
    struct walk *k = &w->walk;

    for (unsigned i = 0; i < n; i++) {
        k->key[i] = keys[i];
        k->n[i] = 0;
        k->table[i] = start ? (uint8_t) start->aux : 0;
        k->state[i] = WALKING;
        k->metadata[i] = be64_to(keys[i]->metadata);
        k->hash[i] = mix(0, k->metadata[i]);
    }
}

static inline void
walk_step(struct walk *k, unsigned i, const struct rule_act *a, uint8_t table,
          uint64_t uid)
{
    unsigned s = k->n[i]++;

    k->act[i][s] = a;
    k->tables[i][s] = table;
    k->uid[i][s] = uid;
    k->hash[i] = mix(k->hash[i], uid);
}

/* ------------------------------------------------------- staged changes */

static bool
rule_is_there(void *gen, const struct tbl_rule *tr)
{
    const struct dp_rule *r = WEFT_CONTAINER_OF(tr, struct dp_rule, tr);

    return rule_act_at(dp_load(&r->act), *(const uint32_t *) gen) != NULL;
}

/* What counts for a packet whose best rule of all is being changed; NULL:
 * a miss. */
static const struct rule_act *
act_resolve(const struct dp_bridge *br, uint8_t table, uint32_t gen,
            const struct flow_key *key, const struct rule_act *staged)
{
    const struct rule_act *a = rule_act_at(staged, gen);
    struct tbl_rule *tr;

    if (a)
        return a;
    tr = tbl_lookup_accepted(dp_load(&br->tables[table].tbl), key,
                             rule_is_there, &gen);
    return tr ? rule_act_at(dp_load(&dp_rule_of(tr)->act), gen) : NULL;
}

/* The act of the rule that was found; NULL: none. */
static inline const struct rule_act *
act_published(struct tbl_rule *tr)
{
    return weft_likely(tr != NULL) ? dp_load(&dp_rule_of(tr)->act) : NULL;
}

/* The one that counts in table 't'. */
static inline const struct rule_act *
act_seen(const struct worker *w, const struct dp_bridge *br, uint8_t t,
         const struct flow_key *key, const struct rule_act *a)
{
    return weft_unlikely(a && a->flags & ACT_STAGED)
               ? act_resolve(br, t, w->batch.gen, key, a)
               : a;
}

/* Is its program all that happens to the packet? */
static inline bool
act_ends(const struct rule_act *a)
{
    return a && a->prog_off && a->goto_table == DP_NO_TABLE;
}

/* Packet 'i' goes by 'a' (NULL: by nothing) in table 't': where to? */
static void
walk_advance(struct dp_bridge *br, struct walk *k, unsigned i,
             const struct rule_act *a, uint8_t t)
{
    if (!a) {
        uint8_t miss = dp_read(br->tables[t].miss);

        walk_step(k, i, NULL, t, MISS_UID(t, miss));
        if (miss == DP_MISS_CONTINUE && t + 1 < DP_N_TABLES)
            k->table[i] = (uint8_t) (t + 1);
        else
            k->state[i] = DONE;
        return;
    }

    walk_step(k, i, a, t, a->uid);
    if (a->goto_table == DP_NO_TABLE) {
        k->state[i] = DONE;
        return;
    }
    if (a->flags & (ACT_CHANGES | ACT_METADATA)) {
        if (k->key[i] != &k->scratch[i]) {
            k->scratch[i] = *k->key[i];
            k->key[i] = &k->scratch[i];
        }
        if (!prog_simulate(a, &k->scratch[i])) {
            k->state[i] = DONE_RESUME;
            return;
        }
    }
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
        const struct rule_act *a = act_published(tbl ? rules[i] : NULL);

        walk_advance(br, k, at[i], act_seen(w, br, t, keys[i], a), t);
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
intern_find(const struct worker *w, uint64_t hash, unsigned i,
            uint64_t start_uid)
{
    const struct walk *k = &w->walk;
    uint32_t off = w->intern[hash % INTERN_SLOTS];

    while (off) {
        const struct interned *e = (const void *) (w->arena + off);

        if (e->hash == hash && e->n_path == k->n[i] + PATH_START
            && e->path[0] == start_uid && e->path[1] == k->metadata[i]
            && !memcmp(e->path + PATH_START, k->uid[i], 8u * k->n[i]))
            return e->prog;
        off = e->next;
    }
    return NULL;
}

/* Credits of the path; returns their number. */
static uint32_t
path_credits(const struct walk *k, unsigned i, prog_credit *out)
{
    for (unsigned s = 0; s < k->n[i]; s++)
        out[s] = k->act[i][s] ? (prog_credit) k->act[i][s]->rule
                              : PROG_CREDIT_MISS(k->tables[i][s]);
    return k->n[i];
}

/* The walk's result when there is no room for a new program in this
 * iteration: one packet is lost, the arena is emptied before the next. */
static const struct prog *
prog_no_room(struct worker *w)
{
    static const uint64_t words[1] = {
        (uint64_t) PROG_OP_DROP | UINT64_C(1) << 8
            | (uint64_t) DROP_NO_BUFFER << 32
    };
    static const struct prog p = { .ops = words, .n_words = 1 };

    w->arena_n = ARENA_WORDS;
    return &p;
}

static const struct prog *
intern_new(struct worker *w, uint64_t hash, unsigned i,
           const struct dp_op *start, uint64_t start_uid)
{
    struct walk *k = &w->walk;
    uint32_t n_path = k->n[i] + PATH_START, off = w->arena_n;
    size_t fixed = sizeof(struct interned) / 8 + n_path
                   + sizeof(struct prog) / 8 + k->n[i];
    struct interned *e;
    struct prog *p;
    uint64_t *ops;
    struct prog_path path = {
        .acts = k->act[i], .tables = k->tables[i], .n = k->n[i],
        .miss = (uint8_t) (k->uid[i][k->n[i] - 1] >> 8), /* If it is one. */
        .resume = k->state[i] == DONE_RESUME, .start = start,
        .metadata = k->metadata[i],
        .resume_uid = ++w->resume_uid | UINT64_C(1) << 62,
    };
    int n;

    if (off + fixed >= ARENA_WORDS)
        return prog_no_room(w);
    e = (struct interned *) (void *) (w->arena + off);
    p = (struct prog *) (void *) (e->path + n_path);
    ops = (uint64_t *) p + sizeof(struct prog) / 8 + k->n[i];
    n = prog_fold(&path, ops, ARENA_WORDS - off - fixed);
    if (n < 0)
        return prog_no_room(w);

    *p = (struct prog) { .ops = ops, .n_words = (uint32_t) n };
    p->n_credits = path_credits(k, i, p->credits);
    e->hash = hash;
    e->n_path = n_path;
    e->prog = p;
    e->path[0] = start_uid;
    e->path[1] = k->metadata[i];
    memcpy(e->path + PATH_START, k->uid[i], 8u * k->n[i]);
    e->next = w->intern[hash % INTERN_SLOTS];
    w->intern[hash % INTERN_SLOTS] = off;
    w->arena_n = off + (uint32_t) (fixed + (unsigned) n);
    return p;
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
    const struct rule_act *acts[BATCH_MAX];
    unsigned m = 0;

    if (weft_unlikely(!tbl))
        memset(rules, 0, sizeof rules);
    else
        tbl_lookup_burst(tbl, keys, n, rules);
    for (unsigned i = 0; i < n; i++) {
        const struct rule_act *a = act_published(rules[i]);

        /* No stand-in has a program: staged changes are no matter here. */
        if (weft_unlikely(!act_ends(a)))
            a = act_seen(w, br, 0, keys[i], a);
        if (weft_likely(act_ends(a))) {
            progs[i] = rule_act_prog(a);
            continue;
        }
        rest[m] = keys[i];
        acts[m] = a;
        at[m++] = (uint8_t) i;
    }
    if (weft_likely(!m))
        return 0;
    walk_init(w, rest, m, NULL);
    for (unsigned i = 0; i < m; i++)
        walk_advance(br, &w->walk, i, acts[i], 0);
    return m;
}

void
walk_burst(struct worker *w, struct dp_bridge *br,
           const struct flow_key *const keys[], unsigned n,
           const struct dp_op *start, const struct prog *progs[])
{
    struct walk *k = &w->walk;
    uint8_t at[BATCH_MAX];
    /* Misses have no number of their own: the bridge is part of the path. */
    uint64_t start_uid = (uintptr_t) br;

    if (start) {
        start_uid =
            ((const struct prog_resume *) (const void *) start->data)->uid;
        walk_init(w, keys, n, start);
        for (unsigned i = 0; i < n; i++)
            at[i] = (uint8_t) i;
    } else {
        n = walk_first(w, br, keys, n, progs, at);
        if (weft_likely(!n))
            return;
    }
    walk_all(w, br, n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t hash = mix(k->hash[i], start_uid);
        const struct prog *p = intern_find(w, hash, i, start_uid);

        progs[at[i]] = p ? p : intern_new(w, hash, i, start, start_uid);
    }
}
