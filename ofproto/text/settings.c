/* SPDX-License-Identifier: Apache-2.0 */
/* mod-port and mod-table: words of ovs-ofctl, done at once. */
#include <errno.h>
#include <stdlib.h>

#include "flow_text_priv.h"
#include "ofproto/agent_priv.h"
#include "ofproto/questions.h"

static int
busy(const struct ofp_bridge *b, struct weft_err *e)
{
    return b->txn ? weft_err_set(e, -EBUSY, "%s: a bundle is being committed;"
                                 " try again", b->name)
                  : 0;
}

/* -------------------------------------------------------------------- ports */

static bool
find_port(void *arg, const char *name, uint32_t *no)
{
    const struct ofp_bridge *b = arg;
    struct dp_port_info info;

    for (*no = 0; (*no = dp_port_next(b->dpb, *no)) != 0;)
        if (!dp_port_get(b->dpb, *no, &info) && !strcmp(info.name, name))
            return true;
    return false;
}

static const struct port_setting {
    const char *name;
    uint32_t bit;
    bool set;
} port_settings[] = {
    { "up", DP_PC_DOWN, false },
    { "down", DP_PC_DOWN, true },
    { "receive", DP_PC_NO_RECV, false },
    { "no-receive", DP_PC_NO_RECV, true },
    { "forward", DP_PC_NO_FWD, false },
    { "no-forward", DP_PC_NO_FWD, true },
    { "flood", DP_PC_NO_FLOOD, false },
    { "no-flood", DP_PC_NO_FLOOD, true },
    { "packet-in", DP_PC_NO_PACKET_IN, false },
    { "no-packet-in", DP_PC_NO_PACKET_IN, true },
};

int
ofp_port_setting(struct ofp_bridge *b, const char *port, const char *setting,
                 struct weft_err *e)
{
    struct ofp_text_ports ports = { find_port, b };
    const struct port_setting *s = NULL;
    struct dp_port_info info;
    uint32_t no;
    int err = busy(b, e);

    if (!err)
        err = text_port_on(&ports, "port", port, &no, e);
    if (err)
        return err;
    for (size_t i = 0; i < WEFT_ARRAY_LEN(port_settings); i++)
        if (!strcmp(port_settings[i].name, setting))
            s = &port_settings[i];
    if (!s)
        return weft_err_set(e, -EINVAL, "port %s: \"%.40s\" is none of up,"
                            " down, [no-]receive, [no-]forward, [no-]flood,"
                            " [no-]packet-in", port, setting);
    if (dp_port_get(b->dpb, no, &info))
        return weft_err_set(e, -ENOENT, "bridge %s has no port %s", b->name,
                            port);
    err = dp_port_set_config(b->dpb, no, s->set ? s->bit : 0, s->bit);
    return err ? weft_err_set(e, err, "port %s: %s: %s", port, setting,
                              strerror(-err))
               : 0;
}

/* ------------------------------------------------------------------- tables */

static int
find_table(const struct ofp_bridge *b, const char *word, unsigned *table,
           struct weft_err *e)
{
    uint64_t n;

    if (*word >= '0' && *word <= '9') {
        int err = text_number("table", word, DP_N_TABLES - 1, &n, e);

        *table = err ? 0 : (unsigned) n;
        return err;
    }
    for (*table = 0; *table < DP_N_TABLES; ++*table)
        if (!strcmp(b->tables.table[*table].config.name, word))
            return 0;
    return weft_err_set(e, -ENOENT, "table %.40s: no table has this name",
                        word);
}

/* "DOWN,UP" in percent. */
static int
set_vacancy(struct ofp_table_config *c, const char *text, struct weft_err *e)
{
    char copy[16], *comma;
    uint64_t down, up;

    snprintf(copy, sizeof copy, "%s", text);
    comma = strchr(copy, ',');
    if (!comma)
        return weft_err_set(e, -EINVAL, "vacancy:%.40s: write"
                            " vacancy:DOWN,UP in percent", text);
    *comma = '\0';
    if (text_number("vacancy", copy, 100, &down, e)
        || text_number("vacancy", comma + 1, 100, &up, e))
        return -EINVAL;
    if (down > up)
        return weft_err_set(e, -EINVAL, "vacancy:%s: the first threshold"
                            " exceeds the second", text);
    c->config |= OFP_TC_VACANCY;
    c->down = (uint8_t) down;
    c->up = (uint8_t) up;
    return 0;
}

/* A name is no number, and one table's. */
static int
set_name(const struct ofp_bridge *b, unsigned table,
         struct ofp_table_config *c, const char *name, struct weft_err *e)
{
    size_t n = strlen(name);

    if (!n || n >= sizeof c->name)
        return weft_err_set(e, -EINVAL, "name of table %u: %zu characters are"
                            " not 1 to %zu", table, n, sizeof c->name - 1);
    if ((*name >= '0' && *name <= '9') || strpbrk(name, " ,=\"()")
        || !strcmp(name, "all"))
        return weft_err_set(e, -EINVAL, "name of table %u: \"%s\" would be"
                            " read as something else: no digit first, no"
                            " blank, comma, =, quote or parenthesis", table,
                            name);
    for (unsigned t = 0; t < DP_N_TABLES; t++)
        if (t != table && !strcmp(b->tables.table[t].config.name, name))
            return weft_err_set(e, -EINVAL, "name of table %u: \"%s\" is that"
                                " of table %u", table, name, t);
    memset(c->name, 0, sizeof c->name);
    memcpy(c->name, name, n);
    return 0;
}

static int
set_max(struct ofp_table_config *c, const char *text, struct weft_err *e)
{
    uint64_t n;
    int err = text_number("max", text, OFP_MAX_RULES, &n, e);

    if (!err && !n)
        err = weft_err_set(e, -EINVAL, "max: 0 is not 1 to %u",
                           OFP_MAX_RULES);
    if (!err)
        c->max = (uint32_t) n;
    return err;
}

/* What 'setting' makes of 'c'. */
static int
change(const struct ofp_bridge *b, unsigned table, const char *setting,
       struct ofp_table_config *c, struct weft_err *e)
{
    static const char *const old[] = { "controller", "continue", "drop" };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(old); i++)
        if (!strcmp(setting, old[i]))
            return weft_err_set(e, -EINVAL, "%s: tables had this until"
                                " OpenFlow 1.2; add a table-miss flow:"
                                " \"table=%u,priority=0,actions=...\"",
                                setting, table);
    if (!strcmp(setting, "evict"))
        c->config |= OFP_TC_EVICTION;
    else if (!strcmp(setting, "noevict"))
        c->config &= ~OFP_TC_EVICTION;
    else if (!strcmp(setting, "novacancy"))
        c->config &= ~OFP_TC_VACANCY;
    else if (!strncmp(setting, "vacancy:", 8))
        return set_vacancy(c, setting + 8, e);
    else if (!strncmp(setting, "name:", 5))
        return set_name(b, table, c, setting + 5, e);
    else if (!strncmp(setting, "max:", 4))
        return set_max(c, setting + 4, e);
    else
        return weft_err_set(e, -EINVAL, "table %u: \"%.40s\" is none of"
                            " evict, noevict, vacancy:DOWN,UP, novacancy,"
                            " name:NAME, max:N", table, setting);
    return 0;
}

int
ofp_table_setting(struct ofp_bridge *b, const char *table,
                  const char *setting, struct weft_err *e)
{
    bool all = !strcmp(table, "all");
    struct ofp_table_config c;
    unsigned first = 0;
    int err = busy(b, e);

    if (!err && !all)
        err = find_table(b, table, &first, e);
    if (!err && all && !strncmp(setting, "name:", 5))
        err = weft_err_set(e, -EINVAL, "%s: all tables cannot have one name",
                           setting);
    for (unsigned t = first; !err && t < (all ? DP_N_TABLES : first + 1);
         t++) {
        c = b->tables.table[t].config;
        err = change(b, t, setting, &c, e);
        if (!err)
            ofp_table_configure(b, (uint8_t) t, &c);
    }
    return err;
}
