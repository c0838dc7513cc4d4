/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/text/meter_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/text/flow_text_priv.h"
#include "utils/base/addr.h"
#include "utils/base/mem.h"

static const struct {
    const char *name;
    uint32_t id;
} id_names[] = {
    { "all", OFP_METER_ALL },
    { "controller", DP_METER_CONTROLLER },
    { "slowpath", DP_METER_SLOWPATH },
};

static const struct {
    const char *name;
    uint16_t bit;
} flag_names[] = {
    { "kbps", OFP_MTF_KBPS },
    { "pktps", OFP_MTF_PKTPS },
    { "burst", OFP_MTF_BURST },
    { "stats", OFP_MTF_STATS },
};

/* ------------------------------------------------------------------- read */

/* Cuts the next word off *pos; NULL: the end. */
static char *
next_word(char **pos)
{
    static const char separators[] = "=, \t\r\n";
    char *s = *pos + strspn(*pos, separators);
    size_t n = strcspn(s, separators);

    if (!n)
        return NULL;
    *pos = s + n + (s[n] != '\0');
    s[n] = '\0';
    return s;
}

static int
read_id(const char *s, uint32_t *id, struct weft_err *e)
{
    uint64_t v;

    for (unsigned i = 0; s && i < WEFT_ARRAY_LEN(id_names); i++) {
        if (!strcmp(s, id_names[i].name)) {
            *id = id_names[i].id;
            return 0;
        }
    }
    if (!s || base_parse_u64(s, UINT64_MAX, &v))
        return weft_err_set(e, -EINVAL,
                            "meter: %.40s is neither a number nor all, "
                            "controller or slowpath", s ? s : "\"\"");
    if (!v || v > DP_METER_MAX)
        return weft_err_set(e, -EINVAL, "meter: %.40s is not in 1..%u", s,
                            DP_METER_MAX);
    *id = (uint32_t) v;
    return 0;
}

/* The words in front of the bands. */
static int
read_head(char *text, bool flags, struct ofp_meter_spec *m,
          struct weft_err *e)
{
    char *word;

    while ((word = next_word(&text))) {
        uint16_t bit = 0;
        int err;

        for (unsigned i = 0; flags && i < WEFT_ARRAY_LEN(flag_names); i++)
            if (!strcmp(word, flag_names[i].name))
                bit = flag_names[i].bit;
        m->flags |= bit;
        if (bit)
            continue;
        if (strcmp(word, "meter"))
            return weft_err_set(e, -EINVAL, "%.40s: unknown word", word);
        if (m->id)
            return weft_err_set(e, -EINVAL, "meter: said twice");
        err = read_id(next_word(&text), &m->id, e);
        if (err)
            return err;
    }
    return 0;
}

static int
read_band_type(const char *s, struct ofp_meter_spec *m, struct weft_err *e)
{
    uint8_t type;

    if (s && !strcmp(s, "drop"))
        type = OFP_MBT_DROP;
    else if (s && !strcmp(s, "dscp_remark"))
        type = OFP_MBT_DSCP_REMARK;
    else
        return weft_err_set(e, -EINVAL,
                            "type: %.40s is neither drop nor dscp_remark",
                            s ? s : "\"\"");
    if (m->n_bands == DP_METER_BANDS)
        return weft_err_set(e, -EINVAL, "bands: more than %d",
                            DP_METER_BANDS);
    m->bands[m->n_bands++] = (struct dp_meter_band) { .type = type };
    return 0;
}

static int
read_bands(char *text, struct ofp_meter_spec *m, struct weft_err *e)
{
    char *word;

    while ((word = next_word(&text))) {
        struct dp_meter_band *b = m->bands + m->n_bands - 1;
        char *value = next_word(&text);
        uint64_t v;
        int err;

        if (!strcmp(word, "type")) {
            err = read_band_type(value, m, e);
        } else if (!m->n_bands) {
            err = weft_err_set(e, -EINVAL,
                               "%.40s: a band begins with type=drop or "
                               "type=dscp_remark", word);
        } else if (!strcmp(word, "rate")) {
            err = text_number(word, value, UINT32_MAX, &v, e);
            b->rate = err ? 0 : (uint32_t) v;
        } else if (!strcmp(word, "burst_size")) {
            err = text_number(word, value, UINT32_MAX, &v, e);
            b->burst = err ? 0 : (uint32_t) v;
        } else if (!strcmp(word, "prec_level")) {
            err = text_number(word, value, OFP_METER_PREC_MAX, &v, e);
            b->prec_level = err ? 0 : (uint8_t) v;
        } else {
            err = weft_err_set(e, -EINVAL, "%.40s: unknown word of a band",
                               word);
        }
        if (err)
            return err;
    }
    return 0;
}

static int
check_band(const struct ofp_meter_spec *m, unsigned i, struct weft_err *e)
{
    const struct dp_meter_band *b = &m->bands[i];

    if (!b->rate)
        return weft_err_set(e, -EINVAL, "band %u: rate missing or 0", i);
    if (b->type == OFP_MBT_DSCP_REMARK && !b->prec_level)
        return weft_err_set(e, -EINVAL,
                            "band %u: dscp_remark needs prec_level=1..%d", i,
                            OFP_METER_PREC_MAX);
    if (b->type == OFP_MBT_DROP && b->prec_level)
        return weft_err_set(e, -EINVAL,
                            "band %u: prec_level is for dscp_remark", i);
    if (m->flags & OFP_MTF_BURST && !b->burst)
        return weft_err_set(e, -EINVAL, "band %u: burst is set, so "
                            "burst_size must be", i);
    if (!(m->flags & OFP_MTF_BURST) && b->burst)
        return weft_err_set(e, -EINVAL,
                            "band %u: burst_size needs the word burst", i);
    return 0;
}

static int
check_meter(const struct ofp_meter_spec *m, struct weft_err *e)
{
    if (!m->id)
        return weft_err_set(e, -EINVAL, "meter=ID missing");
    if (m->id == OFP_METER_ALL)
        return weft_err_set(e, -EINVAL, "meter: all is no meter to set");
    if (!(m->flags & (OFP_MTF_KBPS | OFP_MTF_PKTPS)))
        return weft_err_set(e, -EINVAL, "kbps or pktps missing");
    if (!(~m->flags & (OFP_MTF_KBPS | OFP_MTF_PKTPS)))
        return weft_err_set(e, -EINVAL, "kbps and pktps exclude each other");
    if (!m->n_bands)
        return weft_err_set(e, -EINVAL, "bands= is empty");
    for (unsigned i = 0; i < m->n_bands; i++) {
        int err = check_band(m, i, e);

        if (err)
            return err;
    }
    return 0;
}

/* Where "bands=..." or "band=..." begins, cut off from what is before it. */
static char *
cut_bands(char *text)
{
    char *s = strstr(text, "band");
    char *value = s ? strchr(s, '=') : NULL;

    if (!value)
        return NULL;
    *s = '\0';
    return value + 1;
}

static int
text_check_len(const char *text, struct weft_err *e)
{
    if (strlen(text) > OFP_TEXT_MAX)
        return weft_err_set(e, -EINVAL, "text longer than %d bytes",
                            OFP_TEXT_MAX);
    return 0;
}

int
ofp_text_parse_meter(const char *text, struct ofp_meter_spec *m,
                     struct weft_err *e)
{
    char *copy, *bands;
    int err;

    memset(m, 0, sizeof *m);
    err = text_check_len(text, e);
    if (err)
        return err;
    copy = base_xstrdup(text);
    bands = cut_bands(copy);
    err = bands ? read_head(copy, true, m, e)
                : weft_err_set(e, -EINVAL, "bands= missing");
    if (!err)
        err = read_bands(bands, m, e);
    if (!err)
        err = check_meter(m, e);
    free(copy);
    return err;
}

int
ofp_text_parse_meter_id(const char *text, uint32_t *id, struct weft_err *e)
{
    struct ofp_meter_spec m = { .id = 0 };
    char *copy;
    int err = text ? text_check_len(text, e) : 0;

    if (err)
        return err;
    copy = base_xstrdup(text ? text : "");
    err = read_head(copy, false, &m, e);
    free(copy);
    *id = m.id ? m.id : OFP_METER_ALL;
    return err;
}

/* ------------------------------------------------------------------ print */

void
ofp_text_add_meter_id(struct base_str *s, uint32_t id)
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(id_names); i++) {
        if (id == id_names[i].id) {
            base_str_add(s, id_names[i].name);
            return;
        }
    }
    base_str_addf(s, "%" PRIu32, id);
}

static void
add_band(struct base_str *s, const struct dp_meter_band *b)
{
    base_str_addf(s, "type=%s,rate=%" PRIu32,
                  b->type == OFP_MBT_DROP ? "drop" : "dscp_remark", b->rate);
    if (b->burst)
        base_str_addf(s, ",burst_size=%" PRIu32, b->burst);
    if (b->type == OFP_MBT_DSCP_REMARK)
        base_str_addf(s, ",prec_level=%u", b->prec_level);
}

void
ofp_text_add_meter(struct base_str *s, const struct ofp_meter_spec *m)
{
    base_str_add(s, "meter=");
    ofp_text_add_meter_id(s, m->id);
    if (!(m->flags & OFP_MTF_PKTPS))
        base_str_add(s, ",kbps");
    for (unsigned i = 1; i < WEFT_ARRAY_LEN(flag_names); i++)
        if (m->flags & flag_names[i].bit)
            base_str_addf(s, ",%s", flag_names[i].name);
    base_str_add(s, ",bands=");
    for (unsigned i = 0; i < m->n_bands; i++) {
        base_str_add(s, i ? "," : "");
        add_band(s, &m->bands[i]);
    }
}
