/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A datagram of journald's protocol, field by field; what journal.c and journal_note.c share. */
#ifndef AGENT_JOURNAL_TEXT_H
#define AGENT_JOURNAL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "note.h"

#define JOURNAL_DATAGRAM_BYTES 16384
#define JOURNAL_LONG_BYTES     1025 /* of a text, escaped, with its NUL */

/* Counts as snprintf(3) does: what does not fit is needed all the same. */
struct journal_text {
	char *out;
	size_t size, len;
};

/* KEY=value, or where the value has lines of its own: KEY, its length in 64 bits, the value. */
void journal_add_field(struct journal_text *text, const char *key, const char *value);
void journal_add_number(struct journal_text *text, const char *key, int64_t value);
/* Nothing when raw is empty. */
void journal_add_escaped(struct journal_text *text, const char *key, const char *raw);

/* For a log without a journal: "<6>…\n". The length, at most size - 1. */
size_t journal_line_note(const struct note *note, int64_t id, bool repeat, char *out,
			 size_t size);

#endif
