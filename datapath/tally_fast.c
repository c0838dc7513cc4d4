/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tally.h"

#include "datapath/worker.h"

static struct table_counters *
tables_of(const struct walk_prog *p, unsigned n_workers, unsigned slot)
{
    return slot < n_workers ? p->br->pw[slot]->tables : p->br->walked;
}

static void
credit_one(const struct walk_prog *p, prog_credit credit,
           struct table_counters *tables, unsigned slot, uint64_t packets,
           uint64_t bytes)
{
    struct dp_rule *r = (struct dp_rule *) credit;
    struct rule_counter *c;
    uint32_t used = dp_read(p->prog.used);

    if (credit & 1) {
        dp_count(tables[credit >> 1].lookups, packets);
        return;
    }
    c = dp_rule_counter(r, slot);
    dp_count(c->packets, packets);
    dp_count(c->bytes, bytes);
    if ((int32_t) (used - dp_read(r->prog.used)) > 0)
        __atomic_store_n(&r->prog.used, used, __ATOMIC_RELAXED);
    dp_count(tables[dp_rule_table(r)].lookups, packets);
    dp_count(tables[dp_rule_table(r)].matches, packets);
}

void
tally_arena(struct dp *dp, const struct arena *a, unsigned slot)
{
    uint32_t n = dp_load(&a->n), words;

    for (uint32_t off = 1; off < n; off += words) {
        const struct interned *e = (const void *) (a->words + off);
        struct walk_prog *p = e->prog;
        uint64_t packets = dp_read(p->packets) - p->packets_done;
        uint64_t bytes = dp_read(p->bytes) - p->bytes_done;
        const prog_credit *credits = walk_prog_credits(p);

        words = e->words;
        if (!packets && !bytes)
            continue;
        p->packets_done += packets;
        p->bytes_done += bytes;
        for (uint32_t i = 0; i < p->n_credits; i++)
            credit_one(p, credits[i], tables_of(p, dp->n_workers, slot), slot,
                       packets, bytes);
    }
}
