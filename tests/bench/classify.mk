# Extraction, cache and tables alone: `make bench-classify`.
EXTRA_PROGRAMS += tests/bench/bench_classify
CLEANFILES += tests/bench/bench_classify
tests_bench_bench_classify_SOURCES = %D%/bench_classify.c
tests_bench_bench_classify_LDADD = libdatapath.a $(BASE_LIBS)
.PHONY: bench-classify
bench-classify: tests/bench/bench_classify
	tests/bench/bench_classify
