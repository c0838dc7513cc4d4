# SPDX-License-Identifier: Apache-2.0
"""Recursive descent over the description language.

What:   one file -> File(versions, structs, enums).  The whole grammar:

  file   := { meta | struct | enum }
  meta   := "#version" ( INT | "any" )
  struct := "struct" ID ["(" param {"," param} [","] ")"] [":" ID]
            "{" { member ";" } "}" ";"
  member := "pad" "(" INT ")"
          | type ID ["==" ("?" | "length" "(" ID ")" | INT)]
  type   := "enum" ID | "list" "(" ID ")" | ID ["[" (INT|ID) "]"]
  enum   := "enum" ID ["(" param ... ")"] "{" [entry {"," entry} [","]] "}" ";"
  entry  := ID ["(" "virtual" "=" WORD ")"] "=" INT

Errors: InputError with the place of the first unexpected word.
"""
from dataclasses import dataclass, field

from .lexer import InputError, Pos, tokenize

ALL_VERSIONS = (1, 2, 3, 4, 5, 6)
STRUCT_PARAMS = ("align", "length_includes_align")
ENUM_PARAMS = ("wire_type", "bitmask", "complete", "stable", "extend")


@dataclass
class Member:
    role: str           # pad, data, disc, fixed, fieldlen
    type: str           # builtin or class name, or enum name
    name: str
    pos: Pos
    shape: str = ""     # "", list, enum
    value: int = 0      # fixed: the value; pad: bytes
    target: str = ""    # fieldlen: the sibling it measures
    array: str = ""


@dataclass
class Struct:
    name: str
    parent: str
    params: dict
    members: list
    pos: Pos


@dataclass
class Entry:
    name: str
    value: int
    virtual: bool
    pos: Pos


@dataclass
class Enum:
    name: str
    params: dict
    entries: list
    pos: Pos


@dataclass
class File:
    name: str
    versions: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    enums: list = field(default_factory=list)


class Parser:
    def __init__(self, text, name):
        self.tokens = tokenize(text, name)
        self.at = 0
        self.file = File(name)

    def peek(self):
        return self.tokens[self.at]

    def take(self, *kinds):
        """The next token, which must be of one of the kinds."""
        t = self.tokens[self.at]
        if kinds and t.kind not in kinds:
            raise InputError(t.pos, f"expected {' or '.join(kinds)},"
                                    f" got {t.text!r}")
        if t.kind != "end":
            self.at += 1
        return t

    def accept(self, kind):
        if self.peek().kind == kind:
            return self.take()
        return None

    def integer(self):
        return int(self.take("int").text, 0)

    def parse(self):
        while self.peek().kind != "end":
            t = self.take("meta", "id")
            if t.kind == "meta":
                self.meta(t)
            elif t.text == "struct":
                self.file.structs.append(self.struct())
            elif t.text == "enum":
                self.file.enums.append(self.enum())
            else:
                raise InputError(t.pos, "expected struct, enum or #version,"
                                        f" got {t.text!r}")
        if not self.file.versions:
            raise InputError(Pos(self.file.name, 1, 1), "no #version line")
        return self.file

    def meta(self, t):
        if t.text != "#version":
            raise InputError(t.pos, f"unknown directive {t.text}")
        v = self.take("int", "id")
        if v.text == "any":
            new = ALL_VERSIONS
        elif v.kind == "int" and int(v.text, 0) in ALL_VERSIONS:
            new = (int(v.text, 0),)
        else:
            raise InputError(v.pos, f"version {v.text} is not 1 to 6 or any")
        for n in new:
            if n not in self.file.versions:
                self.file.versions.append(n)
            elif v.text != "any":
                raise InputError(v.pos, f"version {n} named twice")

    def params(self, known):
        """ "(" name = word, ... ")" or nothing. """
        found = {}
        if not self.accept("("):
            return found
        while True:
            name = self.take("id")
            if name.text not in known:
                raise InputError(name.pos, f"unknown parameter {name.text!r}")
            self.take("=")
            value = self.take("id", "int")
            if name.text == "align":
                if value.kind != "int":
                    raise InputError(value.pos, "align needs a number")
                found["align"] = int(value.text, 0)
            elif name.text == "wire_type":
                found["wire_type"] = value.text
            elif value.text in ("True", "False"):
                found[name.text] = value.text == "True"
            else:
                raise InputError(value.pos, f"{name.text} is True or False")
            if not self.accept(","):
                break
            if self.peek().kind == ")":
                break
        self.take(")")
        return found

    def struct(self):
        name = self.take("id")
        params = self.params(STRUCT_PARAMS)
        parent = self.take("id").text if self.accept(":") else ""
        self.take("{")
        members = []
        while not self.accept("}"):
            members.append(self.member())
            self.take(";")
        self.take(";")
        return Struct(name.text, parent, params, members, name.pos)

    def member(self):
        t = self.take("id")
        if t.text == "pad" and self.peek().kind == "(":
            self.take("(")
            n = self.integer()
            self.take(")")
            return Member("pad", "", "", t.pos, value=n)
        shape, type_name, array = "", t.text, ""
        if t.text == "enum":
            shape, type_name = "enum", self.take("id").text
        elif t.text == "list":
            self.take("(")
            shape, type_name = "list", self.take("id").text
            self.take(")")
        elif self.accept("["):
            array = self.take("int", "id").text
            self.take("]")
        name = self.take("id")
        m = Member("data", type_name, name.text, name.pos, shape, array=array)
        if self.accept("=="):
            self.constraint(m)
        return m

    def constraint(self, m):
        t = self.take("?", "int", "id")
        if t.kind == "?":
            m.role = "disc"
        elif t.kind == "int":
            m.role, m.value = "fixed", int(t.text, 0)
        elif t.text == "length":
            self.take("(")
            m.role, m.target = "fieldlen", self.take("id").text
            self.take(")")
        else:
            raise InputError(t.pos, "expected ?, a number or length(member),"
                                    f" got {t.text!r}")

    def enum(self):
        name = self.take("id")
        params = self.params(ENUM_PARAMS)
        self.take("{")
        entries = []
        while not self.accept("}"):
            entry = self.take("id")
            virtual = False
            if self.accept("("):
                word = self.take("id")
                if word.text != "virtual":
                    raise InputError(word.pos, "only virtual=True is known"
                                               " here")
                self.take("=")
                virtual = self.take("id").text == "True"
                self.take(")")
            self.take("=")
            entries.append(Entry(entry.text, self.integer(), virtual,
                                 entry.pos))
            if not self.accept(","):
                self.take("}")
                break
        self.take(";")
        return Enum(name.text, params, entries, name.pos)


def parse_text(text, name):
    return Parser(text, name).parse()
