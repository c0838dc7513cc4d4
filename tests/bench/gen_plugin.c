/* SPDX-License-Identifier: Apache-2.0 */
/* Packet generator and checking sink for any DPDK program, loaded by EAL -d.
 *
 * What:    turns net_null ports into a generator (receive callback) and a
 *          sink that verifies what is delivered (transmit callback), the same
 *          way in testpmd, Open vSwitch and Weft.
 * Model:   a constructor reads the file named by WEFT_BENCH_CONF and starts a
 *          thread that waits for the ports and installs the callbacks.
 *          Frames come from a contiguous array of templates walked in order
 *          (the flows are shuffled when it is filled), so that the generator
 *          costs the same from one flow to a million.  Each inner frame
 *          carries its template's number; the sink compares every 32nd frame
 *          with its template, and outer headers with what the row expects.
 * Threads: callbacks run on the forwarding thread; counters are written there
 *          and read by the harness through a shared file.
 * Source:  configuration lines, see bench_conf in bench.py:
 *            stats FILE
 *            rx PORT kind=udp|tse|random|file flows=N pairs=N size=N rss=0|1
 *               file=PATH cold=0|1 outer=vxlan:VNI|nvgre:VSID
 *               dst_mac=MAC|port
 *            rx PORT arp=IP arp_target=IP dst_mac=MAC|port
 *            tx PORT outer=none|vxlan:VNI|nvgre:VSID victim=0|1
 *               edit=none|l3hop|vlan
 *          kind=file: 16 bytes per template, in sending order: source,
 *          destination, ports (network order), protocol, zero, and the bits
 *          of the source port that change with every pass, so that a trace
 *          of new flows never repeats.
 *          edit: what the rules change in each frame, for the check. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME 64        /* Inner frame, without FCS. */
#define STRIDE 128      /* Bytes per template. */
#define MAGIC 0x77656674u
#define MAX_PORTS 4
#define CHECK_EVERY 32
#define ARP_EVERY 4096  /* Polls between two ARP replies. */

enum outer { OUTER_NONE, OUTER_VXLAN, OUTER_NVGRE };
enum edit { EDIT_NONE, EDIT_L3HOP, EDIT_VLAN };

/* What the rules of rows A4 and A5 write; see bench_rows.py. */
static const uint8_t hop_macs[12] = { 2, 0, 0, 0, 0, 0xaa,
                                      2, 0, 0, 0, 0, 0xbb };
static const uint8_t vlan_tag[4] = { 0x81, 0, 0, 100 };

/* The file that the harness maps; keep in step with bench.py. */
struct stats {
    uint64_t offered, delivered, checked, wrong, victim_offered,
        victim_delivered, other;
};

struct side {
    char name[64];
    char file[192];
    bool is_rx, rss, cold, arp, tse, port_mac;
    enum outer outer;
    enum edit edit;
    uint32_t key, flows, pairs, size;
    uint16_t queues; /* That have the callback. */
    uint8_t dst_mac[6];
    uint32_t arp_ip, arp_target;
    uint32_t next, polls, since_check, since_attack;
};

static struct side sides[MAX_PORTS];
static unsigned n_sides;
static struct stats *stats;
static uint8_t *templates; /* Inner frames; STRIDE apart. */
static uint16_t *free_bits; /* Of kind "file"; NULL: nothing changes. */
static uint32_t n_templates;

static uint64_t
mix(uint64_t *s)
{
    uint64_t z = (*s += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void
put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t) (v >> 8);
    p[1] = (uint8_t) v;
}

static void
put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static void
ip_header(uint8_t *ip, unsigned len, unsigned proto, uint32_t src,
          uint32_t dst)
{
    uint32_t sum = 0;

    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, len);
    put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = (uint8_t) proto;
    put32(ip + 12, src);
    put32(ip + 16, dst);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t) ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

struct tuple {
    uint32_t src, dst;
    uint16_t sport, dport;
    uint8_t proto;
};

/* One inner frame: Ethernet, IPv4, UDP (or TCP), number and magic. */
static void
inner_frame(uint8_t *f, uint32_t index, const struct tuple *t)
{
    memset(f, 0, STRIDE);
    memcpy(f, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00", 14);
    ip_header(f + 14, FRAME - 14, t->proto, t->src, t->dst);
    put16(f + 34, t->sport);
    put16(f + 36, t->dport);
    if (t->proto == 17) {
        put16(f + 38, FRAME - 34);
    } else {
        f[46] = 0x50; /* Data offset: 5 words. */
        f[47] = 0x10; /* ACK */
    }
    put32(f + 56, MAGIC);
    put32(f + 60, index);
}

/* Flow i of a set of pairs x ports: see bench_rows.py for the rules. */
static struct tuple
udp_tuple(const struct side *s, uint32_t flow)
{
    uint32_t pair = flow % s->pairs, port = flow / s->pairs;

    return (struct tuple){ .src = 0x0a010000 + pair,
                           .dst = 0x0a020000 + pair,
                           .sport = (uint16_t) (10000 + port % 1024),
                           .dport = (uint16_t) (20000 + port / 1024),
                           .proto = 17 };
}

/* Random 5-tuples for the three-rule list. */
static struct tuple
random_tuple(uint64_t *seed)
{
    uint64_t a = mix(seed), b = mix(seed);

    return (struct tuple){ .src = (uint32_t) a, .dst = (uint32_t) (a >> 32),
                           .sport = (uint16_t) b, .dport = (uint16_t) (b >> 16),
                           .proto = 6 };
}

/* Tuple-space explosion (Csikor et al., CoNEXT 2019): attack packets differ
 * from the rules' values first in bit i of the source address, bit j of the
 * source port, bit k of the destination port.  Template 0 is the victim. */
static struct tuple
tse_tuple(uint32_t n, uint64_t *seed)
{
    struct tuple t = { .src = 0x0a000001, .dst = 0x0a0000fe, .sport = 12345,
                       .dport = 80, .proto = 6 };

    if (!n) {
        t.src = 0xc0a80001;
        t.sport = 40000;
        return t;
    }
    uint32_t i = (n - 1) % 32, j = (n - 1) / 32 % 16, k = (n - 1) / 512 % 16;
    uint64_t r = mix(seed);
    t.src ^= 0x80000000u >> i;
    t.src ^= (uint32_t) r & (0x7fffffffu >> i);
    t.sport ^= (uint16_t) (0x8000u >> j);
    t.sport ^= (uint16_t) (r >> 32) & (uint16_t) (0x7fffu >> j);
    t.dport ^= (uint16_t) (0x8000u >> k);
    t.dport ^= (uint16_t) (r >> 48) & (uint16_t) (0x7fffu >> k);
    return t;
}

/* The templates of kind "file"; 0 or -1. */
static int
fill_from_file(const struct side *s)
{
    FILE *f = fopen(s->file, "rb");
    uint8_t r[16];
    uint32_t i = 0;
    uint16_t any = 0;

    free_bits = calloc(n_templates, sizeof *free_bits);
    if (!free_bits)
        return -1;
    for (; f && i < n_templates && fread(r, sizeof r, 1, f) == 1; i++) {
        struct tuple t = { .src = (uint32_t) r[0] << 24 | r[1] << 16
                                  | r[2] << 8 | r[3],
                           .dst = (uint32_t) r[4] << 24 | r[5] << 16
                                  | r[6] << 8 | r[7],
                           .sport = (uint16_t) (r[8] << 8 | r[9]),
                           .dport = (uint16_t) (r[10] << 8 | r[11]),
                           .proto = r[12] };

        inner_frame(templates + (size_t) i * STRIDE, i, &t);
        free_bits[i] = (uint16_t) (r[14] << 8 | r[15]);
        any |= free_bits[i];
    }
    if (f)
        fclose(f);
    if (!any) {
        free(free_bits);
        free_bits = NULL;
    }
    return i == n_templates ? 0 : -1;
}

static int
fill_templates(const struct side *s, const char *kind)
{
    uint64_t seed = 0x5eed;
    uint32_t *order;

    n_templates = s->flows;
    templates = mmap(NULL, (size_t) n_templates * STRIDE,
                     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                     0);
    order = malloc(n_templates * sizeof *order);
    if (templates == MAP_FAILED || !order)
        return -1;
    madvise(templates, (size_t) n_templates * STRIDE, MADV_HUGEPAGE);
    if (!strcmp(kind, "file")) {
        free(order);
        return fill_from_file(s);
    }
    for (uint32_t i = 0; i < n_templates; i++)
        order[i] = i;
    for (uint32_t i = n_templates; i > 1 && strcmp(kind, "tse"); i--) {
        uint32_t j = (uint32_t) (mix(&seed) % i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
    for (uint32_t i = 0; i < n_templates; i++) {
        struct tuple t = !strcmp(kind, "tse")      ? tse_tuple(i, &seed)
                         : !strcmp(kind, "random") ? random_tuple(&seed)
                                                   : udp_tuple(s, order[i]);
        inner_frame(templates + (size_t) i * STRIDE, i, &t);
    }
    free(order);
    return 0;
}

/* Writes the outer headers in front of an inner frame: 192.0.2.2 sends to
 * 192.0.2.1, Weft's or Open vSwitch's address. */
static unsigned
outer_headers(const struct side *s, uint8_t *p, uint32_t flow)
{
    unsigned hlen = s->outer == OUTER_VXLAN ? 50 : 42;
    uint8_t *l4 = p + 34;

    memcpy(p, s->dst_mac, 6);
    memcpy(p + 6, "\x02\x00\x00\x00\x0f\x02\x08\x00", 8);
    ip_header(p + 14, hlen - 14 + FRAME, s->outer == OUTER_VXLAN ? 17 : 47,
              0xc0000202, 0xc0000201);
    if (s->outer == OUTER_VXLAN) {
        put16(l4, 49152 + (flow & 0x3fff));
        put16(l4 + 2, 4789);
        put16(l4 + 4, 16 + FRAME);
        put16(l4 + 6, 0);
        put32(l4 + 8, 0x08000000);
        put32(l4 + 12, s->key << 8);
    } else {
        put32(l4, 0x20006558);
        put32(l4 + 4, s->key << 8 | (flow & 0xff));
    }
    return hlen;
}

static void
arp_reply(const struct side *s, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

    memset(p, 0, 60);
    memset(p, 0xff, 6);
    memcpy(p + 6, "\x02\x00\x00\x00\x0f\x02\x08\x06\x00\x01\x08\x00\x06\x04"
                  "\x00\x02\x02\x00\x00\x00\x0f\x02", 22);
    put32(p + 28, s->arp_ip);
    memcpy(p + 32, s->dst_mac, 6);
    put32(p + 38, s->arp_target);
    m->data_len = 60;
    m->pkt_len = 60;
}

/* Moves the line towards L3, as a NIC's DMA leaves it: CLDEMOTE, encoded by
 * hand because older targets execute it as a no-op. */
static inline void
demote(const void *p)
{
    __asm__ volatile(".byte 0x0f, 0x1c, 0x07" : : "D"(p) : "memory");
}

static inline uint32_t
next_template(struct side *s)
{
    if (s->tse) { /* One packet in a hundred attacks. */
        if (++s->since_attack < 100)
            return 0;
        s->since_attack = 0;
        if (++s->next >= n_templates)
            s->next = 1;
        return s->next;
    }
    uint32_t i = s->next;
    s->next = i + 1 == n_templates ? 0 : i + 1;
    if (free_bits) { /* Next time it is another flow. */
        uint8_t *port = templates + (size_t) i * STRIDE + 34;
        uint32_t mask = free_bits[i], v = (uint32_t) port[0] << 8 | port[1];

        put16(port, (v & ~mask) | (((v | ~mask) + 1) & mask));
    }
    return i;
}

static uint16_t
on_rx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
      uint16_t max, void *arg)
{
    struct side *s = arg;
    uint64_t victims = 0;

    (void) port, (void) queue, (void) max;
    for (uint16_t k = 0; k < n; k++) {
        struct rte_mbuf *m = pkts[k];
        uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
        uint32_t i = next_template(s);
        const uint8_t *t = templates + (size_t) i * STRIDE;
        unsigned off = s->outer == OUTER_NONE ? 0 : outer_headers(s, p, i);

        memcpy(p + off, t, FRAME);
        m->data_len = (uint16_t) (off + FRAME);
        m->pkt_len = off + FRAME;
        victims += i == 0;
        if (s->rss) {
            m->hash.rss = i * 0x9e3779b1u;
            m->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
        }
        if (s->cold)
            demote(p);
    }
    stats->offered += n;
    stats->victim_offered += victims;
    return n;
}

/* A port that only receives ARP replies for the tunnel's far end. */
static uint16_t
on_rx_arp(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
          uint16_t max, void *arg)
{
    struct side *s = arg;
    uint16_t keep = 0;

    (void) port, (void) queue, (void) max;
    if (n && s->arp && s->polls++ % ARP_EVERY == 0) {
        arp_reply(s, pkts[0]);
        keep = 1;
    }
    rte_pktmbuf_free_bulk(pkts + keep, n - keep);
    return keep;
}

static bool
ip_sum_right(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t) ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* Is it template 't' after the row's edit? */
static bool
inner_right(const struct side *s, const uint8_t *p, const uint8_t *t)
{
    switch (s->edit) {
    case EDIT_NONE:
        return !memcmp(p, t, FRAME);
    case EDIT_L3HOP: /* Addresses, TTL and checksum differ. */
        return !memcmp(p, hop_macs, 12) && !memcmp(p + 12, t + 12, 10)
               && p[22] == t[22] - 1 && p[23] == t[23]
               && !memcmp(p + 26, t + 26, FRAME - 26) && ip_sum_right(p + 14);
    case EDIT_VLAN:
        return !memcmp(p, t, 12) && !memcmp(p + 12, vlan_tag, 4)
               && !memcmp(p + 16, t + 12, FRAME - 12);
    }
    return false;
}

/* Does the delivered frame carry the right outer headers and inner bytes? */
static bool
frame_right(const struct side *s, const uint8_t *p, unsigned len)
{
    unsigned off = s->outer == OUTER_NONE ? 0 : s->outer == OUTER_VXLAN ? 50
                                                                       : 42;
    unsigned tag = s->edit == EDIT_VLAN ? 4 : 0;
    uint32_t magic, index;

    if (len < off + tag + FRAME)
        return false;
    memcpy(&magic, p + off + tag + 56, 4);
    memcpy(&index, p + off + tag + 60, 4);
    index = ntohl(index);
    if (ntohl(magic) != MAGIC || index >= n_templates
        || !inner_right(s, p + off, templates + (size_t) index * STRIDE))
        return false;
    if (s->outer == OUTER_VXLAN)
        return p[23] == 17 && !memcmp(p + 36, "\x12\xb5", 2)
               && p[42] == 0x08
               && ((uint32_t) p[46] << 16 | p[47] << 8 | p[48]) == s->key;
    if (s->outer == OUTER_NVGRE)
        return p[23] == 47 && !memcmp(p + 34, "\x20\x00\x65\x58", 4)
               && ((uint32_t) p[38] << 16 | p[39] << 8 | p[40]) == s->key;
    return true;
}

static uint16_t
on_tx(uint16_t port, uint16_t queue, struct rte_mbuf *pkts[], uint16_t n,
      void *arg)
{
    struct side *s = arg;
    uint64_t counted = 0, victims = 0;

    (void) port, (void) queue;
    for (uint16_t k = 0; k < n; k++) {
        const uint8_t *p = rte_pktmbuf_mtod(pkts[k], const uint8_t *);
        unsigned len = pkts[k]->pkt_len;

        if (len < FRAME) { /* ARP and the like. */
            stats->other++;
            continue;
        }
        counted++;
        if (s->tse)
            victims += !memcmp(p + 60, "\0\0\0\0", 4);
        if (++s->since_check >= CHECK_EVERY) {
            s->since_check = 0;
            stats->checked++;
            stats->wrong += !frame_right(s, p, len);
        }
    }
    stats->delivered += counted;
    stats->victim_delivered += victims;
    return n;
}

/* A program may configure a port again, with more queues, after it was first
 * seen (Open vSwitch does), so this keeps looking for new ones. */
static void
install_on(struct side *s, uint16_t port)
{
    struct rte_ether_addr mac;

    if (s->is_rx && !s->queues) {
        if (s->port_mac && !rte_eth_macaddr_get(port, &mac))
            memcpy(s->dst_mac, mac.addr_bytes, 6);
        s->queues = rte_eth_add_rx_callback(
                        port, 0, s->flows ? on_rx : on_rx_arp, s)
                    != NULL;
    }
    while (!s->is_rx && rte_eth_add_tx_callback(port, s->queues, on_tx, s))
        s->queues++;
}

static void *
install(void *unused)
{
    (void) unused;
    for (;;) {
        for (unsigned i = 0; i < n_sides; i++) {
            uint16_t port;

            if (!rte_eth_dev_get_port_by_name(sides[i].name, &port))
                install_on(&sides[i], port);
        }
        usleep(20000);
    }
    return NULL;
}

static void
parse_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6] = { 0 };

    sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4],
           &b[5]);
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t) b[i];
}

static void
parse_word(struct side *s, const char *w, char kind[16])
{
    char text[64];
    unsigned v;

    if (sscanf(w, "flows=%u", &v) == 1)
        s->flows = v;
    else if (sscanf(w, "pairs=%u", &v) == 1)
        s->pairs = v;
    else if (sscanf(w, "rss=%u", &v) == 1)
        s->rss = v;
    else if (sscanf(w, "cold=%u", &v) == 1)
        s->cold = v;
    else if (sscanf(w, "victim=%u", &v) == 1)
        s->tse = v;
    else if (sscanf(w, "file=%191s", s->file) == 1)
        ;
    else if (!strcmp(w, "edit=l3hop"))
        s->edit = EDIT_L3HOP;
    else if (!strcmp(w, "edit=vlan"))
        s->edit = EDIT_VLAN;
    else if (sscanf(w, "kind=%15s", kind) == 1)
        s->tse = !strcmp(kind, "tse");
    else if (!strcmp(w, "dst_mac=port"))
        s->port_mac = true;
    else if (sscanf(w, "dst_mac=%63s", text) == 1)
        parse_mac(text, s->dst_mac);
    else if (sscanf(w, "arp=%63s", text) == 1) {
        s->arp = true;
        s->arp_ip = ntohl(inet_addr(text));
    } else if (sscanf(w, "arp_target=%63s", text) == 1)
        s->arp_target = ntohl(inet_addr(text));
    else if (sscanf(w, "outer=vxlan:%u", &v) == 1) {
        s->outer = OUTER_VXLAN;
        s->key = v;
    } else if (sscanf(w, "outer=nvgre:%u", &v) == 1) {
        s->outer = OUTER_NVGRE;
        s->key = v;
    }
}

static void
parse_line(char *line)
{
    char *save, *word = strtok_r(line, " \n", &save), kind[16] = "udp";

    if (!word)
        return;
    if (!strcmp(word, "stats")) {
        int fd = open(strtok_r(NULL, " \n", &save), O_RDWR);
        stats = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        return;
    }
    if (n_sides == MAX_PORTS)
        return;
    struct side *s = &sides[n_sides++];
    s->is_rx = !strcmp(word, "rx");
    s->pairs = 1;
    snprintf(s->name, sizeof s->name, "%s", strtok_r(NULL, " \n", &save));
    while ((word = strtok_r(NULL, " \n", &save)))
        parse_word(s, word, kind);
    if (s->is_rx && s->flows && fill_templates(s, kind)) {
        fprintf(stderr, "gen_plugin: %u flows: no memory, or %s has fewer\n",
                s->flows, s->file);
        exit(1);
    }
}

static void __attribute__((constructor))
start(void)
{
    const char *path = getenv("WEFT_BENCH_CONF");
    FILE *f = path ? fopen(path, "r") : NULL;
    char line[512];
    pthread_t thread;

    if (!f)
        return;
    while (fgets(line, sizeof line, f))
        parse_line(line);
    fclose(f);
    if (!stats || stats == MAP_FAILED) {
        fprintf(stderr, "gen_plugin: %s names no stats file\n", path);
        exit(1);
    }
    pthread_create(&thread, NULL, install, NULL);
    pthread_detach(thread);
}
