/* SPDX-License-Identifier: Apache-2.0 */
/* EAL for test programs: no huge pages, no PCI, nothing shared.
 * Threads: main.  Errors: fails the test. */
#ifndef TESTS_DATAPATH_TEST_EAL_H
#define TESTS_DATAPATH_TEST_EAL_H

#include <check.h>
#include <rte_eal.h>
#include <string.h>

#include "weft/compiler.h"

static inline void
test_eal_init(void)
{
    static char words[] = "test\0--no-huge\0-m\0" "64\0--no-pci\0"
                          "--no-shconf\0--no-telemetry\0-l\0" "0\0"
                          "--log-level\0" "4";
    static char *args[16];
    int n = 0;

    for (char *w = words; w < words + sizeof words; w += strlen(w) + 1)
        args[n++] = w;
    ck_assert_int_ge(rte_eal_init(n, args), 0);
}

#endif
