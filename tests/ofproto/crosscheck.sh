#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Test vectors against ovs-ofctl, os-ken and pyof: see crosscheck.py.
[ "$PYTHON" != : ] || { echo "python3 not found: skipped"; exit 77; }
here=$(dirname "$0")
exec "${PYTHON:-python3}" "$here/crosscheck.py" "$here/vectors"
