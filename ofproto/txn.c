/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/txn.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/agent_priv.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define CHUNK 65280u   /* Fits where a bundle's chunk was. */
#define SLICE 2048u    /* Records per slice: a few ms at most. */

struct record {
    const struct ofp_txn_ops *ops;
    uint32_t next; /* Of the record behind this one, in its chunk; 0: none. */
    uint32_t prev;
    uint32_t xid; /* Of the message that did it, for flow monitors. */
    uint64_t data[];
};

struct chunk {
    struct chunk *next, *prev;
    uint32_t first, last; /* Offsets of records in mem[]; 'used' when none. */
    uint32_t used;
    uint64_t mem[];       /* CHUNK bytes. */
};

enum state {
    OPEN,
    UNDOING,  /* The agent's records ... */
    ABORTING, /* ... the datapath's. */
    SWITCHING,
    DOING,    /* 'done' of the records. */
    SETTLING,
};

struct ofp_txn {
    struct ofp_session *owner; /* NULL: gone. */
    uint64_t id;
    uint64_t began_ns;
    enum state state;
    uint64_t seq;              /* SWITCHING: wait for it. */
    struct chunk *head, *tail;
    struct chunk *at;          /* UNDOING, DOING: where. */
    uint32_t at_off;
    bool at_none;              /* Nothing is left. */
    uint32_t n_switch;         /* Records with 'at_switch'. */
};

/* ------------------------------------------------------------------- log */

static struct record *
record_at(struct chunk *c, uint32_t off)
{
    return (struct record *) (void *) ((char *) c->mem + off);
}

static struct chunk *
chunk_add(struct ofp_txn *t)
{
    struct chunk *c = base_xmalloc(sizeof *c + CHUNK);

    *c = (struct chunk) { .prev = t->tail };
    if (t->tail)
        t->tail->next = c;
    else
        t->head = c;
    t->tail = c;
    return c;
}

void *
ofp_txn_log(struct ofp_bridge *b, const struct ofp_txn_ops *ops)
{
    struct ofp_txn *t = b->txn;
    struct chunk *c = t->tail;
    uint32_t size = (uint32_t) (sizeof(struct record)
                                + (ops->size + 7) / 8 * 8);
    struct record *r;

    assert(t->state == OPEN && size <= CHUNK);
    if (!c || c->used + size > CHUNK)
        c = chunk_add(t);
    r = record_at(c, c->used);
    memset(r, 0, size);
    r->ops = ops;
    r->xid = b->actor_xid;
    r->prev = c->last;
    r->next = c->used + size;
    c->last = c->used;
    c->used += size;
    t->n_switch += ops->at_switch != NULL;
    return r->data;
}

/* The first record to look at. */
static void
walk_start(struct ofp_txn *t, bool backwards)
{
    t->at = backwards ? t->tail : t->head;
    t->at_off = t->at && backwards ? t->at->last : 0;
    t->at_none = !t->at;
}

static struct record *
walk_next(struct ofp_txn *t, bool backwards)
{
    struct chunk *c = t->at;
    struct record *r;

    if (t->at_none)
        return NULL;
    r = record_at(c, t->at_off);
    if (backwards ? t->at_off > 0 : r->next < c->used) {
        t->at_off = backwards ? r->prev : r->next;
        return r;
    }
    t->at = backwards ? c->prev : c->next;
    t->at_none = !t->at;
    t->at_off = t->at && backwards ? t->at->last : 0;
    return r;
}

static void
txn_free(struct ofp_bridge *b)
{
    struct ofp_txn *t = b->txn;
    struct chunk *c, *next;

    b->txn = NULL;
    for (c = t->head; c; c = next) {
        next = c->next;
        free(c);
    }
    free(t);
    ofp_sessions_changed(b); /* What was put off. */
}

/* -------------------------------------------------------------- begin, end */

/* Somebody else's change of many rules is cut into slices and would be seen
 * half done. */
static bool
others_write(const struct ofp_bridge *b, const struct ofp_session *owner)
{
    const struct ofp_session *s;

    BASE_LIST_FOR (s, &b->sessions, link)
        if (s != owner && s->job && s->job->writes)
            return true;
    return false;
}

int
ofp_txn_begin(struct ofp_bridge *b, struct ofp_session *owner, uint64_t *id)
{
    int err;

    if (b->txn || others_write(b, owner))
        return -EBUSY;
    ofp_bridge_commit(b); /* Nobody's barrier is to wait for this. */
    err = dp_txn_begin(b->dpb);
    if (err)
        return err;
    BASE_NEW(b->txn);
    b->txn->owner = owner;
    b->txn->id = *id = ++b->n_txns;
    b->txn->began_ns = base_clock_ns();
    return 0;
}

void
ofp_txn_commit(struct ofp_bridge *b)
{
    struct ofp_txn *t = b->txn;
    struct record *r;

    assert(t->state == OPEN);
    if (t->n_switch) {
        walk_start(t, false);
        while ((r = walk_next(t, false)))
            if (r->ops->at_switch)
                r->ops->at_switch(b, r->data);
    }
    dp_txn_commit(b->dpb);
    ofp_bridge_commit(b);
    t->seq = b->committed_seq;
    t->state = SWITCHING;
}

void
ofp_txn_abort(struct ofp_bridge *b)
{
    assert(b->txn->state == OPEN);
    b->txn->state = UNDOING;
    walk_start(b->txn, true);
}

/* ------------------------------------------------------------------ slices */

static bool
undo_slice(struct ofp_bridge *b, unsigned n)
{
    struct record *r;

    while (n-- && (r = walk_next(b->txn, true))) {
        if (r->ops->undo)
            r->ops->undo(b, r->data);
        if (r->ops->free)
            r->ops->free(r->data);
    }
    return !b->txn->at_none;
}

static bool
done_slice(struct ofp_bridge *b, unsigned n)
{
    struct ofp_session *owner = b->txn->owner;
    struct record *r;

    b->actor = owner ? ofp_session_channel(owner) : NULL;
    while (n-- && (r = walk_next(b->txn, false))) {
        b->actor_xid = r->xid;
        if (r->ops->done)
            r->ops->done(b, r->data);
        if (r->ops->free)
            r->ops->free(r->data);
    }
    b->actor = NULL;
    return !b->txn->at_none;
}

/* Runs up to 'n' records.  False: it waits, or there is none any more. */
static bool
txn_slice(struct ofp_bridge *b, unsigned n)
{
    struct ofp_txn *t = b->txn;

    switch (t->state) {
    case OPEN:
        return false;
    case UNDOING:
        if (!undo_slice(b, n))
            t->state = ABORTING;
        return true;
    case ABORTING:
        b->dirty = true;
        if (!dp_txn_abort(b->dpb, n))
            txn_free(b);
        return true;
    case SWITCHING:
        if (t->seq > b->synced_seq)
            return false;
        t->state = DOING;
        walk_start(t, false);
        return true;
    case DOING:
        if (!done_slice(b, n))
            t->state = SETTLING;
        return true;
    case SETTLING:
        b->dirty = true;
        if (!dp_txn_settle(b->dpb, n))
            txn_free(b);
        return true;
    }
    return false;
}

bool
ofp_txn_work(struct ofp_bridge *b)
{
    return b->txn && txn_slice(b, SLICE) && b->txn;
}

void
ofp_txn_drop(struct ofp_bridge *b)
{
    if (b->txn && b->txn->state == OPEN)
        ofp_txn_abort(b);
    if (b->txn && b->txn->state == SWITCHING)
        b->txn->seq = 0; /* dp_txn_settle waits for the workers. */
    while (b->txn && txn_slice(b, UINT_MAX))
        continue;
}

/* --------------------------------------------------------------- questions */

bool
ofp_txn_is_open(const struct ofp_bridge *b)
{
    return b->txn && b->txn->state == OPEN;
}

uint64_t
ofp_txn_now(const struct ofp_bridge *b)
{
    return b->txn ? b->txn->began_ns : base_clock_ns();
}

bool
ofp_txn_switched(const struct ofp_bridge *b, uint64_t id)
{
    return !b->txn || b->txn->id != id || b->txn->state == DOING
           || b->txn->state == SETTLING;
}

bool
ofp_txn_holds(const struct ofp_bridge *b, const struct ofp_session *s)
{
    return b->txn && b->txn->owner != s;
}

void
ofp_txn_session_gone(struct ofp_bridge *b, const struct ofp_session *s)
{
    if (!b->txn || b->txn->owner != s)
        return;
    b->txn->owner = NULL;
    if (b->txn->state == OPEN)
        ofp_txn_abort(b);
}
