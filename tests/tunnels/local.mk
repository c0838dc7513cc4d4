# Tests of tests/tunnels/.
TNL_TESTS = \
	tests/tunnels/test_conformance \
	tests/tunnels/test_vxlan \
	tests/tunnels/test_nvgre \
	tests/tunnels/test_geneve \
	tests/tunnels/test_underlay_owned
check_PROGRAMS += $(TNL_TESTS)
TESTS += $(TNL_TESTS)

tests_tunnels_test_conformance_SOURCES = %D%/test_conformance.c
tests_tunnels_test_conformance_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_tunnels_test_conformance_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
tests_tunnels_test_vxlan_SOURCES = %D%/test_vxlan.c
tests_tunnels_test_vxlan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_tunnels_test_vxlan_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
tests_tunnels_test_nvgre_SOURCES = %D%/test_nvgre.c
tests_tunnels_test_nvgre_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_tunnels_test_nvgre_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
tests_tunnels_test_geneve_SOURCES = %D%/test_geneve.c
tests_tunnels_test_geneve_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_tunnels_test_geneve_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
tests_tunnels_test_underlay_owned_SOURCES = %D%/test_underlay_owned.c
tests_tunnels_test_underlay_owned_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_tunnels_test_underlay_owned_LDADD = $(TNL_LIBS) $(CHECK_LIBS)
