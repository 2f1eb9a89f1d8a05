/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Journal lines that wait until their rows are safe: a line names an id that can be looked up. */
#ifndef AGENT_KEEP_LINES_H
#define AGENT_KEEP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"

struct keep_lines;

/* socket_path: where journal_fd (or -1) is connected to, for connecting it again. */
struct keep_lines *keep_lines_new(int journal_fd, const char *socket_path);
void keep_lines_free(struct keep_lines *lines);
struct keep_body { /* a record's body (wire_read_record()), or a note's message */
	const uint8_t *bytes;
	size_t len;
};

struct keep_line {
	struct keep_body body;
	bool is_note, repeat; /* repeat: a note of one that was folded into row id */
	int64_t id;
	const char *user; /* NULL: none */
	uint64_t held_back;
};
/* Copies it. -ENOBUFS, -ENOMEM: it can't wait. */
int keep_lines_add(struct keep_lines *lines, const struct keep_line *line);
/* Says all and forgets them; how many were lost. not_kept: without their ids. */
uint64_t keep_lines_say(struct keep_lines *lines, struct journal *journal, bool not_kept);

#endif
