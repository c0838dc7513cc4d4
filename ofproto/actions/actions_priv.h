/* SPDX-License-Identifier: Apache-2.0 */
/* Between compile.c and actions/.  Threads, owns, errors: see compile.h. */
#ifndef OFP_ACTIONS_PRIV_H
#define OFP_ACTIONS_PRIV_H

#include "ofproto/compile.h"

/* Outputs to reserved ports: several ops, one action. */
int ofp_encode_reserved(struct ofp_encode *, const struct dp_op *);

#endif
