/* SPDX-License-Identifier: Apache-2.0 */
/* Objects and matches as text.
 *
 * What:    show writes one line, dump one line per member, indented.
 * Model:   enums and flags by their names (the specification's without the
 *          prefix, lower case), addresses as usual, octets in hex up to a
 *          limit.  The text is stable.
 * Threads: any.  Owns: nothing.
 * Errors:  bytes written, or the writer's negative result. */
#ifndef LOCI_SHOW_H
#define LOCI_SHOW_H

#include "loci/loci_base.h"
#include "loci/of_match.h"

int of_object_show(loci_writer_f, void *cookie, of_object_t *);
int of_object_dump(loci_writer_f, void *cookie, of_object_t *);
int loci_show_match(loci_writer_f, void *cookie, const of_match_t *);
int loci_dump_match(loci_writer_f, void *cookie, const of_match_t *);

#endif
