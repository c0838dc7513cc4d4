# SPDX-License-Identifier: Apache-2.0
"""Typed API: identifiers, class numbers, accessors, lists, match struct."""
from . import fields, names
from .emit import Out, by_version, upper, version_const
from .lexer import InputError
from .types import BUILTINS

ABSENT = 0xffff


def emit_classes(model):
    o = Out("numbers and types of classes", "LOCI_CLASSES_H")
    o.put('#include "loci/loci_base.h"\n')
    o.put("enum of_object_id_e {\n    OF_OBJECT_INVALID = -1,")
    count = 0
    messages = [u for u in model.unified if u.is_message]
    others = [u for u in model.unified if not u.is_message]
    for u in messages + others:
        o.put(f"    {upper(u.name)} = {count},")
        count += 1
    first_list = count
    for name in model.lists:
        o.put(f"    {upper(list_class(name))} = {count},")
        count += 1
    o.put(f"    OF_MESSAGE_OBJECT_COUNT = {len(messages)},")
    o.put(f"    OF_LIST_OBJECT_FIRST = {first_list},")
    o.put(f"    OF_OBJECT_COUNT = {count}")
    o.put("};\n")
    for u in model.unified:
        o.put(f"typedef of_object_t {u.name}_t;")
    for name in model.lists:
        o.put(f"typedef of_object_t {list_class(name)}_t;")
    return o


def list_class(element):
    return "of_list_" + element[len("of_"):]


def emit_idents(model):
    """Constants: X when it is the same everywhere, X_BY_VERSION always."""
    o = Out("constants of the specification", "LOCI_IDENTS_H")
    o.put('#include "loci/loci_base.h"\n')
    owner, values, flags, order = {}, {}, {}, []
    for (v, name), enum in sorted(model.enums.items(),
                                  key=lambda kv: (kv[0][1], kv[0][0])):
        for e in enum.entries:
            c_name = names.ident(e.name)
            if owner.setdefault(c_name, (name, e.name)) != (name, e.name):
                c_name = e.name
                taken = owner.setdefault(c_name, (name, e.name))
                if taken != (name, e.name):
                    raise InputError(e.pos, f"{e.name}: also in {taken[0]}")
            if c_name not in values:
                order.append(c_name)
            values.setdefault(c_name, {})[v] = e.value
            if enum.params.get("bitmask") and not e.virtual:
                flags[c_name] = True
    last = None
    for c_name in order:
        group = owner[c_name][0]
        if group != last:
            o.put(f"\n/* {group} */")
            last = group
        put_ident(o, model, c_name, values[c_name])
        if c_name in flags:
            put_flag(o, c_name)
    return o


def put_ident(o, model, c_name, values):
    numbers = {v: f"{n:#x}u" if n > 0x7fffffff else str(n)
               for v, n in values.items()}
    same = len(set(values.values())) == 1
    newest = numbers[max(numbers)]
    if same:
        o.put(f"#define {c_name} {newest}")
    o.put(f"#define {c_name}_GENERIC {newest}")
    supported = " || ".join(f"(v) == {version_const(v)}"
                            for v in sorted(values))
    if set(values) == set(model.versions):
        supported = "OF_VERSION_OKAY(v)"
    o.put(f"#define {c_name}_SUPPORTED(v) ({supported})")
    o.put(f"#define {c_name}_BY_VERSION(v) ({by_version(numbers, '(v)')})"
          if not same else f"#define {c_name}_BY_VERSION(v) ({newest})")


def put_flag(o, c_name):
    o.put(f"#define {c_name}_SET(flags, v) \\\n"
          f"    ((flags) |= {c_name}_BY_VERSION(v))")
    o.put(f"#define {c_name}_CLEAR(flags, v) \\\n"
          f"    ((flags) &= ~{c_name}_BY_VERSION(v))")
    o.put(f"#define {c_name}_TEST(flags, v) \\\n"
          f"    (((flags) & {c_name}_BY_VERSION(v)) != 0)")


def emit_match_fields(model, match_fields):
    o = Out("the flat match", "OF_MATCH_FIELDS_H")
    o.put('#include "loci/loci_base.h"\n')
    o.put("/* Named after OXM fields, integers in host order. */")
    o.put("typedef struct of_match_fields_s {")
    # Wide members first: no holes.
    for f in sorted(match_fields, key=lambda f: (-f.value.width & ~1, f.name)):
        o.put(f"    {BUILTINS[f.value.type].ctype} {f.name};")
    o.put("} of_match_fields_t;\n")
    o.put("/* A bit that is 0 in 'masks' is not looked at. */")
    o.put("typedef struct of_match_s {\n    of_version_t version;\n"
          "    of_match_fields_t fields;\n    of_match_fields_t masks;\n"
          "} of_match_t;\n")
    o.put("enum of_match_field_id {")
    for f in match_fields:
        o.put(f"    OF_MATCH_FIELD_{upper(f.name)},")
    o.put("    OF_MATCH_FIELD_COUNT\n};\n")
    for f in match_fields:
        up = upper(f.name)
        o.put(f"#define OF_MATCH_MASK_{up}_EXACT_SET(m) \\\n"
              f"    memset(&(m)->masks.{f.name}, 0xff, "
              f"sizeof (m)->masks.{f.name})")
        o.put(f"#define OF_MATCH_MASK_{up}_CLEAR(m) \\\n"
              f"    memset(&(m)->masks.{f.name}, 0, "
              f"sizeof (m)->masks.{f.name})")
        o.put(f"#define OF_MATCH_MASK_{up}_EXACT_TEST(m) \\\n"
              f"    of_bytes_are(&(m)->masks.{f.name}, 0xff, "
              f"sizeof (m)->masks.{f.name})")
        o.put(f"#define OF_MATCH_MASK_{up}_ACTIVE_TEST(m) \\\n"
              f"    (!of_bytes_are(&(m)->masks.{f.name}, 0, "
              f"sizeof (m)->masks.{f.name}))")
    return o


class Accessors:
    """The functions of one class."""

    def __init__(self, out, u):
        self.o, self.u = out, u

    def emit(self):
        self.life(self.u.name)
        for name, versions in sorted(self.u.member_names().items()):
            kinds = {self.family(m) for m in versions.values()}
            if len(kinds) > 1:
                pos = next(iter(versions.values())).pos
                raise InputError(pos, f"{self.u.name}.{name} is"
                                      f" {' and '.join(sorted(kinds))}")
            getattr(self, kinds.pop())(name, versions)

    def life(self, name):
        put_life(self.o, name)

    @staticmethod
    def family(m):
        return "integer" if m.kind in ("int", "port") else \
            "block" if m.kind in ("bytes", "words") else m.kind

    def each(self, versions, of):
        """of(member) per version of the class, ABSENT where it is not."""
        return by_version({v: of(versions[v]) if v in versions else ABSENT
                           for v in self.u.versions}, "obj->version")

    def index(self, versions):
        return by_version({v: self.u.versions[v].members.index(versions[v])
                           if v in versions else ABSENT
                           for v in self.u.versions}, "obj->version")

    def place(self, versions):
        if any(m.base is not None for m in versions.values()):
            return f"of_member_offset(obj, {self.index(versions)})"
        return self.each(versions, lambda m: m.offset)

    def function(self, result, name, params, body):
        self.o.put(f"static inline {result}\n{name}({params})\n{{\n"
                   f"    {body}\n}}\n")

    def integer(self, name, versions):
        members = list(versions.values())
        widest = max(members, key=lambda m: (m.width, m.kind))
        ctype = BUILTINS[widest.type].ctype
        place = self.place(versions)
        port = any(m.kind == "port" for m in members)
        widths = {m.width for m in members}
        if port:
            get = f"of_port_load(obj, {place})"
            put = f"of_port_store(obj, {place}, {name});"
        elif len(widths) == 1:
            bits = widths.pop() * 8
            get = f"of_u{bits}_load(obj, {place})"
            value = name
            if isinstance(BUILTINS[widest.type].width, dict):
                value = f"(uint{bits}_t) {name}"  # Wider in C.
            put = f"of_u{bits}_store(obj, {place}, {value});"
        else:
            width = self.each(versions, lambda m: m.width)
            get = f"of_uint_load(obj, {place}, {width})"
            put = f"of_uint_store(obj, {place}, {width}, {name});"
        cast = f"({ctype}) " if len(widths) > 1 or ctype == "char" else ""
        cls = self.u.name
        self.function("void", f"{cls}_{name}_get",
                      f"const {cls}_t *obj, {ctype} *{name}",
                      f"*{name} = {cast}{get};")
        self.function("void", f"{cls}_{name}_set",
                      f"{cls}_t *obj, {ctype} {name}", put)

    def block(self, name, versions):
        m = next(iter(versions.values()))
        b = BUILTINS[m.type]
        cls, place = self.u.name, self.place(versions)
        source = name if b.array else "&" + name
        self.function("void", f"{cls}_{name}_get",
                      f"const {cls}_t *obj, {b.ctype} *{name}",
                      f"of_{m.kind}_load(obj, {place}, {m.width}, {name});")
        const = "const " if b.array else ""
        self.function("void", f"{cls}_{name}_set",
                      f"{cls}_t *obj, {const}{b.ctype} {name}",
                      f"of_{m.kind}_store(obj, {place}, {m.width},"
                      f" {source});")

    def octets(self, name, versions):
        cls, index = self.u.name, self.index(versions)
        self.function("void", f"{cls}_{name}_get",
                      f"const {cls}_t *obj, of_octets_t *{name}",
                      f"of_octets_load(obj, {index}, {name});")
        self.function("WEFT_MUST_CHECK int", f"{cls}_{name}_set",
                      f"{cls}_t *obj, const of_octets_t *{name}",
                      f"return of_octets_store(obj, {index}, {name});")

    def match(self, name, versions):
        cls, index = self.u.name, self.index(versions)
        self.function("WEFT_MUST_CHECK int", f"{cls}_{name}_get",
                      f"{cls}_t *obj, of_match_t *{name}",
                      f"return of_object_match_get(obj, {index}, {name});")
        self.function("WEFT_MUST_CHECK int", f"{cls}_{name}_set",
                      f"{cls}_t *obj, const of_match_t *{name}",
                      f"return of_object_match_set(obj, {index}, {name});")
        self.bind(name, index, "of_object_t")

    def bind(self, name, index, ctype):
        cls = self.u.name
        self.function("void", f"{cls}_{name}_bind",
                      f"{cls}_t *obj, {ctype} *{name}",
                      f"of_member_bind(obj, {index}, {name});")

    def object(self, name, versions):
        self.child(name, versions,
                   next(iter(versions.values())).cls + "_t")

    def list(self, name, versions):
        self.child(name, versions,
                   list_class(next(iter(versions.values())).cls) + "_t")

    def child(self, name, versions, ctype):
        cls, index = self.u.name, self.index(versions)
        self.bind(name, index, ctype)
        self.function(f"WEFT_MUST_CHECK {ctype} *", f"{cls}_{name}_get",
                      f"{cls}_t *obj",
                      f"return of_member_copy(obj, {index});")
        self.function("WEFT_MUST_CHECK int", f"{cls}_{name}_set",
                      f"{cls}_t *obj, const {ctype} *{name}",
                      f"return of_member_replace(obj, {index}, {name});")


def put_life(o, name):
    up = upper(name)
    o.put(f"static inline WEFT_MUST_CHECK {name}_t *\n"
          f"{name}_new(of_version_t version)\n{{\n"
          f"    return of_object_create(version, {up});\n}}\n")
    o.put(f"static inline void\n{name}_delete({name}_t *obj)\n{{\n"
          f"    of_object_delete(obj);\n}}\n")
    o.put(f"static inline void\n{name}_init({name}_t *obj, "
          f"of_version_t version, int bytes,\n    int clean_wire)\n{{\n"
          f"    of_object_setup(obj, version, {up}, bytes, clean_wire);\n"
          f"}}\n")


def emit_list(o, element):
    name = list_class(element)
    up = upper(name)
    put_life(o, name)
    for verb in ("first", "next"):
        o.put(f"static inline int\n{name}_{verb}(const {name}_t *list,"
              f" {element}_t *obj)\n{{\n"
              f"    return of_list_{verb}(list, obj);\n}}\n")
    o.put(f"static inline WEFT_MUST_CHECK int\n{name}_append({name}_t *list,"
          f" const {element}_t *obj)\n{{\n"
          f"    return of_list_append(list, obj);\n}}\n")
    o.put(f"static inline WEFT_MUST_CHECK int\n{name}_append_bind("
          f"{name}_t *list, {element}_t *obj)\n{{\n"
          f"    return of_list_append_bind(list, obj);\n}}\n")
    o.put(f"#define {up}_ITER(list, obj, rv) \\\n"
          f"    for ((rv) = {name}_first((list), (obj)); \\\n"
          f"         (rv) == OF_ERROR_NONE; \\\n"
          f"         (rv) = {name}_next((list), (obj)))\n")


GROUPS = {
    "of_messages.h": "messages",
    "of_stats.h": "multipart messages and their entries",
    "of_structs.h": "actions, instructions and other parts",
    "of_oxms.h": "match fields",
}


def group_of(u):
    if u.name.startswith("of_oxm"):
        return "of_oxms.h"
    if "_stats_" in u.name:
        return "of_stats.h"
    return "of_messages.h" if u.is_message else "of_structs.h"


def emit_accessors(model):
    outs = {}
    for file, what in GROUPS.items():
        guard = file.upper().replace(".", "_")
        outs[file] = Out(what, guard)
        outs[file].put('#include "loci/of_object.h"\n'
                       '#include "loci/of_match.h"\n')
    for u in model.unified:
        Accessors(outs[group_of(u)], u).emit()
    lists = Out("lists", "OF_LISTS_H")
    lists.put('#include "loci/of_object.h"\n')
    for element in model.lists:
        emit_list(lists, element)
    outs["of_lists.h"] = lists
    return outs


def emit(model):
    match_fields = fields.collect(model)
    outs = {"loci/" + name: out
            for name, out in emit_accessors(model).items()}
    outs["loci/loci_classes.h"] = emit_classes(model)
    outs["loci/loci_idents.h"] = emit_idents(model)
    outs["loci/of_match_fields.h"] = emit_match_fields(model, match_fields)
    return outs
