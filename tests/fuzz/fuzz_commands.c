/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: what operators write, carried out on a bridge.
 * Input: byte 0 chooses what the lines are (or a monitor's words, a setting
 * of a port or a table), byte 1 how (bit 0: numbered lines, bit 1: as a
 * bundle, bit 2: only read), then text.
 * Properties: no crash, no leak, no stall; a mistake in a line has words and
 * changes nothing, nor does reading alone; agent and datapath agree on the
 * number of rules; each refusal has words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ofproto/commands.h"
#include "ofproto/ofproto.h"
#include "ofproto/questions.h"
#include "tests/support/agent_events.h"
#include "tests/support/dummy_dp.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_LINES (OFP_LINE_MIXED + 1)
enum { MONITOR = N_LINES, SET_PORT, SET_TABLE, N_KINDS };

static struct dp *dp;
static struct ofp_bridge *bridge;
static uint64_t now = UINT64_C(1000000000000);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static uint32_t
n_rules(void)
{
    struct ofp_bridge_stats stats;

    ofp_bridge_get_stats(bridge, &stats);
    must(stats.n_rules == ofp_bridge_dp(bridge)->n_rules);
    return stats.n_rules;
}

static void
lines(enum ofp_line_kind kind, uint8_t how, const char *text)
{
    uint32_t before = n_rules(), line;
    struct ofp_commands_result r;
    struct ofp_commands *c;
    struct weft_err e = { "" };
    unsigned n = 0;
    int err;

    ofp_commands_begin(bridge, kind, text, how & 1,
                       (how & 2 ? OFP_COMMANDS_BUNDLE : 0)
                           | (how & 4 ? OFP_COMMANDS_CHECK : 0),
                       &c);
    while ((err = ofp_commands_run(c, UINT64_MAX, &e)) == -EAGAIN) {
        must(++n < 100000);
        dp_run(dp, 10);
    }
    must(!err || (err == -EINVAL && *e.text));
    ofp_commands_get(c, &r);
    if (err || how & 4)
        must(!r.sent && n_rules() == before);
    for (uint32_t i = 0; i < WEFT_MIN(r.refused, OFP_MAX_REFUSALS); i++)
        must(*ofp_commands_refusal(c, i, &line));
    if (how & 2 && r.refused)
        must(n_rules() == before);
    ofp_commands_end(c);
}

static void
on_answer(void *arg, const struct ofp_answer *a)
{
    (void) arg;
    must(*a->kind && *a->text);
}

/* What is added and deleted under the monitor is told. */
static void
monitor(const char *words)
{
    static const struct ofp_question_ops ops = { on_answer, NULL };
    struct ofp_question *q;
    struct weft_err e = { "" };

    if (ofp_question_begin(bridge, OFP_ASK_MONITOR, words, &ops, NULL, &q,
                           &e)) {
        must(*e.text);
        return;
    }
    lines(OFP_LINE_ADD_FLOW, 0, "tcp,send_flow_rem,actions=output:1");
    must(ofp_question_run(q));
    lines(OFP_LINE_DELETE_FLOWS, 0, "tcp");
    must(ofp_question_run(q));
    ofp_question_end(q);
}

static void
setting(char *text, int (*set)(struct ofp_bridge *, const char *,
                               const char *, struct weft_err *))
{
    char *value = strchrnul(text, ' ');
    struct weft_err e = { "" };

    if (*value)
        *value++ = '\0';
    if (set(bridge, text, value, &e))
        must(*e.text);
}

static void
one(unsigned kind, uint8_t how, char *text)
{
    if (kind < N_LINES)
        lines((enum ofp_line_kind) kind, how, text);
    else if (kind == MONITOR)
        monitor(text);
    else
        setting(text, kind == SET_PORT ? ofp_port_setting
                                       : ofp_table_setting);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_config dc = {
        .events = agent_events(&bridge),
    };
    struct ofp_bridge_config bc = { .name = "br0", .dpid = 1 };
    char *text;

    if (size < 2)
        return 0;
    base_clock_fake(&now);
    base_log_set_level(BASE_LOG_ERR);
    must(!dp_create(&dc, &dp, NULL));
    must(!ofp_bridge_create(dp, &bc, &bridge, NULL));
    dummy_port_add(ofp_bridge_dp(bridge), "p1", 1);
    /* Something to be changed and deleted. */
    lines(OFP_LINE_MIXED, 1, "group group_id=1,type=all,bucket=output:1\n"
                             "meter meter=1,kbps,band=type=drop,rate=9\n"
                             "flow tcp,actions=meter:1,group:1\n"
                             "flow table=3,ip,actions=output:1\n");
    text = base_xcalloc(1, size - 1);
    memcpy(text, data + 2, size - 2);
    one(data[0] % N_KINDS, data[1], text);
    free(text);
    n_rules();
    ofp_bridge_destroy(bridge);
    dp_destroy(dp);
    base_clock_fake(NULL);
    return 0;
}
