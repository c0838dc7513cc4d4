/* SPDX-License-Identifier: Apache-2.0 */
/* Registry, options, and the port types that need no root: pcap and dpdk. */
#include "datapath/port.h"

#include <check.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/ports/common/port_opt.h"
#include "tests/datapath/test_eal.h"

static struct port_env env;
static char dir[] = "/tmp/weft-test-ports-XXXXXX";
static char in_path[64], out_path[64];

static void
setup(void)
{
    test_eal_init();
    env.pool = rte_pktmbuf_pool_create("pool", 4095, 0, 0,
                                       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    env.big_pool = rte_pktmbuf_pool_create("big", 15, 0, 0, 65535, 0);
    ck_assert_ptr_nonnull(env.pool);
    ck_assert_ptr_nonnull(env.big_pool);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(in_path, sizeof in_path, "%s/in.pcap", dir);
    snprintf(out_path, sizeof out_path, "%s/out.pcap", dir);
}

static void
teardown(void)
{
    unlink(in_path);
    unlink(out_path);
    rmdir(dir);
    rte_mempool_free(env.pool);
    rte_mempool_free(env.big_pool);
    rte_eal_cleanup();
}

static int
port_try(struct port *p, const char *type, const struct dp_option *opts,
         size_t n, struct weft_err *e)
{
    memset(p, 0, sizeof *p);
    p->ops = port_type_by_name(type);
    ck_assert_ptr_nonnull(p->ops);
    snprintf(p->name, sizeof p->name, "p0");
    return p->ops->open(p, &env, opts, n, e);
}

static void
port_must(struct port *p, const char *type, const struct dp_option *opts,
          size_t n)
{
    struct weft_err e = { "" };

    ck_assert_msg(port_try(p, type, opts, n, &e) == 0, "%s", e.text);
}

static void
assert_refused(const char *type, const struct dp_option *opts, size_t n,
               int err, const char *says)
{
    struct port p;
    struct weft_err e = { "" };

    ck_assert_int_eq(port_try(&p, type, opts, n, &e), err);
    ck_assert_msg(strstr(e.text, says) != NULL, "\"%s\" lacks \"%s\"", e.text,
                  says);
    ck_assert_ptr_null(p.priv);
}

/* A frame whose bytes tell its number and length. */
static void
fill(uint8_t *f, unsigned len, unsigned number)
{
    for (unsigned i = 0; i < len; i++)
        f[i] = (uint8_t) (i + number * 17 + (i >> 8));
}

static const unsigned lengths[] = { 14, 60, 1514, 2048, 2049, 9014, 65000 };
#define N_FRAMES WEFT_ARRAY_LEN(lengths)

static void
write_capture(int link_type)
{
    static uint8_t f[65536];
    pcap_t *dead = pcap_open_dead(link_type, 262144);
    pcap_dumper_t *d = pcap_dump_open(dead, in_path);
    struct pcap_pkthdr h = { .len = 0 };

    ck_assert_ptr_nonnull(d);
    for (unsigned i = 0; i < N_FRAMES; i++) {
        fill(f, lengths[i], i);
        h.len = h.caplen = lengths[i];
        pcap_dump((u_char *) d, &h, f);
    }
    pcap_dump_close(d);
    pcap_close(dead);
}

static void
assert_frame(const struct rte_mbuf *m, unsigned number)
{
    static uint8_t want[65536], got[65536];
    unsigned len = lengths[number];

    ck_assert_uint_eq(m->pkt_len, len);
    fill(want, len, number);
    ck_assert_mem_eq(rte_pktmbuf_read(m, 0, len, got), want, len);
    ck_assert_uint_ge(m->data_len, WEFT_MIN(len, 256));
    ck_assert_uint_ge(rte_pktmbuf_headroom(m), PORT_HEADROOM);
}

static bool
readable(int fd)
{
    struct pollfd pf = { fd, POLLIN, 0 };

    return poll(&pf, 1, 0) == 1;
}

/* ------------------------------------------------------------ registry */

START_TEST(test_registry_every_listed_type_is_complete)
{
    for (unsigned i = 0; port_type_by_index(i); i++) {
        const struct port_ops *ops = port_type_by_index(i);

        ck_assert_ptr_eq(port_type_by_name(ops->name), ops);
        ck_assert(ops->as_port || ops->as_uplink);
        ck_assert(!ops->as_uplink || ops->set_filter);
        ck_assert(ops->open && ops->close && ops->set && ops->get);
        ck_assert(ops->rx_burst && ops->tx_burst);
        for (const struct tnl_option *o = ops->options; o->name; o++)
            ck_assert(o->dflt && o->help);
    }
    ck_assert_ptr_nonnull(port_type_by_index(0));
}
END_TEST

START_TEST(test_registry_unknown_name_is_null)
{
    ck_assert_ptr_null(port_type_by_name("token-ring"));
    ck_assert_ptr_null(port_type_by_index(1000));
}
END_TEST

START_TEST(test_port_open_unknown_option_is_refused_by_every_type)
{
    const struct dp_option o = { "colour", "blue" };

    for (unsigned i = 0; port_type_by_index(i); i++)
        assert_refused(port_type_by_index(i)->name, &o, 1, -EINVAL,
                       "no option colour");
}
END_TEST

START_TEST(test_port_set_unknown_option_is_enoent)
{
    const struct dp_option o = { "tx", out_path };
    struct port p;

    port_must(&p, "pcap", &o, 1);
    ck_assert_int_eq(p.ops->set(&p, "colour", "blue", NULL), -ENOENT);
    ck_assert_int_eq(p.ops->set(&p, "tx", "other", NULL), -EOPNOTSUPP);
    p.ops->close(&p);
}
END_TEST

START_TEST(test_port_options_bad_values_are_refused)
{
    struct port p = { .name = "p0" };
    uint8_t mac[6];
    uint16_t mtu = 7;
    bool yes = false;

    ck_assert_int_eq(port_opt_mtu(&p, "67", &mtu, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_mtu(&p, "65001", &mtu, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_mtu(&p, "1500x", &mtu, NULL), -EINVAL);
    ck_assert_uint_eq(mtu, 7);
    ck_assert_int_eq(port_opt_mtu(&p, "68", &mtu, NULL), 0);
    ck_assert_uint_eq(mtu, 68);
    ck_assert_int_eq(port_opt_mac(&p, "01:00:00:00:00:01", mac, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_mac(&p, "00:00:00:00:00:00", mac, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_mac(&p, "02:00:00:00:00", mac, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_mac(&p, "02:00:00:00:00:01", mac, NULL), 0);
    ck_assert_int_eq(port_opt_bool(&p, "loop", "maybe", &yes, NULL), -EINVAL);
    ck_assert_int_eq(port_opt_bool(&p, "loop", "yes", &yes, NULL), 0);
    ck_assert(yes);
}
END_TEST

/* ---------------------------------------------------------------- pcap */

START_TEST(test_pcap_rx_each_packet_is_received_once)
{
    const struct dp_option o = { "rx", in_path };
    struct rte_mbuf *m[PORT_BURST];
    struct port p;

    write_capture(DLT_EN10MB);
    port_must(&p, "pcap", &o, 1);
    ck_assert(readable(p.rx_fd));
    ck_assert_uint_eq(p.ops->rx_burst(&p, m, 3), 3);
    ck_assert(readable(p.rx_fd));
    ck_assert_uint_eq(p.ops->rx_burst(&p, m + 3, PORT_BURST - 3),
                      N_FRAMES - 3);
    for (unsigned i = 0; i < N_FRAMES; i++)
        assert_frame(m[i], i);
    rte_pktmbuf_free_bulk(m, N_FRAMES);
    ck_assert_uint_eq(p.ops->rx_burst(&p, m, PORT_BURST), 0);
    ck_assert(!readable(p.rx_fd)); /* The worker may sleep. */
    p.ops->close(&p);
    ck_assert_uint_eq(rte_mempool_in_use_count(env.big_pool), 0);
}
END_TEST

START_TEST(test_pcap_rx_loop_starts_again)
{
    const struct dp_option o[] = { { "rx", in_path }, { "loop", "yes" } };
    struct rte_mbuf *m[PORT_BURST];
    struct port p;

    write_capture(DLT_EN10MB);
    port_must(&p, "pcap", o, 2);
    ck_assert_uint_eq(p.ops->rx_burst(&p, m, 2 * N_FRAMES), 2 * N_FRAMES);
    for (unsigned i = 0; i < 2 * N_FRAMES; i++)
        assert_frame(m[i], i % N_FRAMES);
    rte_pktmbuf_free_bulk(m, 2 * N_FRAMES);
    ck_assert(readable(p.rx_fd));
    p.ops->close(&p);
}
END_TEST

START_TEST(test_pcap_rx_without_big_buffers_counts_and_goes_on)
{
    const struct dp_option o = { "rx", in_path };
    struct rte_mempool *big = env.big_pool;
    struct rte_mbuf *m[PORT_BURST];
    struct port p;

    write_capture(DLT_EN10MB);
    env.big_pool = NULL;
    port_must(&p, "pcap", &o, 1);
    env.big_pool = big;
    ck_assert_uint_eq(p.ops->rx_burst(&p, m, PORT_BURST), 4);
    ck_assert_uint_eq(p.rx_no_buffer, N_FRAMES - 4);
    rte_pktmbuf_free_bulk(m, 4);
    p.ops->close(&p);
}
END_TEST

START_TEST(test_pcap_rx_truncated_file_ends_with_reason)
{
    const struct dp_option o = { "rx", in_path };
    struct rte_mbuf *m[PORT_BURST];
    struct port p;

    write_capture(DLT_EN10MB);
    ck_assert_int_eq(truncate(in_path, 24 + 16 + 14 + 16 + 59), 0);
    port_must(&p, "pcap", &o, 1);
    ck_assert_uint_eq(p.ops->rx_burst(&p, m, PORT_BURST), 1);
    rte_pktmbuf_free(m[0]);
    ck_assert_uint_eq(p.rx_errors, 1);
    p.ops->poll_state(&p);
    ck_assert_ptr_nonnull(strstr(p.status, "rx ended"));
    ck_assert(!readable(p.rx_fd));
    p.ops->close(&p);
}
END_TEST

START_TEST(test_pcap_open_bad_files_are_refused)
{
    struct dp_option o = { "rx", "/nonexistent/x.pcap" };

    assert_refused("pcap", &o, 1, -EINVAL, "/nonexistent/x.pcap");
    assert_refused("pcap", NULL, 0, -EINVAL, "needs rx=FILE");
    write_capture(DLT_RAW);
    o.value = in_path;
    assert_refused("pcap", &o, 1, -EINVAL, "not Ethernet");
    o.name = "tx";
    o.value = "/nonexistent/y.pcap";
    assert_refused("pcap", &o, 1, -EIO, "/nonexistent/y.pcap");
}
END_TEST

START_TEST(test_pcap_tx_recording_holds_what_was_sent)
{
    const struct dp_option in = { "rx", in_path }, out = { "tx", out_path };
    struct rte_mbuf *m[PORT_BURST];
    char reason[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *h;
    const u_char *data;
    struct port rx, tx;
    pcap_t *file;

    write_capture(DLT_EN10MB);
    port_must(&rx, "pcap", &in, 1);
    port_must(&tx, "pcap", &out, 1);
    ck_assert_uint_eq(rx.ops->rx_burst(&rx, m, PORT_BURST), N_FRAMES);
    ck_assert_uint_eq(tx.ops->tx_burst(&tx, m, N_FRAMES), N_FRAMES);
    ck_assert_uint_eq(rte_mempool_in_use_count(env.pool), 0);
    /* Read while the port is still open: the burst is in the file. */
    file = pcap_open_offline(out_path, reason);
    ck_assert_msg(file != NULL, "%s", reason);
    for (unsigned i = 0; i < N_FRAMES; i++) {
        static uint8_t want[65536];

        ck_assert_int_eq(pcap_next_ex(file, &h, &data), 1);
        ck_assert_uint_eq(h->len, lengths[i]);
        fill(want, lengths[i], i);
        ck_assert_mem_eq(data, want, lengths[i]);
        ck_assert_int_gt(h->ts.tv_sec, 1600000000);
    }
    ck_assert_int_eq(pcap_next_ex(file, &h, &data), PCAP_ERROR_BREAK);
    pcap_close(file);
    rx.ops->close(&rx);
    tx.ops->close(&tx);
}
END_TEST

/* ---------------------------------------------------------------- dpdk */

START_TEST(test_dpdk_ring_carries_frames_back)
{
    const struct dp_option o = { "devargs", "net_ring0" };
    struct rte_mbuf *m[4], *back[PORT_BURST];
    struct port p;

    port_must(&p, "dpdk", &o, 1);
    ck_assert_int_eq(p.rx_fd, -1);
    ck_assert(p.link_up);
    ck_assert_str_eq(p.mode, "dpdk");
    ck_assert_uint_eq(p.mtu, 1500);
    for (int i = 0; i < 4; i++) {
        m[i] = rte_pktmbuf_alloc(env.pool);
        fill((uint8_t *) rte_pktmbuf_append(m[i], 60), 60, (unsigned) i);
    }
    ck_assert_uint_eq(p.ops->tx_burst(&p, m, 4), 4);
    ck_assert_uint_eq(p.ops->rx_burst(&p, back, PORT_BURST), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_eq(back[i], m[i]);
    rte_pktmbuf_free_bulk(back, 4);
    p.ops->close(&p);
}
END_TEST

START_TEST(test_dpdk_device_is_free_again_after_close)
{
    const struct dp_option o[] = { { "devargs", "net_null7,size=128" },
                                   { "mtu", "1400" } };
    struct rte_mbuf *m[PORT_BURST];

    for (int i = 0; i < 3; i++) {
        struct port p;

        port_must(&p, "dpdk", o, 1);
        ck_assert_uint_eq(p.ops->rx_burst(&p, m, PORT_BURST), PORT_BURST);
        ck_assert_uint_eq(m[0]->pkt_len, 128);
        ck_assert_uint_eq(p.ops->tx_burst(&p, m, PORT_BURST), PORT_BURST);
        assert_refused("dpdk", o, 1, -EEXIST, "in use");
        p.ops->close(&p);
    }
    ck_assert_uint_eq(rte_mempool_in_use_count(env.pool), 0);
}
END_TEST

START_TEST(test_dpdk_open_bad_devargs_say_why)
{
    struct dp_option o = { "devargs", "net_nosuch0" };

    assert_refused("dpdk", NULL, 0, -EINVAL, "needs devargs=");
    assert_refused("dpdk", &o, 1, -EFAULT, "failed to parse device");
    o.value = "net_pcap0,rx_pcap=/nonexistent.pcap";
    /* The driver's own words. */
    assert_refused("dpdk", &o, 1, -EIO, "/nonexistent.pcap");
}
END_TEST

static Suite *
ports_suite(void)
{
    Suite *s = suite_create("datapath");
    TCase *c = tcase_create("ports");

    tcase_add_unchecked_fixture(c, setup, teardown);
    tcase_add_test(c, test_registry_every_listed_type_is_complete);
    tcase_add_test(c, test_registry_unknown_name_is_null);
    tcase_add_test(c, test_port_open_unknown_option_is_refused_by_every_type);
    tcase_add_test(c, test_port_set_unknown_option_is_enoent);
    tcase_add_test(c, test_port_options_bad_values_are_refused);
    tcase_add_test(c, test_pcap_rx_each_packet_is_received_once);
    tcase_add_test(c, test_pcap_rx_loop_starts_again);
    tcase_add_test(c, test_pcap_rx_without_big_buffers_counts_and_goes_on);
    tcase_add_test(c, test_pcap_rx_truncated_file_ends_with_reason);
    tcase_add_test(c, test_pcap_open_bad_files_are_refused);
    tcase_add_test(c, test_pcap_tx_recording_holds_what_was_sent);
    tcase_add_test(c, test_dpdk_ring_carries_frames_back);
    tcase_add_test(c, test_dpdk_device_is_free_again_after_close);
    tcase_add_test(c, test_dpdk_open_bad_devargs_say_why);
    suite_add_tcase(s, c);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(ports_suite());
    int failed;

    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
