/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes, escaped: one printable line that reads back as those bytes, and is cut at a whole
 * item. */
#include <string.h>

#include "agent/escape.h"
#include "shown.h"
#include "take.h"

static void check_bytes(const char *bytes, size_t len, size_t size)
{
	size_t needed = escape_bytes(bytes, len, NULL, 0), cut_len;
	char *whole = escape_dup(bytes, len), *cut = malloc(size + 1), *back = malloc(needed + 1);

	must(cut && back && strlen(whole) == needed);
	must_be_shown(whole);
	must(shown_bytes(whole, needed, back) == len && (!len || !memcmp(back, bytes, len)));
	memset(cut, 0x55, size + 1);
	must(escape_bytes(bytes, len, cut, size) == needed);
	must(cut[size] == 0x55);
	if (size) {
		must(memchr(cut, '\0', size));
		cut_len = strlen(cut);
		must(cut_len <= needed && !memcmp(cut, whole, cut_len));
		must_be_shown(cut);
		must(cut_len == needed || size - cut_len <= 4); /* as much as fits */
	}
	free(back);
	free(cut);
	free(whole);
}

/* One argument of a shown command line, with its quotes off; how many bytes, *at behind it. */
static size_t read_argument(const char **at, char *out)
{
	const char *end;
	size_t n;

	if (**at == '\'') {
		end = strchr(*at + 1, '\'');
		must(end && (!end[1] || end[1] == ' '));
		n = shown_bytes(*at + 1, (size_t)(end - *at - 1), out);
		*at = end + 1;
	} else {
		end = *at + strcspn(*at, " ");
		must(end > *at);
		n = shown_bytes(*at, (size_t)(end - *at), out);
		must(!memchr(out, ' ', n) && !memchr(out, '\'', n) && !memchr(out, '"', n));
		*at = end;
	}
	return n;
}

/* The arguments come back, but for empty ones at the end. */
static void check_cmdline(const char *bytes, size_t len)
{
	char *line = escape_cmdline(bytes, len), *argument = malloc(strlen(line) + 1);
	const char *at = line;
	size_t done = 0;

	must(argument);
	must_be_shown(line);
	while (*at) {
		size_t n = read_argument(&at, argument);
		size_t wanted = strnlen(bytes + done, len - done);

		must(done < len && n == wanted && (!n || !memcmp(argument, bytes + done, n)));
		done += n < len - done ? n + 1 : n;
		must(!*at || (*at == ' ' && at[1]));
		at += *at == ' ';
	}
	for (; done < len; done++)
		must(!bytes[done]);
	free(argument);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	size_t room = take_u8(&take);

	check_bytes((const char *)take.at, take.left, room);
	check_cmdline((const char *)take.at, take.left);
	return 0;
}
