/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: flow text.
 * The first byte chooses: 'f' a flow, 'm' a match, 'q' a filter, 'o' actions
 * alone; the text follows.  'b': a struct flow_match in binary, printed.
 * Properties: read or refused with a message; what was read and printed is
 * read again as the same, and printed the same; what a printed binary match
 * is read as takes every packet that the binary one takes. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "ofproto/text/flow_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static bool
same_list(const struct dp_op_list *a, const struct dp_op_list *b)
{
    return a->n_words == b->n_words
           && (!a->n_words
               || !memcmp(a->ops, b->ops, 8u * (size_t) a->n_words));
}

static char *
print(const struct ofp_flow_text *f)
{
    struct base_str s = BASE_STR_INIT;

    ofp_text_add_match(&s, &f->match);
    if (f->has_actions) {
        base_str_add(&s, " actions=");
        ofp_text_add_instr(&s, &f->instr);
    }
    return base_str_steal(&s);
}

static void
check_flow(const char *text, enum ofp_text_use use)
{
    struct ofp_flow_text a, b;
    struct weft_err e = { "" };
    int err = ofp_text_parse_flow(text, use, &a, &e);
    char *first, *second;

    if (err) {
        must(err == -EINVAL && e.text[0] && !a.ops);
        return;
    }
    first = print(&a);
    must(!ofp_text_parse_flow(first, use, &b, &e));
    must(flow_match_equal(&a.match, &b.match));
    must(same_list(&a.instr.apply, &b.instr.apply));
    must(same_list(&a.instr.write, &b.instr.write));
    must(a.instr.clear == b.instr.clear && a.instr.meter == b.instr.meter
         && a.instr.metadata == b.instr.metadata
         && a.instr.metadata_mask == b.instr.metadata_mask
         && a.instr.goto_table == b.instr.goto_table);
    second = print(&b);
    must(!strcmp(first, second));
    free(first);
    free(second);
    ofp_flow_text_fini(&a);
    ofp_flow_text_fini(&b);
}

static void
check_ops(const char *text)
{
    struct dp_op_list a, b;
    uint64_t *am, *bm;
    struct weft_err e = { "" };
    int err = ofp_text_parse_ops(text, &a, &am, &e);
    char *printed;

    if (err) {
        must(err == -EINVAL && e.text[0]);
        return;
    }
    printed = ofp_format_ops(&a);
    must(!ofp_text_parse_ops(printed, &b, &bm, &e));
    must(same_list(&a, &b));
    free(printed);
    free(am);
    free(bm);
}

static void
check_binary(const uint8_t *data, size_t size)
{
    struct flow_match m, back;
    char *text;

    memset(&m, 0, sizeof m);
    memcpy(&m, data, size < sizeof m ? size : sizeof m);
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i, flow_key_word(&m.key, i)
                                         & flow_key_word(&m.mask, i));
    text = ofp_format_match(&m);
    if (!ofp_text_parse_match(text, &back, NULL))
        must(flow_match_within(&m, &back));
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!size)
        return 0;
    if (data[0] == 'b') {
        check_binary(data + 1, size - 1);
        return 0;
    }
    text = strndup((const char *) data + 1, size - 1);
    must(text != NULL);
    if (data[0] == 'm')
        check_flow(text, OFP_TEXT_MATCH);
    else if (data[0] == 'q')
        check_flow(text, OFP_TEXT_FILTER);
    else if (data[0] == 'o')
        check_ops(text);
    else
        check_flow(text, OFP_TEXT_FLOW);
    free(text);
    return 0;
}
