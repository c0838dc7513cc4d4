/* SPDX-License-Identifier: Apache-2.0 */
/* Requestforward: what one controller did to groups and meters, for the
 * others, in their versions' words.
 * Source: OpenFlow 1.4.1 §7.4.6; OpenFlow 1.5.1 §7.3.4.3 for buckets. */
#include "ofproto/agent_priv.h"

#include <stdlib.h>

#include "utils/base/mem.h"

#define GROUP_HLEN_14 16 /* Group-mod up to its buckets ... */
#define GROUP_HLEN_15 24
#define BUCKET_HLEN_14 16
#define BUCKET_HLEN_15 8
#define GROUP_MODS_14 2  /* The last command that 1.4 has, DELETE. */
#define ACTION_SET_FIELD 25
#define ACTION_COPY_FIELD 28
#define ACTION_METER 29

/* Grows to at most a message. */
struct bytes {
    uint8_t p[OFP_MAX_MESSAGE];
    size_t n;
    bool bad; /* Too long, or not to be said in that version. */
};

static uint8_t *
add(struct bytes *b, size_t n)
{
    uint8_t *at = b->p + b->n;

    if (b->bad || n > sizeof b->p - b->n) {
        b->bad = true;
        return NULL;
    }
    memset(at, 0, n);
    b->n += n;
    return at;
}

static void
add_copy(struct bytes *b, const uint8_t *from, size_t n)
{
    uint8_t *at = add(b, n);

    if (at)
        memcpy(at, from, n);
}

/* ------------------------------------------------------------- 1.4 to 1.5 */

static void
add_prop(struct bytes *b, uint16_t type, uint32_t value)
{
    uint8_t *p = add(b, 8);

    if (p) {
        put_be16(p, type);
        put_be16(p + 2, 8);
        put_be32(p + 4, value);
    }
}

/* Buckets get the ids that the agent gives them, too: 0, 1, 2 ... */
static void
bucket_to_15(struct bytes *b, const uint8_t *p, uint8_t group_type,
             uint32_t id)
{
    uint16_t len = get_be16(p);
    size_t start = b->n;
    uint8_t *head = add(b, BUCKET_HLEN_15);

    if (!head)
        return;
    put_be16(head + 2, (uint16_t) (len - BUCKET_HLEN_14));
    put_be32(head + 4, id);
    add_copy(b, p + BUCKET_HLEN_14, len - (size_t) BUCKET_HLEN_14);
    if (group_type == DP_GROUP_SELECT) /* 16 bits and a pad. */
        add_prop(b, 0, (uint32_t) get_be16(p + 2) << 16);
    if (get_be32(p + 4) != OFP_PORT_ANY)
        add_prop(b, 1, get_be32(p + 4));
    if (get_be32(p + 8) != OFP_GROUP_ANY)
        add_prop(b, 2, get_be32(p + 8));
    put_be16(head, (uint16_t) (b->n - start));
}

static void
group_to_15(struct bytes *b, const uint8_t *msg, size_t len)
{
    uint32_t id = 0;

    add_copy(b, msg, GROUP_HLEN_14);
    add(b, GROUP_HLEN_15 - GROUP_HLEN_14);
    put_be32(b->p + 20, OFP_GROUP_ANY); /* OFPG_BUCKET_ALL */
    for (size_t at = GROUP_HLEN_14; at < len; at += get_be16(msg + at))
        bucket_to_15(b, msg + at, msg[10], id++);
    put_be16(b->p + 16, (uint16_t) (b->n - GROUP_HLEN_15));
}

/* ------------------------------------------------------------- 1.5 to 1.4 */

/* Has 1.4 all of these actions? */
static bool
actions_in_14(const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len; at += get_be16(p + at + 2)) {
        uint16_t type = get_be16(p + at);

        if (type == ACTION_COPY_FIELD || type == ACTION_METER
            || (type == ACTION_SET_FIELD && p[at + 6] & 1)) /* A mask. */
            return false;
    }
    return true;
}

static void
bucket_to_14(struct bytes *b, const uint8_t *p)
{
    size_t n_actions = get_be16(p + 2), len = get_be16(p);
    uint8_t *head = add(b, BUCKET_HLEN_14);

    if (!head)
        return;
    put_be16(head, (uint16_t) (BUCKET_HLEN_14 + n_actions));
    put_be32(head + 4, OFP_PORT_ANY);
    put_be32(head + 8, OFP_GROUP_ANY);
    for (size_t at = BUCKET_HLEN_15 + n_actions; at < len;
         at += (get_be16(p + at + 2) + 7u) & ~7u) {
        switch (get_be16(p + at)) {
        case 0:
            put_be16(head + 2, get_be16(p + at + 4));
            break;
        case 1:
            put_be32(head + 4, get_be32(p + at + 4));
            break;
        case 2:
            put_be32(head + 8, get_be32(p + at + 4));
            break;
        }
    }
    b->bad |= !actions_in_14(p + BUCKET_HLEN_15, n_actions);
    add_copy(b, p + BUCKET_HLEN_15, n_actions);
}

/* 1.4 does not know single buckets and how a group selects. */
static void
group_to_14(struct bytes *b, const uint8_t *msg, size_t len)
{
    size_t end = GROUP_HLEN_15 + (size_t) get_be16(msg + 16);

    b->bad = get_be16(msg + 8) > GROUP_MODS_14 || end < len;
    add_copy(b, msg, GROUP_HLEN_14);
    for (size_t at = GROUP_HLEN_15; at < end; at += get_be16(msg + at))
        bucket_to_14(b, msg + at);
}

/* ------------------------------------------------------------------- send */

/* Writes the request as 'version' has it.  Meter-mods differ in the version
 * byte alone, group-mods of 1.3 and 1.4 too. */
static void
translate(struct bytes *b, uint8_t version, enum ofp_forward kind,
          const uint8_t *msg, size_t len)
{
    bool is_15 = msg[0] >= OF_VERSION_1_5;
    bool want_15 = version >= OF_VERSION_1_5;

    b->n = 0;
    b->bad = false;
    if (kind == OFP_FORWARD_METER_MOD || is_15 == want_15)
        add_copy(b, msg, len);
    else if (want_15)
        group_to_15(b, msg, len);
    else
        group_to_14(b, msg, len);
    b->p[0] = version;
    put_be16(b->p + 2, (uint16_t) b->n);
}

static void
send_request(struct ofp_session *s, const struct bytes *b)
{
    of_octets_t request = { (uint8_t *) (uintptr_t) b->p, (int) b->n };
    of_requestforward_t *m;

    m = of_requestforward_new((of_version_t) s->version);
    if (m && of_requestforward_request_set(m, &request) == OF_ERROR_NONE)
        ofp_session_send(s, m);
    else
        of_object_delete(m); /* No room for the outer header, or memory. */
}

/* 'from': the channel that is not told. */
static void
forward(struct ofp_bridge *b, const struct ofp_session *from,
        enum ofp_forward kind, const uint8_t *msg, size_t len)
{
    struct bytes *buf = NULL;
    struct ofp_session *s;

    BASE_LIST_FOR(s, &b->sessions, link) {
        if (s == from || s->version < OF_VERSION_1_4
            || !ofp_session_wants(s, OFP_ASYNC_REQUESTFORWARD, kind))
            continue;
        if (!buf)
            buf = base_xmalloc(sizeof *buf);
        translate(buf, s->version, kind, msg, len);
        if (!buf->bad)
            send_request(s, buf);
    }
    free(buf);
}

/* In a transaction: told when it has succeeded. */
struct held_forward {
    enum ofp_forward kind;
    uint8_t *msg;
    size_t len;
};

static void
held_forward_send(struct ofp_bridge *b, void *rec)
{
    const struct held_forward *h = rec;

    forward(b, b->actor, h->kind, h->msg, h->len);
}

static void
held_forward_free(void *rec)
{
    free(((struct held_forward *) rec)->msg);
}

static const struct ofp_txn_ops held_forward_ops = {
    .size = sizeof(struct held_forward),
    .done = held_forward_send,
    .free = held_forward_free,
};

void
ofp_async_forward(struct ofp_session *from, enum ofp_forward kind,
                  const uint8_t *msg, size_t len)
{
    struct ofp_bridge *b = from->b;

    if (ofp_txn_is_open(b))
        *(struct held_forward *) ofp_txn_log(b, &held_forward_ops) =
            (struct held_forward) { kind, base_xmemdup(msg, len), len };
    else
        forward(b, ofp_session_channel(from), kind, msg, len);
}
