/* SPDX-License-Identifier: Apache-2.0 */
/* Flow-mod: from the wire to struct ofp_flow_mod.
 * Source: OpenFlow 1.3.5 §6.4, §7.3.4.1; OpenFlow 1.0.0 §4.6, §5.3.3. */
#include "ofproto/handlers/handlers_priv.h"

/* Longer ones could not be reported: a flow statistics reply adds its own
 * header to what a flow-mod holds. */
#define FLOW_MOD_MAX 65400
#define FF10_EMERG 0x4

static bool
is_delete(const struct ofp_flow_mod *fm)
{
    return fm->command == OFP_FC_DELETE
           || fm->command == OFP_FC_DELETE_STRICT;
}

/* What both versions have.  All subclasses share of_flow_mod's layout. */
static enum ofp_err
take_common(of_object_t *msg, struct ofp_flow_mod *fm)
{
    of_object_t view;

    of_flow_mod_cookie_get(msg, &fm->f.cookie);
    of_flow_mod_priority_get(msg, &fm->priority);
    of_flow_mod_idle_timeout_get(msg, &fm->idle_timeout);
    of_flow_mod_hard_timeout_get(msg, &fm->hard_timeout);
    of_flow_mod_flags_get(msg, &fm->flags);
    of_flow_mod_out_port_get(msg, &fm->f.out_port);
    fm->f.out_group = OFP_GROUP_ANY;
    of_flow_mod_match_bind(msg, &view);
    return ofp_match_take(&view, &fm->f.match);
}

static enum ofp_err
take_10(struct ofp_flow_mod *fm)
{
    fm->of10 = true;
    /* EMERG: flows for the time without controller.  Not offered, and never
     * with timeouts (OpenFlow 1.0.0 §4.6, BAD_EMERG_TIMEOUT). */
    if (fm->flags & FF10_EMERG && (fm->idle_timeout || fm->hard_timeout))
        return OFP_ERR_FLOW_BAD_TIMEOUT;
    if (fm->flags & ~(OFP_FF_SEND_FLOW_REM | OFP_FF_CHECK_OVERLAP))
        return OFP_ERR_FLOW_BAD_FLAGS;
    fm->f.table = is_delete(fm) ? OFP_TABLE_ALL : 0;
    return OFP_OK;
}

static enum ofp_err
take_13(struct ofp_session *s, of_object_t *msg, struct ofp_flow_mod *fm)
{
    uint64_t cookie_mask;

    of_flow_mod_table_id_get(msg, &fm->f.table);
    of_flow_mod_out_group_get(msg, &fm->f.out_group);
    of_flow_mod_cookie_mask_get(msg, &cookie_mask);
    if (msg->version >= OF_VERSION_1_4)
        of_flow_mod_importance_get(msg, &fm->importance);
    if (fm->command != OFP_FC_ADD)
        fm->f.cookie_mask = cookie_mask;
    if (fm->flags & ~OFP_FF_ALL)
        return OFP_ERR_FLOW_BAD_FLAGS;
    /* Tables are 0..253; OFPTT_ALL is for deletes alone. */
    if (fm->f.table == OFP_TABLE_ALL && is_delete(fm))
        return OFP_OK;
    return ofp_table_is_there(&s->b->tables, fm->f.table)
               ? OFP_OK
               : OFP_ERR_FLOW_BAD_TABLE_ID;
}

static enum ofp_err
take_instr(struct ofp_session *s, of_object_t *msg, struct ofp_flow_mod *fm)
{
    struct ofp_compile *c = &s->b->compile;
    of_object_t list;
    enum ofp_err err;

    ofp_compile_begin(c, s->version, fm->f.table, &fm->f.match);
    if (!fm->of10) {
        of_flow_mod_instructions_bind(msg, &list);
        return ofp_compile_instructions(c, &list, &fm->instr);
    }
    of_flow_mod_actions_bind(msg, &list);
    err = ofp_compile_actions(c, &list, &fm->instr.apply);
    ofp_compile_place(c, 0, &fm->instr.apply);
    return err;
}

static enum ofp_command
command_of(of_object_id_t id)
{
    switch ((int) id) {
    case OF_FLOW_ADD:
        return OFP_FC_ADD;
    case OF_FLOW_MODIFY:
        return OFP_FC_MODIFY;
    case OF_FLOW_MODIFY_STRICT:
        return OFP_FC_MODIFY_STRICT;
    case OF_FLOW_DELETE:
        return OFP_FC_DELETE;
    default:
        return OFP_FC_DELETE_STRICT;
    }
}

enum ofp_err
ofp_handle_flow_mod(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_flow_mod fm = {
        .command = command_of(msg->object_id),
        .instr = { .goto_table = DP_NO_TABLE },
    };
    uint32_t buffer_id;
    enum ofp_err err = take_common(msg, &fm);

    if (!err)
        err = s->version == OF_VERSION_1_0 ? take_10(&fm)
                                           : take_13(s, msg, &fm);
    if (err)
        return err;
    if (!is_delete(&fm)) {
        /* The filters are for deletes (§7.3.4.1). */
        fm.f.out_port = OFP_PORT_ANY;
        fm.f.out_group = OFP_GROUP_ANY;
        if (s->msg_len > FLOW_MOD_MAX)
            return OFP_ERR_ACT_TOO_MANY;
        dp_rule_expect(s->b->dpb, fm.f.table, &fm.f.match);
        err = take_instr(s, msg, &fm);
        if (!err)
            err = ofp_meters_of_instr(s->b, &fm.instr);
        if (!err && fm.of10)
            err = ofp_queues_of_ops(s->b, &fm.instr.apply);
        if (err == OFP_ERR_METER_UNKNOWN_METER
            && s->version >= OF_VERSION_1_5) /* An action's error. */
            err = OFP_ERR_ACT_BAD_METER;
        if (err)
            return err;
        fm.trigger = s->b->compile.trigger;
        err = ofp_limits_check(s->b, &fm);
        if (err)
            return err;
        of_flow_mod_buffer_id_get(msg, &buffer_id);
        if (buffer_id != OFP_NO_BUFFER) /* n_buffers is 0. */
            return OFP_ERR_REQ_BUFFER_UNKNOWN;
    }
    return ofp_flow_mod_apply(s, &fm);
}

enum ofp_err
ofp_handle_flow_mod_unknown(struct ofp_session *s, of_object_t *msg)
{
    (void) s, (void) msg;
    return OFP_ERR_FLOW_BAD_COMMAND;
}
