#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Flow text against ovs-ofctl: see flow_text_ovs.py.
here=$(dirname "$0")
[ "$PYTHON" != : ] || { echo "python3 not found: skipped"; exit 77; }
exec "${PYTHON:-python3}" "$here/flow_text_ovs.py" tests/ofproto/flow_text_tool
