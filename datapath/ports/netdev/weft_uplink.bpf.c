/* SPDX-License-Identifier: Apache-2.0 */
/* Steering on an uplink: overlay packets for local end points go to AF_XDP,
 * all else to the kernel.
 *
 * What:    an unfragmented IPv4 packet to an address in 'addrs' that is UDP to
 *          a port in 'udp_ports' or GRE with protocol 0x6558.
 * Model:   redirects, never changes or drops a packet.  Fragments go to the
 *          kernel: the tunnel types refuse them (RFC 7348 §4.3).
 * Source:  RFC 7348 §5, RFC 7637 §3.2, RFC 2784 §2. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IP_MF_OR_OFFSET 0x3fff
#define GRE_VERSION 0x0007
#define GRE_TEB 0x6558

struct gre_header {
    __be16 flags;
    __be16 protocol;
};

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 64);
    __type(key, __u32);
    __type(value, __u32);
} sockets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __be32);
    __type(value, __u8);
} addrs SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, __be16);
    __type(value, __u8);
} udp_ports SEC(".maps");

/* 'l4' points behind the IPv4 header. */
static __always_inline int
is_overlay(const struct iphdr *ip, const void *l4, const void *end)
{
    if (ip->protocol == IPPROTO_UDP) {
        const struct udphdr *udp = l4;
        __be16 port;

        if ((const void *) (udp + 1) > end)
            return 0;
        port = udp->dest;
        return bpf_map_lookup_elem(&udp_ports, &port) != 0;
    }
    if (ip->protocol == IPPROTO_GRE) {
        const struct gre_header *gre = l4;

        return (const void *) (gre + 1) <= end
               && !(gre->flags & bpf_htons(GRE_VERSION))
               && gre->protocol == bpf_htons(GRE_TEB);
    }
    return 0;
}

SEC("xdp")
int
weft_uplink(struct xdp_md *ctx)
{
    const void *end = (const void *) (long) ctx->data_end;
    const struct ethhdr *eth = (const void *) (long) ctx->data;
    const struct iphdr *ip = (const void *) (eth + 1);
    __be32 dst;

    if ((const void *) (ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP)
        || ip->version != 4 || ip->ihl < 5
        || (ip->frag_off & bpf_htons(IP_MF_OR_OFFSET)))
        return XDP_PASS;
    dst = ip->daddr;
    if (!bpf_map_lookup_elem(&addrs, &dst)
        || !is_overlay(ip, (const char *) ip + ip->ihl * 4, end))
        return XDP_PASS;
    return (int) bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}

char _license[] SEC("license") = "Apache-2.0";
