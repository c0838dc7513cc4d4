/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/ports/common/port_opt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utils/base/addr.h"
#include "utils/base/str.h"

static bool
option_known(const struct port_ops *ops, const char *name)
{
    for (const struct tnl_option *o = ops->options; o->name; o++)
        if (!strcmp(o->name, name))
            return true;
    return false;
}

static int
refuse_unknown(const struct port *p, const char *name, struct weft_err *e)
{
    struct base_str known = BASE_STR_INIT;
    int err;

    for (const struct tnl_option *o = p->ops->options; o->name; o++)
        base_str_addf(&known, " %s", o->name);
    err = weft_err_set(e, -EINVAL,
                       "port %s: type %s has no option %s (options:%s)",
                       p->name, p->ops->name, name, base_str_cstr(&known));
    base_str_fini(&known);
    return err;
}

int
port_opt_check(const struct port *p, const struct dp_option *opts, size_t n,
               struct weft_err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!option_known(p->ops, opts[i].name))
            return refuse_unknown(p, opts[i].name, e);
        if (port_opt_get(opts, i, opts[i].name))
            return weft_err_set(e, -EINVAL, "port %s: option %s given twice",
                                p->name, opts[i].name);
    }
    return 0;
}

const char *
port_opt_get(const struct dp_option *opts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(opts[i].name, name))
            return opts[i].value;
    return NULL;
}

int
port_opt_mtu(const struct port *p, const char *value, uint16_t *out,
             struct weft_err *e)
{
    uint64_t v;

    if (!value)
        return 0;
    if (base_parse_u64(value, PORT_MTU_MAX, &v) || v < PORT_MTU_MIN)
        return weft_err_set(e, -EINVAL, "port %s: mtu %s is not in %d..%d",
                            p->name, value, PORT_MTU_MIN, PORT_MTU_MAX);
    *out = (uint16_t) v;
    return 0;
}

int
port_opt_mac(const struct port *p, const char *value, uint8_t out[6],
             struct weft_err *e)
{
    static const uint8_t zero[6];
    uint8_t mac[6];

    if (!value)
        return 0;
    if (base_parse_mac(value, mac))
        return weft_err_set(e, -EINVAL, "port %s: mac %s is not of the form "
                            "02:00:00:00:00:01", p->name, value);
    if ((mac[0] & 1) || !memcmp(mac, zero, 6))
        return weft_err_set(e, -EINVAL, "port %s: mac %s is no unicast "
                            "address", p->name, value);
    memcpy(out, mac, 6);
    return 0;
}

int
port_opt_bool(const struct port *p, const char *name, const char *value,
              bool *out, struct weft_err *e)
{
    if (!value)
        return 0;
    if (!strcmp(value, "yes") || !strcmp(value, "true"))
        *out = true;
    else if (!strcmp(value, "no") || !strcmp(value, "false"))
        *out = false;
    else
        return weft_err_set(e, -EINVAL, "port %s: %s=%s is neither yes nor no",
                            p->name, name, value);
    return 0;
}

int
port_opt_fixed(const struct port *p, const char *name, struct weft_err *e)
{
    if (!option_known(p->ops, name))
        return -ENOENT;
    return weft_err_set(e, -EOPNOTSUPP, "port %s: %s can be given only when "
                        "the port is added", p->name, name);
}

void
port_set_status(struct port *p, bool up, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->status, sizeof p->status, fmt, ap);
    va_end(ap);
    p->link_up = up;
}
