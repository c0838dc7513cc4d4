#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Uplinks: only overlay packets for local end points leave the kernel.

    netns r: vx 10.99.0.2 (kernel VXLAN, VNI 42)
             u1 10.88.0.2 ---- netns h: u0 10.88.0.1, 10.88.0.3
                                        port_forward -f 10.88.0.1 -- capture
"""
import os
import re
import struct
import tempfile
import time

from ports_env import Forwarder, Netns, need, pcap_frames, run, sh

MODES = {"auto": "xdp-native", "xdp": "xdp-native", "af_packet": "af_packet"}
U0, U1 = "02:00:00:00:88:01", "02:00:00:00:88:02"


def wire(h, r, queues=1):
    q = "numrxqueues %d numtxqueues %d " % (queues, queues)
    h.run("ip link add u0 address %s %s type veth peer name u1 address %s "
          "%s netns %s" % (U0, q, U1, q, r.name))
    h.run("ip link set u0 up")
    h.run("ip addr add 10.88.0.1/24 dev u0")
    h.run("ip addr add 10.88.0.3/24 dev u0")
    r.run("ip link set u1 up")
    r.run("ip addr add 10.88.0.2/24 dev u1")
    r.run("ip link add vx42 address 02:00:00:00:99:02 type vxlan id 42 "
          "remote 10.88.0.1 local 10.88.0.2 dstport 4789 dev u1")
    r.run("ip link set vx42 up")
    r.run("ip addr add 10.99.0.2/24 dev vx42")
    r.run("ip neigh add 10.99.0.1 lladdr 02:00:00:00:99:01 dev vx42")


def bed(cleanup, queues=1):
    h, r = Netns("h"), Netns("r")
    cleanup += [h.delete, r.delete]
    for ns in (h, r):
        ns.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    wire(h, r, queues)
    return h, r


def uplink(cleanup, h, mode="auto", capture="tx", path=None):
    path = path or tempfile.mktemp(suffix=".pcap")
    f = Forwarder("-f", "10.88.0.1", "u0,netdev,uplink,mode=" + mode,
                  "rec,pcap,%s=%s" % (capture, path), netns=h)
    cleanup += [f.kill, lambda: os.path.exists(path) and os.unlink(path)]
    return f, path


def count(ns, name):
    return int(ns.run("nstat -asz " + name).split(name)[1].split()[0])


def send_udp(ns, dst, port, size=100):
    ns.run("python3 -c 'import socket; socket.socket(socket.AF_INET, "
           "socket.SOCK_DGRAM).sendto(bytes(%d), (\"%s\", %d))'"
           % (size, dst, port))


def send_gre(ns, dst, flags, protocol):
    ns.run("python3 -c 'import socket; s = socket.socket(socket.AF_INET, "
           "socket.SOCK_RAW, 47); s.sendto(bytes.fromhex(\"%04x%04x000001ff\")"
           " + bytes(60), (\"%s\", 0))'" % (flags, protocol, dst))


def rx(f):
    time.sleep(0.2)
    return f.status()[0]["rx"]


def check_steering(cleanup, mode):
    h, r = bed(cleanup)
    f, path = uplink(cleanup, h, mode)
    assert f.status()[0]["mode"] == MODES[mode], f.status()
    r.run("ping -c 3 -i 0.1 -W 1 10.99.0.1", check=False)
    assert rx(f) == 3
    send_gre(r, "10.88.0.1", 0x2000, 0x6558)
    assert rx(f) == 4
    # The kernel keeps everything else.
    r.run("ping -c 2 -i 0.1 -W 1 10.88.0.1")
    send_udp(r, "10.88.0.1", 4790)
    assert count(h, "IcmpOutDestUnreachs") == 1
    send_udp(r, "10.88.0.3", 4789)
    assert count(h, "IcmpOutDestUnreachs") == 2
    send_gre(r, "10.88.0.3", 0x2000, 0x6558)
    assert count(h, "IcmpOutDestUnreachs") == 3
    send_gre(r, "10.88.0.1", 0x2000, 0x0800)
    # Fragments are the kernel's, which drops them silently.
    send_udp(r, "10.88.0.1", 4789, 3000)
    assert rx(f) == 4
    assert count(h, "IcmpOutDestUnreachs") == 3
    # Filters change while traffic flows.
    assert f.ask("filter 10.88.0.3") == "ok"
    send_udp(r, "10.88.0.3", 4789)
    assert rx(f) == 5
    send_udp(r, "10.88.0.1", 4789)
    assert rx(f) == 5
    assert count(h, "IcmpOutDestUnreachs") == 4
    f.stop()
    frames = pcap_frames(path)
    assert len(frames) == 5, len(frames)
    # The ping inside is whole, from Ethernet to the payload.
    assert frames[0][:12] == bytes.fromhex((U0 + U1).replace(":", ""))
    assert frames[0][42:50] == bytes.fromhex("0800000000002a00")
    assert frames[0][50:56] == bytes.fromhex("020000009901")
    assert len(frames[0]) == 50 + 98


def test_uplink_xdp_takes_overlay_packets_only(cleanup):
    check_steering(cleanup, "auto")


def test_uplink_af_packet_takes_overlay_packets_only(cleanup):
    check_steering(cleanup, "af_packet")


def vxlan_frame(n):
    inner = bytes.fromhex("02000000990202000000990188b5") + struct.pack(
        ">I", n) + bytes(200)
    udp = struct.pack(">HHHH", 50000 + n, 4789, 16 + len(inner), 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 36 + len(inner), n, 0x4000, 64,
                     17, 0, bytes([10, 88, 0, 1]), bytes([10, 88, 0, 2]))
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + ip[
        12:]
    return (bytes.fromhex((U1 + U0).replace(":", "")) + b"\x08\x00" + ip + udp
            + bytes.fromhex("0800000000002a00") + inner)


def write_pcap(path, frames):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for x in frames:
            out.write(struct.pack("<IIII", 0, 0, len(x), len(x)) + x)


def check_transmit(cleanup, mode):
    h, r = bed(cleanup)
    path = tempfile.mktemp(suffix=".pcap")
    write_pcap(path, [vxlan_frame(n) for n in range(5000)])
    f, _ = uplink(cleanup, h, mode, "rx", path)
    time.sleep(0.5)
    s = f.status()
    sent, lost = s[0]["tx"], s[1]["not_sent"] + s[0]["not_sent"]
    assert sent + lost == 5000 and sent > 4000, s
    got = int(r.run("cat /sys/class/net/vx42/statistics/rx_packets"))
    assert sent - 10 <= got <= sent, (got, s)
    f.stop()


def test_uplink_xdp_transmits(cleanup):
    check_transmit(cleanup, "xdp")


def test_uplink_af_packet_transmits(cleanup):
    check_transmit(cleanup, "af_packet")


def test_uplink_kill_leaves_no_program_attached(cleanup):
    h, r = bed(cleanup)
    f, _ = uplink(cleanup, h, "xdp")
    text = h.run("ip -d link show u0")
    assert "xdp" in text and "prog" in text, text
    assert "weft_uplink" in sh("bpftool prog show")
    f.kill()
    time.sleep(0.3)
    text = h.run("ip -d link show u0")
    assert "xdp" not in text, text
    assert "u0" not in h.run("bpftool net show"), "still attached"
    r.run("ping -c 1 -W 1 10.88.0.1")
    f, _ = uplink(cleanup, h, "xdp")
    f.stop()
    assert "xdp" not in h.run("ip -d link show u0")


def test_uplink_program_of_another_gives_af_packet(cleanup):
    h, r = bed(cleanup)
    f, _ = uplink(cleanup, h, "auto")
    g, _ = uplink(cleanup, h, "auto")
    assert g.status()[0]["mode"] == "af_packet", g.status()
    g.stop()
    f.stop()


def test_uplink_vanishes_and_is_taken_up_again(cleanup):
    h, r = bed(cleanup)
    for mode in ("auto", "af_packet"):
        f, _ = uplink(cleanup, h, mode)
        h.run("ip link del u0")
        f.wait_status(0, "u0 does not exist")
        r.run("ip link del vx42", check=False)
        wire(h, r)
        s = f.wait_status(0, "up")
        assert s["mode"] == MODES[mode], s
        before = rx(f)
        r.run("ping -c 3 -i 0.1 -W 1 10.99.0.1", check=False)
        assert rx(f) == before + 3
        f.stop()


def test_uplink_mtu_beyond_af_xdp_changes_the_backend(cleanup):
    h, r = bed(cleanup)
    f, _ = uplink(cleanup, h, "auto")
    r.run("ip link set u1 mtu 3000")
    h.run("ip link set u0 mtu 3000")
    r.run("ip link set vx42 mtu 2900")
    time.sleep(0.5)
    assert f.status()[0]["mode"] == "xdp-native", f.status()
    before = rx(f)
    r.run("ping -c 2 -i 0.1 -s 2700 -W 1 10.99.0.1", check=False)
    assert rx(f) == before + 2, f.status()
    f.stop()


def test_uplink_two_queues_are_both_served(cleanup):
    h, r = bed(cleanup, queues=2)
    f, _ = uplink(cleanup, h, "xdp")
    assert f.status()[0]["mode"] == "xdp-native", f.status()
    for n in range(10, 30):  # Flows with hashes of their own.
        r.run("ip neigh add 10.99.0.%d lladdr 02:00:00:00:99:01 dev vx42" % n)
        r.run("ping -c 1 -W 0.05 10.99.0.%d" % n, check=False)
    assert rx(f) == 20, f.status()
    per_queue = re.findall(r"rx_queue_\d+_xdp_redirect: (\d+)",
                           h.run("ethtool -S u0"))
    assert len(per_queue) == 2 and min(map(int, per_queue)) > 0, per_queue
    f.stop()


def test_uplink_generic_mode_where_the_driver_has_none(cleanup):
    h, r = bed(cleanup)
    h.run("ip link add br8 address %s type bridge" % U0)
    h.run("ip addr flush dev u0")
    h.run("ip link set u0 master br8")
    h.run("ip link set u0 address 02:00:00:00:88:09")
    h.run("ip link set br8 address %s up" % U0)
    h.run("ip addr add 10.88.0.1/24 dev br8")
    for mode, is_mode in (("xdp", "xdp-generic"), ("auto", "af_packet")):
        f = Forwarder("-f", "10.88.0.1", "br8,netdev,uplink,mode=" + mode,
                      "rec,pcap,tx=/dev/null", netns=h)
        cleanup.append(f.kill)
        assert f.status()[0]["mode"] == is_mode, f.status()
        r.run("ping -c 3 -i 0.1 -W 1 10.99.0.1", check=False)
        assert rx(f) == 3, f.status()
        f.stop()


if __name__ == "__main__":
    need("ip", "ping", "nstat", "bpftool", "ethtool")
    run([v for k, v in list(globals().items()) if k.startswith("test_")])
