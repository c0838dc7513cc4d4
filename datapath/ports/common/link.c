/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/common/link.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

int
netns_open(const char *name)
{
    char path[300];
    int fd;

    if (!*name || strchr(name, '/') || name[0] == '.')
        return -EINVAL;
    snprintf(path, sizeof path, "/run/netns/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

struct netns_job {
    int ns_fd;
    int (*fn)(void *);
    void *arg;
    int result;
};

static void *
netns_thread(void *arg)
{
    struct netns_job *j = arg;

    j->result = setns(j->ns_fd, CLONE_NEWNET) ? -errno : j->fn(j->arg);
    return NULL;
}

int
netns_call(int ns_fd, int (*fn)(void *), void *arg)
{
    struct netns_job j = { ns_fd, fn, arg, 0 };
    pthread_t t;
    int err = pthread_create(&t, NULL, netns_thread, &j);

    if (err)
        return -err;
    pthread_join(t, NULL);
    return j.result;
}

/* Sends 'nlh' and waits for the kernel's acknowledgement. */
static int
talk(struct nlmsghdr *nlh)
{
    char buf[8192]; /* MNL_SOCKET_BUFFER_SIZE is a run-time value. */
    struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
    ssize_t n;
    int err = 0;

    if (!nl)
        return -errno;
    nlh->nlmsg_seq = 1;
    if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0
        || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0
        || (n = mnl_socket_recvfrom(nl, buf, sizeof buf)) < 0
        || mnl_cb_run(buf, (size_t) n, 1, mnl_socket_get_portid(nl), NULL,
                      NULL) < 0)
        err = -errno;
    mnl_socket_close(nl);
    return err;
}

int
link_change(int ifindex, const struct link_change *c)
{
    char buf[512];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
    struct ifinfomsg *ifi;

    nlh->nlmsg_type = RTM_NEWLINK;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    ifi->ifi_index = ifindex;
    if (c->up) {
        ifi->ifi_flags = IFF_UP;
        ifi->ifi_change = IFF_UP;
    }
    if (c->ns_fd >= 0)
        mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t) c->ns_fd);
    if (c->name)
        mnl_attr_put_strz(nlh, IFLA_IFNAME, c->name);
    if (c->mac)
        mnl_attr_put(nlh, IFLA_ADDRESS, 6, c->mac);
    if (c->mtu)
        mnl_attr_put_u32(nlh, IFLA_MTU, c->mtu);
    return talk(nlh);
}

struct named_change {
    const char *name;
    const struct link_change *c;
};

static int
change_by_name(void *arg)
{
    const struct named_change *n = arg;
    unsigned ifindex = if_nametoindex(n->name);

    return ifindex ? link_change((int) ifindex, n->c) : -errno;
}

int
link_change_in(int ns_fd, const char *name, const struct link_change *c)
{
    struct named_change n = { name, c };

    return ns_fd < 0 ? change_by_name(&n)
                     : netns_call(ns_fd, change_by_name, &n);
}
