/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a port, as every type reads them.
 *
 * What:    refuses what the type does not know, finds values, parses the
 *          common ones.
 * Threads: control.  Owns: nothing.
 * Errors:  0 or -EINVAL with 'e' naming port, option, value and limit. */
#ifndef DP_PORT_OPT_H
#define DP_PORT_OPT_H

#include <stdbool.h>

#include "datapath/port.h"

/* Smallest IPv4 MTU (RFC 791 §3.2) and the largest frame a port can hold. */
#define PORT_MTU_MIN 68
#define PORT_MTU_MAX 65000

/* Every option is known to p->ops and given once. */
WEFT_MUST_CHECK int port_opt_check(const struct port *p,
                                   const struct dp_option *, size_t n,
                                   struct weft_err *e);
/* NULL: not given. */
const char *port_opt_get(const struct dp_option *, size_t n,
                         const char *name);

/* 'value' NULL: not given, *out stays. */
WEFT_MUST_CHECK int port_opt_mtu(const struct port *p, const char *value,
                                 uint16_t *out, struct weft_err *e);
/* Refuses multicast and zero addresses. */
WEFT_MUST_CHECK int port_opt_mac(const struct port *p, const char *value,
                                 uint8_t out[6], struct weft_err *e);
WEFT_MUST_CHECK int port_opt_bool(const struct port *p, const char *name,
                                  const char *value, bool *out,
                                  struct weft_err *e);
/* For ops->set: 'name' is an option that only creation takes (-EOPNOTSUPP) or
 * none at all (-ENOENT). */
WEFT_MUST_CHECK int port_opt_fixed(const struct port *p, const char *name,
                                   struct weft_err *e);

/* Sets p->status, as printf. */
void port_set_status(struct port *p, bool up, const char *fmt, ...)
    WEFT_PRINTF(3, 4);

#endif
