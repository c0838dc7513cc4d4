/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tally.h"

#include "datapath/dp_priv.h"
#include "datapath/worker.h"
#include "utils/base/clock.h"

#define PAUSE 4 /* Times what it costs. */

static bool
tally_wanted(const struct dp *dp)
{
    for (unsigned i = 0; i < dp->n_workers; i++)
        if (dp_load(&dp->workers[i]->walked) != dp->tally.walked[i])
            return true;
    return false;
}

void
tally_now(struct dp *dp)
{
    uint64_t began = base_clock_ns();

    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct worker *w = dp->workers[i];
        const struct arena *full;
        uint64_t walked = dp_load(&w->walked);

        if (walked == dp->tally.walked[i])
            continue;
        /* Now first: it may become the full one meanwhile, not the other
         * way round. */
        tally_arena(dp, dp_load(&w->arena.now), dp->n_workers);
        full = dp_load(&w->arena.full);
        if (full)
            tally_arena(dp, full, dp->n_workers);
        dp->tally.walked[i] = walked;
    }
    dp->tally.ended_ns = base_clock_ns();
    dp->tally.cost_ns = dp->tally.ended_ns - began;
}

bool
tally_is_home(struct dp *dp)
{
    if (!tally_wanted(dp))
        return true;
    if (base_clock_ns() - dp->tally.ended_ns < PAUSE * dp->tally.cost_ns)
        return false;
    tally_now(dp);
    return true;
}

void
tally_fresh(struct dp *dp)
{
    (void) tally_is_home(dp);
}
