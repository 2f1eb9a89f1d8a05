/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads numbers and times as access logs write them. Pure. */
#include "trigger_time.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define FUTURE_S  (INT64_MAX / 4 / SECOND_NS) /* later than any time that ns can tell safely */

int64_t trigger_number(const char *at, size_t len, int64_t max)
{
	int64_t value = 0;

	if (!len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)at[i]))
			return -1;
		value = value * 10 + (at[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

int64_t trigger_fraction(const char *at, size_t len, int64_t unit_ns, int64_t *grain_ns)
{
	const char *dot = memchr(at, '.', len);
	size_t whole_len = dot ? (size_t)(dot - at) : len;
	int64_t whole = trigger_number(at, whole_len, INT64_MAX / 4 / unit_ns), part, scale = 1;

	if (whole < 0)
		return -1;
	*grain_ns = unit_ns;
	if (!dot)
		return whole * unit_ns;
	len -= whole_len + 1;
	part = len <= 9 ? trigger_number(dot + 1, len, 999999999) : -1;
	for (size_t i = 0; i < len && i < 9; i++)
		scale *= 10;
	if (part < 0 || scale > unit_ns)
		return -1;
	*grain_ns = unit_ns / scale;
	return whole * unit_ns + part * (unit_ns / scale);
}

static int month_number(const char *at)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (!memcmp(months + 3 * i, at, 3))
			return i;
	return -1;
}

bool trigger_has_shape(const char *at, size_t len, const char *pattern)
{
	if (len != strlen(pattern))
		return false;
	for (size_t i = 0; i < len; i++)
		if (pattern[i] == '0'	? !isdigit((unsigned char)at[i])
		    : pattern[i] == 'z' ? at[i] != '+' && at[i] != '-'
		    : pattern[i] == 'M' ? !isalpha((unsigned char)at[i])
					: at[i] != pattern[i])
			return false;
	return true;
}

static int two(const char *at)
{
	return (at[0] - '0') * 10 + (at[1] - '0');
}

/* Fields of a time with their zone to ns; -1: there is no such time. */
static int64_t moment(const struct tm *fields, const char *sign, int hours, int minutes)
{
	struct tm tm = *fields;
	time_t seconds = timegm(&tm); /* it corrects what is out of range: then it was no time */

	if (tm.tm_mday != fields->tm_mday || tm.tm_mon != fields->tm_mon ||
	    tm.tm_hour != fields->tm_hour || tm.tm_min != fields->tm_min || hours > 14 ||
	    minutes > 59 || fields->tm_sec > 60 || seconds < 0 || seconds > FUTURE_S)
		return -1;
	seconds -= (*sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return (int64_t)seconds * SECOND_NS;
}

int64_t trigger_time_local(const char *at, size_t len)
{
	struct tm tm = { 0 };

	if (!trigger_has_shape(at, len, "00/MMM/0000:00:00:00 z0000"))
		return -1;
	tm.tm_mday = two(at);
	tm.tm_mon = month_number(at + 3);
	tm.tm_year = two(at + 7) * 100 + two(at + 9) - 1900;
	tm.tm_hour = two(at + 12);
	tm.tm_min = two(at + 15);
	tm.tm_sec = two(at + 18);
	return tm.tm_mon < 0 ? -1 : moment(&tm, at + 21, two(at + 22), two(at + 24));
}

int64_t trigger_time_iso(const char *at, size_t len)
{
	struct tm tm = { 0 };

	if (!trigger_has_shape(at, len, "0000-00-00T00:00:00z00:00"))
		return -1;
	tm.tm_year = two(at) * 100 + two(at + 2) - 1900;
	tm.tm_mon = two(at + 5) - 1;
	tm.tm_mday = two(at + 8);
	tm.tm_hour = two(at + 11);
	tm.tm_min = two(at + 14);
	tm.tm_sec = two(at + 17);
	return moment(&tm, at + 19, two(at + 20), two(at + 23));
}
