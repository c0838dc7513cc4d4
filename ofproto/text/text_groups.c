/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and meters as messages. */
#include "ofproto/text/text_msg.h"

#include <errno.h>
#include <inttypes.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "ofproto/groups.h"
#include "ofproto/text/group_text.h"
#include "ofproto/text/meter_text.h"

static of_object_t *
group_mod_new(enum ofp_group_command command, of_version_t v)
{
    switch (command) {
    case OFP_GC_ADD:
        return of_group_add_new(v);
    case OFP_GC_DELETE:
        return of_group_delete_new(v);
    case OFP_GC_INSERT_BUCKET:
        return of_group_insert_bucket_new(v);
    case OFP_GC_REMOVE_BUCKET:
        return of_group_remove_bucket_new(v);
    default:
        return of_group_modify_new(v);
    }
}

static int
group_mod_fill(of_object_t *m, const struct ofp_group_mod *g)
{
    of_list_bucket_t list;
    int err = 0;

    of_group_mod_group_type_set(m, (uint8_t) g->config.type);
    of_group_mod_group_id_set(m, g->group);
    if (m->version >= OF_VERSION_1_5)
        of_group_mod_command_bucket_id_set(m, g->bucket);
    of_group_mod_buckets_bind(m, &list);
    for (size_t i = 0; i < g->config.n_buckets && !err; i++)
        err = ofp_group_put_bucket(&list, g->config.type,
                                   &g->config.buckets[i]);
    if (!err && g->config.selection != OFP_SELECT_DEFAULT) {
        of_list_group_prop_t props;

        of_group_mod_properties_bind(m, &props);
        err = ofp_group_put_selection(&props, &g->config);
    }
    return err;
}

of_object_t *
ofp_text_group_mod(const char *line, enum ofp_group_command command,
                   uint8_t version, struct weft_err *e)
{
    struct ofp_group_text t;
    of_object_t *m = NULL;

    if (ofp_text_parse_group(line, command, &t, e))
        return NULL;
    if (version < OF_VERSION_1_5
        && (command == OFP_GC_INSERT_BUCKET || command == OFP_GC_REMOVE_BUCKET
            || t.mod.config.selection != OFP_SELECT_DEFAULT)) {
        weft_err_set(e, -EINVAL, "buckets' commands and selection methods "
                     "need OpenFlow 1.5");
    } else {
        m = group_mod_new(command, (of_version_t) version);
        if (group_mod_fill(m, &t.mod)) {
            weft_err_set(e, -EINVAL, "group_id=%" PRIu32 ": its buckets "
                         "exceed a message of %u bytes", t.mod.group,
                         OFP_MAX_MESSAGE);
            of_object_delete(m);
            m = NULL;
        }
    }
    ofp_group_text_fini(&t);
    return m;
}

of_object_t *
ofp_text_meter_mod(const char *line, enum ofp_meter_command command,
                   uint8_t version, struct weft_err *e)
{
    struct ofp_meter_spec spec = { .id = 0 };
    of_list_meter_band_t list;
    of_object_t *m;
    int err = command == OFP_MC_DELETE
                  ? ofp_text_parse_meter_id(line, &spec.id, e)
                  : ofp_text_parse_meter(line, &spec, e);

    if (err)
        return NULL;
    m = of_meter_mod_new((of_version_t) version);
    of_meter_mod_command_set(m, (uint16_t) command);
    of_meter_mod_flags_set(m, spec.flags);
    of_meter_mod_meter_id_set(m, spec.id);
    if (version == OF_VERSION_1_3)
        of_meter_mod_meters_bind(m, &list);
    else
        of_meter_mod_bands_bind(m, &list);
    for (unsigned i = 0; i < spec.n_bands && !err; i++)
        err = ofp_meter_put_band(&list, &spec.bands[i]);
    return m;
}
