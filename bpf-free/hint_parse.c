/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /proc/PID/syscall. Pure. */
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
