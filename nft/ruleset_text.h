/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A string that grows while it is written: every text that the rule set's functions return is made
 * with it. Private to nft/.
 *
 * Failure sticks: after one failed allocation all further writing is ignored and
 * ruleset_text_take() gives NULL, so that only the end needs a check.
 */
#ifndef NFT_RULESET_TEXT_H
#define NFT_RULESET_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct ruleset_text {
	char *bytes; /* NUL-terminated once anything was written */
	size_t len, room;
	bool failed;
};

void ruleset_text_add(struct ruleset_text *text, const char *bytes, size_t len);
void ruleset_text_printf(struct ruleset_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A name or rule that others wrote: control bytes and what is not ASCII as \xNN, at most max bytes
 * of it and "..." after them. */
void ruleset_text_escaped(struct ruleset_text *text, const char *bytes, size_t max);
/* The string, malloc'd ("" when nothing was written), and *text is empty again; NULL: no memory. */
char *ruleset_text_take(struct ruleset_text *text);
void ruleset_text_free(struct ruleset_text *text);

#endif
