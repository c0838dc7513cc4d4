/* SPDX-License-Identifier: Apache-2.0 */
/* weftd: options, then the parts in order, then the event loop. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "tunnels/underlay/underlay.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "utils/base/log.h"
#include "utils/base/mem.h"
#include "utils/weftd/glue.h"
#include "utils/weftd/model.h"
#include "utils/weftd/process.h"
#include "utils/weftd/reconcile.h"
#include "utils/weftd/rpc.h"
#include "utils/weftd/state.h"
#include "utils/weftd/weftd.h"
#include "weft/dp.h"

struct options {
    const char *run_dir, *state_dir, *config, *log_file, *pidfile;
    int ready_fd;
    bool detach;
    struct dp_config dp;
};

static const char help[] =
    "Usage: weftd [OPTION]...\n"
    "The virtual switch; starts on any Linux machine with no option at all.\n"
    "\n"
    "  --run-dir DIR     socket and lock (default $WEFT_RUN_DIR or "
    "/run/weft)\n"
    "  --state-dir DIR   keeps the configuration (default RUNDIR/state)\n"
    "  --no-state        keeps nothing\n"
    "  --config FILE     applies a document of \"weftctl export\" at start\n"
    "  --workers CORES   cores of the fast path, such as 1 or 1,2\n"
    "  --poll            workers never sleep\n"
    "  --latency-target US  longest wait for a worker that sleeps\n"
    "  --cache N         largest number of cached flows per worker (1: off)\n"
    "  --no-change-log   a change of rules makes all cached flows stale\n"
    "  --mbufs N         packet buffers (default: by the memory there is)\n"
    "  --eal ARGS        more words for DPDK's EAL\n"
    "  --log LEVEL       err, warn, info (default) or debug\n"
    "  --log-file FILE   log there instead of standard error\n"
    "  --pidfile FILE    written when the sockets listen\n"
    "  --ready-fd N      gets the line \"ready\" when the sockets listen\n"
    "  --detach          goes to the background once ready\n"
    "  --version, --help\n"
    "\n"
    "See weftd(8), weftctl(8), weft-dump(8).\n";

enum { RUN_DIR = 256, STATE_DIR, NO_STATE, CONFIG, WORKERS, POLL, CACHE, NO_CHLOG,
       MBUFS, EAL, LOG, LOG_FILE, PIDFILE, READY_FD, DETACH, LATENCY };

static const struct option longs[] = {
    { "run-dir", required_argument, NULL, RUN_DIR },
    { "state-dir", required_argument, NULL, STATE_DIR },
    { "no-state", no_argument, NULL, NO_STATE },
    { "config", required_argument, NULL, CONFIG },
    { "workers", required_argument, NULL, WORKERS },
    { "poll", no_argument, NULL, POLL },
    { "latency-target", required_argument, NULL, LATENCY },
    { "cache", required_argument, NULL, CACHE },
    { "no-change-log", no_argument, NULL, NO_CHLOG },
    { "mbufs", required_argument, NULL, MBUFS },
    { "eal", required_argument, NULL, EAL },
    { "log", required_argument, NULL, LOG },
    { "log-file", required_argument, NULL, LOG_FILE },
    { "pidfile", required_argument, NULL, PIDFILE },
    { "ready-fd", required_argument, NULL, READY_FD },
    { "detach", no_argument, NULL, DETACH },
    { "version", no_argument, NULL, 'V' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static void WEFT_NORETURN
usage(const char *what, const char *value)
{
    fprintf(stderr, "weftd: %s \"%s\"\nTry: weftd --help\n", what, value);
    exit(2);
}

static uint32_t
number(const char *option, const char *text, uint32_t max)
{
    uint64_t v;

    if (base_parse_u64(text, max, &v))
        usage(option, text);
    return (uint32_t) v;
}

static void
option_take(struct options *o, int c)
{
    enum base_log_level level;

    switch (c) {
    case RUN_DIR: o->run_dir = optarg; break;
    case STATE_DIR: o->state_dir = optarg; break;
    case NO_STATE: o->state_dir = ""; break;
    case CONFIG: o->config = optarg; break;
    case WORKERS: o->dp.cores = optarg; break;
    case POLL: o->dp.poll = true; break;
    case LATENCY:
        o->dp.latency_us = number("--latency-target is not in 0..1000000:",
                                  optarg, 1000000);
        break;
    case CACHE:
        o->dp.cache_entries = number("--cache is not in 0..67108864:",
                                     optarg, 1u << 26);
        break;
    case NO_CHLOG: o->dp.no_change_log = true; break;
    case MBUFS:
        o->dp.mbufs = number("--mbufs is not in 0..16777216:", optarg,
                             1u << 24);
        break;
    case EAL: o->dp.eal_args = optarg; break;
    case LOG:
        if (base_log_level_parse(optarg, &level))
            usage("--log is none of err, warn, info, debug:", optarg);
        base_log_set_level(level);
        break;
    case LOG_FILE: o->log_file = optarg; break;
    case PIDFILE: o->pidfile = optarg; break;
    case READY_FD:
        o->ready_fd = (int) number("--ready-fd is no descriptor:", optarg,
                                   1u << 20);
        break;
    case DETACH: o->detach = true; break;
    case 'V':
        printf("weftd %s\n", PACKAGE_VERSION);
        exit(0);
    case 'h':
        fputs(help, stdout);
        exit(0);
    default:
        exit(2);
    }
}

static void
options_parse(struct options *o, int argc, char *argv[])
{
    int c;

    *o = (struct options){ .run_dir = getenv("WEFT_RUN_DIR"),
                           .ready_fd = -1 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        option_take(o, c);
    if (optind < argc)
        usage("unexpected word", argv[optind]);
    if (!o->run_dir || !*o->run_dir)
        o->run_dir = "/run/weft";
}

/* ----------------------------------------------------------------- parts */

/* What the state folder or --config says. */
static int
configure(struct weftd *d, const struct options *o, struct weft_err *e)
{
    json_t *doc = NULL;
    json_error_t why;
    int err = 0;

    if (o->config) {
        doc = json_load_file(o->config, JSON_REJECT_DUPLICATES, &why);
        if (!doc)
            return weft_err_set(e, -EINVAL, "%s: line %d: %s", o->config,
                                why.line, why.text);
        err = model_check(doc, e);
        if (!err)
            err = reconcile_apply(d->rc, doc, e);
        if (!err && d->state)
            state_save_config(d->state, doc);
    } else if (d->state) {
        doc = state_load_config(d->state);
        err = doc ? model_check(doc, e) : 0;
        if (doc && !err)
            reconcile_restore(d->rc, doc);
    }
    json_decref(doc);
    return err;
}

static int
state_start(struct weftd *d, const struct options *o, struct weft_err *e)
{
    if (o->state_dir && !*o->state_dir)
        return 0;
    char *dir = o->state_dir ? base_xstrdup(o->state_dir)
                             : base_xasprintf("%s/state", o->run_dir);
    int err = state_open(dir, &d->state, e);
    free(dir);
    return err;
}

static int
parts_start(struct weftd *d, struct options *o, struct weft_err *e)
{
    struct underlay_callbacks cb;
    char *path;
    int err;

    d->base = event_base_new();
    d->run_dir = o->run_dir;
    d->started_ns = base_clock_ns();
    d->glue = glue_create(d);
    d->rc = reconcile_create(d);
    err = state_start(d, o, e);
    if (err)
        return err;
    glue_fill_underlay(d->glue, &cb);
    err = underlay_create(&cb, &d->underlay, e);
    if (err)
        return err;
    glue_fill_dp(d->glue, &o->dp.events);
    err = dp_create(&o->dp, &d->dp, e);
    if (err)
        return err;
    glue_start(d->glue);
    err = configure(d, o, e);
    if (err)
        return err;
    path = base_xasprintf("%s/weft.sock", o->run_dir);
    err = rpc_create(d, path, &d->rpc, e);
    free(path);
    return err;
}

/* Accepts parts that were never started. */
static void
parts_stop(struct weftd *d)
{
    rpc_destroy(d->rpc);
    if (d->glue)
        glue_stop(d->glue);
    reconcile_destroy(d->rc);
    dp_destroy(d->dp);
    underlay_destroy(d->underlay);
    state_close(d->state);
    glue_destroy(d->glue);
    if (d->base)
        event_base_free(d->base);
}

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct weftd *d = arg;

    (void) what;
    base_log(BASE_LOG_INFO, "weftd", "%s: ending", strsignal((int) sig));
    event_base_loopexit(d->base, NULL);
}

static void
loop(struct weftd *d)
{
    struct event *term = evsignal_new(d->base, SIGTERM, on_signal, d);
    struct event *intr = evsignal_new(d->base, SIGINT, on_signal, d);

    event_add(term, NULL);
    event_add(intr, NULL);
    event_base_dispatch(d->base);
    event_free(term);
    event_free(intr);
}

int
main(int argc, char *argv[])
{
    struct weft_err e = { "" };
    struct weftd d = { 0 };
    struct options o;
    int err;

    options_parse(&o, argc, argv);
    signal(SIGPIPE, SIG_IGN);
    if (o.log_file && (err = base_log_open(o.log_file)))
        usage(strerror(-err), o.log_file);
    err = process_lock(o.run_dir, &e);
    if (!err && o.detach)
        err = process_detach(&e);
    if (!err)
        err = parts_start(&d, &o, &e);
    if (!err)
        err = process_ready(o.pidfile, o.ready_fd, &e);
    if (!err) {
        printf("weftd %s ready in %s\n", PACKAGE_VERSION, o.run_dir);
        fflush(stdout);
        loop(&d);
        process_end(o.pidfile);
    } else {
        fprintf(stderr, "weftd: %s\n", e.text);
    }
    parts_stop(&d);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
