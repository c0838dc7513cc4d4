/* SPDX-License-Identifier: Apache-2.0 */
/* What a tunnel type must provide.
 *
 * What:    the ops table of a tunnel type, its options, its outer header as
 *          data, and the verdicts of decapsulation.
 * Model:   a type is a folder under tunnels/ and one line in
 *          tunnel_types.def.  Encapsulation is data: the type builds a
 *          template once per (port, remote, next hop), the datapath stores it
 *          in front of each packet and patches the fields the template names.
 *          Decapsulation is one call per packet on plain bytes.
 * Threads: parse, print, build: control.  decap: worker (no allocation, lock,
 *          log, system call).
 * Owns:    nothing; configurations are plain values.
 * Source:  RFC 7348, RFC 7637, RFC 2784, RFC 2890. */
#ifndef WEFT_TUNNEL_H
#define WEFT_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/be.h"
#include "weft/compiler.h"
#include "weft/drop.h"
#include "weft/err.h"

/* Verdict of a decapsulation: TNL_OK or the drop reason to count. */
enum tnl_verdict {
    TNL_OK = -1,
    TNL_SHORT = DROP_TNL_SHORT,
    TNL_BAD_FLAGS = DROP_TNL_BAD_FLAGS,
    TNL_BAD_PROTO = DROP_TNL_BAD_PROTO,
    TNL_RESERVED_KEY = DROP_TNL_RESERVED_KEY,
    TNL_INNER_RUNT = DROP_TNL_INNER_RUNT,
    TNL_CRITICAL = DROP_TNL_CRITICAL,
};

/* Who else is at the other end of a tunnel port that names no single remote:
 * the far end points of a network, to which floods are copied one by one
 * (head-end replication) and behind which the MAC table finds addresses. */
enum tnl_peers {
    TNL_PEERS_NONE,   /* Flows choose (remote=flow) or one remote. */
    TNL_PEERS_LISTED, /* remote=peers: those that dp_port_set_peers named;
                       * packets of any other end point are dropped. */
    TNL_PEERS_LEARN,  /* remote=learn: also whoever sends with our key. */
};

/* Options common to all types, parsed from "name=value" words.  A type may
 * refuse what it does not have. */
struct tnl_config {
    be32 local;        /* 0: any local address / chosen by the route. */
    be32 remote;       /* 0 when remote_flow. */
    bool remote_flow;  /* remote=flow: tun_dst chooses; with peers too. */
    uint8_t peers;     /* enum tnl_peers */
    bool no_split_horizon; /* split-horizon=off: what comes from a port with
                            * peers may go to another such port. */
    bool key_flow;     /* key=flow: tun_id chooses. */
    uint32_t key;      /* VNI or VSID when not key_flow. */
    uint16_t dst_port; /* UDP destination port, host order; 0 for GRE. */
    uint16_t src_port_min, src_port_max; /* Entropy range; VXLAN. */
    bool keep_inner_vlan; /* inner-vlan=keep; default drop. */
    uint8_t ttl;          /* Outer TTL, default 64. */
    uint8_t tos;          /* Outer TOS byte when not inherited. */
    bool tos_inherit;     /* tos=inherit */
    bool df;              /* Outer DF, default true. */
};

/* What decap tells about one packet. */
struct tnl_meta {
    uint32_t key;  /* VNI or VSID, host order. */
    uint16_t hlen; /* Bytes from the start of the L4/GRE header to the inner
                    * Ethernet header. */
};

#define TNL_TEMPLATE_MAX 128

enum tnl_entropy {
    TNL_ENTROPY_NONE,
    TNL_ENTROPY_SRC_PORT, /* be16 at entropy_off, range below. */
    TNL_ENTROPY_FLOW_ID,  /* One byte at entropy_off. */
};

/* Outer headers as data.  Offsets count from byte 0 of the outer Ethernet
 * header.  The datapath patches, per packet: IPv4 total length and checksum,
 * UDP length, key (flow-chosen), entropy. */
struct tnl_template {
    uint8_t bytes[TNL_TEMPLATE_MAX];
    uint8_t len;         /* Outer Ethernet to tunnel header, inclusive. */
    uint8_t ip_off;      /* Of the outer IPv4 header. */
    uint8_t udp_off;     /* 0: no UDP header. */
    uint8_t key_off;     /* Of the 24-bit key. */
    uint8_t entropy_off;
    uint8_t entropy;     /* enum tnl_entropy */
    uint16_t entropy_min;  /* First source port, host order. */
    uint16_t entropy_span; /* Number of source ports. */
    uint32_t ip_csum; /* Folded ones' complement sum of the IPv4 header with
                       * length, id and checksum zero; of its 16-bit words
                       * as host integers. */
};

/* Name, default and help of one option, for weftctl's messages and the
 * manual page. */
struct tnl_option {
    const char *name;
    const char *dflt;
    const char *help;
};

struct tnl_ops {
    const char *name;           /* "vxlan" */
    const char *title;          /* "VXLAN (RFC 7348)" */
    uint8_t ip_proto;           /* 17 or 47. */
    uint16_t default_dst_port;  /* UDP only. */
    uint16_t gre_proto;         /* GRE only: 0x6558. */
    uint32_t key_min, key_max;  /* Allowed keys, inclusive. */
    uint8_t l4_overhead;        /* UDP/GRE + tunnel header bytes. */
    bool has_options;           /* A received header may be longer. */
    const struct tnl_option *options; /* Ends with a NULL name. */

    /* Fills 'c' with this type's defaults. */
    void (*defaults)(struct tnl_config *c);
    /* One "name=value".  0, -ENOENT (option unknown to the type) or -EINVAL
     * with 'e' filled. */
    int (*parse)(struct tnl_config *c, const char *name, const char *value,
                 struct weft_err *e);
    /* After all options: checks the whole.  0 or -EINVAL with 'e' filled. */
    int (*check)(const struct tnl_config *c, struct weft_err *e);
    /* Writes "name=value name=value", only what differs from the defaults
     * plus remote, local and key; returns the length as snprintf does. */
    int (*print)(const struct tnl_config *c, char *buf, size_t size);

    /* Appends UDP/GRE and tunnel header to t->bytes at t->len (Ethernet and
     * IPv4 are already there) and sets the patch offsets. */
    void (*build)(const struct tnl_config *c, struct tnl_template *t);
    /* 'p' points behind the outer IPv4 header, 'len' bytes are there (the IP
     * payload).  Fills 'm' when it returns TNL_OK.  Thread: worker. */
    enum tnl_verdict (*decap)(const uint8_t *p, size_t len,
                              struct tnl_meta *m);

    /* A valid packet from the outer L4/GRE header on, with its source, for
     * the tests that run over every type. */
    const uint8_t *golden;
    size_t golden_len;
    uint32_t golden_key;
};

/* tunnels/registry.c.  Thread: any. */
const struct tnl_ops *tnl_type_by_name(const char *name);
const struct tnl_ops *tnl_type_by_index(unsigned i); /* NULL past the end. */

/* Parses options[] ("name=value" split into two strings each) for 't'.
 * Thread: control.  0 or -EINVAL with 'e' filled. */
WEFT_MUST_CHECK int tnl_config_parse(const struct tnl_ops *t,
                                     const char *const names[],
                                     const char *const values[], size_t n,
                                     struct tnl_config *c,
                                     struct weft_err *e);

/* The same for a live port: options that are not named keep the value they
 * have in 'c'; on an error 'c' is unchanged.  Thread: control. */
WEFT_MUST_CHECK int tnl_config_change(const struct tnl_ops *t,
                                      const char *const names[],
                                      const char *const values[], size_t n,
                                      struct tnl_config *c,
                                      struct weft_err *e);

/* Where packets for a remote leave: the underlay's answer. */
struct tnl_nexthop {
    uint32_t uplink;      /* dp_uplink id. */
    be32 src;             /* Source address to use. */
    uint8_t src_mac[6];
    uint8_t dst_mac[6];   /* Zero: the next hop does not answer; packets are
                           * dropped (TNL_NO_NEIGH) and resolve is asked. */
    uint16_t mtu;         /* Path MTU towards the remote, IP bytes. */
};

/* Writes outer Ethernet and IPv4 headers, then calls the type's build, then
 * computes ip_csum.  'remote' is the outer destination.  Thread: control. */
void tnl_template_build(const struct tnl_ops *t, const struct tnl_config *c,
                        const struct tnl_nexthop *nh, be32 remote,
                        struct tnl_template *out);

#endif
