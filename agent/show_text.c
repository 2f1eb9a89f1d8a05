/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clean text as a terminal counts it: its columns, its end, its lines; knows no table.
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "show_table.h"

/* One character from text: its bytes, and its columns in *width. */
static size_t next_character(const char *text, unsigned *width)
{
	wchar_t wide;
	mbstate_t state = { 0 };
	size_t bytes = mbrtowc(&wide, text, MB_CUR_MAX, &state);
	int columns;

	*width = 1;
	if (bytes == 0 || bytes == (size_t)-1 || bytes == (size_t)-2)
		return 1;
	columns = wcwidth(wide);
	*width = columns < 0 ? 1 : (unsigned)columns;
	return bytes;
}

unsigned show_width(const char *text)
{
	unsigned width = 0, one;

	while (*text) {
		text += next_character(text, &one);
		width += one;
	}
	return width;
}

char *show_cut_front(const char *text, unsigned width, bool ascii)
{
	unsigned has = show_width(text), one;

	if (has <= width)
		return show_printf("%s", text);
	while (*text && has > (width ? width - 1 : 0)) {
		text += next_character(text, &one);
		has -= one;
	}
	return show_printf("%s%s", ascii ? ">" : "…", text);
}

/* The bytes of text that one line takes: to its last slash or colon, if that leaves it more than
 * a third full; all of them when they fit. */
static size_t line_bytes(const char *text, unsigned width)
{
	size_t at = 0, bytes, best = 0;
	unsigned used = 0, one;

	while (text[at]) {
		bytes = next_character(text + at, &one);
		if (at && used + one > width)
			return best ? best : at;
		used += one;
		at += bytes;
		if ((text[at - 1] == '/' || text[at - 1] == ':') && used > width / 3)
			best = at;
	}
	return at;
}

char *show_wrap(const char *text, unsigned width)
{
	char *out = malloc(2 * strlen(text) + 1), *to = out;

	if (!out)
		abort();
	while (*text) {
		size_t bytes = line_bytes(text, width);

		to = mempcpy(to, text, bytes);
		text += bytes;
		if (*text)
			*to++ = '\n';
	}
	*to = '\0';
	return out;
}
