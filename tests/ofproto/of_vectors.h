/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the message vectors of tests/ofproto/vectors.
 *
 * What:    one file -> its bytes and the error it expects; the files of a
 *          folder in the order of their names.
 * Model:   sections "-- name"; only "binary" and "error" are read.
 * Threads: tests.  Owns: vectors_free gives all of it back.
 * Errors:  a file that cannot be read ends the test with a message. */
#ifndef OF_VECTORS_H
#define OF_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct vector {
    char name[96];   /* Without folder. */
    uint8_t *bytes;  /* In memory of exactly this size. */
    size_t len;
    char type[48];   /* "OFPET_BAD_ACTION", "" without an error section. */
    char code[48];
};

/* Reads folder tests/ofproto/vectors/'folder' of the source tree. */
struct vector *vectors_read(const char *folder, size_t *n);
void vectors_free(struct vector *, size_t n);

#endif
