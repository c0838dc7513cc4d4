/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/link_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "datapath/dp_priv.h"

#define TICK_NS 3000000 /* Of watched ports without news. */
#define MAX_NEWS 64     /* Interfaces told apart in one round. */

/* ---------------------------------------------------------------- life cycle */

static int
netlink_open(void)
{
    struct sockaddr_nl a = { .nl_family = AF_NETLINK,
                             .nl_groups = RTMGRP_LINK };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *) (const void *) &a,
                        sizeof a)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int
set_add(int set, int fd)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

    return fd < 0 || !epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev) ? 0 : -errno;
}

int
link_watch_open(struct link_watch *w, int event_fd)
{
    int err;

    *w = (struct link_watch) {
        .fd = epoll_create1(EPOLL_CLOEXEC),
        .netlink = netlink_open(),
        .timer = timerfd_create(CLOCK_MONOTONIC,
                                TFD_NONBLOCK | TFD_CLOEXEC),
    };
    if (w->fd < 0)
        return -errno;
    err = set_add(w->fd, event_fd);
    if (!err)
        err = set_add(w->fd, w->netlink);
    return err ? err : set_add(w->fd, w->timer);
}

void
link_watch_close(struct link_watch *w)
{
    if (w->netlink >= 0)
        close(w->netlink);
    if (w->timer >= 0)
        close(w->timer);
    if (w->fd >= 0)
        close(w->fd);
    *w = (struct link_watch) { -1, -1, -1, false };
}

/* ---------------------------------------------------------------------- news */

struct news {
    int ifindex[MAX_NEWS];
    unsigned n; /* MAX_NEWS: too many to tell, all are meant. */
};

static void
news_add(struct news *news, const struct nlmsghdr *h)
{
    const struct ifinfomsg *ifi = NLMSG_DATA(h);

    if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK)
        || h->nlmsg_len < NLMSG_LENGTH(sizeof *ifi))
        return;
    for (unsigned i = 0; i < news->n; i++)
        if (news->ifindex[i] == ifi->ifi_index)
            return;
    if (news->n < MAX_NEWS)
        news->ifindex[news->n++] = ifi->ifi_index;
}

/* Reads all there is; at an overrun everything may be new. */
static void
news_read(int fd, struct news *news)
{
    union {
        struct nlmsghdr h;
        char bytes[16384];
    } buf;
    ssize_t got;

    while ((got = recv(fd, &buf, sizeof buf, 0)) > 0 || errno == ENOBUFS
           || errno == EINTR) {
        unsigned left = got > 0 ? (unsigned) got : 0;

        if (got <= 0) {
            if (errno == ENOBUFS)
                news->n = MAX_NEWS;
            errno = 0;
            continue;
        }
        for (struct nlmsghdr *h = &buf.h; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left))
            news_add(news, h);
    }
}

static bool
news_of(const struct news *news, const struct dp_port *p)
{
    if (news->n == MAX_NEWS || !p->port.ifindex)
        return true;
    for (unsigned i = 0; i < news->n; i++)
        if (news->ifindex[i] == p->port.ifindex)
            return true;
    return false;
}

/* No news comes of it, and some group watches it. */
static bool
needs_tick(const struct dp_port *p)
{
    return p->kind == DP_KIND_DEVICE && !p->port.ifindex && p->br
           && !base_list_empty(&p->br->watchers)
           && p->watch_round == p->br->relive_round;
}

void
link_watch_run(struct dp *dp)
{
    struct news news = { .n = 0 };
    struct dp_port *p, *tmp;
    uint64_t ticks = 0;

    if (dp->links.netlink >= 0)
        news_read(dp->links.netlink, &news);
    if (dp->links.ticking
        && read(dp->links.timer, &ticks, sizeof ticks) < 0)
        ticks = 0;
    if (!news.n && !ticks)
        return;
    BASE_LIST_FOR_SAFE(p, tmp, &dp->ports, node)
        if ((news.n && p->kind == DP_KIND_DEVICE && news_of(&news, p))
            || (ticks && needs_tick(p)))
            dp_port_house(p);
}

void
link_watch_house(struct dp *dp)
{
    struct itimerspec t = { { 0, 0 }, { 0, 0 } };
    const struct dp_port *p;
    bool need = false;

    BASE_LIST_FOR(p, &dp->ports, node)
        need |= needs_tick(p);
    if (need == dp->links.ticking || dp->links.timer < 0)
        return;
    if (need)
        t.it_interval.tv_nsec = t.it_value.tv_nsec = TICK_NS;
    dp->links.ticking = !timerfd_settime(dp->links.timer, 0, &t, NULL) && need;
}
