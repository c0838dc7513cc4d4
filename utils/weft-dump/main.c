/* SPDX-License-Identifier: Apache-2.0 */
/* weft-dump: what a running weftd has and does; changes nothing. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "utils/base/clock.h"
#include "utils/base/mem.h"
#include "utils/base/str.h"
#include "utils/cli/client.h"
#include "utils/cli/flow.h"
#include "utils/weft-dump/dump.h"

static const struct kind {
    const char *name, *list, *identity;
    dump_printer *print;
    const char *help;
} kinds[] = {
#define DUMP(name, list, identity, print, help)                               \
    { name, list, identity, print, help },
#include "utils/weft-dump/dumps.def"
#undef DUMP
};

struct options {
    const char *run_dir;
    bool json;
    bool reset_longest;
    double watch; /* Seconds; 0: once. */
    const struct kind *kind;
    const char *bridge;
    struct base_str filter;
};

static void
print_help(void)
{
    puts("Usage: weft-dump [--run-dir DIR] [--json] [--watch [SECONDS]] WHAT "
         "[BRIDGE] [FILTER]...\n\nWHAT:");
    for (size_t i = 0; i < WEFT_ARRAY_LEN(kinds); i++)
        printf("  %-12s %s\n", kinds[i].name, kinds[i].help);
    puts("\nFILTER for flows: as for ovs-ofctl dump-flows, such as "
         "table=0,ip,nw_dst=10.0.0.0/8\n"
         "FILTER for others: MEMBER=VALUE, MEMBER!=VALUE, MEMBER~PART with "
         "members of --json;\n"
         "                   for cache also words of the match\n"
         "--watch shows it again and again, with rates.\n"
         "--reset-longest (workers) counts LONGEST anew after showing it.\n"
         "Exit status: 0 done, 1 refused, 2 usage, 3 no weftd.\n"
         "See weft-dump(8), weft-rpc(7).");
}

static void WEFT_NORETURN
usage(const char *what, const char *value)
{
    fprintf(stderr, "weft-dump: %s \"%s\"\nTry: weft-dump --help\n", what,
            value);
    exit(CLI_USAGE);
}

static const struct kind *
kind_find(const char *name)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(kinds); i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    usage("nothing to dump is called", name);
}

static double
interval(const char *text)
{
    char *end;
    double v = strtod(text, &end);

    if (*end || !(v >= 0.1 && v <= 86400))
        usage("--watch wants 0.1 to 86400 seconds, not", text);
    return v;
}

/* WHAT [BRIDGE] [FILTER]...; a bridge has no =, a filter mostly has.  Queues
 * may name the port by its bare name. */
static void
words_take(struct options *o, char *w[], int n)
{
    int i = 1;

    if (!n)
        usage("what to dump is missing", "");
    o->kind = kind_find(w[0]);
    if (i < n && !strpbrk(w[i], "=~,"))
        o->bridge = w[i++];
    if (i < n && !strcmp(o->kind->name, "queues") && !strpbrk(w[i], "=~,"))
        base_str_addf(&o->filter, "port_name=%s", w[i++]);
    for (; i < n; i++)
        base_str_addf(&o->filter, "%s%s", o->filter.len ? "," : "", w[i]);
}

static void
options_parse(struct options *o, int argc, char *argv[])
{
    static const struct option longs[] = {
        { "run-dir", required_argument, NULL, 'r' },
        { "json", no_argument, NULL, 'j' },
        { "watch", optional_argument, NULL, 'w' },
        { "reset-longest", no_argument, NULL, 'R' },
        { "version", no_argument, NULL, 'V' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    *o = (struct options){ .run_dir = cli_default_run_dir() };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'r':
            o->run_dir = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'w': /* "--watch 2" means what "--watch=2" does. */
            if (!optarg && optind < argc
                && isdigit((unsigned char) argv[optind][0]))
                optarg = argv[optind++];
            o->watch = optarg ? interval(optarg) : 1;
            break;
        case 'R':
            o->reset_longest = true;
            break;
        case 'V':
            printf("weft-dump %s\n", PACKAGE_VERSION);
            exit(CLI_OK);
        case 'h':
            print_help();
            exit(CLI_OK);
        default:
            exit(CLI_USAGE);
        }
    }
    words_take(o, argv + optind, argc - optind);
}

/* --------------------------------------------------------------- answers */

static json_t *
params(const struct options *o)
{
    json_t *p = json_object();

    if (o->bridge)
        json_object_set_new(p, "bridge", json_string(o->bridge));
    if (o->filter.len && !strcmp(o->kind->name, "flows"))
        json_object_set_new(p, "filter", json_string(o->filter.buf));
    if (o->reset_longest && !strcmp(o->kind->name, "workers"))
        json_object_set_new(p, "reset_longest", json_true());
    return p;
}

static bool
selected(const struct options *o, const json_t *item)
{
    return !o->filter.len || !strcmp(o->kind->name, "flows")
           || filter_selects(o->filter.buf, item);
}

/* Above each answer of --watch; a terminal is cleared. */
static void
headline(const struct options *o)
{
    char when[32];
    time_t now = time(NULL);
    struct tm tm;

    if (o->watch <= 0 || o->json)
        return;
    localtime_r(&now, &tm);
    strftime(when, sizeof when, "%H:%M:%S", &tm);
    printf("%s%s  %s%s%s\n", isatty(STDOUT_FILENO) ? "\033[H\033[J" : "",
           when, o->kind->name, o->bridge ? " " : "",
           o->bridge ? o->bridge : "");
}

/* One answer as it comes. */
struct answer {
    const struct options *o;
    json_t *items;        /* Not shown yet, CLI_FLOWS_HELD at most. */
    const json_t *before; /* Identity -> item of the former answer. */
    json_t *now;          /* The same of this one; NULL: not wanted. */
    double seconds;       /* Between both. */
    size_t shown;
};

static void
show(struct answer *a, const json_t *result)
{
    struct dump d = { .result = result,
                      .items = a->items,
                      .before = a->before,
                      .identity = a->o->kind->identity,
                      .seconds = a->seconds };

    if (!a->shown || json_array_size(a->items))
        a->o->kind->print(&d);
    a->shown += json_array_size(a->items);
    json_array_clear(a->items);
}

/* JSON: an item a line, so that nothing must be held. */
static void
show_json(struct answer *a, const json_t *item)
{
    bool lines = a->o->watch <= 0;

    if (!a->shown)
        printf("{%s\"%s\":%s[", lines ? "\n  " : "", a->o->kind->list,
               lines ? " " : "");
    else
        putchar(',');
    if (lines)
        fputs("\n    ", stdout);
    json_dumpf(item, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
    a->shown++;
}

static void
show_json_end(struct answer *a, const json_t *result)
{
    const char *list = a->o->kind->list, *key;
    bool lines = a->o->watch <= 0;
    json_t *v;

    if (!a->shown)
        printf("{%s\"%s\":%s[", lines ? "\n  " : "", list,
               lines ? " " : "");
    fputs(lines && a->shown ? "\n  ]" : "]", stdout);
    json_object_foreach((json_t *) (uintptr_t) result, key, v) {
        if (!strcmp(key, list))
            continue;
        printf(",%s\"%s\":%s", lines ? "\n  " : "", key, lines ? " " : "");
        json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY
                   | JSON_REAL_PRECISION(12));
    }
    puts(lines ? "\n}" : "}");
}

static bool
on_item(void *arg, json_t *item)
{
    struct answer *a = arg;

    if (!selected(a->o, item))
        return true;
    if (a->now) {
        char *id = item_identity(item, a->o->kind->identity);

        json_object_set(a->now, id, item);
        free(id);
    }
    if (a->o->json) {
        show_json(a, item);
    } else {
        json_array_append(a->items, item);
        if (json_array_size(a->items) == CLI_FLOWS_HELD)
            show(a, NULL);
    }
    return !ferror(stdout);
}

/* Asks and shows once. */
static enum cli_exit
once(struct cli *c, struct answer *a, struct weft_err *e)
{
    json_t *result;
    enum cli_exit code;

    headline(a->o);
    code = cli_stream(c, a->o->kind->name, params(a->o), a->o->kind->list,
                      on_item, a, &result, e);
    if (!code && a->o->json)
        show_json_end(a, result);
    else if (!code)
        show(a, result);
    fflush(stdout);
    json_decref(result);
    return code;
}

static enum cli_exit
run(const struct options *o, struct cli *c, struct weft_err *e)
{
    enum cli_exit code = CLI_OK;
    json_t *before = NULL;
    uint64_t last = 0;

    for (;;) {
        struct answer a = { .o = o,
                            .items = json_array(),
                            .before = before,
                            .now = o->watch > 0 ? json_object() : NULL };
        uint64_t now = base_clock_ns();

        a.seconds = (double) (now - last) / 1e9;
        code = once(c, &a, e);
        json_decref(before);
        json_decref(a.items);
        before = a.now;
        last = now;
        if (code || o->watch <= 0)
            break;
        usleep((useconds_t) (o->watch * 1e6));
    }
    json_decref(before);
    return code;
}

int
main(int argc, char *argv[])
{
    struct weft_err e = { "" };
    struct cli *c = NULL;
    struct options o;

    options_parse(&o, argc, argv);
    enum cli_exit code = cli_connect(o.run_dir, &c, &e);
    if (!code)
        code = run(&o, c, &e);
    if (code)
        fprintf(stderr, "weft-dump: %s\n", e.text);
    cli_close(c);
    base_str_fini(&o.filter);
    return code;
}
