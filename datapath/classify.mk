# Headers to key, compiled tables, flow cache, reference interpreter: plain C,
# no DPDK (but trace.c, which looks into the bridge).
libdatapath_a_SOURCES += \
	%D%/extract.h %D%/extract_fast.c %D%/extract_plain_fast.h \
	%D%/cache.h %D%/cache_priv.h %D%/cache.c %D%/cache_fast.c \
	%D%/hash_fast.h \
	%D%/tables/table.h %D%/tables/table_priv.h \
	%D%/tables/table.c %D%/tables/table_fast.c \
	%D%/tables/ht.c \
	%D%/tables/linear.c %D%/tables/linear_fast.c \
	%D%/tables/hash.c %D%/tables/hash_fast.c \
	%D%/tables/merged.c %D%/tables/merged_fast.c %D%/tables/plan.c \
	%D%/tables/cluster.c %D%/tables/tree.c %D%/tables/leaf.c \
	%D%/tables/node_fast.h \
	%D%/tables/staged_fast.c \
	%D%/interp.h %D%/interp_priv.h %D%/interp.c %D%/interp_ops.c \
	%D%/interp_meter.c \
	%D%/trace.c
