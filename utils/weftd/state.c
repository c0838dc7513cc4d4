/* SPDX-License-Identifier: Apache-2.0 */
#include "utils/weftd/state.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "utils/base/log.h"
#include "utils/base/mem.h"

#define BATCH_MS 100

struct state {
    sqlite3 *db; /* Helper's, once it runs. */
    char *path;
    pthread_t helper;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    char *config; /* Pending text, NULL: none.  Guarded by lock. */
    bool stop;    /* Guarded by lock. */
};

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS document"
    " (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;";

static int
fault(const struct state *s, struct weft_err *e, const char *what)
{
    int code = sqlite3_errcode(s->db);

    return weft_err_set(e, code == SQLITE_BUSY ? -EBUSY : -EIO, "%s: %s: %s",
                        s->path, what, sqlite3_errmsg(s->db));
}

static bool
config_write(struct state *s, const char *text)
{
    sqlite3_stmt *q = NULL;
    bool ok = sqlite3_prepare_v2(s->db, "REPLACE INTO document VALUES "
                                 "('config', ?)", -1, &q, NULL) == SQLITE_OK
              && sqlite3_bind_text(q, 1, text, -1, SQLITE_STATIC) == SQLITE_OK
              && sqlite3_step(q) == SQLITE_DONE;

    if (!ok)
        base_log(BASE_LOG_ERR, "state", "%s: cannot save: %s", s->path,
                 sqlite3_errmsg(s->db));
    sqlite3_finalize(q);
    return ok;
}

/* Thread: helper.  Waits for a document or the end; the lock is held. */
static void
wait_for_work(struct state *s)
{
    static const struct timespec batch = { .tv_nsec = BATCH_MS * 1000000 };

    while (!s->config && !s->stop)
        pthread_cond_wait(&s->wake, &s->lock);
    if (s->stop)
        return;
    pthread_mutex_unlock(&s->lock); /* More may come: one write for all. */
    nanosleep(&batch, NULL);
    pthread_mutex_lock(&s->lock);
}

static void *
helper_run(void *arg)
{
    struct state *s = arg;
    bool stop;

    do {
        pthread_mutex_lock(&s->lock);
        wait_for_work(s);
        char *text = s->config;
        s->config = NULL;
        stop = s->stop;
        pthread_mutex_unlock(&s->lock);
        if (text)
            config_write(s, text);
        free(text);
    } while (!stop);
    return NULL;
}

int
state_open(const char *dir, struct state **out, struct weft_err *e)
{
    struct state *s;
    int err;

    if (mkdir(dir, 0700) && errno != EEXIST)
        return weft_err_set(e, -errno, "cannot make the state folder %s: %s",
                            dir, strerror(errno));
    BASE_NEW(s);
    s->path = base_xasprintf("%s/weft.db", dir);
    if (sqlite3_open(s->path, &s->db) != SQLITE_OK
        || sqlite3_exec(s->db, "PRAGMA locking_mode = EXCLUSIVE;", NULL, NULL,
                        NULL) != SQLITE_OK
        || sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        err = fault(s, e, "cannot open");
        goto close_db;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    *out = s;
    return 0;
close_db:
    sqlite3_close(s->db);
    free(s->path);
    free(s);
    return err;
}

json_t *
state_load_config(struct state *s)
{
    sqlite3_stmt *q = NULL;
    json_t *doc = NULL;
    json_error_t why;

    if (sqlite3_prepare_v2(s->db, "SELECT body FROM document WHERE name = "
                           "'config'", -1, &q, NULL) == SQLITE_OK
        && sqlite3_step(q) == SQLITE_ROW) {
        doc = json_loads((const char *) sqlite3_column_text(q, 0), 0, &why);
        if (!doc)
            base_log(BASE_LOG_ERR, "state", "%s: the configuration does not "
                     "parse: %s", s->path, why.text);
    }
    sqlite3_finalize(q);
    return doc;
}

void
state_save_config(struct state *s, const json_t *doc)
{
    char *text = json_dumps(doc, JSON_COMPACT);

    pthread_mutex_lock(&s->lock);
    free(s->config);
    s->config = text;
    if (!s->helper && pthread_create(&s->helper, NULL, helper_run, s))
        base_log(BASE_LOG_ERR, "state", "cannot start the writer");
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void
state_close(struct state *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->helper)
        pthread_join(s->helper, NULL);
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    free(s->config);
    free(s->path);
    free(s);
}
