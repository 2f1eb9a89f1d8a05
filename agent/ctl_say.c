/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What egressctl says to people: one line each on stderr, escaped. And the clock.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "ctl_args.h"
#include "escape.h"

void ctl_say(const char *format, ...)
{
	va_list list;
	char *text, *clean;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		abort();
	va_end(list);
	clean = show_clean(text);
	fprintf(stderr, "egressctl: %s\n", clean);
	free(clean);
	free(text);
}

void ctl_say_lines(const char *prefix, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len)
			ctl_say("%s%.*s", prefix, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

int ctl_write_failed(int error)
{
	if (error != -EPIPE)
		ctl_say("stdout: %s", strerror(-error));
	return CTL_FAILED;
}

int ctl_no_csv(const struct ctl *ctl)
{
	char *typed = ctl_option_typed(&ctl->args, CTL_OUTPUT);

	ctl_say("%s: %s: expected table, json or jsonl, got \"csv\"", ctl->args.command->name,
		typed);
	free(typed);
	return CTL_USAGE;
}

int64_t ctl_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}
