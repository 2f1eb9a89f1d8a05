/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of a datagram for the journal; it knows no record. */
#include "journal_text.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"

static void add_bytes(struct journal_text *text, const void *bytes, size_t len)
{
	if (text->len < text->size)
		memcpy(text->out + text->len, bytes,
		       len < text->size - text->len ? len : text->size - text->len);
	text->len += len;
}

void journal_add_field(struct journal_text *text, const char *key, const char *value)
{
	size_t len = strlen(value);
	uint64_t le_len = htole64(len);

	add_bytes(text, key, strlen(key));
	if (strchr(value, '\n')) {
		add_bytes(text, "\n", 1);
		add_bytes(text, &le_len, sizeof(le_len));
	} else {
		add_bytes(text, "=", 1);
	}
	add_bytes(text, value, len);
	add_bytes(text, "\n", 1);
}

void journal_add_number(struct journal_text *text, const char *key, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", (long long)value);
	journal_add_field(text, key, number);
}

void journal_add_escaped(struct journal_text *text, const char *key, const char *raw)
{
	char value[JOURNAL_LONG_BYTES];

	if (!*raw)
		return;
	escape_bytes(raw, strlen(raw), value, sizeof(value));
	journal_add_field(text, key, value);
}
