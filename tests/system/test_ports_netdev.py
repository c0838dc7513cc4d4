#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Existing interfaces as bridge ports: real TCP, no ethtool anywhere.

    netns a: tap0 10.77.0.1
        |
    netns h: port_forward (tap of a, v0)
                                |
    netns b:                    v1 10.77.0.2
"""
import os
import tempfile
import time

from ports_env import FORWARD, Forwarder, Netns, iperf, need, pcap_frames, run


def bed(cleanup):
    a, h, b = Netns("a"), Netns("h"), Netns("b")
    cleanup += [a.delete, h.delete, b.delete]
    wire(h, b)
    return a, h, b


def wire(h, b):
    h.run("ip link add v0 type veth peer name v1 netns " + b.name)
    h.run("sysctl -qw net.ipv6.conf.v0.disable_ipv6=1")
    h.run("ip link set v0 up")
    b.run("ip link set v1 address 02:00:00:00:77:02 up")
    b.run("ip addr add 10.77.0.2/24 dev v1")
    b.run("ip addr add fd77::2/64 dev v1 nodad")


def joined(cleanup, a, h, netdev="v0,netdev"):
    f = Forwarder("pa,tap,ifname=tap0,netns=" + a.name, netdev, netns=h)
    cleanup.append(f.kill)
    a.run("ip addr add 10.77.0.1/24 dev tap0")
    a.run("ip addr add fd77::1/64 dev tap0 nodad")
    return f


def test_netdev_tcp_between_tap_and_veth_needs_no_ethtool(cleanup):
    a, h, b = bed(cleanup)
    f = joined(cleanup, a, h)
    assert "tx-checksumming: on" in b.run("ethtool -k v1")
    for ns, peer, opts in ((a, b, "-t 2"), (a, b, "-t 2 -R"),
                           (a, b, "-6 -t 1"), (a, b, "-6 -t 1 -R")):
        addr = "fd77::2" if "-6" in opts else "10.77.0.2"
        rate = iperf(peer, ns, addr, opts)
        print("     iperf3 %s: %.0f Mbit/s" % (opts, rate))
        assert rate > 200, rate
    s = f.status()
    # Large segments crossed whole, both ways.
    assert s[0]["large"] > 100 and s[1]["large"] > 100, s
    assert s[0]["cut"] == s[1]["cut"] == 0, s
    assert s[1]["errors"] == 0 and s[1]["mode"] == "af_packet", s
    f.stop()


def test_netdev_two_veths_carry_tcp(cleanup):
    a, h, b = bed(cleanup)
    h.run("ip link add w0 type veth peer name w1 netns " + a.name)
    h.run("ip link set w0 up")
    a.run("ip link set w1 up")
    a.run("ip addr add 10.77.0.1/24 dev w1")
    f = Forwarder("w0,netdev", "v0,netdev", netns=h)
    cleanup.append(f.kill)
    assert iperf(b, a, "10.77.0.2", "-t 1") > 200
    assert iperf(b, a, "10.77.0.2", "-u -b 20M -l 1000 -t 1") > 10
    f.stop()


def test_netdev_interface_that_vanishes_is_taken_up_again(cleanup):
    a, h, b = bed(cleanup)
    f = joined(cleanup, a, h)
    a.run("ping -c 1 -W 2 10.77.0.2")
    for _ in range(3):
        h.run("ip link del v0")
        assert f.wait_status(1, "v0 does not exist")["link"] == 0
        a.run("ping -c 1 -W 1 10.77.0.2", check=False)
        wire(h, b)
        f.wait_status(1, "up")
        a.run("ping -c 2 -i 0.2 -W 2 10.77.0.2")
    h.run("ip link set v0 down")
    assert f.wait_status(1, "v0 is down")["link"] == 0
    h.run("ip link set v0 up")
    f.wait_status(1, "up")
    b.run("ip link set v1 down")
    assert f.wait_status(1, "no carrier")["link"] == 0
    b.run("ip link set v1 address 02:00:00:00:77:02 up")
    f.wait_status(1, "up")
    assert iperf(b, a, "10.77.0.2", "-t 1") > 200
    f.stop()


SEND = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("v1", 0))
for tags in ((), ((0x8100, 5),), ((0x88a8, 7),), ((0x88a8, 7), (0x8100, 0xe005))):
    t = b"".join(struct.pack(">HH", *x) for x in tags)
    s.send(bytes.fromhex("020000000002020000000001") + t
           + b"\\x88\\xb5" + bytes(range(100)))
"""


def test_netdev_vlan_tags_arrive_as_they_were_sent(cleanup):
    a, h, b = bed(cleanup)
    out = tempfile.mktemp(suffix=".pcap")
    cleanup.append(lambda: os.unlink(out))
    f = Forwarder("v0,netdev", "rec,pcap,tx=" + out, netns=h)
    cleanup.append(f.kill)
    script = tempfile.NamedTemporaryFile("w", suffix=".py")
    script.write(SEND)
    script.flush()
    b.run("python3 " + script.name)
    time.sleep(0.5)
    f.stop()
    got = [x[12:-100] for x in pcap_frames(out) if b"\x88\xb5" in x]
    want = [b"\x88\xb5", bytes.fromhex("8100000588b5"),
            bytes.fromhex("88a8000788b5"),
            bytes.fromhex("88a800078100e00588b5")]
    assert got == want, got


def test_netdev_segments_are_cut_for_a_port_without_tso(cleanup):
    """DPDK's af_packet driver takes complete frames only: the software's
    segments and checksums are judged by the kernel that receives them."""
    a, h, b = bed(cleanup)
    f = joined(cleanup, a, h, "v0,dpdk,devargs=net_af_packet0;iface=v0")
    b.run("ethtool -K v1 tx off")
    for addr, opts in (("10.77.0.2", "-t 1"), ("fd77::2", "-6 -t 1")):
        assert iperf(b, a, addr, opts) > 100
    s = f.status()
    assert s[0]["cut"] > 100 and s[1]["not_sent"] == 0, s
    count = b.run("nstat -asz TcpInCsumErrors").split("TcpInCsumErrors")[1]
    assert count.split()[0] == "0", count
    f.stop()


SEND_USO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(17, 103, 1000)  # UDP_SEGMENT
for i in range(50):
    s.sendto(bytes([i]) * 40500, ("10.77.0.1", 7777))
"""
RECEIVE = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
s.bind(("10.77.0.1", 7777))
s.settimeout(3)
got = []
print("listening", flush=True)
try:
    while len(got) < 50 * 41:
        got.append(s.recv(65536))
except socket.timeout:
    pass
whole = all(len(x) == (1000 if i % 41 < 40 else 500) and set(x) == {i // 41}
            for i, x in enumerate(got))
print(len(got), whole)
"""


def test_netdev_large_udp_arrives_as_datagrams(cleanup):
    a, h, b = bed(cleanup)
    f = joined(cleanup, a, h)
    a.run("ping -c 1 -W 2 10.77.0.2")
    scripts = []
    for text in (RECEIVE, SEND_USO):
        scripts.append(tempfile.NamedTemporaryFile("w", suffix=".py"))
        scripts[-1].write(text)
        scripts[-1].flush()
    receiver = a.start("python3 " + scripts[0].name)
    assert receiver.stdout.readline() == "listening\n"
    b.run("python3 " + scripts[1].name)
    said = receiver.stdout.read()
    s = f.status()
    assert said == "2050 True\n", (said, s)
    assert s[1]["errors"] == 0, s
    f.stop()


def test_netdev_open_says_why_it_refuses(cleanup):
    h = Netns("h")
    cleanup.append(h.delete)

    def refused(spec):
        return h.run("%s %s other,pcap,tx=/dev/null" % (FORWARD, spec),
                     check=False)
    assert "interface nosuch does not exist" in refused("nosuch,netdev")
    assert "none of auto, af_packet" in refused("lo,netdev,mode=xdp")
    assert "none of auto, xdp, af_packet" in refused(
        "lo,netdev,mode=fast,uplink")


if __name__ == "__main__":
    need("ip", "iperf3", "ping", "ethtool", "nstat")
    run([v for k, v in list(globals().items()) if k.startswith("test_")])
