/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks that are the kernel's: links, addresses, routes and neighbours by
 * rtnetlink.  One socket asks and waits for the answer, the other one follows
 * events; what an event says is only a hint to ask again, except for
 * neighbours, whose events are complete.
 * Source: rtnetlink(7), Linux include/uapi/linux/{rtnetlink,neighbour}.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <net/if.h> /* Before the kernel's, which then leaves its names out. */
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tunnels/underlay/underlay_priv.h"
#include "utils/base/addr.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

enum {
    BUFFER = 32768,
    EVENT_READS = 64, /* Per run. */
    EVENT_BUFFER = 1 << 20,
    DISCARD_PORT = 9, /* RFC 863. */
};

struct ul_kernel {
    struct mnl_socket *events, *requests;
    unsigned seq;
    bool reload; /* Addresses changed or events were lost. */
};

/* --------------------------------------------------------------- sockets */

static struct mnl_socket *
open_socket(int flags, int groups, struct weft_err *e)
{
    struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE,
                                            SOCK_CLOEXEC | flags);

    if (s && !mnl_socket_bind(s, (unsigned) groups, MNL_SOCKET_AUTOPID))
        return s;
    weft_err_set(e, -errno, "netlink socket: %s", strerror(errno));
    if (s)
        mnl_socket_close(s);
    return NULL;
}

int
ul_kernel_create(struct underlay *u, struct weft_err *e)
{
    const struct timeval wait = { .tv_sec = 1 };
    const int size = EVENT_BUFFER;
    struct ul_kernel *k;

    BASE_NEW(k);
    k->events = open_socket(SOCK_NONBLOCK,
                            RTMGRP_LINK | RTMGRP_IPV4_IFADDR
                                | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE
                                | RTMGRP_NEIGH, e);
    k->requests = k->events ? open_socket(0, 0, e) : NULL;
    if (!k->requests) {
        ul_kernel_destroy(k);
        return -EIO;
    }
    /* The kernel answers a request at once; should it not, better late than
     * a control thread that hangs. */
    setsockopt(mnl_socket_get_fd(k->requests), SOL_SOCKET, SO_RCVTIMEO, &wait,
               sizeof wait);
    setsockopt(mnl_socket_get_fd(k->events), SOL_SOCKET, SO_RCVBUF, &size,
               sizeof size);
    u->kernel = k;
    return 0;
}

void
ul_kernel_destroy(struct ul_kernel *k)
{
    if (!k)
        return;
    if (k->events)
        mnl_socket_close(k->events);
    if (k->requests)
        mnl_socket_close(k->requests);
    free(k);
}

int
ul_kernel_fd(const struct ul_kernel *k)
{
    return mnl_socket_get_fd(k->events);
}

/* Sends and reads until the answer is complete.  0 or -errno. */
static int
request(struct ul_kernel *k, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
    char buf[BUFFER];
    unsigned port = mnl_socket_get_portid(k->requests);
    ssize_t n;
    int r = 1;

    h->nlmsg_seq = ++k->seq;
    if (mnl_socket_sendto(k->requests, h, h->nlmsg_len) < 0)
        return -errno;
    while (r > 0) {
        n = mnl_socket_recvfrom(k->requests, buf, sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        r = mnl_cb_run(buf, (size_t) n, k->seq, port, cb, arg);
        if (r < 0 && errno == EPROTO)
            r = 1; /* The late answer to an earlier question. */
        else if (r < 0)
            return -errno;
        else if (!(h->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)))
            return 0; /* One message is the whole answer. */
    }
    return 0;
}

/* Attributes of a message into tb[0..max]. */
struct attrs {
    const struct nlattr **tb;
    unsigned max;
};

static int
attr_cb(const struct nlattr *a, void *arg)
{
    struct attrs *t = arg;

    if (mnl_attr_get_type(a) <= t->max)
        t->tb[mnl_attr_get_type(a)] = a;
    return MNL_CB_OK;
}

static void
parse_attrs(const struct nlmsghdr *h, size_t skip, const struct nlattr **tb,
            unsigned max)
{
    struct attrs t = { tb, max };

    memset(tb, 0, (max + 1) * sizeof *tb);
    mnl_attr_parse(h, (unsigned) skip, attr_cb, &t);
}

static be32
attr_addr(const struct nlattr *a)
{
    return a && mnl_attr_get_payload_len(a) == 4 ? mnl_attr_get_u32(a) : 0;
}

/* ----------------------------------------------------------------- links */

/* What RTM_NEWLINK says.  -EINVAL: no Ethernet. */
static int
link_read(const struct nlmsghdr *h, struct ul_uplink *l)
{
    const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
    const struct nlattr *tb[IFLA_MAX + 1];

    parse_attrs(h, sizeof *i, tb, IFLA_MAX);
    if (tb[IFLA_IFNAME])
        snprintf(l->name, sizeof l->name, "%s",
                 mnl_attr_get_str(tb[IFLA_IFNAME]));
    if (i->ifi_type != ARPHRD_ETHER || !tb[IFLA_ADDRESS]
        || mnl_attr_get_payload_len(tb[IFLA_ADDRESS]) != 6)
        return -EINVAL;
    memcpy(l->mac, mnl_attr_get_payload(tb[IFLA_ADDRESS]), 6);
    if (tb[IFLA_MTU]) {
        uint32_t mtu = mnl_attr_get_u32(tb[IFLA_MTU]);
        l->mtu = (uint16_t) WEFT_MIN(mtu, 65535u);
    }
    /* Carrier, as the routing code has it; IFF_RUNNING lags behind. */
    l->up = (i->ifi_flags & IFF_UP) && (i->ifi_flags & IFF_LOWER_UP);
    return 0;
}

struct link_answer {
    struct ul_uplink *l;
    int err;
};

static int
link_cb(const struct nlmsghdr *h, void *arg)
{
    struct link_answer *a = arg;

    if (h->nlmsg_type == RTM_NEWLINK)
        a->err = link_read(h, a->l);
    return MNL_CB_OK;
}

static int
load_link(struct ul_kernel *k, struct ul_uplink *l)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    struct link_answer a = { l, -ENODEV };

    h->nlmsg_type = RTM_GETLINK;
    h->nlmsg_flags = NLM_F_REQUEST;
    struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof *i);
    i->ifi_index = l->ifindex;

    int err = request(k, h, link_cb, &a);
    return err ? err : a.err;
}

/* ------------------------------------------------------------- addresses */

/* End points may be the uplink's own addresses and, as in routed fabrics,
 * such of the loopback interface that are not 127/8. */
struct addr_answer {
    const struct ul_uplink *l;
    unsigned loopback; /* Its index. */
    be32 addrs[UL_MAX_ADDRS];
    size_t n; /* May exceed the array: all that there are. */
};

static int
addr_cb(const struct nlmsghdr *h, void *arg)
{
    struct addr_answer *a = arg;
    const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
    const struct nlattr *tb[IFA_MAX + 1];
    be32 addr;

    if (h->nlmsg_type != RTM_NEWADDR || i->ifa_family != AF_INET
        || ((int) i->ifa_index != a->l->ifindex
            && i->ifa_index != a->loopback))
        return MNL_CB_OK;
    parse_attrs(h, sizeof *i, tb, IFA_MAX);
    /* On point-to-point links IFA_ADDRESS is the other end. */
    addr = attr_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]);
    if (!addr || be32_to(addr) >> 24 == 127)
        return MNL_CB_OK;
    if (a->n < UL_MAX_ADDRS)
        a->addrs[a->n] = addr;
    a->n++;
    return MNL_CB_OK;
}

static int
load_addrs(struct underlay *u, struct ul_uplink *l)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    struct addr_answer a = { .l = l, .loopback = if_nametoindex("lo") };

    h->nlmsg_type = RTM_GETADDR;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(h, sizeof *i);
    i->ifa_family = AF_INET;

    int err = request(u->kernel, h, addr_cb, &a);
    if (!err)
        ul_uplink_set_addrs(u, l, a.addrs, a.n);
    return err;
}

int
ul_kernel_load(struct underlay *u, struct ul_uplink *l, struct weft_err *e)
{
    int err = load_link(u->kernel, l);

    if (err == -EINVAL)
        return weft_err_set(e, err, "interface %s is no Ethernet device",
                            l->name);
    if (!err)
        err = load_addrs(u, l);
    if (err)
        return weft_err_set(e, err, "interface %d: %s", l->ifindex,
                            strerror(-err));
    return 0;
}

/* ---------------------------------------------------------------- routes */

struct route_answer {
    int ifindex;
    be32 via, src;
    uint32_t mtu; /* 0: the link's. */
};

static int
metric_cb(const struct nlattr *a, void *arg)
{
    struct route_answer *r = arg;

    if (mnl_attr_get_type(a) == RTAX_MTU && mnl_attr_get_payload_len(a) == 4)
        r->mtu = mnl_attr_get_u32(a);
    return MNL_CB_OK;
}

static int
route_cb(const struct nlmsghdr *h, void *arg)
{
    struct route_answer *r = arg;
    const struct rtmsg *m = mnl_nlmsg_get_payload(h);
    const struct nlattr *tb[RTA_MAX + 1];

    /* RTN_LOCAL is ourselves, broadcast and multicast are no end points. */
    if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_type != RTN_UNICAST
        || (m->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)))
        return MNL_CB_OK;
    parse_attrs(h, sizeof *m, tb, RTA_MAX);
    if (tb[RTA_OIF])
        r->ifindex = (int) mnl_attr_get_u32(tb[RTA_OIF]);
    r->via = attr_addr(tb[RTA_GATEWAY]);
    r->src = attr_addr(tb[RTA_PREFSRC]);
    if (tb[RTA_METRICS])
        mnl_attr_parse_nested(tb[RTA_METRICS], metric_cb, r);
    return MNL_CB_OK;
}

static int
route_get(struct ul_kernel *k, be32 remote, be32 local, struct route_answer *r)
{
    char buf[256];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

    memset(r, 0, sizeof *r);
    h->nlmsg_type = RTM_GETROUTE;
    h->nlmsg_flags = NLM_F_REQUEST;
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof *m);
    m->rtm_family = AF_INET;
    m->rtm_dst_len = 32;
    m->rtm_src_len = local ? 32 : 0;
    mnl_attr_put_u32(h, RTA_DST, remote);
    if (local)
        mnl_attr_put_u32(h, RTA_SRC, local);
    return request(k, h, route_cb, r);
}

int
ul_kernel_route(struct underlay *u, be32 remote, be32 local,
                struct ul_route *route)
{
    struct route_answer r;
    int err = route_get(u->kernel, remote, local, &r);

    if (err)
        return err;
    route->uplink = r.ifindex ? ul_uplink_by_ifindex(u, r.ifindex) : NULL;
    if (!route->uplink)
        return -ENETUNREACH;
    route->via = r.via ? r.via : remote;
    route->src = local ? local : r.src;
    route->mtu = route->uplink->mtu;
    if (r.mtu && r.mtu < route->mtu)
        route->mtu = (uint16_t) r.mtu;
    return 0;
}

/* ------------------------------------------------------------ neighbours */

enum {
    NUD_USABLE = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_STALE
                 | NUD_DELAY | NUD_PROBE,
};

/* RTM_NEWNEIGH or RTM_DELNEIGH about one that somebody wants. */
static void
neigh_read(struct underlay *u, const struct nlmsghdr *h)
{
    const struct ndmsg *m = mnl_nlmsg_get_payload(h);
    const struct nlattr *tb[NDA_MAX + 1];
    struct ul_uplink *l = ul_uplink_by_ifindex(u, m->ndm_ifindex);

    if (!l || m->ndm_family != AF_INET)
        return;
    parse_attrs(h, sizeof *m, tb, NDA_MAX);

    struct ul_neigh *g = ul_neigh_find(u, l, attr_addr(tb[NDA_DST]));
    if (!g)
        return;
    if (h->nlmsg_type == RTM_DELNEIGH) {
        /* Collected by the kernel because nothing used it: still the best
         * guess, confirmed when it is used next. */
        g->stale = true;
        return;
    }
    if ((m->ndm_state & NUD_USABLE) && tb[NDA_LLADDR]
        && mnl_attr_get_payload_len(tb[NDA_LLADDR]) == 6)
        ul_neigh_valid(u, g, mnl_attr_get_payload(tb[NDA_LLADDR]),
                       (m->ndm_state & (NUD_STALE | NUD_DELAY | NUD_PROBE))
                           != 0);
    else if (m->ndm_state & NUD_FAILED)
        ul_neigh_failed(u, g);
}

static int
neigh_cb(const struct nlmsghdr *h, void *arg)
{
    if (h->nlmsg_type == RTM_NEWNEIGH)
        neigh_read(arg, h);
    return MNL_CB_OK;
}

static struct nlmsghdr *
neigh_message(char *buf, const struct ul_neigh *g, int type, int flags,
              struct ndmsg **m)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);

    h->nlmsg_type = (uint16_t) type;
    h->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    *m = mnl_nlmsg_put_extra_header(h, sizeof **m);
    (*m)->ndm_family = AF_INET;
    (*m)->ndm_ifindex = g->uplink->ifindex;
    mnl_attr_put_u32(h, NDA_DST, g->addr);
    return h;
}

void
ul_kernel_neigh_get(struct underlay *u, struct ul_neigh *g)
{
    char buf[256];
    struct ndmsg *m;
    struct nlmsghdr *h = neigh_message(buf, g, RTM_GETNEIGH, 0, &m);

    /* -ENOENT: the kernel does not know it either. */
    (void) request(u->kernel, h, neigh_cb, u);
}

/* A datagram to nobody makes the kernel resolve, whatever its version. */
static int
send_datagram(const struct ul_neigh *g)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(DISCARD_PORT),
        .sin_addr.s_addr = g->addr,
    };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = sendto(fd, "", 0, 0, (const struct sockaddr *) &to, sizeof to);
    int err = n < 0 ? -errno : 0;
    close(fd);
    return err;
}

void
ul_kernel_neigh_use(struct underlay *u, struct ul_neigh *g)
{
    static struct base_ratelimit limit = BASE_RATELIMIT(1, 60);
    char buf[256], text[BASE_IPV4_LEN];
    struct ndmsg *m;
    struct nlmsghdr *h = neigh_message(buf, g, RTM_NEWNEIGH,
                                       NLM_F_CREATE | NLM_F_ACK, &m);

    /* As a packet of the kernel's own would: NTF_USE starts resolution or,
     * for a stale entry, its confirmation. */
    m->ndm_flags = NTF_USE;
    m->ndm_state = NUD_NONE;

    int err = request(u->kernel, h, NULL, NULL);
    if (err)
        err = send_datagram(g);
    if (err)
        base_log_rl(&limit, BASE_LOG_WARN, "underlay",
                    "cannot make the kernel resolve %s: %s",
                    base_format_ipv4(g->addr, text), strerror(-err));
}

/* ---------------------------------------------------------------- events */

static void
link_gone(struct ul_uplink *l)
{
    l->ifindex = 0;
    l->up = false;
}

/* A new interface with the name of one that has gone takes its place: a veth
 * that was made again, a driver that was reloaded. */
static struct ul_uplink *
link_returned(struct underlay *u, const struct nlmsghdr *h)
{
    const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
    const struct nlattr *tb[IFLA_MAX + 1];
    struct ul_uplink *l;

    parse_attrs(h, sizeof *i, tb, IFLA_MAX);
    BASE_LIST_FOR(l, &u->uplinks, all)
        if (!l->owned && !l->ifindex && tb[IFLA_IFNAME]
            && !strcmp(l->name, mnl_attr_get_str(tb[IFLA_IFNAME]))) {
            l->ifindex = i->ifi_index;
            u->kernel->reload = true; /* Its addresses. */
            return l;
        }
    return NULL;
}

static void
link_event(struct underlay *u, const struct nlmsghdr *h)
{
    const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
    struct ul_uplink *l = ul_uplink_by_ifindex(u, i->ifi_index);

    /* Bridges report their ports in messages of their own family. */
    if (i->ifi_family != AF_UNSPEC)
        return;
    if (!l && h->nlmsg_type == RTM_NEWLINK)
        l = link_returned(u, h);
    if (!l)
        return;
    if (h->nlmsg_type == RTM_DELLINK)
        link_gone(l);
    else if (link_read(h, l))
        return;
    ul_routes_changed(u);
}

static int
event_cb(const struct nlmsghdr *h, void *arg)
{
    struct underlay *u = arg;

    switch (h->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        link_event(u, h);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        u->kernel->reload = true;
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
        ul_routes_changed(u);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        neigh_read(u, h);
        break;
    }
    return MNL_CB_OK;
}

/* After lost events everything is looked at again. */
static void
reload_all(struct underlay *u, bool lost)
{
    struct ul_uplink *l;
    struct ul_neigh *g;

    u->kernel->reload = false;
    BASE_LIST_FOR(l, &u->uplinks, all) {
        if (l->owned)
            continue;
        if (lost) {
            if (!l->ifindex)
                l->ifindex = (int) if_nametoindex(l->name);
            if (!l->ifindex || load_link(u->kernel, l))
                link_gone(l);
        }
        (void) load_addrs(u, l);
    }
    ul_routes_changed(u);
    if (!lost)
        return;
    BASE_LIST_FOR(g, &u->neigh_list, all)
        if (!g->uplink->owned)
            ul_kernel_neigh_get(u, g);
}

void
ul_kernel_run(struct underlay *u)
{
    struct ul_kernel *k = u->kernel;
    char buf[BUFFER];
    bool lost = false;

    for (unsigned i = 0; i < EVENT_READS; i++) {
        ssize_t n = mnl_socket_recvfrom(k->events, buf, sizeof buf);

        if (n <= 0) {
            lost |= n < 0 && errno == ENOBUFS;
            if (n < 0 && (errno == EINTR || errno == ENOBUFS))
                continue;
            break;
        }
        mnl_cb_run(buf, (size_t) n, 0, 0, event_cb, u);
    }
    if (lost || k->reload)
        reload_all(u, lost);
}
