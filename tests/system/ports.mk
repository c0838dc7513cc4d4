# SPDX-License-Identifier: Apache-2.0
# Ports against the kernel; each script skips without root.
check_PROGRAMS += tests/system/port_forward
tests_system_port_forward_SOURCES = %D%/port_forward.c
tests_system_port_forward_CFLAGS = $(AM_CFLAGS) $(DPDK_CFLAGS)
tests_system_port_forward_LDADD = $(DP_LIBS)
TESTS += tests/system/ports_tap.py
dist_check_SCRIPTS += %D%/ports_tap.py
EXTRA_DIST += %D%/ports_env.py
