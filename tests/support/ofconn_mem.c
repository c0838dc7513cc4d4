/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ofconn_mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"
#include "weft/be.h"

static struct mem_conn *
mem_of(struct ofconn *c)
{
    return WEFT_CONTAINER_OF(c, struct mem_conn, conn);
}

static int
op_send(struct ofconn *c, const void *msg, size_t len)
{
    struct mem_conn *m = mem_of(c);

    if (m->full)
        return -ENOBUFS;
    if (m->out_len + len > m->out_cap) {
        m->out_cap = 2 * (m->out_len + len);
        m->out = base_xrealloc(m->out, m->out_cap);
    }
    memcpy(m->out + m->out_len, msg, len);
    m->out_len += len;
    return 0;
}

static size_t
op_queued(const struct ofconn *c)
{
    const struct mem_conn *m = (const void *) c;

    return m->queued;
}

static void
op_established(struct ofconn *c, uint8_t version)
{
    mem_of(c)->version = version;
}

static void
op_role(struct ofconn *c, const char *role)
{
    snprintf(mem_of(c)->role, sizeof mem_of(c)->role, "%s", role);
}

static void
op_pause(struct ofconn *c, bool paused)
{
    mem_of(c)->paused = paused;
}

static void
op_close(struct ofconn *c, const char *why)
{
    mem_of(c)->closed = true;
    snprintf(mem_of(c)->why, sizeof mem_of(c)->why, "%s", why);
}

static const struct ofconn_ops mem_ops = {
    .send = op_send,
    .queued = op_queued,
    .established = op_established,
    .role = op_role,
    .pause = op_pause,
    .close = op_close,
};

void
mem_open(struct mem_conn *m, const struct ofconn_agent *agent, bool service)
{
    mem_open_aux(m, agent, service, NULL, 0);
}

void
mem_open_aux(struct mem_conn *m, const struct ofconn_agent *agent,
             bool service, const struct ofconn *main, uint8_t aux)
{
    memset(m, 0, sizeof *m);
    m->conn = (struct ofconn) { &mem_ops, "tcp:192.0.2.9:6653", service, aux,
                                main };
    m->agent = agent;
    m->session = agent->opened(agent->arg, &m->conn);
}

void
mem_close(struct mem_conn *m)
{
    if (m->session)
        m->agent->closed(m->session);
    m->session = NULL;
    free(m->out);
    free(m->current);
    m->out = m->current = NULL;
}

void
mem_send_raw(struct mem_conn *m, const void *msg, size_t len)
{
    uint8_t *exact = base_xmemdup(msg, len);

    m->result = m->agent->message(m->session, exact, len);
    free(exact);
}

void
mem_send(struct mem_conn *m, const void *msg, size_t len)
{
    uint8_t *copy = base_xmemdup(msg, len);

    put_be16(copy + 2, (uint16_t) len);
    mem_send_raw(m, copy, len);
    free(copy);
}

void
mem_send_hex(struct mem_conn *m, const char *hex)
{
    size_t len = 0;
    uint8_t *msg = base_xmalloc(strlen(hex) / 2 + 1);
    unsigned byte;
    int used;

    for (; sscanf(hex, " %2x%n", &byte, &used) == 1; hex += used)
        msg[len++] = (uint8_t) byte;
    mem_send(m, msg, len);
    free(msg);
}

const uint8_t *
mem_next(struct mem_conn *m, size_t *len)
{
    size_t n;

    if (m->read_at == m->out_len)
        return NULL;
    n = get_be16(m->out + m->read_at + 2);
    free(m->current);
    m->current = base_xmemdup(m->out + m->read_at, n);
    m->read_at += n;
    if (len)
        *len = n;
    return m->current;
}

unsigned
mem_pending(const struct mem_conn *m)
{
    unsigned n = 0;

    for (size_t at = m->read_at; at < m->out_len; n++)
        at += get_be16(m->out + at + 2);
    return n;
}

void
mem_drain(struct mem_conn *m)
{
    m->read_at = m->out_len;
}
