# SPDX-License-Identifier: Apache-2.0
"""The round trip test's table: one entry per accessor of every class.

tests/ofproto/test_bindings_roundtrip.c walks it; a value is a function of a
seed, so that setting and checking need no store.
"""
from .emit import Out, by_version, upper
from .emit_headers import Accessors, list_class
from .emit_tables import KINDS
from .types import BUILTINS


class Entries:
    """Set and check functions of one class."""

    def __init__(self, out, u):
        self.o, self.u = out, u
        self.rows = []

    def emit(self):
        for name, versions in sorted(self.u.member_names().items()):
            m = next(iter(versions.values()))
            if m.role == "disc":
                continue
            getattr(self, Accessors.family(m))(name, versions, m)
            bits = sum(1 << v for v in versions)
            stem = f"{self.u.name}_{name}"
            self.rows.append(
                f'    {{"{name}", OF_KIND_{KINDS[m.kind]}, {bits:#x},'
                f" set_{stem}, check_{stem}}},")
        self.o.put(f"static const struct rt_member rt_{self.u.name}[] = {{")
        for row in self.rows:
            self.o.put(row)
        self.o.put("    {0}};\n")

    def pair(self, name, set_body, check_body):
        stem = f"{self.u.name}_{name}"
        self.o.put(f"static bool\nset_{stem}(of_object_t *obj, uint64_t seed)"
                   f"\n{{\n{set_body}}}\n")
        self.o.put(f"static bool\ncheck_{stem}(of_object_t *obj,"
                   f" uint64_t seed)\n{{\n{check_body}}}\n")

    def integer(self, name, versions, _):
        widest = max(versions.values(), key=lambda m: (m.width, m.kind))
        ctype = BUILTINS[widest.type].ctype
        width = by_version({v: m.width for v, m in versions.items()},
                           "obj->version")
        value = f"rt_int(seed, {width})"
        if any(m.kind == "port" for m in versions.values()):
            value = "rt_port(obj, seed)"
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  f"    {stem}_set(obj, ({ctype}) {value});\n"
                  "    return true;\n",
                  f"    {ctype} v;\n\n    {stem}_get(obj, &v);\n"
                  f"    return v == ({ctype}) {value};\n")

    def block(self, name, _, m):
        b = BUILTINS[m.type]
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  f"    {b.ctype} v;\n\n    rt_fill(&v, sizeof v, seed);\n"
                  f"    {stem}_set(obj, v);\n    return true;\n",
                  f"    {b.ctype} v, want;\n\n"
                  "    rt_fill(&want, sizeof want, seed);\n"
                  f"    {stem}_get(obj, &v);\n"
                  "    return !memcmp(&v, &want, sizeof v);\n")

    def octets(self, name, *_):
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  "    uint8_t bytes[RT_MAX_OCTETS];\n"
                  "    of_octets_t v = rt_octets(obj, bytes, seed);\n\n"
                  f"    return {stem}_set(obj, &v) == OF_ERROR_NONE;\n",
                  "    uint8_t bytes[RT_MAX_OCTETS];\n"
                  "    of_octets_t v, want = rt_octets(obj, bytes, seed);\n\n"
                  f"    {stem}_get(obj, &v);\n"
                  "    return rt_octets_equal(obj, &v, &want);\n")

    def match(self, name, *_):
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  "    of_match_t v = rt_match(obj->version, seed);\n\n"
                  f"    return {stem}_set(obj, &v) == OF_ERROR_NONE;\n",
                  "    of_match_t v, want = rt_match(obj->version, seed);\n\n"
                  f"    return {stem}_get(obj, &v) == OF_ERROR_NONE\n"
                  "           && of_match_eq(&v, &want);\n")

    def child(self, name, ctype, fill, check):
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  f"    {ctype} v;\n\n    {stem}_bind(obj, &v);\n"
                  f"    return {fill}(&v, seed);\n",
                  f"    {ctype} v, *copy;\n    bool same;\n\n"
                  f"    {stem}_bind(obj, &v);\n"
                  f"    if (!{check}(&v, seed))\n        return false;\n"
                  "    /* A copy set again changes nothing. */\n"
                  f"    copy = {stem}_get(obj);\n"
                  f"    same = {stem}_set(obj, copy) == OF_ERROR_NONE;\n"
                  "    of_object_delete(copy);\n"
                  f"    {stem}_bind(obj, &v);\n"
                  f"    return same && {check}(&v, seed);\n")

    def list(self, name, _, m):
        self.child(name, list_class(m.cls) + "_t", "rt_list_fill",
                   "rt_list_check")

    def object(self, name, _, m):
        if not m.variable:
            self.child(name, m.cls + "_t", "rt_fill_object",
                       "rt_check_object")
            return
        # Virtual: any instance, set as a whole.
        stem = f"{self.u.name}_{name}"
        self.pair(name,
                  f"    {m.cls}_t *v = rt_instance(obj->version,"
                  f" {upper(m.cls)}, seed);\n"
                  f"    bool ok = v && {stem}_set(obj, v) == OF_ERROR_NONE;\n"
                  "\n    of_object_delete(v);\n    return ok;\n",
                  f"    {m.cls}_t v;\n\n    {stem}_bind(obj, &v);\n"
                  f"    return rt_instance_check(&v, {upper(m.cls)}, seed);\n")


def emit(model):
    o = Out("round trip test of every accessor")
    o.put('#include "tests/ofproto/of_roundtrip.h"\n')
    for u in model.unified:
        Entries(o, u).emit()
    o.put("const struct rt_member *const rt_classes[] = {")
    for u in model.unified:
        o.put(f"    [{upper(u.name)}] = rt_{u.name},")
    o.put("};")
    return {"of_roundtrip.c": o}
