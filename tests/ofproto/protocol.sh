#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Protocol descriptions against hand-written tables: see protocol.py.
[ "$PYTHON" != : ] || { echo "python3 not found: skipped"; exit 77; }
here=$(dirname "$0")
exec "${PYTHON:-python3}" "$here/protocol.py" "$here/../.."
