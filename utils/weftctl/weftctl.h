/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of weftctl.
 * What:    weftctl.c reads the command line and sends changes, ctl_show.c
 *          has the commands that show.
 * Threads: one.
 * Owns:    the connection.
 * Errors:  exit codes of weftctl(8). */
#ifndef WEFTCTL_H
#define WEFTCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "utils/cli/client.h"

struct ctl {
    struct cli *cli;
    const char *run_dir;
    bool json;
};

/* Says what is wrong with a word and exits; 'fmt' has one %s. */
void ctl_usage(const char *fmt, const char *word) WEFT_NORETURN
    __attribute__((format(printf, 1, 0)));
enum cli_exit ctl_fail(enum cli_exit, const struct weft_err *);
void ctl_print_json(const json_t *);
/* The request {"method", "params"} of a command that changes; NULL: it is
 * none.  Exits on a wrong word. */
json_t *ctl_edit(const char *flag, char *words[], size_t n);
/* Flows, groups, meters and packets, in ovs-ofctl's manner; false: the command
 * is none of these. */
bool ctl_of(struct ctl *, char *words[], size_t n, enum cli_exit *code);
/* Sends lines for "flow-mods", in batches. */
struct base_str;
enum cli_exit ctl_send_flows(struct ctl *, const char *bridge,
                             const struct base_str *lines);
/* dump-flows, diff-flows, replace-flows; false: the command is none of these. */
bool ctl_flows(struct ctl *, char *words[], size_t n, enum cli_exit *code);
/* monitor, settings of ports and tables; false: the command is none of
 * these. */
bool ctl_tables(struct ctl *, char *words[], size_t n, enum cli_exit *code);
/* Any other command. */
enum cli_exit ctl_read(struct ctl *, char *words[], size_t n);

#endif
