# SPDX-License-Identifier: Apache-2.0
# The underlay against the kernel; skips without root.
check_PROGRAMS += tests/system/underlay_kernel
TESTS += tests/system/underlay_kernel
tests_system_underlay_kernel_SOURCES = %D%/underlay_kernel.c
tests_system_underlay_kernel_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_system_underlay_kernel_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
