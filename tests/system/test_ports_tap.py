#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Taps that carry real TCP between namespaces.

    netns a: tap0 10.77.0.1 -- port_forward -- netns b: tap0 10.77.0.2
"""
import time

from ports_env import FORWARD, Forwarder, Netns, iperf, need, run


def pair(cleanup, extra_a="", extra_b=""):
    a, b = Netns("a"), Netns("b")
    cleanup += [a.delete, b.delete]
    f = Forwarder("pa,tap,ifname=tap0,netns=%s%s" % (a.name, extra_a),
                  "pb,tap,ifname=tap0,netns=%s%s" % (b.name, extra_b))
    cleanup.append(f.kill)
    address(a, 1)
    address(b, 2)
    return a, b, f


def address(ns, n):
    ns.run("ip addr add 10.77.0.%d/24 dev tap0" % n)
    ns.run("ip addr add fd77::%d/64 dev tap0 nodad" % n)


def test_tap_tcp_v4_large_segments_pass_whole(cleanup):
    a, b, f = pair(cleanup)
    rate = iperf(b, a, "10.77.0.2")
    s = f.status()
    print("     v4 %.0f Mbit/s, %s" % (rate, s[0]))
    assert rate > 200, rate
    assert s[0]["large"] > 100 and s[0]["cut"] == 0, s
    # Segments of 1448 bytes would be many more frames than were seen.
    assert s[0]["rx"] < rate * 2e6 / 8 / 1448 / 3, s
    assert s[0]["errors"] == s[1]["errors"] == 0, s
    assert s[0]["not_sent"] == s[1]["not_sent"] == 0, s
    f.stop()


def test_tap_tcp_v6_large_segments_pass_whole(cleanup):
    a, b, f = pair(cleanup)
    rate = iperf(b, a, "fd77::2", "-6 -t 2")
    s = f.status()
    print("     v6 %.0f Mbit/s, %s" % (rate, s[0]))
    assert rate > 200, rate
    assert s[0]["large"] > 100 and s[0]["errors"] == 0, s
    f.stop()


def test_tap_tcp_on_vlan_large_segments_pass_whole(cleanup):
    a, b, f = pair(cleanup)
    for ns, n in ((a, 1), (b, 2)):
        if "Error" in ns.run("ip link add link tap0 name tap0.5 type vlan "
                             "id 5", check=False):
            print("     the kernel has no 802.1Q: not tested")
            return
        ns.run("ip addr add 10.78.0.%d/24 dev tap0.5" % n)
        ns.run("ip link set tap0.5 up")
    assert iperf(b, a, "10.78.0.2") > 200
    assert f.status()[0]["large"] > 100
    f.stop()


def test_tap_udp_partial_checksums_are_accepted(cleanup):
    a, b, f = pair(cleanup)
    rate = iperf(b, a, "10.77.0.2", "-u -b 50M -l 1400 -t 1")
    s = f.status()
    assert rate > 25, rate
    assert s[0]["partial"] > 1000, s
    count = b.run("nstat -asz UdpInCsumErrors").split("UdpInCsumErrors")[1]
    assert count.split()[0] == "0", count
    f.stop()


def test_tap_options_are_seen_by_the_kernel(cleanup):
    a, b, f = pair(cleanup, ",mac=02:aa:00:00:00:01,mtu=1400")
    text = a.run("ip link show tap0")
    assert "02:aa:00:00:00:01" in text and "mtu 1400" in text, text
    assert f.status()[0]["mac"] == "02:aa:00:00:00:01"
    assert f.status()[1]["mac"] in b.run("ip link show tap0")
    assert f.ask("set pa mtu 9000") == "ok"
    assert f.ask("set pb mtu 9000") == "ok"
    assert "mtu 9000" in a.run("ip link show tap0")
    assert f.ask("set pa mac 02:aa:00:00:00:02") == "ok"
    assert "02:aa:00:00:00:02" in a.run("ip link show tap0")
    assert "not in 68..65000" in f.ask("set pa mtu 99999")
    assert "only when the port is added" in f.ask("set pa netns x")
    a.run("ping -c 2 -i 0.2 -s 8000 -M do 10.77.0.2")
    f.stop()
    assert "does not exist" in a.run("ip link show tap0", check=False)


def test_tap_survives_deletion_of_its_namespace(cleanup):
    a, b, f = pair(cleanup, ",mac=02:aa:00:00:00:01")
    a.run("ping -c 1 -W 2 10.77.0.2")
    a.delete()
    s = f.wait_status(0, "network namespace %s" % a.name)
    assert s["link"] == 0, s
    assert "No such file" in s["status"], s
    # The other side goes on: frames to the lost port are dropped, counted.
    b.run("ping -c 1 -W 1 10.77.0.1", check=False)
    a.add()
    f.wait_status(0, "up")
    address(a, 1)
    assert "02:aa:00:00:00:01" in a.run("ip link show tap0")
    a.run("ping -c 2 -i 0.2 -W 2 10.77.0.2")
    assert iperf(b, a, "10.77.0.2", "-t 1") > 100
    f.stop()


def test_tap_interface_deleted_by_hand_comes_back(cleanup):
    a, b, f = pair(cleanup)
    a.run("ip link del tap0")
    end = time.time() + 5
    while "does not exist" in a.run("ip link show tap0", check=False):
        assert time.time() < end, f.status()
        time.sleep(0.1)
    address(a, 1)
    a.run("ping -c 2 -i 0.2 -W 2 10.77.0.2")
    f.stop()


def test_internal_port_is_an_interface_of_the_host(cleanup):
    ns, b = Netns("h"), Netns("b")
    cleanup += [ns.delete, b.delete]
    f = Forwarder("br7,internal", "pb,tap,ifname=tap0,netns=" + b.name,
                  netns=ns)
    cleanup.append(f.kill)
    ns.run("ip addr add 10.77.0.1/24 dev br7")
    address(b, 2)
    assert iperf(b, ns, "10.77.0.2", "-t 1") > 100
    ns.run("ip link set br7 down")
    assert f.wait_status(0, "is down")["link"] == 0
    ns.run("ip link set br7 up")
    f.wait_status(0, "up")
    f.stop()


def test_tap_persistent_interface_stays_and_is_taken_again(cleanup):
    ns = Netns("h")
    cleanup.append(ns.delete)
    for _ in range(2):
        f = Forwarder("t9,tap,persistent=yes,mac=02:aa:00:00:00:09",
                      "rec,pcap,tx=/dev/null", netns=ns)
        cleanup.append(f.kill)
        assert "LOWER_UP" in ns.run("ip link show t9")
        f.stop()
        text = ns.run("ip link show t9")
        assert "LOWER_UP" not in text and "02:aa:00:00:00:09" in text, text


def test_tap_open_says_why_it_refuses(cleanup):
    ns = Netns("h")
    cleanup.append(ns.delete)
    ns.run("ip link add veth7 type veth peer name veth8")

    def refused(spec):
        return ns.run("%s %s other,pcap,tx=/dev/null" % (FORWARD, spec),
                      check=False)
    assert "exists and is no tap" in refused("veth7,tap")
    assert "no interface name" in refused("a-name-of-16-chr,tap")
    assert "namespace nosuch" in refused("t0,tap,netns=nosuch")
    assert "Invalid argument" in refused("t0,tap,netns=.")
    assert "weft" not in ns.run("ip link"), "a temporary device was left"


if __name__ == "__main__":
    need("ip", "iperf3", "ping", "nstat")
    run([v for k, v in list(globals().items()) if k.startswith("test_")])
