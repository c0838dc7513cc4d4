/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge's agent: life, time, commits, fail mode, the programs' questions. */
#include "ofproto/agent_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ofproto/monitor.h"
#include "utils/base/clock.h"
#include "utils/base/hmap.h"
#include "utils/base/mem.h"

#define OFP_VERSIONS                                                          \
    (1u << OF_VERSION_1_0 | 1u << OF_VERSION_1_3 | 1u << OF_VERSION_1_4       \
     | 1u << OF_VERSION_1_5)
#define FLUSH_SESSIONS 4 /* Slices per ofp_flush. */
#define OFP_SCHED_NS 1000000000 /* OpenFlow 1.5.1 §7.3.5.20: the default. */

uint32_t
ofp_versions(void)
{
    return OFP_VERSIONS;
}

/* -------------------------------------------------------------------- life */

/* Stable over restarts, different between machines: a locally administered
 * MAC address in the low 48 bits (OpenFlow 1.3.5 §7.3.1), 16 bits of the
 * name above. */
static uint64_t
dpid_choose(const char *name)
{
    char id[64] = "";
    FILE *f = fopen("/etc/machine-id", "re");
    uint64_t lo, hi;

    if (f) {
        if (!fgets(id, sizeof id, f))
            id[0] = '\0';
        fclose(f);
    }
    lo = (uint64_t) base_hash_bytes(id, strlen(id), 1) << 16;
    hi = base_hash_bytes(name, strlen(name), 2);
    return (hi & 0xffff) << 48 | UINT64_C(0x020000000000)
           | ((lo ^ hi << 8) & UINT64_C(0x00ffffffffff));
}

int
ofp_bridge_create(struct dp *dp, const struct ofp_bridge_config *c,
                  struct ofp_bridge **out, struct weft_err *e)
{
    struct ofp_bridge *b;
    int err;

    BASE_NEW(b);
    err = dp_bridge_add(dp, c->name, b, &b->dpb, e);
    if (err) {
        free(b);
        return err;
    }
    b->dp = dp;
    b->name = base_xstrdup(c->name);
    b->dpid = c->dpid ? c->dpid : dpid_choose(c->name);
    b->fail_mode = c->fail_mode;
    b->versions = OFP_VERSIONS;
    base_list_init(&b->sessions);
    base_list_init(&b->dumps);
    base_list_init(&b->clients);
    ofp_tables_init(&b->tables);
    ofp_meters_init(&b->meters);
    ofp_triggers_init(&b->triggers);
    b->compile.egress = DP_NO_TABLE;
    b->sched_future_ns = b->sched_past_ns = OFP_SCHED_NS;
    ofp_groups_init(&b->groups);
    b->compile.groups = &b->groups;
    ofp_session_agent_init(b);
    ofp_sessions_changed(b);
    ofp_standalone_update(b);
    ofp_flush(b);
    *out = b;
    return 0;
}

void
ofp_bridge_destroy(struct ofp_bridge *b)
{
    if (!b)
        return;
    ofp_clients_detach(b);
    while (!base_list_empty(&b->sessions))
        ofp_session_destroy(WEFT_CONTAINER_OF(b->sessions.next,
                                              struct ofp_session, link));
    ofp_dumps_detach(b);
    ofp_txn_drop(b);
    ofp_evict_fini(b);
    ofp_tables_fini(&b->tables);
    ofp_meters_fini(b);
    ofp_timers_fini(&b->timers);
    ofp_triggers_fini(&b->triggers);
    ofp_groups_fini(&b->groups);
    ofp_compile_fini(&b->compile);
    dp_bridge_del(b->dpb); /* And all rules. */
    free(b->name);
    free(b);
}

struct dp_bridge *
ofp_bridge_dp(struct ofp_bridge *b)
{
    return b->dpb;
}

uint64_t
ofp_bridge_dpid(const struct ofp_bridge *b)
{
    return b->dpid;
}

enum ofp_fail_mode
ofp_bridge_fail_mode(const struct ofp_bridge *b)
{
    return b->fail_mode;
}

void
ofp_bridge_set_fail_mode(struct ofp_bridge *b, enum ofp_fail_mode mode)
{
    b->fail_mode = mode;
    ofp_sessions_changed(b);
    ofp_standalone_update(b);
    ofp_flush(b);
}

int
ofp_bridge_set_versions(struct ofp_bridge *b, uint32_t versions,
                        struct weft_err *e)
{
    if (!versions)
        versions = OFP_VERSIONS;
    if (!(versions & OFP_VERSIONS))
        return weft_err_set(e, -EINVAL,
                            "bridge %s: no OpenFlow version of bitmap 0x%x is"
                            " implemented (1.0 is bit 1, 1.3 to 1.5 are 4 to 6)",
                            b->name, versions);
    b->versions = versions & OFP_VERSIONS;
    return 0;
}

const struct ofconn_agent *
ofp_bridge_agent(struct ofp_bridge *b)
{
    return &b->agent;
}

void
ofp_bridge_get_stats(struct ofp_bridge *b, struct ofp_bridge_stats *s)
{
    *s = b->stats;
}

/* --------------------------------------------------------------- sessions */

/* Fail mode hold: the timeouts stand still while no controller is there. */
static void
freeze_update(struct ofp_bridge *b, bool connected)
{
    bool freeze = b->fail_mode == OFP_FAIL_HOLD && !connected;
    uint64_t now = base_clock_ns();

    if (freeze && !b->frozen_ns) {
        b->frozen_ns = now;
    } else if (!freeze && b->frozen_ns) {
        ofp_timers_shift(&b->timers, now - b->frozen_ns);
        b->frozen_ns = 0;
    }
}

void
ofp_sessions_changed(struct ofp_bridge *b)
{
    struct ofp_session *s;
    bool connected = false, of10 = false, ttl = false;

    BASE_LIST_FOR(s, &b->sessions, link) {
        ttl |= s->version > OF_VERSION_1_0
               && ofp_session_wants(s, OFP_ASYNC_PACKET_IN,
                                    DP_PUNT_INVALID_TTL);
        if (s->controller && !s->closing) {
            connected = true;
            of10 |= s->version == OF_VERSION_1_0;
        }
    }
    b->ever_connected |= connected;
    if (!b->txn) /* Else when it ends. */
        freeze_update(b, connected);
    /* OpenFlow 1.0 sends what matches nothing to the controller, 1.3 drops
     * it unless a table-miss rule says otherwise (§5.4).  One table serves
     * both, so a controller that speaks 1.0 decides, and only such sessions
     * get these packet-ins. */
    if (of10 != b->miss_to_controller) {
        b->miss_to_controller = of10;
        dp_table_set_miss(b->dpb, 0,
                          of10 ? DP_MISS_CONTROLLER : DP_MISS_DROP);
        b->dirty = true;
    }
    /* Where nobody wants to hear of it (OpenFlow 1.3.5 §6.3.4, §7.3.10), the
     * packet is dropped where its TTL runs out. */
    if (ttl != b->ttl_to_controller) {
        b->ttl_to_controller = ttl;
        dp_bridge_set_ttl_punt(b->dpb, ttl);
    }
}

/* ------------------------------------------------------------------- time */

void
ofp_tick(struct ofp_bridge *b, uint64_t now_ns)
{
    struct ofp_session *s;

    b->expire_ns = now_ns;
    if (!b->txn)
        ofp_triggers_run(b);
    ofp_bundles_expire(b, now_ns);
    BASE_LIST_FOR(s, &b->sessions, link)
        ofp_features_request_expire(s, now_ns);
    ofp_flush(b);
}

/* One slice of what is due.  Returns true if there is more. */
static bool
expire(struct ofp_bridge *b)
{
    if (!b->expire_ns || b->frozen_ns || b->txn)
        return false;
    if (ofp_rules_expire(b, b->expire_ns))
        return true;
    b->expire_ns = 0;
    return false;
}

void
ofp_bridge_commit(struct ofp_bridge *b)
{
    struct ofp_session *s;

    ofp_standalone_update(b);
    if (!b->dirty)
        return;
    b->dirty = false;
    b->committed_seq = dp_commit(b->dp);
    BASE_LIST_FOR(s, &b->sessions, link)
        if (s->barrier && !s->barrier_seq)
            s->barrier_seq = b->committed_seq;
}

/* Closes what failed meanwhile: closed() may come inside. */
static void
close_failed(struct ofp_bridge *b)
{
    struct ofp_session *s, *tmp;

    BASE_LIST_FOR_SAFE(s, tmp, &b->sessions, link)
        if (s->closing && s->why) {
            const char *why = s->why;

            s->why = NULL;
            s->conn->ops->close(s->conn, why);
        }
}

/* Updates of rules go out before a barrier that follows is answered. */
static bool
monitors_work(struct ofp_bridge *b)
{
    struct ofp_session *s;
    bool more = false;

    BASE_LIST_FOR(s, &b->sessions, link)
        more |= ofp_monitor_work(s);
    return more;
}

bool
ofp_flush(struct ofp_bridge *b)
{
    struct ofp_session *s, *tmp;
    unsigned left = FLUSH_SESSIONS;
    bool more = ofp_txn_work(b);

    more |= expire(b);
    ofp_bundles_run(b);

    BASE_LIST_FOR_SAFE(s, tmp, &b->sessions, link) {
        if ((!s->job && base_list_empty(&s->input)) || s->barrier
            || ofp_txn_holds(b, s))
            continue;
        if (!left--) {
            more = true;
            break;
        }
        if (ofp_session_work(s)) { /* The others come first next time. */
            more = true;
            base_list_del(&s->link);
            base_list_add_tail(&b->sessions, &s->link);
            if (&tmp->link == &b->sessions)
                break; /* It was the last one. */
        }
    }
    more |= monitors_work(b);
    if (!ofp_txn_is_open(b)) /* What it stages is not to be seen yet. */
        ofp_bridge_commit(b);
    ofp_vacancy_run(b);
    close_failed(b);
    return more;
}

uint64_t
ofp_wake_ns(const struct ofp_bridge *b)
{
    return b->wake_ns;
}

void
ofp_synced(struct ofp_bridge *b, uint64_t seq)
{
    struct ofp_session *s, *tmp;

    if (seq > b->synced_seq)
        b->synced_seq = seq;
    BASE_LIST_FOR_SAFE(s, tmp, &b->sessions, link)
        ofp_session_synced(s);
    ofp_flush(b);
}
