/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: requests of the daemon's socket, on the dummy datapath.
 * Properties: the scanner finds the same ends whether it sees a request whole
 * or byte by byte; each request is answered by one line of JSON or, as a
 * notification, by nothing. */
#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dummy_dp.h"
#include "utils/base/log.h"
#include "utils/weftd/glue.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/rpc_scan.h"
#include "utils/weftd/weftd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
    if (!ok)
        abort();
}

static size_t
scan_bytewise(const char *text, size_t len)
{
    struct rpc_scan s = { 0 };
    size_t end = 0;

    for (size_t n = 1; n <= len && !end; n++)
        end = rpc_scan(&s, text, n);
    return end;
}

static void
answer(struct weftd *d, const char *text, size_t len)
{
    struct base_str out = BASE_STR_INIT;

    rpc_answer(d, text, len, &out);
    if (out.len) {
        json_t *v = json_loads(out.buf, 0, NULL);

        must(json_is_object(v));
        must(strchr(out.buf, '\n') == out.buf + out.len - 1);
        json_decref(v);
    }
    base_str_fini(&out);
}

/* Methods that reach for what this bed has not: files, devices, the loop. */
static bool
wanted(const char *text, size_t len)
{
    static const char *const not[] = { "exit", "tunnels", "uplink",
                                       "controller", "set-log", "\\u" };

    for (size_t i = 0; i < WEFT_ARRAY_LEN(not); i++)
        if (memmem(text, len, not[i], strlen(not[i])))
            return false;
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *) data;
    struct weftd d = { .base = event_base_new() };
    struct dp_config c = { 0 };

    base_log_set_level(BASE_LOG_ERR);
    d.glue = glue_create(&d);
    d.rc = reconcile_create(&d);
    glue_fill_dp(d.glue, &c.events);
    must(!dp_create(&c, &d.dp, NULL));
    while (size) {
        struct rpc_scan s = { 0 };
        bool open = *text == '{' || *text == '[';
        size_t n = open ? rpc_scan(&s, text, size) : 1;

        if (open)
            must(n == scan_bytewise(text, size) && n <= size);
        if (!n)
            break;
        if (wanted(text, n))
            answer(&d, text, n);
        text += n;
        size -= n;
    }
    reconcile_destroy(d.rc);
    dp_destroy(d.dp);
    glue_destroy(d.glue);
    event_base_free(d.base);
    return 0;
}
