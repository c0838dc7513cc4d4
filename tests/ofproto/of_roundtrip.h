/* SPDX-License-Identifier: Apache-2.0 */
/* Between the round trip test and its generated table.
 *
 * What:    for each accessor a function that sets a value made from a seed,
 *          and one that checks it.
 * Model:   the same seed gives the same value, list or object.
 * Threads: tests.  Owns: nothing.  Errors: false. */
#ifndef OF_ROUNDTRIP_H
#define OF_ROUNDTRIP_H

#include "loci/loci.h"
#include "ofproto/bindings/of_desc.h"

#define RT_MAX_OCTETS 64

struct rt_member {
    const char *name; /* NULL ends the array. */
    enum of_kind kind;
    uint8_t versions; /* Bit v: wire version v has it. */
    bool (*set)(of_object_t *, uint64_t seed);
    bool (*check)(of_object_t *, uint64_t seed);
};
extern const struct rt_member *const rt_classes[]; /* By object id. */

uint64_t rt_int(uint64_t seed, unsigned width);
of_port_no_t rt_port(const of_object_t *, uint64_t seed);
void rt_fill(void *to, size_t size, uint64_t seed);
of_octets_t rt_octets(const of_object_t *, uint8_t *bytes, uint64_t seed);
bool rt_octets_equal(const of_object_t *, const of_octets_t *,
                     const of_octets_t *want);
of_match_t rt_match(of_version_t, uint64_t seed);
bool rt_list_fill(of_object_t *list, uint64_t seed);
bool rt_list_check(of_object_t *list, uint64_t seed);
bool rt_fill_object(of_object_t *, uint64_t seed);
bool rt_check_object(of_object_t *, uint64_t seed);
/* A new object of a random concrete class below 'root'. */
of_object_t *rt_instance(of_version_t, int root, uint64_t seed);
bool rt_instance_check(of_object_t *, int root, uint64_t seed);

#endif
