# SPDX-License-Identifier: Apache-2.0
"""python3 -m ofbind --input PATH ... --out DIR [--versions 1,4]"""
import argparse
import sys

from . import checks, emit, emit_headers, emit_tables, \
    emit_tests, model
from .lexer import InputError


def main():
    p = argparse.ArgumentParser(prog="ofbind", description=__doc__)
    p.add_argument("--input", action="append", required=True, metavar="PATH",
                   help="description file or folder; may be repeated")
    p.add_argument("--out", required=True, metavar="DIR")
    p.add_argument("--versions", default="", metavar="N,N",
                   help="wire versions to generate; default: all in the input")
    args = p.parse_args()
    try:
        wanted = [int(v) for v in args.versions.split(",") if v]
        m = model.build(model.load(args.input), wanted)
        checks.check(m)
        outs = emit_headers.emit(m)
        outs.update(emit_tables.emit(m))
        outs.update(emit_tests.emit(m))
        emit.write_all(outs, args.out)
    except (InputError, OSError, ValueError) as e:
        sys.exit(f"ofbind: {e}")


main()
