#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the system tests given (all by default) against the build in
# $top_builddir and prints one line per test and one for the suite.
# usage: top_builddir=BUILD tests/system/run.sh [TEST.py...]
here=$(cd "$(dirname "$0")" && pwd)
export top_builddir=${top_builddir:-.}
[ -x "$top_builddir/weftd" ] || { echo "run.sh: no weftd in $top_builddir: build first, or set top_builddir" >&2; exit 2; }
logs=$top_builddir/tests/system
mkdir -p "$logs"
passed=0 failed=0 skipped=0
[ $# -gt 0 ] || set -- "$here"/test_*.py
for test in "$@"; do
    name=$(basename "$test" .py)
    started=$SECONDS
    PYTHONDONTWRITEBYTECODE=1 timeout 600 "$test" >"$logs/$name.log" 2>&1 </dev/null
    case $? in
    0) result=PASS passed=$((passed + 1)) ;;
    77) result=SKIP skipped=$((skipped + 1)) ;;
    *) result=FAIL failed=$((failed + 1)) ;;
    esac
    echo "$result: $name ($((SECONDS - started)) s)"
    case $result in
    FAIL) grep -E '^(ERROR|FAIL|AssertionError|Ran )' "$logs/$name.log" | sed 's/^/      /'
          echo "      log: $logs/$name.log" ;;
    SKIP) tail -n 1 "$logs/$name.log" | sed 's/^/      /' ;;
    esac
done
echo "system: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
