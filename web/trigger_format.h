/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log format in parts: what trigger_format.c makes and trigger_line.c reads lines by. */
#ifndef WEB_TRIGGER_FORMAT_H
#define WEB_TRIGGER_FORMAT_H

#include "trigger.h"

#define TRIGGER_PARTS 64

enum trigger_kind {
	PART_LITERAL,
	PART_OPAQUE, /* anything escaped; may hold spaces */
	PART_WORD,   /* anything escaped without a space */
	PART_REST,   /* all that follows */
	PART_CLIENT,
	PART_VHOST,
	PART_REQUEST, /* METHOD URI PROTOCOL */
	PART_METHOD,
	PART_URI,
	PART_QUERY, /* ?… behind a PART_URI, or nothing */
	PART_STATUS,
	PART_PID,
	PART_TIME_LOCAL,   /* 02/Jan/2006:15:04:05 -0700 */
	PART_TIME_BRACKET, /* the same in brackets */
	PART_TIME_ISO,	   /* 2006-01-02T15:04:05-07:00 */
	PART_EPOCH_S,	   /* digits since the epoch, perhaps with a fraction */
	PART_EPOCH_MS,
	PART_EPOCH_US,
	PART_DURATION_S, /* perhaps with a fraction; "-": not told */
	PART_DURATION_MS,
	PART_DURATION_US,
	PART_N
};

struct trigger_part {
	enum trigger_kind kind;
	bool end;	/* of a time: the request's end, not its start */
	size_t at, len; /* of a literal, in text */
};

struct trigger_format {
	enum sites_escape escape;
	struct trigger_part parts[TRIGGER_PARTS];
	unsigned n_parts;
	char *text;		      /* the literals */
	struct trigger_format *other; /* tried when a line is not of this one */
};

/* Is there a part of this kind? */
bool trigger_format_has(const struct trigger_format *format, enum trigger_kind kind);

struct trigger_extent {
	size_t at, len;
};

/* trigger_split.c: where each part lies in the line. 0, or -EBADMSG: nowhere, or in several ways
 * that differ in a part that is asked for. */
int trigger_split_line(const struct trigger_format *format, const char *line, size_t len,
		       struct trigger_extent extents[TRIGGER_PARTS]);

#endif
