/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads php-fpm's status page, which may hold what strangers wrote. Pure, without allocation. */
#include <errno.h>
#include <string.h>

#include "fpm_status.h"

#define COLUMN 22 /* where values begin */

struct lines {
	const char *at, *end;
};

/* The next line without its newline; false at the end, or when its newline is missing. */
static bool next_line(struct lines *lines, struct fpm_text *line)
{
	const char *newline;

	if (lines->at == lines->end)
		return false;
	newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
	if (!newline)
		return false;
	line->at = lines->at;
	line->len = (size_t)(newline - lines->at);
	lines->at = newline + 1;
	return true;
}

static bool text_is(struct fpm_text text, const char *word)
{
	return text.len == strlen(word) && !memcmp(text.at, word, text.len);
}

/* "key:" and blanks up to the column, then the value. */
static bool take_value(struct fpm_text line, const char *key, struct fpm_text *value)
{
	size_t n = strlen(key);

	if (line.len < COLUMN || memcmp(line.at, key, n) || line.at[n] != ':')
		return false;
	for (size_t i = n + 1; i < COLUMN; i++)
		if (line.at[i] != ' ')
			return false;
	value->at = line.at + COLUMN;
	value->len = line.len - COLUMN;
	return true;
}

/* Decimal, without sign or leading zero. */
static bool take_number(struct fpm_text text, size_t max_digits, uint64_t *number)
{
	uint64_t value = 0;

	if (!text.len || text.len > max_digits || (text.at[0] == '0' && text.len > 1))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	*number = value;
	return true;
}

static bool take_pid(struct fpm_text text, pid_t *pid)
{
	uint64_t number;

	if (!take_number(text, 9, &number) || !number)
		return false;
	*pid = (pid_t)number;
	return true;
}

/* The lines of a process, in php-fpm's order since 5.3. */
static const char *const keys[] = { "pid",
				    "state",
				    "start time",
				    "start since",
				    "requests",
				    "request duration",
				    "request method",
				    "request URI",
				    "content length",
				    "user",
				    "script",
				    "last request cpu",
				    "last request memory" };
enum {
	KEY_PID = 0,
	KEY_STATE = 1,
	KEY_DURATION = 5,
	KEY_METHOD = 6,
	KEY_URI = 7,
	KEY_SCRIPT = 10,
	N_KEYS = sizeof(keys) / sizeof(keys[0])
};

static bool take_process(struct lines *lines, struct fpm_text values[N_KEYS])
{
	struct fpm_text line;

	if (!next_line(lines, &line) || !text_is(line, "************************"))
		return false;
	for (int i = 0; i < N_KEYS; i++)
		if (!next_line(lines, &line) || !take_value(line, keys[i], &values[i]))
			return false;
	return true;
}

static bool seen_before(const struct fpm_status *status, pid_t pid)
{
	for (unsigned i = 0; i < status->n_listed; i++)
		if (status->pids[i] == pid)
			return true;
	return false;
}

/* The pool's own lines, up to the empty one before the processes. */
static bool take_pool(struct lines *lines, struct fpm_status *status)
{
	struct fpm_text line;

	if (!next_line(lines, &line) || !take_value(line, "pool", &status->pool))
		return false;
	while (next_line(lines, &line))
		if (!line.len)
			return true;
	return false;
}

int fpm_status_parse(const char *page, size_t len, pid_t pid, struct fpm_status *status)
{
	struct lines lines = { page, page + len };
	struct fpm_text values[N_KEYS], empty;
	bool found = false;
	pid_t listed;

	memset(status, 0, offsetof(struct fpm_status, pids));
	if (!take_pool(&lines, status))
		return -EBADMSG;
	for (;;) {
		if (!take_process(&lines, values) || !take_pid(values[KEY_PID], &listed) ||
		    status->n_listed == FPM_STATUS_PIDS || seen_before(status, listed))
			return -EBADMSG;
		status->pids[status->n_listed++] = listed;
		if (listed == pid) {
			found = true;
			if (!take_number(values[KEY_DURATION], 18, &status->duration_us))
				status->duration_us = 0; /* it runs backwards when the clock does */
			status->state = values[KEY_STATE];
			status->method = values[KEY_METHOD];
			status->uri = values[KEY_URI];
			status->script = values[KEY_SCRIPT];
		}
		if (lines.at == lines.end)
			return found ? 0 : -ENOENT;
		if (!next_line(&lines, &empty) || empty.len)
			return -EBADMSG;
	}
}

bool fpm_status_at_work(const struct fpm_status *status)
{
	static const char *const states[] = { "Running", "Finishing", "Ending request",
					      "Getting request informations" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (text_is(status->state, states[i]))
			return true;
	return false;
}
