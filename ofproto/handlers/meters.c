/* SPDX-License-Identifier: Apache-2.0 */
/* Meter-mod; statistics, configuration and features of meters.
 * Source: OpenFlow 1.3.5 §7.3.4.4, §7.3.5.12 to §7.3.5.14. */
#include "ofproto/handlers/handlers_priv.h"

#include "ofproto/meters.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define BAND_UNKNOWN 0xff /* Type of a band that we do not have. */
#define WALK_METERS 256   /* Per step of a reply. */

/* ---------------------------------------------------------------- meter-mod */

static void
take_band(const of_object_t *band, struct dp_meter_band *out)
{
    switch ((int) band->object_id) {
    case OF_METER_BAND_DROP:
        out->type = OFP_MBT_DROP;
        of_meter_band_drop_rate_get(band, &out->rate);
        of_meter_band_drop_burst_size_get(band, &out->burst);
        break;
    case OF_METER_BAND_DSCP_REMARK:
        out->type = OFP_MBT_DSCP_REMARK;
        of_meter_band_dscp_remark_rate_get(band, &out->rate);
        of_meter_band_dscp_remark_burst_size_get(band, &out->burst);
        of_meter_band_dscp_remark_prec_level_get(band, &out->prec_level);
        break;
    default:
        out->type = BAND_UNKNOWN;
    }
}

static void
take_bands(of_object_t *msg, struct ofp_meter_spec *spec)
{
    of_list_meter_band_t list;
    of_meter_band_t band;
    int rv;

    if (msg->version == OF_VERSION_1_3)
        of_meter_mod_meters_bind(msg, &list);
    else
        of_meter_mod_bands_bind(msg, &list);
    OF_LIST_METER_BAND_ITER(&list, &band, rv) {
        if (spec->n_bands == DP_METER_BANDS) {
            spec->n_bands++; /* Too many, whatever they are. */
            return;
        }
        take_band(&band, &spec->bands[spec->n_bands++]);
    }
}

enum ofp_err
ofp_handle_meter_mod(struct ofp_session *s, of_object_t *msg)
{
    struct ofp_meter_spec spec = { .id = 0 };
    enum ofp_err err;
    uint16_t command;

    of_meter_mod_command_get(msg, &command);
    of_meter_mod_flags_get(msg, &spec.flags);
    of_meter_mod_meter_id_get(msg, &spec.id);
    if (command > OFP_MC_DELETE)
        return OFP_ERR_METER_BAD_COMMAND;
    take_bands(msg, &spec);
    err = ofp_meter_apply(s->b, s, (enum ofp_meter_command) command, &spec);
    if (!err)
        ofp_async_forward(s, OFP_FORWARD_METER_MOD, s->msg, s->msg_len);
    return err;
}

/* ---------------------------------------------------------------- multipart */

/* Meters, one reply entry each. */
struct meter_job {
    struct ofp_job job;
    struct ofp_reply reply;
    uint32_t id, next;
    uint64_t now_ns;
    ofp_meter_view_cb *entry;
};

static void
append_stats(void *arg, const struct ofp_meter_view *v)
{
    struct meter_job *j = arg;
    of_meter_stats_t *e = of_meter_stats_new(
        (of_version_t) j->reply.s->version);
    uint64_t age = j->now_ns - v->created_ns;
    of_list_meter_band_stats_t list;

    if (!e)
        return;
    of_meter_stats_meter_id_set(e, v->spec->id);
    of_meter_stats_flow_count_set(e, v->flow_count);
    of_meter_stats_packet_in_count_set(e, v->in.packets);
    of_meter_stats_byte_in_count_set(e, v->in.bytes);
    of_meter_stats_duration_sec_set(e, (uint32_t) (age / NS_PER_S));
    of_meter_stats_duration_nsec_set(e, (uint32_t) (age % NS_PER_S));
    of_meter_stats_band_stats_bind(e, &list);
    for (unsigned i = 0; i < v->spec->n_bands; i++) {
        of_meter_band_stats_t b;

        of_meter_band_stats_init(&b, e->version, -1, 1);
        if (of_list_meter_band_stats_append_bind(&list, &b))
            break;
        of_meter_band_stats_packet_band_count_set(&b, v->bands[i].packets);
        of_meter_band_stats_byte_band_count_set(&b, v->bands[i].bytes);
    }
    ofp_reply_append(&j->reply, e);
    of_object_delete(e);
}

int
ofp_meter_put_band(of_list_meter_band_t *list, const struct dp_meter_band *b)
{
    of_meter_band_t o;
    int err;

    if (b->type == OFP_MBT_DROP)
        of_meter_band_drop_init(&o, list->version, -1, 1);
    else
        of_meter_band_dscp_remark_init(&o, list->version, -1, 1);
    err = of_list_meter_band_append_bind(list, &o);
    if (err)
        return err;
    if (b->type == OFP_MBT_DROP) {
        of_meter_band_drop_rate_set(&o, b->rate);
        of_meter_band_drop_burst_size_set(&o, b->burst);
    } else {
        of_meter_band_dscp_remark_rate_set(&o, b->rate);
        of_meter_band_dscp_remark_burst_size_set(&o, b->burst);
        of_meter_band_dscp_remark_prec_level_set(&o, b->prec_level);
    }
    return 0;
}

/* What was said comes back as it was said. */
static void
append_config(void *arg, const struct ofp_meter_view *v)
{
    struct meter_job *j = arg;
    of_meter_config_t *e = of_meter_config_new(
        (of_version_t) j->reply.s->version);
    of_list_meter_band_t list;

    if (!e)
        return;
    of_meter_config_flags_set(e, v->spec->flags);
    of_meter_config_meter_id_set(e, v->spec->id);
    of_meter_config_entries_bind(e, &list);
    for (unsigned i = 0; i < v->spec->n_bands; i++)
        if (ofp_meter_put_band(&list, &v->spec->bands[i]))
            break;
    ofp_reply_append(&j->reply, e);
    of_object_delete(e);
}

static enum ofp_step
meter_run(struct ofp_job *job, struct ofp_session *s, unsigned *budget)
{
    struct meter_job *j = WEFT_CONTAINER_OF(job, struct meter_job, job);

    for (;;) {
        unsigned cost = WALK_METERS * OFP_COST_ACT;

        if (!*budget)
            return OFP_STEP_MORE;
        if (ofp_reply_blocked(&j->reply))
            return OFP_STEP_BLOCKED;
        if (!ofp_meter_walk(s->b, j->id, &j->next, WALK_METERS, j->entry, j))
            break;
        *budget -= WEFT_MIN(cost, *budget);
    }
    ofp_reply_end(&j->reply);
    return OFP_STEP_DONE;
}

static void
meter_job_destroy(struct ofp_job *job, struct ofp_bridge *b)
{
    struct meter_job *j = WEFT_CONTAINER_OF(job, struct meter_job, job);

    (void) b;
    ofp_reply_abort(&j->reply);
    free(j);
}

static enum ofp_err
reply_start(struct ofp_session *s, of_object_id_t id, uint32_t meter,
            ofp_meter_view_cb *entry)
{
    struct meter_job *j;

    if (meter != OFP_METER_ALL && !ofp_meter_exists(s->b, meter))
        return OFP_ERR_METER_UNKNOWN_METER;
    BASE_NEW(j);
    j->job.run = meter_run;
    j->job.destroy = meter_job_destroy;
    j->id = meter;
    j->now_ns = base_clock_ns();
    j->entry = entry;
    ofp_reply_begin(&j->reply, s, id, ofp_session_xid(s));
    ofp_session_start_job(s, &j->job);
    return OFP_OK;
}

enum ofp_err
ofp_handle_meter_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t meter;

    of_meter_stats_request_meter_id_get(msg, &meter);
    return reply_start(s, OF_METER_STATS_REPLY, meter, append_stats);
}

enum ofp_err
ofp_handle_meter_config_stats(struct ofp_session *s, of_object_t *msg)
{
    uint32_t meter;

    of_meter_config_stats_request_meter_id_get(msg, &meter);
    return reply_start(s, OF_METER_CONFIG_STATS_REPLY, meter, append_config);
}

enum ofp_err
ofp_handle_meter_features_stats(struct ofp_session *s, of_object_t *msg)
{
    of_meter_features_stats_reply_t *r;
    of_meter_features_t f;

    (void) msg;
    r = of_meter_features_stats_reply_new((of_version_t) s->version);
    if (r) {
        of_object_xid_set(r, ofp_session_xid(s));
        of_meter_features_stats_reply_features_bind(r, &f);
        of_meter_features_max_meter_set(&f, OFP_MAX_METERS);
        of_meter_features_band_types_set(
            &f, 1u << OFP_MBT_DROP | 1u << OFP_MBT_DSCP_REMARK);
        of_meter_features_capabilities_set(&f, OFP_MTF_ALL);
        of_meter_features_max_bands_set(&f, DP_METER_BANDS);
        of_meter_features_max_color_set(&f, 0);
    }
    ofp_session_send(s, r);
    return OFP_OK;
}
