/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the agent: bridge, session, jobs.
 *
 * What:    the structs that ofproto's files share, and the calls between
 *          them.
 * Model:   A bridge has tables and sessions.  A session handles one message
 *          at a time.  What takes long (a scan over the rules, a reply that
 *          does not fit) becomes the session's job and is run in slices; as
 *          long as a job or a barrier is under way, later messages of that
 *          session wait in its input queue, so that OpenFlow 1.3.5 §6.2 holds
 *          without blocking anybody else:
 *
 *            message() -> [input queue] -> handler -> [job] -> reply
 *                              ^ held by job or barrier
 *
 * Threads: control.
 * Owns:    bridge owns sessions' memory from opened() to closed().
 * Errors:  enum ofp_err from handlers; session.c answers. */
#ifndef OFP_AGENT_PRIV_H
#define OFP_AGENT_PRIV_H

#include "loci/loci.h"
#include "ofproto/compile.h"
#include "ofproto/groups.h"
#include "ofproto/instr.h"
#include "ofproto/meters.h"
#include "ofproto/ofp_err.h"
#include "ofproto/ofproto.h"
#include "ofproto/ports.h"
#include "ofproto/tables.h"
#include "ofproto/timers.h"
#include "ofproto/triggers.h"
#include "ofproto/txn.h"
#include "utils/base/list.h"
#include "utils/base/log.h"

#define OFP_LOG "ofproto"

/* Work of one slice: looking at a rule costs 1, acting on it 8. */
#define OFP_SLICE 16384
#define OFP_COST_ACT 8

#define OFP_OUTPUT_HIGH (1u << 20)  /* Replies pause above. */
#define OFP_INPUT_HIGH (1u << 20)   /* Reading pauses above. */
#define OFP_INPUT_MAX (64u << 20)   /* The session is closed above. */
#define OFP_MAX_MESSAGE 65535

enum ofp_role { OFP_ROLE_NOCHANGE, OFP_ROLE_EQUAL, OFP_ROLE_MASTER,
                OFP_ROLE_SLAVE };
/* Kinds of messages sent unasked; kind N is configured by the properties 2 N
 * (slave) and 2 N + 1 (master and equal) of 1.4's set-async. */
enum ofp_async { OFP_ASYNC_PACKET_IN, OFP_ASYNC_PORT_STATUS,
                 OFP_ASYNC_FLOW_REMOVED, OFP_ASYNC_ROLE_STATUS,
                 OFP_ASYNC_TABLE_STATUS, OFP_ASYNC_REQUESTFORWARD,
                 OFP_ASYNC_FLOW_STATS, OFP_ASYNC_CONT_STATUS, /* 1.5 */
                 OFP_N_ASYNC };
/* OFPRR_* of 1.4. */
enum ofp_removed { OFP_RR_IDLE, OFP_RR_HARD, OFP_RR_DELETE,
                   OFP_RR_GROUP_DELETE, OFP_RR_METER_DELETE,
                   OFP_RR_EVICTION };
enum ofp_forward { OFP_FORWARD_GROUP_MOD, OFP_FORWARD_METER_MOD }; /* OFPRFR_* */

/* Flow-mod flags of 1.3; 1.0 shares the first two. */
#define OFP_FF_SEND_FLOW_REM 0x01
#define OFP_FF_CHECK_OVERLAP 0x02
#define OFP_FF_RESET_COUNTS 0x04
#define OFP_FF_NO_PKT_COUNTS 0x08
#define OFP_FF_NO_BYT_COUNTS 0x10
#define OFP_FF_ALL 0x1f
#define OFP_FF_TRIGGER 0x8000 /* Ours, of a rule: see triggers.h. */

struct ofp_session;
struct ofp_job;
struct ofp_monitors;
struct ofp_features_request;

enum ofp_step {
    OFP_STEP_DONE,
    OFP_STEP_MORE,    /* The slice is used up. */
    OFP_STEP_BLOCKED, /* The output queue is full: writable() goes on. */
};

/* Head of every job; 'run' is called until it returns DONE, 'destroy' frees
 * it, done or not. */
struct ofp_job {
    enum ofp_step (*run)(struct ofp_job *, struct ofp_session *,
                         unsigned *budget);
    void (*destroy)(struct ofp_job *, struct ofp_bridge *);
    bool writes; /* Changes state: no transaction begins beside it. */
    uint32_t xid;
    uint8_t head[64]; /* Of the request, for a late error. */
    uint16_t head_len;
};

struct ofp_session {
    struct base_list link; /* In the bridge's sessions. */
    struct ofp_bridge *b;
    struct ofconn *conn;
    struct ofp_session *main; /* Of an auxiliary connection; NULL: this is a
                               * main one.  Role, what is sent unasked and
                               * the configuration are the main one's: see
                               * ofp_session_channel. */
    uint8_t version;    /* Wire version; 0 before HELLO. */
    bool closing;       /* Nothing more is read or sent. */
    const char *why;    /* Close with this reason in ofp_flush; NULL: the
                         * transport knows already. */
    bool controller;    /* Not only a tool that asks one thing. */
    bool paused;        /* conn->ops->pause was called. */
    bool working;       /* Inside session_work: no recursion. */
    enum ofp_role role;
    uint16_t short_id;  /* 1.5: the controller's name for itself; 0: none. */
    uint16_t miss_send_len;
    uint32_t async[OFP_N_ASYNC][2]; /* Bit N: reason N.  [1]: as slave. */

    struct ofp_monitors *monitors; /* NULL: never had any. */
    struct ofp_features_request *features; /* Begun; NULL: none. */
    uint64_t n_requests;     /* Messages handled so far. */

    struct ofp_job *job;     /* NULL: none. */
    enum ofp_err *error_to;  /* Errors of a bundle's message go there; NULL:
                              * to the peer. */
    struct base_list bundles; /* struct ofp_bundle */
    size_t bundle_bytes;     /* In all of them. */
    bool barrier;            /* A BARRIER_REPLY is owed. */
    uint32_t barrier_xid;
    uint64_t barrier_seq;    /* Commit that it waits for; 0: the next. */
    struct base_list input;  /* Messages that wait. */
    size_t input_bytes;

    const uint8_t *msg;      /* In hand; valid inside a handler. */
    size_t msg_len;
};

struct ofp_bridge {
    struct dp *dp;
    struct dp_bridge *dpb;
    char *name;
    uint64_t dpid;
    enum ofp_fail_mode fail_mode;
    uint32_t versions; /* Bit N: wire version N is spoken. */
    struct ofconn_agent agent;
    struct base_list sessions;
    struct base_list dumps; /* struct ofp_flow_dump */
    struct base_list clients; /* struct ofp_client */

    struct ofp_tables tables;
    struct ofp_timers timers;
    struct ofp_meters meters;
    struct ofp_groups groups;
    struct ofp_compile compile;
    struct ofp_triggers triggers;

    /* Bundles at a given time: how many wait, when the next one wants to be
     * looked at, and how far off a time may be. */
    unsigned n_scheduled;
    uint64_t wake_ns;
    uint64_t sched_future_ns, sched_past_ns;

    unsigned n_vacancy;     /* Tables with vacancy events on. */
    struct ofp_txn *txn;    /* Under way; NULL: none. */
    uint64_t n_txns;
    bool dirty;             /* Changes since the last dp_commit. */
    uint64_t committed_seq; /* Of the last dp_commit. */
    uint64_t synced_seq;

    uint32_t n_monitors;    /* Flow monitors of all sessions. */
    /* Who makes the changes that happen now (its channel), and by which
     * request; NULL: the switch itself. */
    const struct ofp_session *actor;
    uint32_t actor_xid;

    uint64_t expire_ns;     /* Timeouts up to then are still being worked
                             * off; 0: none. */

    bool ever_connected;        /* A controller was there. */
    struct dp_rule *standalone; /* The hidden NORMAL rule; NULL: none. */
    uint64_t frozen_ns;         /* Fail mode hold: timeouts stand still since
                                 * then; 0: they run. */
    bool miss_to_controller;    /* Table 0's miss, for OpenFlow 1.0. */
    bool frag_drop;             /* OFPC_FRAG_DROP is set. */
    bool ttl_to_controller;     /* Somebody asked for OFPR_INVALID_TTL. */
    bool generation_known;      /* §7.3.9: set by the first role request. */
    uint64_t generation_id;
    struct ofp_bridge_stats stats;
};

/* ------------------------------------------------------------- monitor.c */

enum ofp_change { OFP_RULE_ADDED, OFP_RULE_MODIFIED, OFP_RULE_REMOVED };
void ofp_monitor_report(struct ofp_bridge *, struct ofp_rule *,
                        enum ofp_change, unsigned why,
                        const struct dp_instr *was);
/* A rule is there now, was changed, is about to go ('why': enum
 * ofp_removed).  'was': what it did before, for filters by out_port and
 * out_group; NULL: what it does. */
static inline void
ofp_monitor_rule(struct ofp_bridge *b, struct ofp_rule *r,
                 enum ofp_change change, unsigned why,
                 const struct dp_instr *was)
{
    if (b->n_monitors)
        ofp_monitor_report(b, r, change, why, was);
}

/* ------------------------------------------------------------- session.c */

void ofp_session_agent_init(struct ofp_bridge *);
/* Sends and deletes 'msg' (NULL: out of memory, the session is closed). */
void ofp_session_send(struct ofp_session *, of_object_t *msg);
/* Bytes of one or more whole messages. */
void ofp_session_send_raw(struct ofp_session *, const void *, size_t len);
/* ERROR about the request whose first bytes are 'head'. */
void ofp_session_error(struct ofp_session *, enum ofp_err,
                       const uint8_t *head, size_t len);
/* The same by type and code of the wire. */
void ofp_session_error_code(struct ofp_session *, uint16_t type,
                            uint16_t code, const uint8_t *head, size_t len);
/* Handles one whole message of the session's version, which was parsed
 * before; an error is returned instead of sent.  Thread of a job: what job
 * the message starts is the session's afterwards. */
enum ofp_err ofp_session_handle_one(struct ofp_session *, const uint8_t *msg,
                                    size_t len);
/* Makes 'job' the session's; the handler returns OFP_OK afterwards. */
void ofp_session_start_job(struct ofp_session *, struct ofp_job *job);
/* The same outside a handler, for an earlier request; the session has no
 * job. */
void ofp_session_start_late(struct ofp_session *, struct ofp_job *job,
                            const uint8_t *request, size_t len);
/* One slice of the session's job and as many waiting messages as allowed.
 * Returns true if it could go on at once. */
bool ofp_session_work(struct ofp_session *);
void ofp_session_destroy(struct ofp_session *);
/* Is the message sent to this session?  'reason' is that of the kind. */
bool ofp_session_wants(const struct ofp_session *, enum ofp_async,
                       unsigned reason);
/* Answers barriers that wait for commits up to 'synced_seq'. */
void ofp_session_synced(struct ofp_session *);

/* The controller behind the session: its main connection (§6.3.6). */
static inline struct ofp_session *
ofp_session_channel(struct ofp_session *s)
{
    return s->main ? s->main : s;
}

/* Changes the role of a whole channel. */
void ofp_session_set_role(struct ofp_session *, enum ofp_role);
/* The connection of channel 's' for a packet-in: packets of one flow take
 * the same one as long as the connections stay (§6.3.6). */
struct ofp_session *ofp_session_for_frame(struct ofp_session *s,
                                          const uint8_t *frame, size_t len);

/* Counts the session as a controller from now on: it is no tool that asks
 * one thing and goes. */
void ofp_session_is_controller(struct ofp_session *);
/* bridge.c: dp_commit, if anything has changed. */
void ofp_bridge_commit(struct ofp_bridge *);
/* bridge.c: a session came, went or changed: fail mode and table miss. */
void ofp_sessions_changed(struct ofp_bridge *);
/* Bit N: wire version N is implemented. */
uint32_t ofp_versions(void);

/* xid of the message in hand. */
static inline uint32_t
ofp_session_xid(const struct ofp_session *s)
{
    return get_be32(s->msg + 4);
}

/* ---------------------------------------------------- handlers/handlers.def */

struct ofp_handler {
    const char *name;
    enum ofp_err (*handle)(struct ofp_session *, of_object_t *msg);
    bool as_slave; /* Allowed to a slave (§6.3.4). */
};
/* NULL: no such message is handled. */
const struct ofp_handler *ofp_handler_find(of_object_id_t);

/* --------------------------------------------------------------- rules.c */

struct ofp_filter {
    uint8_t table; /* OFP_TABLE_ALL: all. */
    uint64_t cookie, cookie_mask;
    uint32_t out_port;  /* OFP_PORT_ANY: any. */
    uint32_t out_group; /* OFP_GROUP_ANY: any. */
    uint32_t meter;     /* 0: any or none; OFP_METER_ALL: some meter. */
    struct flow_match match;
};
/* Everything. */
#define OFP_FILTER_ALL                                                        \
    ((struct ofp_filter) { .table = OFP_TABLE_ALL, .out_port = OFP_PORT_ANY,  \
                           .out_group = OFP_GROUP_ANY })
bool ofp_filter_test(const struct ofp_filter *, const struct ofp_rule *);
/* As if it did 'in'. */
bool ofp_filter_test_instr(const struct ofp_filter *, const struct ofp_rule *,
                           const struct dp_instr *in);

enum ofp_command { OFP_FC_ADD, OFP_FC_MODIFY, OFP_FC_MODIFY_STRICT,
                   OFP_FC_DELETE, OFP_FC_DELETE_STRICT };

struct ofp_flow_mod {
    enum ofp_command command;
    struct ofp_filter f; /* match, table, cookie; filters of 1.3. */
    uint16_t priority;
    uint16_t idle_timeout, hard_timeout;
    uint16_t flags;
    uint16_t importance; /* 1.4: for eviction. */
    bool of10;        /* 1.0's rules for replace and modify. */
    struct dp_instr instr; /* Lent for the call. */
    struct ofp_trigger trigger; /* 1.5's instruction. */
};
/* Applies it, at once or as a job of 's'. */
enum ofp_err ofp_flow_mod_apply(struct ofp_session *,
                                const struct ofp_flow_mod *);
/* The counters as controllers are told them: what the rule's flags say need
 * not be counted is "not available", all ones (1.3.5 §5.8). */
void ofp_rule_told_stats(const struct ofp_rule *, struct dp_stats *);
/* Removes a rule and tells the controllers that asked for it. */
void ofp_rule_remove(struct ofp_bridge *, struct ofp_rule *,
                     enum ofp_removed);
/* Removes the rules that the filter selects, as a job of 's' (a rule that
 * comes meanwhile stays); 'end' is called when the last one is gone, however
 * the session fares. */
void ofp_rules_delete(struct ofp_session *, const struct ofp_filter *,
                      enum ofp_removed,
                      void (*end)(struct ofp_bridge *, uint32_t arg),
                      uint32_t arg);
/* The same at once, without a session. */
void ofp_rules_delete_now(struct ofp_bridge *, const struct ofp_filter *,
                          enum ofp_removed);
/* Expires timeouts; at most one slice.  Returns true if more are due. */
bool ofp_rules_expire(struct ofp_bridge *, uint64_t now_ns);
/* Adds or takes away the hidden rule of fail mode standalone. */
void ofp_standalone_update(struct ofp_bridge *);

/* ------------------------------------------------------ handlers/groups.c */

/* Decodes a group-mod.  Its buckets' ops are lent by b->compile until that is
 * used again; its buckets are freed by ofp_group_mod_free.  After an error
 * there is nothing to free. */
enum ofp_err ofp_group_mod_take(struct ofp_session *, of_object_t *msg,
                                struct ofp_group_mod *);
void ofp_group_mod_free(struct ofp_group_mod *);

/* -------------------------------------------------------------- bundle.c */

/* Those that nothing was heard of for long are discarded. */
void ofp_bundles_expire(struct ofp_bridge *, uint64_t now_ns);
/* Starts those whose time has come; sets b->wake_ns. */
void ofp_bundles_run(struct ofp_bridge *);
/* The session goes. */
void ofp_bundles_discard(struct ofp_session *);

/* ---------------------------------------------------------------- dump.c */

/* The bridge goes: walks under way end. */
void ofp_dumps_detach(struct ofp_bridge *);

/* ---------------------------------------- handlers/groups.c, handlers/meters.c */

/* Append to a message; 0 or enum of_error_codes. */
struct ofp_group_config;
WEFT_MUST_CHECK int ofp_group_put_bucket(of_list_bucket_t *,
                                         enum dp_group_type,
                                         const struct dp_bucket *);
WEFT_MUST_CHECK int ofp_group_put_selection(of_list_group_prop_t *,
                                            const struct ofp_group_config *);
WEFT_MUST_CHECK int ofp_meter_put_band(of_list_meter_band_t *,
                                       const struct dp_meter_band *);

/* ------------------------------------------- handlers/table_features.c */

/* A request in parts whose rest does not come, or whose session goes. */
void ofp_features_request_expire(struct ofp_session *, uint64_t now_ns);
void ofp_features_request_drop(struct ofp_session *);

/* ----------------------------------------------------- text/text_client.c */

/* The bridge goes: its clients are told. */
void ofp_clients_detach(struct ofp_bridge *);

/* ------------------------------------------------------ handlers/queues.c */

/* OpenFlow 1.0's enqueue wants a queue that is there, on a port that has
 * queues at all: OFPBAC_BAD_QUEUE; where there are none it is an output. */
enum ofp_err ofp_queues_of_ops(const struct ofp_bridge *,
                               const struct dp_op_list *);

/* --------------------------------------------------------------- async.c */

/* Initial configuration of what a session hears, and the reasons of a kind
 * that its version knows. */
void ofp_async_init(struct ofp_session *);
uint32_t ofp_async_known(uint8_t version, enum ofp_async);
/* ROLE_STATUS to a session whose role somebody else changed. */
void ofp_async_role_status(struct ofp_session *);
/* REQUESTFORWARD: tells the other controllers of a request of 'from' that
 * has changed groups or meters. */
/* 'reason': OFPTR_* */
void ofp_async_table_status(struct ofp_bridge *, uint8_t table,
                            unsigned reason);
/* handlers/tables.c: a table's description; NULL: no memory. */
of_table_desc_t *ofp_table_desc_new(const struct ofp_bridge *,
                                    of_version_t, uint8_t table);
void ofp_async_forward(struct ofp_session *from, enum ofp_forward,
                       const uint8_t *msg, size_t len);

void ofp_async_flow_removed(struct ofp_bridge *, const struct ofp_rule *,
                            const struct dp_stats *, enum ofp_removed);
/* Fills a port description of the message's version. */
void ofp_port_desc_fill(of_port_desc_t *, const struct dp_port_info *);

/* ------------------------------------------- handlers/controller_status.c */

/* OFPCSR_* */
enum ofp_controller_reason { OFP_CSR_REQUEST, OFP_CSR_CHANNEL_STATUS,
                             OFP_CSR_ROLE, OFP_CSR_CONTROLLER_ADDED,
                             OFP_CSR_CONTROLLER_REMOVED, OFP_CSR_SHORT_ID };
/* CONTROLLER_STATUS of 'about' to the other controllers that want it. */
void ofp_controller_status_tell(const struct ofp_session *about,
                                enum ofp_controller_reason);

/* --------------------------------------------------------------- reply.c */

/* Puts 'm' into the match member that was bound to 'view'.  0 or enum
 * of_error_codes. */
WEFT_MUST_CHECK int ofp_match_put(of_object_t *view,
                                  const struct flow_match *m);
/* Reads the match member bound to 'view'. */
enum ofp_err ofp_match_take(const of_object_t *view, struct flow_match *m);

/* A multipart reply that is cut into messages of at most 64 KiB with
 * REPLY_MORE set on all but the last. */
struct ofp_reply {
    struct ofp_session *s;
    of_object_id_t id;  /* OF_FLOW_STATS_REPLY ... */
    uint32_t xid;
    of_object_t *msg;   /* Under construction; NULL: none. */
};
void ofp_reply_begin(struct ofp_reply *, struct ofp_session *,
                     of_object_id_t, uint32_t xid);
/* Appends a finished entry (copied), an object of its own buffer. */
void ofp_reply_append(struct ofp_reply *, const of_object_t *entry);
/* Sends the last message. */
void ofp_reply_end(struct ofp_reply *);
/* Forgets it, on a session that went away. */
void ofp_reply_abort(struct ofp_reply *);
static inline bool
ofp_reply_blocked(const struct ofp_reply *r)
{
    return r->s->conn->ops->queued(r->s->conn) > OFP_OUTPUT_HIGH;
}

#endif
