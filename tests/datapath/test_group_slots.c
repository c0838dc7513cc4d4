/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of select groups: shares, and who moves when buckets change. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/group_slots.h"
#include "weft/compiler.h"

#define MAX 2048
#define FREE GROUP_SLOT_FREE

static uint64_t rng;

static uint32_t
rnd(uint32_t limit)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t) ((rng >> 16) % limit);
}

/* Each bucket has its share, but for 'off' slots. */
static void
check_shares(const struct group_slots *t, const uint16_t w[], uint32_t n,
             double off)
{
    static uint32_t has[MAX];
    double sum = 0;

    memset(has, 0, sizeof has);
    for (uint32_t i = 0; i < n; i++)
        sum += w[i];
    for (uint32_t s = 0; s < t->n; s++) {
        if ((t->of[s] == FREE) != (sum == 0)
            || (t->of[s] != FREE && t->of[s] >= n))
            ck_abort_msg("slot %u is bucket %u's of %u", s, t->of[s], n);
        if (t->of[s] != FREE)
            has[t->of[s]]++;
    }
    for (uint32_t i = 0; i < n; i++) {
        double want = sum ? t->n * (w[i] / sum) : 0;

        ck_assert_msg(has[i] <= want + off && has[i] + off >= want
                          && !has[i] == !w[i],
                      "bucket %u of %u, weight %u: %u slots of %u, %.2f due",
                      i, n, w[i], has[i], t->n, want);
    }
}

static void
weights_random(uint16_t w[], uint32_t n)
{
    static const uint16_t most[] = { 1, 3, 100, 65535 };
    uint16_t m = most[rnd(4)];

    for (uint32_t i = 0; i < n; i++)
        w[i] = rnd(10) ? (uint16_t) (1 + rnd(m)) : 0;
}

START_TEST(test_group_slots_given_weights_each_bucket_has_its_share)
{
    static uint16_t w[MAX];

    rng = 1;
    for (unsigned i = 0; i < 300; i++) {
        uint32_t n = 1 + rnd(i % 10 ? 40 : MAX);
        struct group_slots *t;

        weights_random(w, n);
        t = group_slots_new(w, n, NULL, NULL);
        check_shares(t, w, n, n > 100 ? 16.01 : 1.01);
        free(t);
    }
}
END_TEST

START_TEST(test_group_slots_without_weights_or_buckets_are_free)
{
    const uint16_t none[3] = { 0 };
    struct group_slots *t = group_slots_new(none, 3, NULL, NULL);

    check_shares(t, none, 3, 0);
    free(t);
    t = group_slots_new(none, 0, NULL, NULL);
    ck_assert_uint_eq(group_slots_find(t, UINT64_MAX), FREE);
    ck_assert_uint_eq(group_slots_find(t, 0), FREE);
    free(t);
}
END_TEST

/* Of two tables: slots whose owner, by to[], is another one, as parts of all
 * hashes. */
static double
moved(const struct group_slots *old, const struct group_slots *t,
      const uint16_t to[], const uint16_t fresh[])
{
    uint32_t n = 0, per = t->n / old->n;

    for (uint32_t s = 0; s < t->n; s++) {
        uint16_t was = old->of[s / per];
        uint16_t is = was == FREE ? FREE : to[was];

        if (is == t->of[s])
            continue;
        n++;
        if (is != FREE && !fresh[t->of[s]]) /* One that went, a new one. */
            ck_abort_msg("slot %u moved from %u to %u", s, is, t->of[s]);
    }
    return (double) n / t->n;
}

/* Buckets come and go one by one: no slot changes its owner but to the one
 * that came or from the one that went, and no more than these need. */
START_TEST(test_group_slots_when_a_bucket_comes_or_goes_only_its_own_move)
{
    static uint16_t w[MAX], to[MAX], fresh[MAX];
    uint32_t n = 3;
    struct group_slots *t;

    rng = 7 + (uint64_t) _i;
    weights_random(w, n);
    w[0] = 5;
    t = group_slots_new(w, n, NULL, NULL);
    for (unsigned round = 0; round < 500; round++) {
        struct group_slots *old = t;
        bool come = n < 3 || (n < 60 && rnd(2));
        uint32_t at = rnd(n);
        double sum = 0, share;

        memset(fresh, 0, sizeof fresh);
        for (uint32_t i = 0; i < n; i++)
            to[i] = (uint16_t) (come ? i + (i >= at)
                                     : i == at ? FREE : i - (i > at));
        for (uint32_t i = 0; i < n; i++)
            sum += w[i];
        if (come) {
            memmove(w + at + 1, w + at, (n++ - at) * sizeof w[0]);
            w[at] = (uint16_t) (1 + rnd(9));
            fresh[at] = 1;
            share = w[at] / (sum + w[at]);
        } else {
            share = sum ? w[at] / sum : 0;
            memmove(w + at, w + at + 1, (--n - at) * sizeof w[0]);
        }
        t = group_slots_new(w, n, old, to);
        check_shares(t, w, n, 2.01);
        ck_assert(moved(old, t, to, fresh) <= share + 2.0 / old->n);
        free(old);
    }
    free(t);
}
END_TEST

START_TEST(test_group_slots_of_the_living_leave_others_alone)
{
    static uint16_t w[MAX], live[MAX];
    const uint32_t n = 24;
    struct group_slots *all, *t = NULL;

    rng = 3;
    for (uint32_t i = 0; i < n; i++)
        live[i] = w[i] = (uint16_t) (1 + rnd(20));
    all = group_slots_new(w, n, NULL, NULL);
    for (unsigned round = 0; round < 300; round++) {
        struct group_slots *old = t;
        uint32_t i = rnd(n), alive = 0;

        live[i] = live[i] ? 0 : w[i];
        t = group_slots_live(all, live, n, old, NULL);
        for (uint32_t s = 0; s < t->n; s++)
            if (live[all->of[s]] && t->of[s] != all->of[s])
                ck_abort_msg("bucket %u lost slot %u", all->of[s], s);
        /* One that comes back takes its own, the rest is shared anew. */
        check_shares(t, live, n, 2.01);
        for (i = 0; i < n; i++)
            alive += live[i] != 0;
        ck_assert_uint_gt(alive, 0);
        /* One more that dies moves only what it had. */
        for (i = 0; i < n && alive > 1; i++) {
            uint16_t to[MAX], fresh[MAX] = { 0 }, keep = live[i];
            struct group_slots *next;

            for (uint32_t k = 0; k < n; k++)
                to[k] = (uint16_t) (k == i ? FREE : k);
            if (!keep)
                continue;
            live[i] = 0;
            next = group_slots_live(all, live, n, t, NULL);
            moved(t, next, to, fresh);
            free(next);
            live[i] = keep;
        }
        free(old);
    }
    free(t);
    free(all);
}
END_TEST

START_TEST(test_group_slots_when_weights_change_shares_follow)
{
    static uint16_t w[MAX], to[MAX];
    const uint32_t n = 16;
    struct group_slots *t;

    rng = 11;
    for (uint32_t i = 0; i < n; i++)
        to[i] = (uint16_t) i;
    weights_random(w, n);
    t = group_slots_new(w, n, NULL, NULL);
    for (unsigned round = 0; round < 200; round++) {
        struct group_slots *old = t;

        w[rnd(n)] = (uint16_t) rnd(200);
        t = group_slots_new(w, n, old, to);
        check_shares(t, w, n, 2.01);
        ck_assert_uint_ge(t->n, old->n);
        free(old);
    }
    free(t);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("datapath");
    TCase *tc = tcase_create("group_slots");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc,
                   test_group_slots_given_weights_each_bucket_has_its_share);
    tcase_add_test(tc, test_group_slots_without_weights_or_buckets_are_free);
    tcase_add_loop_test(
        tc, test_group_slots_when_a_bucket_comes_or_goes_only_its_own_move, 0,
        8);
    tcase_add_test(tc, test_group_slots_of_the_living_leave_others_alone);
    tcase_add_test(tc, test_group_slots_when_weights_change_shares_follow);
    suite_add_tcase(s, tc);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
