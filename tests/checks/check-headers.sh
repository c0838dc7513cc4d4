#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
[ "$PYTHON" != : ] || { echo "python3 not found: skipped"; exit 77; }
# CC and HEADER_FLAGS are lists of words.
# shellcheck disable=SC2086
exec "$PYTHON" "$srcdir/tests/checks/check_headers.py" "$srcdir" $CC $HEADER_FLAGS
