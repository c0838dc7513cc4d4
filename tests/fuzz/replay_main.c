/* SPDX-License-Identifier: Apache-2.0 */
/* Replays a corpus through a fuzz target, for `make check` and for looking
 * at a single input: <target> [file or folder]...; without arguments the
 * corpus that the target was built with.  A property that does not hold
 * aborts. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long size;

    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
        goto fail;
    rewind(f);
    data = malloc((size_t) size + 1);
    if (!data || fread(data, 1, (size_t) size, f) != (size_t) size)
        goto fail;
    fclose(f);

    /* Exact size, so that AddressSanitizer sees the first byte behind. */
    uint8_t *exact = malloc((size_t) size ? (size_t) size : 1);

    if (!exact)
        abort();
    memcpy(exact, data, (size_t) size);
    free(data);
    LLVMFuzzerTestOneInput(exact, (size_t) size);
    free(exact);
    return 1;
fail:
    perror(path);
    free(data);
    if (f)
        fclose(f);
    exit(EXIT_FAILURE);
}

/* Number of inputs replayed. */
static int
replay(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char file[4096];
    int n = 0;

    if (!d)
        return replay_file(path);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        n += replay_file(file);
    }
    closedir(d);
    return n;
}

int
main(int argc, char *argv[])
{
    int n = 0;

    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    if (argc < 2)
        n = replay(FUZZ_CORPUS);
    printf("%d inputs replayed\n", n);
    return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
