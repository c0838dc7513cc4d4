# SPDX-License-Identifier: Apache-2.0
# Ports against the kernel, joined by a small forwarder instead of weftd.
check_PROGRAMS += tests/system/port_forward
tests_system_port_forward_SOURCES = %D%/port_forward.c
tests_system_port_forward_CFLAGS = $(AM_CFLAGS) $(DPDK_CFLAGS)
tests_system_port_forward_LDADD = $(DP_LIBS)

SYSTEM_TESTS += \
	%D%/test_ports_netdev.py \
	%D%/test_ports_tap.py \
	%D%/test_ports_uplink.py
EXTRA_DIST += %D%/ports_env.py
check-system: tests/system/port_forward
