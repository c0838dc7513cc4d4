/* SPDX-License-Identifier: Apache-2.0 */
/* Joins two ports with the smallest possible datapath, for the system tests
 * of the port types.
 *
 * usage: port_forward [-f ADDR[,ADDR]] [-u UDP_PORT] A B
 *        A, B: NAME,TYPE[,OPTION=VALUE]... (; in a value stands for a comma)
 *        "uplink" as an option opens the port as an uplink, with -f and -u
 *        as its filter.
 *
 * Threads: main is control (poll_state, commands), one worker forwards.
 * Commands on stdin: "status", "set NAME OPTION VALUE", "filter ADDR,...",
 * "quit"; answered with one line per port or one line. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "datapath/offload.h"
#include "datapath/port.h"
#include "utils/base/addr.h"

#define MAX_OPTIONS 8

struct side {
    struct port port;
    uint64_t rx, tx, large, partial, not_sent, cut;
};

static struct side sides[2];
static struct port_env env;
static _Atomic bool stop;
static be32 addrs[8];
static size_t n_addrs;
static uint16_t udp_port = 4789;

static void
die(const char *what)
{
    fprintf(stderr, "port_forward: %s\n", what);
    exit(1);
}

static void
eal_start(void)
{
    static char words[] = "port_forward\0--no-huge\0-m\0" "128\0--no-pci\0"
                          "--no-shconf\0--no-telemetry\0-l\0" "0\0"
                          "--log-level\0" "4";
    static char *args[16];
    int n = 0;

    for (char *w = words; w < words + sizeof words; w += strlen(w) + 1)
        args[n++] = w;
    if (rte_eal_init(n, args) < 0)
        die("EAL");
    env.pool = rte_pktmbuf_pool_create("small", 8191, 64, 0,
                                       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    env.big_pool = rte_pktmbuf_pool_create("big", 127, 0, 0, 65535, 0);
    if (!env.pool || !env.big_pool)
        die("no memory for mbufs");
}

static void
side_open(struct side *s, char *spec)
{
    struct dp_option opts[MAX_OPTIONS];
    struct weft_err e = { "" };
    char *save, *name = strtok_r(spec, ",", &save), *o;
    char *type = strtok_r(NULL, ",", &save);
    size_t n = 0;

    s->port.ops = type ? port_type_by_name(type) : NULL;
    if (!s->port.ops)
        die("unknown port type");
    snprintf(s->port.name, sizeof s->port.name, "%s", name);
    while ((o = strtok_r(NULL, ",", &save)) != NULL) {
        char *eq = strchr(o, '=');

        if (!strcmp(o, "uplink")) {
            s->port.uplink = true;
        } else if (eq && n < MAX_OPTIONS) {
            *eq = '\0';
            for (char *c = eq + 1; *c; c++)
                *c = *c == ';' ? ',' : *c;
            opts[n++] = (struct dp_option) { o, eq + 1 };
        }
    }
    if (s->port.ops->open(&s->port, &env, opts, n, &e))
        die(e.text);
    if (s->port.uplink
        && s->port.ops->set_filter(&s->port, addrs, n_addrs, &udp_port, 1))
        die("set_filter");
}

static void
send_burst(struct side *to, struct rte_mbuf **m, uint16_t n)
{
    while (n) {
        uint16_t here = WEFT_MIN(n, (uint16_t) PORT_BURST);
        uint16_t sent = to->port.ops->tx_burst(&to->port, m, here);

        to->tx += sent;
        to->not_sent += here - sent;
        rte_pktmbuf_free_bulk(m + sent, (unsigned) (here - sent));
        m += here;
        n = (uint16_t) (n - here);
    }
}

/* Sends one frame, finished as far as the port needs it. */
static void
send_frame(struct side *from, struct side *to, struct rte_mbuf *m)
{
    struct rte_mbuf *out[OFFLOAD_MAX_SEGMENTS] = { m };
    int n = 1;

    if ((m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
        && !(to->port.caps & PORT_CAP_TSO)) {
        n = offload_segment(m, env.pool, out, OFFLOAD_MAX_SEGMENTS);
        from->cut += n > 0;
    } else if (offload_pending(m) && !(to->port.caps & PORT_CAP_CSUM)) {
        n = offload_checksum(m) ? -EINVAL : 1;
    }
    if (n > 0) {
        send_burst(to, out, (uint16_t) n);
    } else {
        to->not_sent++;
        rte_pktmbuf_free(m);
    }
}

static bool
forward(struct side *from, struct side *to)
{
    struct rte_mbuf *m[PORT_BURST];
    uint16_t n = from->port.ops->rx_burst(&from->port, m, PORT_BURST);
    uint16_t simple = 0;

    from->rx += n;
    for (uint16_t i = 0; i < n; i++) {
        from->large += (m[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
        from->partial += offload_pending(m[i]);
        if (offload_pending(m[i]) && !(to->port.caps & PORT_CAP_TSO)) {
            send_burst(to, m + i - simple, simple);
            simple = 0;
            send_frame(from, to, m[i]);
        } else {
            simple++;
        }
    }
    send_burst(to, m + n - simple, simple);
    return n > 0;
}

static void *
worker(void *arg)
{
    int ep = epoll_create1(0);
    struct epoll_event ev = { .events = EPOLLIN };
    bool must_poll = false;

    (void) arg;
    for (int i = 0; i < 2; i++) {
        if (sides[i].port.rx_fd < 0)
            must_poll = true;
        else
            epoll_ctl(ep, EPOLL_CTL_ADD, sides[i].port.rx_fd, &ev);
    }
    while (!atomic_load(&stop)) {
        bool busy = forward(&sides[0], &sides[1]);

        busy |= forward(&sides[1], &sides[0]);
        if (!busy)
            epoll_wait(ep, &ev, 1, must_poll ? 0 : 100);
    }
    close(ep);
    return NULL;
}

static void
print_status(const struct side *s)
{
    const struct port *p = &s->port;
    char mac[BASE_MAC_LEN];

    printf("%s link=%d mode=%s mtu=%u mac=%s rx=%lu tx=%lu large=%lu cut=%lu "
           "partial=%lu not_sent=%lu no_buffer=%lu errors=%lu status=%s\n",
           p->name, p->link_up, *p->mode ? p->mode : "-", p->mtu,
           base_format_mac(p->mac, mac), s->rx, s->tx, s->large, s->cut,
           s->partial, s->not_sent, p->rx_no_buffer, p->rx_errors, p->status);
}

static void
command_set(char *args)
{
    char name[64], option[64], value[128];
    struct weft_err e = { "unknown port" };
    int err = -ENODEV;

    if (sscanf(args, "%63s %63s %127s", name, option, value) != 3)
        return;
    for (int i = 0; i < 2; i++)
        if (!strcmp(sides[i].port.name, name))
            err = sides[i].port.ops->set(&sides[i].port, option, value, &e);
    printf("%s\n", err ? e.text : "ok");
}

static void
parse_addrs(char *list)
{
    n_addrs = 0;
    for (char *a = strtok(list, ",\n"); a && n_addrs < WEFT_ARRAY_LEN(addrs);
         a = strtok(NULL, ",\n"))
        if (base_parse_ipv4(a, &addrs[n_addrs++]))
            die("a filter takes IPv4 addresses");
}

static void
command_filter(char *args)
{
    parse_addrs(args);
    for (int i = 0; i < 2; i++)
        if (sides[i].port.uplink
            && sides[i].port.ops->set_filter(&sides[i].port, addrs, n_addrs,
                                             &udp_port, 1))
            die("set_filter");
    printf("ok\n");
}

static void
control(void)
{
    struct pollfd pf = { STDIN_FILENO, POLLIN, 0 };
    char line[256];

    while (!atomic_load(&stop)) {
        if (poll(&pf, 1, 100) > 0) {
            if (!fgets(line, sizeof line, stdin) || !strncmp(line, "quit", 4))
                break;
            if (!strncmp(line, "set ", 4))
                command_set(line + 4);
            else if (!strncmp(line, "filter ", 7))
                command_filter(line + 7);
            else
                for (int i = 0; i < 2; i++)
                    print_status(&sides[i]);
            fflush(stdout);
        }
        for (int i = 0; i < 2; i++)
            if (sides[i].port.ops->poll_state)
                sides[i].port.ops->poll_state(&sides[i].port);
    }
    atomic_store(&stop, true);
}

int
main(int argc, char **argv)
{
    pthread_t t;
    int c;

    while ((c = getopt(argc, argv, "f:u:")) != -1) {
        if (c == 'f')
            parse_addrs(optarg);
        else if (c == 'u')
            udp_port = (uint16_t) atoi(optarg);
        else
            return 2;
    }
    if (argc - optind != 2)
        die("two ports are needed");
    eal_start();
    side_open(&sides[0], argv[optind]);
    side_open(&sides[1], argv[optind + 1]);
    setvbuf(stdin, NULL, _IONBF, 0);
    printf("ready\n");
    fflush(stdout);
    if (pthread_create(&t, NULL, worker, NULL))
        die("thread");
    control();
    pthread_join(t, NULL);
    for (int i = 0; i < 2; i++)
        sides[i].port.ops->close(&sides[i].port);
    return 0;
}
