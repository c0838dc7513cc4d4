# SPDX-License-Identifier: Apache-2.0
"""Descriptors: what the C runtime walks."""
from . import fields
from .emit import Out, upper
from .emit_headers import list_class
from .lexer import InputError
from .types import VERSION_NAMES

NONE = "OF_NO_MEMBER"
KINDS = {"int": "INT", "port": "PORT", "bytes": "BYTES", "words": "WORDS",
         "octets": "OCTETS", "list": "LIST", "object": "OBJECT",
         "match": "MATCH"}
# Root class -> the error a fault in it is answered with.
FAMILY = {"of_action": "ACTION", "of_instruction": "INSTRUCTION",
          "of_match_v3": "MATCH", "of_match_v2": "MATCH", "of_oxm": "OXM",
          "of_bucket": "BUCKET", "of_table_feature_prop": "TABLE_PROP",
          "of_table_features": "TABLE_FEATURES",
          "of_hello_elem": "HELLO_ELEM",
          "of_oxm_id": "TABLE_PROP", "of_action_id": "TABLE_PROP",
          "of_instruction_id": "TABLE_PROP",
          "of_oxs": "STAT", "of_stat_v6": "STAT"}
# Virtual class -> what an unknown value of its discriminator is.
REFUSAL = {"of_header": "TYPE", "of_stats_request": "STATS_TYPE",
           "of_stats_reply": "STATS_TYPE", "of_flow_mod": "FLOW_COMMAND",
           "of_group_mod": "GROUP_COMMAND"}


FORMATS = {"of_port_no_t": "PORT", "of_ipv4_t": "IPV4", "of_ipv6_t": "IPV6",
           "of_mac_addr_t": "MAC", "of_bitmap_512_t": "BYTES"}
HEX_WORDS = ("cookie", "mask", "metadata", "datapath_id", "eth_type",
             "ethertype", "type_len", "experimenter", "tunnel_id", "config",
             "wildcards")


def family(root):
    default = "PROP" if root.endswith("_prop") else "REQUEST"
    return FAMILY.get(root, default)


def format_of(m, name):
    """How the printers write scalar 'm', called 'name'."""
    if m.type in FORMATS:
        return FORMATS[m.type]
    if m.kind == "bytes":
        return "STRING"
    if m.kind == "words" or any(w in name for w in HEX_WORDS):
        return "HEX"
    return "DECIMAL"


def perfect_hash(keys):
    """(bits, multiplier): (key * multiplier mod 2^32) >> (32 - bits) is
    different for every key."""
    keys = sorted(keys)
    bits = 1
    while (1 << bits) < len(keys):
        bits += 1
    while True:
        seed = 0x9e3779b1
        for _ in range(400):
            mul = seed | 1
            slots = {(k * mul & 0xffffffff) >> (32 - bits) for k in keys}
            if len(slots) == len(keys):
                return bits, mul
            seed = (seed * 1664525 + 1013904223) & 0xffffffff
        bits += 1


class Tables:
    def __init__(self, model):
        self.model = model
        self.o = Out("descriptors of classes")
        self.enum_ids = {}
        for name in sorted({n for _, n in model.enums}):
            self.enum_ids[name] = len(self.enum_ids)

    def emit(self):
        o = self.o
        o.put('#include "loci/loci_classes.h"\n'
              '#include "loci/of_match_fields.h"\n'
              '#include "ofproto/bindings/of_desc.h"\n\n'
              '#include <stddef.h>\n')
        for u in self.model.unified:
            for v in sorted(u.versions):
                self.one_class(u.versions[v])
        self.class_table()
        self.list_table()
        self.message_roots()
        return o

    @staticmethod
    def tag(c):
        return f"{c.name}_{VERSION_NAMES[c.version]}"

    def one_class(self, c):
        tag = self.tag(c)
        if c.members:
            self.o.put(f"static const struct of_member m_{tag}[] = {{")
            for m in c.members:
                self.member(c, m)
            self.o.put("};")
        if c.children:
            self.dispatch(c)
        self.descriptor(c, tag)

    def member(self, c, m):
        tail = c.content_size - m.end
        min_at = m.end - m.min_size
        cls = "OF_OBJECT_INVALID"
        if m.cls:
            cls = upper(list_class(m.cls) if m.kind == "list" else m.cls)
        enum = self.enum_ids[m.enum] if m.enum else -1
        base = NONE if m.base is None else m.base
        counted = NONE if m.counted_by is None else m.counted_by
        self.o.put(
            f'    {{"{m.name}", {m.value:#x}, {m.offset}, {m.width},'
            f' {m.min_size}, {min_at}, {tail}, {cls}, {enum}, {base}, {counted},'
            f' OF_KIND_{KINDS[m.kind]}, OF_ROLE_{m.role.upper()},'
            f' OF_FORMAT_{format_of(m, m.name)},'
            f' {int(m.variable)}}},')

    def dispatch(self, c):
        key = {}
        for child in c.children:
            m = child.member(c.disc.name)
            if not m or m.role != "fixed" or m.offset != c.disc.offset:
                raise InputError(child.pos, f"{child.name} does not fix"
                                            f" {c.name}.{c.disc.name}")
            if c.name == "of_oxm":
                continue
            if m.value in key:
                raise InputError(child.pos, f"{child.name} and"
                                 f" {key[m.value].name} have the same"
                                 f" {c.disc.name}")
            key[m.value] = child
        if not key:
            return
        bits, mul = perfect_hash(key)
        slots = ["    {0, OF_OBJECT_INVALID},"] * (1 << bits)
        for value, child in key.items():
            slots[(value * mul & 0xffffffff) >> (32 - bits)] = \
                f"    {{{value:#x}, {upper(child.name)}}},"
        tag = self.tag(c)
        self.o.put(f"static const struct of_slot s_{tag}[] = {{")
        self.o.put("\n".join(slots))
        self.o.put("};")
        self.o.put(f"static const struct of_dispatch d_{tag} = {{"
                   f"s_{tag}, {mul:#x}u, {32 - bits}}};")

    def descriptor(self, c, tag):
        variable = [i for i, m in enumerate(c.members) if m.variable]
        vars_name = "NULL"
        if variable:
            self.o.put(f"static const uint8_t v_{tag}[] = {{"
                       + ", ".join(map(str, variable)) + "};")
            vars_name = f"v_{tag}"
        dispatch = bool(c.children) and c.name != "of_oxm"
        flags = []
        if c.variable:
            flags.append("OF_CLASS_VARIABLE")
        if c.align_included:
            flags.append("OF_CLASS_ALIGN_INCLUDED")
        if c.root.is_tlv32:
            flags.append("OF_CLASS_OXM_ID" if c.name == "of_oxm_id"
                         else "OF_CLASS_TLV32")
        if c.disc:
            flags.append("OF_CLASS_VIRTUAL")
        if c.name == "of_oxm":
            flags.append("OF_CLASS_OXM")
        if c.ends_with_match:
            flags.append("OF_CLASS_MATCH_ENDS")
        parent = upper(c.parent.name) if c.parent else "OF_OBJECT_INVALID"
        length = NONE if not c.length else c.length.offset
        self.o.put(f"static const struct of_class c_{tag} = {{")
        self.o.put(f"    .members = {f'm_{tag}' if c.members else 'NULL'},"
                   f" .n_members = {len(c.members)},")
        self.o.put(f"    .vars = {vars_name}, .n_vars = {len(variable)},")
        if dispatch:
            self.o.put(f"    .dispatch = &d_{tag},")
        if c.disc:
            self.o.put(f"    .disc_offset = {c.disc.offset},"
                       f" .disc_width = {c.disc.width},")
        self.o.put(f"    .id = {upper(c.name)}, .parent = {parent},"
                   f" .root = {upper(c.root.name)},")
        self.o.put(f"    .min_size = {c.min_size},"
                   f" .content_size = {c.content_size},")
        self.o.put(f"    .length_offset = {length}, .align = {c.align or 1},")
        self.o.put(f"    .family = OF_FAMILY_"
                   f"{family(c.root.name)},"
                   f" .refusal = OF_REFUSE_{REFUSAL.get(c.name, 'NOTHING')},")
        self.o.put(f"    .flags = {' | '.join(flags) or '0'}\n}};\n")

    def class_table(self):
        o = self.o
        o.put("const struct of_class *const of_class_table"
              "[OF_LIST_OBJECT_FIRST][OF_VERSION_COUNT] = {")
        for u in self.model.unified:
            cells = ", ".join(f"[{v}] = &c_{self.tag(u.versions[v])}"
                              for v in sorted(u.versions))
            o.put(f"    [{upper(u.name)}] = {{{cells}}},")
        o.put("};\n")

    def list_table(self):
        self.o.put("const int16_t of_list_elements[] = {")
        for name in self.model.lists:
            self.o.put(f"    [{upper(list_class(name))} -"
                       f" OF_LIST_OBJECT_FIRST] = {upper(name)},")
        self.o.put("};\n")
        self.o.put("const char *const of_object_id_str[] = {")
        for u in self.model.unified:
            self.o.put(f'    [{upper(u.name)}] = "{u.name}",')
        for name in self.model.lists:
            self.o.put(f'    [{upper(list_class(name))}] ='
                       f' "{list_class(name)}",')
        self.o.put("};\n")

    def message_roots(self):
        bits = sum(1 << v for v in self.model.versions)
        self.o.put(f"const uint32_t of_versions = {bits:#x};\n")


def emit_enums(model, tables):
    """Enum entries for the printers."""
    o = Out("names of enum values")
    o.put('#include "ofproto/bindings/of_desc.h"\n')
    rows = {}
    for (v, name), e in sorted(model.enums.items()):
        if name not in tables.enum_ids:
            continue
        tag = f"{name}_{VERSION_NAMES[v]}"
        if e.entries:
            o.put(f"static const struct of_enum_entry e_{tag}[] = {{")
            for x in e.entries:
                o.put(f'    {{{x.value:#x}, {int(x.virtual)},'
                      f' "{label(x.name)}"}},')
            o.put("};")
        rows.setdefault(name, []).append((v, tag, e))
    o.put("const struct of_enum of_enum_table[][OF_VERSION_COUNT] = {")
    for name, i in tables.enum_ids.items():
        o.put(f"    [{i}] = {{ /* {name} */")
        for v, tag, e in rows[name]:
            entries = f"e_{tag}" if e.entries else "NULL"
            o.put(f"        [{v}] = {{{entries}, {len(e.entries)},"
                  f" {int(e.params.get('bitmask', False))}}},")
        o.put("    },")
    o.put("};")
    return o


def label(name):
    """OFPFF_SEND_FLOW_REM -> send_flow_rem."""
    head, _, tail = name.partition("_")
    return (tail if head.startswith(("OFP", "NX")) and tail
            else name).lower()


def emit_fields(match_fields):
    """OXM fields by header, and where the flat match keeps them."""
    o = Out("match fields")
    o.put('#include "loci/loci_classes.h"\n'
          '#include "loci/of_match_fields.h"\n'
          '#include "ofproto/bindings/of_desc.h"\n\n'
          '#include <stddef.h>\n')
    keys = {oxm_key(f): f for f in match_fields}
    if len(keys) != len(match_fields):
        raise SystemExit("ofbind: two OXM fields share a hash key")
    o.put("const struct of_oxm_field of_oxm_fields[] = {")
    for f in match_fields:
        masked = upper(f.masked) if f.masked else "OF_OBJECT_INVALID"
        versions = sum(1 << v for v in f.versions)
        bits = fields.BITS.get(f.name, f.value.width * 8)
        o.put(f'    {{"{f.name}", {f.experimenter:#x}u, {f.type_len:#x}u,'
              f" {upper(f.cls)}, {masked},\n"
              f"     offsetof(of_match_fields_t, {f.name}),"
              f" {f.value.width}, {bits}, OF_KIND_{KINDS[f.value.kind]},"
              f" OF_FORMAT_{format_of(f.value, f.name)},"
              f" OF_PREREQ_{fields.PREREQ.get(f.name, 'NONE')},"
              f" {versions:#x}}},")
    o.put("};")
    o.put(f"const unsigned of_n_oxm_fields = {len(match_fields)};\n")
    bits, mul = perfect_hash(keys) if keys else (1, 1)
    slots = [-1] * (1 << bits)
    for k, f in keys.items():
        slots[(k * mul & 0xffffffff) >> (32 - bits)] = match_fields.index(f)
    o.put("static const struct of_slot slots[] = {")
    inverse = {match_fields.index(f): k for k, f in keys.items()}
    for s in slots:
        o.put(f"    {{{inverse.get(s, 0):#x}u, {s}}},")
    o.put("};")
    o.put("const struct of_dispatch of_oxm_dispatch = {"
          f"slots, {mul:#x}u, {32 - bits}}};")
    return o


def oxm_key(f):
    return (f.header + f.experimenter * 0x9e3779b1) & 0xffffffff


def emit(model):
    tables = Tables(model)
    match_fields = fields.collect(model)
    return {"of_tables.c": tables.emit(),
            "of_enums.c": emit_enums(model, tables),
            "of_fields.c": emit_fields(match_fields)}
