/* SPDX-License-Identifier: Apache-2.0 */
/* What tunnel types share: options that every type has.
 *
 * What:    parsing, checking and printing of remote, local, key, ttl, tos, df
 *          and, for types that have them, port, src-port and inner-vlan.
 * Model:   a type lists in its ops' 'options' what it accepts; the common
 *          functions refuse the rest with -ENOENT.
 * Threads: control.  Owns: nothing.  Errors: 0 or -errno with 'e' filled. */
#ifndef TNL_TUNNEL_PRIV_H
#define TNL_TUNNEL_PRIV_H

#include "weft/tunnel.h"

/* Rows of an option table.  The common ones, then one per UDP option. */
#define TNL_OPTIONS_COMMON                                                    \
    { "remote", "", "remote end point: an IPv4 address; flow: tun_dst;"       \
                      " peers: those of add-peer; learn: also those that"     \
                      " send" },                                              \
        { "split-horizon", "on", "nothing goes from one network port with"    \
                                 " peers to another: on or off" },            \
        { "local", "any", "local end point: an IPv4 address" },               \
        { "key", "", "tenant's number, or flow: tun_id" },                    \
        { "ttl", "64", "TTL of the outer header, 1 to 255" },                 \
        { "tos", "0", "TOS byte of the outer header, or inherit: the inner"   \
                      " packet's" },                                          \
        { "df", "true", "don't-fragment bit of the outer header" }

#define TNL_ENTROPY_PORT_MIN 49152 /* RFC 7348 §5: dynamic ports, RFC 6335. */
#define TNL_ENTROPY_PORT_MAX 65535

/* Defaults of the common options and of t's UDP port. */
void tnl_common_defaults(const struct tnl_ops *t, struct tnl_config *c);
int tnl_common_parse(const struct tnl_ops *t, struct tnl_config *c,
                     const char *name, const char *value, struct weft_err *e);
int tnl_common_check(const struct tnl_ops *t, const struct tnl_config *c,
                     struct weft_err *e);
/* Of a type over UDP: appends the UDP header, whose source port tells flows
 * apart, and 'hlen' zero bytes for the tunnel header, which is returned. */
uint8_t *tnl_build_udp(const struct tnl_config *c, struct tnl_template *t,
                       unsigned hlen);
int tnl_common_print(const struct tnl_ops *t, const struct tnl_config *c,
                     char *buf, size_t size);

#endif
