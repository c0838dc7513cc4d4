/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon as a process: folder, lock, background, pid file.
 *
 * What:    what makes scripts able to start weftd and wait for it.
 * Model:   one weftd per run folder, held by a lock on RUNDIR/weftd.lock that
 *          the kernel drops with the process, however it ends.  With --detach
 *          the first process waits until the second is ready or has failed.
 * Threads: before others start.
 * Owns:    lock and pipe until the process ends.
 * Errors:  0 or -errno with 'e' filled. */
#ifndef WEFTD_PROCESS_H
#define WEFTD_PROCESS_H

#include "weft/compiler.h"
#include "weft/err.h"

/* Makes the folder (its parent exists) and locks it; -EBUSY: another weftd
 * has it. */
WEFT_MUST_CHECK int process_lock(const char *run_dir, struct weft_err *e);
/* Goes on in a new process of its own session.  The first one ends here, with
 * status 0 once process_ready() was called, else 1. */
WEFT_MUST_CHECK int process_detach(struct weft_err *e);
/* Sockets listen: writes the pid file (NULL: none), a line to 'ready_fd' (-1:
 * none), and lets the waiting first process go. */
WEFT_MUST_CHECK int process_ready(const char *pidfile, int ready_fd,
                                  struct weft_err *e);
/* Removes the pid file. */
void process_end(const char *pidfile);

#endif
