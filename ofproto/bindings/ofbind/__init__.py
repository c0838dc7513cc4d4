# SPDX-License-Identifier: Apache-2.0
"""ofbind: C bindings from OpenFlow wire descriptions."""
