# Names of match fields and drop reasons: data only, under every layer.
libbase_a_SOURCES += \
	%D%/drop_names.c \
	%D%/flow_fields.c \
	%D%/flow_frame.c %D%/flow_frame.h
