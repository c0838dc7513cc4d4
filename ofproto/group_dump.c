/* SPDX-License-Identifier: Apache-2.0 */
/* The groups as operators see them. */
#include <stdlib.h>

#include "ofproto/agent_priv.h"
#include "ofproto/text/group_text.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"

struct dump {
    ofp_group_info_cb *cb;
    void *arg;
};

static void
dump_group(void *arg, const struct ofp_group_view *v)
{
    static const char *const types[] = { "all", "select", "indirect", "ff" };
    struct dump *d = arg;
    size_t n = v->config->n_buckets;
    struct ofp_bucket_info *b = base_xcalloc(n + 1, sizeof b[0]);
    struct base_str *actions = base_xcalloc(n + 1, sizeof actions[0]);
    struct base_str text = BASE_STR_INIT;

    for (size_t i = 0; i < n; i++) {
        const struct dp_bucket *k = &v->config->buckets[i];

        ofp_text_add_ops(&actions[i], &k->actions);
        b[i] = (struct ofp_bucket_info) {
            .id = k->id, .weight = k->weight, .watch_port = k->watch_port,
            .watch_group = k->watch_group, .stats = v->buckets[i],
            .actions = base_str_cstr(&actions[i]),
        };
    }
    ofp_text_add_group(&text, v->id, v->config, true);

    const struct ofp_group_info info = {
        .id = v->id,
        .type = types[v->config->type],
        .text = base_str_cstr(&text),
        .duration_ns = base_clock_ns() - v->created_ns,
        .ref_count = v->ref_count,
        .stats = v->total,
        .buckets = b,
        .n_buckets = n,
    };

    d->cb(d->arg, &info);
    base_str_fini(&text);
    for (size_t i = 0; i < n; i++)
        base_str_fini(&actions[i]);
    free(actions);
    free(b);
}

bool
ofp_group_dump(struct ofp_bridge *b, uint32_t *next, unsigned n,
               ofp_group_info_cb *cb, void *arg)
{
    struct dump d = { cb, arg };

    return ofp_group_walk(b, OFP_GROUP_ALL, next, n, dump_group, &d);
}
