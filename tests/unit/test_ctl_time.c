/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The times of --since and --until: what is read, as what moment, in which zone; what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../agent/ctl_time.c"

#define NOW_S  1795433445LL /* 2026-11-23T11:30:45Z */
#define NOW_NS (NOW_S * NS + 123456789)

/* Rules in tzset(3)'s form: no time zone files are needed. */
#define PARIS	   "CET-1CEST,M3.5.0,M10.5.0/3"
#define KIRITIMATI "<+14>-14"
#define NEW_YORK   "EST5EDT,M3.2.0,M11.1.0"
#define KOLKATA	   "IST-5:30"
#define LORD_HOWE  "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
#define CAIRO	   "EET-2EEST,M4.5.5/0,M10.5.4/24"

static int64_t read_in(const char *zone, const char *text, bool utc)
{
	int64_t ns = -77;

	setenv("TZ", zone, 1);
	tzset();
	assert_int_equal(ctl_time_parse(text, NOW_NS, utc, &ns), 0);
	return ns;
}

static void check(const char *zone, const char *text, int64_t seconds, int64_t fraction_ns)
{
	int64_t ns = read_in(zone, text, false);

	if (ns != seconds * NS + fraction_ns)
		fail_msg("%s in %s: %lld, not %lld", text, zone, (long long)(ns / NS),
			 (long long)seconds);
}

static void relative_times_count_back_from_now(void **state)
{
	static const struct {
		const char *text;
		int64_t ago;
	} cases[] = {
		{ "-0s", 0 },	      { "-1s", 1 },
		{ "-90s", 90 },	      { "-15m", 900 },
		{ "-1h", 3600 },      { "-7d", 604800 },
		{ "-2w", 1209600 },   { "-1h30m", 5400 },
		{ "-1d12h", 129600 }, { "-1w1d1h1m1s", 694861 },
		{ "-007m", 420 },     { "-20000d", 1728000000 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(read_in("UTC", cases[i].text, false), NOW_NS - cases[i].ago * NS);
}

static void words_mean_now_and_the_first_moments_of_days(void **state)
{
	(void)state;
	assert_int_equal(read_in("UTC", "now", false), NOW_NS);
	check("UTC", "today", 1795392000, 0);
	check("UTC", "yesterday", 1795305600, 0);
	check(PARIS, "today", 1795392000 - 3600, 0);
	check(PARIS, "yesterday", 1795305600 - 3600, 0);
	/* 11:30Z is already the next day there. */
	check(KIRITIMATI, "today", 1795478400 - 14 * 3600, 0);
	assert_int_equal(read_in(KIRITIMATI, "today", true), 1795392000 * NS);
}

static void no_day_begins_before_the_epoch(void **state)
{
	int64_t ns = -77;

	(void)state;
	assert_int_equal(ctl_time_parse("yesterday", 5 * NS, true, &ns), 0);
	assert_int_equal(ns, 0);
	assert_int_equal(ctl_time_parse("yesterday", 2 * 86400 * NS, true, &ns), 0);
	assert_int_equal(ns, 86400 * NS);
	setenv("TZ", KIRITIMATI, 1);
	tzset();
	ns = -77;
	assert_int_equal(ctl_time_parse("today", 5 * NS, false, &ns), 0);
	assert_int_equal(ns, 0);
}

static void calendar_times_are_read_with_and_without_a_zone(void **state)
{
	static const struct {
		const char *zone, *text;
		int64_t seconds, fraction_ns;
	} cases[] = {
		{ "UTC", "1970-01-01", 0, 0 },
		{ "UTC", "1970-01-01T00:00:00Z", 0, 0 },
		{ "UTC", "2026-11-23", 1795392000, 0 },
		{ "UTC", "2026-11-23T11:30", 1795433400, 0 },
		{ "UTC", "2026-11-23 11:30:45", 1795433445, 0 },
		{ "UTC", "2026-11-23t11:30:45z", 1795433445, 0 },
		{ "UTC", "2026-11-23T11:30:45.5Z", 1795433445, 500000000 },
		{ "UTC", "2026-11-23T11:30:45.123456789Z", 1795433445, 123456789 },
		{ "UTC", "2026-11-23T11:30:45.1234567899999Z", 1795433445, 123456789 },
		{ "UTC", "2026-11-23T12:30:45+01:00", 1795433445, 0 },
		{ "UTC", "2026-11-23T12:30:45+0100", 1795433445, 0 },
		{ "UTC", "2026-11-23T02:00:45-09:30", 1795433445, 0 },
		{ "UTC", "2026-11-23T11:30:45-00:00", 1795433445, 0 },
		{ "UTC", "2026-11-23T12:30+01:00", 1795433400, 0 },
		{ "UTC", "1970-01-01T00:30:00-01:00", 5400, 0 },
		{ "UTC", "2016-12-31T23:59:60Z", 1483228800, 0 },
		{ "UTC", "2024-02-29", 1709164800, 0 },
		{ "UTC", "2000-02-29", 951782400, 0 },
		{ PARIS, "2026-11-23T12:30:45", 1795433445, 0 },
		{ PARIS, "2026-07-01T12:00:00", 1782900000, 0 },
		{ NEW_YORK, "2026-11-23", 1795410000, 0 },
		{ KOLKATA, "2026-11-23T17:00:45", 1795433445, 0 },
		/* A zone given counts, wherever we are. */
		{ KOLKATA, "2026-11-23T12:30:45+01:00", 1795433445, 0 },
		{ "UTC", "2262-04-11", 9223286400, 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(cases[i].zone, cases[i].text, cases[i].seconds, cases[i].fraction_ns);
}

static void utc_rules_where_no_zone_is_given(void **state)
{
	(void)state;
	assert_int_equal(read_in(PARIS, "2026-11-23T11:30:45", true), NOW_S * NS);
	assert_int_equal(read_in(PARIS, "2026-11-23T12:30:45+01:00", true), NOW_S * NS);
	assert_int_equal(read_in(PARIS, "2026-11-23", true), 1795392000 * NS);
}

static void clock_changes_have_one_answer_each(void **state)
{
	(void)state;
	/* 2026-03-29 in Paris: 01:59:59 +01:00, then 03:00:00 +02:00. */
	check(PARIS, "2026-03-29T01:59:59", 1774745999, 0);
	check(PARIS, "2026-03-29T02:30:00", 1774747800, 0); /* as 03:30 */
	check(PARIS, "2026-03-29T03:00:00", 1774746000, 0);
	check(PARIS, "2026-03-29", 1774738800, 0);
	check(PARIS, "2026-03-30", 1774821600, 0);
	/* 2026-10-25: 02:30 comes twice, the first is meant. */
	check(PARIS, "2026-10-25T02:30:00", 1792888200, 0);
	check(PARIS, "2026-10-25T03:00:00", 1792893600, 0);
	check(PARIS, "2026-10-25T02:30:00+01:00", 1792891800, 0);
	/* Half an hour, in the south. */
	check(LORD_HOWE, "2026-04-05T01:45:00", 1775313900, 0);
	/* A midnight that does not exist: Cairo, 2026-04-24 begins at 01:00. */
	check(CAIRO, "2026-04-24", 1776981600, 0);
}

static void zones_that_changed_their_offset_are_read_by_their_history(void **state)
{
	(void)state;
	if (access("/usr/share/zoneinfo/Europe/Moscow", R_OK) ||
	    access("/usr/share/zoneinfo/Pacific/Apia", R_OK))
		skip(); /* no tzdata */
	/* A change without a summer time: Moscow, 2014-10-26, 02:00 back to 01:00. */
	check("Europe/Moscow", "2014-10-26T01:30:00", 1414272600, 0);
	/* A day that was left out: Apia, 2011-12-30. */
	check("Pacific/Apia", "2011-12-31", 1325239200, 0);
}

static void nonsense_is_refused_and_leaves_the_result_alone(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"-",
		"--1h",
		"-h",
		"-1",
		"-1x",
		"-1h ",
		"- 1h",
		"-1h30",
		"-1.5h",
		"+1h",
		"1h",
		"-99999999999999999999d",
		"-9223372036854775807s",
		"-30000d",
		"-15250284452w",
		"Now",
		"NOW",
		"nowhere",
		"tomorrow",
		"today ",
		" today",
		"yesterdayy",
		"2026",
		"2026-11",
		"2026-1-1",
		"2026-11-3",
		"26-11-23",
		"2026/11/23",
		"20261123",
		"2026-00-10",
		"2026-13-10",
		"2026-11-00",
		"2026-11-31",
		"2025-02-29",
		"1900-02-29",
		"2026-11-23T",
		"2026-11-23T10",
		"2026-11-23T1:00",
		"2026-11-23T24:00",
		"2026-11-23T10:60",
		"2026-11-23T10:00:61",
		"2026-11-23T10:00:",
		"2026-11-23T10:00:00.",
		"2026-11-23T10:00:00,5",
		"2026-11-23T10:00:00+1",
		"2026-11-23T10:00:00+01",
		"2026-11-23T10:00:00+24:00",
		"2026-11-23T10:00:00+01:60",
		"2026-11-23T10:00:00ZZ",
		"2026-11-23T10:00:00 +01:00",
		"2026-11-23  10:00",
		"2026-11-23Z",
		"2026-11-23T10:00:00+01:00x",
		"1969-12-31",
		"1970-01-01T00:00:00+01:00",
		"2262-04-12T00:00:00Z",
		"9999-12-31",
		"\xff\xfe",
		"2026-11-23T10:00:00\n",
	};
	(void)state;

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int64_t ns = -77;

		if (ctl_time_parse(texts[i], NOW_NS, false, &ns) != -EINVAL)
			fail_msg("\"%s\" was taken for %lld", texts[i], (long long)ns);
		assert_int_equal(ns, -77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_times_count_back_from_now),
		cmocka_unit_test(words_mean_now_and_the_first_moments_of_days),
		cmocka_unit_test(no_day_begins_before_the_epoch),
		cmocka_unit_test(calendar_times_are_read_with_and_without_a_zone),
		cmocka_unit_test(utc_rules_where_no_zone_is_given),
		cmocka_unit_test(clock_changes_have_one_answer_each),
		cmocka_unit_test(zones_that_changed_their_offset_are_read_by_their_history),
		cmocka_unit_test(nonsense_is_refused_and_leaves_the_result_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
