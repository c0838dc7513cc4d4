/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/bundle.h"

#include <stdlib.h>

#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define CHUNK 65536u /* Holds the longest message. */

/* Messages one behind the other, each at a multiple of 8. */
struct chunk {
    struct chunk *next;
    uint32_t used;
    uint64_t mem[CHUNK / 8];
};

#define BUNDLE_REQUEST 48 /* With a time. */

struct ofp_bundle {
    struct base_list link; /* In the session's. */
    uint32_t id;
    uint16_t flags;
    bool closed;
    bool committing;
    uint64_t heard_ns;
    size_t n_msgs;
    /* A scheduled commit; 'reply' is NULL once its job runs. */
    uint64_t due_ns; /* Packets go by it from then on; 0: not scheduled. */
    of_object_t *reply;
    uint8_t request[BUNDLE_REQUEST]; /* Of the commit, for a late error. */
    size_t request_len;
    size_t bytes;          /* Of its chunks. */
    struct chunk *head, *tail;
};

/* ------------------------------------------------------------------ keeping */

struct ofp_bundle *
ofp_bundle_find(struct ofp_session *s, uint32_t id)
{
    struct ofp_bundle *bu;

    BASE_LIST_FOR (bu, &s->bundles, link)
        if (bu->id == id)
            return bu;
    return NULL;
}

enum ofp_err
ofp_bundle_open(struct ofp_session *s, uint32_t id, uint16_t flags,
                struct ofp_bundle **out)
{
    struct ofp_bundle *bu;
    unsigned n = 0;

    BASE_LIST_FOR (bu, &s->bundles, link)
        n++;
    if (n >= OFP_BUNDLES_MAX) {
        base_log(BASE_LOG_WARN, OFP_LOG,
                 "%s: %s: bundle %u refused: %u are open, the most of a"
                 " connection", s->b->name, s->conn->peer, id, n);
        return OFP_ERR_BUNDLE_OUT_OF_BUNDLES;
    }
    BASE_NEW(bu);
    bu->id = id;
    bu->flags = flags;
    ofp_bundle_touch(bu);
    base_list_add_tail(&s->bundles, &bu->link);
    *out = bu;
    return OFP_OK;
}

void
ofp_bundle_discard(struct ofp_session *s, struct ofp_bundle *bu)
{
    struct chunk *c, *next;

    for (c = bu->head; c; c = next) {
        next = c->next;
        free(c);
    }
    s->bundle_bytes -= bu->bytes;
    s->b->n_scheduled -= bu->due_ns != 0;
    of_object_delete(bu->reply);
    base_list_del(&bu->link);
    free(bu);
}

uint16_t
ofp_bundle_flags(const struct ofp_bundle *bu)
{
    return bu->flags;
}

bool
ofp_bundle_is_closed(const struct ofp_bundle *bu)
{
    return bu->closed;
}

void
ofp_bundle_close(struct ofp_bundle *bu)
{
    bu->closed = true;
}

bool
ofp_bundle_is_scheduled(const struct ofp_bundle *bu)
{
    return bu->due_ns;
}

void
ofp_bundle_touch(struct ofp_bundle *bu)
{
    bu->heard_ns = base_clock_ns();
}

/* NULL: too much is kept already. */
static struct chunk *
chunk_add(struct ofp_session *s, struct ofp_bundle *bu)
{
    struct chunk *c;

    if (s->bundle_bytes + sizeof *c > OFP_BUNDLE_BYTES)
        return NULL;
    c = base_xmalloc(sizeof *c);
    c->next = NULL;
    c->used = 0;
    if (bu->tail)
        bu->tail->next = c;
    else
        bu->head = c;
    bu->tail = c;
    bu->bytes += sizeof *c;
    s->bundle_bytes += sizeof *c;
    return c;
}

enum ofp_err
ofp_bundle_add(struct ofp_session *s, struct ofp_bundle *bu,
               const uint8_t *msg, size_t len)
{
    struct chunk *c = bu->tail;

    if (!c || c->used + len > CHUNK)
        c = chunk_add(s, bu);
    if (!c) {
        base_log(BASE_LOG_WARN, OFP_LOG,
                 "%s: %s: bundle %u: message refused: bundles hold %u MiB, the"
                 " most of a connection", s->b->name, s->conn->peer, bu->id,
                 OFP_BUNDLE_BYTES >> 20);
        return OFP_ERR_BUNDLE_MSG_TOO_MANY;
    }
    memcpy((uint8_t *) c->mem + c->used, msg, len);
    c->used += (uint32_t) ((len + 7) / 8 * 8);
    bu->n_msgs++;
    return OFP_OK;
}

void
ofp_bundles_discard(struct ofp_session *s)
{
    struct ofp_bundle *bu, *tmp;

    BASE_LIST_FOR_SAFE (bu, tmp, &s->bundles, link)
        ofp_bundle_discard(s, bu);
}

/* §7.3.9.4: the controller hears of it, about a message that never was: only
 * the bundle's id tells which. */
static void
bundle_expire(struct ofp_session *s, struct ofp_bundle *bu)
{
    uint8_t about[16] = { s->version, 33, 0, 16 }; /* BUNDLE_CONTROL */

    put_be32(about + 8, bu->id);
    put_be16(about + 14, bu->flags);
    base_log(BASE_LOG_INFO, OFP_LOG,
             "%s: %s: bundle %u discarded: nothing was heard of it for %u s",
             s->b->name, s->conn->peer, bu->id,
             (unsigned) (OFP_BUNDLE_IDLE_NS / 1000000000));
    ofp_bundle_discard(s, bu);
    ofp_session_error(s, OFP_ERR_BUNDLE_TIMEOUT, about, sizeof about);
}

void
ofp_bundles_expire(struct ofp_bridge *b, uint64_t now_ns)
{
    struct ofp_session *s;
    struct ofp_bundle *bu, *tmp;

    BASE_LIST_FOR (s, &b->sessions, link)
        BASE_LIST_FOR_SAFE (bu, tmp, &s->bundles, link)
            if (!bu->committing && !s->input_bytes
                && bu->heard_ns + OFP_BUNDLE_IDLE_NS <= now_ns)
                bundle_expire(s, bu);
}

/* ------------------------------------------------------------------- commit */

struct commit {
    struct ofp_job job;
    struct ofp_session *s;
    struct ofp_bundle *bu;
    of_object_t *reply;
    struct chunk *at;      /* The next message's place. */
    uint32_t at_off;
    struct ofp_job *inner; /* Started by the message in hand; NULL: none. */
    const uint8_t *msg;    /* In hand. */
    enum { WAITING, APPLYING, READY, SWITCHING } state;
    uint64_t txn;
};

static void
commit_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct commit *c = WEFT_CONTAINER_OF(job, struct commit, job);

    if (c->inner)
        c->inner->destroy(c->inner, b);
    if ((c->state == APPLYING || c->state == READY) && ofp_txn_is_open(b))
        ofp_txn_abort(b);
    ofp_bundle_discard(c->s, c->bu);
    of_object_delete(c->reply);
    free(c);
}

/* Gives back the first chunk: what is in it was handled, and the
 * transaction's log can use the memory while it is warm. */
static void
commit_chunk_done(struct commit *c)
{
    struct ofp_bundle *bu = c->bu;
    struct chunk *done = bu->head;

    bu->head = done->next;
    if (!bu->head)
        bu->tail = NULL;
    bu->bytes -= sizeof *done;
    c->s->bundle_bytes -= sizeof *done;
    free(done);
}

/* The next message; NULL: that was the last one.  The one before is gone. */
static const uint8_t *
commit_next(struct commit *c)
{
    const uint8_t *msg;

    if (c->at && c->at_off == c->at->used) {
        c->at = c->at->next;
        c->at_off = 0;
        commit_chunk_done(c);
    }
    if (!c->at)
        return NULL;
    msg = (const uint8_t *) c->at->mem + c->at_off;
    c->at_off += (get_be16(msg + 2) + 7u) / 8 * 8;
    return msg;
}

/* Handles a message, or goes on with one that takes long.  Sets *more when
 * the slice is used up first. */
static enum ofp_err
commit_message(struct commit *c, unsigned *budget, bool *more)
{
    struct ofp_session *s = c->s;
    enum ofp_err err = OFP_OK;

    if (!c->inner) {
        s->job = NULL;
        err = ofp_session_handle_one(s, c->msg, get_be16(c->msg + 2));
        c->inner = s->job;
        s->job = &c->job;
        *budget -= WEFT_MIN(*budget, (unsigned) OFP_COST_ACT);
    }
    if (!c->inner)
        return err;
    s->error_to = &err;
    *more = c->inner->run(c->inner, s, budget) != OFP_STEP_DONE;
    s->error_to = NULL;
    if (!*more) {
        c->inner->destroy(c->inner, s->b);
        c->inner = NULL;
    }
    return err;
}

/* §7.3.9.5: the message's own error, then that of the commit. */
static void
commit_failed(struct commit *c, enum ofp_err err)
{
    ofp_txn_abort(c->s->b);
    ofp_session_error(c->s, err, c->msg, get_be16(c->msg + 2));
    ofp_session_error(c->s, OFP_ERR_BUNDLE_MSG_FAILED, c->job.head,
                      c->job.head_len);
}

static enum ofp_step
commit_apply(struct commit *c, unsigned *budget)
{
    while (c->inner || (c->msg = commit_next(c))) {
        bool more = false;
        enum ofp_err err = commit_message(c, budget, &more);

        if (err) {
            commit_failed(c, err);
            return OFP_STEP_DONE;
        }
        if (more || !*budget)
            return OFP_STEP_MORE;
    }
    c->state = READY;
    return OFP_STEP_MORE;
}

/* All is staged: packets go by it now, or when its time has come. */
static enum ofp_step
commit_switch(struct commit *c)
{
    if (c->bu->due_ns > base_clock_ns())
        return OFP_STEP_BLOCKED;
    ofp_txn_commit(c->s->b);
    c->state = SWITCHING;
    return OFP_STEP_BLOCKED;
}

static enum ofp_step
commit_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct commit *c = WEFT_CONTAINER_OF(job, struct commit, job);

    if (c->state == WAITING) {
        if (ofp_txn_begin(s->b, s, &c->txn))
            return OFP_STEP_MORE; /* Whoever it is has work to do. */
        c->state = APPLYING;
    }
    if (c->state == APPLYING)
        return commit_apply(c, budget);
    if (c->state == READY)
        return commit_switch(c);
    if (!ofp_txn_switched(s->b, c->txn))
        return OFP_STEP_BLOCKED;
    ofp_session_send(s, c->reply);
    c->reply = NULL;
    return OFP_STEP_DONE;
}

static struct commit *
commit_new(struct ofp_session *s, struct ofp_bundle *bu, of_object_t *reply)
{
    struct commit *c;

    bu->committing = true;
    BASE_NEW(c);
    c->job.run = commit_run;
    c->job.destroy = commit_destroy;
    c->job.writes = true;
    c->s = s;
    c->bu = bu;
    c->reply = reply;
    c->at = bu->head;
    return c;
}

void
ofp_bundle_commit(struct ofp_session *s, struct ofp_bundle *bu,
                  of_object_t *reply)
{
    ofp_session_start_job(s, &commit_new(s, bu, reply)->job);
}

/* ----------------------------------------------------------- at a given time */

/* Staging begins so much earlier: other sessions wait from then on. */
#define LEAD_NS 2000000
#define LEAD_MSG_NS 4000
#define LEAD_MAX_NS 1000000000
#define NS_PER_S UINT64_C(1000000000)

static uint64_t
bundle_start_ns(const struct ofp_bundle *bu)
{
    uint64_t lead = LEAD_NS + LEAD_MSG_NS * (uint64_t) bu->n_msgs;

    return bu->due_ns - WEFT_MIN(WEFT_MIN(lead, (uint64_t) LEAD_MAX_NS),
                                 bu->due_ns);
}

void
ofp_bundle_schedule(struct ofp_session *s, struct ofp_bundle *bu,
                    of_object_t *reply, uint64_t due_ns)
{
    bu->committing = true;
    bu->due_ns = WEFT_MAX(due_ns, (uint64_t) 1);
    bu->reply = reply;
    bu->request_len = WEFT_MIN(s->msg_len, sizeof bu->request);
    memcpy(bu->request, s->msg, bu->request_len);
    s->b->n_scheduled++;
}

/* When something is to be done about it next; 0: now. */
static uint64_t
bundle_run(struct ofp_session *s, struct ofp_bundle *bu, uint64_t now)
{
    if (!bu->reply) /* Its job runs, or waits for the time. */
        return bu->due_ns > now ? bu->due_ns : UINT64_MAX;
    if (bundle_start_ns(bu) > now)
        return bundle_start_ns(bu);
    if (s->job || s->barrier || s->closing)
        return UINT64_MAX; /* What ends brings us here again. */
    ofp_session_start_late(s, &commit_new(s, bu, bu->reply)->job, bu->request,
                           bu->request_len);
    bu->reply = NULL;
    return bu->due_ns > now ? bu->due_ns : UINT64_MAX;
}

void
ofp_bundles_run(struct ofp_bridge *b)
{
    uint64_t now, next = UINT64_MAX;
    struct ofp_session *s;
    struct ofp_bundle *bu;

    b->wake_ns = UINT64_MAX;
    if (!b->n_scheduled)
        return;
    now = base_clock_ns();
    BASE_LIST_FOR (s, &b->sessions, link)
        BASE_LIST_FOR (bu, &s->bundles, link)
            if (bu->due_ns)
                next = WEFT_MIN(next, bundle_run(s, bu, now));
    b->wake_ns = next;
}

bool
ofp_time_take(of_time_t *t, uint64_t *ns)
{
    uint64_t sec;
    uint32_t nsec;

    of_time_seconds_get(t, &sec);
    of_time_nanoseconds_get(t, &nsec);
    *ns = sec > UINT64_MAX / NS_PER_S - 1 ? UINT64_MAX
                                          : sec * NS_PER_S + nsec;
    return nsec < NS_PER_S;
}

void
ofp_time_put(of_time_t *t, uint64_t ns)
{
    of_time_seconds_set(t, ns / NS_PER_S);
    of_time_nanoseconds_set(t, (uint32_t) (ns % NS_PER_S));
}
