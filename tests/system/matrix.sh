#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tests of what forwards, once per variant of the fast path: whatever the
# flow cache keeps, however many threads there are, packets go the same way.
# Prints one line per variant and one for all.
# usage: top_builddir=BUILD tests/system/matrix.sh [VARIANT...]
here=$(cd "$(dirname "$0")" && pwd)
export top_builddir=${top_builddir:-.}

# Variant, number of cached flows in unit tests, arguments of every weftd.
VARIANTS="
cache-off   1   --cache=1
cache-16    16  --cache=16
two-workers 0   --workers=0,1
no-log      0   --no-change-log
"
UNIT_TESTS="test_dp test_dp_ops test_dp_tunnel test_dp_txn test_egress
    test_group test_meter test_queue"
SYSTEM_TESTS="test_bundles test_groups test_meters test_openflow_tools
    test_overlay_kernel test_taps test_trace test_weftctl_groups"

failed_variants=0 n_variants=0

unit_tests() {
    local t failed=0
    for t in $UNIT_TESTS; do
        if "$top_builddir/tests/datapath/$t" >"$logs/$t.log" 2>&1; then
            passed=$((passed + 1))
        else
            echo "FAIL: $t, log: $logs/$t.log"
            failed=1
        fi
    done
    return $failed
}

# variant NAME CACHE WEFTD_ARGS
variant() {
    local started=$SECONDS passed=0 result=PASS line tests=()
    local logs=$top_builddir/tests/system/matrix-$1
    mkdir -p "$logs"
    for t in $SYSTEM_TESTS; do tests+=("$here/$t.py"); done
    [[ $3 != *--no-change-log* ]] || local -x WEFT_TEST_NO_CHANGE_LOG=1
    WEFT_TEST_CACHE=$2 unit_tests || result=FAIL
    WEFTD_ARGS=$3 "$here/run.sh" "${tests[@]}" >"$logs/system.out" \
        || result=FAIL
    line=$(grep '^system: ' "$logs/system.out")
    [[ $line == *" 0 skipped" ]] || result=FAIL
    [ $result = PASS ] || sed 's/^/    /' "$logs/system.out"
    echo "$result: $1: $passed unit tests passed, ${line:-no system tests} ($((SECONDS - started)) s)"
    n_variants=$((n_variants + 1))
    [ $result = PASS ] || failed_variants=$((failed_variants + 1))
}

while read -r name cache args; do
    [ -n "$name" ] || continue
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    variant "$name" "$cache" "$args" </dev/null
done <<<"$VARIANTS"
echo "matrix: $((n_variants - failed_variants)) passed, $failed_variants failed"
[ $failed_variants = 0 ] && [ $n_variants -gt 0 ]
