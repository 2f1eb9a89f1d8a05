/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a time of --since, at any moment in several zones: refused and nothing touched, or a
 * moment since the epoch, which reads back from its own calendar form.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent/ctl_time.h"
#include "take.h"

#define NS 1000000000LL

/* Rules in tzset(3)'s form: no time zone files are needed. */
static const char *const zones[] = {
	"UTC0",
	"CET-1CEST,M3.5.0,M10.5.0/3",
	"<+14>-14",
	"EST5EDT,M3.2.0,M11.1.0",
	"IST-5:30",
	"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
	"EET-2EEST,M4.5.5/0,M10.5.4/24",
	"<-12>12",
};

static void calendar(char *out, size_t size, const struct tm *tm, int64_t ns, const char *zone)
{
	char second[32];

	must(strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", tm) > 0);
	must(snprintf(out, size, "%s.%09d%s", second, (int)(ns % NS), zone) < (int)size);
}

static void check_moment(int64_t ns, int64_t now)
{
	time_t seconds = (time_t)(ns / NS);
	char text[64], again[64];
	struct tm tm;
	int64_t back;

	must(ns >= 0);
	must(gmtime_r(&seconds, &tm));
	calendar(text, sizeof(text), &tm, ns, "Z");
	must(!ctl_time_parse(text, now, false, &back) && back == ns);
	calendar(text, sizeof(text), &tm, ns, "");
	must(!ctl_time_parse(text, now, true, &back) && back == ns);
	/* An hour that comes twice is the first: same hour on the clock, and not later. */
	must(localtime_r(&seconds, &tm));
	calendar(text, sizeof(text), &tm, ns, "");
	if (ctl_time_parse(text, now, false, &back))
		return; /* 1969 in the local zone, or after the last moment */
	must(back >= 0 && back <= ns);
	seconds = (time_t)(back / NS);
	must(localtime_r(&seconds, &tm));
	calendar(again, sizeof(again), &tm, back, "");
	must(!strcmp(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = { data, size };
	uint8_t choice = take_u8(&take);
	int64_t now = (int64_t)(take_u64(&take) % (uint64_t)(INT64_MAX / NS * NS)), ns = -77;
	char *text = take_rest(&take);
	bool utc = choice & 1;
	int result;

	must(!setenv("TZ", zones[choice / 2 % (sizeof(zones) / sizeof(zones[0]))], 1));
	tzset();
	result = ctl_time_parse(text, now, utc, &ns);
	must(result == 0 || result == -EINVAL);
	must(result == 0 || ns == -77);
	if (!result) {
		check_moment(ns, now);
		must(ns <= now || (*text >= '0' && *text <= '9'));
	}
	free(text);
	return 0;
}
