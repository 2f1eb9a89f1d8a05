/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a time as a person writes it; has no clock (the caller gives now).
 */
#include "ctl_time.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define NS	     1000000000LL
#define SECONDS_MOST (INT64_MAX / NS) /* 2262-04-11 */

/* Seconds since the epoch of a broken-down local time; see the header for the clock changes. */
static int64_t local_seconds(struct tm *tm)
{
	time_t utc = timegm(tm), probe[2] = { utc - 86400, utc + 86400 };
	int64_t first = 0, before = 0;
	bool found = false;

	for (int i = 0; i < 2; i++) {
		struct tm there, back;
		time_t moment;

		if (!localtime_r(&probe[i], &there))
			continue;
		moment = utc - there.tm_gmtoff;
		if (i == 0)
			before = moment;
		if (localtime_r(&moment, &back) && back.tm_gmtoff == there.tm_gmtoff &&
		    (!found || moment < first)) {
			first = moment;
			found = true;
		}
	}
	return found ? first : before;
}

static int64_t seconds_of(struct tm *tm, bool utc)
{
	return utc ? timegm(tm) : local_seconds(tm);
}

/* n digits exactly. */
static bool digits(const char **text, int n, int *value)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*text)[i]))
			return false;
		sum = 10 * sum + (*text)[i] - '0';
	}
	*text += n;
	*value = sum;
	return true;
}

static bool character(const char **text, const char *set)
{
	if (!**text || !strchr(set, **text))
		return false;
	(*text)++;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **text, struct tm *tm)
{
	int year, month, day;

	if (!digits(text, 4, &year) || !character(text, "-") || !digits(text, 2, &month) ||
	    !character(text, "-") || !digits(text, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

/* HH:MM, HH:MM:SS, HH:MM:SS.fraction. A leap second (60) is the next minute's first. */
static bool read_clock(const char **text, struct tm *tm, int64_t *fraction_ns)
{
	int64_t unit = NS / 10;

	if (!digits(text, 2, &tm->tm_hour) || !character(text, ":") ||
	    !digits(text, 2, &tm->tm_min))
		return false;
	if (character(text, ":")) {
		if (!digits(text, 2, &tm->tm_sec))
			return false;
		if (character(text, ".")) {
			if (!isdigit((unsigned char)**text))
				return false;
			for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
				*fraction_ns += (**text - '0') * unit;
		}
	}
	return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* Z, +01:00, -0930; *offset in seconds. Nothing: *given stays false. */
static bool read_zone(const char **text, bool *given, int *offset)
{
	int hours, minutes, sign;

	if (!**text)
		return true;
	*given = true;
	if (character(text, "Zz"))
		return true;
	sign = **text == '-' ? -1 : 1;
	if (!character(text, "+-") || !digits(text, 2, &hours))
		return false;
	character(text, ":");
	if (!digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

static int parse_calendar(const char *text, bool utc, int64_t *ns)
{
	struct tm tm = { 0 };
	int64_t fraction_ns = 0, seconds;
	bool zone = false;
	int offset = 0;

	if (!read_date(&text, &tm))
		return -EINVAL;
	if (*text && (!character(&text, "Tt ") || !read_clock(&text, &tm, &fraction_ns) ||
		      !read_zone(&text, &zone, &offset)))
		return -EINVAL;
	if (*text)
		return -EINVAL;
	seconds = zone ? timegm(&tm) - offset : seconds_of(&tm, utc);
	if (seconds < 0 || seconds >= SECONDS_MOST)
		return -EINVAL;
	*ns = seconds * NS + fraction_ns;
	return 0;
}

/* -1h, -1h30m */
static int parse_ago(const char *text, int64_t now_ns, int64_t *ns)
{
	static const struct {
		char letter;
		int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	int64_t ago = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		int64_t number = 0;
		size_t i;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++) {
			number = 10 * number + *text - '0';
			if (number > SECONDS_MOST)
				return -EINVAL;
		}
		for (i = 0; i < 5 && units[i].letter != *text; i++)
			;
		if (i == 5 || number > SECONDS_MOST / units[i].seconds)
			return -EINVAL;
		ago += number * units[i].seconds;
		if (ago > now_ns / NS)
			return -EINVAL;
		text++;
	}
	*ns = now_ns - ago * NS;
	return 0;
}

/* The first moment of the day that is `back` days before now, but not before the epoch. */
static int64_t day_start(int64_t now_ns, int back, bool utc)
{
	time_t now = now_ns / NS;
	struct tm tm, day = { 0 };
	int64_t seconds;

	if (!(utc ? gmtime_r(&now, &tm) : localtime_r(&now, &tm)))
		return 0;
	day.tm_year = tm.tm_year;
	day.tm_mon = tm.tm_mon;
	day.tm_mday = tm.tm_mday - back;
	seconds = seconds_of(&day, utc);
	return seconds > 0 ? seconds * NS : 0;
}

int ctl_time_parse(const char *text, int64_t now_ns, bool utc, int64_t *ns)
{
	if (!strcmp(text, "now"))
		*ns = now_ns;
	else if (!strcmp(text, "today"))
		*ns = day_start(now_ns, 0, utc);
	else if (!strcmp(text, "yesterday"))
		*ns = day_start(now_ns, 1, utc);
	else if (*text == '-')
		return parse_ago(text + 1, now_ns, ns);
	else
		return parse_calendar(text, utc, ns);
	return 0;
}
