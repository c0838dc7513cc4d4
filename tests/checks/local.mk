# Rules of the tree that a script can check.  Each has a test that it fails
# on a planted fault (test_checks.py).
CHECKS = \
	%D%/check-layers.sh \
	%D%/check-registry.sh \
	%D%/check-length.sh \
	%D%/check-manuals.sh \
	%D%/check-fast.sh \
	%D%/check-headers.sh \
	%D%/check-checks.sh
dist_check_SCRIPTS += $(CHECKS)
TESTS += $(CHECKS)
EXTRA_DIST += \
	%D%/check_fast.py \
	%D%/check_headers.py \
	%D%/check_layers.py \
	%D%/check_length.py \
	%D%/check_manuals.py \
	%D%/check_registry.py \
	%D%/test_checks.py \
	%D%/tree.py

# What the checks need to know of the build.
AM_TESTS_ENVIRONMENT = \
	PYTHON='$(PYTHON)'; export PYTHON; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	CC='$(CC)'; export CC; \
	HEADER_FLAGS='$(AM_CPPFLAGS) $(DPDK_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)'; \
	export HEADER_FLAGS;
