/* SPDX-License-Identifier: Apache-2.0 */
/* Tables' descriptions and features as text. */
#include "ofproto/text/event_text.h"

#include <inttypes.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "ofproto/oxm.h"

/* Properties of a table's features, OpenFlow 1.5.1 §7.3.5.18.2; the next one
 * up of each is that of the table-miss rule. */
enum {
    PROP_INSTRUCTIONS = 0,
    PROP_NEXT = 2,
    PROP_WRITE_ACTIONS = 4,
    PROP_APPLY_ACTIONS = 6,
    PROP_MATCH = 8,
    PROP_WILDCARDS = 10,
    PROP_WRITE_SET = 12,
    PROP_APPLY_SET = 14,
    PROP_WRITE_COPY = 18,
    PROP_APPLY_COPY = 20,
    PROP_PACKET_TYPES = 22,
    N_PROPS,
};

/* ------------------------------------------------------------- description */

static void
add_words(struct base_str *s, uint32_t bits, const char *const names[],
          unsigned n)
{
    size_t start = s->len;

    for (unsigned i = 0; i < n; i++)
        if (bits >> i & 1)
            base_str_addf(s, "%s%s", s->len > start ? "|" : "", names[i]);
    if (s->len == start)
        base_str_add(s, "0");
}

void
ofp_text_add_table_desc(struct base_str *s, of_table_desc_t *d)
{
    static const char *const flags[] = { "OTHER", "IMPORTANCE", "LIFETIME" };
    uint8_t table, down = 0, up = 0, now = 0;
    uint32_t config, evict = 0;
    of_list_table_mod_prop_t list;
    of_object_t p;
    int rv;

    of_table_desc_table_id_get(d, &table);
    of_table_desc_config_get(d, &config);
    of_table_desc_properties_bind(d, &list);
    OF_LIST_TABLE_MOD_PROP_ITER(&list, &p, rv) {
        if (p.object_id == OF_TABLE_MOD_PROP_EVICTION) {
            of_table_mod_prop_eviction_flags_get(&p, &evict);
        } else if (p.object_id == OF_TABLE_MOD_PROP_VACANCY) {
            of_table_mod_prop_vacancy_vacancy_down_get(&p, &down);
            of_table_mod_prop_vacancy_vacancy_up_get(&p, &up);
            of_table_mod_prop_vacancy_vacancy_get(&p, &now);
        }
    }
    base_str_addf(s, "table %u:\n   eviction=%s eviction_flags=", table,
                  config & OFP_TC_EVICTION ? "on" : "off");
    add_words(s, evict, flags, WEFT_ARRAY_LEN(flags));
    base_str_addf(s, "\n   vacancy=%s",
                  config & OFP_TC_VACANCY ? "on" : "off");
    if (config & OFP_TC_VACANCY)
        base_str_addf(s, " vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%",
                      down, up, now);
}

/* ---------------------------------------------------------------- features */

/* A property's bytes behind its head. */
struct prop {
    const uint8_t *p;
    size_t n;
};

static void
add_instruction_names(struct base_str *s, struct prop x)
{
    static const char *const names[] = {
        NULL, "goto_table", "write_metadata", "write_actions",
        "apply_actions", "clear_actions", "meter", "stat_trigger",
    };

    for (; x.n >= 4; x.p += 4, x.n -= 4) {
        unsigned type = get_be16(x.p);

        if (type && type < WEFT_ARRAY_LEN(names))
            base_str_addf(s, " %s", names[type]);
        else
            base_str_addf(s, " instruction_%u", type);
    }
}

static void
add_action_names(struct base_str *s, struct prop x)
{
    for (; x.n >= 4; x.p += 4, x.n -= 4) {
        unsigned type = get_be16(x.p), i = 0;

        while (i < ofp_n_actions && ofp_actions[i]->type13 != (int) type)
            i++;
        if (i < ofp_n_actions)
            base_str_addf(s, " %s", ofp_actions[i]->name);
        else
            base_str_addf(s, " action_%u", type);
    }
}

/* Names of OXMs without values. */
static void
add_field_names(struct base_str *s, struct prop x)
{
    unsigned hlen;

    for (const struct flow_field *f; x.n >= 4; x.p += hlen, x.n -= hlen) {
        f = ofp_oxm_find(x.p, x.n, OF_VERSION_1_5, &hlen);
        if (!f)
            hlen = 4;
        base_str_addf(s, " %s%s", f ? text_set_name((enum flow_field_id) (
                                           f - flow_fields))
                                     : "unknown",
                      x.p[2] & 1 ? "/mask" : "");
    }
}

static void
add_packet_types(struct base_str *s, struct prop x)
{
    for (; x.n >= 8; x.p += 8, x.n -= 8)
        base_str_addf(s, " (%u,0x%x)", get_be16(x.p + 4), get_be16(x.p + 6));
}

/* "1-5,7" */
static void
add_ranges(struct base_str *s, struct prop x)
{
    const char *comma = "";

    for (size_t i = 0, end; i < x.n; i = end + 1) {
        for (end = i; end + 1 < x.n && x.p[end + 1] == x.p[end] + 1; end++)
            ;
        base_str_addf(s, "%s%u", comma, x.p[i]);
        if (end > i)
            base_str_addf(s, "-%u", x.p[end]);
        comma = ",";
    }
}

static bool
same(struct prop a, struct prop b)
{
    return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

/* One line; the table-miss rule has one of its own where it can other
 * things. */
static void
add_line(struct base_str *s, const char *label, const struct prop *p,
         unsigned type, void (*add)(struct base_str *, struct prop))
{
    if (!p[type].p)
        return;
    base_str_addf(s, "\n    %s:", label);
    add(s, p[type]);
    if (p[type + 1].p && !same(p[type], p[type + 1])) {
        base_str_addf(s, "\n    %s (table miss):", label);
        add(s, p[type + 1]);
    }
}

static void
find_props(of_table_features_t *f, struct prop props[N_PROPS + 1])
{
    of_list_table_feature_prop_t list;
    of_object_t p;
    int rv;

    of_table_features_properties_bind(f, &list);
    OF_LIST_TABLE_FEATURE_PROP_ITER(&list, &p, rv) {
        const uint8_t *b = OF_OBJECT_BUFFER_INDEX(&p, 0);
        unsigned type = get_be16(b), len = get_be16(b + 2);

        if (type < N_PROPS && len >= 4)
            props[type] = (struct prop) { b + 4, len - 4u };
    }
}

void
ofp_text_add_table_features(struct base_str *s, struct base_str *next,
                            of_table_features_t *f)
{
    static const char *const features[] = { "ingress", "egress", NULL, NULL,
                                            "first_egress" };
    struct prop p[N_PROPS + 1] = { { NULL, 0 } };
    uint64_t match, write;
    uint32_t max, caps, bits;

    of_table_features_metadata_match_get(f, &match);
    of_table_features_metadata_write_get(f, &write);
    of_table_features_max_entries_get(f, &max);
    of_table_features_capabilities_get(f, &caps);
    of_table_features_features_get(f, &bits);
    find_props(f, p);
    add_ranges(next, p[PROP_NEXT]);
    base_str_addf(s, "    metadata: match=%#" PRIx64 " write=%#" PRIx64,
                  match, write);
    base_str_addf(s, "\n    max_entries=%" PRIu32, max);
    base_str_add(s, "\n    features:");
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(features); i++)
        if (bits >> i & 1 && features[i])
            base_str_addf(s, " %s", features[i]);
    base_str_addf(s, "\n    capabilities:%s%s%s",
                  caps & OFP_TC_EVICTION ? " eviction" : "",
                  caps & OFP_TC_VACANCY ? " vacancy_events" : "",
                  caps & OFP_TC_ALL ? "" : " none");
    add_line(s, "instructions", p, PROP_INSTRUCTIONS, add_instruction_names);
    add_line(s, "write actions", p, PROP_WRITE_ACTIONS, add_action_names);
    add_line(s, "apply actions", p, PROP_APPLY_ACTIONS, add_action_names);
    add_line(s, "write set_field", p, PROP_WRITE_SET, add_field_names);
    add_line(s, "apply set_field", p, PROP_APPLY_SET, add_field_names);
    add_line(s, "write copy_field", p, PROP_WRITE_COPY, add_field_names);
    add_line(s, "apply copy_field", p, PROP_APPLY_COPY, add_field_names);
    p[PROP_MATCH + 1].p = p[PROP_WILDCARDS + 1].p = NULL; /* No such pair. */
    add_line(s, "match", p, PROP_MATCH, add_field_names);
    add_line(s, "wildcards", p, PROP_WILDCARDS, add_field_names);
    add_line(s, "packet types", p, PROP_PACKET_TYPES, add_packet_types);
}
