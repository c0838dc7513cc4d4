#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to every test passed.
#
#   unit        make check, gcc, warnings are errors
#   sanitizers  make check, clang with AddressSanitizer and UBSan: unit tests
#               and the replay of the fuzz corpora
#   system      real kernels and peers in network namespaces (tests/system)
#   matrix      what forwards, without the flow cache, with a tiny one, with
#               two workers (tests/system/matrix.sh)
#   quickstart  the README's first command, as a user runs it
#
# usage: sudo ./runtests.sh [SUITE...]      all suites without an argument
# Ends with one line per suite and the totals; exit 1 if anything failed.
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=utils/setup/setup.sh
. utils/setup/setup.sh

GCC_BUILD=$PWD/build
SAN_BUILD=$PWD/build-sanitizers
total_passed=0 total_failed=0 total_skipped=0
lines=()

# count SUITE PASSED FAILED SKIPPED
count() {
    lines+=("$(printf '%-11s %d passed, %d failed, %d skipped' "$1:" "$2" "$3" "$4")")
    total_passed=$((total_passed + $2))
    total_failed=$((total_failed + $3))
    total_skipped=$((total_skipped + $4))
}

# make_check SUITE BUILD: automake's own summary is what is counted.
make_check() {
    local out=$2/check.out
    make -C "$2" -j"$(nproc)" -k check >"$out" 2>&1
    local status=$?
    grep -E '^(FAIL|ERROR): ' "$out" | sort -u | sed 's/^/    /'
    local p f e s
    p=$(awk '/^# PASS:/ {n += $3} END {print n + 0}' "$out")
    f=$(awk '/^# FAIL:/ {n += $3} END {print n + 0}' "$out")
    e=$(awk '/^# ERROR:/ {n += $3} END {print n + 0}' "$out")
    s=$(awk '/^# SKIP:/ {n += $3} END {print n + 0}' "$out")
    if [ $status != 0 ] && [ $((f + e)) = 0 ]; then
        note "make check stopped: see $out"
        tail -n 12 "$out"
        f=1
    fi
    count "$1" "$p" $((f + e)) "$s"
}

suite_unit() {
    say "Unit tests (gcc, warnings are errors)"
    make_check unit "$GCC_BUILD"
}

suite_sanitizers() {
    say "Unit tests and fuzz corpora under AddressSanitizer and UBSan (clang)"
    build_tree "$SAN_BUILD" --enable-sanitizers --enable-werror CC=clang \
        CFLAGS="-O1 -g"
    make_check sanitizers "$SAN_BUILD"
}

suite_system() {
    say "System tests: real kernels and peers"
    local out=$GCC_BUILD/system.out line
    top_builddir=$GCC_BUILD tests/system/run.sh | tee "$out"
    line=$(grep '^system: ' "$out")
    # shellcheck disable=SC2086
    set -- ${line//[!0-9]/ }
    count system "${1:-0}" "${2:-1}" "${3:-0}"
}

suite_matrix() {
    say "What forwards, in the variants of the fast path"
    local out=$GCC_BUILD/matrix.out line
    top_builddir=$GCC_BUILD tests/system/matrix.sh | tee "$out"
    line=$(grep '^matrix: ' "$out")
    # shellcheck disable=SC2086
    set -- ${line//[!0-9]/ }
    count matrix "${1:-0}" "${2:-1}" 0
}

suite_quickstart() {
    say "Quickstart, as a user runs it"
    if ./quickstart.sh >"$GCC_BUILD/quickstart.out" 2>&1; then
        count quickstart 1 0 0
    else
        tail -n 15 "$GCC_BUILD/quickstart.out"
        count quickstart 0 1 0
    fi
}

suites=${*:-unit system matrix quickstart sanitizers}
for s in $suites; do
    declare -F "suite_$s" >/dev/null \
        || fail "no suite '$s': there are unit, system, matrix, quickstart, sanitizers"
done
need_root
SETUP_LOG=$(mktemp /tmp/weft-setup.XXXXXX)
say "Packages"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $RUN_PACKAGES $TEST_PACKAGES
check_kernel
say "Build (gcc, warnings are errors; log: build/build.log)"
build_tree "$GCC_BUILD" --enable-werror
for s in $suites; do "suite_$s"; done
rm -f "$SETUP_LOG"

say "Results"
printf '    %s\n' "${lines[@]}"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ $total_failed = 0 ] && [ $total_passed -gt 0 ]
