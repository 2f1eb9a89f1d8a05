/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a log's file ends, and ended; reads no line of it. */
#include "trigger_tail.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_mark(struct trigger_tail *tail, int64_t ns)
{
	struct trigger_mark *last = tail->n_marks ? &tail->marks[tail->n_marks - 1] : NULL;

	if (last && ns < last->ns) { /* the clock was set back: they say nothing any more */
		tail->n_marks = 0;
		last = NULL;
	}
	if (last && ns - last->ns < TRIGGER_MARK_NS)
		return;
	if (tail->n_marks == TRIGGER_MARKS) {
		memmove(tail->marks, tail->marks + 1, (TRIGGER_MARKS - 1) * sizeof(tail->marks[0]));
		tail->n_marks--;
	}
	tail->marks[tail->n_marks++] = (struct trigger_mark){ ns, tail->size };
}

static void remember_end(struct trigger_tail *tail)
{
	size_t n = tail->size < TRIGGER_TAIL_BYTES ? (size_t)tail->size : TRIGGER_TAIL_BYTES;

	if (pread(tail->fd, tail->end, n, (off_t)(tail->size - n)) != (ssize_t)n)
		n = 0;
	tail->n_end = (unsigned)n;
}

/* Is what was at its end still there? */
static bool is_same_file(const struct trigger_tail *tail)
{
	char end[TRIGGER_TAIL_BYTES];

	return !tail->n_end || (pread(tail->fd, end, tail->n_end,
				      (off_t)(tail->size - tail->n_end)) == (ssize_t)tail->n_end &&
				!memcmp(end, tail->end, tail->n_end));
}

bool trigger_tail_look(struct trigger_tail *tail, int64_t now_ns)
{
	struct stat st;
	bool cut;

	if (tail->fd < 0 || fstat(tail->fd, &st) < 0)
		return false;
	if ((uint64_t)st.st_size == tail->size && tail->n_marks) {
		add_mark(tail, now_ns);
		return false;
	}
	cut = (uint64_t)st.st_size < tail->size || !is_same_file(tail);
	if (cut) {
		tail->read = 0;
		tail->n_marks = 0;
		tail->marks[tail->n_marks++] = (struct trigger_mark){ now_ns, 0 };
	}
	tail->size = (uint64_t)st.st_size;
	tail->grew_ns = now_ns;
	remember_end(tail);
	add_mark(tail, now_ns);
	return cut;
}

const struct trigger_mark *trigger_tail_mark(const struct trigger_tail *tail, int64_t ns)
{
	for (unsigned i = tail->n_marks; i > 0; i--)
		if (tail->marks[i - 1].ns <= ns)
			return &tail->marks[i - 1];
	return NULL;
}

void trigger_tail_close(struct trigger_tail *tail)
{
	if (tail->fd >= 0)
		close(tail->fd);
	*tail = (struct trigger_tail){ .fd = -1 };
}
