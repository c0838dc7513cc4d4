# SPDX-License-Identifier: Apache-2.0
"""From parsed files to classes with a layout.

What:   load() reads directories, build() resolves types, parents, offsets
        and derived classes, per version, and unifies classes by name.
Model:  Class is one class of one version; Unified the classes of one name.
        A member's place is (base, offset): offset bytes behind the end of
        member 'base', or behind the start of the object when base is None.
Errors: InputError.
"""
import os
from dataclasses import dataclass, field

from .lexer import InputError, Pos
from .parser import parse_text
from .types import BUILTINS

NO_POS = Pos("(derived)", 0, 0)
HEADER = "of_header"
LENGTH_NAMES = ("length", "len")
ID_FAMILIES = ("of_action", "of_instruction")
MATCH_CLASS = {1: "of_match_v1", 2: "of_match_v2"}
OXM_ID = "of_oxm_id"


def strip_t(name):
    return name[:-2] if name.endswith("_t") else name


@dataclass
class Member:
    name: str
    role: str            # data disc fixed fieldlen version length
    kind: str            # int port bytes words octets list object match
    width: int           # Scalars: bytes on the wire.
    pos: Pos
    value: int = 0
    type: str = ""       # Builtin name of a scalar.
    enum: str = ""
    cls: str = ""        # Element or embedded class.
    target: str = ""     # fieldlen: what it measures.
    base: object = None  # Index of the last variable member before.
    offset: int = 0
    counted_by: object = None  # Index of the fieldlen member.
    variable: bool = False
    min_size: int = 0
    end: int = 0           # Minimal bytes of the class up to its end.

    @property
    def scalar(self):
        return self.kind in ("int", "port", "bytes", "words")

    @property
    def accessible(self):
        return self.role in ("data", "disc")


@dataclass
class Class:
    name: str
    version: int
    parent_name: str
    members: list
    pos: Pos
    align: int = 0
    align_included: bool = False
    parent: object = None
    children: list = field(default_factory=list)
    min_size: int = 0      # With the pad of align.
    content_size: int = 0  # Without.

    @property
    def disc(self):
        return next((m for m in self.members if m.role == "disc"), None)

    @property
    def length(self):
        return next((m for m in self.members if m.role == "length"), None)

    @property
    def root(self):
        c = self
        while c.parent:
            c = c.parent
        return c

    @property
    def is_message(self):
        return self.root.name == HEADER

    @property
    def is_tlv32(self):
        """Headed by a 32-bit OXM header, whose last byte is the length."""
        return bool(self.members) and self.members[0].name == "type_len"

    @property
    def ends_with_match(self):
        """Has no length of its own: that of its last member says it."""
        last = self.members[-1] if self.members else None
        return bool(last) and last.kind == "match" and not self.length \
            and self.version > 2 and last.offset + last.min_size \
            == self.content_size and not self.children

    @property
    def variable(self):
        return any(m.variable for m in self.members) \
            or bool(self.disc) and self.length is not None \
            or self.root.is_tlv32 and self.disc is not None

    def member(self, name):
        return next((m for m in self.members if m.name == name), None)


@dataclass
class Unified:
    name: str
    versions: dict = field(default_factory=dict)

    @property
    def is_message(self):
        return next(iter(self.versions.values())).is_message

    def member_names(self):
        names = {}
        for v in sorted(self.versions):
            for m in self.versions[v].members:
                if m.accessible:
                    names.setdefault(m.name, {})[v] = m
        return names


@dataclass
class EnumV:
    name: str
    version: int
    params: dict
    entries: list
    pos: Pos


@dataclass
class Model:
    versions: list
    classes: dict        # (version, name) -> Class
    unified: list        # Messages first, each part sorted by name.
    enums: dict          # (version, name) -> EnumV
    lists: list          # Element class names, sorted.


def load(paths):
    """Parses files, and directories' files in the order of their names."""
    files = []
    for path in paths:
        names = [path]
        if os.path.isdir(path):
            names = [os.path.join(path, n) for n in sorted(os.listdir(path))
                     if not n.startswith(".") and not n.endswith((".mk", "~"))]
            names = [n for n in names if os.path.isfile(n)]
        for name in names:
            with open(name, encoding="utf-8") as f:
                files.append(parse_text(f.read(), os.path.basename(name)))
    return files


class Builder:
    def __init__(self, files, versions=None):
        self.files = files
        found = sorted({v for f in files for v in f.versions
                        if len(f.versions) < 6})
        self.versions = [v for v in found if not versions or v in versions]
        self.enums = {}
        self.structs = {}
        self.classes = {}
        self.busy = set()

    def build(self):
        self.collect_enums()
        self.collect_structs()
        for v, name in sorted(self.structs):
            self.make_class(v, self.structs[v, name])
        for v in self.versions:
            self.derive_ids(v)
            self.link(v)
        for key in sorted(self.classes):
            self.layout(self.classes[key])
        return self.finish()

    def versions_of(self, f):
        return [v for v in f.versions if v in self.versions]

    def collect_enums(self):
        later = []
        for f in self.files:
            for e in f.enums:
                for v in self.versions_of(f):
                    if e.params.get("extend"):
                        later.append((v, e))
                    elif (v, e.name) in self.enums:
                        raise InputError(e.pos, f"enum {e.name} defined twice"
                                                f" for version {v}")
                    else:
                        self.enums[v, e.name] = EnumV(
                            e.name, v, e.params, list(e.entries), e.pos)
        for v, e in later:
            if (v, e.name) not in self.enums:
                raise InputError(e.pos, f"extend: no enum {e.name} in"
                                        f" version {v}")
            self.enums[v, e.name].entries.extend(e.entries)
        for enum in self.enums.values():
            seen = set()
            for entry in enum.entries:
                if entry.name in seen:
                    raise InputError(entry.pos, f"{entry.name} twice in enum"
                                                f" {enum.name}")
                seen.add(entry.name)

    def collect_structs(self):
        for f in self.files:
            for s in f.structs:
                for v in self.versions_of(f):
                    if (v, s.name) in self.structs:
                        raise InputError(s.pos, f"struct {s.name} defined"
                                                f" twice for version {v}")
                    self.structs[v, s.name] = s
        for v in self.versions:
            if (v, "of_oxm") in self.structs and \
                    (v, OXM_ID) not in self.structs:
                self.classes[v, OXM_ID] = self.oxm_id_class(v)

    @staticmethod
    def oxm_id_class(v):
        """4 bytes of OXM header, 8 when its class is experimenter."""
        header = Member("type_len", "data", "int", 4, NO_POS, type="uint32_t")
        return Class(OXM_ID, v, "", [header], NO_POS)

    def embedded(self, v, name):
        """The class that type 'name' embeds in version v, or None."""
        base = strip_t(name)
        if base == "of_match":
            base = MATCH_CLASS.get(v, "of_match_v3")
        elif base == "of_stat":
            base = "of_stat_v6"
        for known in (self.structs, self.classes):
            if (v, base) in known:
                return base
        # An id class will be derived later.
        for family in ID_FAMILIES:
            if base == family + "_id" and (v, family) in self.structs:
                return base
        return None

    def make_class(self, v, s):
        names = set()
        out = []
        for m in s.members:
            if m.role != "pad":
                if m.name in names:
                    raise InputError(m.pos, f"member {m.name} twice in"
                                            f" {s.name}")
                names.add(m.name)
            out.append(self.make_member(v, s, m))
        self.classes[v, s.name] = Class(
            s.name, v, s.parent, out, s.pos, s.params.get("align", 0),
            s.params.get("length_includes_align", False))

    def make_member(self, v, s, m):
        if m.role == "pad":
            return Member("", "pad", "pad", m.value, m.pos)
        if m.shape == "list":
            cls = self.embedded(v, m.type)
            if not cls:
                raise InputError(m.pos, f"unknown class {m.type}")
            return Member(m.name, "data", "list", 0, m.pos, cls=cls)
        type_name, enum = m.type, ""
        if m.shape == "enum":
            e = self.enums.get((v, m.type))
            if not e:
                raise InputError(m.pos, f"no enum {m.type} in version {v}")
            if "wire_type" not in e.params:
                raise InputError(m.pos, f"enum {m.type} has no wire_type")
            enum, type_name = m.type, e.params["wire_type"]
        b = BUILTINS.get(type_name)
        if not b:
            cls = self.embedded(v, type_name)
            if not cls:
                raise InputError(m.pos, f"unknown type {type_name}")
            kind = "match" if strip_t(type_name) == "of_match" else "object"
            return Member(m.name, "data", kind, 0, m.pos, cls=cls)
        if m.array:
            raise InputError(m.pos, "arrays are not supported")
        role = m.role
        if role == "data" and m.name in LENGTH_NAMES and b.width == 2:
            role = "length"
        if role == "data" and m.name == "version" and \
                (s.name == HEADER or s.parent):
            role = "version"
        return Member(m.name, role, b.kind, b.width_at(v), m.pos,
                      value=m.value, type=type_name, enum=enum,
                      target=m.target)

    def derive_ids(self, v):
        """Table features name actions and instructions without their data."""
        if v < 4:
            return
        for family in ID_FAMILIES:
            for (cv, name), c in sorted(self.classes.items()):
                in_family = name == family or self.has_ancestor(c, family)
                id_name = family + "_id" + name[len(family):]
                if cv != v or not in_family or (v, id_name) in self.structs:
                    continue
                parent = c.parent_name
                if parent:
                    parent = family + "_id" + parent[len(family):]
                members = [Member(m.name, m.role, m.kind, m.width, m.pos,
                                  m.value, m.type, m.enum)
                           for m in c.members
                           if m.role in ("disc", "fixed", "length")]
                self.classes[v, id_name] = Class(id_name, v, parent, members,
                                                 c.pos)

    def has_ancestor(self, c, family):
        while c and c.parent_name:
            if c.parent_name == family:
                return True
            c = self.classes.get((c.version, c.parent_name))
        return False

    def link(self, v):
        for (cv, _), c in sorted(self.classes.items()):
            if cv != v or not c.parent_name:
                continue
            c.parent = self.classes.get((v, c.parent_name))
            if not c.parent:
                raise InputError(c.pos, f"{c.name}: no parent"
                                        f" {c.parent_name} in version {v}")
            if not c.parent.disc:
                raise InputError(c.pos, f"{c.name}: parent {c.parent_name}"
                                        " has no discriminator")
            c.parent.children.append(c)

    def layout(self, c):
        """Offsets, sizes and what counts what; recursive for members."""
        if c.min_size or (c.version, c.name) in self.busy:
            return
        self.busy.add((c.version, c.name))
        base, offset, total = None, 0, 0
        named = []
        for m in c.members:
            if m.role == "pad":
                offset += m.width
                total += m.width
                continue
            m.base, m.offset = base, offset
            self.measure(c, m)
            named.append(m)
            total += m.min_size
            m.end = total
            offset += m.min_size
            if m.variable:
                base, offset = len(named) - 1, 0
        c.members = named
        for i, m in enumerate(named):
            if m.role != "fieldlen":
                continue
            target = c.member(m.target)
            if not target or not target.variable:
                raise InputError(m.pos, f"length({m.target}): no such"
                                        " variable member")
            target.counted_by = i
        c.content_size = total
        c.min_size = total
        if c.align:
            c.min_size = -(-total // c.align) * c.align

    def measure(self, c, m):
        if m.scalar:
            m.min_size = m.width
            return
        m.variable = True
        if m.kind == "octets":
            return
        element = self.classes[c.version, m.cls]
        self.layout(element)
        if m.kind == "list":
            if not element.min_size:
                raise InputError(m.pos, f"list of {m.cls}, which may be empty")
            if element.variable and not element.length \
                    and not element.is_tlv32 \
                    and not element.ends_with_match:
                raise InputError(m.pos, f"list of {m.cls}, which has no length")
            return
        m.min_size = element.min_size
        m.variable = element.variable or bool(element.children) \
            or element.name == OXM_ID

    def finish(self):
        unified = {}
        for (v, name), c in sorted(self.classes.items()):
            unified.setdefault(name, Unified(name)).versions[v] = c
        lists = sorted({m.cls for c in self.classes.values()
                        for m in c.members if m.kind == "list"})
        order = sorted(unified.values(),
                       key=lambda u: (not u.is_message, u.name))
        return Model(self.versions, self.classes, order, self.enums, lists)


def build(files, versions=None):
    return Builder(files, versions).build()
