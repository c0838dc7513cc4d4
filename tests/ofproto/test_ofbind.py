#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generator: every production of the language, every diagnostic, the
layout rules, and that its output does not change from run to run."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOP = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(TOP, "ofproto", "bindings"))
sys.dont_write_bytecode = True

from ofbind import (checks, emit, emit_tables,  # noqa: E402
                    fields, lexer, model, names, parser)

HEADER = """
struct of_header {
    uint8_t version; uint8_t type == ?; uint16_t length; uint32_t xid;
};
"""


def parse(text):
    return parser.parse_text("#version 4\n" + text, "t")


def build(text, version=4):
    files = [parser.parse_text(f"#version {version}\n{HEADER}{text}", "t")]
    m = model.build(files)
    checks.check(m)
    return m


def cls(text, name, version=4):
    return build(text, version).classes[version, name]


class Lexer(unittest.TestCase):
    def kinds(self, text):
        return [t.kind for t in lexer.tokenize(text, "t")][:-1]

    def test_words_of_every_kind(self):
        self.assertEqual(self.kinds("struct a { b == 0xFf; };"),
                         ["id", "id", "{", "id", "==", "int", ";", "}", ";"])

    def test_comments_are_skipped_and_counted(self):
        t = lexer.tokenize("/* a\n b */ // c\n  x", "t")[0]
        self.assertEqual((t.pos.line, t.pos.col), (3, 3))

    def test_tabs_and_missing_blanks_are_taken(self):
        self.assertEqual(self.kinds("\tof_x{"), ["id", "{"])

    def test_foreign_character_names_its_place(self):
        with self.assertRaisesRegex(lexer.InputError, "t:2:3: .*'@'"):
            lexer.tokenize("a\n  @", "t")

    def test_open_comment_is_told(self):
        with self.assertRaisesRegex(lexer.InputError, "comment without end"):
            lexer.tokenize("a /* b", "t")


class Grammar(unittest.TestCase):
    def member(self, text):
        return parse(f"struct s {{ {text}; }};").structs[0].members[0]

    def test_member_forms(self):
        self.assertEqual(self.member("uint8_t a").role, "data")
        self.assertEqual(self.member("uint8_t a == ?").role, "disc")
        m = self.member("uint8_t a == 0x10")
        self.assertEqual((m.role, m.value), ("fixed", 16))
        m = self.member("uint16_t a == length(b)")
        self.assertEqual((m.role, m.target), ("fieldlen", "b"))
        m = self.member("pad(7)")
        self.assertEqual((m.role, m.value), ("pad", 7))
        m = self.member("list(of_action_t) a")
        self.assertEqual((m.shape, m.type), ("list", "of_action_t"))
        m = self.member("enum e a == 3")
        self.assertEqual((m.shape, m.value), ("enum", 3))
        self.assertEqual(self.member("uint8_t[4] a").array, "4")

    def test_pad_may_be_a_name(self):
        self.assertEqual(self.member("pad x").type, "pad")

    def test_struct_parameters_and_parent(self):
        s = parse("struct s(align=8, length_includes_align=True,) : p { };")
        s = s.structs[0]
        self.assertEqual(s.parent, "p")
        self.assertEqual(s.params,
                         {"align": 8, "length_includes_align": True})

    def test_enum_parameters_and_entries(self):
        e = parse("enum e(wire_type=uint8_t, bitmask=True, complete=False) {"
                  " A = 1, B(virtual=True) = 0xFFFF, };").enums[0]
        self.assertEqual(e.params["wire_type"], "uint8_t")
        self.assertEqual([(x.name, x.value, x.virtual) for x in e.entries],
                         [("A", 1, False), ("B", 0xffff, True)])

    def test_empty_enum_and_struct(self):
        f = parse("enum e { }; struct s { };")
        self.assertEqual((f.enums[0].entries, f.structs[0].members),
                         ([], []))

    def test_versions(self):
        f = parser.parse_text("#version 1\n#version 4\n", "t")
        self.assertEqual(f.versions, [1, 4])
        f = parser.parse_text("#version any\n", "t")
        self.assertEqual(f.versions, [1, 2, 3, 4, 5, 6])

    def refuse(self, text, pattern):
        with self.assertRaisesRegex(lexer.InputError, pattern):
            parse(text)

    def test_diagnostics(self):
        self.refuse("struct s { uint8_t a }", "2:.*expected ;, got '}'")
        self.refuse("struct s { uint8_t a == x; };", "expected \\?")
        self.refuse("struct s(size=3) { };", "unknown parameter 'size'")
        self.refuse("struct s(align=x) { };", "align needs a number")
        self.refuse("enum e(bitmask=yes) { };", "True or False")
        self.refuse("enum e { A(hidden=True) = 1 };", "only virtual=True")
        self.refuse("union u { };", "expected struct, enum or #version")
        self.refuse("#include x", "unknown directive")
        self.refuse("#version 9", "version 9 is not 1 to 6")
        self.refuse("#version 4", "version 4 named twice")
        self.refuse("struct s {", "got 'end of file'")

    def test_version_is_required(self):
        with self.assertRaisesRegex(lexer.InputError, "no #version"):
            parser.parse_text("struct s { };", "t")


ACTION = """
struct of_action { uint16_t type == ?; uint16_t len; pad(4); };
struct of_action_output : of_action {
    uint16_t type == 0; uint16_t len; of_port_no_t port; uint16_t max_len;
    pad(6);
};
"""


class Layout(unittest.TestCase):
    def places(self, c):
        return [(m.name, m.base, m.offset, m.min_size) for m in c.members]

    def test_pads_move_offsets(self):
        c = cls(ACTION, "of_action_output")
        self.assertEqual(c.min_size, 16)
        self.assertEqual(self.places(c)[2:],
                         [("port", None, 4, 4), ("max_len", None, 8, 2)])

    def test_port_width_depends_on_version(self):
        self.assertEqual(cls(ACTION, "of_action_output", 1).min_size, 14)

    def test_members_behind_a_list_are_relative(self):
        c = cls(ACTION + """
            struct of_m : of_header {
                uint8_t version; uint8_t type == 9; uint16_t length;
                uint32_t xid;
                uint16_t n == length(actions); pad(6);
                list(of_action_t) actions; pad(2); uint16_t x;
            };""", "of_m")
        self.assertEqual(self.places(c)[-2:],
                         [("actions", None, 16, 0), ("x", 5, 2, 2)])
        self.assertEqual(c.members[5].counted_by, 4)
        self.assertEqual(c.content_size - c.members[5].end, 4)

    def test_align_rounds_the_minimum(self):
        c = cls("struct of_p(align=8, length_includes_align=False) {"
                " uint16_t type; uint16_t length; };", "of_p")
        self.assertEqual((c.content_size, c.min_size), (4, 8))

    def test_uint24_and_enum_width(self):
        c = cls("enum e(wire_type=uint16_t) { A = 1 };"
                "struct of_p { uint24_t a; enum e b; };", "of_p")
        self.assertEqual(c.min_size, 5)

    def test_ids_are_derived_from_actions(self):
        m = build(ACTION + "struct of_f { uint16_t length; pad(2);"
                  " list(of_action_id_t) ids; };")
        c = m.classes[4, "of_action_id_output"]
        self.assertEqual((c.min_size, c.parent.name), (4, "of_action_id"))

    def test_oxm_id_is_built_in(self):
        m = build("struct of_oxm { uint32_t type_len == ?; };"
                  "struct of_p { uint16_t type; uint16_t length;"
                  " list(of_oxm_id_t) ids; };")
        self.assertIn("of_oxm_id", m.lists)

    def test_enum_is_extended(self):
        files = [parser.parse_text(t, "t") for t in (
            "#version 4\nenum e(extend=True) { B = 2 };",
            "#version 4\nenum e(wire_type=uint8_t) { A = 1 };")]
        e = model.build(files).enums[4, "e"]
        self.assertEqual([x.name for x in e.entries], ["A", "B"])

    def refuse(self, text, pattern, version=4):
        with self.assertRaisesRegex(lexer.InputError, pattern):
            build(text, version)

    def test_diagnostics(self):
        self.refuse("struct a { x_t m; };", "t:.*unknown type x_t")
        self.refuse("struct a { list(x_t) m; };", "unknown class x_t")
        self.refuse("struct a { enum x m; };", "no enum x")
        self.refuse("enum x { A = 1 }; struct a { enum x m; };",
                    "no wire_type")
        self.refuse("struct a { uint8_t[3] m; };", "arrays")
        self.refuse("struct a { }; struct a { };", "defined twice")
        self.refuse("enum a { }; enum a { };", "defined twice")
        self.refuse("enum a { X = 1, X = 2 };", "X twice")
        self.refuse("enum a(extend=True) { X = 1 };", "extend: no enum")
        self.refuse("struct a { uint8_t m; uint8_t m; };", "member m twice")
        self.refuse("struct a : b { };", "no parent b")
        self.refuse("struct b { }; struct a : b { };", "no discriminator")
        self.refuse("struct a { uint16_t n == length(m); };", "length\\(m\\)")
        self.refuse("struct a { }; struct b { uint16_t length;"
                    " list(a) m; };", "may be empty")
        self.refuse("struct a { of_octets_t x; uint8_t y; }; struct b {"
                    " uint16_t length; list(a) m; };", "has no length")

    def test_list_element_may_end_with_a_match(self):
        text = ("struct c { uint8_t v; };"
                " struct of_match_v3(align=8, length_includes_align=False)"
                " { uint16_t type == 1; uint16_t length; list(c) o; };"
                " struct a { uint32_t n; of_match_t m;%s };"
                " struct x : of_header { uint8_t version; uint8_t type == 1;"
                " uint16_t length; uint32_t xid; list(a) l; };")
        self.assertTrue(cls(text % "", "a").ends_with_match)
        self.refuse(text % " uint32_t k;", "has no length")

    def test_image_checks(self):
        self.refuse("struct of_a { uint8_t t == ?; uint8_t u == 7; };"
                    "struct of_b : of_a { uint8_t t == 1; uint8_t u == 8; };",
                    "is 8, in of_a 7")
        self.refuse("struct of_a { uint8_t t == ?; uint16_t len; };"
                    "struct of_b : of_a { uint8_t t == 1; pad(1);"
                    " uint16_t len; };", "is at 2, in of_a at 1")
        self.refuse("struct of_a { uint8_t t == ?; };"
                    "struct of_b : of_a { uint8_t x; };", "lacks t")
        self.refuse("struct of_a { uint16_t length; of_octets_t x;"
                    " of_octets_t y; };", "both have no length")
        self.refuse("struct of_a { of_octets_t x; };", "neither the member")
        self.refuse("struct of_a(align=6) { uint16_t length; };",
                    "no power of 2")

    def test_siblings_with_one_discriminator_are_refused(self):
        m = build(ACTION + "struct of_action_x : of_action {"
                  " uint16_t type == 0; uint16_t len; pad(4); };")
        with self.assertRaisesRegex(lexer.InputError, "have the same type"):
            emit_tables.emit(m)


OXM = "struct of_oxm { uint32_t type_len == ?; };"


class MatchFields(unittest.TestCase):
    def refuse(self, text, pattern):
        with self.assertRaisesRegex(lexer.InputError, pattern):
            fields.collect(build(OXM + text))

    def test_masked_form_is_found(self):
        f = fields.collect(build(OXM + """
            struct of_oxm_a : of_oxm { uint32_t type_len == 0x80000a02;
                uint16_t value; };
            struct of_oxm_a_masked : of_oxm { uint32_t type_len == 0x80000b04;
                uint16_t value; uint16_t value_mask; };"""))
        self.assertEqual([(x.name, x.masked) for x in f],
                         [("a", "of_oxm_a_masked")])

    def test_wrong_headers_are_refused(self):
        self.refuse("struct of_oxm_a : of_oxm { uint32_t type_len =="
                    " 0x80000a04; uint16_t value; };", "does not fit")
        self.refuse("struct of_oxm_a : of_oxm { uint32_t type_len =="
                    " 0x80000a02; uint16_t value; };"
                    "struct of_oxm_a_masked : of_oxm { uint32_t type_len =="
                    " 0x80000a04; uint16_t value; uint16_t value_mask; };",
                    "is not 0x80000b04")
        self.refuse("struct of_oxm_a : of_oxm { uint32_t type_len =="
                    " 0xffff0a06; uint16_t value; };", "no experimenter_id")
        self.refuse("struct of_oxm_a : of_oxm { uint32_t type_len =="
                    " 0x80000a02; uint16_t value; };"
                    "struct of_oxm_b : of_oxm { uint32_t type_len =="
                    " 0x80000a02; uint16_t value; };", "same OXM header")


class Names(unittest.TestCase):
    def test_longest_prefix_wins(self):
        self.assertEqual(names.ident("OFPC_FRAG_DROP"), "OF_CONFIG_FRAG_DROP")
        self.assertEqual(names.ident("OFPC_FLOW_STATS"),
                         "OF_CAPABILITIES_FLAG_FLOW_STATS")
        self.assertEqual(names.ident("OFPRRFC_STALE"),
                         "OF_ROLE_REQUEST_FAILED_STALE")
        self.assertEqual(names.ident("OFPP_ANY"), "OF_PORT_DEST_WILDCARD")

    def test_locis_habits_are_kept(self):
        self.assertEqual(names.ident("OFPHET_VERSIONBITMAP"),
                         "OF_HELLO_ELEM_TYPE__VERSIONBITMAP")

    def test_unknown_prefix_keeps_its_name(self):
        self.assertEqual(names.ident("OFPXYZ_A"), "OFPXYZ_A")


class Emission(unittest.TestCase):
    def test_expression_by_version(self):
        self.assertEqual(emit.by_version({1: 4, 4: 4}, "v"), "4")
        self.assertEqual(emit.by_version({1: 62, 4: 46, 5: 46}, "v"),
                         "(v == OF_VERSION_1_0 ? 62 : 46)")

    def test_hash_is_perfect(self):
        keys = list(range(0, 4000, 7)) + [0xffff, 0x4f4e4600]
        bits, mul = emit_tables.perfect_hash(keys)
        slots = {(k * mul & 0xffffffff) >> (32 - bits) for k in keys}
        self.assertEqual(len(slots), len(keys))

    def generate(self, hash_seed):
        """The program's output with that seed of Python's hashes."""
        bindings = os.path.join(TOP, "ofproto", "bindings")
        env = dict(os.environ, PYTHONPATH=bindings, PYTHONHASHSEED=hash_seed,
                   PYTHONDONTWRITEBYTECODE="1")
        with tempfile.TemporaryDirectory() as d:
            subprocess.run(
                [sys.executable, "-m", "ofbind", "--out", d, "--input",
                 os.path.join(TOP, "ofproto", "protocol")],
                env=env, check=True)
            return {p.name: p.read_text()
                    for p in pathlib.Path(d).rglob("*.[ch]")}

    def test_two_runs_write_the_same(self):
        first = self.generate("1")
        self.assertGreater(len(first), 10)
        self.assertEqual(first, self.generate("2"))

    def test_output_names_no_folder(self):
        text = "".join(self.generate("0").values())
        self.assertNotIn(os.path.abspath(TOP), text)

    def test_foreign_descriptions_are_read(self):
        """OFBIND_FOREIGN=DIR: a folder of somebody else's descriptions."""
        folder = os.environ.get("OFBIND_FOREIGN")
        if not folder:
            self.skipTest("OFBIND_FOREIGN is not set")
        m = model.build(model.load([folder]))
        checks.check(m)
        self.assertGreater(len(m.unified), 100)


if __name__ == "__main__":
    unittest.main()
