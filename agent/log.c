/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One escaped line to stderr for each call, in one write(2); never blocks on anything else. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "escape.h"

#define LOG_LINE_BYTES 2048 /* of text before escaping */

static struct {
	char name[32];
	bool verbose;
} the_log = { .name = "egressd" };

void log_open(const char *name, bool verbose)
{
	snprintf(the_log.name, sizeof(the_log.name), "%s", name);
	the_log.verbose = verbose;
}

__attribute__((format(printf, 2, 0))) static void log_line(int priority, const char *format,
							     va_list arguments)
{
	char text[LOG_LINE_BYTES], line[64 + 4 * LOG_LINE_BYTES];
	int prefix, len;

	len = vsnprintf(text, sizeof(text), format, arguments);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text)) {
		len = sizeof(text) - 1;
		memcpy(text + len - 3, "...", 3);
	}
	if (isatty(STDERR_FILENO) == 1)
		prefix = snprintf(line, 64, "%s: ", the_log.name);
	else
		prefix = snprintf(line, 64, "<%d>", priority);
	len = prefix + (int)escape_bytes(text, (size_t)len, line + prefix,
					 sizeof(line) - (size_t)prefix - 1);
	line[len++] = '\n';
	/* Nobody is left to tell when stderr itself fails. */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

#define LOG_FUNCTION(function, priority, condition)     \
	void function(const char *format, ...)          \
	{                                               \
		va_list arguments;                      \
                                                        \
		if (!(condition))                       \
			return;                         \
		va_start(arguments, format);            \
		log_line(priority, format, arguments);  \
		va_end(arguments);                      \
	}

LOG_FUNCTION(log_error, LOG_ERR, true)
LOG_FUNCTION(log_warning, LOG_WARNING, true)
LOG_FUNCTION(log_notice, LOG_NOTICE, true)
LOG_FUNCTION(log_debug, LOG_DEBUG, the_log.verbose)
