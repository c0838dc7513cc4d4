/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/trace_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "ofproto/text/flow_text.h"
#include "utils/base/addr.h"
#include "weft/compiler.h"

/* What an operator can do about a drop. */
static const struct {
    enum drop_reason reason;
    const char *hint;
} hints[] = {
    { DROP_NO_RULE, "add a rule for it, or a table-miss rule: priority=0 and"
                    " no match" },
    { DROP_RULE_DROP, "nothing in the actions sends it; add an output" },
    { DROP_NO_PORT, "see weftctl show for the ports there are" },
    { DROP_TO_IN_PORT, "output:in_port sends a packet back where it came"
                       " from" },
    { DROP_NO_FWD, "the controller has set NO_FWD on that port" },
    { DROP_TX_PORT_DOWN, "the port is configured down" },
    { DROP_BAD_TTL, "its TTL ran out; a controller can ask for such packets" },
    { DROP_NO_TAG, "match on the tag or label that the action takes off" },
    { DROP_NO_GROUP, "the rule outlived its group; see weft-dump groups" },
    { DROP_NO_BUCKET, "no bucket of the group is live: see the ports that"
                      " they watch" },
    { DROP_LOOP, "groups or patch ports lead in a circle" },
    { DROP_FRAGMENT, "a controller has set OFPC_FRAG_DROP" },
    { DROP_PARSE_IPV4, "look at the lengths in the frame" },
    { DROP_PARSE_IPV6, "look at the lengths in the frame" },
    { DROP_PARSE_L4, "look at the lengths in the frame" },
};

static const char *
hint_of(int reason)
{
    for (unsigned i = 0; i < WEFT_ARRAY_LEN(hints); i++)
        if ((int) hints[i].reason == reason)
            return hints[i].hint;
    return "";
}

static void
indent(struct base_str *s, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        base_str_add(s, "  ");
}

/* ---------------------------------------------------------------- packets */

void
trace_text_add_packet(struct base_str *s, const struct flow_key *k)
{
    static const struct flow_key zero;
    struct flow_match m = { .key = *k };

    memset(&m.mask, 0xff, offsetof(struct flow_key, metadata));
    m.mask.ipv6_label = be32_from(0xfffff);
    m.mask.tcp_flags = be16_from(0xfff);
    if (!k->tun_id && !k->tun_src && !k->tun_dst) {
        m.mask.tun_id = 0;
        m.mask.tun_src = m.mask.tun_dst = 0;
    }
    if (k->metadata)
        m.mask.metadata = UINT64_MAX;
    if (!k->in_port) /* Not known: no port has this number. */
        m.mask.in_port = 0;
    /* Said only where it means something. */
    m.mask.nw_flags = k->nw_flags & FLOW_NW_FRAG_ANY ? 3 : 0;
    if (!memcmp(k->nd_target, zero.nd_target, 16))
        memset(m.mask.nd_target, 0, 16);
    if (!memcmp(k->nd_sll, zero.nd_sll, 6))
        memset(m.mask.nd_sll, 0, 6);
    if (!memcmp(k->nd_tll, zero.nd_tll, 6))
        memset(m.mask.nd_tll, 0, 6);
    if (!k->ipv6_exthdr)
        m.mask.ipv6_exthdr = 0;
    if (!k->mpls_lse)
        m.mask.mpls_lse = 0;
    if (!k->pbb_isid)
        m.mask.pbb_isid = 0;
    if (!k->tcp_flags)
        m.mask.tcp_flags = 0;
    if (k->eth_type != be16_from(0x86dd)) {
        memset(m.mask.ipv6_src, 0, 16);
        memset(m.mask.ipv6_dst, 0, 16);
        m.mask.ipv6_label = 0;
    }
    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i, flow_key_word(&m.key, i)
                                         & flow_key_word(&m.mask, i));
    ofp_text_add_match(s, &m);
}

/* Fields of 'm' that differ between the two; 0: none. */
static unsigned
differing(const struct flow_key *a, const struct flow_key *b,
          struct flow_key *mask)
{
    unsigned n = 0;
    uint8_t va[16], vb[16], ones[16];

    memset(mask, 0, sizeof *mask);
    memset(ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < N_FLOW_FIELDS; i++) {
        const struct flow_field *f = &flow_fields[i];

        if (i == FLOW_F_ACTSET_OUTPUT || i == FLOW_F_IN_PHY_PORT)
            continue;
        flow_field_get(a, f, va);
        flow_field_get(b, f, vb);
        if (!memcmp(va, vb, 16))
            continue;
        flow_field_set_masked(mask, f, ones, ones);
        n++;
    }
    if (a->ip_ttl != b->ip_ttl)
        mask->ip_ttl = 0xff, n++;
    if ((a->mpls_lse ^ b->mpls_lse) & be32_from(0xff))
        mask->mpls_lse |= be32_from(0xff), n++;
    if ((a->nw_flags ^ b->nw_flags) & FLOW_NW_MORE_VLAN)
        n++; /* A tag below another: the packet says it in whole. */
    return n;
}

static void
add_masked(struct base_str *s, const struct flow_key *k,
           const struct flow_key *mask)
{
    struct flow_match m = { .mask = *mask };
    size_t before = s->len;

    for (unsigned i = 0; i < FLOW_KEY_WORDS; i++)
        flow_key_set_word(&m.key, i, flow_key_word(k, i)
                                         & flow_key_word(mask, i));
    ofp_text_add_match(s, &m);
    if (s->len == before)
        base_str_add(s, "nothing");
}

/* "tp_dst=80 becomes tp_dst=8080".  False: no field differs. */
static bool
add_change(struct base_str *s, const struct flow_key *a,
           const struct flow_key *b)
{
    struct flow_key mask;

    if (!differing(a, b, &mask))
        return false;
    /* Other headers now, and with them other fields. */
    if (a->eth_type != b->eth_type
        || (a->nw_flags ^ b->nw_flags) & FLOW_NW_MORE_VLAN
        || (a->vlan_tci ^ b->vlan_tci) & be16_from(FLOW_VLAN_PRESENT)) {
        base_str_add(s, "the packet becomes ");
        trace_text_add_packet(s, b);
        return true;
    }
    add_masked(s, a, &mask);
    base_str_add(s, " becomes ");
    add_masked(s, b, &mask);
    return true;
}

/* One op as an action, without what the datapath has added to it. */
static void
add_op(struct base_str *s, const struct dp_op *op)
{
    uint64_t words[64] = { 0 };
    struct dp_op *copy = (struct dp_op *) (void *) words;
    bool data = op->code == DP_OP_SET_FIELD || op->code == DP_OP_COPY_FIELD;
    struct dp_op_list l = { .ops = copy };

    memcpy(copy, op, data ? 8u * op->words : 8u);
    l.n_words = copy->words = data ? op->words : 1;
    ofp_text_add_ops(s, &l);
}

/* ------------------------------------------------------------------ steps */

static void
say_drop(struct trace_text *t, const struct dp_trace_step *s, const char *what,
         int reason)
{
    const char *hint = hint_of(reason);

    base_str_addf(&t->outcome, "  %s: %s (%s)%s%s\n", what,
                  drop_reason_help[reason], drop_reason_names[reason],
                  *hint ? "\n    hint: " : "", hint);
    indent(&t->text, s->depth + 1);
    base_str_addf(&t->text, "dropped: %s\n", drop_reason_help[reason]);
}

static void
put_drop(struct trace_text *t, int reason, uint32_t port)
{
    struct jw j = JW_INIT(&t->json_out);

    j.comma = t->json_out.len != 0;
    jw_object(&j, NULL);
    jw_str(&j, "drop", drop_reason_names[reason]);
    jw_str(&j, "help", drop_reason_help[reason]);
    jw_str(&j, "hint", hint_of(reason));
    if (port)
        jw_u64(&j, "port", port);
    jw_end_object(&j);
}

static void
add_hex(struct base_str *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        base_str_addf(s, "%02x", p[i]);
}

static void
put_frame(struct jw *j, const uint8_t *p, size_t n)
{
    struct base_str hex = BASE_STR_INIT;

    add_hex(&hex, p, n);
    jw_str(j, "frame", base_str_cstr(&hex));
    base_str_fini(&hex);
}

static void
on_table(struct trace_text *t, const struct dp_trace_step *s)
{
    struct base_str match = BASE_STR_INIT;
    struct jw j = JW_INIT(&t->json_tables);
    char *m;

    t->in_set = t->set_said = false;
    t->n_tables++;
    t->n_wrong += !s->agrees;
    base_str_addf(&match, "priority=%u", s->priority);
    if (s->match && flow_mask_words(&s->match->mask)) {
        base_str_add(&match, ",");
        ofp_text_add_match(&match, s->match);
    }
    m = base_str_steal(&match);
    base_str_add(&t->text, "\n");
    indent(&t->text, s->depth);
    if (s->match) {
        base_str_addf(&t->text, "Table %u: rule %s (cookie 0x%" PRIx64
                      ", %" PRIu64 " packets, %" PRIu64 " bytes)\n",
                      s->table, m, s->cookie, s->stats.packets,
                      s->stats.bytes);
        indent(&t->text, s->depth + 1);
        base_str_add(&t->text, "says: ");
        ofp_text_add_instr(&t->text, s->instr);
        base_str_add(&t->text, "\n");
    } else {
        base_str_addf(&t->text, "Table %u: no rule matches; the table %s\n",
                      s->table,
                      s->miss == DP_MISS_CONTROLLER
                          ? "sends misses to the controller"
                          : s->miss == DP_MISS_CONTINUE
                                ? "hands misses to the next one"
                                : "drops misses");
    }
    if (!s->agrees) {
        indent(&t->text, s->depth + 1);
        base_str_addf(&t->text, "DISAGREE: the compiled table (%s) finds "
                      "another rule\n", s->form);
    }
    j.comma = t->json_tables.len != 0;
    jw_object(&j, NULL);
    jw_u64(&j, "table", s->table);
    jw_bool(&j, "matched", s->match != NULL);
    jw_str(&j, "rule", s->match ? m : "");
    jw_u64(&j, "cookie", s->cookie);
    jw_u64(&j, "packets", s->stats.packets);
    jw_u64(&j, "bytes", s->stats.bytes);
    jw_str(&j, "form", s->form);
    jw_bool(&j, "agrees", s->agrees);
    jw_end_object(&j);
    free(m);
}

/* Before the first op of an action set. */
static void
announce_set(struct trace_text *t, unsigned depth)
{
    if (!t->in_set || t->set_said)
        return;
    t->set_said = true;
    indent(&t->text, depth + 1);
    base_str_add(&t->text, "the action set, in its order:\n");
}

static void
on_op(struct trace_text *t, const struct dp_trace_step *s)
{
    announce_set(t, s->depth);
    indent(&t->text, s->depth + 1);
    add_op(&t->text, s->op);
    if (s->drop >= 0) {
        base_str_add(&t->text, ": the packet cannot take it\n");
    } else {
        base_str_add(&t->text, ": ");
        if (!add_change(&t->text, s->before, s->key))
            base_str_add(&t->text, s->op->code == DP_OP_METER
                                       ? "taken as within its rates"
                                   : s->op->code == DP_OP_SET_QUEUE
                                       ? "for the outputs that follow"
                                       : "changes nothing");
        base_str_add(&t->text, "\n");
    }
}

static void
put_output(struct trace_text *t, const struct dp_trace_step *s, uint32_t port,
           const char *to)
{
    struct base_str change = BASE_STR_INIT;
    struct jw j = JW_INIT(&t->json_out);
    struct flow_key now = *s->key;
    char *c;

    now.metadata = 0; /* Stays behind. */
    if (!add_change(&change, &t->start, &now))
        base_str_add(&change, "unchanged");
    c = base_str_steal(&change);
    base_str_addf(&t->outcome, "  leaves by %s, %zu bytes: %s\n", to, s->len,
                  c);
    j.comma = t->json_out.len != 0;
    jw_object(&j, NULL);
    if (port)
        jw_u64(&j, "port", port);
    else
        jw_bool(&j, "controller", true);
    jw_u64(&j, "length", s->len);
    jw_str(&j, "change", c);
    put_frame(&j, s->data, s->len);
    jw_end_object(&j);
    free(c);
}

/* " (peer 192.0.2.2)" */
static void
add_peer(struct base_str *s, const struct dp_trace_port *p)
{
    char text[BASE_IPV4_LEN];

    if (p->remote)
        base_str_addf(s, " (peer %s)", base_format_ipv4(p->remote, text));
}

static void
on_out(struct trace_text *t, const struct dp_trace_step *s)
{
    struct base_str name = BASE_STR_INIT;

    announce_set(t, s->depth);
    indent(&t->text, s->depth + 1);
    add_op(&t->text, s->op);
    if (s->op->code == DP_OP_CONTROLLER) {
        base_str_add(&t->text, ": a packet-in goes to the controller\n");
        put_output(t, s, 0, "packet-in to the controller");
        return;
    }
    base_str_add(&t->text, s->flooded ? ": the address is not known, to ports"
                                      : ": to port");
    for (size_t i = 0; i < s->n_ports; i++) {
        base_str_add(&t->text, i ? ", " : " ");
        ofp_text_add_port(&t->text, s->ports[i].port_no);
        add_peer(&t->text, &s->ports[i]);
    }
    base_str_add(&t->text, s->n_ports ? "\n" : " none\n");
    if (!s->n_ports) {
        say_drop(t, s, "sent nowhere", DROP_NO_PORT);
        put_drop(t, DROP_NO_PORT, 0);
    }
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct dp_trace_port *p = &s->ports[i];

        base_str_clear(&name);
        base_str_add(&name, "port ");
        ofp_text_add_port(&name, p->port_no);
        add_peer(&name, p);
        if (p->drop >= 0) {
            base_str_add(&name, ": dropped");
            say_drop(t, s, base_str_cstr(&name), p->drop);
            put_drop(t, p->drop, p->port_no);
        } else {
            put_output(t, s, p->port_no, base_str_cstr(&name));
        }
    }
    base_str_fini(&name);
}

static void
on_group(struct trace_text *t, const struct dp_trace_step *s)
{
    static const char *const types[] = {
        [DP_GROUP_ALL] = "all", [DP_GROUP_SELECT] = "select",
        [DP_GROUP_INDIRECT] = "indirect", [DP_GROUP_FF] = "ff",
    };

    announce_set(t, s->depth);
    indent(&t->text, s->depth + 1);
    base_str_addf(&t->text, "group:%" PRIu32 " (%s): bucket %" PRIu32
                  " of %" PRIu32 " on a copy%s\n", s->group, types[s->type],
                  s->bucket + 1, s->n_buckets,
                  s->type == DP_GROUP_SELECT ? ", chosen by the packet's hash"
                  : s->type == DP_GROUP_FF   ? ", the first that is live"
                                             : "");
}

static void
on_cache(struct trace_text *t, const struct dp_trace_step *s)
{
    static const char *const states[] = {
        [DP_TRACE_NO_CACHE] = "no_cache", [DP_TRACE_UNKNOWN] = "unknown",
        [DP_TRACE_STALE] = "stale", [DP_TRACE_AGREES] = "agrees",
        [DP_TRACE_PARTLY] = "partly", [DP_TRACE_DISAGREES] = "disagrees",
    };
    static const char *const words[] = {
        [DP_TRACE_NO_CACHE] = "has no flow cache",
        [DP_TRACE_UNKNOWN] = "has not cached this flow",
        [DP_TRACE_STALE] = "has cached this flow before rules changed and"
                           " will look again",
        [DP_TRACE_AGREES] = "has cached this flow; its program sends the same",
        [DP_TRACE_PARTLY] = "has cached the first part of this flow's way;"
                            " the program sends the same so far",
        [DP_TRACE_DISAGREES] = "DISAGREES: it has cached this flow with"
                               " another result",
    };
    struct jw j = JW_INIT(&t->json_caches);
    bool ops = s->cache >= DP_TRACE_AGREES;
    char *text = ops ? ofp_format_ops(&s->ops) : NULL;

    t->n_disagree += s->cache == DP_TRACE_DISAGREES;
    base_str_addf(&t->caches, "  worker %u %s", s->worker, words[s->cache]);
    if (ops)
        base_str_addf(&t->caches, " (%" PRIu64 " packets): %s", s->packets,
                      text);
    base_str_add(&t->caches, "\n");
    j.comma = t->json_caches.len != 0;
    jw_object(&j, NULL);
    jw_u64(&j, "worker", s->worker);
    jw_str(&j, "state", states[s->cache]);
    jw_u64(&j, "packets", s->packets);
    jw_str(&j, "actions", text ? text : "");
    jw_end_object(&j);
    free(text);
}

void
trace_text_step(void *arg, const struct dp_trace_step *s)
{
    struct trace_text *t = arg;

    switch (s->kind) {
    case DP_TRACE_PACKET:
        t->start = *s->key;
        add_hex(&t->frame, s->data, s->len);
        base_str_addf(&t->text, "Packet of %zu bytes: ", s->len);
        trace_text_add_packet(&t->text, s->key);
        base_str_add(&t->text, "\n");
        break;
    case DP_TRACE_TABLE:
        on_table(t, s);
        break;
    case DP_TRACE_OP:
        on_op(t, s);
        break;
    case DP_TRACE_SET:
        t->in_set = true;
        break;
    case DP_TRACE_METADATA:
        indent(&t->text, s->depth + 1);
        base_str_addf(&t->text, "metadata becomes 0x%" PRIx64 "\n",
                      be64_to(s->key->metadata));
        break;
    case DP_TRACE_GROUP:
        on_group(t, s);
        break;
    case DP_TRACE_EGRESS:
        announce_set(t, s->depth);
        indent(&t->text, s->depth + 1);
        base_str_add(&t->text, "egress tables on the way to port ");
        ofp_text_add_port(&t->text, s->port);
        base_str_add(&t->text, ":\n");
        break;
    case DP_TRACE_OUT:
        on_out(t, s);
        break;
    case DP_TRACE_DROP:
        say_drop(t, s, "dropped", s->drop);
        put_drop(t, s->drop, 0);
        break;
    case DP_TRACE_CACHE:
        on_cache(t, s);
        break;
    }
}

static void
put_list(struct jw *j, const char *name, const struct base_str *elements)
{
    struct base_str s = BASE_STR_INIT;

    base_str_addf(&s, "[%s]", base_str_cstr(elements));
    jw_raw(j, name, base_str_cstr(&s));
    base_str_fini(&s);
}

void
trace_text_write(struct trace_text *t, struct jw *j)
{
    base_str_addf(&t->text, "\nResult:\n%s",
                  t->outcome.len ? base_str_cstr(&t->outcome)
                                 : "  nothing leaves\n");
    base_str_add(&t->text, "\nForwarding beside this account:\n");
    if (t->n_wrong)
        base_str_addf(&t->text, "  compiled tables DISAGREE in %u of %u "
                      "lookups\n", t->n_wrong, t->n_tables);
    else
        base_str_addf(&t->text, "  compiled tables agree in %s%u lookup%s\n",
                      t->n_tables > 1 ? "all " : "", t->n_tables,
                      t->n_tables == 1 ? "" : "s");
    base_str_add(&t->text, base_str_cstr(&t->caches));
    jw_object(j, NULL);
    jw_str(j, "text", base_str_cstr(&t->text));
    jw_str(j, "frame", base_str_cstr(&t->frame));
    jw_bool(j, "agrees", !t->n_wrong && !t->n_disagree);
    put_list(j, "tables", &t->json_tables);
    put_list(j, "result", &t->json_out);
    put_list(j, "caches", &t->json_caches);
    jw_end_object(j);
}

void
trace_text_fini(struct trace_text *t)
{
    struct base_str *all[] = { &t->text, &t->frame, &t->outcome, &t->caches,
                               &t->json_out, &t->json_tables,
                               &t->json_caches };

    for (unsigned i = 0; i < WEFT_ARRAY_LEN(all); i++)
        base_str_fini(all[i]);
}
