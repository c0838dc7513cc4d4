/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tables/table_priv.h"

/* Do the 4 * blocks words of 'w' match?  No branch inside a block. */
WEFT_ALWAYS_INLINE bool
rule_matches(const uint64_t *w, const uint64_t *mv, uint32_t n_words)
{
    const uint64_t *v = mv + n_words;

    for (uint32_t i = 0; i < n_words; i += 4) {
        uint64_t diff = ((w[i] & mv[i]) ^ v[i])
                        | ((w[i + 1] & mv[i + 1]) ^ v[i + 1])
                        | ((w[i + 2] & mv[i + 2]) ^ v[i + 2])
                        | ((w[i + 3] & mv[i + 3]) ^ v[i + 3]);

        if (diff)
            return false;
    }
    return true;
}

/* 'n_words' is a constant where it can be: the loops unroll. */
WEFT_ALWAYS_INLINE void
lookup(const struct tbl_linear *l, const struct flow_key *const keys[],
       unsigned n, struct tbl_rule *rules[], uint32_t n_words)
{
    uint32_t n_rules = l->n_rules;
    uint64_t w[FLOW_KEY_WORDS];

    for (unsigned i = 0; i < n; i++) {
        const uint64_t *mv = l->mv;
        uint32_t r;

        for (uint32_t k = 0; k < n_words; k++)
            w[k] = flow_key_word(keys[i], l->idx[k]);
        for (r = 0; r < n_rules; r++, mv += 2 * n_words)
            if (rule_matches(w, mv, n_words))
                break;
        rules[i] = r < n_rules ? l->rules[r] : NULL;
    }
}

void
tbl_linear_lookup(const struct tbl_linear *l,
                  const struct flow_key *const keys[], unsigned n,
                  struct tbl_rule *rules[])
{
    if (weft_likely(l->n_words == 4))
        lookup(l, keys, n, rules, 4);
    else
        lookup(l, keys, n, rules, l->n_words);
}
