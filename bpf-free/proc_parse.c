/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of /proc/PID/stat, status and environ. Pure: bytes in, numbers out. */
#include <errno.h>
#include <string.h>

#include "proc.h"

/* A decimal number at *at, which moves behind it; false when there is none or it overflows. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
	uint64_t value = 0;
	const char *p = *at;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return false;
	*at = p;
	*number = value;
	return true;
}

static bool skip_field(const char **at, const char *end)
{
	const char *p = *at;

	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return false;
	while (p < end && *p != ' ')
		p++;
	*at = p;
	return true;
}

int proc_parse_stat(const char *text, size_t len, struct proc_stat *stat)
{
	const char *end = text + len;
	const char *open = memchr(text, '(', len);
	const char *close = open ? memrchr(open, ')', (size_t)(end - open)) : NULL;
	const char *at;
	struct proc_stat s = { 0 };
	size_t comm_len;
	uint64_t ppid;

	/* Behind comm there are only numbers and the state, so the last ')' ends it. */
	if (!close || end - close < 4 || close[1] != ' ')
		return -EBADMSG;
	comm_len = (size_t)(close - open - 1);
	/* Kernel threads have longer names there (proc_task_name(), fs/proc/array.c). */
	if (comm_len >= sizeof(s.comm))
		comm_len = sizeof(s.comm) - 1;
	memcpy(s.comm, open + 1, comm_len);
	s.state = close[2];
	at = close + 3;
	if (!take_number(&at, end, &ppid) || ppid > INT32_MAX)
		return -EBADMSG;
	s.ppid = (pid_t)ppid;
	for (int field = 5; field < 22; field++)
		if (!skip_field(&at, end))
			return -EBADMSG;
	/* A field behind it must follow: a cut number is another number. */
	if (!take_number(&at, end, &s.start_ticks) || at == end || *at != ' ')
		return -EBADMSG;
	/* Field 28, which is of no use when it is cut, but nothing depends on it alone. */
	for (int field = 23; field < 28; field++)
		if (!skip_field(&at, end))
			break;
	if (!take_number(&at, end, &s.start_stack) || at == end)
		s.start_stack = 0;
	*stat = s;
	return 0;
}

/* Name: is escaped by the kernel (newline as \n), so a line is a line. */
static const char *find_line(const char *text, size_t len, const char *key, const char **line_end)
{
	const char *end = text + len;
	size_t key_len = strlen(key);

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		if (!newline)
			return NULL; /* cut */
		if ((size_t)(newline - line) >= key_len && !memcmp(line, key, key_len)) {
			*line_end = newline;
			return line + key_len;
		}
		line = newline + 1;
	}
	return NULL;
}

int proc_parse_status(const char *text, size_t len, struct proc_status *status)
{
	const char *end, *at = find_line(text, len, "Uid:\t", &end);
	uint64_t uid, euid, gid, slots = 0;

	if (!at || !take_number(&at, end, &uid) || !take_number(&at, end, &euid))
		return -EBADMSG;
	at = find_line(text, len, "Gid:\t", &end);
	if (!at || !take_number(&at, end, &gid))
		return -EBADMSG;
	if (uid > UINT32_MAX || euid > UINT32_MAX || gid > UINT32_MAX)
		return -EBADMSG;
	at = find_line(text, len, "FDSize:\t", &end);
	if (at && (!take_number(&at, end, &slots) || slots > INT32_MAX))
		return -EBADMSG;
	at = find_line(text, len, "State:\t", &end);
	status->kernel_thread = !(at && at < end && (*at == 'Z' || *at == 'X')) &&
				!find_line(text, len, "VmSize:", &end);
	status->uid = (uint32_t)uid;
	status->euid = (uint32_t)euid;
	status->gid = (uint32_t)gid;
	status->fd_slots = (unsigned)slots;
	return 0;
}

int proc_parse_u32(const char *text, size_t len, uint32_t *number)
{
	const char *at = text, *end = text + len;
	uint64_t value;

	if (!take_number(&at, end, &value) || value > UINT32_MAX)
		return -EBADMSG;
	if (at < end && *at == '\n')
		at++;
	if (at != end)
		return -EBADMSG;
	*number = (uint32_t)value;
	return 0;
}

const char *proc_env_value(const char *environ, size_t len, const char *key)
{
	const char *end = environ + len;
	size_t key_len = strlen(key);

	for (const char *at = environ; at < end;) {
		const char *nul = memchr(at, 0, (size_t)(end - at));

		if (!nul)
			return NULL;
		if ((size_t)(nul - at) > key_len && at[key_len] == '=' && !memcmp(at, key, key_len))
			return at + key_len + 1;
		at = nul + 1;
	}
	return NULL;
}

char *proc_put_u32(char *at, uint32_t number)
{
	char digits[10];
	int n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		*at++ = digits[--n];
	return at;
}
