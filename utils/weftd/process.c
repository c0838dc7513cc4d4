/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int detach_fd = -1; /* Pipe to the waiting first process. */

int
process_lock(const char *run_dir, struct weft_err *e)
{
    char path[4096];

    if (mkdir(run_dir, 0755) && errno != EEXIST)
        return weft_err_set(e, -errno, "cannot make the run folder %s: %s",
                            run_dir, strerror(errno));
    snprintf(path, sizeof path, "%s/weftd.lock", run_dir);

    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return weft_err_set(e, -errno, "cannot open %s: %s", path,
                            strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return weft_err_set(e, -EBUSY, "another weftd uses %s: give this one "
                            "its own --run-dir", run_dir);
    }
    return 0; /* The descriptor stays open: it is the lock. */
}

int
process_detach(struct weft_err *e)
{
    int fds[2];
    char c;

    if (pipe2(fds, O_CLOEXEC))
        return weft_err_set(e, -errno, "pipe: %s", strerror(errno));

    pid_t pid = fork();
    if (pid < 0)
        return weft_err_set(e, -errno, "fork: %s", strerror(errno));
    if (pid > 0) {
        close(fds[1]);
        ssize_t n = read(fds[0], &c, 1);
        _exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(fds[0]);
    detach_fd = fds[1];
    setsid();
    return 0;
}

static int
write_pidfile(const char *path)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long) getpid()), err = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0)
        return -errno;
    if (write(fd, text, (size_t) n) != n)
        err = -EIO;
    close(fd);
    return err;
}

/* A daemon's standard output is nobody's; errors still go to the log. */
static void
leave_terminal(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return;
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
}

int
process_ready(const char *pidfile, int ready_fd, struct weft_err *e)
{
    int err = pidfile ? write_pidfile(pidfile) : 0;

    if (err)
        return weft_err_set(e, err, "cannot write %s: %s", pidfile,
                            strerror(-err));
    if (ready_fd >= 0 && write(ready_fd, "ready\n", 6) != 6)
        return weft_err_set(e, -EIO, "cannot write to descriptor %d of "
                            "--ready-fd", ready_fd);
    if (detach_fd >= 0) {
        leave_terminal();
        if (write(detach_fd, "r", 1) != 1)
            return weft_err_set(e, -EIO, "the starting process is gone");
        close(detach_fd);
        detach_fd = -1;
    }
    return 0;
}

void
process_end(const char *pidfile)
{
    if (pidfile)
        unlink(pidfile);
}
