/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenFlow client inside the program.
 *
 * What:    carries what operators write (flows, groups, packet-outs ...) to
 *          the agent of a bridge, and its answers back.
 * Model:   the client is a session like a controller's, without a socket: it
 *          sends whole messages of the newest version spoken.  So there is
 *          one way into the agent, with one set of checks, errors, barriers
 *          and jobs; text is only another spelling of messages.  It is no
 *          controller: fail mode, roles and table misses do not see it, and
 *          it is sent nothing that it did not ask for.
 *
 *            text -> flow_text.h -> text_msg.h -> ofp_client_send -> agent
 *
 * Threads: control.
 * Owns:    the session.  A client outlives its bridge: it is told, see
 *          ofp_client_gone.
 * Errors:  the agent's come as ERROR messages to the callback.
 * Source:  OpenFlow 1.3.5 §6. */
#ifndef OFP_TEXT_CLIENT_H
#define OFP_TEXT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loci/loci.h"
#include "weft/compiler.h"

struct ofp_bridge;
struct ofp_client;

/* One whole message from the agent, lent.  The client may not be closed from
 * inside. */
typedef void ofp_client_cb(void *arg, const uint8_t *msg, size_t len);

struct ofp_client *ofp_client_open(struct ofp_bridge *, ofp_client_cb *,
                                   void *arg);
void ofp_client_close(struct ofp_client *); /* Accepts NULL. */
/* The wire version that messages are to be made of. */
uint8_t ofp_client_version(const struct ofp_client *);
/* Sends and deletes 'msg'; its xid, or 0: the bridge went, or the session
 * failed. */
uint32_t ofp_client_send(struct ofp_client *, of_object_t *msg);
/* OpenFlow 1.4.1 §7.3.9: a bundle's control message of type 'what' (OFPBCT_*),
 * and 'msg' (deleted) as a part of the bundle.  The client has one bundle. */
uint32_t ofp_client_bundle_ctrl(struct ofp_client *, uint16_t what);
uint32_t ofp_client_bundle_add(struct ofp_client *, of_object_t *msg);
/* Has 'all' sent that controllers are sent unasked, or nothing of it, beside
 * answers; with invalid_ttl also packets whose TTL ran out.  At the start
 * nothing. */
void ofp_client_listen(struct ofp_client *, bool all, bool invalid_ttl);
/* So many bytes of what the callback got wait for somebody: long replies and
 * flow monitors pause above a limit, and go on below it. */
void ofp_client_backlog(struct ofp_client *, size_t bytes);
/* Asks for what came so far to be in force; its xid as above. */
uint32_t ofp_client_barrier(struct ofp_client *);
/* The agent has enough to do: send no more for now. */
bool ofp_client_busy(const struct ofp_client *);
/* The bridge was deleted, or the agent closed the session. */
bool ofp_client_gone(const struct ofp_client *);
/* Commits what was sent and lets long work go on; true: call again. */
bool ofp_client_flush(struct ofp_client *);

/* The bridge's port of this name. */
bool ofp_client_find_port(const struct ofp_client *, const char *name,
                          uint32_t *port_no);

/* "ACT_BAD_OUT_PORT" or "error type 2, code 4" of an ERROR message. */
struct base_str;
void ofp_client_add_error(struct base_str *, const uint8_t *msg, size_t len);

#endif
