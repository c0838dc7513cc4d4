# Wire descriptions: input of the bindings generator.
OF_PROTOCOL_FILES = \
	%D%/bundle \
	%D%/common \
	%D%/of-1.0 \
	%D%/of-1.3 \
	%D%/of-1.3-enums \
	%D%/of-1.3-resources \
	%D%/oxm \
	%D%/nicira-role \
	%D%/nicira-tunnel \
	%D%/onf-1.3
EXTRA_DIST += $(OF_PROTOCOL_FILES)
