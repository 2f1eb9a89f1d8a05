/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded list of messages that owe the journal a line; it formats nothing itself. */
#include "keep_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "wire.h"

#define LINES_MAX	4096
#define LINES_BYTES_MAX (8U << 20)

struct line {
	uint8_t *bytes;
	size_t len;
	bool is_note, repeat;
	int64_t id;
	uint64_t held_back;
	char user[256]; /* empty: none */
};

struct keep_lines {
	int fd;
	struct sockaddr_un address; /* sun_path empty: not to be connected again */
	struct record record;
	struct note note;
	struct line *lines;
	size_t n, room, bytes;
};

struct keep_lines *keep_lines_new(int journal_fd, const char *socket_path)
{
	struct keep_lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->fd = journal_fd;
	lines->address.sun_family = AF_UNIX;
	if (strlen(socket_path) < sizeof(lines->address.sun_path))
		strcpy(lines->address.sun_path, socket_path);
	return lines;
}

static void forget(struct keep_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->n; i++)
		free(lines->lines[i].bytes);
	lines->n = lines->bytes = 0;
}

void keep_lines_free(struct keep_lines *lines)
{
	if (!lines)
		return;
	forget(lines);
	free(lines->lines);
	free(lines);
}

static int make_room(struct keep_lines *lines)
{
	struct line *more;

	if (lines->n < lines->room)
		return 0;
	more = reallocarray(lines->lines, lines->room + 64, sizeof(*more));
	if (!more)
		return -ENOMEM;
	lines->lines = more;
	lines->room += 64;
	return 0;
}

int keep_lines_add(struct keep_lines *lines, const struct keep_line *more)
{
	size_t len = more->body.len;
	struct line *line;

	if (lines->n == LINES_MAX || lines->bytes + len > LINES_BYTES_MAX)
		return -ENOBUFS;
	if (make_room(lines) < 0)
		return -ENOMEM;
	line = &lines->lines[lines->n];
	memset(line, 0, sizeof(*line));
	line->bytes = malloc(len);
	if (!line->bytes)
		return -ENOMEM;
	memcpy(line->bytes, more->body.bytes, len);
	line->len = len;
	line->is_note = more->is_note;
	line->repeat = more->repeat;
	line->id = more->id;
	line->held_back = more->held_back;
	snprintf(line->user, sizeof(line->user), "%s", more->user ? more->user : "");
	lines->bytes += len;
	lines->n++;
	return 0;
}

/* journald was started anew: its socket has the same name. */
static bool connect_again(const struct keep_lines *lines)
{
	return lines->fd >= 0 && lines->address.sun_path[0] &&
	       connect(lines->fd, (const struct sockaddr *)&lines->address,
		       sizeof(lines->address)) == 0;
}

static int say(struct keep_lines *lines, struct journal *journal, const struct line *line,
	       bool not_kept)
{
	const char *user = line->user[0] ? line->user : NULL;
	int64_t id = not_kept ? 0 : line->id;
	int err = line->is_note ? wire_decode_note(line->bytes, line->len, &lines->note)
				: wire_read_record(line->bytes, line->len, &lines->record);
	bool again = false;

	if (err || (line->is_note && not_kept)) /* a note of no row tells nothing */
		return err;
	do {
		err = line->is_note
			      ? journal_say_note(journal, &lines->note, id, line->repeat)
			      : journal_say(journal, &lines->record, id, user, line->held_back);
		again = !again && (err == -ECONNREFUSED || err == -ENOTCONN) &&
			connect_again(lines);
	} while (again);
	return err;
}

uint64_t keep_lines_say(struct keep_lines *lines, struct journal *journal, bool not_kept)
{
	uint64_t lost = 0;
	size_t i;

	for (i = 0; i < lines->n; i++)
		if (say(lines, journal, &lines->lines[i], not_kept) < 0)
			lost++;
	forget(lines);
	return lost;
}
