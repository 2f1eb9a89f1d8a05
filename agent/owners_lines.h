/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an owners file holds, once read: owners_parse.c makes it, owners.c answers from it.
 */
#ifndef AGENT_OWNERS_LINES_H
#define AGENT_OWNERS_LINES_H

#include "owners.h"

struct owners_end {	/* one side of a flow's pattern */
	uint8_t family; /* 0: any address */
	uint8_t address[16];
	bool any_port;
	uint16_t port;
};

enum owners_text {
	TEXT_EXE,
	TEXT_CMDLINE,
	TEXT_CWD,
	TEXT_SCRIPT,
	TEXT_UNIT,
	TEXT_CONTAINER,
	TEXT_COMM,
	TEXT_N
};

enum owners_number {
	NUMBER_UID,
	NUMBER_GID,
	NUMBER_PID,
	NUMBER_HOLDER_UID,
	NUMBER_HOLDER_EUID,
	NUMBER_CALLER_PID,
	NUMBER_CALLER_UID,
	NUMBER_POSES,
	NUMBER_N
};

struct owners_line {
	struct owners_end src, dst;
	bool has_number[NUMBER_N];
	uint32_t number[NUMBER_N];
	bool has_how, has_why;
	enum owner_how how;
	enum owner_why why;
	char *text[TEXT_N]; /* malloc'd, NULL when not given; NUL-terminated */
	size_t text_len[TEXT_N];
};

struct owners {
	struct owners_line *lines;
	size_t n_lines;
	struct owners_end *locals;
	size_t n_locals;
};

void owners_line_free(struct owners_line *line); /* its texts, not itself */

#endif
