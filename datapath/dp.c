/* SPDX-License-Identifier: Apache-2.0 */
#include "weft/dp.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "datapath/dp_priv.h"
#include "datapath/eal.h"
#include "datapath/group.h"
#include "datapath/worker.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define MBUFS_DEFAULT 16384
#define MBUFS_BIG 256
#define BIG_ROOM (65536 + 256 + RTE_PKTMBUF_HEADROOM)
#define RCU_BUDGET 8192
#define HOUSE_NS UINT64_C(100000000)

/* ------------------------------------------------------------------- events */

void
dp_event_signal(struct dp *dp)
{
    uint64_t one = 1;

    if (__atomic_exchange_n(&dp->event_pending, 1, __ATOMIC_ACQ_REL))
        return;
    if (write(dp->event_fd, &one, sizeof one) < 0)
        return; /* Full: readable already. */
}

int
dp_event_fd(const struct dp *dp)
{
    return dp->links.fd;
}

uint32_t
dp_tick_now(const struct dp *dp)
{
    return 1 + (uint32_t) ((base_clock_ns() - dp->start_ns) / DP_TICK_NS);
}

/* ------------------------------------------------------------ start and stop */

static int
pools_create(struct dp *dp, uint32_t mbufs)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    const struct rte_mbuf_dynflag cont = { .name = "weft_tx_cont" };
    const struct rte_mbuf_dynflag queue = { .name = "weft_tx_queue" };

    if (rte_mbuf_dynflag_register_bitnum(&cont, TX_CONT_BIT) < 0
        || rte_mbuf_dynflag_register_bitnum(&queue, TX_QUEUE_BIT) < 0)
        return -rte_errno;
    mbufs = mbufs ? mbufs : MBUFS_DEFAULT;
    dp->max_waiting = mbufs / 2 / dp->n_workers;
    snprintf(name, sizeof name, "pkt.%p", (void *) dp);
    dp->env.pool = rte_pktmbuf_pool_create(
        name, mbufs, 256,
        RTE_ALIGN(sizeof(struct punt_meta), RTE_MBUF_PRIV_ALIGN),
        RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!dp->env.pool)
        return -rte_errno;
    snprintf(name, sizeof name, "big.%p", (void *) dp);
    dp->env.big_pool = rte_pktmbuf_pool_create(
        name, MBUFS_BIG, 16,
        RTE_ALIGN(sizeof(struct punt_meta), RTE_MBUF_PRIV_ALIGN),
        UINT16_MAX, SOCKET_ID_ANY);
    return dp->env.big_pool ? 0 : -rte_errno;
}

/* Parses "0,2": returns the number of cores, or -EINVAL. */
static int
cores_parse(const char *text, int cores[DP_MAX_WORKERS], struct weft_err *e)
{
    int n = 0;

    if (!text) {
        cores[0] = -1;
        return 1;
    }
    for (const char *p = text;; p++) {
        char *end;
        long c = strtol(p, &end, 10);

        if (end == p || c < 0 || c >= CPU_SETSIZE || (*end && *end != ','))
            return weft_err_set(e, -EINVAL,
                                "workers %s: a list of cores such as 1 or "
                                "0,1 is wanted", text);
        if (n == DP_MAX_WORKERS)
            return weft_err_set(e, -EINVAL, "workers %s: more than %d", text,
                                DP_MAX_WORKERS);
        cores[n++] = (int) c;
        p = end;
        if (!*p)
            return n;
    }
}

static void
tunnel_retire(void *arg, void *obj, void (*fn)(void *))
{
    struct dp *dp = arg;

    rcu_defer(dp->rcu, fn, obj);
}

/* Rules are freed when what was counted for them is theirs. */
static bool
counts_are_home(void *dp)
{
    return tally_is_home(dp);
}

static int
dp_start(struct dp *dp, const struct dp_config *c, const int cores[],
         struct weft_err *e)
{
    int err = pools_create(dp, c->mbufs);

    if (err)
        return weft_err_set(e, err, "packet memory: %s", strerror(-err));
    dp->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    dp->rcu = rcu_create(DP_MAX_WORKERS);
    if (dp->rcu)
        rcu_set_gate(dp->rcu, counts_are_home, dp);
    dp->tunnels = tunnels_create(tunnel_retire, dp);
    dp->punt_buf = malloc(DP_PUNT_BUF);
    if (dp->event_fd < 0 || !dp->rcu || !dp->tunnels || !dp->punt_buf)
        return weft_err_set(e, -ENOMEM, "datapath: out of memory");
    err = link_watch_open(&dp->links, dp->event_fd);
    if (err)
        return weft_err_set(e, err, "datapath: %s", strerror(-err));
    for (unsigned i = 0; i < dp->n_workers; i++) {
        err = worker_create(dp, i, cores[i]);
        if (err)
            return weft_err_set(e, err, "worker %u: %s", i, strerror(-err));
    }
    for (unsigned i = 0; i < dp->n_workers; i++) {
        err = worker_start(dp->workers[i]);
        if (err)
            return weft_err_set(e, err, "worker %u on core %d: %s", i,
                                cores[i], strerror(-err));
    }
    return 0;
}

static int
create(const struct dp_config *c, bool manual, struct dp **out,
       struct weft_err *e)
{
    int cores[DP_MAX_WORKERS], n, err;
    struct dp *dp;

    n = cores_parse(c->cores, cores, e);
    if (n < 0)
        return n;
    err = eal_start(c->eal_args, e);
    if (err)
        return err;
    BASE_NEW(dp);
    dp->ev = c->events;
    dp->n_workers = (unsigned) n;
    dp->wait_max_ns = c->latency_us ? c->latency_us * UINT64_C(500)
                                    : WAIT_DEFAULT_NS;
    dp->poll = c->poll || dp->wait_max_ns < WAIT_LEAST_NS;
    dp->manual = manual;
    dp->no_chlog = c->no_change_log;
    dp->cache_max = c->cache_entries ? c->cache_entries : DP_CACHE_MAX;
    dp->event_fd = -1;
    dp->links.fd = dp->links.netlink = dp->links.timer = -1;
    dp->tsc_start = rte_rdtsc();
    dp->tsc_hz = rte_get_tsc_hz();
    dp->start_ns = base_clock_ns();
    if (getrandom(&dp->seed, sizeof dp->seed, 0) != sizeof dp->seed)
        dp->seed = dp->tsc_start * UINT64_C(0x9fb21c651e98df25);
    base_list_init(&dp->bridges);
    base_list_init(&dp->ports);
    err = dp_start(dp, c, cores, e);
    if (err) {
        dp_destroy(dp);
        return err;
    }
    *out = dp;
    return 0;
}

int
dp_create(const struct dp_config *c, struct dp **out, struct weft_err *e)
{
    return create(c, false, out, e);
}

int
dp_create_manual(const struct dp_config *c, struct dp **out,
                 struct weft_err *e)
{
    return create(c, true, out, e);
}

void
dp_destroy(struct dp *dp)
{
    struct dp_bridge *br, *tmp;

    if (!dp)
        return;
    memset(&dp->ev, 0, sizeof dp->ev);
    BASE_LIST_FOR_SAFE(br, tmp, &dp->bridges, node)
        dp_bridge_del(br);
    for (uint32_t id = 1; id <= DP_MAX_UPLINKS; id++)
        if (dp->uplinks[id] && dp_uplink_del(dp, id, NULL))
            abort();
    for (unsigned i = 0; i < dp->n_workers; i++)
        worker_stop(dp->workers[i]);
    tunnels_destroy(dp->tunnels);
    rcu_destroy(dp->rcu);
    for (unsigned i = 0; i < dp->n_workers; i++)
        worker_destroy(dp->workers[i]);
    rte_mempool_free(dp->env.pool);
    rte_mempool_free(dp->env.big_pool);
    link_watch_close(&dp->links);
    if (dp->event_fd >= 0)
        close(dp->event_fd);
    free(dp->punt_buf);
    free(dp);
}

/* ------------------------------------------------------------------- commit */

/* Bridges' new tables and caches first, then their generation, then the
 * token: a worker that was quiescent after it works by all of them. */
uint64_t
dp_commit(struct dp *dp)
{
    struct dp_bridge *br;
    struct dp_pending_sync *s;

    BASE_LIST_FOR(br, &dp->bridges, node) {
        if (br->relive_dirty)
            dp_groups_relive(br);
        if (dp_bridge_is_dirty(br))
            dp_bridge_commit(br);
    }
    rcu_release(dp->rcu);
    dp->seq++;
    /* A full list: the last entry waits for the newer token. */
    if (dp->n_syncs == DP_MAX_SYNCS)
        dp->n_syncs--;
    s = &dp->syncs[dp->n_syncs++];
    s->seq = dp->seq;
    s->token = rcu_start(dp->rcu);
    __atomic_store_n(&dp->notify_seq, dp->notify_seq + 1, __ATOMIC_RELEASE);
    if (rcu_passed(dp->rcu, s->token))
        dp_event_signal(dp);
    return dp->seq;
}

/* Reports the newest commit that every worker has seen. */
static void
syncs_deliver(struct dp *dp)
{
    unsigned done = 0;
    uint64_t seq = 0;

    while (done < dp->n_syncs && rcu_passed(dp->rcu, dp->syncs[done].token))
        seq = dp->syncs[done++].seq;
    if (!done)
        return;
    dp->n_syncs -= done;
    memmove(dp->syncs, dp->syncs + done, dp->n_syncs * sizeof dp->syncs[0]);
    if (dp->ev.synced)
        dp->ev.synced(dp->ev.arg, seq);
}

/* ---------------------------------------------------------------------- run */

static unsigned
wants_deliver(struct dp *dp, unsigned budget)
{
    struct tunnel_want want;
    unsigned n = 0;

    while (n < budget
           && (tunnels_want(dp->tunnels, &want) || peers_want(dp, &want))) {
        n++;
        if (dp->ev.resolve)
            dp->ev.resolve(dp->ev.arg, want.remote, want.local);
    }
    for (unsigned i = 0; i < dp->n_workers; i++) {
        void *v;

        while (n < budget && !rte_ring_sc_dequeue(dp->workers[i]->wants, &v)) {
            n++;
            if (dp->ev.resolve)
                dp->ev.resolve(dp->ev.arg, (be32) (uintptr_t) v,
                               (be32) ((uintptr_t) v >> 32));
        }
    }
    return n;
}

/* Senders that networks' ports did not know. */
static unsigned
sightings_deliver(struct dp *dp, unsigned budget)
{
    unsigned n = 0;

    for (unsigned i = 0; i < dp->n_workers; i++) {
        void *v;

        while (n < budget
               && !rte_ring_sc_dequeue(dp->workers[i]->sightings, &v)) {
            n++;
            peers_sighted(dp, (uintptr_t) v >> 32, (be32) (uintptr_t) v);
        }
    }
    return n;
}

static void
house(struct dp *dp, uint64_t now)
{
    struct dp_bridge *br;
    struct dp_port *p, *tmp;
    bool dirty = false;

    dp->house_ns = now;
    BASE_LIST_FOR_SAFE(p, tmp, &dp->ports, node)
        dp_port_house(p);
    link_watch_house(dp);
    BASE_LIST_FOR(br, &dp->bridges, node) {
        dp_bridge_house(br);
        dirty |= dp_bridge_is_dirty(br);
    }
    for (unsigned i = 0; i < dp->n_workers; i++)
        arena_house(&dp->workers[i]->arena);
    tally_fresh(dp);
    dp_balance_house(dp, now);
    /* Changes that nobody committed: their memory waits for it. */
    if (dirty)
        dp_commit(dp);
}

/* Workers' full arenas become ready again. */
static void
arenas_run(struct dp *dp)
{
    for (unsigned i = 0; i < dp->n_workers; i++) {
        struct arena_ref *r = &dp->workers[i]->arena;
        const struct arena *full = dp_load(&r->full);

        if (!full)
            continue;
        tally_arena(dp, full, dp->n_workers);
        arena_recycle(r);
    }
}

bool
dp_run(struct dp *dp, unsigned budget)
{
    uint64_t count, now = base_clock_ns();
    unsigned n;
    bool more;

    if (read(dp->event_fd, &count, sizeof count) < 0)
        count = 0;
    __atomic_store_n(&dp->event_pending, 0, __ATOMIC_SEQ_CST);
    syncs_deliver(dp);
    arenas_run(dp);
    n = dp_punts_deliver(dp, budget);
    n += wants_deliver(dp, budget > n ? budget - n : 0);
    n += sightings_deliver(dp, budget > n ? budget - n : 0);
    link_watch_run(dp);
    if (now - dp->house_ns >= HOUSE_NS)
        house(dp, now);
    more = rcu_poll(dp->rcu, RCU_BUDGET);
    return n >= budget || more;
}
