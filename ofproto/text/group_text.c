/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/group_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ports.h"
#include "ofproto/text/flow_text_priv.h"
#include "utils/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define ID_UNSAID OFP_BUCKET_ALL

static const char *const type_names[] = { "all", "select", "indirect", "ff" };
static const char *const method_names[] = {
    [OFP_SELECT_HASH] = "hash",
    [OFP_SELECT_DP_HASH] = "dp_hash",
};

/* ------------------------------------------------------------------ reading */

struct reader {
    struct ofp_group_text *t;
    enum ofp_group_command command;
    bool type, id, bucket, weightless;
    struct weft_err *e;
};

/* Cuts the next word off *pos at a comma or blank outside parentheses; NULL:
 * the end. */
static char *
next_word(char **pos)
{
    char *s = *pos + strspn(*pos, ", \t\r\n"), *start = s;
    unsigned depth = 0;

    if (!*s)
        return NULL;
    for (; *s && (depth || !strchr(", \t\r\n", *s)); s++) {
        depth += *s == '(';
        depth -= *s == ')' && depth;
    }
    if (*s)
        *s++ = '\0';
    *pos = s;
    return start;
}

/* The value of "key=value" or "key:value"; NULL: another key. */
static char *
value_of(char *word, const char *key)
{
    size_t n = strlen(key);

    return !strncmp(word, key, n) && (word[n] == '=' || word[n] == ':')
               ? word + n + 1
               : NULL;
}

static int
read_number(const char *word, const char *value, uint64_t max, uint32_t *out,
            struct weft_err *e)
{
    uint64_t v;
    int err = text_number(word, value, max, &v, e);

    if (!err)
        *out = (uint32_t) v;
    return err;
}

/* "ip_src" or "ip_src=255.255.255.0": the value is a mask. */
static int
read_fields(struct reader *r, char *text)
{
    struct flow_key *mask = &r->t->mod.config.fields.mask;
    char *word;

    while ((word = next_word(&text))) {
        char *eq = strchr(word, '=');
        const struct text_name *n;
        const struct flow_field *f;
        uint8_t v[16], m[16], ones[16];
        int err;

        if (eq)
            *eq++ = '\0';
        n = text_name_find(word);
        if (!n)
            return weft_err_set(r->e, -EINVAL, "%.40s: unknown field", word);
        f = &flow_fields[n->field];
        memset(ones, 0xff, sizeof ones);
        memcpy(v, ones, sizeof v);
        err = eq ? text_value(word, f, eq, v, m, r->e) : 0;
        if (err)
            return err;
        flow_field_set_masked(mask, f, v, ones);
    }
    return 0;
}

static int
read_name(const char *what, const char *value, const char *const names[],
          unsigned n, unsigned *out, struct weft_err *e)
{
    for (unsigned i = 0; i < n; i++)
        if (names[i] && !strcmp(names[i], value)) {
            *out = i;
            return 0;
        }
    return weft_err_set(e, -EINVAL, "%s=%.40s: unknown", what, value);
}

static int
read_bucket_id(const char *word, const char *value, uint32_t *out,
               struct weft_err *e)
{
    if (!strcmp(value, "first"))
        *out = OFP_BUCKET_FIRST;
    else if (!strcmp(value, "last"))
        *out = OFP_BUCKET_LAST;
    else if (!strcmp(value, "all"))
        *out = OFP_BUCKET_ALL;
    else
        return read_number(word, value, OFP_BUCKET_MAX, out, e);
    return 0;
}

/* 1: no word of a group. */
static int
read_word(struct reader *r, char *word)
{
    struct ofp_group_mod *m = &r->t->mod;
    char *v;
    unsigned i = 0;
    int err;

    if ((v = value_of(word, "group_id"))) {
        r->id = true;
        if (r->command == OFP_GC_DELETE && !strcmp(v, "all")) {
            m->group = OFP_GROUP_ALL;
            return 0;
        }
        return read_number("group_id", v, DP_GROUP_MAX, &m->group, r->e);
    }
    if ((v = value_of(word, "type"))) {
        if (!strcmp(v, "fast_failover"))
            v = (char *) (uintptr_t) "ff";
        err = read_name("type", v, type_names, 4, &i, r->e);
        if (!err)
            m->config.type = (enum dp_group_type) i;
        r->type = true;
        return err;
    }
    if ((v = value_of(word, "command_bucket_id"))) {
        r->bucket = true;
        return read_bucket_id("command_bucket_id", v, &m->bucket, r->e);
    }
    if ((v = value_of(word, "selection_method"))) {
        err = read_name("selection_method", v, method_names,
                        WEFT_ARRAY_LEN(method_names), &i, r->e);
        if (!err)
            m->config.selection = (enum ofp_selection) i;
        return err;
    }
    if ((v = value_of(word, "selection_method_param")))
        return text_number("selection_method_param", v, UINT64_MAX,
                           &m->config.selection_param, r->e);
    if ((v = value_of(word, "fields")))
        return read_fields(r, v);
    if (!strncmp(word, "fields(", 7) && word[strlen(word) - 1] == ')') {
        word[strlen(word) - 1] = '\0';
        return read_fields(r, word + 7);
    }
    return weft_err_set(r->e, -EINVAL, "%.40s: unknown word", word);
}

/* A word of a bucket; what is none is an action, added to 'actions'. */
static int
read_bucket_word(struct reader *r, char *word, struct dp_bucket *k,
                 struct base_str *actions)
{
    uint32_t weight;
    char *v;
    int err;

    if ((v = value_of(word, "weight"))) {
        err = read_number("weight", v, UINT16_MAX, &weight, r->e);
        if (!err)
            k->weight = (uint16_t) weight;
        return err;
    }
    if ((v = value_of(word, "watch_port")))
        return text_port("watch_port", v, &k->watch_port, r->e);
    if ((v = value_of(word, "watch_group")))
        return read_number("watch_group", v, DP_GROUP_MAX, &k->watch_group,
                           r->e);
    if ((v = value_of(word, "bucket_id")))
        return read_number("bucket_id", v, OFP_BUCKET_MAX, &k->id, r->e);
    v = value_of(word, "actions");
    if (!v)
        v = value_of(word, "action");
    if (actions->len)
        base_str_add(actions, ",");
    base_str_add(actions, v ? v : word);
    return 0;
}

static int
read_bucket(struct reader *r, char *text)
{
    struct ofp_group_text *t = r->t;
    struct ofp_group_config *c = &t->mod.config;
    struct base_str actions = BASE_STR_INIT;
    struct dp_bucket *k;
    uint64_t *mem = NULL;
    char *word;
    int err = 0;

    if (c->n_buckets == OFP_MAX_BUCKETS)
        return weft_err_set(r->e, -EINVAL, "more than %d buckets",
                            OFP_MAX_BUCKETS);
    c->buckets = base_xrealloc(c->buckets,
                               (c->n_buckets + 1) * sizeof c->buckets[0]);
    t->mem = base_xrealloc(t->mem, (t->n_mem + 1) * sizeof t->mem[0]);
    k = &c->buckets[c->n_buckets++];
    *k = (struct dp_bucket) { .id = ID_UNSAID, .watch_port = DP_PORT_NONE,
                              .watch_group = DP_GROUP_NONE,
                              .weight = c->type == DP_GROUP_SELECT };
    while (!err && (word = next_word(&text)))
        err = read_bucket_word(r, word, k, &actions);
    if (!err && actions.len)
        err = ofp_text_parse_ops(base_str_cstr(&actions), &k->actions, &mem,
                                 r->e);
    t->mem[t->n_mem++] = mem;
    base_str_fini(&actions);
    return err;
}

static int
by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *) x, b = *(const uint32_t *) y;

    return a < b ? -1 : a > b;
}

/* Buckets without an id get the free ones from 0 on, in order. */
static void
number_buckets(struct ofp_group_config *c)
{
    uint32_t *said = base_xmalloc((c->n_buckets + 1) * sizeof said[0]);
    uint32_t id = 0;
    size_t n = 0, at = 0;

    for (size_t i = 0; i < c->n_buckets; i++)
        if (c->buckets[i].id != ID_UNSAID)
            said[n++] = c->buckets[i].id;
    qsort(said, n, sizeof said[0], by_number);
    for (size_t i = 0; i < c->n_buckets; i++) {
        if (c->buckets[i].id != ID_UNSAID)
            continue;
        for (; at < n && said[at] <= id; at++)
            id += said[at] == id;
        c->buckets[i].id = id++;
    }
    free(said);
}

/* Cuts the first "bucket=" that begins a word, and returns what follows;
 * NULL: there is none. */
static char *
cut_bucket(char *text)
{
    for (char *s = text; (s = strstr(s, "bucket=")); s++)
        if (s == text || strchr(", \t\r\n", s[-1])) {
            *s = '\0';
            return s + strlen("bucket=");
        }
    return NULL;
}

static int
check_said(const struct reader *r)
{
    const struct ofp_group_config *c = &r->t->mod.config;
    bool with_type = r->command == OFP_GC_ADD || r->command == OFP_GC_MODIFY
                     || r->command == OFP_GC_ADD_OR_MODIFY;
    bool takes_buckets = with_type || r->command == OFP_GC_INSERT_BUCKET;

    if (!r->id && r->command != OFP_GC_DELETE)
        return weft_err_set(r->e, -EINVAL, "group_id= missing");
    if (with_type && !r->type)
        return weft_err_set(r->e, -EINVAL, "type= missing (all, select,"
                            " indirect or ff)");
    if (!takes_buckets && c->n_buckets)
        return weft_err_set(r->e, -EINVAL, "bucket= has no place here");
    if (r->bucket
        != (r->command == OFP_GC_INSERT_BUCKET
            || r->command == OFP_GC_REMOVE_BUCKET))
        return weft_err_set(r->e, -EINVAL, r->bucket
                            ? "command_bucket_id= has no place here"
                            : "command_bucket_id= missing (a number, first,"
                              " last or all)");
    if (c->selection && c->type != DP_GROUP_SELECT)
        return weft_err_set(r->e, -EINVAL,
                            "selection_method= is for type=select");
    if ((c->selection_param || flow_mask_words(&c->fields.mask))
        && !c->selection)
        return weft_err_set(r->e, -EINVAL, "selection_method= missing");
    return 0;
}

static int
read_group(struct reader *r, char *text)
{
    char *bucket = cut_bucket(text), *word;
    int err = 0;

    while (!err && (word = next_word(&text)))
        err = read_word(r, word);
    while (!err && bucket) {
        char *next = cut_bucket(bucket);

        err = read_bucket(r, bucket);
        bucket = next;
    }
    if (err)
        return err;
    number_buckets(&r->t->mod.config);
    return check_said(r);
}

int
ofp_text_parse_group(const char *text, enum ofp_group_command command,
                     struct ofp_group_text *t, struct weft_err *e)
{
    struct reader r = { .t = t, .command = command, .e = e };
    char *copy;
    int err;

    *t = (struct ofp_group_text) {
        .mod = { .command = command, .group = OFP_GROUP_ALL,
                 .bucket = OFP_BUCKET_ALL },
    };
    if (strnlen(text, OFP_TEXT_MAX + 1) > OFP_TEXT_MAX)
        return weft_err_set(e, -EINVAL, "text exceeds %d bytes",
                            OFP_TEXT_MAX);
    copy = base_xstrdup(text);
    err = read_group(&r, copy);
    free(copy);
    if (err)
        ofp_group_text_fini(t);
    return err;
}

void
ofp_group_text_fini(struct ofp_group_text *t)
{
    for (size_t i = 0; i < t->n_mem; i++)
        free(t->mem[i]);
    free(t->mem);
    free(t->mod.config.buckets);
    *t = (struct ofp_group_text) { .n_mem = 0 };
}

/* ----------------------------------------------------------------- printing */

/* "ip_src" or "ip_src=255.255.255.0" of each field with a bit in the mask. */
static void
add_fields(struct base_str *s, const struct flow_key *mask)
{
    const char *sep = "";
    uint8_t v[16], ones[16], whole[16];
    struct flow_key all;

    memset(ones, 0xff, sizeof ones);
    base_str_add(s, ",fields(");
    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];
        static const uint8_t zero[16];

        flow_field_get(mask, f, v);
        /* Fields of other protocols share the member: the first name. */
        if (!memcmp(v, zero, 16) || !text_name_find(text_set_name(i)))
            continue;
        for (unsigned k = 0; k < i; k++)
            if (flow_fields[k].offset == f->offset
                && flow_fields[k].shift == f->shift)
                goto next;
        memset(&all, 0, sizeof all);
        flow_field_set_masked(&all, f, ones, ones);
        flow_field_get(&all, f, whole);
        base_str_addf(s, "%s%s", sep, text_set_name(i));
        if (memcmp(v, whole, 16)) {
            base_str_add(s, "=");
            text_add_value(s, f, v, whole);
        }
        sep = ",";
    next:;
    }
    base_str_add(s, ")");
}

static void
add_bucket(struct base_str *s, const struct dp_bucket *k,
           enum dp_group_type type, bool ids)
{
    char port[PORT_NAME_MAX];

    base_str_add(s, ",bucket=");
    if (ids)
        base_str_addf(s, "bucket_id:%u,", k->id);
    if (k->weight != (type == DP_GROUP_SELECT))
        base_str_addf(s, "weight:%u,", k->weight);
    if (k->watch_port != DP_PORT_NONE)
        base_str_addf(s, "watch_port:%s,",
                      text_port_name(k->watch_port, port));
    if (k->watch_group != DP_GROUP_NONE)
        base_str_addf(s, "watch_group:%u,", k->watch_group);
    base_str_add(s, "actions=");
    ofp_text_add_ops(s, &k->actions);
}

void
ofp_text_add_group(struct base_str *s, uint32_t group,
                   const struct ofp_group_config *c, bool bucket_ids)
{
    base_str_addf(s, "group_id=%u,type=%s", group, type_names[c->type]);
    if (c->selection) {
        base_str_addf(s, ",selection_method=%s", method_names[c->selection]);
        if (c->selection_param)
            base_str_addf(s, ",selection_method_param=%" PRIu64,
                          c->selection_param);
        if (flow_mask_words(&c->fields.mask))
            add_fields(s, &c->fields.mask);
    }
    for (size_t i = 0; i < c->n_buckets; i++)
        add_bucket(s, &c->buckets[i], c->type, bucket_ids);
}

void
ofp_text_add_group_stats(struct base_str *s, const struct ofp_group_view *v,
                         uint64_t now_ns)
{
    uint64_t ms = (now_ns - v->created_ns) / NS_PER_MS;

    base_str_addf(s, "group_id=%u,duration=%" PRIu64, v->id, ms / 1000);
    if (ms % 1000)
        base_str_addf(s, ".%03u", (unsigned) (ms % 1000));
    base_str_addf(s, "s,ref_count=%u,packet_count=%" PRIu64
                     ",byte_count=%" PRIu64, v->ref_count, v->total.packets,
                  v->total.bytes);
    for (size_t i = 0; i < v->config->n_buckets; i++)
        base_str_addf(s, ",bucket%zu:packet_count=%" PRIu64
                         ",byte_count=%" PRIu64, i, v->buckets[i].packets,
                      v->buckets[i].bytes);
}
