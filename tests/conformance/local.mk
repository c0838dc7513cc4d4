# OpenFlow cases of others and our own against Weft and Open vSwitch:
# `make conformance CASES=DIR`, as root.  target-*.sh start and stop a switch
# under test; foreign suites use them too.
EXTRA_DIST += \
	%D%/README.md \
	%D%/bed.py \
	%D%/cases.py \
	%D%/conform.py \
	%D%/runner.py \
	%D%/target-ovs.sh \
	%D%/target-weft.sh \
	%D%/wire.py

CASES = $(srcdir)/%D%/cases
CONFORMANCE_FLAGS =
.PHONY: conformance
conformance: $(bin_PROGRAMS) $(sbin_PROGRAMS)
	WEFT_BUILD=. $(srcdir)/%D%/conform.py $(CONFORMANCE_FLAGS) $(CASES)
