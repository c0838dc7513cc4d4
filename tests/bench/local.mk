# Side-by-side benchmark: `make bench`, never part of `make check`.
EXTRA_PROGRAMS = tests/bench/ofblast
CLEANFILES += tests/bench/ofblast tests/bench/gen_plugin.so bench.json
tests_bench_ofblast_SOURCES = %D%/ofblast.c
EXTRA_DIST += \
	%D%/bench.py \
	%D%/bench_control.py \
	%D%/bench_peers.py \
	%D%/bench_rows.py \
	%D%/bench_rules.py \
	%D%/gen_plugin.c

# A plugin for EAL's -d: built by hand, automake knows no plain shared object.
tests/bench/gen_plugin.so: %D%/gen_plugin.c
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(CC) -O2 -march=native $(AM_CFLAGS) $(DPDK_CFLAGS) -shared \
	    -fPIC $(srcdir)/%D%/gen_plugin.c -o $@ $(DPDK_LIBS)

ROWS = A1 A2 B1 B3 B4 D1 D2 E1 E3 E4 G1 G2 G3 G4 G5 G7 G8 H2 T1
REPEAT = 3
BENCH_FLAGS =
.PHONY: bench
bench: tests/bench/gen_plugin.so tests/bench/ofblast $(bin_PROGRAMS) $(sbin_PROGRAMS)
	/usr/bin/python3 $(srcdir)/%D%/bench.py --build . --rows "$(ROWS)" \
	    --repeat $(REPEAT) $(BENCH_FLAGS)
include %D%/classify.mk
