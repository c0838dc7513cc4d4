#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
[ "$PYTHON" != : ] || { echo "python3 not found: skipped"; exit 77; }
exec "$PYTHON" "$srcdir/tests/checks/check_manuals.py" "$srcdir"
