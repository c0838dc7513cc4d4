# OpenFlow bindings: a generator in Python, its output and the C runtime.
# The output is not in git but is in the tarball, so that only a git checkout
# needs python3.  gen/stamp is made first: whatever was generated is newer.
OFBIND_PY = \
	%D%/ofbind/__init__.py \
	%D%/ofbind/__main__.py \
	%D%/ofbind/checks.py \
	%D%/ofbind/emit.py \
	%D%/ofbind/emit_headers.py \
	%D%/ofbind/emit_tables.py \
	%D%/ofbind/emit_tests.py \
	%D%/ofbind/fields.py \
	%D%/ofbind/lexer.py \
	%D%/ofbind/model.py \
	%D%/ofbind/names.py \
	%D%/ofbind/parser.py \
	%D%/ofbind/types.py

OFBIND_GEN_H = \
	%D%/gen/loci/loci_classes.h \
	%D%/gen/loci/loci_idents.h \
	%D%/gen/loci/of_lists.h \
	%D%/gen/loci/of_match_fields.h \
	%D%/gen/loci/of_messages.h \
	%D%/gen/loci/of_oxms.h \
	%D%/gen/loci/of_stats.h \
	%D%/gen/loci/of_structs.h

# Only the tests compile it.
OFBIND_GEN_TEST = %D%/gen/of_roundtrip.c

OFBIND_GEN_C = \
	%D%/gen/of_enums.c \
	%D%/gen/of_fields.c \
	%D%/gen/of_tables.c

AM_CPPFLAGS += -I$(top_srcdir)/%D% -I$(top_builddir)/%D%/gen -I$(top_srcdir)/%D%/gen

noinst_LIBRARIES += libofbind.a
libofbind_a_SOURCES = \
	$(OFBIND_GEN_H) $(OFBIND_GEN_C) \
	%D%/loci/loci.h \
	%D%/loci/loci_base.h \
	%D%/loci/loci_show.h \
	%D%/loci/loci_validator.h \
	%D%/loci/of_match.h \
	%D%/loci/of_message.h \
	%D%/loci/of_object.h \
	%D%/of_desc.c %D%/of_desc.h \
	%D%/of_match.c \
	%D%/of_match_v1.c \
	%D%/of_object.c \
	%D%/of_show.c \
	%D%/of_splice.c \
	%D%/of_validate.c
OFBIND_LIBS = libofbind.a

BUILT_SOURCES += $(OFBIND_GEN_H)
EXTRA_DIST += $(OFBIND_PY) %D%/README.md %D%/gen/stamp
MAINTAINERCLEANFILES += $(OFBIND_GEN_H) $(OFBIND_GEN_C) $(OFBIND_GEN_TEST) %D%/gen/stamp

%D%/gen/stamp: $(OF_PROTOCOL_FILES) $(OFBIND_PY)
	@if test "$(PYTHON)" = : ; then \
	  echo "the OpenFlow descriptions changed and python3 >= 3.9 is missing:" \
	    "apt-get install python3" >&2; exit 1; fi
	$(AM_V_GEN)$(MKDIR_P) %D%/gen/loci && echo made >$@.tmp \
	  && PYTHONPATH=$(srcdir)/%D% PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m ofbind \
	    --input $(srcdir)/ofproto/protocol --out %D%/gen \
	  && mv $@.tmp $@

$(OFBIND_GEN_H) $(OFBIND_GEN_C) $(OFBIND_GEN_TEST): %D%/gen/stamp
	@test -f $@ || test -f $(srcdir)/$@ || { rm -f %D%/gen/stamp; \
	  $(MAKE) $(AM_MAKEFLAGS) %D%/gen/stamp; }
$(libofbind_a_OBJECTS): $(OFBIND_GEN_H)
