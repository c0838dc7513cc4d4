/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the tables: how many rules, who makes room, who is told.
 *
 * What:    a table's configuration, the choice of rules to evict, vacancy
 *          events.
 * Model:   a table that holds 'max' rules refuses more, unless eviction is
 *          on: then the rule that goes is the least by importance, by the
 *          time it has left, by age, as far as the flags say so.  One pass
 *          over the table finds the next OFP_EVICT_MAX of them; what is
 *          added later and is less takes its place among them.
 *          Vacancy is looked at once per ofp_flush.
 * Threads: control.
 * Owns:    the candidates are the tables' rules: ofp_evict_forget when one
 *          goes.
 * Errors:  none.
 * Cost:    an eviction: 1/OFP_EVICT_MAX of a pass over the table.
 * Source:  OpenFlow 1.4.1 §6.5, §6.6, §7.3.4.2. */
#ifndef OFP_EVICT_H
#define OFP_EVICT_H

#include <stdbool.h>
#include <stdint.h>

struct ofp_bridge;
struct ofp_rule;

#define OFP_EVICT_MAX 256u
#define OFP_TABLE_NAME 32u

#define OFP_TC_DEPRECATED 0x3u /* OFPTC_* */
#define OFP_TC_EVICTION 0x4u
#define OFP_TC_VACANCY 0x8u
#define OFP_TC_ALL 0xfu

#define OFP_EF_OTHER 0x1u /* OFPTMPEF_* */
#define OFP_EF_IMPORTANCE 0x2u
#define OFP_EF_LIFETIME 0x4u
#define OFP_EF_ALL 0x7u

struct ofp_table_config {
    uint32_t config;      /* OFP_TC_* */
    uint32_t max;         /* Rules. */
    uint32_t evict_flags; /* OFP_EF_* */
    uint8_t down, up;     /* Vacancy, percent. */
    bool low;             /* VACANCY_UP is the next event. */
    char name[OFP_TABLE_NAME];
};

struct ofp_evict {
    uint32_t n;
    struct ofp_rule *rules[OFP_EVICT_MAX]; /* The last one goes first. */
};

void ofp_table_config_init(struct ofp_table_config *, uint8_t table);
/* Percent of the table that is free. */
unsigned ofp_table_vacancy(const struct ofp_bridge *, uint8_t table);
/* The configuration becomes 'c'; in a transaction, until that is undone. */
void ofp_table_configure(struct ofp_bridge *, uint8_t table,
                         const struct ofp_table_config *c);
/* The rule to go for one of this importance; NULL: none may. */
struct ofp_rule *ofp_evict_choose(struct ofp_bridge *, uint8_t table,
                                  uint16_t importance);
/* 'r' was added or changed; 'r' goes. */
void ofp_evict_note(struct ofp_bridge *, struct ofp_rule *r);
void ofp_evict_forget(struct ofp_bridge *, const struct ofp_rule *r);
/* Tells who wants to know of tables that crossed a threshold. */
void ofp_vacancy_run(struct ofp_bridge *);
void ofp_evict_fini(struct ofp_bridge *);

#endif
