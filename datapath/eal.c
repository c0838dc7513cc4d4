/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/eal.h"

#include <errno.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utils/base/log.h"
#include "utils/base/mem.h"

#define MAX_ARGS 64
#define HUGE_NEED_MB 128
#define NO_HUGE_MB "128"

struct args {
    char *v[MAX_ARGS + 1];
    int n;
};

static bool started, huge;

static void
arg_add(struct args *a, const char *word)
{
    if (a->n < MAX_ARGS)
        a->v[a->n++] = base_xstrdup(word);
}

static bool
arg_has(const struct args *a, const char *prefix)
{
    for (int i = 0; i < a->n; i++)
        if (!strncmp(a->v[i], prefix, strlen(prefix)))
            return true;
    return false;
}

/* Splits at white space. */
static void
args_split(struct args *a, const char *text)
{
    while (text && *text) {
        size_t n = strcspn(text, " \t\n");
        char word[512];

        if (n && n < sizeof word) {
            snprintf(word, sizeof word, "%.*s", (int) n, text);
            arg_add(a, word);
        }
        text += n;
        text += strspn(text, " \t\n");
    }
}

static unsigned long
free_huge_mb(const char *size_kb)
{
    char path[128];
    unsigned long n = 0;
    FILE *f;

    snprintf(path, sizeof path,
             "/sys/kernel/mm/hugepages/hugepages-%skB/free_hugepages",
             size_kb);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%lu", &n) != 1)
        n = 0;
    fclose(f);
    return n * strtoul(size_kb, NULL, 10) / 1024;
}

static void
args_build(struct args *a, const char *extra)
{
    struct args x = { .n = 0 };

    args_split(&x, extra);
    huge = !arg_has(&x, "--no-huge")
           && free_huge_mb("2048") + free_huge_mb("1048576") >= HUGE_NEED_MB;
    arg_add(a, "weftd");
    arg_add(a, "--log-level=3");
    arg_add(a, "--no-telemetry");
    if (!arg_has(&x, "-l") && !arg_has(&x, "-c") && !arg_has(&x, "--lcores"))
        arg_add(a, "--lcores=0@0");
    if (huge) {
        arg_add(a, "--in-memory");
    } else {
        if (!arg_has(&x, "--no-huge"))
            arg_add(a, "--no-huge");
        /* No files in /var/run/dpdk: they are locked by one process, and any
         * number of switches may run.  --in-memory implies it. */
        arg_add(a, "--no-shconf");
        if (!arg_has(&x, "-m"))
            arg_add(a, "-m"), arg_add(a, NO_HUGE_MB);
    }
    /* "-a 0000:03:00.0" or "--allow": the user wants PCI. */
    if (!arg_has(&x, "-a") && !arg_has(&x, "--allow")
        && !arg_has(&x, "--no-pci"))
        arg_add(a, "--no-pci");
    for (int i = 0; i < x.n; i++) {
        arg_add(a, x.v[i]);
        free(x.v[i]);
    }
}

int
eal_start(const char *extra, struct weft_err *e)
{
    static struct args a; /* EAL keeps pointers into it. */
    static char *argv[MAX_ARGS + 1];
    cpu_set_t before;
    int err;

    if (started)
        return 0;
    a.n = 0;
    args_build(&a, extra);
    /* EAL moves words around in argv. */
    memcpy(argv, a.v, sizeof argv);
    argv[a.n] = NULL;
    pthread_getaffinity_np(pthread_self(), sizeof before, &before);
    err = rte_eal_init(a.n, argv);
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    if (err < 0)
        return weft_err_set(e, rte_errno ? -rte_errno : -EINVAL,
                            "EAL: cannot start%s%s: %s",
                            extra ? " with --eal " : "", extra ? extra : "",
                            rte_strerror(rte_errno));
    started = true;
    base_log(BASE_LOG_INFO, "eal", "packet memory: %s",
             huge ? "huge pages" : "ordinary pages");
    return 0;
}

bool
eal_has_huge_pages(void)
{
    return huge;
}
