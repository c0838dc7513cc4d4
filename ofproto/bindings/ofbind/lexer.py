# SPDX-License-Identifier: Apache-2.0
"""Words of the description language.

What:   text -> list of Token(kind, text, pos); kinds are id, int, meta and
        the punctuation itself.
Errors: InputError names file, line and column.
"""
import re
from dataclasses import dataclass


class InputError(Exception):
    """A fault of an input file, with its place."""

    def __init__(self, pos, text):
        super().__init__(f"{pos}: {text}")


@dataclass(frozen=True)
class Pos:
    file: str
    line: int
    col: int

    def __str__(self):
        return f"{self.file}:{self.line}:{self.col}"


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    pos: Pos


WORD = re.compile(r"""
    (?P<skip>   [ \t\r\f]+ | //[^\n]* | /\*.*?\*/ )
  | (?P<nl>     \n )
  | (?P<meta>   \#[a-z_]+ )
  | (?P<int>    0[xX][0-9a-fA-F]+ | [0-9]+ )
  | (?P<id>     [A-Za-z_][A-Za-z0-9_]* )
  | (?P<punct>  == | [{}()\[\];:,=?] )
""", re.VERBOSE | re.DOTALL)


def tokenize(text, name):
    tokens = []
    line, start, at = 1, 0, 0
    while at < len(text):
        pos = Pos(name, line, at - start + 1)
        m = WORD.match(text, at)
        if not m:
            what = "comment without end" if text.startswith("/*", at) \
                else f"unexpected character {text[at]!r}"
            raise InputError(pos, what)
        kind = m.lastgroup
        if kind in ("skip", "nl"):
            lines = m.group().count("\n")
            if lines:
                line += lines
                start = at + m.group().rindex("\n") + 1
        else:
            tokens.append(Token(m.group() if kind == "punct" else kind,
                                m.group(), pos))
        at = m.end()
    tokens.append(Token("end", "end of file", Pos(name, line, at - start + 1)))
    return tokens
