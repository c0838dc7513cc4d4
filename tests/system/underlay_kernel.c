/* SPDX-License-Identifier: Apache-2.0 */
/* The underlay against the kernel's own tables; needs root, else skips (77).
 *
 *     this process' namespace          a child's namespace
 *     ulk0 192.0.2.1/24  <── veth ──>  ulk1 192.0.2.2/24
 *     ulk9 (no uplink)   <── veth ──>  ulk8
 *
 * Both namespaces have no name and go with their processes. */
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tunnels/underlay/underlay.h"
#include "utils/base/addr.h"
#include "utils/base/clock.h"
#include "weft/be.h"

#define WAIT_NS UINT64_C(8000000000)

static const uint8_t nobody[6];

static struct underlay *u;
static pid_t peer;

/* What is known of one remote, and of the uplink's addresses. */
static struct {
    enum { NOTHING, SET, DEL } told;
    struct tnl_nexthop nh;
    unsigned times;
} answer;
static be32 wanted;
static be32 addrs[16];
static size_t n_addrs;

static void
on_set(void *arg, be32 remote, const struct tnl_nexthop *nh)
{
    (void) arg;
    if (remote != wanted)
        return;
    answer.told = SET;
    answer.nh = *nh;
    answer.times++;
}

static void
on_del(void *arg, be32 remote)
{
    (void) arg;
    if (remote == wanted)
        answer.told = DEL;
}

static void
on_addrs(void *arg, uint32_t uplink, const be32 *a, size_t n)
{
    (void) arg;
    ck_assert_uint_eq(uplink, 3);
    n_addrs = n;
    for (size_t i = 0; i < n && i < WEFT_ARRAY_LEN(addrs); i++)
        addrs[i] = a[i];
}

static void
on_send(void *arg, uint32_t uplink, const uint8_t *data, size_t len)
{
    (void) arg;
    (void) data;
    ck_abort_msg("frame of %zu bytes for the kernel's uplink %u", len, uplink);
}

static be32
ip(const char *text)
{
    be32 addr;

    ck_assert_int_eq(base_parse_ipv4(text, &addr), 0);
    return addr;
}

/* Runs a command here; with "there " in front, in the peer's namespace. */
static void WEFT_PRINTF(1, 2)
sh(const char *fmt, ...)
{
    char cmd[256], all[320];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(cmd, sizeof cmd, fmt, ap);
    va_end(ap);
    if (!strncmp(cmd, "there ", 6))
        snprintf(all, sizeof all, "nsenter -t %d -n %s", (int) peer, cmd + 6);
    else
        snprintf(all, sizeof all, "%s", cmd);
    ck_assert_msg(system(all) == 0, "failed: %s", all);
}

/* Lets the underlay work until 'done' or for eight seconds. */
static bool
until(bool (*done)(void))
{
    uint64_t end = base_clock_ns() + WAIT_NS;

    while (!done() && base_clock_ns() < end) {
        struct pollfd p = { .fd = underlay_fd(u), .events = POLLIN };

        if (poll(&p, 1, 50) > 0)
            underlay_run(u);
        underlay_tick(u, base_clock_ns());
    }
    return done();
}

static bool is_lost(void) { return answer.told == DEL; }
static bool
is_reachable(void)
{
    return answer.told == SET && memcmp(answer.nh.dst_mac, nobody, 6) != 0;
}
static bool
is_silent(void)
{
    return answer.told == SET && !memcmp(answer.nh.dst_mac, nobody, 6);
}
static bool has_two_addrs(void) { return n_addrs == 2; }
static bool has_no_addr(void) { return n_addrs == 0; }
static bool has_one_addr(void) { return n_addrs == 1; }
static bool has_mtu_1400(void) { return answer.nh.mtu == 1400; }
static bool has_mtu_1300(void) { return answer.nh.mtu == 1300; }

static void
want(const char *remote)
{
    wanted = ip(remote);
    memset(&answer, 0, sizeof answer);
    underlay_resolve(u, wanted, 0);
}

static void
peer_start(void)
{
    int ready[2];
    char c = 0;

    ck_assert_int_eq(pipe(ready), 0);
    peer = fork();
    ck_assert_int_ge(peer, 0);
    if (!peer) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        c = unshare(CLONE_NEWNET) ? 'n' : 'y';
        if (write(ready[1], &c, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    ck_assert_int_eq(c, 'y');
    close(ready[0]);
    close(ready[1]);
}

static void
setup(void)
{
    const struct underlay_callbacks cb = {
        .nexthop_set = on_set, .nexthop_del = on_del, .addrs = on_addrs,
        .send = on_send,
    };
    struct weft_err e = { "" };

    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    peer_start();
    sh("ip link set lo up");
    sh("ip link add ulk0 type veth peer name ulk1 netns %d", (int) peer);
    sh("ip link add ulk9 type veth peer name ulk8 netns %d", (int) peer);
    sh("ip addr add 192.0.2.1/24 dev ulk0");
    sh("ip link set ulk0 up");
    sh("ip link set ulk9 up");
    sh("there ip link set ulk1 address 02:00:00:00:00:02");
    sh("there ip addr add 192.0.2.2/24 dev ulk1");
    sh("there ip link set ulk1 up");
    sh("there ip link set ulk8 up");
    n_addrs = 0;
    ck_assert_int_eq(underlay_create(&cb, &u, &e), 0);
    underlay_tick(u, base_clock_ns());
    ck_assert_msg(!underlay_add_kernel(u, 3, (int) if_nametoindex("ulk0"),
                                       &e), "%s", e.text);
}

static void
teardown(void)
{
    underlay_destroy(u);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
}

static void
assert_mac(const uint8_t mac[6], const char *expect)
{
    char text[BASE_MAC_LEN];

    ck_assert_str_eq(base_format_mac(mac, text), expect);
}

START_TEST(test_kernel_neighbour_on_link_is_resolved_by_the_kernel)
{
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    ck_assert_uint_eq(answer.nh.uplink, 3);
    ck_assert_uint_eq(answer.nh.src, ip("192.0.2.1"));
    ck_assert_uint_eq(answer.nh.mtu, 1500);
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:02");
    ck_assert_mem_ne(answer.nh.src_mac, nobody, 6);
}
END_TEST

START_TEST(test_kernel_gateway_route_with_source_and_mtu_is_followed)
{
    sh("ip addr add 192.0.2.9/24 dev ulk0");
    sh("ip route add 198.51.100.0/24 via 192.0.2.2 src 192.0.2.9");
    want("198.51.100.7");
    ck_assert(until(is_reachable));
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:02");
    ck_assert_uint_eq(answer.nh.src, ip("192.0.2.9"));
    sh("ip route change 198.51.100.0/24 via 192.0.2.2 mtu 1400");
    ck_assert(until(has_mtu_1400));
    sh("ip link set ulk0 mtu 1300");
    ck_assert(until(has_mtu_1300));
}
END_TEST

START_TEST(test_kernel_route_that_goes_and_returns_is_followed)
{
    want("198.51.100.7");
    ck_assert(until(is_lost));
    sh("ip route add 198.51.100.0/24 via 192.0.2.2");
    ck_assert(until(is_reachable));
    sh("ip route del 198.51.100.0/24");
    ck_assert(until(is_lost));
    sh("ip route add blackhole 198.51.100.0/24");
    underlay_resolve(u, wanted, 0);
    ck_assert_int_eq(answer.told, DEL);
}
END_TEST

START_TEST(test_kernel_route_by_an_interface_that_is_no_uplink_is_no_route)
{
    sh("ip addr add 203.0.113.1/24 dev ulk9");
    want("203.0.113.2");
    ck_assert(until(is_lost));
    want("192.0.2.1"); /* Ourselves. */
    ck_assert(until(is_lost));
}
END_TEST

START_TEST(test_kernel_neighbour_that_is_silent_is_reported_and_comes_back)
{
    sh("sysctl -qw net.ipv4.neigh.ulk0.retrans_time_ms=200");
    want("192.0.2.77");
    ck_assert(until(is_silent));
    sh("there ip addr add 192.0.2.77/24 dev ulk1");
    for (unsigned i = 0; i < 5 && !is_reachable(); i++) {
        usleep(1100000);
        underlay_tick(u, base_clock_ns());
        underlay_resolve(u, wanted, 0);
        usleep(100000);
        underlay_run(u);
    }
    ck_assert(is_reachable());
}
END_TEST

START_TEST(test_kernel_neighbour_with_a_new_mac_is_followed)
{
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    sh("there ip link set ulk1 down");
    sh("there ip link set ulk1 address 02:00:00:00:00:22");
    ck_assert(until(is_lost)); /* No carrier. */
    sh("there ip link set ulk1 up");
    ck_assert(until(is_reachable));
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:22");
}
END_TEST

START_TEST(test_kernel_static_neighbour_change_needs_no_question)
{
    sh("ip neigh replace 192.0.2.50 lladdr 02:00:00:00:00:50 dev ulk0"
       " nud permanent");
    want("192.0.2.50");
    ck_assert_int_eq(answer.told, SET); /* Known at once. */
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:50");
    sh("ip neigh replace 192.0.2.50 lladdr 02:00:00:00:00:51 dev ulk0"
       " nud permanent");
    usleep(10000);
    underlay_run(u);
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:51");
}
END_TEST

START_TEST(test_kernel_stale_neighbour_in_use_is_confirmed)
{
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    sh("ip neigh change 192.0.2.2 lladdr 02:00:00:00:00:02 dev ulk0 nud"
       " stale");
    usleep(1100000);
    underlay_tick(u, base_clock_ns());
    underlay_run(u);
    underlay_resolve(u, wanted, 0); /* Used: DELAY, PROBE, REACHABLE. */
    ck_assert_int_eq(system("ip neigh show 192.0.2.2 dev ulk0 |"
                            " grep -qE 'DELAY|PROBE|REACHABLE'"), 0);
}
END_TEST

START_TEST(test_kernel_addresses_come_and_go_with_those_of_loopback)
{
    ck_assert_uint_eq(n_addrs, 1);
    ck_assert_uint_eq(addrs[0], ip("192.0.2.1"));
    sh("ip addr add 203.0.113.9/32 dev lo"); /* End point of a fabric. */
    ck_assert(until(has_two_addrs));
    ck_assert(addrs[0] == ip("203.0.113.9") || addrs[1] == ip("203.0.113.9"));
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    sh("ip addr del 192.0.2.1/24 dev ulk0");
    ck_assert(until(has_one_addr));
    ck_assert(until(is_lost));
    sh("ip addr add 192.0.2.1/24 dev ulk0");
    ck_assert(until(has_two_addrs));
    ck_assert(until(is_reachable));
}
END_TEST

START_TEST(test_kernel_link_that_goes_takes_its_next_hops_along)
{
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    sh("ip link set ulk0 down");
    ck_assert(until(is_lost));
    sh("ip link set ulk0 up");
    ck_assert(until(is_reachable));
    sh("ip link del ulk0");
    ck_assert(until(is_lost));
    ck_assert(until(has_no_addr));
    /* One of the same name takes its place. */
    sh("ip link add ulk0 type veth peer name ulk1 netns %d", (int) peer);
    sh("there ip link set ulk1 address 02:00:00:00:00:03");
    sh("there ip addr add 192.0.2.2/24 dev ulk1");
    sh("there ip link set ulk1 up");
    sh("ip addr add 192.0.2.7/24 dev ulk0");
    sh("ip link set ulk0 up");
    ck_assert(until(is_reachable));
    assert_mac(answer.nh.dst_mac, "02:00:00:00:00:03");
    ck_assert_uint_eq(answer.nh.src, ip("192.0.2.7"));
    ck_assert_uint_eq(addrs[0], ip("192.0.2.7"));
    sh("ip link del ulk0");
    ck_assert(until(is_lost));
    underlay_del(u, 3);
}
END_TEST

/* Messages that netlink sockets of this namespace had to drop. */
static unsigned long
netlink_drops(void)
{
    FILE *f = fopen("/proc/self/net/netlink", "r");
    unsigned long sum = 0, drops;
    char line[256];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %lu", &drops) == 1)
            sum += drops;
    fclose(f);
    return sum;
}

START_TEST(test_kernel_lost_events_are_made_good)
{
    want("192.0.2.2");
    ck_assert(until(is_reachable));
    /* More than the event socket holds, unread. */
    sh("i=0; while [ $i -lt 12000 ]; do echo route add 10.$((i / 250 / 250))."
       "$((i / 250 %% 250)).$((i %% 250))/32 via 192.0.2.2; i=$((i + 1));"
       " done | ip -batch -");
    sh("ip addr del 192.0.2.1/24 dev ulk0");
    sh("ip addr add 192.0.2.5/24 dev ulk0");
    ck_assert_uint_gt(netlink_drops(), 0);
    ck_assert(until(has_one_addr));
    underlay_run(u);
    ck_assert_uint_eq(addrs[0], ip("192.0.2.5"));
    ck_assert(until(is_reachable));
    ck_assert_uint_eq(answer.nh.src, ip("192.0.2.5"));
}
END_TEST

START_TEST(test_kernel_what_is_no_uplink_is_refused_by_name)
{
    struct weft_err e;

    ck_assert_int_eq(underlay_add_kernel(u, 4, (int) if_nametoindex("lo"),
                                         &e), -EINVAL);
    ck_assert_ptr_nonnull(strstr(e.text, "lo is no Ethernet device"));
    ck_assert_int_eq(underlay_add_kernel(u, 4, 999999, &e), -ENODEV);
    ck_assert_int_eq(underlay_add_kernel(u, 3, (int) if_nametoindex("ulk9"),
                                         &e), -EEXIST);
    ck_assert_int_eq(underlay_add_kernel(u, 4, (int) if_nametoindex("ulk0"),
                                         &e), -EEXIST);
}
END_TEST

int
main(void)
{
    Suite *s = suite_create("system");
    TCase *tc = tcase_create("underlay_kernel");

    if (geteuid() != 0 || system("ip -V >/dev/null 2>&1") != 0
        || system("unshare -n true 2>/dev/null") != 0) {
        puts("skipped: needs root, iproute2 and network namespaces");
        return 77;
    }
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_kernel_neighbour_on_link_is_resolved_by_the_kernel);
    tcase_add_test(tc,
                   test_kernel_gateway_route_with_source_and_mtu_is_followed);
    tcase_add_test(tc, test_kernel_route_that_goes_and_returns_is_followed);
    tcase_add_test(
        tc, test_kernel_route_by_an_interface_that_is_no_uplink_is_no_route);
    tcase_add_test(
        tc, test_kernel_neighbour_that_is_silent_is_reported_and_comes_back);
    tcase_add_test(tc, test_kernel_neighbour_with_a_new_mac_is_followed);
    tcase_add_test(tc, test_kernel_static_neighbour_change_needs_no_question);
    tcase_add_test(tc, test_kernel_stale_neighbour_in_use_is_confirmed);
    tcase_add_test(tc,
                   test_kernel_addresses_come_and_go_with_those_of_loopback);
    tcase_add_test(tc, test_kernel_link_that_goes_takes_its_next_hops_along);
    tcase_add_test(tc, test_kernel_lost_events_are_made_good);
    tcase_add_test(tc, test_kernel_what_is_no_uplink_is_refused_by_name);
    suite_add_tcase(s, tc);

    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
