/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in ovs-ofctl's manner that change the agent's state. */
#include "utils/weftctl/weftctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utils/base/mem.h"
#include "utils/base/str.h"

#define BATCH_LINES 32768   /* Per request, */
#define BATCH_BYTES 4194304 /* or this much text. */
#define BUNDLE_BYTES 31457280 /* The daemon takes 32 MiB per request. */

struct sender {
    struct ctl *c;
    const char *method, *bridge, *command; /* command: NULL, none. */
    const char *file;
    struct base_str text;
    json_int_t line, first; /* Next line; first one in 'text'. */
    json_int_t sent, refused;
    bool bundle; /* All in one request, done together. */
    bool check;  /* Lines are only read, to find mistakes. */
};

/* ----------------------------------------------------------------- answers */

static void
take_refusals(struct sender *s, const json_t *r)
{
    const json_t *list = json_object_get(r, "refusals"), *one;
    size_t i;

    s->sent += json_integer_value(json_object_get(r, "sent"));
    s->refused += json_integer_value(json_object_get(r, "refused"));
    json_array_foreach(list, i, one) {
        json_int_t line = json_integer_value(json_object_get(one, "line"));

        fprintf(stderr, "weftctl: %s: ", s->file);
        if (line)
            fprintf(stderr, "line %" JSON_INTEGER_FORMAT ": ", line);
        fprintf(stderr, "refused: %s%s\n",
                json_string_value(json_object_get(one, "error")),
                s->bundle ? "; nothing was changed" : "");
    }
}

/* Sends what was gathered. */
static enum cli_exit
sender_flush(struct sender *s)
{
    struct weft_err e = { "" };
    json_t *params, *result;
    enum cli_exit code;

    if (!s->text.len)
        return CLI_OK;
    params = json_pack("{s:s,s:s%}", "bridge", s->bridge, "text", s->text.buf,
                       s->text.len);
    if (!params)
        ctl_usage("%s: the text is not UTF-8", s->file);
    if (s->command)
        json_object_set_new(params, "command", json_string(s->command));
    if (s->bundle)
        json_object_set_new(params, "bundle", json_true());
    if (s->check)
        json_object_set_new(params, "check", json_true());
    if (*s->file)
        json_object_set_new(params, "line", json_integer(s->first));
    code = cli_call(s->c->cli, s->method, params, &result, &e);
    base_str_clear(&s->text);
    s->first = s->line;
    if (code == CLI_REFUSED && *s->file)
        fprintf(stderr, "weftctl: %s: %s\n", s->file, e.text);
    else if (code)
        ctl_fail(code, &e);
    if (code)
        return code;
    take_refusals(s, result);
    json_decref(result);
    return CLI_OK;
}

static enum cli_exit
sender_end(struct sender *s, enum cli_exit code)
{
    if (!code)
        code = sender_flush(s);
    base_str_fini(&s->text);
    if (!code && s->c->json) {
        json_t *r = json_pack("{s:I,s:I}", "sent", s->sent, "refused",
                              s->refused);
        ctl_print_json(r);
        json_decref(r);
    }
    return code || !s->refused ? code : CLI_REFUSED;
}

/* ------------------------------------------------------------------- files */

static enum cli_exit
read_all(const char *name, struct base_str *text)
{
    FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
    static char buf[1 << 16];
    size_t n;

    if (!f) {
        fprintf(stderr, "weftctl: %s: %s\n", name, strerror(errno));
        return CLI_USAGE;
    }
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        base_str_addn(text, buf, n);
    if (ferror(f)) {
        fprintf(stderr, "weftctl: %s: %s\n", name, strerror(errno));
        fclose(f);
        return CLI_USAGE;
    }
    if (f != stdin)
        fclose(f);
    return CLI_OK;
}

/* Cuts the next batch of lines off; false: there are no more. */
static bool
next_batch(struct sender *s, const char **at, const char *end)
{
    const char *from = *at, *p = from;

    while (p < end
           && (s->bundle || (s->line - s->first < BATCH_LINES
                             && p - from < BATCH_BYTES))) {
        const char *nl = memchr(p, '\n', (size_t) (end - p));

        p = nl ? nl + 1 : end;
        s->line++;
    }
    base_str_addn(&s->text, from, (size_t) (p - from));
    *at = p;
    return p > from;
}

static enum cli_exit
send_batches(struct sender *s, const struct base_str *text)
{
    const char *at = base_str_cstr(text), *end = at + text->len;
    enum cli_exit code = CLI_OK;

    s->line = s->first = 1;
    while (!code && next_batch(s, &at, end))
        code = sender_flush(s);
    return code;
}

/* A file of several requests is read by weftd once before: a mistake in any
 * line changes nothing. */
static enum cli_exit
send_file(struct sender *s, const char *name)
{
    struct base_str text = BASE_STR_INIT;
    enum cli_exit code = read_all(name, &text);
    size_t n_lines = 0;

    if (code)
        return code;
    s->file = strcmp(name, "-") ? name : "standard input";
    if (s->bundle && text.len > BUNDLE_BYTES)
        ctl_usage("%s: more than 30 MB in one bundle", s->file);
    for (const char *p = base_str_cstr(&text); (p = strchr(p, '\n')); p++)
        n_lines++;
    if (!s->bundle && (n_lines >= BATCH_LINES || text.len >= BATCH_BYTES)) {
        s->check = true;
        code = send_batches(s, &text);
        s->check = false;
    }
    if (!code)
        code = send_batches(s, &text);
    base_str_fini(&text);
    return sender_end(s, code);
}

enum cli_exit
ctl_send_flows(struct ctl *c, const char *bridge, const struct base_str *lines)
{
    struct sender s = { .c = c, .method = "flow-mods", .bridge = bridge,
                        .command = "add", .file = "change", .line = 1,
                        .first = 1 };
    const char *at = base_str_cstr(lines), *end;
    enum cli_exit code = CLI_OK;

    for (; !code && *at; at = end + 1) {
        end = strchrnul(at, '\n');
        base_str_addn(&s.text, at, (size_t) (end - at));
        base_str_addn(&s.text, "\n", 1);
        if (++s.line - s.first >= BATCH_LINES)
            code = sender_flush(&s);
        if (!*end)
            break;
    }
    return sender_end(&s, code);
}

/* ---------------------------------------------------------------- commands */

/* Words of a command that changes the agent's state. */
static const struct of_command {
    const char *name, *method, *command, *strict;
    enum { ONE, FILE_OR_STDIN, ONE_OR_NONE } rest;
    bool bundle; /* Always; else with --bundle. */
} of_commands[] = {
    { "add-flow", "flow-mods", "add", NULL, ONE, false },
    { "add-flows", "flow-mods", "add", NULL, FILE_OR_STDIN, false },
    { "mod-flows", "flow-mods", "modify", "modify-strict", ONE, false },
    { "del-flows", "flow-mods", "delete", "delete-strict", ONE_OR_NONE,
      false },
    { "add-group", "group-mods", "add", NULL, ONE, false },
    { "add-groups", "group-mods", "add", NULL, FILE_OR_STDIN, false },
    { "mod-group", "group-mods", "modify", NULL, ONE, false },
    { "del-groups", "group-mods", "delete", NULL, ONE_OR_NONE, false },
    { "insert-buckets", "group-mods", "insert-buckets", NULL, ONE, false },
    { "remove-buckets", "group-mods", "remove-buckets", NULL, ONE, false },
    { "add-meter", "meter-mods", "add", NULL, ONE, false },
    { "add-meters", "meter-mods", "add", NULL, FILE_OR_STDIN, false },
    { "mod-meter", "meter-mods", "modify", NULL, ONE, false },
    { "del-meters", "meter-mods", "delete", NULL, ONE_OR_NONE, false },
    { "del-meter", "meter-mods", "delete", NULL, ONE_OR_NONE, false },
    { "bundle", "mods", NULL, NULL, FILE_OR_STDIN, true },
    { "packet-out", "packet-out", NULL, NULL, ONE, false },
};

/* Takes a flag out of the words; true: it was there. */
static bool
take_flag(const char *flag, char *w[], size_t *n)
{
    for (size_t i = 1; i < *n; i++) {
        if (strcmp(w[i], flag))
            continue;
        memmove(w + i, w + i + 1, (*n - i - 1) * sizeof w[0]);
        --*n;
        return true;
    }
    return false;
}

bool
ctl_of(struct ctl *c, char *w[], size_t n, enum cli_exit *code)
{
    const struct of_command *o = NULL;
    struct sender s = { .c = c, .file = "" };
    bool strict;

    for (size_t i = 0; i < WEFT_ARRAY_LEN(of_commands); i++)
        if (!strcmp(of_commands[i].name, w[0]))
            o = &of_commands[i];
    if (!o)
        return false;
    strict = take_flag("--strict", w, &n);
    s.bundle = take_flag("--bundle", w, &n) || o->bundle;
    if (strict && !o->strict)
        ctl_usage("%s does not take --strict", w[0]);
    if (n < 2 || (n < 3 && o->rest != ONE_OR_NONE))
        ctl_usage("%s needs more words", w[0]);
    if (n > 3)
        ctl_usage("unexpected word \"%s\"", w[3]);
    s.method = o->method;
    s.bridge = w[1];
    s.command = strict ? o->strict : o->command;
    if (o->rest == FILE_OR_STDIN || (n == 3 && !strcmp(w[2], "-"))) {
        *code = send_file(&s, w[2]);
        return true;
    }
    base_str_add(&s.text, n == 3 && *w[2] ? w[2] : " ");
    *code = sender_end(&s, CLI_OK);
    return true;
}
