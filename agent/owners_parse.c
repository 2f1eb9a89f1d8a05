// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The owners file's text to its lines; says where one is wrong. Looks at nothing but the text.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owners_lines.h"

#define PID_MAX	   4194304 /* PID_MAX_LIMIT, include/linux/threads.h */
#define WORD_BYTES 64	   /* of a key, an address with its port, a how or why */

static const struct {
	const char *key;
	size_t max; /* bytes, without a NUL */
} texts[TEXT_N] = {
	[TEXT_EXE] = { "exe", OWNER_PATH_BYTES - 1 },
	[TEXT_CMDLINE] = { "cmdline", OWNER_CMDLINE_BYTES - 2 },
	[TEXT_CWD] = { "cwd", OWNER_PATH_BYTES - 1 },
	[TEXT_SCRIPT] = { "script", OWNER_PATH_BYTES - 1 },
	[TEXT_UNIT] = { "unit", OWNER_NAME_BYTES - 1 },
	[TEXT_CONTAINER] = { "container", OWNER_NAME_BYTES - 1 },
	[TEXT_COMM] = { "comm", OWNER_COMM_BYTES - 1 },
};

static const struct {
	const char *key;
	uint32_t min, max;
} numbers[NUMBER_N] = {
	[NUMBER_UID] = { "uid", 0, UINT32_MAX - 1 },
	[NUMBER_GID] = { "gid", 0, UINT32_MAX - 1 },
	[NUMBER_PID] = { "pid", 1, PID_MAX },
	[NUMBER_HOLDER_UID] = { "holder_uid", 0, UINT32_MAX - 1 },
	[NUMBER_HOLDER_EUID] = { "holder_euid", 0, UINT32_MAX - 1 },
	[NUMBER_CALLER_PID] = { "caller_pid", 1, PID_MAX },
	[NUMBER_CALLER_UID] = { "caller_uid", 0, UINT32_MAX - 1 },
	[NUMBER_POSES] = { "poses", 0, 1 },
};

/* Where the parser stands. */
struct cursor {
	const char *at;
	const char *file;
	unsigned line;
	config_error_fn error;
	void *context;
};

static int __attribute__((format(printf, 3, 4)))
complain(const struct cursor *cursor, const char *key, const char *format, ...)
{
	char text[1536], expected[256];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	snprintf(text, sizeof(text), "%.1023s:%u: %s: %s", cursor->file, cursor->line, key,
		 expected);
	cursor->error(cursor->context, text);
	return -EINVAL;
}

static bool at_line_end(const struct cursor *cursor)
{
	return !*cursor->at || *cursor->at == '\n';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* To the next word of this line; a comment is its end. */
static void skip_blank(struct cursor *cursor)
{
	while (is_blank(*cursor->at))
		cursor->at++;
	if (*cursor->at == '#')
		cursor->at += strcspn(cursor->at, "\n");
}

/* A word of the characters that keys, addresses and numbers have; 0 if it is none or too long. */
static size_t take_word(struct cursor *cursor, char out[WORD_BYTES])
{
	static const char of[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "_-.:[]*>";
	size_t len = strspn(cursor->at, of);

	if (!len || len >= WORD_BYTES)
		return 0;
	memcpy(out, cursor->at, len);
	out[len] = '\0';
	cursor->at += len;
	return len;
}

static bool read_number(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t number = 0;

	if (!*text || strlen(text) > 10)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	if (number < min || number > max)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool read_address(const char *text, struct owners_end *end)
{
	char bare[WORD_BYTES];
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		snprintf(bare, sizeof(bare), "%.*s", (int)(len - 2), text + 1);
		end->family = AF_INET6;
		return inet_pton(AF_INET6, bare, end->address) == 1;
	}
	end->family = AF_INET;
	return inet_pton(AF_INET, text, end->address) == 1;
}

/* ADDRESS:PORT, either of them `*`. */
static bool read_end(char *text, struct owners_end *end)
{
	char *colon = strrchr(text, ':');
	uint32_t port = 0;

	*end = (struct owners_end){ 0 };
	if (!colon)
		return false;
	*colon++ = '\0';
	end->any_port = !strcmp(colon, "*");
	if (!end->any_port && !read_number(colon, 0, UINT16_MAX, &port))
		return false;
	end->port = (uint16_t)port;
	return !strcmp(text, "*") || read_address(text, end);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One byte of a quoted value, an escape undone. -1: not one. */
static int take_quoted_byte(struct cursor *cursor)
{
	int high, low;

	if (*cursor->at != '\\')
		return (unsigned char)*cursor->at++;
	cursor->at++;
	if (*cursor->at == '\\' || *cursor->at == '"')
		return *cursor->at++;
	if (*cursor->at != 'x' || (high = hex_digit(cursor->at[1])) < 0 ||
	    (low = hex_digit(cursor->at[2])) < 0)
		return -1;
	cursor->at += 3;
	return high << 4 | low;
}

/* A value, quoted or bare, into *out (malloc'd, NUL-terminated). Arguments: a space that is not
 * escaped parts two of them, as NUL. */
static const char *take_value(struct cursor *cursor, bool arguments, size_t max, char **out,
			      size_t *out_len)
{
	const char *start = cursor->at;
	bool quoted = *start == '"';
	size_t room = strcspn(start, "\n"), len = 0;
	const char *expected = NULL;
	char *value = malloc(room + 1);
	int byte;

	if (!value)
		return "expected more memory than there is";
	cursor->at += quoted;
	while (!at_line_end(cursor) && (quoted ? *cursor->at != '"' : !is_blank(*cursor->at))) {
		bool parts = arguments && *cursor->at == ' ';

		if (!quoted && (*cursor->at == '"' || *cursor->at == '\\')) {
			expected = "expected quotes around a value with \" or \\";
			break;
		}
		byte = take_quoted_byte(cursor);
		if (byte < 0 || (!byte && !arguments)) {
			expected = "expected \\\\, \\\" or \\xHH (not \\x00) after a backslash";
			break;
		}
		value[len++] = parts ? '\0' : (char)byte;
	}
	if (!expected && quoted && (at_line_end(cursor) || *cursor->at++ != '"'))
		expected = "expected a closing quote on the same line";
	if (!expected && !at_line_end(cursor) && !is_blank(*cursor->at))
		expected = "expected a blank after the value";
	if (!expected && !len)
		expected = "expected a value";
	if (!expected && len > max)
		expected = "expected a shorter value: it does not fit";
	if (expected) {
		free(value);
		return expected;
	}
	value[len] = '\0';
	*out = value;
	*out_len = len;
	return NULL;
}

static int find_word(const char *const words[], unsigned n, const char *word)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (int)i;
	return -1;
}

static int parse_word_value(struct cursor *cursor, const char *key, struct owners_line *line)
{
	char word[WORD_BYTES];
	int found;

	if (!take_word(cursor, word))
		word[0] = '\0';
	if (!strcmp(key, "how")) {
		found = find_word(owner_how_words, OWNER_HOW_N, word);
		line->has_how = true;
		line->how = found < 0 ? OWNER_UNKNOWN : (enum owner_how)found;
	} else {
		found = find_word(owner_why_words, OWNER_WHY_N, word);
		line->has_why = true;
		line->why = found < 0 ? OWNER_WHY_NONE : (enum owner_why)found;
	}
	return found < 0 ? complain(cursor, key, "expected one of its words") : 0;
}

static int parse_pair(struct cursor *cursor, struct owners_line *line)
{
	const char *expected;
	char key[WORD_BYTES], word[WORD_BYTES];

	if (!take_word(cursor, key) || *cursor->at != '=')
		return complain(cursor, "line", "expected KEY=VALUE");
	cursor->at++;
	for (unsigned i = 0; i < NUMBER_N; i++) {
		if (strcmp(key, numbers[i].key))
			continue;
		if (!take_word(cursor, word) ||
		    !read_number(word, numbers[i].min, numbers[i].max, &line->number[i]))
			return complain(cursor, key, "expected a whole number from %u to %u",
					numbers[i].min, numbers[i].max);
		line->has_number[i] = true;
		return 0;
	}
	for (unsigned i = 0; i < TEXT_N; i++) {
		if (strcmp(key, texts[i].key))
			continue;
		if (line->text[i])
			return complain(cursor, key, "expected once in a line");
		expected = take_value(cursor, i == TEXT_CMDLINE, texts[i].max, &line->text[i],
				      &line->text_len[i]);
		return expected ? complain(cursor, key, "%s", expected) : 0;
	}
	if (!strcmp(key, "how") || !strcmp(key, "why"))
		return parse_word_value(cursor, key, line);
	return complain(cursor, key, "expected a key that an owners file knows");
}

static int parse_flow(struct cursor *cursor, char src[WORD_BYTES], struct owners_line *line)
{
	char word[WORD_BYTES];
	int result;

	if (!read_end(src, &line->src))
		return complain(cursor, "line", "expected SRC:SPORT > DST:DPORT");
	skip_blank(cursor);
	if (!take_word(cursor, word) || strcmp(word, ">"))
		return complain(cursor, "line", "expected SRC:SPORT > DST:DPORT");
	skip_blank(cursor);
	if (!take_word(cursor, word) || !read_end(word, &line->dst))
		return complain(cursor, "line", "expected SRC:SPORT > DST:DPORT");
	for (;;) {
		if (!at_line_end(cursor) && !is_blank(*cursor->at) && *cursor->at != '#')
			return complain(cursor, "line", "expected a blank between two words");
		skip_blank(cursor);
		if (at_line_end(cursor))
			return 0;
		result = parse_pair(cursor, line);
		if (result)
			return result;
	}
}

static int parse_local(struct cursor *cursor, struct owners_end *local)
{
	char word[WORD_BYTES];

	skip_blank(cursor);
	if (!take_word(cursor, word) || !read_address(word, local))
		return complain(cursor, "local", "expected an address, IPv6 in brackets");
	skip_blank(cursor);
	return at_line_end(cursor) ? 0 : complain(cursor, "local", "expected one address");
}

/* Appends; grows by doubling at each power of two. */
static void *append(void *array, size_t *n, size_t size, const void *element)
{
	if (!(*n & (*n - 1))) {
		array = realloc(array, (*n ? *n * 2 : 1) * size);
		if (!array)
			abort();
	}
	memcpy((char *)array + *n * size, element, size);
	++*n;
	return array;
}

static int parse_line(struct cursor *cursor, struct owners *owners)
{
	struct owners_line line = { 0 };
	struct owners_end local = { 0 };
	char word[WORD_BYTES];
	int result;

	skip_blank(cursor);
	if (at_line_end(cursor))
		return 0;
	if (!take_word(cursor, word))
		return complain(cursor, "line", "expected SRC:SPORT > DST:DPORT");
	if (!strcmp(word, "local")) {
		result = parse_local(cursor, &local);
		if (!result)
			owners->locals =
				append(owners->locals, &owners->n_locals, sizeof(local), &local);
		return result;
	}
	result = parse_flow(cursor, word, &line);
	if (result)
		owners_line_free(&line);
	else
		owners->lines = append(owners->lines, &owners->n_lines, sizeof(line), &line);
	return result;
}

int owners_parse(struct owners **owners, const char *file, const char *text, config_error_fn error,
		 void *context)
{
	struct cursor cursor = { text, file, 1, error, context };
	struct owners *made = calloc(1, sizeof(*made));
	int result = 0;

	if (!made)
		return -ENOMEM;
	for (;; cursor.at++, cursor.line++) {
		if (parse_line(&cursor, made))
			result = -EINVAL;
		cursor.at += strcspn(cursor.at, "\n");
		if (!*cursor.at)
			break;
	}
	if (result)
		owners_free(made);
	else
		*owners = made;
	return result;
}
