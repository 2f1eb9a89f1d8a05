/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file that an access log's lines are written to: how long it was when, so that what came after
 * a moment can be read again; and whether it was cut. It is only looked at, never written.
 */
#ifndef WEB_TRIGGER_TAIL_H
#define WEB_TRIGGER_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#define TRIGGER_MARKS	   16
#define TRIGGER_MARK_NS	   (250 * INT64_C(1000000)) /* between two marks at least */
#define TRIGGER_TAIL_BYTES 32			    /* before its end, to know it again */

struct trigger_mark {
	int64_t ns;
	uint64_t size;
};

/* One file: what the path leads to, or what it led to before. */
struct trigger_tail {
	int fd; /* -1: none */
	uint64_t dev, ino;
	uint64_t size; /* when it was looked at last */
	uint64_t read; /* up to here lines were given to those who hold the log */
	int64_t grew_ns;
	struct trigger_mark marks[TRIGGER_MARKS]; /* oldest first */
	unsigned n_marks;
	unsigned n_end; /* bytes of end[]: those before size */
	char end[TRIGGER_TAIL_BYTES];
};

/* Looks at its size. True: it was cut (copytruncate), and is another file from its start on. */
bool trigger_tail_look(struct trigger_tail *tail, int64_t now_ns);
/* The newest mark that is no younger; NULL: there is none. */
const struct trigger_mark *trigger_tail_mark(const struct trigger_tail *tail, int64_t ns);
/* Takes one that is closed (fd -1), and leaves it so. */
void trigger_tail_close(struct trigger_tail *tail);

#endif
