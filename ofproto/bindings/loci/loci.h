/* SPDX-License-Identifier: Apache-2.0 */
/* The whole API of the OpenFlow bindings.
 *
 * What:    includes every header, the generated ones too.
 * Model:   loci/of_object.h explains objects.  For class X with member m:
 *          of_X_new/_delete/_init, of_X_m_get/_set for values and octets,
 *          of_X_m_bind/_get/_set for lists, structures and matches; for lists
 *          of_list_T_first/_next/_append/_append_bind and OF_LIST_T_ITER.
 * Threads: objects belong to one thread.  Owns: nothing.
 * Errors:  enum of_error_codes. */
#ifndef LOCI_LOCI_H
#define LOCI_LOCI_H

#include "loci/loci_base.h"
#include "loci/loci_classes.h"
#include "loci/loci_idents.h"
#include "loci/loci_show.h"
#include "loci/loci_validator.h"
#include "loci/of_lists.h"
#include "loci/of_match.h"
#include "loci/of_message.h"
#include "loci/of_messages.h"
#include "loci/of_object.h"
#include "loci/of_oxms.h"
#include "loci/of_stats.h"
#include "loci/of_structs.h"

#endif
