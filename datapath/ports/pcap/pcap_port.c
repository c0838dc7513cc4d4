/* SPDX-License-Identifier: Apache-2.0 */
/* Port type pcap: receives the packets of one capture file, records what is
 * sent to it in another.
 *
 * What:    port_pcap_ops; options rx, tx, loop.
 * Model:   rx_fd is an eventfd that is readable while the file has packets,
 *          so an exhausted file costs no polling.
 * Threads: as port.h.  The recording is flushed after every burst, so that a
 *          reader sees what was sent.
 * Errors:  a file that is no Ethernet capture is refused at open; one that
 *          turns bad later ends there, with the reason in the status.
 * Source:  pcap(3PCAP), pcap-savefile(5). */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "datapath/ports/common/frame_fast.h"
#include "datapath/ports/common/port_opt.h"
#include "utils/base/mem.h"

#define PCAP_SNAPLEN 262144

struct pcap_port {
    struct port_env env;
    char *rx_path, *tx_path;
    pcap_t *rx;
    pcap_t *tx; /* Link type and snap length of 'dump'. */
    pcap_dumper_t *dump;
    bool loop;
    uint64_t this_round; /* Packets since the file was opened. */
    /* Why receive ended, why transmit fails: written by the worker before the
     * flag is set, told by poll_state. */
    char rx_why[112], tx_why[112];
    _Atomic bool rx_ended, tx_failed;
    uint8_t frame[PCAP_SNAPLEN];
};

static const struct tnl_option pcap_options[] = {
    { "rx", "", "capture file whose packets are received, each once" },
    { "tx", "", "file that records the packets sent; it is overwritten" },
    { "loop", "no", "yes: receive the file again and again" },
    { NULL, NULL, NULL },
};

static int
rx_file_open(struct port *p, struct weft_err *e)
{
    struct pcap_port *pp = p->priv;
    char reason[PCAP_ERRBUF_SIZE];

    pp->rx = pcap_open_offline_with_tstamp_precision(
        pp->rx_path, PCAP_TSTAMP_PRECISION_NANO, reason);
    if (!pp->rx)
        return weft_err_set(e, -EINVAL, "port %s: rx=%s: %s", p->name,
                            pp->rx_path, reason);
    if (pcap_datalink(pp->rx) != DLT_EN10MB) {
        const char *type = pcap_datalink_val_to_name(pcap_datalink(pp->rx));

        weft_err_set(e, -EINVAL, "port %s: rx=%s: link type %s is not "
                     "Ethernet", p->name, pp->rx_path, type ? type : "?");
        pcap_close(pp->rx);
        pp->rx = NULL;
        return -EINVAL;
    }
    pp->this_round = 0;
    return 0;
}

static int
tx_file_open(struct port *p, struct weft_err *e)
{
    struct pcap_port *pp = p->priv;

    pp->tx = pcap_open_dead_with_tstamp_precision(
        DLT_EN10MB, PCAP_SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
    if (!pp->tx)
        return weft_err_set(e, -ENOMEM, "port %s: out of memory", p->name);
    pp->dump = pcap_dump_open(pp->tx, pp->tx_path);
    if (!pp->dump)
        return weft_err_set(e, -EIO, "port %s: tx=%s: %s", p->name,
                            pp->tx_path, pcap_geterr(pp->tx));
    return 0;
}

static void
pcap_port_close(struct port *p)
{
    struct pcap_port *pp = p->priv;

    if (pp->rx)
        pcap_close(pp->rx);
    if (pp->dump)
        pcap_dump_close(pp->dump);
    if (pp->tx)
        pcap_close(pp->tx);
    if (p->rx_fd >= 0)
        close(p->rx_fd);
    p->rx_fd = -1;
    free(pp->rx_path);
    free(pp->tx_path);
    free(pp);
    p->priv = NULL;
}

static int
files_open(struct port *p, struct weft_err *e)
{
    struct pcap_port *pp = p->priv;
    int err;

    p->rx_fd = eventfd(pp->rx_path ? 1 : 0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->rx_fd < 0)
        return weft_err_set(e, -errno, "port %s: eventfd: %s", p->name,
                            strerror(errno));
    if (pp->rx_path) {
        err = rx_file_open(p, e);
        if (err)
            return err;
    }
    return pp->tx_path ? tx_file_open(p, e) : 0;
}

static int
pcap_port_open(struct port *p, const struct port_env *env,
               const struct dp_option *opts, size_t n, struct weft_err *e)
{
    struct pcap_port *pp;
    const char *rx = port_opt_get(opts, n, "rx");
    const char *tx = port_opt_get(opts, n, "tx");
    bool loop = false;
    int err = port_opt_check(p, opts, n, e);

    if (!err)
        err = port_opt_bool(p, "loop", port_opt_get(opts, n, "loop"), &loop,
                            e);
    if (err)
        return err;
    if (!rx && !tx)
        return weft_err_set(e, -EINVAL, "port %s: type pcap needs rx=FILE, "
                            "tx=FILE or both", p->name);
    BASE_NEW(pp);
    pp->env = *env;
    pp->rx_path = rx ? base_xstrdup(rx) : NULL;
    pp->tx_path = tx ? base_xstrdup(tx) : NULL;
    pp->loop = loop;
    p->priv = pp;
    err = files_open(p, e);
    if (err) {
        pcap_port_close(p);
        return err;
    }
    p->caps = PORT_CAP_MULTI_SEG;
    p->mtu = PORT_MTU_MAX;
    port_set_status(p, true, "up");
    return 0;
}

static int
pcap_port_set(struct port *p, const char *name, const char *value,
              struct weft_err *e)
{
    (void) value;
    return port_opt_fixed(p, name, e);
}

static void
pcap_port_poll_state(struct port *p)
{
    struct pcap_port *pp = p->priv;

    if (atomic_load(&pp->tx_failed))
        port_set_status(p, true, "%s", pp->tx_why);
    else if (atomic_load(&pp->rx_ended))
        port_set_status(p, true, "%s", pp->rx_why);
}

static void
pcap_port_get(struct port *p, struct dp_port_info *info)
{
    (void) p;
    info->speed_mbps = 0;
}

/* The file is at its end or broken: again from the start, or no more. */
static bool
rx_file_end(struct port *p, int why)
{
    struct pcap_port *pp = p->priv;
    uint64_t discard;
    bool again = pp->loop && why == PCAP_ERROR_BREAK && pp->this_round > 0;

    if (why == PCAP_ERROR) {
        p->rx_errors++;
        snprintf(pp->rx_why, sizeof pp->rx_why, "rx ended: %s",
                 pcap_geterr(pp->rx));
        atomic_store(&pp->rx_ended, true);
    }
    pcap_close(pp->rx);
    pp->rx = NULL;
    if (again && rx_file_open(p, NULL) == 0)
        return true;
    if (read(p->rx_fd, &discard, sizeof discard) < 0)
        p->rx_errors++;
    return false;
}

static uint16_t
pcap_port_rx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct pcap_port *pp = p->priv;
    uint16_t got = 0;

    while (got < n && pp->rx) {
        struct pcap_pkthdr *h;
        const u_char *data;
        int r = pcap_next_ex(pp->rx, &h, &data);

        if (r != 1) {
            if (!rx_file_end(p, r))
                break;
            continue;
        }
        pp->this_round++;
        if (h->caplen < 14 || h->caplen < h->len) {
            p->rx_errors++; /* Cut by the capture: not the packet any more. */
            continue;
        }
        pkts[got] = frame_copy(&pp->env, data, h->caplen);
        if (pkts[got])
            got++;
        else
            p->rx_no_buffer++;
    }
    return got;
}

static uint16_t
pcap_port_tx(struct port *p, struct rte_mbuf **pkts, uint16_t n)
{
    struct pcap_port *pp = p->priv;
    struct pcap_pkthdr h = { .len = 0 };
    struct timespec now;

    p->tx_error = false;
    if (!pp->dump) { /* Nobody asked for a recording: sent into the void. */
        rte_pktmbuf_free_bulk(pkts, n);
        return n;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    h.ts.tv_sec = now.tv_sec;
    h.ts.tv_usec = now.tv_nsec; /* The file's precision is nanoseconds. */
    for (uint16_t i = 0; i < n; i++) {
        uint32_t len = WEFT_MIN(pkts[i]->pkt_len, (uint32_t) PCAP_SNAPLEN);
        const void *data = rte_pktmbuf_read(pkts[i], 0, len, pp->frame);

        h.len = pkts[i]->pkt_len;
        h.caplen = len;
        pcap_dump((u_char *) pp->dump, &h, data);
    }
    if (pcap_dump_flush(pp->dump)) {
        p->tx_error = true;
        if (!atomic_load(&pp->tx_failed))
            snprintf(pp->tx_why, sizeof pp->tx_why, "tx: %s",
                     strerror(errno));
        atomic_store(&pp->tx_failed, true);
        return 0;
    }
    rte_pktmbuf_free_bulk(pkts, n);
    return n;
}

const struct port_ops port_pcap_ops = {
    .name = "pcap",
    .options = pcap_options,
    .as_port = true,
    .open = pcap_port_open,
    .close = pcap_port_close,
    .set = pcap_port_set,
    .get = pcap_port_get,
    .poll_state = pcap_port_poll_state,
    .rx_burst = pcap_port_rx,
    .tx_burst = pcap_port_tx,
};
