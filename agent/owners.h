/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The owners file of a replay: one line a flow,
 *
 *     SRC:SPORT > DST:DPORT uid=33 gid=33 exe=/usr/bin/php8.2 script=/var/www/x.php unit=…
 *     local ADDRESS            (this address is the box's own)
 *
 * IPv6 addresses in brackets; `*` for any address or port, on either side. `#` before a word starts
 * a comment. Values with spaces or escapes in double quotes (\" \\ \xHH). Keys: uid gid (as the
 * queue would give them: who made the socket) pid holder_uid holder_euid (the process; else as uid)
 * exe cmdline (arguments apart by spaces; \x20 is a space in one) cwd script unit container comm
 * poses (1 or 0) caller_pid caller_uid how why. First match wins.
 */
#ifndef AGENT_OWNERS_H
#define AGENT_OWNERS_H

#include "config.h"
#include "egress.h"

struct owners;

/* Parses text over; `file` only for messages. 0, or -EINVAL after an error line each. */
int owners_parse(struct owners **owners, const char *file, const char *text, config_error_fn error,
		 void *context);
void owners_free(struct owners *owners);
/* An egress_resolve_fn; context is struct owners * (NULL: nobody is known). */
int owners_resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
		   struct owner *owner);
/* The uid and gid of a flow's line, unless the capture told them (NFLOG); dst_local is set when a
 * local line has the destination, else left alone. owners may be NULL. */
void owners_meta(const struct owners *owners, const struct flow *flow, struct egress_meta *meta);

#endif
