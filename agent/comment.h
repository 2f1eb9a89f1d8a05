/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON that goes with a packet of the evidence: the verdict and its owner in one line. */
#ifndef AGENT_COMMENT_H
#define AGENT_COMMENT_H

#include "record.h"

/* Keys id, verdict, reason, rule, uid, user, pid, exe, script, owner_how, owner_why where
 * something is missing, poses where it does, and caller {pid, uid, comm} where it is told; what is
 * not known is null. malloc'd, or NULL: no memory. */
char *comment_text(const struct record *record, int64_t id, const char *user);

#endif
