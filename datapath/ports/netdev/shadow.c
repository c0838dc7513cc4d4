/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that receive, and drop in the kernel, what Weft takes itself.
 *
 * What:    without them the kernel answers a copy of a tunnel packet (packet
 *          sockets leave it one; fragments are left to it by XDP too) with
 *          ICMP "port" or "protocol unreachable".  RFC 7348 §4.3 lets a VTEP
 *          drop fragments silently; so they are.
 * Threads: control.
 * Errors:  a socket that cannot be had (the kernel's own VXLAN device has the
 *          port, say) is only logged: then the kernel does not answer. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/ports/netdev/netdev_port.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

struct netdev_shadow {
    size_t n;
    int fds[];
};

/* A socket that drops all; -errno. */
static int
deaf_socket(int type, int proto, be32 addr, uint16_t port)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog prog = { 1, &drop };
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = be16_from(port),
                               .sin_addr.s_addr = addr };
    int on = 1, err, fd = socket(AF_INET, type | SOCK_CLOEXEC, proto);

    if (fd < 0)
        return -errno;
    /* FREEBIND: the address may come later than the configuration. */
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog)
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)
        || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on)
        || bind(fd, (struct sockaddr *) &sin, sizeof sin)) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static void
shadow_add(struct netdev_shadow *s, const char *port_name, const char *what,
           int fd)
{
    if (fd >= 0)
        s->fds[s->n++] = fd;
    else
        base_log(BASE_LOG_INFO, "port", "%s: the kernel keeps its %s socket: "
                 "%s", port_name, what, strerror(-fd));
}

struct netdev_shadow *
netdev_shadow_create(const char *port_name, const struct netdev_filter *f)
{
    size_t max = f->n_addrs * (f->n_udp_ports + 1);
    struct netdev_shadow *s = base_xcalloc(1, sizeof *s + max * sizeof(int));

    for (size_t i = 0; i < f->n_addrs; i++) {
        shadow_add(s, port_name, "GRE",
                   deaf_socket(SOCK_RAW, IPPROTO_GRE, f->addrs[i], 0));
        for (size_t j = 0; j < f->n_udp_ports; j++)
            shadow_add(s, port_name, "UDP",
                       deaf_socket(SOCK_DGRAM, 0, f->addrs[i],
                                   f->udp_ports[j]));
    }
    return s;
}

void
netdev_shadow_destroy(struct netdev_shadow *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        close(s->fds[i]);
    free(s);
}
