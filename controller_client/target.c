/* SPDX-License-Identifier: Apache-2.0 */
#include "controller_client/cc_priv.h"

#include <errno.h>
#include <string.h>

#include "utils/base/addr.h"

static int
parse_port(const char *target, const char *s, uint16_t *port,
           struct weft_err *e)
{
    uint64_t v;

    if (base_parse_u64(s, 65535, &v) || !v)
        return weft_err_set(e, -EINVAL,
                            "controller %.80s: port \"%s\" is not a number in "
                            "1..65535", target, s);
    *port = (uint16_t) v;
    return 0;
}

/* Copies HOST or [HOST] to 'host'; returns what follows it (':' or NUL), or
 * NULL with 'e' filled. */
static const char *
take_host(const char *target, const char *s, struct cc_spec *t,
          struct weft_err *e)
{
    const char *start = s, *end, *rest;
    uint8_t addr[16];

    if (*s == '[') {
        start = s + 1;
        end = strchr(start, ']');
        if (!end || (end[1] && end[1] != ':')) {
            weft_err_set(e, -EINVAL, "controller %.80s: \"[\" without \"]\" "
                         "around an address", target);
            return NULL;
        }
        rest = end + 1;
    } else {
        end = rest = start + strcspn(start, ":");
        if (*rest && strchr(rest + 1, ':')) {
            weft_err_set(e, -EINVAL, "controller %.80s: an IPv6 address needs "
                         "brackets: tcp:[2001:db8::1]:6653", target);
            return NULL;
        }
    }

    size_t len = (size_t) (end - start);
    if (!len || len >= sizeof t->host) {
        weft_err_set(e, -EINVAL, "controller %.80s: host of %zu characters (1 "
                     "to %zu are possible)", target, len,
                     sizeof t->host - 1);
        return NULL;
    }
    memcpy(t->host, start, len);
    t->host[len] = '\0';
    if (*s == '[' && base_parse_ipv6(t->host, addr)) {
        weft_err_set(e, -EINVAL, "controller %.80s: \"%s\" is not an IPv6 "
                     "address", target, t->host);
        return NULL;
    }
    if (strpbrk(t->host, " \t\n/@")) {
        weft_err_set(e, -EINVAL, "controller %.80s: \"%s\" is not a host",
                     target, t->host);
        return NULL;
    }
    return rest;
}

/* HOST[:PORT] */
static int
parse_active(const char *target, const char *s, struct cc_spec *t,
             struct weft_err *e)
{
    s = take_host(target, s, t, e);
    if (!s)
        return -EINVAL;
    return *s ? parse_port(target, s + 1, &t->port, e) : 0;
}

/* [PORT][:ADDRESS] */
static int
parse_passive(const char *target, const char *s, struct cc_spec *t,
              struct weft_err *e)
{
    size_t n = strcspn(s, ":");
    uint8_t v6[16];
    uint32_t v4;
    char port[8];

    if (n >= sizeof port)
        return weft_err_set(e, -EINVAL, "controller %.80s: port \"%.*s\" is not "
                            "a number in 1..65535", target, (int) n, s);
    memcpy(port, s, n);
    port[n] = '\0';
    if (n && parse_port(target, port, &t->port, e))
        return -EINVAL;
    if (!s[n])
        return 0;

    s = take_host(target, s + n + 1, t, e);
    if (!s)
        return -EINVAL;
    if (*s || (base_parse_ipv4(t->host, &v4) && base_parse_ipv6(t->host, v6)))
        return weft_err_set(e, -EINVAL, "controller %.80s: \"%s\" is not an "
                            "address to listen on", target, t->host);
    return 0;
}

static int
parse_path(const char *target, const char *s, struct cc_spec *t,
           struct weft_err *e)
{
    if (!*s || strlen(s) >= sizeof t->path)
        return weft_err_set(e, -EINVAL, "controller %.80s: path of %zu "
                            "characters (1 to %zu are possible)", target,
                            strlen(s), sizeof t->path - 1);
    strcpy(t->path, s);
    return 0;
}

int
cc_spec_parse(const char *target, struct cc_spec *t, struct weft_err *e)
{
    static const struct {
        const char *prefix;
        bool passive, tls, local;
    } kinds[] = {
        { "tcp:", false, false, false },  { "ptcp:", true, false, false },
        { "tls:", false, true, false },   { "ptls:", true, true, false },
        { "ssl:", false, true, false },   { "pssl:", true, true, false },
        { "unix:", false, false, true },  { "punix:", true, false, true },
    };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].prefix);

        if (strncmp(target, kinds[i].prefix, n))
            continue;
        *t = (struct cc_spec){ .passive = kinds[i].passive,
                               .tls = kinds[i].tls,
                               .local = kinds[i].local,
                               .port = CC_DEFAULT_PORT };
        if (t->local)
            return parse_path(target, target + n, t, e);
        return t->passive ? parse_passive(target, target + n, t, e)
                          : parse_active(target, target + n, t, e);
    }
    return weft_err_set(e, -EINVAL, "controller \"%.100s\": it starts with "
                        "none of tcp: tls: unix: ptcp: ptls: punix:", target);
}

int
cc_target_check(const char *target, struct weft_err *e)
{
    struct cc_spec t;

    return cc_spec_parse(target, &t, e);
}
