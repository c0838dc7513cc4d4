/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the datapath: bridges, ports, rules as control and workers share
 * them.
 *
 * What:    the structs behind include/weft/dp.h.
 * Model:
 *     struct dp ─┬─ struct dp_bridge ─┬─ dp_table[DP_N_TABLES] ─ tbl ─ rules
 *                │                    ├─ ports by number, flood list, MACs
 *                │                    └─ pw[worker]: cache, counters
 *                ├─ uplinks by id
 *                └─ struct worker ── the ports it receives from
 *
 *          A rule change goes into its bridge's change log; dp_commit gives
 *          the bridge a new generation.  Cached results are proven for one;
 *          the log tells which of them hold for a later one.
 *          What workers may still hold is freed by rcu.h.
 * Threads: written by control; members marked "worker" by that worker only.
 *          Workers read pointers with dp_load.
 * Owns:    see each struct. */
#ifndef DP_DP_PRIV_H
#define DP_DP_PRIV_H

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdatomic.h>

#include "datapath/cache.h"
#include "datapath/link_watch.h"
#include "datapath/mac.h"
#include "datapath/peers.h"
#include "datapath/port.h"
#include "datapath/prog.h"
#include "datapath/rcu.h"
#include "datapath/tables/table.h"
#include "datapath/tally.h"
#include "datapath/tunnel.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"
#include "utils/base/slab.h"
#include "weft/dp.h"

struct chlog;
struct dp_meter;
struct meter_table;
struct worker;
struct group_table;

/* Pointers that control publishes and workers read. */
#define dp_publish(pp, v) __atomic_store_n((pp), (v), __ATOMIC_RELEASE)
#define dp_load(pp) __atomic_load_n((pp), __ATOMIC_ACQUIRE)

/* Counters have one writer; readers may be a little behind. */
#define dp_count(c, n)                                                        \
    __atomic_store_n(&(c), __atomic_load_n(&(c), __ATOMIC_RELAXED) + (n),     \
                     __ATOMIC_RELAXED)
#define dp_read(c) __atomic_load_n(&(c), __ATOMIC_RELAXED)

/* Ticks of rules' and MACs' last use: quarters of a second since dp_create,
 * from 1 on. */
#define DP_TICK_NS UINT64_C(250000000)

#define DP_MAX_UPLINKS 64
#define DP_PUNT_QUOTA 256     /* Packets of one port waiting for control. */
#define DP_INBOX_SIZE 1024    /* Packet-outs waiting for a worker. */
#define DP_CACHE_MIN 8192     /* First capacity of a flow cache. */
#define DP_CACHE_MAX (1u << 20)

/* ----------------------------------------------------------------- rules */

struct rule_counter { /* Worker. */
    uint64_t packets, bytes;
};

struct dp_table {
    struct dp_bridge *br;
    struct tbl *tbl; /* NULL until the first rule. */
    uint8_t id;
    uint8_t miss;    /* enum dp_miss */
    bool union_dirty;
    uint32_t n_rules;
    struct flow_key *mask; /* Union of the rules' masks, as last asked. */
};

/* In memory: counters of control and workers n - 1 to 1, the caller's DP_RULE_OWNER bytes,
 * the struct, its values.  tr.tag is the table's number; tr.user, control's,
 * the index of the counters' zero point, 0: none.
 *
 * 'uid' names the rule and what it does in the path of a walk; never used
 * twice.  0 while dp_rule_set changes the rule.
 *
 * 'cookie' is the rule's unless its act has one (ACT_KIND_COOKIE): a worker
 * that still has another act in its hand must not find a later cookie beside
 * it.  It changes only when no worker has an act without a cookie: at the end
 * of a transaction. */
struct dp_rule {
    uint64_t uid;
    uint64_t cookie;
    struct rule_counter counter; /* Worker 0's. */
    struct prog prog;            /* prog.code: of a struct rule_act. */
    struct tbl_rule tr;          /* Last: flexible. */
};

/* Behind the workers' comes control's, for what it tallies. */
static inline struct rule_counter *
dp_rule_counter(const struct dp_rule *r, unsigned worker)
{
    if (weft_likely(!worker))
        return (struct rule_counter *) (uintptr_t) &r->counter;
    return (struct rule_counter *) ((uintptr_t) r - DP_RULE_OWNER) - worker;
}

static inline struct dp_rule *
dp_rule_of(struct tbl_rule *tr)
{
    return WEFT_CONTAINER_OF(tr, struct dp_rule, tr);
}

static inline struct dp_rule *
dp_rule_of_prog(const struct prog *p)
{
    return (struct dp_rule *) ((uintptr_t) p - offsetof(struct dp_rule, prog));
}

/* Of what is to run soon: its code's address and, mostly, whom to credit. */
static inline void
prog_prefetch(const struct prog *p)
{
    weft_prefetch_write((void *) (uintptr_t) p);
}

static inline uint8_t
dp_rule_table(const struct dp_rule *r)
{
    return r->tr.tag;
}

static inline struct rule_act *
dp_rule_act(const struct dp_rule *r)
{
    return (struct rule_act *) (uintptr_t) dp_load(&r->prog.code);
}

/* The rule's cookie when its act is 'a', which is not staged. */
static inline uint64_t
dp_rule_cookie(const struct dp_rule *r, const struct rule_act *a)
{
    return a->kind & ACT_KIND_COOKIE ? a->cookie : dp_read(r->cookie);
}

static inline bool
dp_rule_is_miss(const struct dp_rule *r)
{
    return !r->tr.priority && !r->tr.n_values;
}

/* ----------------------------------------------------------------- ports */

enum dp_port_kind { DP_KIND_DEVICE, DP_KIND_PATCH, DP_KIND_TUNNEL };

/* A port's state in one worker. */
struct port_pw {
    uint32_t n_staged;
    uint32_t linked;            /* In the worker's list of staged ports. */
    struct dp_port *next;       /* There. */
    uint64_t staged_bytes;      /* What the staged frames count. */
    uint32_t staged_cont;
    struct rte_mbuf *staged[PORT_BURST];
    struct dp_port_stats stats;
    uint64_t drops[N_DROP_REASONS];
    uint64_t n_punts;           /* Put into the punt ring ... */
    uint64_t n_punts_done;      /* ... and taken out by control. */
} WEFT_ALIGNED(64);

/* A receive queue: one worker polls it at a time. */
struct rxq {
    struct dp_port *port;
    int fd;              /* As port.rx_fd. */
    uint16_t id;
    /* Worker. */
    uint32_t wait;       /* Not polled until its fd is ready. */
    uint32_t idle;       /* Empty polls in a row. */
    uint64_t packets;
    /* Control. */
    struct worker *worker; /* NULL: none. */
    uint64_t packets_seen, load;
} WEFT_ALIGNED(64);

struct dp_port {
    /* Read by workers. */
    enum dp_port_kind kind;
    uint32_t port_no;           /* Uplinks: the uplink's id. */
    struct dp_bridge *br;       /* NULL: an uplink. */
    uint32_t config;            /* DP_PC_* */
    uint32_t max_frame;         /* Without tags. */
    struct worker *owner;       /* Sends. */
    struct rxq *rxq;            /* Device: port.n_rxq, but at least one. */
    struct rte_ring *tx_ring;   /* To the owner; NULL: one worker. */
    struct dp_port *peer;       /* Patch; NULL: dangling.  Published. */
    struct tunnel_port *tnl;    /* Tunnel.  Published. */
    struct peers *peers;        /* Tunnel of a network; NULL.  Published. */
    uint32_t split_horizon;     /* Nothing goes to another one with peers. */
    struct port_queues *queues; /* Device; NULL: none.  Published. */
    struct port_pw *pw[DP_MAX_WORKERS];
    struct port port;           /* Device, and name, mac, mtu of any. */
    /* Control only. */
    struct dp *dp;
    uint64_t uid;               /* Also read by workers. */
    uint64_t created_ns;
    uint64_t queues_token;      /* Of rcu_start when 'queues' changed. */
    char peer_name[DP_NAME_LEN];
    char options[256];
    bool link_reported;
    uint32_t watch_round;       /* br->relive_round when last watched. */
    struct base_list node;      /* In dp->ports. */
};

/* Ports in which a packet may be flooded.  Replaced as a whole. */
struct dp_port_list {
    unsigned n;
    struct dp_port *p[];
};

/* --------------------------------------------------------------- bridges */

struct table_counters { /* Worker. */
    uint64_t lookups, matches;
};

/* A bridge's state in one worker. */
struct bridge_pw {
    struct fc *fc;       /* Published by control, used by the worker. */
    uint32_t stamp;      /* What entries proven now carry: gen + epoch. */
    uint32_t floor;      /* Stamp since when the epoch is what it is. */
    uint32_t seen_gen, seen_epoch;
    uint32_t bypass;     /* By control: the cache churns, see below. */
    uint32_t bypassed;   /* Batches since. */
    uint64_t stale;      /* Entries proven again by classification ... */
    uint64_t kept;       /* ... by the change log. */
    struct dp_cache_stats last; /* Control: as of the last look. */
    struct dp_cache_stats gone; /* Control: of the caches before this one. */
    struct dp_balance bal;
    struct table_counters tables[DP_N_TABLES];
} WEFT_ALIGNED(64);

struct dp_bridge {
    /* Read by workers. */
    uint32_t gen;        /* Published after the caches and tables. */
    uint32_t cache_off;  /* A rule looks at more than the caches hold. */
    uint32_t ttl_punt;   /* Packet-in for packets whose TTL ran out. */
    uint32_t frag_drop;  /* Fragments are dropped. */
    uint8_t egress;      /* First egress table; DP_NO_TABLE: none. */
    uint8_t match_actset; /* A rule has matched on actset_output. */
    struct dp_port *local;
    struct dp_port **ports;      /* By number, 0..DP_PORT_MAX. */
    struct dp_port_list *flood;
    struct mac_table *macs;     /* Published. */
    struct group_table *groups; /* NULL until the first; see group.h. */
    struct meter_table *meters;           /* meter.h.  Published. */
    struct dp_meter *meter_controller;    /* NULL: none.  Published. */
    struct dp_meter *meter_slowpath;
    struct bridge_pw *pw[DP_MAX_WORKERS];
    struct dp_table tables[DP_N_TABLES];
    /* Control only. */
    struct dp *dp;
    void *owner;
    char name[DP_NAME_LEN];
    bool dirty;           /* Changed otherwise than by rules. */
    bool dirty_rules;     /* Rules changed; they are in the log. */
    struct chlog *log;    /* NULL: none. */
    struct table_counters walked[DP_N_TABLES]; /* Tallied. */
    struct flow_key rewritten; /* Bits that acts write behind table 0. */
    struct dp_txn *txn;   /* Under way, see dp_txn.c; NULL: none. */
    uint32_t n_vlan_acts; /* Acts that look at tags. */
    uint32_t n_frag_acts; /* Acts that write what fragments lack. */
    struct flow_key cache_mask;
    uint32_t n_groups;
    uint32_t relive_round;
    uint32_t n_watch_groups; /* Buckets that watch a group. */
    bool relive_dirty;       /* Their groups' liveness is out of date. */
    struct base_list watchers; /* Groups that watch ports or groups. */
    struct base_slab rules[FLOW_KEY_WORDS + 1]; /* By number of values. */
    struct base_list metered_acts; /* Of 'acts': those that name a meter. */
    struct base_hmap acts;
    struct rule_act *last_act;   /* Got last; may be NULL. */
    struct rule_counter *resets; /* Where counters stood when reset. */
    uint32_t n_resets, free_reset;
    struct base_list node;
};

static inline struct dp_port *
dp_bridge_port(const struct dp_bridge *br, uint32_t no)
{
    if (no == DP_PORT_LOCAL)
        return dp_load(&br->local);
    return no <= DP_PORT_MAX ? dp_load(&br->ports[no]) : NULL;
}

/* -------------------------------------------------------------- datapath */

/* A commit that not every worker has seen yet. */
struct dp_pending_sync {
    uint64_t seq, token;
};
#define DP_MAX_SYNCS 64

/* A sleep of a worker whose ports can only be polled: by default, and what is
 * too short to be one. */
#define WAIT_DEFAULT_NS UINT64_C(1000000)
#define WAIT_LEAST_NS UINT64_C(10000)

struct dp {
    struct dp_events ev;
    struct worker *workers[DP_MAX_WORKERS];
    unsigned n_workers;
    struct rcu *rcu;
    struct tally tally;
    struct port_env env;
    struct tunnels *tunnels;
    struct dp_port *uplinks[DP_MAX_UPLINKS + 1]; /* By id, from 1. */
    bool poll, manual;
    uint64_t wait_max_ns;       /* Of a worker, with ports only polled. */
    bool no_chlog;
    uint32_t cache_max;
    uint32_t max_waiting;       /* Frames in queues, per worker. */
    uint64_t seed;
    uint64_t tsc_start, tsc_hz;
    uint64_t start_ns;          /* base_clock_ns of tick 0. */
    int event_fd;
    struct link_watch links;
    uint32_t event_pending;     /* Set by workers, cleared by dp_run. */
    uint32_t notify_seq;        /* Commits that want a report. */
    /* Control only. */
    struct base_list bridges, ports;
    uint64_t seq, next_uid;
    struct dp_pending_sync syncs[DP_MAX_SYNCS];
    unsigned n_syncs;
    unsigned next_worker;
    bool peer_wants;            /* A peer's next hop was not asked for. */
    uint64_t house_ns, balance_ns;
    uint64_t n_moves;           /* Of receive queues. */
    uint8_t *punt_buf;
};

#define DP_PUNT_BUF 65600

/* dp.c */
WEFT_MUST_CHECK int dp_create_manual(const struct dp_config *, struct dp **,
                                     struct weft_err *e);
void dp_event_signal(struct dp *); /* Thread: any. */

/* dp_bridge.c.  Thread: control. */
void dp_bridge_commit(struct dp_bridge *);
void dp_bridge_house(struct dp_bridge *);
/* A rule of the table with this match is changed, or is about to be. */
void dp_bridge_log(struct dp_bridge *, uint8_t table,
                   const struct tbl_rule *);
/* Is what worker 'w' cached for 'key' (that much of it as the cache has) with
 * this stamp right now?  Only then may its program be looked at. */
bool dp_cache_holds(const struct dp_bridge *, unsigned w,
                    const struct flow_key *key, uint32_t stamp);
/* The bits that the rules of 'a' may write, into *m. */
void act_rewrites(const struct rule_act *, struct flow_key *m);

static inline bool
dp_bridge_is_dirty(const struct dp_bridge *br)
{
    return br->dirty || br->dirty_rules;
}

void dp_bridge_update_flood(struct dp_bridge *);
/* Called before a rule with 'mask' is inserted. */
void dp_bridge_need_mask(struct dp_bridge *, const struct flow_key *mask);

/* dp_act.c: instructions, shared.  Thread: control. */
/* A reference to the act of the rules of 'table' and this kind that do 'in'.
 * 0, -EINVAL, -EOPNOTSUPP, -ENOMEM. */
WEFT_MUST_CHECK int act_get(struct dp_bridge *, uint8_t table,
                            const struct act_kind *,
                            const struct dp_instr *, struct rule_act **);
/* As act_get, to take the place of 'old': where only that one has a flat
 * program, the new one keeps it for packets that are on their way to it. */
WEFT_MUST_CHECK int act_get_after(struct dp_bridge *, uint8_t table,
                                  const struct act_kind *,
                                  const struct rule_act *old,
                                  const struct dp_instr *,
                                  struct rule_act **);
/* Frees it with the last reference, when no worker can see it. */
void act_put(struct dp_bridge *, struct rule_act *);
void act_view(const struct rule_act *, struct dp_instr *);
/* Frees all at once; no worker looks any more. */
void acts_destroy(struct dp_bridge *);

/* dp_rule.c.  Thread: control. */
void dp_bridge_each_rule(const struct dp_bridge *, tbl_rule_cb *, void *arg);

/* dp_port.c.  Thread: control. */
void dp_port_destroy(struct dp_port *);
void dp_port_house(struct dp_port *);
void dp_port_fill_info(const struct dp_port *, struct dp_port_info *);
struct dp_port *dp_port_by_uid(struct dp *, uint64_t uid);
/* Adds a port of a type that is in no list: tests bring their own. */
WEFT_MUST_CHECK int dp_port_add_ops(struct dp_bridge *,
                                    const struct dp_port_config *,
                                    const struct port_ops *, uint32_t *no,
                                    struct weft_err *e);
WEFT_MUST_CHECK int dp_uplink_add_ops(struct dp *,
                                      const struct dp_port_config *,
                                      const struct port_ops *, uint32_t *id,
                                      struct weft_err *e);

/* Shared by dp_port.c and dp_uplink.c.  'br' NULL: an uplink. */
struct dp_port *dp_port_new(struct dp *, struct dp_bridge *br,
                            const char *name, uint32_t no);
struct dp_port *dp_port_by_name(struct dp *, const char *name);
WEFT_MUST_CHECK int dp_port_open_device(struct dp_port *,
                                        const struct port_ops *,
                                        const struct dp_port_config *,
                                        struct weft_err *e);
void dp_port_set_options(struct dp_port *, const struct dp_option *,
                         size_t n);
/* Takes it from all workers and closes it; returns when none uses it. */
void dp_port_remove(struct dp_port *);
/* -EINVAL with the list of types. */
int dp_port_unknown_type(const struct dp_port_config *, bool uplink,
                         struct weft_err *e);
/* Tells all uplinks which end points and UDP ports to take. */
void dp_uplinks_refilter(struct dp *);

static inline unsigned
dp_port_n_rxq(const struct dp_port *p)
{
    return WEFT_MAX(p->port.n_rxq, 1u);
}

/* balance.c.  Thread: control. */
/* Gives each receive queue of a device port to the worker with fewest.  0 or
 * -errno. */
WEFT_MUST_CHECK int dp_rxqs_assign(struct dp_port *);
void dp_rxqs_remove(struct dp_port *);
/* Every 100 ms. */
void dp_balance_house(struct dp *, uint64_t now);
/* Moves a receive queue to another worker without changing the order of its
 * packets; false: it stays, they would not get through in time. */
bool dp_rxq_move(struct rxq *, struct worker *to);

/* dp_packet.c.  Thread: control. */
unsigned dp_punts_deliver(struct dp *, unsigned budget);

/* Quarter seconds since dp_create, of control's clock. */
uint32_t dp_tick_now(const struct dp *);

#endif
