# Flows as text.
libofproto_a_SOURCES += \
	%D%/flow_text.h
