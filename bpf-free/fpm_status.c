/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads php-fpm's status page, which may hold what strangers wrote. Pure, without allocation. */
#include <errno.h>
#include <string.h>

#include "fpm_status.h"

struct cursor {
	const char *at, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
		c->at++;
}

static bool take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

/* Up to the closing quote. Bytes need not be UTF-8: paths are not. */
static bool take_string(struct cursor *c, struct fpm_text *text)
{
	if (!take(c, '"'))
		return false;
	text->at = c->at;
	for (; c->at < c->end && *c->at != '"'; c->at++) {
		if ((unsigned char)*c->at < 0x20)
			return false;
		if (*c->at == '\\') {
			c->at++;
			if (c->at == c->end || !strchr("\"\\/bfnrtu", *c->at) || !*c->at)
				return false;
		}
	}
	if (c->at == c->end)
		return false;
	text->len = (size_t)(c->at - text->at);
	c->at++;
	return true;
}

/* "-12", "3.50"; the value of an integer saturates. */
static bool take_number(struct cursor *c, uint64_t *value)
{
	uint64_t v = 0;
	bool digits = false;

	skip_space(c);
	if (c->at < c->end && *c->at == '-')
		c->at++;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits = true)
		v = v > (UINT64_MAX - 9) / 10 ? UINT64_MAX : v * 10 + (uint64_t)(*c->at - '0');
	if (digits && c->at < c->end && *c->at == '.') {
		digits = false;
		for (c->at++; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
			digits = true;
	}
	*value = v;
	return digits;
}

static bool text_is(struct fpm_text text, const char *word)
{
	return text.len == strlen(word) && !memcmp(text.at, word, text.len);
}

struct key {
	const char *name;
	bool is_string;
};

/* The keys of a process, in php-fpm's order since 5.4. */
static const struct key process_keys[] = {
	{ "pid", false },	     { "state", true },
	{ "start time", false },     { "start since", false },
	{ "requests", false },	     { "request duration", false },
	{ "request method", true },  { "request uri", true },
	{ "content length", false }, { "user", true },
	{ "script", true },	     { "last request cpu", false },
	{ "last request memory", false },
};
enum { KEY_PID = 0, KEY_STATE = 1, KEY_METHOD = 6, KEY_URI = 7, KEY_SCRIPT = 10,
       N_PROCESS_KEYS = sizeof(process_keys) / sizeof(process_keys[0]) };

struct process {
	struct fpm_text texts[N_PROCESS_KEYS];
	uint64_t numbers[N_PROCESS_KEYS];
};

static bool take_process(struct cursor *c, struct process *process)
{
	struct fpm_text name;

	if (!take(c, '{'))
		return false;
	for (int i = 0; i < N_PROCESS_KEYS; i++) {
		if (i && !take(c, ','))
			return false;
		if (!take_string(c, &name) || !text_is(name, process_keys[i].name) ||
		    !take(c, ':'))
			return false;
		if (process_keys[i].is_string ? !take_string(c, &process->texts[i]) :
						!take_number(c, &process->numbers[i]))
			return false;
	}
	return take(c, '}');
}

static bool seen_before(const struct fpm_status *status, pid_t pid)
{
	for (unsigned i = 0; i < status->n_listed; i++)
		if (status->pids[i] == pid)
			return true;
	return false;
}

static int take_processes(struct cursor *c, pid_t pid, struct fpm_status *status)
{
	struct process process;
	bool found = false;

	if (!take(c, '['))
		return -EBADMSG;
	if (take(c, ']'))
		return -ENOENT;
	do {
		uint64_t said;

		if (!take_process(c, &process))
			return -EBADMSG;
		said = process.numbers[KEY_PID];
		if (!said || said > INT32_MAX || seen_before(status, (pid_t)said) ||
		    status->n_listed == FPM_STATUS_PIDS)
			return -EBADMSG;
		status->pids[status->n_listed++] = (pid_t)said;
		if ((pid_t)said != pid)
			continue;
		found = true;
		status->state = process.texts[KEY_STATE];
		status->method = process.texts[KEY_METHOD];
		status->uri = process.texts[KEY_URI];
		status->script = process.texts[KEY_SCRIPT];
	} while (take(c, ','));
	if (!take(c, ']'))
		return -EBADMSG;
	return found ? 0 : -ENOENT;
}

/* Numbers and texts of the pool, each once, then the processes as the last. */
int fpm_status_parse(const char *page, size_t len, pid_t pid, struct fpm_status *out)
{
	static const struct key keys[] = {
		{ "pool", true },		  { "process manager", true },
		{ "start time", false },	  { "start since", false },
		{ "accepted conn", false },	  { "listen queue", false },
		{ "max listen queue", false },	  { "listen queue len", false },
		{ "idle processes", false },	  { "active processes", false },
		{ "total processes", false },	  { "max active processes", false },
		{ "max children reached", false }, { "slow requests", false },
		{ "memory peak", false },
	};
	enum { KEY_POOL = 0, KEY_TOTAL = 10, N_KEYS = sizeof(keys) / sizeof(keys[0]) };
	struct cursor c = { page, page + len };
	struct fpm_status status = { 0 };
	struct fpm_text name, text;
	uint64_t number, seen = 0;
	int error;

	if (!take(&c, '{'))
		return -EBADMSG;
	for (;;) {
		int i;

		if (!take_string(&c, &name) || !take(&c, ':'))
			return -EBADMSG;
		if (text_is(name, "processes"))
			break;
		for (i = 0; i < N_KEYS && !text_is(name, keys[i].name); i++)
			;
		if (i == N_KEYS || seen & 1ull << i)
			return -EBADMSG;
		seen |= 1ull << i;
		if (keys[i].is_string ? !take_string(&c, &text) : !take_number(&c, &number))
			return -EBADMSG;
		if (i == KEY_POOL)
			status.pool = text;
		if (i == KEY_TOTAL)
			status.n_total = number > UINT32_MAX ? UINT32_MAX : (unsigned)number;
		if (!take(&c, ','))
			return -EBADMSG;
	}
	if (!(seen & 1ull << KEY_TOTAL) || !(seen & 1ull << KEY_POOL))
		return -EBADMSG;
	error = take_processes(&c, pid, &status);
	if (error == -EBADMSG || !take(&c, '}'))
		return -EBADMSG;
	skip_space(&c);
	if (c.at != c.end)
		return -EBADMSG;
	*out = status;
	return error;
}

static int hex4(const char *at)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

/* One UTF-16 unit, or a pair of surrogates, at \\u; *used characters behind the backslash. */
static int take_unicode(const char *at, const char *end, char utf8[4], size_t *used)
{
	int unit = end - at >= 5 ? hex4(at + 1) : -1, low;
	unsigned point;

	if (unit <= 0 || (unit >= 0xdc00 && unit < 0xe000))
		return -EBADMSG;
	point = (unsigned)unit;
	*used = 5;
	if (unit >= 0xd800 && unit < 0xdc00) {
		low = end - at >= 11 && at[5] == '\\' && at[6] == 'u' ? hex4(at + 7) : -1;
		if (low < 0xdc00 || low >= 0xe000)
			return -EBADMSG;
		point = 0x10000 + ((point - 0xd800) << 10) + ((unsigned)low - 0xdc00);
		*used = 11;
	}
	if (point < 0x80) {
		utf8[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		utf8[0] = (char)(0xc0 | point >> 6);
		utf8[1] = (char)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		utf8[0] = (char)(0xe0 | point >> 12);
		utf8[1] = (char)(0x80 | (point >> 6 & 63));
		utf8[2] = (char)(0x80 | (point & 63));
		return 3;
	}
	utf8[0] = (char)(0xf0 | point >> 18);
	utf8[1] = (char)(0x80 | (point >> 12 & 63));
	utf8[2] = (char)(0x80 | (point >> 6 & 63));
	utf8[3] = (char)(0x80 | (point & 63));
	return 4;
}

static int take_escape(const char *at, const char *end, char utf8[4], size_t *used)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (at == end)
		return -EBADMSG;
	if (*at == 'u')
		return take_unicode(at, end, utf8, used);
	name = strchr(names, *at);
	if (!name || !*name)
		return -EBADMSG;
	utf8[0] = values[name - names];
	*used = 1;
	return 1;
}

int fpm_status_decode(struct fpm_text text, char *out, size_t size)
{
	bool escaped = text.len && text.at[0] == '\\';
	const char *at = text.at, *end = text.at + text.len;
	size_t n = 0, kept = 0;

	while (at < end) {
		char bytes[4] = { *at };
		size_t used = 0;
		int count = 1;

		if (*at == '\\') {
			count = escaped ? take_escape(at + 1, end, bytes, &used) : -EBADMSG;
			if (count < 0)
				return count;
		} else if (escaped && *at == '/') {
			return -EBADMSG;
		}
		at += 1 + used;
		n += (size_t)count;
		if (n < size) {
			memcpy(out + kept, bytes, (size_t)count);
			kept += (size_t)count;
		}
	}
	out[kept] = 0;
	return (int)n;
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
