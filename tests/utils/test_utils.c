/* SPDX-License-Identifier: Apache-2.0 */
/* Suite "utils": the parts of weftd and weft-dump that need no datapath. */
#include <stdlib.h>

#include "suite_utils.h"
#include "utils/base/log.h"

int
main(void)
{
    Suite *s = suite_create("utils");

    base_log_set_level(BASE_LOG_ERR);
    suite_add_filter(s);
    suite_add_items(s);
    suite_add_jw(s);
    suite_add_model(s);
    suite_add_rpc_scan(s);
    suite_add_state(s);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
