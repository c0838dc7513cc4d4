/* SPDX-License-Identifier: Apache-2.0 */
/* Is it a group at all?  What can be told without the other groups.
 * Source: OpenFlow 1.3.5 §6.7, §7.3.4.2. */
#include <stdlib.h>

#include "ofproto/groups.h"
#include "utils/base/mem.h"

/* Wire bytes of a bucket in its longest form, actions aside: 1.5's header
 * and three properties; and of an op. */
#define BUCKET_WIRE 40
#define OP_WIRE 16

static enum ofp_err
check_bucket(enum dp_group_type type, const struct dp_bucket *k)
{
    bool watches = k->watch_port != DP_PORT_NONE
                   || k->watch_group != DP_GROUP_NONE;

    if (k->id > OFP_BUCKET_MAX)
        return OFP_ERR_GROUP_BAD_BUCKET;
    /* §6.7: "fields such as weight that are undefined for the specified group
     * type". */
    if (k->weight && type != DP_GROUP_SELECT)
        return OFP_ERR_GROUP_INVALID_GROUP;
    if (watches && type != DP_GROUP_SELECT && type != DP_GROUP_FF)
        return OFP_ERR_GROUP_WATCH_UNSUPPORTED;
    if (!watches && type == DP_GROUP_FF)
        return OFP_ERR_GROUP_INVALID_GROUP;
    if (k->watch_port != DP_PORT_NONE && k->watch_port != DP_PORT_LOCAL
        && (!k->watch_port || k->watch_port > DP_PORT_MAX))
        return OFP_ERR_GROUP_BAD_WATCH;
    if (k->watch_group != DP_GROUP_NONE && k->watch_group > DP_GROUP_MAX)
        return OFP_ERR_GROUP_BAD_WATCH;
    return OFP_OK;
}

static int
by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *) x, b = *(const uint32_t *) y;

    return a < b ? -1 : a > b;
}

static bool
ids_unique(const struct ofp_group_config *c)
{
    uint32_t *ids = base_xmalloc((c->n_buckets + 1) * sizeof ids[0]);
    bool unique = true;

    for (size_t i = 0; i < c->n_buckets; i++)
        ids[i] = c->buckets[i].id;
    qsort(ids, c->n_buckets, sizeof ids[0], by_number);
    for (size_t i = 1; i < c->n_buckets; i++)
        unique &= ids[i] != ids[i - 1];
    free(ids);
    return unique;
}

enum ofp_err
ofp_group_config_check(const struct ofp_group_config *c, uint32_t others)
{
    size_t wire = 0;

    if (c->type > DP_GROUP_FF)
        return OFP_ERR_GROUP_BAD_TYPE;
    if (c->n_buckets > OFP_MAX_BUCKETS
        || others + c->n_buckets > OFP_MAX_ALL_BUCKETS)
        return OFP_ERR_GROUP_OUT_OF_BUCKETS;
    if (c->type == DP_GROUP_INDIRECT && c->n_buckets != 1)
        return OFP_ERR_GROUP_INVALID_GROUP;
    if (c->selection != OFP_SELECT_DEFAULT && c->type != DP_GROUP_SELECT)
        return OFP_ERR_GROUP_INVALID_GROUP;
    for (size_t i = 0; i < c->n_buckets; i++) {
        enum ofp_err err = check_bucket(c->type, &c->buckets[i]);

        if (err)
            return err;
        wire += BUCKET_WIRE + OP_WIRE * c->buckets[i].actions.n_words;
    }
    if (wire > OFP_MAX_GROUP_WIRE)
        return OFP_ERR_GROUP_OUT_OF_BUCKETS;
    return ids_unique(c) ? OFP_OK : OFP_ERR_GROUP_BUCKET_EXISTS;
}
