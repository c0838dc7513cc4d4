/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of suite "utils".  What: one function per file adds its case. */
#ifndef TESTS_SUITE_UTILS_H
#define TESTS_SUITE_UTILS_H

#include <check.h>

void suite_add_filter(Suite *);
void suite_add_items(Suite *);
void suite_add_jw(Suite *);
void suite_add_model(Suite *);
void suite_add_rpc_scan(Suite *);
void suite_add_state(Suite *);

#endif
