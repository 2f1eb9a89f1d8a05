/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apache's mod_status page (modules/generators/mod_status.c, "ExtendedStatus On"): which request a
 * worker process is at. What clients sent stands in it with its markup escaped, so a tag is always
 * the page's own. Pure.
 */
#ifndef WEB_TRIGGER_STATUS_H
#define WEB_TRIGGER_STATUS_H

#include "trigger.h"

#define TRIGGER_STATUS_BYTES (2u << 20) /* of an answer */

/* The page within an HTTP/1.0 answer of status 200 in HTML. NULL: it is none, or not whole. */
const char *trigger_status_page(const char *answer, size_t len, size_t *page_len);

/*
 * The request that this process is sending an answer to: method, URI, client and vhost of *line.
 * The scoreboard keeps the first 63 bytes of a request line: uri_cut says that its end is missing.
 * 0; -ENOENT: it is at none, or at several (threads); -EBADMSG: this is no such page.
 */
int trigger_status_row(const char *page, size_t len, pid_t pid, struct trigger_line *line);

#endif
