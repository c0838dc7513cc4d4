/* SPDX-License-Identifier: Apache-2.0 */
/* Packet builder for tests.
 *
 * What:    headers appended one after the other; pkt_end fills lengths and
 *          checksums.
 *              struct pkt p = PKT_INIT;
 *              pkt_eth(&p, DST, SRC, 0x0800);
 *              pkt_ipv4(&p, 0x0a000001, 0x0a000002, 17);
 *              pkt_udp(&p, 1000, 2000);
 *              pkt_payload(&p, 18);
 *              pkt_end(&p);
 * Model:   written from the RFCs, independently of the code under test; whole
 *          checksums, never differences.
 * Threads: any.  Owns: its bytes.  Errors: aborts when PKT_MAX is exceeded. */
#ifndef TESTS_SUPPORT_PKTBUILD_H
#define TESTS_SUPPORT_PKTBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKT_MAX 70000

struct pkt {
    size_t len;
    size_t l3, l4;   /* Offsets; 0: not there. */
    uint8_t l3_kind; /* 4, 6 or 0. */
    uint8_t proto;
    uint8_t b[PKT_MAX];
};

/* 00:00:00:00:00:NN */
#define PKT_MAC(n) ((const uint8_t[6]) { 0, 0, 0, 0, 0, (n) })

void pkt_init(struct pkt *);
void pkt_eth(struct pkt *, const uint8_t dst[6], const uint8_t src[6],
             uint16_t type);
/* Tag behind the addresses or tags so far: the type in front of it becomes
 * 'tpid', 'type' follows. */
void pkt_vlan(struct pkt *, uint16_t tpid, uint16_t tci, uint16_t type);
void pkt_mpls(struct pkt *, uint32_t label, unsigned tc, bool bottom,
              uint8_t ttl);
/* Addresses in host order; TTL 64. */
void pkt_ipv4(struct pkt *, uint32_t src, uint32_t dst, uint8_t proto);
/* fd00::src, fd00::dst; hop limit 64. */
void pkt_ipv6(struct pkt *, uint8_t src, uint8_t dst, uint8_t next);
void pkt_udp(struct pkt *, uint16_t src, uint16_t dst);
void pkt_tcp(struct pkt *, uint16_t src, uint16_t dst, uint8_t flags);
void pkt_sctp(struct pkt *, uint16_t src, uint16_t dst);
void pkt_icmp(struct pkt *, uint8_t type, uint8_t code); /* v4 or v6 */
void pkt_arp(struct pkt *, uint16_t op, const uint8_t sha[6], uint32_t spa,
             const uint8_t tha[6], uint32_t tpa);
void pkt_payload(struct pkt *, size_t n); /* 0, 1, 2 ... */
void pkt_end(struct pkt *);

/* Ones' complement sum of a region, folded, from 'start'. */
uint16_t pkt_sum(const uint8_t *p, size_t n, uint32_t start);
/* Sum of a packet's pseudo header; 'l3' is the IP header. */
uint32_t pkt_pseudo(const uint8_t *l3, uint8_t proto, size_t l4_len);
uint32_t pkt_crc32c(const uint8_t *p, size_t n);
/* Do IP header, transport and (UDP 0 is right) all checksums hold?  Parses
 * tags and labels itself. */
bool pkt_checksums_hold(const uint8_t *p, size_t len);

#endif
