# Wire descriptions: input of the bindings generator.
OF_PROTOCOL_FILES = \
	%D%/bundle \
	%D%/common \
	%D%/of-1.0 \
	%D%/of-1.3 \
	%D%/of-1.3-1.4 \
	%D%/of-1.3-up \
	%D%/of-1.3-up-enums \
	%D%/of-1.3-up-resources \
	%D%/of-1.4 \
	%D%/of-1.4-up \
	%D%/of-1.4-up-enums \
	%D%/of-1.5 \
	%D%/of-1.5-enums \
	%D%/of-1.5-resources \
	%D%/oxm \
	%D%/oxm-1.5 \
	%D%/oxs \
	%D%/nicira-role \
	%D%/nicira-tunnel \
	%D%/onf-1.3
EXTRA_DIST += $(OF_PROTOCOL_FILES)
