/* SPDX-License-Identifier: Apache-2.0 */
/* Multipart: switch description; what nobody knows.
 * Source: OpenFlow 1.3.5 §7.3.5.1, §7.3.5.15. */
#include "ofproto/handlers/handlers_priv.h"

#include <stdio.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

enum ofp_err
ofp_handle_desc_stats(struct ofp_session *s, of_object_t *msg)
{
    of_desc_stats_reply_t *r;
    of_desc_str_t text;
    of_serial_num_t serial = "none";

    (void) msg;
    r = of_desc_stats_reply_new((of_version_t) s->version);
    if (r) {
        of_object_xid_set(r, ofp_session_xid(s));
        memset(text, 0, sizeof text);
        snprintf(text, sizeof text, "Weft");
        of_desc_stats_reply_mfr_desc_set(r, text);
        snprintf(text, sizeof text, "DPDK software switch");
        of_desc_stats_reply_hw_desc_set(r, text);
        memset(text, 0, sizeof text);
        snprintf(text, sizeof text, "%s", PACKAGE_VERSION);
        of_desc_stats_reply_sw_desc_set(r, text);
        of_desc_stats_reply_serial_num_set(r, serial);
        memset(text, 0, sizeof text);
        snprintf(text, sizeof text, "%s", s->b->name);
        of_desc_stats_reply_dp_desc_set(r, text);
    }
    ofp_session_send(s, r);
    return OFP_OK;
}

enum ofp_err
ofp_handle_experimenter_stats(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_ERR_REQ_BAD_EXPERIMENTER;
}

enum ofp_err
ofp_handle_stats_unknown(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_ERR_REQ_BAD_MULTIPART;
}
