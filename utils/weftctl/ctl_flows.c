/* SPDX-License-Identifier: Apache-2.0 */
/* dump-flows, diff-flows, replace-flows; groups and meters shown.
 *
 * Model: weftd reads files too ("read-flows"), so that a flow of a file and
 *        one of a bridge are the same text if they are the same flow.  A set
 *        maps key (table, priority, match) to body (the rest). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/base/hmap.h"
#include "utils/base/mem.h"
#include "utils/base/str.h"
#include "utils/cli/flow.h"
#include "utils/weftctl/weftctl.h"

#define BATCH_LINES 32768 /* Of a file, per request. */

/* --------------------------------------------------------------------- sets */

struct entry {
    struct base_hnode node;
    char *key, *body;
    bool seen; /* The other set has the same. */
};

struct set {
    struct base_hmap map;
};

static void
set_init(struct set *s)
{
    base_hmap_init(&s->map);
}

static void
set_fini(struct set *s)
{
    for (struct base_hnode *n = base_hmap_iter(&s->map, 0), *next; n;
         n = next) {
        struct entry *e = WEFT_CONTAINER_OF(n, struct entry, node);

        next = base_hmap_iter_next(&s->map, n);
        free(e->key);
        free(e->body);
        free(e);
    }
    base_hmap_fini(&s->map);
}

static uint32_t
key_hash(const char *key)
{
    return base_hash_finish(base_hash_bytes(key, strlen(key), 0));
}

static struct entry *
set_find(const struct set *s, const char *key)
{
    for (struct base_hnode *n = base_hmap_first(&s->map, key_hash(key)); n;
         n = base_hmap_next_same(n)) {
        struct entry *e = WEFT_CONTAINER_OF(n, struct entry, node);

        if (!strcmp(e->key, key))
            return e;
    }
    return NULL;
}

/* The last of equal keys stays, as on a switch. */
static void
set_add(struct set *s, const json_t *flow)
{
    struct base_str key = BASE_STR_INIT, body = BASE_STR_INIT;
    struct entry *e;

    cli_flow_key(&key, flow);
    cli_flow_body(&body, flow);
    e = set_find(s, base_str_cstr(&key));
    if (e) {
        free(e->body);
        base_str_fini(&key);
    } else {
        BASE_NEW(e);
        e->key = base_str_steal(&key);
        base_hmap_add(&s->map, &e->node, key_hash(e->key));
    }
    e->body = base_str_steal(&body);
}

/* ------------------------------------------------------------------ sources */

static bool
take_flow(void *arg, json_t *flow)
{
    set_add(arg, flow);
    return true;
}

static enum cli_exit
ask_flows(struct ctl *c, const char *method, json_t *params, struct set *s)
{
    struct weft_err e = { "" };
    json_t *result;
    enum cli_exit code = cli_stream(c->cli, method, params, "flows",
                                    take_flow, s, &result, &e);

    json_decref(result);
    return code ? ctl_fail(code, &e) : CLI_OK;
}

static enum cli_exit
ask_lines(struct ctl *c, const struct base_str *text, json_int_t first,
          struct set *s)
{
    json_t *params = json_pack("{s:s%,s:I}", "text", base_str_cstr(text),
                               text->len, "line", first);

    if (!params)
        ctl_usage("the text is not UTF-8%s", "");
    return ask_flows(c, "read-flows", params, s);
}

static enum cli_exit
read_file(struct ctl *c, const char *name, struct set *s)
{
    FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
    struct base_str text = BASE_STR_INIT;
    json_int_t line = 1, first = 1;
    enum cli_exit code = CLI_OK;
    char *buf = NULL;
    size_t cap = 0;
    ssize_t n;

    if (!f) {
        fprintf(stderr, "weftctl: %s: %s\n", name, strerror(errno));
        return CLI_USAGE;
    }
    while (!code && (n = getline(&buf, &cap, f)) >= 0) {
        base_str_addn(&text, buf, (size_t) n);
        if (++line - first < BATCH_LINES)
            continue;
        code = ask_lines(c, &text, first, s);
        base_str_clear(&text);
        first = line;
    }
    if (!code && text.len)
        code = ask_lines(c, &text, first, s);
    base_str_fini(&text);
    free(buf);
    if (f != stdin)
        fclose(f);
    return code;
}

static enum cli_exit
read_bridge(struct ctl *c, const char *bridge, struct set *s)
{
    return ask_flows(c, "flows", json_pack("{s:s}", "bridge", bridge), s);
}

/* "-" and what exists in the file system is a file. */
static enum cli_exit
read_source(struct ctl *c, const char *name, struct set *s)
{
    bool file = !strcmp(name, "-") || !access(name, F_OK);

    return file ? read_file(c, name, s) : read_bridge(c, name, s);
}

/* -------------------------------------------------------------------- diffs */

/* Marks what both have alike. */
static void
set_compare(struct set *a, struct set *b)
{
    for (struct base_hnode *n = base_hmap_iter(&a->map, 0); n;
         n = base_hmap_iter_next(&a->map, n)) {
        struct entry *x = WEFT_CONTAINER_OF(n, struct entry, node);
        struct entry *y = set_find(b, x->key);

        if (y && !strcmp(x->body, y->body))
            x->seen = y->seen = true;
    }
}

static int
by_line(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *) a;
    const struct entry *y = *(struct entry *const *) b;

    return strcmp(x->key, y->key);
}

/* Entries that only this set has, by their keys; the caller frees. */
static struct entry **
set_rest(const struct set *s, size_t *n)
{
    struct entry **list = base_xcalloc(s->map.n + 1, sizeof list[0]);

    *n = 0;
    for (struct base_hnode *h = base_hmap_iter(&s->map, 0); h;
         h = base_hmap_iter_next(&s->map, h)) {
        struct entry *e = WEFT_CONTAINER_OF(h, struct entry, node);

        if (!e->seen)
            list[(*n)++] = e;
    }
    qsort(list, *n, sizeof list[0], by_line);
    return list;
}

static void
add_text(struct base_str *out, const char *head, const struct entry *e)
{
    base_str_addf(out, "%s%s%s%s\n", head, e->key, *e->key ? " " : "",
                  e->body);
}

static enum cli_exit
diff(struct ctl *c, const struct set *a, const struct set *b)
{
    struct base_str out = BASE_STR_INIT;
    size_t na, nb, i;
    struct entry **only_a = set_rest(a, &na), **only_b = set_rest(b, &nb);

    for (i = 0; i < na; i++)
        add_text(&out, "-", only_a[i]);
    for (i = 0; i < nb; i++)
        add_text(&out, "+", only_b[i]);
    if (c->json) {
        json_t *r = json_pack("{s:I,s:I}", "removed", (json_int_t) na,
                              "added", (json_int_t) nb);
        ctl_print_json(r);
        json_decref(r);
    } else {
        fputs(base_str_cstr(&out), stdout);
    }
    base_str_fini(&out);
    free(only_a);
    free(only_b);
    return na || nb ? CLI_DIFFERS : CLI_OK;
}

/* What makes 'have' like 'want': new flows first, so that no packet is
 * without one longer than needed. */
static void
replace_text(struct base_str *out, const struct set *have,
             const struct set *want)
{
    size_t n, i;
    struct entry **list = set_rest(want, &n);

    for (i = 0; i < n; i++)
        add_text(out, "add ", list[i]);
    free(list);
    list = set_rest(have, &n);
    for (i = 0; i < n; i++)
        if (!set_find(want, list[i]->key))
            base_str_addf(out, "delete_strict %s%s\n", list[i]->key,
                          strstr(list[i]->key, "table=") == list[i]->key
                              ? ""
                              : " table=0");
    free(list);
}

static enum cli_exit
two_sources(struct ctl *c, char *w[], size_t n, bool replace)
{
    struct base_str text = BASE_STR_INIT;
    struct set a, b;
    enum cli_exit code;

    if (n != 3)
        ctl_usage("%s needs two sources", w[0]);
    set_init(&a);
    set_init(&b);
    code = replace ? read_bridge(c, w[1], &a) : read_source(c, w[1], &a);
    if (!code)
        code = replace ? read_file(c, w[2], &b) : read_source(c, w[2], &b);
    if (!code) {
        set_compare(&a, &b);
        if (replace) {
            replace_text(&text, &a, &b);
            code = ctl_send_flows(c, w[1], &text);
        } else {
            code = diff(c, &a, &b);
        }
    }
    base_str_fini(&text);
    set_fini(&a);
    set_fini(&b);
    return code;
}

/* --------------------------------------------------------------- dump-flows */

struct dump {
    const struct ctl *c;
    const char *sort, *filter, *bridge;
    bool stats, down;
    json_t *flows; /* Not printed yet. */
};

static void
dump_print(struct dump *d)
{
    struct base_str out = BASE_STR_INIT;
    size_t n;
    const json_t **list = cli_flows_sorted(d->flows, d->sort, d->down, &n);

    for (size_t i = 0; i < n; i++) {
        base_str_clear(&out);
        cli_flow_line(&out, list[i], d->stats, -1);
        puts(base_str_cstr(&out));
    }
    free(list);
    base_str_fini(&out);
    json_array_clear(d->flows);
}

static bool
dump_item(void *arg, json_t *flow)
{
    struct dump *d = arg;

    json_array_append(d->flows, flow);
    if (!d->sort && !d->c->json
        && json_array_size(d->flows) == CLI_FLOWS_HELD)
        dump_print(d);
    return !ferror(stdout);
}

static void
dump_words(struct dump *d, char *w[], size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (!strcmp(w[i], "--no-stats"))
            d->stats = false;
        else if (!strncmp(w[i], "--sort=", 7))
            d->sort = w[i] + 7;
        else if (!strncmp(w[i], "--rsort=", 8))
            d->down = true, d->sort = w[i] + 8;
        else if (!d->bridge)
            d->bridge = w[i];
        else if (!*d->filter)
            d->filter = w[i];
        else
            ctl_usage("unexpected word \"%s\"", w[i]);
    }
    if (!d->bridge)
        ctl_usage("%s needs a bridge", w[0]);
}

static enum cli_exit
dump_flows(struct ctl *c, char *w[], size_t n)
{
    struct dump d = { .c = c, .filter = "", .stats = true };
    struct weft_err e = { "" };
    enum cli_exit code;
    json_t *result;

    dump_words(&d, w, n);
    d.flows = json_array();
    code = cli_stream(c->cli, "flows",
                      json_pack("{s:s,s:s}", "bridge", d.bridge, "filter",
                                d.filter), "flows", dump_item, &d, &result,
                      &e);
    if (code) {
        ctl_fail(code, &e);
    } else if (c->json) {
        json_object_set(result, "flows", d.flows);
        ctl_print_json(result);
    } else {
        dump_print(&d);
    }
    json_decref(d.flows);
    json_decref(result);
    return code;
}

/* ----------------------------------------------------------- groups, meters */

static void
print_counts(const char *name, const json_t *o)
{
    printf("%s:packet_count=%" JSON_INTEGER_FORMAT ",byte_count=%"
           JSON_INTEGER_FORMAT, name,
           json_integer_value(json_object_get(o, "packets")),
           json_integer_value(json_object_get(o, "bytes")));
}

/* "group_id=1,duration=3.500s,ref_count=1,packet_count=5,byte_count=300,
 * bucket0:packet_count=..." as ovs-ofctl writes it. */
static void
print_group_stats(const json_t *g)
{
    const json_t *b;
    char name[32];
    size_t i;

    printf(" group_id=%" JSON_INTEGER_FORMAT ",duration=%.3fs,ref_count=%"
           JSON_INTEGER_FORMAT ",packet_count=%" JSON_INTEGER_FORMAT
           ",byte_count=%" JSON_INTEGER_FORMAT,
           json_integer_value(json_object_get(g, "group")),
           json_number_value(json_object_get(g, "duration")),
           json_integer_value(json_object_get(g, "ref_count")),
           json_integer_value(json_object_get(g, "packets")),
           json_integer_value(json_object_get(g, "bytes")));
    json_array_foreach(json_object_get(g, "buckets"), i, b) {
        snprintf(name, sizeof name, ",bucket%zu", i);
        print_counts(name, b);
    }
    putchar('\n');
}

static void
print_meter_stats(const json_t *m)
{
    const json_t *b;
    size_t i;

    printf("meter:%s flow_count:%" JSON_INTEGER_FORMAT " packet_in_count:%"
           JSON_INTEGER_FORMAT " byte_in_count:%" JSON_INTEGER_FORMAT
           " duration:%.3fs bands:\n",
           json_string_value(json_object_get(m, "meter")),
           json_integer_value(json_object_get(m, "flow_count")),
           json_integer_value(json_object_get(m, "packets")),
           json_integer_value(json_object_get(m, "bytes")),
           json_number_value(json_object_get(m, "duration")));
    json_array_foreach(json_object_get(m, "bands"), i, b)
        printf("%zu: packet_count:%" JSON_INTEGER_FORMAT " byte_count:%"
               JSON_INTEGER_FORMAT "\n", i,
               json_integer_value(json_object_get(b, "packets")),
               json_integer_value(json_object_get(b, "bytes")));
}

static void
print_text(const json_t *o)
{
    printf(" %s\n", json_string_value(json_object_get(o, "text")));
}

static const struct lister {
    const char *name, *method;
    void (*print)(const json_t *item);
} listers[] = {
    { "dump-groups", "groups", print_text },
    { "dump-group-stats", "groups", print_group_stats },
    { "dump-meters", "meters", print_text },
    { "meter-stats", "meters", print_meter_stats },
};

static enum cli_exit
list(struct ctl *c, const struct lister *l, char *w[], size_t n)
{
    struct weft_err e = { "" };
    json_t *result, *item;
    size_t i;

    if (n != 2)
        ctl_usage("%s needs a bridge", w[0]);
    enum cli_exit code = cli_call(c->cli, l->method,
                                  json_pack("{s:s}", "bridge", w[1]), &result,
                                  &e);
    if (code)
        return ctl_fail(code, &e);
    if (c->json)
        ctl_print_json(result);
    else
        json_array_foreach(json_object_get(result, l->method), i, item)
            l->print(item);
    json_decref(result);
    return CLI_OK;
}

bool
ctl_flows(struct ctl *c, char *w[], size_t n, enum cli_exit *code)
{
    if (!strcmp(w[0], "dump-flows"))
        *code = dump_flows(c, w, n);
    else if (!strcmp(w[0], "diff-flows"))
        *code = two_sources(c, w, n, false);
    else if (!strcmp(w[0], "replace-flows"))
        *code = two_sources(c, w, n, true);
    else
        for (size_t i = 0;; i++) {
            if (i == WEFT_ARRAY_LEN(listers))
                return false;
            if (strcmp(listers[i].name, w[0]))
                continue;
            *code = list(c, &listers[i], w, n);
            break;
        }
    return true;
}
