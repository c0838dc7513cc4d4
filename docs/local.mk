# Manual pages, completion, service unit.
dist_man_MANS += \
	%D%/weft-dump.8 \
	%D%/weft-rpc.7 \
	%D%/weftctl.8 \
	%D%/weftd.8
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/completion/weft.bash
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = docs/weft.service
EXTRA_DIST += %D%/weft.service.in %D%/performance/hot-loop.md \
	%D%/performance/cache.md
CLEANFILES += docs/weft.service
docs/weft.service: $(srcdir)/docs/weft.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) docs && \
	  sed 's|@sbindir@|$(sbindir)|' $(srcdir)/docs/weft.service.in > $@

# bash loads completions by the command's name.
install-data-hook:
	cd $(DESTDIR)$(bashcompletiondir) && \
	  ln -sf weft.bash weftctl && ln -sf weft.bash weft-dump
uninstall-hook:
	cd $(DESTDIR)$(bashcompletiondir) && rm -f weftctl weft-dump
