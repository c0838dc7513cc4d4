/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct side sides[MAX_SIDES];
static unsigned n_sides;
struct stats *stats;

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
                        port, 0, s->flows ? gen_rx : gen_rx_arp, s)
                    != NULL;
    }
    while (!s->is_rx && rte_eth_add_tx_callback(port, s->queues, gen_tx, s))
        s->queues++;
}

static void *
install(void *unused)
{
    (void) unused;
    for (;;) {
        for (unsigned i = 0; i < n_sides; i++) {
            uint16_t port;

            if (!rte_eth_dev_get_port_by_name(sides[i].name, &port)) {
                if (!stats->hz) { /* EAL knows its clock by now. */
                    gen_rx_init(sides, n_sides);
                    gen_tx_init(sides, n_sides);
                }
                install_on(&sides[i], port);
            }
        }
        usleep(20000);
    }
    return NULL;
}

/* ------------------------------------------------------------ configuration */

static void
parse_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6] = { 0 };

    sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4],
           &b[5]);
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t) b[i];
}

/* The position of 'w' in a list that ends with NULL; the last one if none. */
static unsigned
one_of(const char *w, const char *const list[])
{
    unsigned i = 0;

    while (list[i + 1] && strcmp(list[i], w))
        i++;
    return i;
}

static bool
parse_number(struct side *s, const char *w, unsigned v)
{
    const struct {
        const char *name;
        uint32_t *to;
    } numbers[] = {
        { "flows=", &s->flows },       { "pairs=", &s->pairs },
        { "size=", &s->size },         { "v6=", &s->v6 },
        { "keys=", &s->keys },         { "burst=", &s->burst },
        { "attack_every=", &s->attack_every },
    };
    const struct {
        const char *name;
        bool *to;
    } flags[] = { { "rss=", &s->rss },       { "cold=", &s->cold },
                  { "victim=", &s->victim }, { "stamp=", &s->stamp } };

    for (size_t i = 0; i < RTE_DIM(numbers); i++)
        if (!strncmp(w, numbers[i].name, strlen(numbers[i].name))) {
            *numbers[i].to = v;
            return true;
        }
    for (size_t i = 0; i < RTE_DIM(flags); i++)
        if (!strncmp(w, flags[i].name, strlen(flags[i].name))) {
            *flags[i].to = v != 0;
            return true;
        }
    return false;
}

static void
parse_outer(struct side *s, const char *text)
{
    if (sscanf(text, "vxlan:%u", &s->key) == 1)
        s->outer = OUTER_VXLAN;
    else if (sscanf(text, "nvgre:%u", &s->key) == 1)
        s->outer = OUTER_NVGRE;
}

static void
parse_word(struct side *s, const char *w)
{
    static const char *const kinds[] = { "udp", "tse", "random", "bad",
                                         "file", NULL };
    static const char *const edits[] = { "none", "l3hop", "vlan", "mac",
                                         NULL };
    const char *value = strchr(w, '=');

    if (!value++)
        return;
    if (!strcmp(w, "size=imix"))
        s->imix = true;
    else if (!strncmp(w, "kind=", 5))
        s->kind = (enum kind) one_of(value, kinds);
    else if (!strncmp(w, "edit=", 5))
        s->edit = (enum edit) one_of(value, edits);
    else if (!strncmp(w, "file=", 5))
        snprintf(s->file, sizeof s->file, "%s", value);
    else if (!strncmp(w, "pps=", 4))
        s->pps = strtoull(value, NULL, 10);
    else if (!strncmp(w, "side=", 5)) {
        s->has_parity = true;
        s->parity = (uint32_t) atoi(value);
    } else if (!strcmp(w, "dst_mac=port"))
        s->port_mac = true;
    else if (!strncmp(w, "dst_mac=", 8))
        parse_mac(value, s->dst_mac);
    else if (!strncmp(w, "arp=", 4)) {
        s->arp = true;
        s->arp_ip = ntohl(inet_addr(value));
    } else if (!strncmp(w, "arp_target=", 11))
        s->arp_target = ntohl(inet_addr(value));
    else if (!strncmp(w, "outer=", 6))
        parse_outer(s, value);
    else if (!parse_number(s, w, (unsigned) strtoul(value, NULL, 10))) {
        fprintf(stderr, "gen_plugin: unknown word %s\n", w);
        exit(1);
    }
}

static void
parse_line(char *line)
{
    char *save, *word = strtok_r(line, " \n", &save), *name;
    struct side *s = &sides[n_sides];

    if (!word || !(name = strtok_r(NULL, " \n", &save)))
        return;
    if (!strcmp(word, "stats")) {
        int fd = open(name, O_RDWR);

        stats = mmap(NULL, sizeof *stats, PROT_READ | PROT_WRITE, MAP_SHARED,
                     fd, 0);
        close(fd);
        return;
    }
    if (n_sides == MAX_SIDES)
        return;
    n_sides++;
    s->is_rx = !strcmp(word, "rx");
    s->pairs = 1;
    s->attack_every = 100;
    snprintf(s->name, sizeof s->name, "%s", name);
    while ((word = strtok_r(NULL, " \n", &save)))
        parse_word(s, word);
    s->tse = s->kind == KIND_TSE;
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
    gen_fill(sides, n_sides);
    pthread_create(&thread, NULL, install, NULL);
    pthread_detach(thread);
}
