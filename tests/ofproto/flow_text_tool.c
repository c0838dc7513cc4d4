/* SPDX-License-Identifier: Apache-2.0 */
/* Reads flows, one a line, and prints them as Weft does; or prints random
 * ones.  For comparing with ovs-ofctl: see flow_text_ovs.py.
 *   flow_text_tool < FILE         normalised, "error: ..." for a refusal
 *   flow_text_tool N SEED         N random flows that ovs-ofctl knows too */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_text_random.h"
#include "ofproto/text/flow_text.h"

static void
print_flow(const struct flow_match *m, const struct dp_instr *in,
           uint16_t priority)
{
    struct base_str s = BASE_STR_INIT;

    base_str_addf(&s, "priority=%u", priority);
    base_str_add(&s, ",");
    ofp_text_add_match(&s, m);
    base_str_chomp(&s, ',');
    base_str_add(&s, " actions=");
    ofp_text_add_instr(&s, in);
    puts(base_str_cstr(&s));
    base_str_fini(&s);
}

int
main(int argc, char *argv[])
{
    static char line[OFP_TEXT_MAX + 2];

    if (argc == 3) {
        struct rnd r = { strtoull(argv[2], NULL, 0) };

        for (long n = atol(argv[1]); n > 0; n--) {
            struct random_flow f;

            random_flow(&r, &f, true);
            print_flow(&f.match, &f.instr, f.priority);
        }
        return 0;
    }
    while (fgets(line, sizeof line, stdin)) {
        struct ofp_flow_text f;
        struct weft_err e;

        line[strcspn(line, "\n")] = '\0';
        if (ofp_text_parse_flow(line, OFP_TEXT_FLOW, &f, &e)) {
            printf("error: %s\n", e.text);
            continue;
        }
        print_flow(&f.match, &f.instr, f.priority);
        ofp_flow_text_fini(&f);
    }
    return 0;
}
