/* SPDX-License-Identifier: Apache-2.0 */
/* Text of addresses and numbers, both ways.
 * What:    MAC, IPv4, IPv6 and integer parsing that refuses trailing text.
 * Errors:  0 or -EINVAL, -ERANGE; outputs untouched on error.
 * Threads: any. */
#ifndef WEFT_BASE_ADDR_H
#define WEFT_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/compiler.h"

#define BASE_MAC_LEN 18  /* "xx:xx:xx:xx:xx:xx" and NUL. */
#define BASE_IPV4_LEN 16
#define BASE_IPV6_LEN 46

/* Decimal, 0x hexadecimal; nothing else.  Result <= max or -ERANGE. */
WEFT_MUST_CHECK int base_parse_u64(const char *s, uint64_t max, uint64_t *out);
WEFT_MUST_CHECK int base_parse_mac(const char *s, uint8_t mac[6]);
/* Network byte order. */
WEFT_MUST_CHECK int base_parse_ipv4(const char *s, uint32_t *addr);
WEFT_MUST_CHECK int base_parse_ipv6(const char *s, uint8_t addr[16]);

/* A host's address (network byte order): not 0/8, loopback, multicast, class E,
 * broadcast. */
bool base_ipv4_is_unicast(uint32_t addr_be);

/* Each returns 'buf'. */
const char *base_format_mac(const uint8_t mac[6], char buf[BASE_MAC_LEN]);
const char *base_format_ipv4(uint32_t addr_be, char buf[BASE_IPV4_LEN]);
const char *base_format_ipv6(const uint8_t addr[16], char buf[BASE_IPV6_LEN]);

#endif
