/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/worker.h"

#include <errno.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "datapath/queue.h"
#include "utils/base/mem.h"

/* Empty iterations before a worker waits; then the waits double from the
 * first to dp->wait_max_ns, if some port can only be polled. */
#define IDLE_SPINS 64
#define WAIT_MIN_NS 10000
#define TIMER_SLACK_NS 1000
/* With frames in queues: shorter waits are not worth it; longest wait. */
#define WAIT_QUEUED_NS UINT64_C(50000)
#define WAIT_FRAMES_NS UINT64_C(100000000)
/* Iterations between two looks at the file descriptors under load. */
#define EPOLL_EVERY 16

static struct rte_ring *
ring_create(struct worker *w, const char *what, unsigned size, unsigned flags)
{
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof name, "%s%u.%p", what, w->id, (void *) w->dp);
    return rte_ring_create(name, size, SOCKET_ID_ANY, flags);
}

static int
worker_open_fds(struct worker *w)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };

    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (w->wake_fd < 0 || w->epoll_fd < 0
        || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &ev))
        return -errno;
    return 0;
}

int
worker_create(struct dp *dp, unsigned id, int core)
{
    struct worker *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);
    int err;

    if (!w)
        return -ENOMEM;
    memset(w, 0, sizeof *w);
    dp->workers[id] = w;
    w->dp = dp;
    w->id = id;
    w->core = core;
    w->wake_fd = w->epoll_fd = -1;
    w->tick = 1;
    w->ports = base_xcalloc(1, sizeof *w->ports);
    w->rxqs = base_xcalloc(1, sizeof *w->rxqs);
    w->tsc_mult = (uint64_t) (((__uint128_t) 1 << 64)
                              / (dp->tsc_hz / (1000000000 / DP_TICK_NS)));
    w->ns_mult = (UINT64_C(1000000000) << 32) / dp->tsc_hz;
    w->inbox = ring_create(w, "in", DP_INBOX_SIZE,
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
    w->punts = ring_create(w, "punt", PUNT_RING_SIZE,
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
    w->wants = ring_create(w, "want", WANT_RING_SIZE,
                           RING_F_SP_ENQ | RING_F_SC_DEQ);
    w->sightings = ring_create(w, "seen", WANT_RING_SIZE,
                               RING_F_SP_ENQ | RING_F_SC_DEQ);
    err = worker_open_fds(w);
    if (!err)
        err = arena_create(&w->arena);
    if (!err && (!w->inbox || !w->punts || !w->wants || !w->sightings))
        err = -ENOMEM;
    if (err)
        return err;
    w->epoch = 1;
    tunnel_worker_init(&w->tw, dp->tunnels, dp->env.pool);
    return 0;
}

static void
ring_free_mbufs(struct rte_ring *r)
{
    void *m;

    while (r && !rte_ring_dequeue(r, &m))
        rte_pktmbuf_free(m);
    rte_ring_free(r);
}

void
worker_destroy(struct worker *w)
{
    void *item;

    if (!w)
        return;
    while (w->inbox && !rte_ring_dequeue(w->inbox, &item)) {
        rte_pktmbuf_free(rte_pktmbuf_mtod((struct rte_mbuf *) item,
                                          struct inbox_item *)->m);
        rte_pktmbuf_free(item);
    }
    rte_ring_free(w->inbox);
    ring_free_mbufs(w->punts);
    rte_ring_free(w->wants);
    rte_ring_free(w->sightings);
    if (w->wake_fd >= 0)
        close(w->wake_fd);
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    arena_destroy(&w->arena);
    free(w->ports);
    free(w->rxqs);
    free(w);
}

void
worker_wake(struct worker *w)
{
    uint64_t one = 1;

    if (write(w->wake_fd, &one, sizeof one) < 0)
        return; /* Full: it is awake. */
}

/* --------------------------------------------------------------- the thread */

#define EVENTS_MAX 64

/* Waits for a descriptor; 'ns' 0: 'ms' milliseconds, -1: for ever. */
static int
worker_poll_fds(struct worker *w, struct epoll_event ev[EVENTS_MAX], int ms,
                uint64_t ns)
{
    struct timespec ts = { .tv_nsec = (long) ns };

    return ns ? epoll_pwait2(w->epoll_fd, ev, EVENTS_MAX, &ts, NULL)
              : epoll_wait(w->epoll_fd, ev, EVENTS_MAX, ms);
}

/* Ports that epoll named are polled again.  A port may have been deleted
 * while the worker was offline: only those in its list are touched. */
static void
worker_ready(struct worker *w, const struct epoll_event ev[], int n)
{
    const struct worker_rxqs *l = dp_load(&w->rxqs);

    for (int i = 0; i < n; i++) {
        struct rxq *q = ev[i].data.ptr;
        uint64_t count;

        if (!q) {
            if (read(w->wake_fd, &count, sizeof count) < 0)
                continue;
            w->idle_rounds = 0;
            continue;
        }
        for (unsigned k = 0; k < l->n; k++)
            if (l->q[k] == q) {
                q->wait = 0;
                q->idle = 0;
            }
    }
}

static void
worker_look(struct worker *w)
{
    struct epoll_event ev[EVENTS_MAX];

    worker_ready(w, ev, worker_poll_fds(w, ev, 0, 0));
}

/* Is there something that no descriptor tells of? */
static bool
worker_has_work(const struct worker *w)
{
    const struct worker_ports *l = dp_load(&w->ports);

    if (!rte_ring_empty(w->inbox)
        || __atomic_load_n(&w->quit, __ATOMIC_SEQ_CST))
        return true;
    for (unsigned i = 0; i < l->n; i++)
        if (l->p[i]->tx_ring && !rte_ring_empty(l->p[i]->tx_ring))
            return true;
    return false;
}

/* Nothing to do: gives up the RCU section and waits.  Who puts something into
 * a ring of ours looks at 'sleeping' after that; we look into the rings after
 * setting it: one of us sees the other. */
static void
worker_wait(struct worker *w)
{
    struct epoll_event ev[EVENTS_MAX];
    struct rte_rcu_qsbr *qsbr = w->dp->rcu->qsbr;
    unsigned over = w->idle_rounds - IDLE_SPINS;
    uint64_t ns = (uint64_t) WAIT_MIN_NS << WEFT_MIN(over / 8, 7u);
    uint64_t queued = queue_wait_ns(w);
    int n = 0;

    if (queued < WAIT_QUEUED_NS)
        return; /* Waking up takes as long. */
    ns = __atomic_load_n(&w->n_polled, __ATOMIC_RELAXED)
             ? WEFT_MIN(ns, w->dp->wait_max_ns)
             : 0;
    if (queued != UINT64_MAX)
        ns = WEFT_MIN(ns ? ns : WAIT_FRAMES_NS, queued - WAIT_QUEUED_NS / 2);
    __atomic_store_n(&w->sleeping, 1, __ATOMIC_SEQ_CST);
    if (!worker_has_work(w)) {
        rte_rcu_qsbr_thread_offline(qsbr, w->id);
        n = worker_poll_fds(w, ev, -1, ns);
        rte_rcu_qsbr_thread_online(qsbr, w->id);
    }
    __atomic_store_n(&w->sleeping, 0, __ATOMIC_SEQ_CST);
    worker_ready(w, ev, n);
}

/* After each iteration: quiescent, and tells control what it waits for. */
static void
worker_report(struct worker *w)
{
    struct dp *dp = w->dp;
    uint32_t seq = __atomic_load_n(&dp->notify_seq, __ATOMIC_RELAXED);

    rcu_report(dp->rcu, w->id);
    if (weft_unlikely(seq != w->notified_seq)) {
        w->notified_seq = seq;
        dp_event_signal(dp);
    } else if (weft_unlikely(w->woke_control)) {
        dp_event_signal(dp);
    }
    w->woke_control = false;
}

static void
worker_clock(struct worker *w, uint64_t now)
{
    uint64_t since = now - w->dp->tsc_start;

    w->tick = 1 + (uint32_t) (((__uint128_t) since * w->tsc_mult) >> 64);
    w->tw.now_ns = w->tick * DP_TICK_NS;
    w->now_ns = (uint64_t) (((__uint128_t) since * w->ns_mult) >> 32);
}

/* Is every port left to epoll? */
static bool
worker_all_wait(const struct worker *w)
{
    const struct worker_rxqs *l = w->rxqs;

    for (unsigned i = 0; i < l->n; i++)
        if (!l->q[i]->wait && l->q[i]->fd >= 0)
            return false;
    return true;
}

/* Whoever waits behind a packet waits no longer than this. */
static void
worker_note_longest(struct worker *w, uint64_t cycles)
{
    if (weft_unlikely(dp_read(w->longest_reset))) {
        __atomic_store_n(&w->longest_reset, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&w->longest, 0, __ATOMIC_RELAXED);
    } else if (cycles > w->longest) {
        __atomic_store_n(&w->longest, cycles, __ATOMIC_RELAXED);
    }
}

static void
worker_loop(struct worker *w)
{
    uint64_t now = rte_rdtsc();

    while (!__atomic_load_n(&w->quit, __ATOMIC_RELAXED)) {
        uint64_t before = now;
        bool waited = false;
        unsigned n;

        worker_clock(w, now);
        n = worker_iterate(w);
        worker_report(w);
        if (n) {
            w->idle_rounds = 0;
            dp_count(w->packets, n);
            if (w->iterations % EPOLL_EVERY == 0)
                worker_look(w);
        } else if (!w->dp->poll && ++w->idle_rounds > IDLE_SPINS
                   && worker_all_wait(w)) {
            worker_wait(w);
            waited = true;
        } else if (w->iterations % EPOLL_EVERY == 0) {
            worker_look(w);
        }
        dp_count(w->iterations, 1);
        now = rte_rdtsc();
        if (n)
            dp_count(w->busy_cycles, now - before);
        else
            dp_count(w->idle_cycles, now - before);
        if (!waited)
            worker_note_longest(w, now - before);
    }
}

static void *
worker_main(void *arg)
{
    struct worker *w = arg;
    bool registered = rte_thread_register() == 0;

    /* The kernel may wake us so much later than asked; 50 us by default. */
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    rte_rcu_qsbr_thread_online(w->dp->rcu->qsbr, w->id);
    worker_loop(w);
    rte_rcu_qsbr_thread_offline(w->dp->rcu->qsbr, w->id);
    if (registered)
        rte_thread_unregister();
    return NULL;
}

static int
worker_pin(struct worker *w)
{
    cpu_set_t set;

    if (w->core < 0)
        return 0;
    CPU_ZERO(&set);
    CPU_SET((unsigned) w->core, &set);
    return -pthread_setaffinity_np(w->thread, sizeof set, &set);
}

int
worker_start(struct worker *w)
{
    char name[16];
    int err;

    rte_rcu_qsbr_thread_register(w->dp->rcu->qsbr, w->id);
    if (w->dp->manual)
        return 0;
    err = -pthread_create(&w->thread, NULL, worker_main, w);
    if (err)
        return err;
    w->started = true;
    snprintf(name, sizeof name, "weft-w%u", w->id);
    pthread_setname_np(w->thread, name);
    return worker_pin(w);
}

void
worker_stop(struct worker *w)
{
    if (!w || !w->started)
        return;
    __atomic_store_n(&w->quit, 1, __ATOMIC_SEQ_CST);
    worker_wake(w);
    pthread_join(w->thread, NULL);
    w->started = false;
}

/* -------------------------------------------------------------------- ports */

static void
ports_publish(struct worker *w, struct worker_ports *next)
{
    struct worker_ports *old = w->ports;

    dp_publish(&w->ports, next);
    rcu_defer(w->dp->rcu, free, old);
    worker_wake(w);
}

void
worker_add_port(struct worker *w, struct dp_port *p)
{
    struct worker_ports *old = w->ports, *next;

    next = base_xmalloc(sizeof *next + (old->n + 1) * sizeof next->p[0]);
    memcpy(next->p, old->p, old->n * sizeof next->p[0]);
    next->n = old->n;
    next->p[next->n++] = p;
    ports_publish(w, next);
}

void
worker_del_port(struct worker *w, struct dp_port *p)
{
    struct worker_ports *old = w->ports, *next;

    next = base_xmalloc(sizeof *next + old->n * sizeof next->p[0]);
    next->n = 0;
    for (unsigned i = 0; i < old->n; i++)
        if (old->p[i] != p)
            next->p[next->n++] = old->p[i];
    ports_publish(w, next);
}

static void
rxqs_publish(struct worker *w, struct worker_rxqs *next)
{
    struct worker_rxqs *old = w->rxqs;
    unsigned polled = 0;

    for (unsigned i = 0; i < next->n; i++)
        polled += next->q[i]->fd < 0;
    __atomic_store_n(&w->n_polled, polled, __ATOMIC_RELAXED);
    dp_publish(&w->rxqs, next);
    rcu_defer(w->dp->rcu, free, old);
    worker_wake(w);
}

int
worker_add_rxq(struct worker *w, struct rxq *q)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = q };
    struct worker_rxqs *old = w->rxqs, *next;

    if (q->fd >= 0 && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, q->fd, &ev))
        return -errno;
    q->worker = w;
    next = base_xmalloc(sizeof *next + (old->n + 1) * sizeof next->q[0]);
    memcpy(next->q, old->q, old->n * sizeof next->q[0]);
    next->n = old->n;
    next->q[next->n++] = q;
    rxqs_publish(w, next);
    return 0;
}

void
worker_del_rxq(struct worker *w, struct rxq *q)
{
    struct worker_rxqs *old = w->rxqs, *next;

    if (q->fd >= 0)
        epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, q->fd, NULL);
    q->worker = NULL;
    next = base_xmalloc(sizeof *next + old->n * sizeof next->q[0]);
    next->n = 0;
    for (unsigned i = 0; i < old->n; i++)
        if (old->q[i] != q)
            next->q[next->n++] = old->q[i];
    rxqs_publish(w, next);
}
