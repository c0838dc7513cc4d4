/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ofproto/of_vectors.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65535

static void
die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", name, what);
    exit(2);
}

/* Hex bytes of one line, up to a comment. */
static size_t
hex_line(const char *line, uint8_t *to, size_t n)
{
    char *end;

    while (*line && *line != '#') {
        unsigned long v;

        if (isspace((unsigned char) *line)) {
            line++;
            continue;
        }
        v = strtoul(line, &end, 16);
        if (end == line || v > 0xff || n == MAX_BYTES)
            die("not a hex byte", line);
        to[n++] = (uint8_t) v;
        line = end;
    }
    return n;
}

static void
read_file(const char *path, struct vector *v)
{
    static uint8_t bytes[MAX_BYTES];
    char line[512], section[32] = "";
    FILE *f = fopen(path, "r");

    if (!f)
        die("cannot be read", path);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "-- %31s", section) == 1 || line[0] == '#')
            continue;
        if (!strcmp(section, "binary"))
            v->len = hex_line(line, bytes, v->len);
        else if (!strcmp(section, "error"))
            (void) !sscanf(line, "%47s %47s", v->type, v->code);
    }
    fclose(f);
    v->bytes = malloc(v->len ? v->len : 1);
    if (!v->bytes || !v->len)
        die("no bytes", path);
    memcpy(v->bytes, bytes, v->len);
}

static int
by_name(const void *a, const void *b)
{
    const struct vector *x = a, *y = b;

    return strcmp(x->name, y->name);
}

struct vector *
vectors_read(const char *folder, size_t *n)
{
    const char *top = getenv("srcdir");
    struct vector *all = NULL;
    char dir[512], path[1024];
    struct dirent *e;
    DIR *d;

    snprintf(dir, sizeof dir, "%s/tests/ofproto/vectors/%s", top ? top : ".",
             folder);
    d = opendir(dir);
    if (!d)
        die("cannot be read (is srcdir set?)", dir);
    *n = 0;
    while ((e = readdir(d))) {
        if (!strstr(e->d_name, ".data"))
            continue;
        all = realloc(all, (*n + 1) * sizeof *all);
        if (!all)
            die("no memory", dir);
        memset(&all[*n], 0, sizeof *all);
        snprintf(all[*n].name, sizeof all[*n].name, "%.95s", e->d_name);
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        read_file(path, &all[(*n)++]);
    }
    closedir(d);
    qsort(all, *n, sizeof *all, by_name);
    return all;
}

void
vectors_free(struct vector *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(all[i].bytes);
    free(all);
}
