/* SPDX-License-Identifier: Apache-2.0 */
/* A datapath without threads for tests: ports are queues in memory, the test
 * turns the worker's crank.
 *
 * Threads: main.  Owns: datapath, bridges, ports.  Errors: fail the test. */
#ifndef TESTS_DATAPATH_BED_H
#define TESTS_DATAPATH_BED_H

#include <check.h>
#include <rte_mbuf.h>

#include "datapath/worker.h"
#include "tests/support/pktbuild.h"
#include "weft/dp.h"

#define BED_PORTS 8
/* Of a port that can do everything. */
#define BED_CAPS (PORT_CAP_CSUM | PORT_CAP_TSO | PORT_CAP_MULTI_SEG)
#define BED_QUEUE 4096

struct bed_port {
    struct port *port;
    struct rte_mbuf *rx[BED_QUEUE], *tx[BED_QUEUE];
    unsigned rx_head, rx_n, tx_n;
    unsigned tx_room; /* Frames that it still takes. */
    bool refuse;      /* tx_error. */
};

struct bed {
    struct dp *dp;
    struct dp_bridge *br;
    struct bed_port ports[BED_PORTS + 1]; /* By number. */
    struct dp_events ev;
    /* What was delivered. */
    unsigned n_punts;
    struct dp_punt punt; /* The last one; data in punt_data. */
    uint8_t punt_data[65536];
    uint64_t synced;
    unsigned n_port_events;
};

/* EAL without huge pages, once per program: an unchecked fixture. */
void bed_eal_up(void);
/* Runs the suite; what main returns. */
int bed_main(const char *suite, TCase *);

/* A bridge br0 with ports 1..n of queues; caps for all of them. */
void bed_open(struct bed *, unsigned n_ports, uint32_t caps);
/* The same with dp_config.cache_entries. */
void bed_open_cache(struct bed *, unsigned n_ports, uint32_t caps,
                    uint32_t cache_entries);
/* The same with two workers; bed_run turns the first one's crank only.  Odd
 * ports are the first worker's, even ones the second's. */
void bed_open_two(struct bed *, unsigned n_ports, uint32_t caps);
/* Checks the balance of br0, closes. */
void bed_close(struct bed *);
void bed_add_port(struct bed *, struct dp_bridge *, unsigned no,
                  uint32_t caps);
/* An uplink whose queues are those of port 'no'. */
void bed_add_uplink(struct bed *, unsigned no, uint32_t caps, uint32_t *id);
/* The way from 'local' to 'remote' (host order) by that uplink is known. */
void bed_nexthop(struct bed *, uint32_t uplink, uint32_t local,
                 uint32_t remote);
/* Ports opened from now on take their queues from this bed. */
void bed_use(struct bed *);
void bed_check_balance(struct dp_bridge *);

/* Puts a frame into the port's receive queue. */
void bed_feed(struct bed *, unsigned port, const struct pkt *);
void bed_feed_mbuf(struct bed *, unsigned port, struct rte_mbuf *);
/* Runs the worker until nothing comes, then delivers events. */
void bed_run(struct bed *);
/* Next frame that left by the port, NULL: none.  The caller frees it. */
struct rte_mbuf *bed_take(struct bed *, unsigned port);
/* Takes, compares and frees. */
void bed_expect(struct bed *, unsigned port, const struct pkt *);
void bed_expect_none(struct bed *, unsigned port);
unsigned bed_count(struct bed *, unsigned port); /* Takes and frees all. */
/* The same; n[v] counts the frames whose byte at 'offset' is v, of v below
 * 'size'. */
void bed_count_by(struct bed *, unsigned port, unsigned offset, unsigned n[],
                  unsigned size);
/* 10.0.0.1 to 10.0.0.2, say: UDP with 'payload' bytes, 00:..:01 to 00:..:02. */
void bed_udp(struct pkt *, uint32_t src, uint16_t sport, uint16_t dport,
             size_t payload);
uint64_t bed_drops(struct bed *, enum drop_reason);

/* Rules.  Ops are built in a small buffer. */
struct ops {
    uint64_t w[256];
    unsigned n;
};
void ops_add(struct ops *, unsigned code, unsigned aux, uint32_t arg);
/* Value right-aligned in 16 bytes; full mask. */
void ops_set(struct ops *, unsigned field, const uint8_t v[16]);
void ops_set_u64(struct ops *, unsigned field, uint64_t v);
/* 'n' bits from bit 'so' of field 'src' to bit 'd' of field 'dst'. */
void ops_copy(struct ops *, unsigned src, unsigned so, unsigned dst,
              unsigned d, unsigned n);
struct dp_op_list ops_list(const struct ops *);

/* match all */
extern const struct flow_match BED_ANY;
void match_u64(struct flow_match *, unsigned field, uint64_t v);

/* Adds and commits; apply only, no goto. */
struct dp_rule *bed_rule(struct bed *, uint16_t priority,
                         const struct flow_match *, const struct ops *apply);
struct dp_rule *bed_rule_in(struct bed *, uint8_t table, uint16_t priority,
                            const struct flow_match *,
                            const struct dp_instr *);
struct dp_instr bed_apply(const struct ops *apply);
uint64_t bed_packets(struct dp_rule *);

#endif
