/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of /proc/PID/syscall and of the fdinfo of epoll and io_uring. Pure. */
#include <errno.h>
#include <string.h>

#include "hint.h"

static bool take_hex(const char **at, const char *end, uint64_t *number)
{
	const char *p = *at;
	uint64_t value = 0;
	int digits = 0;

	for (; p < end; p++, digits++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a' + 10);
		else
			break;
		if (digits == 16)
			return false;
		value = value << 4 | digit;
	}
	if (!digits)
		return false;
	*at = p;
	*number = value;
	return true;
}

static bool take_decimal(const char **at, const char *end, uint32_t *number)
{
	const char *p = *at;
	uint32_t value = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint32_t)(*p - '0'), &value))
			return false;
	*at = p;
	*number = value;
	return true;
}

int hint_parse_call(const char *text, size_t len, struct hint_call *call)
{
	const char *at = text, *end = text + len;
	struct hint_call c;
	uint32_t number;

	if (len >= 7 && !memcmp(text, "running", 7))
		return -EBUSY;
	if (len >= 2 && !memcmp(text, "-1", 2))
		return -ENOENT;
	if (!take_decimal(&at, end, &number))
		return -EBADMSG;
	c.number = (long)number;
	for (int i = 0; i < 6; i++) {
		if (end - at < 4 || memcmp(at, " 0x", 3))
			return -EBADMSG;
		at += 3;
		if (!take_hex(&at, end, &c.args[i]))
			return -EBADMSG;
	}
	if (at == end) /* the stack pointer follows: a cut number is another number */
		return -EBADMSG;
	*call = c;
	return 0;
}

/* "tfd:        4 events:       1d data: …  pos:0 ino:58b sdev:8" */
int hint_parse_epoll(const char *text, size_t len, uint32_t inode, uint32_t *fd)
{
	const char *end = text + len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *at, *ino;
		uint64_t said;
		uint32_t tfd;

		if (!newline)
			break;
		ino = memmem(line, (size_t)(newline - line), " ino:", 5);
		if (ino && newline - line > 4 && !memcmp(line, "tfd:", 4)) {
			at = line + 4;
			ino += 5;
			if (take_hex(&ino, newline, &said) && said == inode &&
			    take_decimal(&at, newline, &tfd)) {
				*fd = tfd;
				return 0;
			}
		}
		line = newline + 1;
	}
	return -ENOENT;
}

/* "UserFiles:\t2" and then, where the kernel tells, "    0: socket:[123]"; "<none>" marks a free
 * slot. A path of a regular file could hold that text too, so it must be the whole of it. */
bool hint_parse_ring(const char *text, size_t len, uint32_t inode, bool *hidden)
{
	const char *end = text + len;
	uint32_t slots = 0, told = 0, at_slot, said;
	bool in_files = false;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *at = line;

		if (!newline)
			break;
		if (newline - line > 10 && !memcmp(line, "UserFiles:", 10)) {
			at += 10;
			at += at < newline && *at == '\t';
			in_files = take_decimal(&at, newline, &slots);
		} else if (in_files && take_decimal(&at, newline, &at_slot) && newline - at > 2 &&
			   at[0] == ':') {
			told++;
			at += 1 + (at[1] == ' ');
			if (newline - at > 9 && !memcmp(at, "socket:[", 8)) {
				at += 8;
				if (take_decimal(&at, newline, &said) && said == inode &&
				    newline - at == 1 && *at == ']')
					return true;
			}
		} else {
			in_files = false;
		}
		line = newline + 1;
	}
	if (slots && !told)
		*hidden = true;
	return false;
}
