# SPDX-License-Identifier: Apache-2.0
"""Pipelines of many tables, for rows C4, C5, E7 and the plot of tables."""


def pipeline(n_tables, pairs):
    """Rules of a pipeline of tables whose lookups look at different fields:
    admission by port, addresses, a routing table, an access list ... each
    sets metadata and goes on; the last one executes the action set."""
    rules = ["table=0,priority=1,in_port=1,actions=write_metadata:0x1/0xff,"
             "goto_table:1"]
    last = n_tables - 1
    for t in range(1, last):
        go = "goto_table:%d" % (t + 1)
        meta = "write_metadata:0x%x/0xff00," % (t << 8)
        kind = t % 5
        if kind == 0:
            own = ["udp,tp_src=%d" % (10000 + i) for i in range(0, 1024, 8)]
        elif kind == 1:
            own = ["ip,nw_src=10.1.%d.%d" % (i >> 8, i & 255)
                   for i in range(pairs)]
        elif kind == 2:
            own = ["ip,nw_dst=10.2.%d.0/%d" % (i >> 8, 24 + i % 8)
                   for i in range(0, pairs, 64)]
        elif kind == 3:
            own = ["dl_dst=02:00:00:00:00:%02x" % i for i in range(1, 64)]
        else:
            own = ["udp,nw_dst=10.2.0.0/16,tp_dst=%d" % (20000 + i)
                   for i in range(16)]
        rules += ["table=%d,priority=10,%s,actions=%s%s" % (t, m, meta, go)
                  for m in own]
        rules.append("table=%d,priority=0,actions=%s" % (t, go))
    rules.append("table=%d,priority=10,udp,actions="
                 "write_actions(output:2)" % last)
    return rules
