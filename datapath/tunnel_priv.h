/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of tunnel ports, next hops and the receive table.
 *
 * What:    shared by tunnel.c (control) and tunnel_*_fast.c (worker).
 * Model:   a receive table is immutable; next hops are replaced one by one.
 *
 *          struct tunnel_port, lines: 0 prebuilt outer header, right-aligned
 *                                     1 what packets need  2.. control
 *          struct tunnel_slot: 32 bytes, two in a line, linear probing of at
 *          most max_probe slots; a NULL port ends the search.
 * Threads: control writes, workers read; pointers marked "published" are
 *          stored with release and loaded with acquire.
 * Owns:    see datapath/tunnel.h. */
#ifndef DP_TUNNEL_PRIV_H
#define DP_TUNNEL_PRIV_H

#include "datapath/tunnel.h"
#include "utils/base/hmap.h"
#include "utils/base/list.h"

enum {
    TUNNEL_MIN_SLOTS = 16,
    TUNNEL_STORE = 64, /* Bytes stored in front of a frame. */
    TUNNEL_ETH_HLEN = 14,
    TUNNEL_MAX_KINDS = 32,
    TUNNEL_ICMP_BURST = 32, /* "Too big" messages at once. */

    /* Which parts of an identity are fixed; higher is more specific. */
    TUNNEL_BY_LOCAL = 1,
    TUNNEL_BY_REMOTE = 2,
    TUNNEL_BY_KEY = 4,
    TUNNEL_MODES = 8,

    /* Offsets in an outer IPv4 frame without options. */
    TUNNEL_IP_TOS = 15,
    TUNNEL_IP_LEN = 16,
    TUNNEL_IP_ID = 18,
    TUNNEL_IP_FRAG = 20,
    TUNNEL_IP_TTL = 22,
    TUNNEL_IP_CSUM = 24,
    TUNNEL_IP_SRC = 26,
    TUNNEL_IP_DST = 30,
};

#define TUNNEL_REFRESH_NS UINT64_C(10000000000) /* Next hops in use. */
#define TUNNEL_RETRY_NS UINT64_C(100000000)     /* Unresolved ones. */

/* One line. */
struct tunnel_nh {
    uint8_t macs[12]; /* Destination, source. */
    be32 dst;         /* The remote. */
    be32 src;
    uint32_t dst_csum; /* Sum of the words of 'dst', host integers. */
    uint32_t uplink;
    uint16_t mtu;
    bool gone;     /* No route: only a memory that there was none. */
    bool unusable; /* Gone, or its MAC is not known. */
    uint64_t refresh_ns; /* Written by workers, relaxed. */
} WEFT_ALIGNED(64);

struct tunnel_port {
    uint8_t store[TUNNEL_STORE];

    struct tunnel_nh *nh; /* Published; NULL: unknown or remote=flow. */
    be32 local;           /* 0: the next hop's. */
    be32 remote;
    uint32_t key;              /* When not key=flow. */
    uint32_t key_min, key_max; /* For key=flow. */
    uint32_t ip_csum;          /* Without TOS and addresses. */
    uint16_t entropy_min, entropy_span;
    uint8_t len;               /* Outer Ethernet to tunnel header. */
    uint8_t udp_off;           /* 0: none. */
    uint8_t key_off;
    uint8_t entropy_off;
    uint8_t entropy;           /* enum tnl_entropy */
    uint8_t tos, tos_mask;     /* Outer TOS: tos | (inner & tos_mask). */
    bool key_flow, remote_flow, keep_vlan, df;

    /* Control, and what workers hand on without looking. */
    uint32_t port_no WEFT_ALIGNED(64);
    void *owner;
    const struct tnl_ops *ops;
    struct tnl_config config;
    struct base_hnode by_identity;
    struct base_hnode by_remote;
    struct base_list all;
    be32 *sources;      /* remote=peers: whose packets are taken. */
    uint32_t n_sources;
    bool wanting; /* Next hop not asked for yet. */
    char name[64];
} WEFT_ALIGNED(64);

struct tunnel_slot {
    be32 remote, local;   /* 0 when not in the mode. */
    uint32_t kind_key;    /* Kind(5) mode(3) key(24, 0 when not in mode). */
    const struct tunnel_port *port;
} WEFT_ALIGNED(32);

struct tunnel_kind {
    const struct tnl_ops *ops;
    uint16_t selector; /* UDP port or GRE protocol: both at offset 2. */
    uint8_t ip_proto;
    uint8_t n_modes;
    uint8_t modes[TUNNEL_MODES]; /* Most specific first. */
};

struct tunnel_table {
    uint64_t seq; /* Never repeats. */
    uint32_t mask, max_probe;
    unsigned n_kinds;
    struct tunnel_kind kinds[TUNNEL_MAX_KINDS];
    uint32_t addr_mask;
    be32 *addrs; /* Hash set of local end points; 0: free. */
    struct tunnel_slot *slots;
};

struct tunnel_nh_slot {
    be32 remote; /* Published: set once. */
    struct tunnel_nh *nh; /* Published; stored before 'remote'. */
};

struct tunnel_nh_table {
    uint32_t mask, n;
    struct tunnel_nh_slot slots[];
};

struct tunnel_uplink {
    struct base_list all;
    uint32_t id;
    size_t n;
    be32 addrs[];
};

struct tunnels {
    struct tunnel_table *table;    /* Published. */
    struct tunnel_nh_table *nhs;   /* Published. */

    /* Control only. */
    tunnel_retire_fn *retire;
    void *retire_arg;
    uint64_t seq;
    unsigned hold;
    bool dirty;
    unsigned n_wanting;            /* Ports with 'wanting'. */
    struct base_hmap by_identity;  /* struct tunnel_port */
    struct base_hmap by_remote;    /* Those with a fixed remote. */
    struct base_list ports;
    struct base_list uplinks;      /* struct tunnel_uplink */
};

/* tunnel.c: cache-line aligned and zeroed. */
void *tunnel_alloc_lines(size_t size);
/* Frees 'obj' (NULL: nothing) when no worker can hold it any more. */
void tunnel_retire(struct tunnels *, void *obj, void (*free_fn)(void *));
/* The smallest that is not less, TUNNEL_MIN_SLOTS at least. */
uint32_t tunnel_power_of_two(uint32_t at_least);
/* tunnel_nh.c */
struct tunnel_nh_table *tunnel_nh_table_create(uint32_t n_slots);

static inline uint32_t
tunnel_hash_addr(be32 addr)
{
    uint64_t h = addr * UINT64_C(0x9e3779b97f4a7c15);

    return (uint32_t) (h >> 32);
}

static inline uint32_t
tunnel_hash_slot(be32 remote, be32 local, uint32_t kind_key)
{
    uint64_t h = ((uint64_t) remote << 32 | local)
                 * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 32 ^ kind_key) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t) (h >> 32);
}

static inline uint32_t
tunnel_kind_key(unsigned kind, unsigned mode, uint32_t key)
{
    return (uint32_t) kind << 27 | (uint32_t) mode << 24 | key;
}

/* Next hop of 'remote', or NULL.  Thread: worker or control. */
static inline struct tunnel_nh *
tunnel_nh_find(const struct tunnel_nh_table *t, be32 remote)
{
    uint32_t i = tunnel_hash_addr(remote);

    for (uint32_t n = 0; n <= t->mask; n++, i++) {
        const struct tunnel_nh_slot *s = &t->slots[i & t->mask];
        be32 r = __atomic_load_n(&s->remote, __ATOMIC_ACQUIRE);

        if (r == remote)
            return __atomic_load_n(&s->nh, __ATOMIC_ACQUIRE);
        if (!r)
            break;
    }
    return NULL;
}

static inline bool
tunnel_addr_is_local(const struct tunnel_table *t, be32 addr)
{
    uint32_t i = tunnel_hash_addr(addr);

    for (uint32_t n = 0; n <= t->addr_mask; n++, i++) {
        be32 a = t->addrs[i & t->addr_mask];

        if (a == addr)
            return addr != 0;
        if (!a)
            break;
    }
    return false;
}

static inline bool
tunnel_type_is_vlan(uint16_t eth_type)
{
    /* IEEE 802.1Q C-tag and S-tag, and the S-tag's old 0x9100. */
    return eth_type == 0x8100 || eth_type == 0x88a8 || eth_type == 0x9100;
}

#endif
