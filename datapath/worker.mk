# Workers, programs, bridges, ports as objects, rules, EAL.
libdatapath_a_SOURCES += \
	%D%/dp_meter.c %D%/meter.h \
	%D%/dp_queue.c %D%/queue.h %D%/queue_fast.c \
	%D%/dp.c %D%/dp_priv.h %D%/dp_bridge.c %D%/dp_packet.c \
	%D%/dp_act.c %D%/dp_group.c %D%/group.h \
	%D%/group_slots.c %D%/group_slots.h %D%/dp_port.c \
	%D%/dp_rule.c %D%/dp_txn.c %D%/dp_uplink.c \
	%D%/stage_fast.h \
	%D%/eal.c %D%/eal.h %D%/rcu.c %D%/rcu.h \
	%D%/link_watch.c %D%/link_watch.h \
	%D%/mac.c %D%/mac.h %D%/mac_fast.c \
	%D%/peers.c %D%/peers.h \
	%D%/prog.h %D%/prog_fast.c %D%/walk_fast.c \
	%D%/arena.c %D%/arena.h %D%/chlog.c %D%/chlog.h %D%/balance.c \
	%D%/tally.c %D%/tally.h %D%/tally_fast.c \
	%D%/worker.c %D%/worker.h %D%/worker_fast.c %D%/run_fast.c \
	%D%/tx_fast.c \
	%D%/ops/controller_fast.c %D%/ops/copy_field_fast.c \
	%D%/ops/egress_fast.c %D%/ops/group_fast.c \
	%D%/ops/mpls_fast.c \
	%D%/ops/normal_fast.c %D%/ops/output_fast.c %D%/ops/pbb_fast.c \
	%D%/ops/meter_fast.c \
	%D%/ops/queue_fast.c %D%/ops/rewrite.h %D%/ops/rewrite_fast.c \
	%D%/ops/set_field_fast.c %D%/ops/ttl_fast.c %D%/ops/vlan_fast.c
