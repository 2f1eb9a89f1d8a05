/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes bytes that somebody else chose safe to show; knows nothing of where they are shown. */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Takes whole items only: after the first that did not fit it just counts. */
struct sink {
	char *out;
	size_t size, used, needed;
	bool full;
};

static void sink_put(struct sink *sink, const char *item, size_t len)
{
	sink->needed += len;
	if (sink->full || sink->used + len >= sink->size) {
		sink->full = true;
		return;
	}
	memcpy(sink->out + sink->used, item, len);
	sink->used += len;
}

static size_t sink_end(struct sink *sink)
{
	if (sink->size > 0)
		sink->out[sink->used] = '\0';
	return sink->needed;
}

static void sink_hex(struct sink *sink, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";
	const char item[4] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };

	sink_put(sink, item, sizeof(item));
}

/* Length of the well-formed UTF-8 sequence at bytes (Unicode 15, table 3-7), 0 if there is none. */
static size_t utf8_sequence(const uint8_t *bytes, size_t len, uint32_t *point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = bytes[0];
	uint32_t value;
	size_t n, i;

	if (first < 0x80) {
		*point = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf)
		n = 2, value = first & 0x1f;
	else if ((first & 0xf0) == 0xe0)
		n = 3, value = first & 0x0f;
	else if (first >= 0xf0 && first <= 0xf4)
		n = 4, value = first & 0x07;
	else
		return 0;
	if (len < n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*point = value;
	return n;
}

static bool point_is_shown(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f },	  { 0x061c, 0x061c }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f },	  { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};
	size_t i;

	if ((point & 0xfffe) == 0xfffe)
		return false;
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (point >= hidden[i].first && point <= hidden[i].last)
			return false;
	return true;
}

/* in_quotes: a single quote would end the argument, so it is escaped too. */
static void sink_escaped(struct sink *sink, const char *bytes, size_t len, bool in_quotes)
{
	const uint8_t *in = (const uint8_t *)bytes;
	size_t i, k, n;
	uint32_t point;

	for (i = 0; i < len; i += n) {
		point = 0;
		n = utf8_sequence(in + i, len - i, &point);
		if (n == 0) {
			sink_hex(sink, in[i]);
			n = 1;
		} else if (point == '\\') {
			sink_put(sink, "\\\\", 2);
		} else if (!point_is_shown(point) || (in_quotes && point == '\'')) {
			for (k = 0; k < n; k++)
				sink_hex(sink, in[i + k]);
		} else {
			sink_put(sink, bytes + i, n);
		}
	}
}

size_t escape_bytes(const char *bytes, size_t len, char *out, size_t size)
{
	struct sink sink = { .out = out, .size = size };

	sink_escaped(&sink, bytes, len, false);
	return sink_end(&sink);
}

static char *allocate(size_t len)
{
	char *out = malloc(len + 1);

	if (!out)
		abort();
	return out;
}

char *escape_dup(const char *bytes, size_t len)
{
	size_t needed = escape_bytes(bytes, len, NULL, 0);
	char *out = allocate(needed);

	escape_bytes(bytes, len, out, needed + 1);
	return out;
}

static bool argument_needs_quotes(const char *bytes, size_t len)
{
	return len == 0 || memchr(bytes, ' ', len) || memchr(bytes, '\'', len) ||
	       memchr(bytes, '"', len);
}

static void sink_cmdline(struct sink *sink, const char *bytes, size_t len)
{
	const char *end;
	size_t i, n;
	bool quotes;

	/* A process title shorter than the argv it replaced is followed by NULs. */
	while (len > 1 && bytes[len - 1] == '\0' && bytes[len - 2] == '\0')
		len--;
	for (i = 0; i < len; i += n + 1) {
		end = memchr(bytes + i, '\0', len - i);
		n = end ? (size_t)(end - (bytes + i)) : len - i;
		quotes = argument_needs_quotes(bytes + i, n);
		if (i > 0)
			sink_put(sink, " ", 1);
		if (quotes)
			sink_put(sink, "'", 1);
		sink_escaped(sink, bytes + i, n, quotes);
		if (quotes)
			sink_put(sink, "'", 1);
	}
}

char *escape_cmdline(const char *bytes, size_t len)
{
	struct sink sink = { 0 };
	char *out;

	sink_cmdline(&sink, bytes, len);
	out = allocate(sink.needed);
	sink = (struct sink){ .out = out, .size = sink.needed + 1 };
	sink_cmdline(&sink, bytes, len);
	sink_end(&sink);
	return out;
}
