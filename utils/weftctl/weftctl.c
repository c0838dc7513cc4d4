/* SPDX-License-Identifier: Apache-2.0 */
/* weftctl: changes and shows the configuration of a running weftd. */
#include "utils/weftctl/weftctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "utils/base/mem.h"
#include "utils/base/str.h"

static const char help[] =
    "Usage: weftctl [--run-dir DIR] [--json] COMMAND [-- COMMAND]...\n"
    "\n"
    "Commands that change; several in a row are done all or not at all:\n"
    "  [--may-exist] add-br BRIDGE [OPTION=VALUE]...\n"
    "  [--if-exists] del-br BRIDGE\n"
    "  set-br BRIDGE OPTION=VALUE...\n"
    "  [--may-exist] add-port BRIDGE PORT [type=TYPE] [ofport=N] "
    "[OPTION=VALUE]...\n"
    "  [--if-exists] del-port [BRIDGE] PORT\n"
    "  set-queue BRIDGE PORT QUEUE [min-rate=10M] [max-rate=100M] [burst=1M]\n"
    "  del-queue BRIDGE PORT QUEUE\n"
    "  set-port [BRIDGE] PORT OPTION=VALUE...\n"
    "  [--may-exist] add-net NAME vni=N|vsid=N [peers=ADDR,...] "
    "[OPTION=VALUE]...\n"
    "  [--if-exists] del-net NAME            a network without a controller\n"
    "  add-peer NAME ADDR..., del-peer NAME ADDR...\n"
    "  [--may-exist] add-uplink NAME [type=TYPE] [OPTION=VALUE]...\n"
    "  [--if-exists] del-uplink NAME\n"
    "  set-controller BRIDGE TARGET...       tcp: tls: unix: ptcp: ptls: "
    "punix:\n"
    "  del-controller BRIDGE\n"
    "  set-fail-mode BRIDGE secure|standalone|hold\n"
    "  apply FILE.json                       the whole configuration; - is "
    "standard input\n"
    "\n"
    "OpenFlow, in ovs-ofctl's syntax; FILE - is standard input:\n"
    "  add-flow BRIDGE FLOW, add-flows BRIDGE FILE\n"
    "  mod-flows [--strict] BRIDGE FLOW, del-flows [--strict] BRIDGE [FLOW]\n"
    "  dump-flows BRIDGE [FLOW] [--no-stats] [--sort=MEMBER] "
    "[--rsort=MEMBER]\n"
    "  diff-flows SOURCE SOURCE               a bridge or a file each\n"
    "  replace-flows BRIDGE FILE\n"
    "  add-group BRIDGE GROUP, add-groups BRIDGE FILE, mod-group BRIDGE "
    "GROUP,\n"
    "  del-groups BRIDGE [GROUP], insert-buckets, remove-buckets BRIDGE "
    "GROUP\n"
    "  add-meter BRIDGE METER, add-meters BRIDGE FILE, mod-meter BRIDGE "
    "METER,\n"
    "  del-meters BRIDGE [METER], del-meter BRIDGE METER\n"
    "  bundle BRIDGE FILE                    lines: flow, group, meter, "
    "packet-out\n"
    "  dump-groups, dump-group-stats, dump-meters, meter-stats BRIDGE\n"
    "  --bundle behind a command: all of a file or nothing\n"
    "  mod-port BRIDGE PORT SETTING          up, down, [no-]receive, "
    "[no-]forward,\n"
    "                                        [no-]flood, [no-]packet-in\n"
    "  mod-table BRIDGE TABLE|all SETTING    evict, noevict, vacancy:DOWN,UP, "
    "novacancy,\n"
    "                                        name:NAME, max:RULES\n"
    "  dump-table-desc, dump-table-features BRIDGE\n"
    "  monitor BRIDGE [MISS_LEN] [invalid_ttl] [watch:SPEC]\n"
    "  packet-out BRIDGE 'in_port=PORT,packet=HEX,actions=ACTIONS'\n"
    "\n"
    "Commands that show:\n"
    "  show                                  everything, for people\n"
    "  list br | list port [BRIDGE] | list uplink\n"
    "  get br|port|uplink NAME [MEMBER]      as JSON\n"
    "  export                                the document that apply takes\n"
    "  trace BRIDGE FLOW\n"
    "  trace BRIDGE FRAME [in_port=PORT] [tun_id=N] [tun_src=A] [tun_dst=A]\n"
    "  version, ping\n"
    "\n"
    "Others:\n"
    "  macs-flush [BRIDGE], set-log err|warn|info|debug, exit\n"
    "\n"
    "Exit status: 0 done, 1 refused (nothing changed), 2 usage, 3 no weftd,\n"
    "4 diff-flows found differences.\n"
    "See weftctl(8).\n";

void
ctl_usage(const char *fmt, const char *word)
{
    fputs("weftctl: ", stderr);
    fprintf(stderr, fmt, word);
    fputs("\nTry: weftctl --help\n", stderr);
    exit(CLI_USAGE);
}

enum cli_exit
ctl_fail(enum cli_exit code, const struct weft_err *e)
{
    fprintf(stderr, "weftctl: %s\n", e->text);
    return code;
}

/* ----------------------------------------------------------------- edits */

enum rest { NONE, OPTIONS, TARGETS };

static const struct edit {
    const char *name, *words;
    enum rest rest;
    const char *flag;
} edits[] = {
#define EDIT(name, words, rest, flag) { name, words, rest, flag },
#include "utils/weftctl/commands.def"
#undef EDIT
};

static const struct edit *
edit_find(const char *name)
{
    for (size_t i = 0; i < WEFT_ARRAY_LEN(edits); i++)
        if (!strcmp(edits[i].name, name))
            return &edits[i];
    return NULL;
}

/* "name=value" into an object. */
static void
option_add(json_t *options, const char *word)
{
    const char *eq = strchr(word, '=');

    if (!eq || eq == word)
        ctl_usage("\"%s\" is not OPTION=VALUE", word);
    char *name = strndup(word, (size_t) (eq - word));
    if (json_object_get(options, name))
        ctl_usage("option \"%s\" is given twice", name);
    if (json_object_set_new(options, name, json_string(eq + 1)))
        ctl_usage("\"%s\" is not UTF-8", word);
    free(name);
}

/* Words up to the rest: named by e->words. */
static size_t
take_words(const struct edit *e, char *w[], size_t n, json_t *params)
{
    size_t given = 0, wanted = 1, i = 0;
    char names[64], *save, *name;

    while (given < n
           && (e->rest == TARGETS ? given < 1
                                  : e->rest == NONE || !strchr(w[given], '=')))
        given++;
    strcpy(names, e->words);
    for (const char *p = names; *p; p++)
        wanted += *p == ' ';
    for (name = strtok_r(names, " ", &save); name;
         name = strtok_r(NULL, " ", &save)) {
        if (*name == '?') {
            name++;
            if (given < wanted) {
                wanted--;
                continue;
            }
        }
        if (i == given)
            ctl_usage("%s needs more words", e->name);
        if (json_object_set_new(params, name, json_string(w[i])))
            ctl_usage("\"%s\" is not UTF-8", w[i]);
        i++;
    }
    return i;
}

json_t *
ctl_edit(const char *flag, char *w[], size_t n)
{
    const struct edit *e = edit_find(w[0]);
    json_t *params, *options, *targets;

    if (!e)
        return NULL;
    params = json_object();
    if (flag && strcmp(flag, e->flag))
        ctl_usage("%s does not take this flag", e->name);
    if (flag)
        json_object_set_new(params, flag, json_true());

    size_t i = 1 + take_words(e, w + 1, n - 1, params);
    if (e->rest == OPTIONS) {
        options = json_object();
        for (; i < n; i++)
            option_add(options, w[i]);
        json_object_set_new(params, "options", options);
    } else if (e->rest == TARGETS) {
        targets = json_array();
        for (; i < n; i++)
            json_array_append_new(targets, json_string(w[i]));
        if (!json_array_size(targets))
            ctl_usage("%s needs one target or more, such as "
                      "tcp:192.0.2.9:6653 or 192.0.2.9", e->name);
        json_object_set_new(params, "targets", targets);
    }
    if (i < n)
        ctl_usage("unexpected word \"%s\"", w[i]);
    return json_pack("{s:s,s:o}", "method", e->name, "params", params);
}

/* apply FILE is an edit as well, with the document from a file. */
static json_t *
ctl_apply(char *w[], size_t n)
{
    json_error_t why;
    json_t *doc;

    if (n != 2)
        ctl_usage("%s needs one file", w[0]);
    doc = strcmp(w[1], "-") ? json_load_file(w[1], JSON_REJECT_DUPLICATES,
                                             &why)
                            : json_loadf(stdin, JSON_REJECT_DUPLICATES, &why);
    if (!doc) {
        fprintf(stderr, "weftctl: %s: line %d: %s\n", w[1], why.line,
                why.text);
        exit(CLI_USAGE);
    }
    return json_pack("{s:s,s:{s:o}}", "method", "apply", "params", "document",
                     doc);
}

/* -------------------------------------------------------------- commands */

struct run {
    struct ctl ctl;
    json_t *edits; /* Consecutive ones, not sent yet. */
};

static enum cli_exit
edits_send(struct run *r)
{
    struct weft_err e = { "" };
    json_t *result;

    if (!json_array_size(r->edits))
        return CLI_OK;

    json_t *params = json_pack("{s:O}", "commands", r->edits);
    json_decref(r->edits);
    r->edits = json_array();
    enum cli_exit code = cli_call(r->ctl.cli, "transact", params, &result,
                                  &e);
    if (code)
        return ctl_fail(code, &e);
    if (r->ctl.json)
        ctl_print_json(result);
    json_decref(result);
    return CLI_OK;
}

/* One command of the line: an edit waits for the next ones, others are done
 * at once. */
static enum cli_exit
command(struct run *r, char *w[], size_t n)
{
    const char *flag = NULL;
    json_t *edit;

    if (n && (!strcmp(w[0], "--may-exist") || !strcmp(w[0], "--if-exists"))) {
        flag = w[0] + 2;
        w++;
        n--;
    }
    if (!n)
        ctl_usage("a command is missing%s", "");
    edit = !strcmp(w[0], "apply") ? ctl_apply(w, n) : ctl_edit(flag, w, n);
    if (edit) {
        json_array_append_new(r->edits, edit);
        return CLI_OK;
    }
    if (flag)
        ctl_usage("%s does not take this flag", w[0]);
    enum cli_exit code = edits_send(r);
    if (code || ctl_of(&r->ctl, w, n, &code)
        || ctl_flows(&r->ctl, w, n, &code)
        || ctl_tables(&r->ctl, w, n, &code))
        return code;
    return ctl_read(&r->ctl, w, n);
}

/* Words between "--" are commands.  Changes are sent when one follows that
 * shows, or at the end: a typing error before that changes nothing. */
static enum cli_exit
commands(struct run *r, char *w[], size_t n)
{
    enum cli_exit code = CLI_OK;

    for (size_t i = 0, end; !code && i < n; i = end + 1) {
        for (end = i; end < n && strcmp(w[end], "--"); end++)
            ;
        code = command(r, w + i, end - i);
        if (end == n)
            break;
    }
    return code ? code : edits_send(r);
}

int
main(int argc, char *argv[])
{
    struct run r = { .ctl = { .run_dir = cli_default_run_dir() } };
    struct weft_err e = { "" };
    int i;

    for (i = 1; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--json"))
            r.ctl.json = true;
        else if (!strcmp(argv[i], "--run-dir") && i + 1 < argc)
            r.ctl.run_dir = argv[++i];
        else if (!strncmp(argv[i], "--run-dir=", 10))
            r.ctl.run_dir = argv[i] + 10;
        else if (!strcmp(argv[i], "--version")) {
            printf("weftctl %s\n", PACKAGE_VERSION);
            return CLI_OK;
        } else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            fputs(help, stdout);
            return CLI_OK;
        } else if (strcmp(argv[i], "--"))
            break; /* A flag of the first command. */
    }
    if (i == argc)
        ctl_usage("a command is missing%s", "");
    r.edits = json_array();
    enum cli_exit code = cli_connect(r.ctl.run_dir, &r.ctl.cli, &e);
    code = code ? ctl_fail(code, &e)
                : commands(&r, argv + i, (size_t) (argc - i));
    cli_close(r.ctl.cli);
    json_decref(r.edits);
    return code;
}
