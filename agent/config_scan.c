/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks the text of a configuration: KEY = VALUE or KEY = { VALUE, … }, comments from # or // to
 * the line's end. Says where things stand, not what they mean.
 */
#include "config_scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 character at p (RFC 3629: shortest form, no surrogates), 0 if it is none. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t mask, lead, low, high; /* low, high: of the second byte */
		size_t len;
	} forms[] = {
		{ 0x80, 0x00, 0x00, 0xff, 1 }, { 0xff, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xff, 0xed, 0x80, 0x9f, 3 }, { 0xf0, 0xe0, 0x80, 0xbf, 3 },
		{ 0xff, 0xf0, 0x90, 0xbf, 4 }, { 0xff, 0xf4, 0x80, 0x8f, 4 },
		{ 0xf8, 0xf0, 0x80, 0xbf, 4 }, { 0xe0, 0xc0, 0x80, 0xbf, 2 },
	};

	if (p[0] == 0xc0 || p[0] == 0xc1 || p[0] > 0xf4)
		return 0;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((p[0] & forms[i].mask) != forms[i].lead)
			continue;
		if (forms[i].len > left)
			return 0;
		if (forms[i].len > 1 && (p[1] < forms[i].low || p[1] > forms[i].high))
			return 0;
		for (size_t n = 2; n < forms[i].len; n++)
			if ((p[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

const char *config_scan_text(const char *text, size_t len, unsigned *line)
{
	const uint8_t *bytes = (const uint8_t *)text;
	unsigned at_line = 1;
	size_t step;

	if (len > CONFIG_TEXT_MAX) {
		*line = 1;
		return "expected a file of at most 1048576 bytes";
	}
	for (size_t at = 0; at < len; at += step) {
		step = utf8_length(bytes + at, len - at);
		if (!step || bytes[at] == 0x7f ||
		    (bytes[at] < 0x20 && !memchr("\t\n\r", bytes[at], 3))) {
			*line = at_line;
			return "expected UTF-8 without control characters";
		}
		at_line += bytes[at] == '\n';
	}
	return NULL;
}

static bool is_bare(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '.' || c == '-';
}

static void skip_space(struct config_scan *scan)
{
	for (;; scan->at++) {
		if (*scan->at == '#' || (scan->at[0] == '/' && scan->at[1] == '/'))
			scan->at += strcspn(scan->at, "\n");
		if (*scan->at == '\n')
			scan->line++;
		else if (!*scan->at || !strchr(" \t\r", *scan->at))
			return;
	}
}

/* One value, quoted or bare. NULL, or what was expected. */
static const char *skip_value(struct config_scan *scan)
{
	char quote = *scan->at;

	if (quote != '"' && quote != '\'') {
		const char *start = scan->at;

		while (is_bare(*scan->at))
			scan->at++;
		return scan->at > start ? NULL
					: "expected a value: a word, a number, or text in quotes";
	}
	for (scan->at++; *scan->at != quote; scan->at++) {
		if (!*scan->at || *scan->at == '\n')
			return "expected a closing quote on the same line";
		if (scan->at[0] == '$' && scan->at[1] == '{')
			return "expected plain text: the environment is not read";
		if (*scan->at == '\\') {
			scan->at++;
			if (*scan->at != '\\' && *scan->at != quote)
				return "expected \\\\ or the quote after a backslash";
		}
	}
	scan->at++;
	return NULL;
}

static const char *skip_list(struct config_scan *scan)
{
	const char *expected;

	scan->at++;
	for (skip_space(scan); *scan->at != '}'; skip_space(scan)) {
		if (!*scan->at)
			return "expected '}' at the end of the list";
		expected = skip_value(scan);
		if (expected)
			return expected;
		skip_space(scan);
		if (*scan->at == ',')
			scan->at++;
		else if (*scan->at != '}')
			return *scan->at ? "expected ',' or '}' after a value of the list"
					 : "expected '}' at the end of the list";
	}
	scan->at++;
	return NULL;
}

static int fail(const struct config_scan *scan, struct config_assignment *assignment,
		const char *expected)
{
	assignment->line = scan->line;
	assignment->expected = expected;
	return -EINVAL;
}

int config_scan_next(struct config_scan *scan, struct config_assignment *assignment)
{
	const char *expected;
	size_t len = 0;

	*assignment = (struct config_assignment){ 0 };
	skip_space(scan);
	if (!*scan->at)
		return 0;
	while (is_bare(scan->at[len]))
		len++;
	if (!len) {
		snprintf(assignment->key, sizeof(assignment->key), "%c",
			 *scan->at > 0x20 && *scan->at < 0x7f ? *scan->at : '?');
		return fail(scan, assignment, "expected a key");
	}
	snprintf(assignment->key, sizeof(assignment->key), "%.*s",
		 len < CONFIG_KEY_BYTES ? (int)len : CONFIG_KEY_BYTES - 1, scan->at);
	scan->at += len;
	assignment->has_key = true;
	assignment->line = scan->line;
	skip_space(scan);
	if (*scan->at != '=')
		return fail(&(struct config_scan){ .line = assignment->line }, assignment,
			    "expected '=' and a value after the key");
	scan->at++;
	skip_space(scan);
	if (!*scan->at)
		return fail(&(struct config_scan){ .line = assignment->line }, assignment,
			    "expected a value after '='");
	assignment->value = scan->at;
	assignment->list = *scan->at == '{';
	expected = assignment->list ? skip_list(scan) : skip_value(scan);
	if (expected)
		return fail(scan, assignment, expected);
	assignment->value_len = (size_t)(scan->at - assignment->value);
	return 1;
}
