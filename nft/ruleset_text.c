/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing string with sticky failure; must not know what is written into it. */
#include "ruleset_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_reserve(struct ruleset_text *text, size_t more)
{
	size_t room = text->room ? text->room : 256;
	char *bytes;

	if (text->failed)
		return false;
	if (more < text->room - text->len && text->bytes)
		return true;
	while (room - text->len <= more) {
		if (room > SIZE_MAX / 2)
			goto fail;
		room *= 2;
	}
	bytes = realloc(text->bytes, room);
	if (!bytes)
		goto fail;
	text->bytes = bytes;
	text->room = room;
	return true;
fail:
	text->failed = true;
	return false;
}

void ruleset_text_add(struct ruleset_text *text, const char *bytes, size_t len)
{
	if (!text_reserve(text, len))
		return;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

void ruleset_text_printf(struct ruleset_text *text, const char *format, ...)
{
	va_list args;
	char *line;
	int len;

	va_start(args, format);
	len = vasprintf(&line, format, args);
	va_end(args);
	if (len < 0) {
		text->failed = true;
		return;
	}
	ruleset_text_add(text, line, (size_t)len);
	free(line);
}

void ruleset_text_escaped(struct ruleset_text *text, const char *bytes, size_t max)
{
	size_t i;

	for (i = 0; bytes[i] && i < max; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\')
			ruleset_text_add(text, bytes + i, 1);
		else
			ruleset_text_printf(text, "\\x%02x", byte);
	}
	if (bytes[i])
		ruleset_text_add(text, "...", 3);
}

char *ruleset_text_take(struct ruleset_text *text)
{
	char *bytes;

	ruleset_text_add(text, "", 0);
	bytes = text->failed ? NULL : text->bytes;
	if (!bytes)
		free(text->bytes);
	*text = (struct ruleset_text){ 0 };
	return bytes;
}

void ruleset_text_free(struct ruleset_text *text)
{
	free(text->bytes);
	*text = (struct ruleset_text){ 0 };
}
