/* SPDX-License-Identifier: Apache-2.0 */
/* A whole flow: attributes, match, actions.
 *
 * Model: the words before "actions=" are cut once; then the match is read in
 *        four rounds (protocol words and dl_type, nw_proto, ICMP types, the
 *        rest), so that words may come in any order. */
#include "flow_text_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "utils/base/mem.h"

#define MAX_WORDS 128
#define N_ROUNDS 4

struct word {
    char *key, *value;
    const struct text_name *name; /* NULL: no field. */
    unsigned round;  /* N_ROUNDS: no part of the match. */
    char number[16]; /* Of a port that 'value' named. */
};

/* ------------------------------------------------------------- attributes */

/* Words that say nothing about the flow itself: dump-flows prints them. */
static bool
ignored(const char *key)
{
    static const char *const keys[] = { "duration", "n_packets", "n_bytes",
                                        "idle_age", "hard_age" };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(keys); i++)
        if (!strcmp(keys[i], key))
            return true;
    return false;
}

static bool
read_flag(const char *key, uint16_t *flags)
{
    static const char *const keys[] = { "send_flow_rem", "check_overlap",
                                        "reset_counts", "no_packet_counts",
                                        "no_byte_counts" };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(keys); i++) {
        if (!strcmp(keys[i], key)) {
            *flags |= (uint16_t) (1u << i);
            return true;
        }
    }
    return false;
}

static int
read_cookie(const struct word *w, struct ofp_flow_text *f, struct weft_err *e)
{
    char *m = w->value ? strchr(w->value, '/') : NULL;
    int err;

    if (m)
        *m++ = '\0';
    f->cookie_mask = UINT64_MAX;
    err = text_number("cookie", w->value, UINT64_MAX, &f->cookie, e);
    if (!err && m && strcmp(m, "-1"))
        err = text_number("cookie", m, UINT64_MAX, &f->cookie_mask, e);
    return err;
}

static int
read_u16(const struct word *w, uint16_t *out, struct weft_err *e)
{
    uint64_t v = 0;
    int err = text_number(w->key, w->value, UINT16_MAX, &v, e);

    *out = (uint16_t) v;
    return err;
}

/* 1: an attribute; 0: none; -EINVAL. */
static int
attribute(const struct word *w, enum ofp_text_use use,
          struct ofp_flow_text *f, struct weft_err *e)
{
    uint64_t v = 0;
    int err;

    if (use == OFP_TEXT_MATCH)
        return 0;
    if (!strcmp(w->key, "table")) {
        err = text_number("table", w->value, 255, &v, e);
        f->table = (uint8_t) v;
    } else if (!strcmp(w->key, "priority")) {
        err = read_u16(w, &f->priority, e);
        f->has_priority = true;
    } else if (!strcmp(w->key, "cookie")) {
        err = read_cookie(w, f, e);
    } else if (!strcmp(w->key, "out_port")) {
        err = text_port_on(f->ports, "out_port", w->value, &f->out_port, e);
    } else if (!strcmp(w->key, "out_group")) {
        err = text_number("out_group", w->value, UINT32_MAX, &v, e);
        f->out_group = (uint32_t) v;
    } else if (use == OFP_TEXT_FILTER) {
        return ignored(w->key);
    } else if (!strcmp(w->key, "idle_timeout")) {
        err = read_u16(w, &f->idle_timeout, e);
    } else if (!strcmp(w->key, "hard_timeout")) {
        err = read_u16(w, &f->hard_timeout, e);
    } else if (!strcmp(w->key, "importance")) {
        err = read_u16(w, &f->importance, e);
    } else {
        return ignored(w->key) || (!w->value && read_flag(w->key, &f->flags));
    }
    return err ? err : 1;
}

/* ------------------------------------------------------------------ match */

static unsigned
round_of(const struct word *w)
{
    const struct text_name *n = w->name;

    if (!w->value)
        return 0;
    if (!n)
        return N_ROUNDS - 1;
    if (n->field == FLOW_F_ETH_TYPE || n->field == FLOW_F_IN_PORT)
        return 0;
    if (n->kind == TEXT_NW_PROTO)
        return 1;
    return n->kind == TEXT_ICMP_TYPE || n->field == FLOW_F_ICMPV6_TYPE
                   || n->kind == TEXT_VLAN_TCI || n->kind == TEXT_DL_VLAN
               ? 2
               : 3;
}

/* "tcp6" as the two words that it stands for. */
static int
read_proto(struct flow_match *m, const char *key, struct weft_err *e)
{
    for (unsigned i = 0; i < n_text_protos; i++) {
        const struct text_proto *t = &text_protos[i];

        if (strcmp(t->name, key))
            continue;
        return text_match_proto(m, t, key, e);
    }
    return weft_err_set(e, -EINVAL,
                        text_name_find(key) ? "%.40s: value missing"
                                            : "%.40s: unknown word", key);
}

static int
read_match(struct flow_match *m, const struct word *w, struct weft_err *e)
{
    char word[128];
    size_t n, len;

    if (!w->value)
        return read_proto(m, w->key, e);
    if (!w->name)
        return weft_err_set(e, -EINVAL, "%.40s: unknown field", w->key);
    /* "name=value" for messages: reading changes the value. */
    n = strlen(w->key); /* As long as the name of a field. */
    len = strnlen(w->value, 60);
    memcpy(word, w->key, n);
    word[n] = '=';
    memcpy(word + n + 1, w->value, len);
    word[n + 1 + len] = '\0';
    return text_match_word(m, w->name, word, w->value, e);
}

/* Puts the number where a word names a port. */
static int
name_to_number(const struct ofp_flow_text *f, struct word *w,
               struct weft_err *e)
{
    const struct text_name *n = w->value ? w->name : NULL;
    uint32_t port = 0;
    int err;

    if (!f->ports || !n || n->kind != TEXT_FIELD
        || flow_fields[n->field].fmt != FLOW_FMT_PORT
        || strchr("0123456789*", *w->value))
        return 0;
    err = text_port_on(f->ports, w->key, w->value, &port, e);
    if (!err) {
        snprintf(w->number, sizeof w->number, "0x%" PRIx32, port);
        w->value = w->number;
    }
    return err;
}

/* ------------------------------------------------------------------- flow */

char *
text_cut_actions(char *text)
{
    for (char *s = text; (s = strstr(s, "action")) != NULL; s++) {
        char *end = s + 6 + (s[6] == 's');

        if (*end != '=' || (s != text && !strchr(", \t\r\n", s[-1])))
            continue;
        *s = '\0';
        return end + 1;
    }
    return NULL;
}

static int
read_words(char *text, enum ofp_text_use use, struct ofp_flow_text *f,
           struct weft_err *e)
{
    struct word words[MAX_WORDS];
    unsigned n = 0;
    int got;

    while ((got = text_next(&text, &words[n].key, &words[n].value, e)) > 0) {
        f->word = words[n].key;
        int err = attribute(&words[n], use, f, e);

        if (err < 0)
            return err;
        if (err)
            continue;
        words[n].name = text_name_find(words[n].key);
        err = name_to_number(f, &words[n], e);
        if (err)
            return err;
        words[n].round = round_of(&words[n]);
        if (++n == MAX_WORDS)
            return weft_err_set(e, -EINVAL, "more than %d words",
                                MAX_WORDS - 1);
    }
    if (got < 0) {
        f->word = words[n].key;
        return got;
    }
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        for (unsigned i = 0; i < n; i++) {
            f->word = words[i].key;
            int err = words[i].round == round
                          ? read_match(&f->match, &words[i], e)
                          : 0;
            if (err)
                return err;
        }
    }
    return 0;
}

/* Puts the place of the word in front of the message. */
static void
text_column(const struct ofp_flow_text *f, const char *text,
            struct weft_err *e)
{
    struct weft_err said;

    if (!e || !f->word)
        return;
    said = *e;
    weft_err_set(e, 0, "column %zu: %.*s", (size_t) (f->word - text) + 1,
                 (int) sizeof said.text - 24, said.text);
}

int
ofp_text_parse_flow(const char *text, enum ofp_text_use use,
                    struct ofp_flow_text *f, struct weft_err *e)
{
    return ofp_text_parse_flow_on(NULL, text, use, f, e);
}

int
ofp_text_parse_flow_on(const struct ofp_text_ports *ports, const char *text,
                       enum ofp_text_use use, struct ofp_flow_text *f,
                       struct weft_err *e)
{
    size_t len = strnlen(text, OFP_TEXT_MAX + 1);
    char *copy, *actions;
    int err;

    *f = (struct ofp_flow_text){
        .instr = { .goto_table = DP_NO_TABLE },
        .out_port = DP_PORT_NONE,
        .out_group = UINT32_MAX,
        .priority = 0x8000, /* OFP_DEFAULT_PRIORITY */
        .table = DP_NO_TABLE,
        .ports = ports,
    };
    if (len > OFP_TEXT_MAX)
        return weft_err_set(e, -EINVAL, "text exceeds %d bytes",
                            OFP_TEXT_MAX);
    copy = base_xstrdup(text);
    actions = text_cut_actions(copy);
    f->has_actions = actions != NULL;
    if (use == OFP_TEXT_FLOW && !actions)
        err = weft_err_set(e, -EINVAL, "actions= missing");
    else if (use != OFP_TEXT_FLOW && actions)
        err = weft_err_set(e, -EINVAL, "actions= has no place in a match");
    else
        err = read_words(copy, use, f, e);
    if (!err && actions)
        err = text_read_actions(f, actions, false, e);
    if (err)
        text_column(f, copy, e);
    free(copy);
    f->word = NULL;
    if (err)
        ofp_flow_text_fini(f);
    return err;
}

void
ofp_flow_text_fini(struct ofp_flow_text *f)
{
    free(f->ops);
    f->ops = NULL;
    f->instr.apply = f->instr.write = (struct dp_op_list){ NULL, 0 };
}

int
ofp_text_parse_match(const char *text, struct flow_match *m,
                     struct weft_err *e)
{
    struct ofp_flow_text f;
    int err = ofp_text_parse_flow(text, OFP_TEXT_MATCH, &f, e);

    if (!err)
        *m = f.match;
    return err;
}

int
ofp_text_parse_ops(const char *text, struct dp_op_list *list, uint64_t **mem,
                   struct weft_err *e)
{
    return ofp_text_parse_ops_on(NULL, text, list, mem, e);
}

int
ofp_text_parse_ops_on(const struct ofp_text_ports *ports, const char *text,
                      struct dp_op_list *list, uint64_t **mem,
                      struct weft_err *e)
{
    struct ofp_flow_text f = { .instr = { .goto_table = DP_NO_TABLE },
                               .ports = ports };
    char *copy;
    int err;

    if (strnlen(text, OFP_TEXT_MAX + 1) > OFP_TEXT_MAX)
        return weft_err_set(e, -EINVAL, "text exceeds %d bytes",
                            OFP_TEXT_MAX);
    copy = base_xstrdup(text);
    err = text_read_actions(&f, copy, true, e);
    if (err)
        text_column(&f, copy, e);
    free(copy);
    if (err) {
        ofp_flow_text_fini(&f);
        return err;
    }
    *list = f.instr.apply;
    *mem = f.ops;
    return 0;
}
