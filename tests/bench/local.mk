# Side-by-side benchmark: `make bench`, never part of `make check`.
EXTRA_PROGRAMS = tests/bench/ofblast
CLEANFILES += tests/bench/ofblast tests/bench/gen_plugin.so
tests_bench_ofblast_SOURCES = \
	%D%/ofblast.c \
	%D%/ofblast.h \
	%D%/ofblast_conn.c \
	%D%/ofblast_wire.c
tests_bench_ofblast_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
tests_bench_ofblast_LDADD = $(SSL_LIBS)
BENCH_FILES = \
	%D%/bench.py \
	%D%/bench_control.py \
	%D%/bench_history.py \
	%D%/bench_latency.py \
	%D%/bench_memory.py \
	%D%/bench_ovs.py \
	%D%/bench_peers.py \
	%D%/bench_pipelines.py \
	%D%/bench_report.py \
	%D%/bench_rows.py \
	%D%/bench_rules.py \
	%D%/bench_run.py \
	%D%/bench_svg.py \
	%D%/bench_taps.py \
	%D%/bench_testpmd.py \
	%D%/bench_weft.py
GEN_FILES = \
	%D%/gen_frames.c \
	%D%/gen_plugin.c \
	%D%/gen_rx.c \
	%D%/gen_tx.c
dist_check_SCRIPTS += %D%/test_bench.py
TESTS += %D%/test_bench.py
EXTRA_DIST += $(BENCH_FILES) $(GEN_FILES) %D%/gen.h

# A plugin for EAL's -d: built by hand, automake knows no plain shared object.
tests/bench/gen_plugin.so: $(GEN_FILES) %D%/gen.h
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(CC) -O2 -march=native $(AM_CFLAGS) $(DPDK_CFLAGS) -shared \
	    -fPIC $(filter %.c,$^) -o $@ $(DPDK_LIBS)

ROWS = all
REPEAT = 3
BENCH_FLAGS =
.PHONY: bench
bench: tests/bench/gen_plugin.so tests/bench/ofblast $(bin_PROGRAMS) $(sbin_PROGRAMS)
	/usr/bin/python3 $(srcdir)/%D%/bench.py --build . --rows "$(ROWS)" \
	    --repeat $(REPEAT) $(BENCH_FLAGS)

# docs/performance/ from the committed history.
PERFORMANCE = docs/performance
EXTRA_DIST += \
	$(PERFORMANCE)/README.md \
	$(PERFORMANCE)/flows.svg \
	$(PERFORMANCE)/history.jsonl \
	$(PERFORMANCE)/remarks.md \
	$(PERFORMANCE)/tables.svg
.PHONY: bench-report
bench-report:
	/usr/bin/python3 $(srcdir)/%D%/bench_report.py \
	    --history $(srcdir)/$(PERFORMANCE)/history.jsonl \
	    --out $(srcdir)/$(PERFORMANCE)
include %D%/classify.mk
