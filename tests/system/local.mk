# System tests: real kernels, real peers, in network namespaces of their own.
# They skip (77) without root or without the peer.  Not part of `make check`:
# they need root and minutes.
SYSTEM_TESTS = \
	%D%/test_aux.py \
	%D%/test_bad_input.py \
	%D%/test_bundles.py \
	%D%/test_conformance.py \
	%D%/test_conformance_cases.py \
	%D%/test_controller.py \
	%D%/test_groups.py \
	%D%/test_limits.py \
	%D%/test_meters.py \
	%D%/test_networks.py \
	%D%/test_openflow14.py \
	%D%/test_openflow15.py \
	%D%/test_openflow_tools.py \
	%D%/test_osken_groups.py \
	%D%/test_overlay_kernel.py \
	%D%/test_overlay_ovs.py \
	%D%/test_recovery.py \
	%D%/test_taps.py \
	%D%/test_trace.py \
	%D%/test_vectors_replay.py \
	%D%/test_weftctl_flows.py \
	%D%/test_weftctl_groups.py \
	%D%/test_weftctl_tables.py
EXTRA_DIST += \
	$(SYSTEM_TESTS) \
	%D%/lab.py \
	%D%/learning_switch.py \
	%D%/matrix.sh \
	%D%/osken_remote.py \
	%D%/run.sh \
	%D%/tcp_bytes.py

.PHONY: check-system
check-system: $(bin_PROGRAMS) $(sbin_PROGRAMS)
	top_builddir=. $(srcdir)/%D%/run.sh

# What forwards, with the fast path's helpers off, tiny or doubled.
.PHONY: check-matrix
check-matrix: $(bin_PROGRAMS) $(sbin_PROGRAMS) $(check_PROGRAMS)
	top_builddir=. $(srcdir)/%D%/matrix.sh

include %D%/ports.mk
include %D%/underlay.mk
