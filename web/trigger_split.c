/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the parts of a format lie in a line. A part whose end can't be told from what it may hold
 * is tried at each place where the format's next text stands; a line for which that works in two
 * ways that say different things is refused. Pure.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "trigger_format.h"

#define STEPS_MAX 20000 /* places tried for one line: a hostile one is not worth more */

/* Where each part of the line lies. */
struct split {
	const struct trigger_format *format;
	const char *line;
	size_t len;
	unsigned steps;
	size_t from[TRIGGER_PARTS], to[TRIGGER_PARTS]; /* the way under trial */
	size_t found_from[TRIGGER_PARTS], found_to[TRIGGER_PARTS];
	unsigned found; /* 2: several, or too many steps */
};

static bool is_client_byte(unsigned char c)
{
	return isalnum(c) || c == '.' || c == ':' || c == '-' || c == '_' || c == '%';
}

/* May the byte at `at` belong to a part of this kind that begins at `from`? The bytes of names are
 * ASCII in both servers' logs. A raw quote never does, an escaped one only where it is opaque. */
static bool belongs(const struct split *split, enum trigger_kind kind, size_t from, size_t at)
{
	unsigned char c = (unsigned char)split->line[at];
	size_t slashes = 0;

	switch (kind) {
	case PART_REST:
		return true;
	case PART_CLIENT:
		return is_client_byte(c);
	case PART_VHOST:
		return is_client_byte(c) || strchr("[]*~", c);
	case PART_METHOD:
	case PART_STATUS:
	case PART_PID:
	case PART_EPOCH_S:
	case PART_EPOCH_MS:
	case PART_EPOCH_US:
	case PART_DURATION_S:
	case PART_DURATION_MS:
	case PART_DURATION_US:
		return isalnum(c) || c == '.' || c == '-' || c == '_';
	case PART_TIME_LOCAL:
	case PART_TIME_BRACKET:
	case PART_TIME_ISO:
		return isalnum(c) || (c && strchr("[]/:+- ", c));
	case PART_WORD:
	case PART_URI:
	case PART_QUERY:
		if (c == ' ')
			return false;
		break;
	default:
		break;
	}
	if (c < ' ' || c == 0x7f)
		return false;
	if (c != '"')
		return true;
	while (at - slashes > from && split->line[at - slashes - 1] == '\\')
		slashes++;
	return slashes % 2 == 1;
}

/* A time has one length. */
static bool may_be(enum trigger_kind kind, size_t len)
{
	switch (kind) {
	case PART_TIME_LOCAL:
		return len == strlen("02/Jan/2006:15:04:05 -0700");
	case PART_TIME_BRACKET:
		return len == strlen("[02/Jan/2006:15:04:05 -0700]");
	case PART_TIME_ISO:
		return len == strlen("2006-01-02T15:04:05-07:00");
	default:
		return true;
	}
}

/* Two ways that differ only in what nobody asks for are one. */
static bool same_way(const struct split *split)
{
	for (unsigned i = 0; i < split->format->n_parts; i++) {
		enum trigger_kind kind = split->format->parts[i].kind;

		if (kind == PART_LITERAL || kind == PART_OPAQUE || kind == PART_WORD ||
		    kind == PART_REST)
			continue;
		if (split->from[i] != split->found_from[i] || split->to[i] != split->found_to[i])
			return false;
	}
	return true;
}

static void keep_way(struct split *split)
{
	if (split->found) {
		split->found = same_way(split) ? 1 : 2;
		return;
	}
	split->found = 1;
	memcpy(split->found_from, split->from, sizeof(split->from));
	memcpy(split->found_to, split->to, sizeof(split->to));
}

/* Parts are at most TRIGGER_PARTS deep. */
static void split_at(struct split *split, unsigned part, size_t at)
{
	const struct trigger_part *now = &split->format->parts[part];
	const struct trigger_part *next = now + 1;
	bool last = part + 1 == split->format->n_parts;

	if (split->found > 1)
		return;
	if (++split->steps > STEPS_MAX) {
		split->found = 2;
		return;
	}
	if (part == split->format->n_parts) {
		if (at == split->len)
			keep_way(split);
		return;
	}
	split->from[part] = at;
	if (now->kind == PART_LITERAL) {
		if (split->len - at < now->len ||
		    memcmp(split->line + at, split->format->text + now->at, now->len))
			return;
		split->to[part] = at + now->len;
		split_at(split, part + 1, at + now->len);
		return;
	}
	for (size_t end = at; split->found < 2; end++) {
		bool fits = last ? end == split->len
				 : next->kind != PART_LITERAL ||
					    (split->len - end >= next->len &&
					     !memcmp(split->line + end,
						     split->format->text + next->at, next->len));

		if (fits && may_be(now->kind, end - at)) {
			split->to[part] = end;
			split_at(split, part + 1, end);
		}
		if (end == split->len || !belongs(split, now->kind, at, end))
			return;
	}
}

int trigger_split_line(const struct trigger_format *format, const char *line, size_t len,
		       struct trigger_extent extents[TRIGGER_PARTS])
{
	struct split split = { .format = format, .line = line, .len = len };

	split_at(&split, 0, 0);
	if (split.found != 1)
		return -EBADMSG;
	for (unsigned i = 0; i < format->n_parts; i++)
		extents[i] = (struct trigger_extent){ split.found_from[i],
						      split.found_to[i] - split.found_from[i] };
	return 0;
}
