/* SPDX-License-Identifier: Apache-2.0 */
/* monitor; ports' and tables' settings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"
#include "utils/base/str.h"
#include "utils/weftctl/weftctl.h"

static const char *
text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s ? s : "";
}

static json_int_t
table_of(const json_t *o)
{
    return json_integer_value(json_object_get(o, "table"));
}

/* ----------------------------------------------------------------- monitor */

/* An event as it comes; with --json one object a line. */
static bool
print_event(void *arg, json_t *event)
{
    const struct ctl *c = arg;

    if (c->json) {
        json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        puts(text(event, "text"));
    }
    return !fflush(stdout);
}

/* Until it is interrupted, or weftd or the bridge goes. */
static enum cli_exit
monitor(struct ctl *c, char *w[], size_t n)
{
    struct base_str words = BASE_STR_INIT;
    struct weft_err e = { "" };
    json_t *result, *params;
    enum cli_exit code;

    if (n < 2)
        ctl_usage("%s BRIDGE [MISS_LEN] [invalid_ttl] [watch:SPEC]", w[0]);
    for (size_t i = 2; i < n; i++)
        base_str_addf(&words, "%s%s", i > 2 ? " " : "", w[i]);
    params = json_pack("{s:s,s:s}", "bridge", w[1], "words",
                       base_str_cstr(&words));
    code = cli_stream(c->cli, "monitor", params, "events", print_event, c,
                      &result, &e);
    json_decref(result);
    base_str_fini(&words);
    if (!code) {
        fprintf(stderr, "weftctl: bridge %s went\n", w[1]);
        return CLI_REFUSED;
    }
    return ctl_fail(code, &e);
}

/* ------------------------------------------------------------------- tables */

/* Tables that say the same are shown once. */
struct tables {
    const struct ctl *c;
    json_t *all;      /* For --json. */
    char *text;       /* Of the last one shown. */
    json_int_t first, last; /* That said the same; first > last: none. */
};

static void
ditto_end(struct tables *t)
{
    if (t->first == t->last)
        printf("  table %" JSON_INTEGER_FORMAT ": ditto\n", t->first);
    else if (t->first < t->last)
        printf("  tables %" JSON_INTEGER_FORMAT "...%" JSON_INTEGER_FORMAT
               ": ditto\n", t->first, t->last);
    t->first = 1;
    t->last = 0;
}

/* The name that a table has from the start. */
static bool
plain_name(const json_t *item)
{
    char name[32];

    snprintf(name, sizeof name, "table%" JSON_INTEGER_FORMAT, table_of(item));
    return !*text(item, "name") || !strcmp(text(item, "name"), name);
}

static void
print_table(const json_t *item, const char *body)
{
    if (json_object_get(item, "name"))
        printf("  table %" JSON_INTEGER_FORMAT " (\"%s\"):\n    next tables:"
               " %s\n", table_of(item), text(item, "name"),
               *text(item, "next") ? text(item, "next") : "none");
    else
        printf("  table %" JSON_INTEGER_FORMAT ":\n", table_of(item));
    puts(body);
}

static bool
on_table(void *arg, json_t *item)
{
    struct tables *t = arg;
    const char *body = text(item, "text");

    if (t->all) {
        json_array_append(t->all, item);
        return true;
    }
    if (!json_object_get(item, "name")) /* Behind "table N:". */
        body += strcspn(body, "\n") + (strchr(body, '\n') != NULL);
    if (t->text && !strcmp(t->text, body) && plain_name(item)) {
        if (t->first > t->last)
            t->first = table_of(item);
        t->last = table_of(item);
        return true;
    }
    ditto_end(t);
    print_table(item, body);
    free(t->text);
    t->text = base_xstrdup(body);
    return true;
}

static enum cli_exit
dump_tables(struct ctl *c, const char *method, char *w[], size_t n)
{
    struct tables t = { .c = c, .all = c->json ? json_array() : NULL,
                        .first = 1 };
    struct weft_err e = { "" };
    json_t *result = NULL;
    enum cli_exit code;

    if (n != 2)
        ctl_usage("%s needs a bridge, and no more", w[0]);
    code = cli_stream(c->cli, method, json_pack("{s:s}", "bridge", w[1]),
                      "tables", on_table, &t, &result, &e);
    if (!code && t.all) {
        json_object_set(result, "tables", t.all);
        ctl_print_json(result);
    } else if (!code) {
        ditto_end(&t);
    }
    json_decref(t.all);
    json_decref(result);
    free(t.text);
    return code ? ctl_fail(code, &e) : CLI_OK;
}

/* ----------------------------------------------------------------- settings */

static enum cli_exit
set(struct ctl *c, const char *object, char *w[], size_t n)
{
    struct weft_err e = { "" };
    json_t *result;
    enum cli_exit code;

    if (n != 4)
        ctl_usage("%s needs a bridge, an object and a setting", w[0]);
    code = cli_call(c->cli, w[0],
                    json_pack("{s:s,s:s,s:s}", "bridge", w[1], object, w[2],
                              "setting", w[3]), &result, &e);
    if (code)
        return ctl_fail(code, &e);
    if (c->json)
        ctl_print_json(result);
    json_decref(result);
    return CLI_OK;
}

bool
ctl_tables(struct ctl *c, char *w[], size_t n, enum cli_exit *code)
{
    if (!strcmp(w[0], "monitor"))
        *code = monitor(c, w, n);
    else if (!strcmp(w[0], "dump-table-desc"))
        *code = dump_tables(c, "table-desc", w, n);
    else if (!strcmp(w[0], "dump-table-features"))
        *code = dump_tables(c, "table-features", w, n);
    else if (!strcmp(w[0], "mod-port"))
        *code = set(c, "port", w, n);
    else if (!strcmp(w[0], "mod-table"))
        *code = set(c, "table", w, n);
    else
        return false;
    return true;
}
