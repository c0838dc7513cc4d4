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

/* Leaves only items that the filter selects; flows were filtered by weftd. */
static void
filter(const struct options *o, json_t *items)
{
    if (!o->filter.len || !strcmp(o->kind->name, "flows"))
        return;
    for (size_t i = json_array_size(items); i-- > 0;)
        if (!filter_selects(o->filter.buf, json_array_get(items, i)))
            json_array_remove(items, i);
}

static json_t *
by_identity(const struct options *o, const json_t *items)
{
    json_t *map = json_object(), *v;
    size_t i;

    json_array_foreach(items, i, v) {
        char *id = item_identity(v, o->kind->identity);

        json_object_set(map, id, v);
        free(id);
    }
    return map;
}

static void
show(const struct options *o, const json_t *result, const json_t *items,
     const json_t *before, double seconds)
{
    struct dump d = { .result = result,
                      .items = items,
                      .before = before,
                      .identity = o->kind->identity,
                      .seconds = seconds };

    if (o->json) {
        json_dumpf(result, stdout, o->watch > 0 ? JSON_COMPACT
                                                : JSON_INDENT(2));
        putchar('\n');
    } else {
        o->kind->print(&d);
    }
    fflush(stdout);
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

static enum cli_exit
run(const struct options *o, struct cli *c, struct weft_err *e)
{
    enum cli_exit code;
    json_t *before = NULL, *result;
    uint64_t last = 0;

    while (!(code = cli_call(c, o->kind->name, params(o), &result, e))) {
        json_t *items = json_object_get(result, o->kind->list);
        uint64_t now = base_clock_ns();

        filter(o, items);
        headline(o);
        show(o, result, items, before, (double) (now - last) / 1e9);
        json_decref(before);
        before = o->watch > 0 ? by_identity(o, items) : NULL;
        last = now;
        json_decref(result);
        if (o->watch <= 0)
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
