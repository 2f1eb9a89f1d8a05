/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The owners file of a replay: parsed from text, then asked as /proc would be when live. Looks at
 * nothing but the text.
 */
#include "owners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PID_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */
#define WORD_BYTES 64	/* of a key, an address with its port, a how or why */

struct end { /* one side of a flow's pattern */
	uint8_t family; /* 0: any address */
	uint8_t address[16];
	bool any_port;
	uint16_t port;
};

enum text { TEXT_EXE, TEXT_CMDLINE, TEXT_CWD, TEXT_SCRIPT, TEXT_UNIT, TEXT_CONTAINER, TEXT_COMM, TEXT_N };
enum number { NUMBER_UID, NUMBER_GID, NUMBER_PID, NUMBER_HOLDER_UID, NUMBER_HOLDER_EUID, NUMBER_N };

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
};

struct line {
	struct end src, dst;
	bool has_number[NUMBER_N];
	uint32_t number[NUMBER_N];
	bool has_how, has_why;
	enum owner_how how;
	enum owner_why why;
	char *text[TEXT_N]; /* malloc'd, NULL when not given; NUL-terminated */
	size_t text_len[TEXT_N];
};

struct owners {
	struct line *lines;
	size_t n_lines;
	struct end *locals;
	size_t n_locals;
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
	snprintf(text, sizeof(text), "%.1023s:%u: %s: %s", cursor->file, cursor->line, key, expected);
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

static bool read_address(const char *text, struct end *end)
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
static bool read_end(char *text, struct end *end)
{
	char *colon = strrchr(text, ':');
	uint32_t port = 0;

	*end = (struct end){ 0 };
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

static int parse_word_value(struct cursor *cursor, const char *key, struct line *line)
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

static int parse_pair(struct cursor *cursor, struct line *line)
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

static void free_line(struct line *line)
{
	for (unsigned i = 0; i < TEXT_N; i++)
		free(line->text[i]);
}

static int parse_flow(struct cursor *cursor, char src[WORD_BYTES], struct line *line)
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

static int parse_local(struct cursor *cursor, struct end *local)
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
	struct line line = { 0 };
	struct end local = { 0 };
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
			owners->locals = append(owners->locals, &owners->n_locals, sizeof(local), &local);
		return result;
	}
	result = parse_flow(cursor, word, &line);
	if (result)
		free_line(&line);
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

void owners_free(struct owners *owners)
{
	if (!owners)
		return;
	for (size_t i = 0; i < owners->n_lines; i++)
		free_line(&owners->lines[i]);
	free(owners->lines);
	free(owners->locals);
	free(owners);
}

static bool has_address(const struct end *end, uint8_t family, const uint8_t *address)
{
	return end->family == family && !memcmp(end->address, address, family == AF_INET ? 4 : 16);
}

static bool matches(const struct end *end, uint8_t family, const uint8_t *address, uint16_t port)
{
	return (!end->family || has_address(end, family, address)) &&
	       (end->any_port || end->port == port);
}

static const struct line *find_line(const struct owners *owners, const struct flow *flow)
{
	if (!owners || !flow->has_ports)
		return NULL;
	for (size_t i = 0; i < owners->n_lines; i++) {
		const struct line *line = &owners->lines[i];

		if (matches(&line->src, flow->family, flow->src, flow->sport) &&
		    matches(&line->dst, flow->family, flow->dst, flow->dport))
			return line;
	}
	return NULL;
}

/* A text of the line into its field, which is larger than texts[].max by at least the NUL. */
static void give_text(const struct line *line, enum text which, char *field)
{
	if (line->text[which])
		memcpy(field, line->text[which], line->text_len[which] + 1);
}

static void give_holder(const struct line *line, struct owner *owner)
{
	if (line->has_number[NUMBER_UID] && owner->how != OWNER_UNKNOWN)
		owner->proc.uid = owner->euid = line->number[NUMBER_UID];
	if (line->has_number[NUMBER_HOLDER_UID])
		owner->proc.uid = owner->euid = line->number[NUMBER_HOLDER_UID];
	if (line->has_number[NUMBER_HOLDER_EUID])
		owner->euid = line->number[NUMBER_HOLDER_EUID];
	if (line->has_number[NUMBER_GID])
		owner->gid = line->number[NUMBER_GID];
	give_text(line, TEXT_COMM, owner->proc.comm);
	if (line->has_number[NUMBER_PID]) {
		owner->proc.pid = (pid_t)line->number[NUMBER_PID];
		owner->holders[0] = owner->proc;
		owner->n_holders = 1;
	}
}

int owners_resolve(void *context, const struct flow *flow, const struct egress_meta *meta,
		   struct owner *owner)
{
	const struct line *line = find_line(context, flow);

	(void)meta;
	owner_init(owner);
	if (!line) {
		owner->why = OWNER_WHY_NOT_GIVEN;
		return 0;
	}
	owner->how = line->has_how ? line->how : line->has_why ? OWNER_UNKNOWN : OWNER_GIVEN;
	owner->why = line->why;
	give_holder(line, owner);
	give_text(line, TEXT_EXE, owner->exe);
	give_text(line, TEXT_CWD, owner->cwd);
	give_text(line, TEXT_UNIT, owner->unit);
	give_text(line, TEXT_CONTAINER, owner->container);
	give_text(line, TEXT_CMDLINE, owner->cmdline);
	if (line->text[TEXT_CMDLINE])
		owner->cmdline_bytes = line->text_len[TEXT_CMDLINE] + 1;
	give_text(line, TEXT_SCRIPT, owner->script);
	if (line->text[TEXT_SCRIPT])
		owner->script_from = OWNER_SCRIPT_GIVEN;
	return 0;
}

void owners_meta(const struct owners *owners, const struct flow *flow, struct egress_meta *meta)
{
	const struct line *line = find_line(owners, flow);

	if (line && line->has_number[NUMBER_UID] && !meta->has_uid) {
		meta->has_uid = true;
		meta->uid = line->number[NUMBER_UID];
		meta->gid = line->has_number[NUMBER_GID] ? line->number[NUMBER_GID] :
							   OWNER_UID_NONE;
	}
	for (size_t i = 0; owners && i < owners->n_locals; i++)
		if (flow->family && has_address(&owners->locals[i], flow->family, flow->dst))
			meta->dst_local = true;
}
