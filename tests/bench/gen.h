/* SPDX-License-Identifier: Apache-2.0 */
/* Packet generator and checking sink for any DPDK program, loaded by EAL -d.
 *
 * What:    turns net_null ports into generators (receive callback) and sinks
 *          that verify what is delivered (transmit callback), the same way in
 *          testpmd, Open vSwitch and Weft.
 * Model:   a constructor reads the file named by WEFT_BENCH_CONF and starts a
 *          thread that waits for the ports and installs the callbacks.
 *          Frames come from a contiguous array of templates walked in order
 *          (the flows are shuffled when it is filled), so that the generator
 *          costs the same from one flow to a million.  Each inner frame
 *          carries its template's number; the sink compares every 32nd frame
 *          with its template, and outer headers with what the row expects.
 * Threads: callbacks run on the forwarding thread; counters are written there
 *          and read by the harness through a shared file.  The control words
 *          are written by the harness.
 * Owns:    the templates, until the program ends.
 * Errors:  a bad configuration ends the program with a line on stderr.
 * Cost:    about 40 cycles a packet, generator and sink.
 * Source:  configuration lines, one port each, see bench_peers.py:
 *            stats FILE
 *            rx PORT kind=udp|tse|random|bad|file flows=N pairs=N rss=0|1
 *               v6=0|1|2 size=N|imix cold=0|1 file=PATH attack_every=N
 *               outer=vxlan:KEY|nvgre:KEY keys=N dst_mac=MAC|port
 *               pps=N burst=N stamp=0|1
 *            rx PORT arp=IP arp_target=IP dst_mac=MAC|port
 *               (with kind=...: between its frames)
 *            tx PORT outer=none|vxlan:KEY|nvgre:KEY keys=N victim=0|1
 *               edit=none|l3hop|vlan|mac stamp=0|1 side=N
 *          kind=file: 16 bytes per template, in sending order: source,
 *          destination, ports (network order), protocol, zero, and the bits
 *          of the source port that change with every pass, so that a trace
 *          of new flows never repeats.
 *          v6=1: all frames are IPv6, 2: every second one.
 *          keys: the tunnel's key is KEY + (address pair mod N), N a power
 *          of 2.
 *          pps: packets per second; 0: as many as are taken; the control word
 *          of the same name overrides it.  burst: at most so many at once.
 *          stamp: frames carry the time at which they were due, a sequence
 *          number per flow and the epoch; the sink makes a histogram of what
 *          they waited and counts those out of order.
 *          victim: frame 0 (attack rows) or what the first generator sends
 *          is counted apart.  edit: what the rules change in each frame.
 *          side: 0 or 1: frames stamped with an epoch of the other parity are
 *          wrong here (row G10). */
#ifndef WEFT_BENCH_GEN_H
#define WEFT_BENCH_GEN_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FRAME 64        /* Inner frame, without FCS. */
#define FRAME6 82       /* The same over IPv6. */
#define STRIDE 128      /* Bytes per template: frame, then what it is. */
#define MAGIC 0x77656674u
#define MAX_SIDES 64
#define CHECK_EVERY 32
#define ARP_EVERY 4096  /* Polls between two ARP replies. */

/* Offsets in a stamped IPv4 frame: after the UDP header. */
#define AT_DUE 42
#define AT_EPOCH 50
#define AT_SEQ 52
#define AT_MAGIC 56

enum outer { OUTER_NONE, OUTER_VXLAN, OUTER_NVGRE };
enum edit { EDIT_NONE, EDIT_L3HOP, EDIT_VLAN, EDIT_MAC };
enum kind { KIND_UDP, KIND_TSE, KIND_RANDOM, KIND_BAD, KIND_FILE };

/* Latencies: 16 steps for each power of two of cycles. */
#define LAT_STEPS 16
#define LAT_BUCKETS (48 * LAT_STEPS)

/* The file that the harness maps; keep in step with bench_run.py. */
struct stats {
    uint64_t offered, delivered, checked, wrong, victim_offered,
        victim_delivered, other, reordered;
    /* Between two polls of the first generator, in TSC cycles. */
    uint64_t gap_max, gaps_50us, gaps_200us;
    uint64_t hz;
    /* Control words. */
    uint64_t pps;    /* 0: as configured. */
    uint64_t active; /* Templates in use; 0: all. */
    uint64_t epoch;  /* Row G10; 0: none. */
    uint64_t reserved;
    uint64_t latency[LAT_BUCKETS];
};

struct side {
    char name[64];
    char file[192];
    bool is_rx, rss, cold, arp, victim, tse, port_mac, stamp, imix;
    enum kind kind;
    enum outer outer;
    enum edit edit;
    uint32_t key, keys, flows, pairs, size, v6, attack_every, burst, parity;
    bool has_parity;
    uint64_t pps;
    uint16_t queues; /* That have the callback. */
    uint8_t dst_mac[6];
    uint32_t arp_ip, arp_target;
    /* Running. */
    uint32_t first, next, polls, since_check, since_attack;
    uint64_t due, step, step_of_pps; /* In cycles << 16. */
    struct rte_mempool *pool;
};

/* Behind each frame in the templates. */
struct template_end {
    uint16_t len;      /* Bytes to copy. */
    uint16_t wire_len; /* Of the frame sent. */
    uint16_t magic_at; /* 0: too short for one. */
    uint16_t reserved;
};

extern struct stats *stats;
extern uint8_t *templates;   /* Inner frames; STRIDE apart. */
extern uint16_t *free_bits;  /* Of kind "file"; NULL: nothing changes. */
extern uint32_t n_templates;
extern bool plain;           /* Every frame has FRAME bytes. */
extern uint64_t tsc_hz;

static inline void
put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t) (v >> 8);
    p[1] = (uint8_t) v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static inline uint32_t
get32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline uint8_t *
template_at(uint32_t i)
{
    return templates + (size_t) i * STRIDE;
}

static inline struct template_end
template_end(const uint8_t *t)
{
    struct template_end e;

    memcpy(&e, t + STRIDE - sizeof e, sizeof e);
    return e;
}

/* Key of the frame's tunnel: the low bits of the destination address. */
static inline uint32_t
tunnel_key(const struct side *s, const uint8_t *inner)
{
    unsigned at = inner[12] == 0x86 ? 52 : 32;

    return s->keys ? s->key + (((uint32_t) inner[at] << 8 | inner[at + 1])
                               & (s->keys - 1))
                   : s->key;
}

/* gen_frames.c: makes room for the templates of all generators (their 'flows')
 * and fills them; ends the program when it cannot. */
void gen_fill(struct side *sides, unsigned n);
void ip_header(uint8_t *ip, unsigned len, unsigned proto, uint32_t src,
               uint32_t dst);

/* gen_rx.c, gen_tx.c: the callbacks. */
uint16_t gen_rx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[],
                uint16_t n, uint16_t max, void *side);
/* A port that only receives ARP replies for the tunnel's far end. */
uint16_t gen_rx_arp(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[],
                    uint16_t n, uint16_t max, void *side);
uint16_t gen_tx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[],
                uint16_t n, void *side);
/* Makes room for sequence numbers; before the first packet. */
void gen_rx_init(const struct side *sides, unsigned n);
void gen_tx_init(const struct side *sides, unsigned n);

#endif
