/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: receive, classify, act, transmit, to completion.
 *
 * What:    the worker's state and the functions that its files share.
 * Model:
 *     rx_burst -> batch (keys, layouts) -> cache -> misses: walk, fold,
 *     intern -> groups of packets with one program -> ops -> staged per port
 *     -> tx_burst
 *
 *          Packets that enter another bridge (patch) or are to be parsed
 *          again (RESUME) wait in 'pending' and are run in the same
 *          iteration.  Programs of multi-table walks live in an arena that
 *          is replaced as a whole between iterations; 'epoch' makes the cache
 *          entries that point there stale.
 * Threads: the worker's own, but for start, stop, wake and the rings.
 * Owns:    its memory; mbufs while they are inside. */
#ifndef DP_WORKER_H
#define DP_WORKER_H

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "datapath/arena.h"
#include "datapath/dp_priv.h"
#include "datapath/extract.h"
#include "weft/compiler.h"

#define BATCH_MAX 32
#define PENDING_MAX 1024      /* Packets between bridges or tables. */
#define PENDING_BUDGET 4096   /* Run per iteration; more is a loop. */
#define DEPTH_MAX 16          /* Patch hops and RESUMEs of one packet. */
#define WALK_MAX DP_N_TABLES
#define GROUP_DEPTH 17        /* OpenFlow groups one behind the other. */
#define PUNT_RING_SIZE 2048
#define WANT_RING_SIZE 256
#define TX_RING_SIZE 1024
#define CACHE_SAMPLE 32       /* A bypassed cache sees one batch in so many. */
#define RX_IDLE_POLLS 8       /* Empty polls before a port is left to epoll. */

/* Later frame of a cut segment: a bit of ol_flags that dp_create registers. */
#define TX_CONT RTE_MBUF_F_LAST_FREE
#define TX_CONT_BIT 40
/* hash.sched says the queue; another such bit. */
#define TX_QUEUE (UINT64_C(1) << TX_QUEUE_BIT)
#define TX_QUEUE_BIT 39

/* What outputs ask of each frame, asked once of all slots of a batch. */
struct batch_sum {
    uint64_t bytes;
    uint32_t max_len;
    bool finished; /* Any device takes them as they are. */
    bool valid;    /* No op has changed lengths since. */
};

/* Packets of one bridge on their way through it. */
struct batch {
    struct dp_bridge *br;
    struct bridge_pw *bp;
    struct dp_port *from;          /* in[] of all; NULL: mixed or none. */
    uint32_t gen;                  /* Of the bridge, when they set out. */
    uint32_t min_frame;            /* Least max_frame of the ports in in[]. */
    struct batch_sum sum;
    unsigned n;                    /* Slots used. */
    unsigned n_live;               /* live[]: slots still to be run. */
    uint8_t live[BATCH_MAX];
    uint8_t depth[BATCH_MAX];
    struct rte_mbuf *m[BATCH_MAX];
    struct dp_port *in[BATCH_MAX]; /* NULL: packet-out without port. */
    const struct prog *prog[BATCH_MAX]; /* That it runs, once it does. */
    struct pkt_layout lay[BATCH_MAX];
    struct flow_key key[BATCH_MAX] WEFT_ALIGNED(64);
};

/* Packets of a batch that run the same ops together. */
struct group {
    struct batch *b;
    const struct dp_op *outer; /* GROUP op whose bucket this is; NULL. */
    const struct dp_op *egress; /* EGRESS op for what is sent; NULL. */
    bool last;               /* The op at hand takes the packets. */
    unsigned n;
    uint8_t idx[BATCH_MAX];  /* Slots. */
};

/* A packet that goes on later in this iteration. */
struct pending {
    struct rte_mbuf *m;
    struct dp_bridge *br;
    struct dp_port *in;
    const struct dp_op *resume; /* RESUME, EGRESS; NULL: at table 0. */
    struct pkt_tunnel tun;
    be64 metadata;
    be32 in_port;
    uint32_t gen; /* To go on with what the packet set out with. */
    uint32_t egress_port; /* EGRESS: where it is sent to ... */
    bool to_in_port;      /* ... by output to IN_PORT. */
    uint8_t depth;
};

/* Where a walk begins that does not begin at table 0. */
struct walk_start {
    const struct dp_op *op; /* RESUME or EGRESS. */
    uint32_t egress_port;   /* As in struct pending. */
    bool to_in_port;
};

struct walk {
    const struct flow_key *key[BATCH_MAX];
    uint16_t n[BATCH_MAX];        /* Steps. */
    uint8_t table[BATCH_MAX];     /* Next one. */
    uint8_t state[BATCH_MAX];
    uint64_t hash[BATCH_MAX];
    uint64_t metadata[BATCH_MAX]; /* At the start, host order. */
    uint64_t start[2];            /* What else names the start. */
    uint8_t egress;               /* br->egress, of all of the walk. */
    /* Of the action set, kept if a rule matches on actset_output. */
    uint32_t actset_output[BATCH_MAX];
    bool actset_group[BATCH_MAX];
    struct flow_key scratch[BATCH_MAX] WEFT_ALIGNED(64);
    struct prog_step step[BATCH_MAX][WALK_MAX];
    uint64_t uid[BATCH_MAX][WALK_MAX];
    uint8_t tables[BATCH_MAX][WALK_MAX];
};

/* What came out of a walk, kept in the arena; the path's uids follow, then, on
 * a line of its own, the program, its credits, and code that no other program
 * has. */
struct interned {
    uint64_t hash;
    uint32_t next;   /* Word offset of the next with this slot; 0: none. */
    uint32_t n_path;
    uint32_t words;  /* Of all that. */
    uint32_t pad;
    struct walk_prog *prog;
    uint64_t path[];
};

#define CODES 256 /* Of programs made of late, to be shared. */

/* In the private area of a punted mbuf. */
struct punt_meta {
    uint64_t port_uid;      /* Of the ingress port or uplink; 0: none. */
    struct dp_bridge *br;   /* NULL: a frame of an uplink. */
    struct prog_ctx ctx;
    struct pkt_tunnel tun;
    uint32_t in_port;
    uint32_t max_len;
    uint8_t reason;
    uint8_t worker;
};

/* A packet-out: in the data of an mbuf of its own. */
struct inbox_item {
    struct rte_mbuf *m;
    struct dp_bridge *br;   /* NULL: to be sent on uplink 'port_uid'. */
    uint64_t port_uid;
    struct dp_port *in;     /* Looked up by the worker. */
    uint32_t in_port;
    struct prog prog;       /* No credits. */
    struct prog_code code;  /* Of 'prog'; ops follow. */
};

/* Those it receives from. */
struct worker_rxqs {
    unsigned n;
    struct rxq *q[];
};

/* Those it sends on. */
struct worker_ports {
    unsigned n;
    struct dp_port *p[];
};

struct worker {
    /* Every iteration. */
    struct dp *dp;
    unsigned id;
    uint32_t tick;
    struct worker_rxqs *rxqs;     /* Published by control. */
    struct worker_ports *ports;   /* Published by control. */
    struct rte_ring *inbox;
    struct dp_port *staged;       /* Ports with packets to be flushed. */
    uint32_t notified_seq;
    uint32_t epoch;               /* Of the arena. */
    struct rte_ring *punts, *wants;
    struct rte_ring *sightings;   /* Port uid << 32 | sender: peers.h. */
    bool woke_control;            /* This iteration. */
    uint64_t tsc_mult;            /* 2^64 * ticks per TSC cycle. */
    uint64_t ns_mult;             /* 2^32 * nanoseconds per TSC cycle. */
    uint64_t now_ns;              /* Of this iteration, since dp_create. */
    uint32_t n_waiting;           /* Frames in queues: queue.h. */
    struct tunnel_worker tw;

    /* Statistics. */
    uint64_t iterations, packets, busy_cycles, idle_cycles;
    uint64_t longest;             /* Cycles of one iteration without wait. */
    uint32_t longest_reset;       /* By control: 'longest' starts anew. */

    /* Pending packets: a ring. */
    unsigned pend_head, pend_n;
    struct pending pending[PENDING_MAX];

    /* Programs of walks. */
    struct arena_ref arena;
    uint64_t resume_uid;
    uint64_t walked; /* Batches that counted in such programs; published. */
    const struct prog_code *codes[CODES];

    struct batch batch;
    struct fc_ref refs[BATCH_MAX];
    struct walk walk;
    struct batch group_batch[GROUP_DEPTH]; /* Copies: group_fast.c. */

    /* Waiting; see worker.c. */
    uint32_t sleeping;
    int wake_fd, epoll_fd;
    uint32_t quit;
    unsigned idle_rounds;
    unsigned n_polled;            /* Receive queues without descriptor. */
    uint64_t packets_seen, busy_seen, load; /* Control: balance.c. */
    int core;
    bool started;
    pthread_t thread;
};

/* worker.c.  Thread: control, but worker_wait. */
WEFT_MUST_CHECK int worker_create(struct dp *, unsigned id, int core);
void worker_destroy(struct worker *); /* Stopped first. */
WEFT_MUST_CHECK int worker_start(struct worker *);
void worker_stop(struct worker *);
void worker_wake(struct worker *); /* Thread: any. */
void worker_add_port(struct worker *, struct dp_port *);
void worker_del_port(struct worker *, struct dp_port *);
/* 0 or -errno. */
WEFT_MUST_CHECK int worker_add_rxq(struct worker *, struct rxq *);
void worker_del_rxq(struct worker *, struct rxq *);

/* worker_fast.c */
unsigned worker_iterate(struct worker *); /* Returns packets handled. */

/* run_fast.c */
/* Runs the programs of the live packets, each group of packets with the same
 * ops at once; within a group the order of arrival is kept. */
void batch_run(struct worker *, struct batch *,
               const struct prog *const progs[]);
/* Runs one op; g->last tells whether it takes the packets. */
void worker_run_op(struct worker *, struct group *, const struct dp_op *);

/* walk_fast.c: programs of n packets; start: NULL for table 0. */
void walk_burst(struct worker *, struct dp_bridge *,
                const struct flow_key *const keys[], unsigned n,
                const struct walk_start *start, const struct prog *progs[]);
/* Between iterations: another arena for a full one, if there is one. */
void walk_arena_swap(struct worker *);
/* At the end of one: the scratch programs are done with. */
void walk_scratch_end(struct worker *);
/* Is it to be used in this iteration only? */
bool walk_prog_is_scratch(const struct worker *, const struct prog *);

/* tx_fast.c */
void tx_flush(struct worker *);
void tx_drain_rings(struct worker *);
/* Outputs a group's packets (copies when the op is not the last). */
void tx_output_group(struct worker *, struct group *, struct dp_port *);
/* Sends one frame to a port other than the ingress port; takes 'm'.  'slot' is
 * the packet's place in the batch. */
void tx_output(struct worker *, struct batch *, unsigned slot,
               struct dp_port *, struct rte_mbuf *m);
/* Stages on a device; takes 'm'. */
void tx_stage(struct worker *, struct dp_port *, struct rte_mbuf *m);

/* egress_fast.c: one frame to a port by way of the egress tables; takes
 * 'm'. */
void worker_egress(struct worker *, struct group *, unsigned slot,
                   struct dp_port *, bool to_in_port, struct rte_mbuf *m);

/* Counts and frees a packet of a bridge; 'p' (may be NULL) is charged. */
void worker_drop(struct worker *, struct dp_bridge *, struct dp_port *p,
                 struct rte_mbuf *m, unsigned reason);
/* Drops packet 'slot' of a batch, charged to its ingress port. */
void worker_drop_slot(struct worker *, struct batch *, unsigned slot,
                      unsigned reason);
/* Drops all packets of a group (if the op is not the last: as copies). */
void worker_drop_group(struct worker *, struct group *, struct dp_port *,
                       unsigned reason);
/* The packet, or a copy of it when the op is not the last; NULL: no memory,
 * counted. */
struct rte_mbuf *worker_take(struct worker *, struct group *, unsigned slot);
/* False: queue full. */
bool worker_pend(struct worker *, const struct pending *);
void worker_punt_ring(struct worker *, struct rte_mbuf *,
                      struct dp_port *charge);
/* Runs 'm', packet 'slot' or a copy of it, through a meter (NULL: none).
 * False: to be dropped. */
bool worker_meter_packet(struct worker *, struct batch *, unsigned slot,
                         struct rte_mbuf *m, struct dp_meter *);
/* Parses slot again after its headers changed.  False: dropped. */
bool worker_reparse(struct worker *, struct batch *, unsigned slot);

static inline struct punt_meta *
punt_meta(struct rte_mbuf *m)
{
    return rte_mbuf_to_priv(m);
}

/* Is the group all of its batch, with sums that still hold? */
static inline bool
group_is_summed(const struct group *g)
{
    return g->last && g->n == g->b->n && g->b->sum.valid;
}

static inline struct port_pw *
worker_port(const struct worker *w, const struct dp_port *p)
{
    return p->pw[w->id];
}

/* ops/: one function per op. */
typedef void op_run_fn(struct worker *, struct group *, const struct dp_op *);
#define DP_OP(id, name) op_run_fn op_run_##id;
#include "weft/dp_ops.def"
#undef DP_OP
op_run_fn op_run_RESUME, op_run_DROP, op_run_EGRESS;

#endif
