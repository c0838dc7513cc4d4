/* SPDX-License-Identifier: Apache-2.0 */
/* Words, numbers, addresses and ports. */
#include "flow_text_priv.h"

#include <errno.h>
#include <inttypes.h>

#include "utils/base/addr.h"

static const struct {
    const char *name;
    uint32_t port;
} port_names[] = {
    { "IN_PORT", 0xfffffff8 }, { "TABLE", 0xfffffff9 },
    { "NORMAL", 0xfffffffa },  { "FLOOD", 0xfffffffb },
    { "ALL", 0xfffffffc },     { "CONTROLLER", DP_PORT_CONTROLLER },
    { "LOCAL", DP_PORT_LOCAL }, { "ANY", DP_PORT_NONE },
    { "NONE", DP_PORT_NONE },
};

static bool
separates(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of a value: a separator outside parentheses.  NULL: unpaired. */
static char *
value_end(char *s)
{
    unsigned depth = 0;

    for (; *s; s++) {
        if (*s == '(')
            depth++;
        else if (*s == ')' && !depth--)
            return NULL;
        else if (!depth && separates(*s))
            break;
    }
    return depth ? NULL : s;
}

int
text_next(char **pos, char **key, char **value, struct weft_err *e)
{
    char *s = *pos, *end, delim;

    while (separates(*s))
        s++;
    *key = s;
    *value = NULL;
    if (!*s)
        return 0;
    while (*s && !separates(*s) && *s != '=' && *s != ':' && *s != '(')
        s++;
    delim = *s;
    if (delim != '=' && delim != ':' && delim != '(') {
        if (delim)
            *s++ = '\0';
        *pos = s;
        return 1;
    }
    end = value_end(delim == '(' ? s : s + 1);
    if (!end || (delim == '(' && end[-1] != ')')) {
        *s = '\0';
        return weft_err_set(e, -EINVAL, "%.40s: parentheses do not pair",
                            *key);
    }
    *s++ = '\0';
    *value = s;
    *pos = *end ? end + 1 : end;
    *end = '\0';
    if (delim == '(')
        end[-1] = '\0';
    return 1;
}

int
text_number(const char *word, const char *s, uint64_t max, uint64_t *v,
            struct weft_err *e)
{
    switch (s ? base_parse_u64(s, max, v) : -EINVAL) {
    case 0:
        return 0;
    case -ERANGE:
        return weft_err_set(e, -EINVAL, "%s: %.40s exceeds %" PRIu64, word, s,
                            max);
    default:
        return weft_err_set(e, -EINVAL, "%s: %.40s is not a number", word,
                            s && *s ? s : "\"\"");
    }
}

static bool
same_word(const char *a, const char *upper)
{
    for (; *a && *upper; a++, upper++)
        if ((*a >= 'a' && *a <= 'z' ? *a - 32 : *a) != *upper)
            return false;
    return *a == *upper;
}

int
text_port(const char *word, const char *s, uint32_t *port,
          struct weft_err *e)
{
    uint64_t v;

    for (unsigned i = 0; s && i < WEFT_ARRAY_LEN(port_names); i++) {
        if (same_word(s, port_names[i].name)) {
            *port = port_names[i].port;
            return 0;
        }
    }
    if (!s || base_parse_u64(s, UINT32_MAX, &v))
        return weft_err_set(e, -EINVAL, "%s: %.40s is no port number or name",
                            word, s && *s ? s : "\"\"");
    if (s[0] == '0' && (s[1] | 0x20) == 'x') { /* As it stands. */
        *port = (uint32_t) v;
        return 0;
    }
    if (v >= 0xfff8 && v <= 0xffff) /* 1.0's reserved ports. */
        v |= 0xffff0000;
    if (v > DP_PORT_MAX && v < 0xfffffff8)
        return weft_err_set(e, -EINVAL,
                            "%s: port %" PRIu64 " is neither 0..%u nor"
                            " reserved", word, v, DP_PORT_MAX);
    *port = (uint32_t) v;
    return 0;
}

int
text_port_on(const struct ofp_text_ports *ports, const char *word,
             const char *s, uint32_t *port, struct weft_err *e)
{
    bool quoted = s && *s == '"';
    char name[DP_NAME_LEN + 1];
    size_t n;

    if (!quoted && !text_port(word, s, port, NULL))
        return 0;
    if (ports && s && (quoted || (*s && (*s < '0' || *s > '9')))) {
        snprintf(name, sizeof name, "%s", s + quoted);
        n = strlen(name);
        if (quoted && n && name[n - 1] == '"')
            name[n - 1] = '\0';
        if (ports->find(ports->arg, name, port))
            return 0;
        return weft_err_set(e, -EINVAL, "%s: there is no port %.60s", word,
                            s);
    }
    return text_port(word, s, port, e);
}

int
ofp_text_parse_port(const struct ofp_text_ports *ports, const char *text,
                    uint32_t *port, struct weft_err *e)
{
    return text_port_on(ports, "in_port", text, port, e);
}

const char *
text_port_name(uint32_t port, char buf[PORT_NAME_MAX])
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(port_names); i++)
        if (port_names[i].port == port)
            return port_names[i].name;
    snprintf(buf, PORT_NAME_MAX, port > DP_PORT_MAX ? "0x%" PRIx32
                                                    : "%" PRIu32, port);
    return buf;
}

/* ----------------------------------------------------------------- values */

static int
address(const struct flow_field *f, const char *s, uint8_t a[16])
{
    uint32_t v4;
    int err;

    if (f->fmt == FLOW_FMT_MAC)
        return base_parse_mac(s, a + 10);
    if (f->fmt == FLOW_FMT_IPV6)
        return base_parse_ipv6(s, a);
    err = base_parse_ipv4(s, &v4);
    if (!err)
        memcpy(a + 12, &v4, 4);
    return err;
}

/* Mask of an address: a prefix length (not of MACs) or an address. */
static int
address_mask(const char *word, const struct flow_field *f, const char *s,
             uint8_t mask[16], struct weft_err *e)
{
    unsigned bits = f->bits, first = 128 - bits;
    uint64_t len;

    memset(mask, 0, 16);
    if (f->fmt != FLOW_FMT_MAC && !base_parse_u64(s, UINT64_MAX, &len)) {
        if (len > bits)
            return weft_err_set(e, -EINVAL,
                                "%s: prefix length %" PRIu64 " exceeds %u",
                                word, len, bits);
        for (unsigned i = first; i < first + len; i++)
            mask[i / 8] |= (uint8_t) (0x80 >> i % 8);
        return 0;
    }
    if (address(f, s, mask))
        return weft_err_set(e, -EINVAL, "%s: %.50s is no mask", word, s);
    return 0;
}

static int
number_masked(const char *word, const struct flow_field *f, const char *s,
              const char *m, uint8_t v[16], uint8_t mask[16],
              struct weft_err *e)
{
    uint64_t max = f->bits < 64 ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;
    uint64_t val, msk = max;
    uint32_t port;
    int err;

    if (f->fmt == FLOW_FMT_PORT && !m) {
        err = text_port(word, s, &port, e);
        val = port;
    } else {
        err = text_number(word, s, max, &val, e);
    }
    if (!err && m)
        err = text_number(word, m, max, &msk, e);
    if (err)
        return err;
    put_be64(v + 8, val & msk);
    put_be64(mask + 8, msk);
    return 0;
}

int
text_value(const char *word, const struct flow_field *f, char *s,
           uint8_t v[16], uint8_t mask[16], struct weft_err *e)
{
    char *m = s ? strchr(s, '/') : NULL;
    int err;

    memset(v, 0, 16);
    memset(mask, 0, 16);
    if (!s)
        return weft_err_set(e, -EINVAL, "%s: value missing", word);
    if (!strcmp(s, "*"))
        return 0;
    if (m)
        *m++ = '\0';
    if (f->fmt == FLOW_FMT_DEC || f->fmt == FLOW_FMT_HEX
        || f->fmt == FLOW_FMT_PORT)
        return number_masked(word, f, s, m, v, mask, e);
    if (address(f, s, v))
        return weft_err_set(e, -EINVAL, "%s: %.50s is no %s address", word, s,
                            f->fmt == FLOW_FMT_MAC    ? "Ethernet"
                            : f->fmt == FLOW_FMT_IPV4 ? "IPv4"
                                                      : "IPv6");
    if (m) {
        err = address_mask(word, f, m, mask, e);
        if (err)
            return err;
    } else {
        memset(mask + (16 - f->bits / 8), 0xff, f->bits / 8);
    }
    for (unsigned i = 0; i < 16; i++)
        v[i] &= mask[i];
    return 0;
}
