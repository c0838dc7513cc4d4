# SPDX-License-Identifier: Apache-2.0
"""Built-in types: width on the wire, C type, way to load and store.

kind: int   big-endian integer, host integer in C
      port  16 bits in 1.0, 32 after; C always sees 32
      bytes copied as they are
      words an array of 64-bit words, each swapped
      octets variable length
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Builtin:
    kind: str
    width: object       # int, or {version: int} with key 0 for "others"
    ctype: str
    array: bool = False  # The C type is an array: passed as a pointer.

    def width_at(self, version):
        if isinstance(self.width, dict):
            return self.width.get(version, self.width[0])
        return self.width


BUILTINS = {
    "uint8_t": Builtin("int", 1, "uint8_t"),
    "uint16_t": Builtin("int", 2, "uint16_t"),
    "uint24_t": Builtin("int", 3, "uint32_t"),
    "uint32_t": Builtin("int", 4, "uint32_t"),
    "uint64_t": Builtin("int", 8, "uint64_t"),
    "char": Builtin("int", 1, "char"),
    "uint128_t": Builtin("words", 16, "of_uint128_t"),
    "of_mac_addr_t": Builtin("bytes", 6, "of_mac_addr_t"),
    "of_ipv4_t": Builtin("int", 4, "of_ipv4_t"),
    "of_ipv6_t": Builtin("bytes", 16, "of_ipv6_t"),
    "of_port_no_t": Builtin("port", {1: 2, 0: 4}, "of_port_no_t"),
    "of_fm_cmd_t": Builtin("int", {1: 2, 0: 1}, "of_fm_cmd_t"),
    "of_wc_bmap_t": Builtin("int", {1: 4, 2: 4, 0: 8}, "of_wc_bmap_t"),
    "of_match_bmap_t": Builtin("int", {1: 4, 2: 4, 0: 8}, "of_match_bmap_t"),
    "of_port_name_t": Builtin("bytes", 16, "of_port_name_t", True),
    "of_table_name_t": Builtin("bytes", 32, "of_table_name_t", True),
    "of_desc_str_t": Builtin("bytes", 256, "of_desc_str_t", True),
    "of_serial_num_t": Builtin("bytes", 32, "of_serial_num_t", True),
    "of_controller_uri_t": Builtin("bytes", 32, "of_controller_uri_t", True),
    "of_str64_t": Builtin("bytes", 64, "of_str64_t", True),
    "of_str32_t": Builtin("bytes", 32, "of_str32_t", True),
    "of_str6_t": Builtin("bytes", 6, "of_str6_t", True),
    "of_bitmap_128_t": Builtin("words", 16, "of_bitmap_128_t"),
    "of_bitmap_512_t": Builtin("words", 64, "of_bitmap_512_t"),
    "of_checksum_128_t": Builtin("words", 16, "of_checksum_128_t"),
    "of_octets_t": Builtin("octets", 0, "of_octets_t"),
}

VERSION_NAMES = {1: "1_0", 2: "1_1", 3: "1_2", 4: "1_3", 5: "1_4", 6: "1_5"}
