/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows access logs through growth, rotation and truncation; decides nothing. */
#include "trigger_logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trigger_tail.h"

#define TURN_LOG_BYTES (1u << 20)		   /* read from one log in a turn */
#define TURN_BYTES     (8u << 20)		   /* and from all */
#define PAST_BYTES     (1u << 20)		   /* read again for a new question, of one log */
#define BEFORE_NS      (120 * INT64_C(1000000000)) /* a rotated file that rests so long is done */

struct log {
	char *path; /* NULL: the slot is free */
	struct trigger_format *format;
	struct trigger_tail now, before;
	unsigned holders;
	bool old, missed;
};

struct trigger_logs {
	int root_fd;
	unsigned n, next; /* slots in use so far; where the next turn begins */
	size_t left;	  /* bytes of this turn */
	char *buffer;	  /* TRIGGER_LINE_BYTES + TURN_LOG_BYTES */
	struct log logs[TRIGGER_LOGS];
};

#define BUFFER_BYTES (TRIGGER_LINE_BYTES + TURN_LOG_BYTES)

struct trigger_logs *trigger_logs_new(int root_fd)
{
	struct trigger_logs *logs = calloc(1, sizeof(*logs));

	if (!logs)
		return NULL;
	logs->root_fd = root_fd;
	logs->buffer = malloc(BUFFER_BYTES);
	if (logs->buffer)
		return logs;
	free(logs);
	return NULL;
}

static void drop(struct log *log)
{
	trigger_tail_close(&log->now);
	trigger_tail_close(&log->before);
	trigger_format_free(log->format);
	free(log->path);
	*log = (struct log){ .now.fd = -1, .before.fd = -1 };
}

void trigger_logs_free(struct trigger_logs *logs)
{
	if (!logs)
		return;
	for (unsigned i = 0; i < logs->n; i++)
		drop(&logs->logs[i]);
	free(logs->buffer);
	free(logs);
}

/* --- where the files end ---------------------------------------------------------------------- */

static void open_tail(struct trigger_logs *logs, struct log *log, bool from_end, int64_t now_ns)
{
	struct trigger_tail *tail = &log->now;

	*tail = (struct trigger_tail){ .fd = -1 };
	tail->fd = trigger_open(logs->root_fd, log->path, &tail->dev, &tail->ino);
	if (tail->fd < 0) {
		tail->fd = -1;
		return;
	}
	if (!from_end) /* it came since the last look: all of it is new */
		tail->marks[tail->n_marks++] = (struct trigger_mark){ now_ns - TRIGGER_MARK_NS, 0 };
	trigger_tail_look(tail, now_ns);
	tail->read = from_end ? tail->size : 0;
}

/* The server goes on writing to the old file until it is told: both are followed. */
static void see_to_rotation(struct trigger_logs *logs, struct log *log, int64_t now_ns)
{
	uint64_t dev, ino;
	bool had = log->now.fd >= 0;

	if (trigger_where(logs->root_fd, log->path, &dev, &ino) < 0 ||
	    (had && dev == log->now.dev && ino == log->now.ino))
		return;
	if (had) {
		if (log->before.fd >= 0 && log->before.read < log->before.size)
			log->missed = true;
		trigger_tail_close(&log->before);
		log->before = log->now;
	}
	open_tail(logs, log, false, now_ns);
}

static void look_at(struct trigger_logs *logs, struct log *log, int64_t now_ns)
{
	/* What was cut away before it was read is nowhere to be had. */
	uint64_t unread = log->now.size - log->now.read;

	if (trigger_tail_look(&log->now, now_ns))
		log->missed |= log->holders && unread;
	trigger_tail_look(&log->before, now_ns);
	see_to_rotation(logs, log, now_ns);
	if (log->before.fd >= 0 && now_ns - log->before.grew_ns > BEFORE_NS)
		trigger_tail_close(&log->before);
}

void trigger_logs_mark(struct trigger_logs *logs, int64_t now_ns)
{
	for (unsigned i = 0; i < logs->n; i++)
		if (logs->logs[i].path)
			look_at(logs, &logs->logs[i], now_ns);
}

/* --- lines ----------------------------------------------------------------------------------- */

static void give(const struct log *log, unsigned number, const char *line, size_t len,
		 trigger_lines_fn *fn, void *context)
{
	struct trigger_line read;

	if (len && line[len - 1] == '\r')
		len--;
	fn(context, number, trigger_line_parse(log->format, line, len, &read) ? NULL : &read);
}

/* Gives the lines whose newline lies within from … to, the first one from its start on. Up to
 * TURN_LOG_BYTES; where it came to. */
static uint64_t read_lines(struct trigger_logs *logs, unsigned number,
			   const struct trigger_tail *tail, uint64_t from, uint64_t to,
			   trigger_lines_fn *fn, void *context)
{
	struct log *log = &logs->logs[number];
	uint64_t start = from > TRIGGER_LINE_BYTES ? from - TRIGGER_LINE_BYTES : 0;
	size_t want, skip, at;
	ssize_t got;
	char *newline;

	if (to - from > TURN_LOG_BYTES)
		to = from + TURN_LOG_BYTES;
	want = (size_t)(to - start);
	got = pread(tail->fd, logs->buffer, want, (off_t)start);
	skip = (size_t)(from - start);
	if (got < 0 || (size_t)got <= skip) {
		log->missed = true;
		return to;
	}
	/* The start of the line that is under way at from; without one in reach it is too long. */
	newline = skip ? memrchr(logs->buffer, '\n', skip) : NULL;
	at = newline ? (size_t)(newline - logs->buffer) + 1 : start ? SIZE_MAX : 0;
	while ((newline = memchr(logs->buffer + skip, '\n', (size_t)got - skip))) {
		size_t end = (size_t)(newline - logs->buffer);

		if (at == SIZE_MAX)
			fn(context, number, NULL);
		else if (end > at)
			give(log, number, logs->buffer + at, end - at, fn, context);
		at = skip = end + 1;
	}
	return start + (uint64_t)got;
}

static void read_tail(struct trigger_logs *logs, unsigned number, struct trigger_tail *tail,
		      trigger_lines_fn *fn, void *context)
{
	uint64_t to;

	if (tail->fd < 0 || tail->read >= tail->size || !logs->left)
		return;
	to = read_lines(logs, number, tail, tail->read, tail->size, fn, context);
	logs->left -= to - tail->read < logs->left ? (size_t)(to - tail->read) : logs->left;
	tail->read = to;
}

void trigger_logs_read(struct trigger_logs *logs, int64_t now_ns, trigger_lines_fn *fn,
		       void *context)
{
	logs->left = TURN_BYTES;
	for (unsigned i = 0; i < logs->n; i++) { /* each turn begins with another log */
		unsigned number = (logs->next + i) % logs->n;
		struct log *log = &logs->logs[number];

		if (!log->path || !log->holders)
			continue;
		look_at(logs, log, now_ns);
		read_tail(logs, number, &log->before, fn, context);
		read_tail(logs, number, &log->now, fn, context);
	}
	logs->next = logs->n ? (logs->next + 1) % logs->n : 0;
}

/* --- who is watched -------------------------------------------------------------------------- */

/* One format may stand in two vhosts: what it was first tried as is enough. */
static void add_format(struct log *log, struct trigger_format *format)
{
	if (log->format)
		trigger_format_join(log->format, format);
	else
		log->format = format;
}

int trigger_logs_add(struct trigger_logs *logs, const char *path, struct trigger_format *format,
		     int64_t now_ns)
{
	unsigned slot = logs->n;

	for (unsigned i = 0; i < logs->n; i++) {
		struct log *log = &logs->logs[i];

		if (!log->path) {
			slot = slot == logs->n ? i : slot;
		} else if (!strcmp(log->path, path)) {
			if (log->old && !log->holders) { /* its format may be another now */
				trigger_format_free(log->format);
				log->format = NULL;
			}
			log->old = false;
			add_format(log, format);
			return (int)i;
		}
	}
	if (slot == TRIGGER_LOGS) {
		trigger_format_free(format);
		return -ENFILE;
	}
	logs->logs[slot] = (struct log){ .now.fd = -1, .before.fd = -1, .format = format };
	logs->logs[slot].path = strdup(path);
	if (!logs->logs[slot].path) {
		drop(&logs->logs[slot]);
		return -ENOMEM;
	}
	if (slot == logs->n)
		logs->n++;
	open_tail(logs, &logs->logs[slot], true, now_ns);
	return (int)slot;
}

void trigger_logs_renew(struct trigger_logs *logs)
{
	for (unsigned i = 0; i < logs->n; i++)
		logs->logs[i].old = true;
}

void trigger_logs_drop_old(struct trigger_logs *logs)
{
	for (unsigned i = 0; i < logs->n; i++)
		if (logs->logs[i].path && logs->logs[i].old && !logs->logs[i].holders)
			drop(&logs->logs[i]);
}

int trigger_logs_find(const struct trigger_logs *logs, const char *path)
{
	for (unsigned i = 0; i < logs->n; i++)
		if (logs->logs[i].path && !strcmp(logs->logs[i].path, path))
			return (int)i;
	return -ENOENT;
}

unsigned trigger_logs_end(const struct trigger_logs *logs)
{
	return logs->n;
}

const char *trigger_logs_path(const struct trigger_logs *logs, unsigned log)
{
	return logs->logs[log].path;
}

/* What one file has got since, up to end. */
static bool read_past(struct trigger_logs *logs, unsigned number, const struct trigger_tail *tail,
		      uint64_t end, int64_t since_ns, bool older, trigger_lines_fn *fn,
		      void *context)
{
	const struct trigger_mark *mark = trigger_tail_mark(tail, since_ns);
	uint64_t from;
	bool whole = mark != NULL || older;

	if (tail->fd < 0)
		return true;
	if (!mark && tail->n_marks)
		mark = &tail->marks[0];
	from = mark ? mark->size : 0;
	if (end - from > PAST_BYTES) {
		from = end - PAST_BYTES;
		whole = false;
	}
	while (from < end) {
		uint64_t to = read_lines(logs, number, tail, from, end, fn, context);

		if (to <= from)
			return false;
		from = to;
	}
	return whole;
}

/* A file that took the place of one that is followed was empty before. */
static bool took_over(const struct log *log)
{
	return log->before.fd >= 0 && log->now.n_marks && !log->now.marks[0].size;
}

bool trigger_logs_past(struct trigger_logs *logs, int64_t since_ns, int64_t now_ns,
		       trigger_lines_fn *fn, void *context)
{
	bool whole = true;

	trigger_logs_mark(logs, now_ns);
	for (unsigned i = 0; i < logs->n; i++) {
		struct log *log = &logs->logs[i];

		if (!log->path)
			continue;
		whole &= read_past(logs, i, &log->before, log->before.size, since_ns, false, fn,
				   context);
		whole &= read_past(logs, i, &log->now, log->now.size, since_ns, took_over(log), fn,
				   context);
	}
	return whole;
}

bool trigger_logs_hold(struct trigger_logs *logs, unsigned number, int64_t since_ns,
		       trigger_lines_fn *fn, void *context)
{
	struct log *log = &logs->logs[number];
	bool whole;

	if (!log->holders++) {
		log->missed = false;
		log->now.read = log->now.size;
		log->before.read = log->before.size;
	}
	whole = read_past(logs, number, &log->before, log->before.read, since_ns, false, fn,
			  context);
	return read_past(logs, number, &log->now, log->now.read, since_ns, took_over(log), fn,
			 context) &&
	       whole;
}

bool trigger_logs_release(struct trigger_logs *logs, unsigned number)
{
	struct log *log = &logs->logs[number];

	log->holders--;
	return log->missed || (log->now.fd >= 0 && log->now.read < log->now.size) ||
	       (log->before.fd >= 0 && log->before.read < log->before.size);
}
