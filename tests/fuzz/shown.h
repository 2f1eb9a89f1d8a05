/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What agent/escape.h promises of a text that is shown, checked without its code: one line of
 * printable UTF-8, each character whole, each backslash the beginning of an escape.
 */
#ifndef TESTS_FUZZ_SHOWN_H
#define TESTS_FUZZ_SHOWN_H

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

static inline int shown_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of the character at `at`, its code point in *point; 0: there is no whole one. */
static inline size_t shown_utf8(const char *at, uint32_t *point)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 }
	};
	const uint8_t *bytes = (const uint8_t *)at;

	for (size_t n = 0; n < 4; n++) {
		if ((bytes[0] & forms[n].mask) != forms[n].lead)
			continue;
		*point = bytes[0] & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((bytes[i] & 0xc0) != 0x80)
				return 0;
			*point = *point << 6 | (bytes[i] & 0x3f);
		}
		return *point >= forms[n].least ? n + 1 : 0;
	}
	return 0;
}

static inline bool shown_point(uint32_t point)
{
	if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point > 0x10ffff)
		return false;
	if (point >> 11 == 0x1b || (point & 0xfffe) == 0xfffe) /* surrogate, noncharacter */
		return false;
	if (point >= 0xfdd0 && point <= 0xfdef)
		return false;
	if (point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
	    (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f))
		return false;
	return point != 0xfeff && !(point >= 0xfff9 && point <= 0xfffb) && point >> 7 != 0x1c00;
}

/* The next item of a shown text: *byte is -1 for a character that stands for itself, else the
 * byte that its escape stands for. Its length. */
static inline size_t shown_item(const char *at, int *byte)
{
	uint32_t point;
	size_t n;

	*byte = -1;
	if (*at == '\\') {
		if (at[1] == '\\') {
			*byte = '\\';
			return 2;
		}
		must(at[1] == 'x' && shown_digit(at[2]) >= 0 && shown_digit(at[3]) >= 0);
		*byte = shown_digit(at[2]) << 4 | shown_digit(at[3]);
		return 4;
	}
	n = shown_utf8(at, &point);
	must(n && shown_point(point));
	return n;
}

static inline void must_be_shown(const char *text)
{
	int byte;

	while (*text)
		text += shown_item(text, &byte);
}

/* The bytes that a text of len stands for, to out (as big as the text); how many. */
static inline size_t shown_bytes(const char *text, size_t len, char *out)
{
	const char *end = text + len;
	size_t n = 0, item;
	int byte;

	for (; text < end; text += item) {
		item = shown_item(text, &byte);
		must(item <= (size_t)(end - text));
		if (byte >= 0)
			out[n++] = (char)byte;
		else
			memcpy(out + n, text, item);
		n += byte >= 0 ? 0 : item;
	}
	return n;
}

/* nft/'s texts: printable ASCII. */
static inline void must_be_ascii(const char *text)
{
	for (; *text; text++)
		must(*text >= 0x20 && *text < 0x7f);
}

#endif
