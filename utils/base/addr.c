/* SPDX-License-Identifier: Apache-2.0 */
#include "addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
base_parse_u64(const char *s, uint64_t max, uint64_t *out)
{
    int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    char *end;

    if (!isxdigit((unsigned char) s[0]))
        return -EINVAL;
    errno = 0;
    unsigned long long v = strtoull(s, &end, base);
    if (errno == ERANGE)
        return -ERANGE;
    if (*end || (base == 16 && end == s + 1))
        return -EINVAL;
    if (v > max)
        return -ERANGE;
    *out = v;
    return 0;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int
base_parse_mac(const char *s, uint8_t mac[6])
{
    uint8_t b[6];

    for (unsigned i = 0; i < 6; i++) {
        int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

        if (high < 0)
            return -EINVAL;
        b[i] = (uint8_t) (low < 0 ? high : high << 4 | low);
        s += low < 0 ? 1 : 2;
        if (*s != (i < 5 ? ':' : '\0'))
            return -EINVAL;
        s += i < 5;
    }
    memcpy(mac, b, 6);
    return 0;
}

int
base_parse_ipv4(const char *s, uint32_t *addr)
{
    struct in_addr a;

    if (inet_pton(AF_INET, s, &a) != 1)
        return -EINVAL;
    *addr = a.s_addr;
    return 0;
}

int
base_parse_ipv6(const char *s, uint8_t addr[16])
{
    struct in6_addr a;

    if (inet_pton(AF_INET6, s, &a) != 1)
        return -EINVAL;
    memcpy(addr, &a, 16);
    return 0;
}

const char *
base_format_mac(const uint8_t mac[6], char buf[BASE_MAC_LEN])
{
    snprintf(buf, BASE_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
             mac[1], mac[2], mac[3], mac[4], mac[5]);
    return buf;
}

const char *
base_format_ipv4(uint32_t addr_be, char buf[BASE_IPV4_LEN])
{
    return inet_ntop(AF_INET, &addr_be, buf, BASE_IPV4_LEN);
}

const char *
base_format_ipv6(const uint8_t addr[16], char buf[BASE_IPV6_LEN])
{
    return inet_ntop(AF_INET6, addr, buf, BASE_IPV6_LEN);
}

bool
base_ipv4_is_unicast(uint32_t addr_be)
{
    uint8_t first = (uint8_t) (ntohl(addr_be) >> 24);

    return first != 0 && first != 127 && first < 224;
}
