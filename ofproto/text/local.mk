# Flows as text.
libofproto_a_SOURCES += \
	ofproto/commands.h %D%/commands.c \
	ofproto/questions.h %D%/questions.c %D%/settings.c \
	%D%/event_text.c %D%/event_text.h %D%/table_text.c \
	%D%/flow_text.h %D%/flow_text_priv.h \
	%D%/flow_text_actions.c \
	%D%/flow_text_copy.c \
	%D%/flow_text_flow.c \
	%D%/flow_text_match.c \
	%D%/flow_text_names.c \
	%D%/flow_text_ops.c \
	%D%/flow_text_print.c \
	%D%/flow_text_words.c \
	%D%/text_groups.c \
	%D%/text_client.c %D%/text_client.h \
	%D%/text_msg.c %D%/text_msg.h \
	%D%/group_text.c %D%/group_text.h
libofproto_a_SOURCES += %D%/meter_text.c %D%/meter_text.h
