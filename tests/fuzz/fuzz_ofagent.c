/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as what a controller sends in one session.
 * Input: byte 0 chooses the version (bit 0: 1.0; bit 1: 1.4; bit 2: 1.5;
 * else 1.3); a second session speaks 1.3 or, beside 1.3, 1.0; then messages
 * follow each other.  A message's version byte 0 stands for the session's, 0xfe makes time pass,
 * 0xff runs the datapath instead of sending.
 * Properties: no crash, no leak, no stall: what waits is done after a bounded
 * number of flushes; every byte sent back is a whole message of the session's
 * version; agent and datapath agree on the number of rules, and a final
 * delete of everything leaves none. */
#include <stdlib.h>
#include <string.h>

#include "ofproto/ofproto.h"
#include "tests/support/agent_events.h"
#include "tests/support/dummy_dp.h"
#include "tests/support/ofconn_mem.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "weft/be.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ofp_bridge *bridge;
static uint64_t now;

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static void
settle(struct dp *dp)
{
    unsigned n = 0;

    do {
        while (ofp_flush(bridge))
            must(++n < 10000);
        while (dp_run(dp, 100))
            must(++n < 10000);
    } while (ofp_flush(bridge));
}

static void
start_session(struct mem_conn *c, uint8_t version)
{
    uint8_t hello[8] = { version, 0, 0, 8, 0, 0, 0, 1 };

    mem_open(c, ofp_bridge_agent(bridge), false);
    mem_send_raw(c, hello, sizeof hello);
    must(c->version == version && !c->result);
}

/* All that was sent to the session is whole and of its version; the first
 * message is our HELLO, of our highest version. */
static void
check_output(const struct mem_conn *c)
{
    for (size_t at = 0; at < c->out_len;) {
        size_t len;

        must(c->out_len - at >= 8);
        len = get_be16(c->out + at + 2);
        must(len >= 8 && len <= c->out_len - at);
        must(!at || c->out[at] == c->version);
        at += len;
    }
}

static void
pass_time(struct mem_conn *c, uint8_t how)
{
    now += (uint64_t) (how & 0x7f) * 500000000;
    c->queued = how & 0x80 ? 100u << 20 : 0;
    ofp_tick(bridge, now);
    if (!c->queued)
        c->agent->writable(c->session);
}

/* Feeds the stream; stops when the session wants to be closed. */
static void
feed(struct dp *dp, struct mem_conn *c, const uint8_t *p, size_t size)
{
    uint8_t buf[65536];

    while (size >= 8 && !c->result) {
        size_t len = get_be16(p + 2);

        if (len < 8 || len > size)
            len = size;
        if (p[0] == 0xff) {
            dp_run(dp, 10);
            len = 1;
        } else if (p[0] == 0xfe) {
            pass_time(c, p[1]);
            len = 2;
        } else {
            len = len > 65535 ? 65535 : len;
            memcpy(buf, p, len);
            buf[0] = p[0] ? p[0] : c->version;
            mem_send(c, buf, len);
        }
        p += len;
        size -= len;
    }
}

static void
delete_all(struct dp *dp, struct dp_bridge *dpb)
{
    uint8_t del[56] = { 4, 14, 0, 0, 0, 0, 0, 1 };
    struct ofp_bridge_stats stats;
    struct mem_conn c;

    ofp_bridge_get_stats(bridge, &stats);
    must(stats.n_rules == dpb->n_rules);
    start_session(&c, 4);
    del[24] = 0xff;
    del[25] = 3;
    memset(del + 32, 0xff, 12);
    del[49] = 1;
    del[51] = 4;
    mem_send(&c, del, sizeof del);
    settle(dp);
    must(!dpb->n_rules);
    check_output(&c);
    mem_close(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_config dc = {
        .events = agent_events(&bridge),
    };
    struct ofp_bridge_config bc = { .name = "br0", .dpid = 1 };
    struct mem_conn c, other;
    struct dp *dp;
    uint8_t version;

    if (!size)
        return 0;
    version = data[0] & 1   ? 1
              : data[0] & 2 ? 5
              : data[0] & 4 ? 6
                            : 4;
    now = UINT64_C(1000000000000);
    base_clock_fake(&now);
    base_log_set_level(BASE_LOG_ERR);
    must(!dp_create(&dc, &dp, NULL));
    must(!ofp_bridge_create(dp, &bc, &bridge, NULL));
    dummy_port_add(ofp_bridge_dp(bridge), "p1", 1);
    settle(dp);
    start_session(&other, version == 4 ? 1 : 4);
    start_session(&c, version);
    feed(dp, &c, data + 1, size - 1);
    c.queued = 0;
    c.agent->writable(c.session);
    settle(dp);
    check_output(&c);
    check_output(&other);
    mem_close(&c);
    delete_all(dp, ofp_bridge_dp(bridge));
    mem_close(&other);
    ofp_bridge_destroy(bridge);
    dp_destroy(dp);
    base_clock_fake(NULL);
    return 0;
}
