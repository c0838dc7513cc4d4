# Extraction, cache and tables alone: `make bench-classify`.
EXTRA_PROGRAMS += tests/bench/bench_classify
CLEANFILES += tests/bench/bench_classify
tests_bench_bench_classify_SOURCES = %D%/bench_classify.c
tests_bench_bench_classify_LDADD = libdatapath.a $(BASE_LIBS)
.PHONY: bench-classify
bench-classify: tests/bench/bench_classify
	tests/bench/bench_classify

# The worker's loop alone: `make bench-loop`.
EXTRA_PROGRAMS += tests/bench/bench_loop
CLEANFILES += tests/bench/bench_loop
tests_bench_bench_loop_SOURCES = %D%/bench_loop.c $(BED_SOURCES)
tests_bench_bench_loop_CFLAGS = $(DP_TEST_CFLAGS)
tests_bench_bench_loop_LDADD = $(DP_LIBS) $(CHECK_LIBS)
.PHONY: bench-loop
bench-loop: tests/bench/bench_loop
	tests/bench/bench_loop $(ROWS_LOOP)
