# SPDX-License-Identifier: Apache-2.0
"""Faults of descriptions that parse: each would be a wrong wire image."""
from .lexer import InputError


def check(model):
    for c in model.classes.values():
        if c.parent:
            check_image(c)
        check_last(c)
        check_places(c)


def check_image(c):
    """A subclass repeats its parent's named members at the same places."""
    for m in c.parent.members:
        if m.variable or m.base is not None:
            break
        mine = c.member(m.name)
        if not mine and m.role == "data":
            continue  # Renamed: an experimenter's own view of the bytes.
        if not mine:
            raise InputError(c.pos, f"{c.name} lacks {m.name} of its parent"
                                    f" {c.parent.name}")
        if mine.offset != m.offset or mine.width != m.width:
            raise InputError(mine.pos, f"{c.name}.{m.name} is at"
                                       f" {mine.offset}, in {c.parent.name}"
                                       f" at {m.offset}")
        if m.role == "fixed" and mine.value != m.value:
            raise InputError(mine.pos, f"{c.name}.{m.name} is {mine.value},"
                                       f" in {c.parent.name} {m.value}")


def check_last(c):
    """Only one member may reach to the end of the object."""
    open_ended = [m for m in c.members
                  if m.kind in ("list", "octets") and m.counted_by is None]
    if len(open_ended) > 1:
        raise InputError(open_ended[1].pos,
                         f"{c.name}: {open_ended[0].name} and"
                         f" {open_ended[1].name} both have no length")
    if open_ended and not (c.length or c.root.is_tlv32 or c.align_included):
        raise InputError(open_ended[0].pos,
                         f"{c.name}.{open_ended[0].name}: neither the member"
                         " nor the class has a length")


def check_places(c):
    """What the runtime relies on when it walks an image."""
    if c.align and c.align & (c.align - 1):
        raise InputError(c.pos, f"{c.name}: align={c.align} is no power of 2")
    for m in c.members:
        if m.base is not None and m.role in ("disc", "length", "fieldlen"):
            raise InputError(m.pos, f"{c.name}.{m.name} lies behind a"
                                    " variable member")
