/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One escaped line to stderr for each call, in one write(2), or none: it never waits. */
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "escape.h"

#define LOG_LINE_BYTES	 2048 /* of text before escaping */
#define LOG_PREFIX_BYTES 64

static struct {
	char name[32];
	bool verbose;
	unsigned long dropped; /* lines since the last that went out */
} the_log = { .name = "egressd" };

void log_open(const char *name, bool verbose)
{
	snprintf(the_log.name, sizeof(the_log.name), "%s", name);
	the_log.verbose = verbose;
}

/*
 * Others write to the same pipe, so poll(2) is no promise: a line that fits a page and a kernel
 * that knows RWF_NOWAIT for pipes (Linux 6.4) are. O_NONBLOCK would be everybody's.
 */
static ssize_t write_at_once(const char *line, size_t len)
{
	struct iovec vector = { .iov_base = (void *)line, .iov_len = len };
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct stat st;
	ssize_t n;

	if (fstat(STDERR_FILENO, &st) < 0)
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	if (S_ISREG(st.st_mode)) {
		n = write(STDERR_FILENO, line, len);
		return n < 0 ? -errno : n;
	}
	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLOUT))
		return -EAGAIN;
	n = S_ISFIFO(st.st_mode) ? pwritev2(STDERR_FILENO, &vector, 1, -1, RWF_NOWAIT) : -1;
	if (n < 0 && (!S_ISFIFO(st.st_mode) || errno == EOPNOTSUPP || errno == ENOSYS))
		n = write(STDERR_FILENO, line, len);
	return n < 0 ? -errno : n;
}

static int prefix_of(int priority, char out[LOG_PREFIX_BYTES])
{
	if (isatty(STDERR_FILENO) == 1)
		return snprintf(out, LOG_PREFIX_BYTES, "%s: ", the_log.name);
	return snprintf(out, LOG_PREFIX_BYTES, "<%d>", priority);
}

/* How many lines there was no room for comes before the next. */
static ssize_t say_dropped(void)
{
	char line[LOG_PREFIX_BYTES + 128];
	int len;

	if (the_log.dropped == 0)
		return 0;
	len = prefix_of(LOG_WARNING, line);
	len += snprintf(line + len, sizeof(line) - (size_t)len,
			"%lu lines before this one were dropped: nobody read them\n",
			the_log.dropped);
	return write_at_once(line, (size_t)len);
}

int log_raw(const char *line, size_t len)
{
	ssize_t n = say_dropped();

	if (n >= 0) {
		the_log.dropped = 0;
		n = write_at_once(line, len);
	}
	if (n >= 0)
		return 0;
	/* Nobody is left to tell when stderr itself fails. */
	the_log.dropped++;
	return (int)n;
}

__attribute__((format(printf, 2, 0))) static void log_line(int priority, const char *format,
							   va_list arguments)
{
	char text[LOG_LINE_BYTES], line[PIPE_BUF];
	size_t room, used;
	int prefix, len;

	len = vsnprintf(text, sizeof(text), format, arguments);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(text)) {
		len = sizeof(text) - 1;
		memcpy(text + len - 3, "...", 3);
	}
	prefix = prefix_of(priority, line);
	room = sizeof(line) - (size_t)prefix - sizeof("...");
	used = escape_bytes(text, (size_t)len, line + prefix, room);
	if (used >= room)
		strcat(line + prefix, "...");
	used = strlen(line);
	line[used++] = '\n';
	log_raw(line, used);
}

#define LOG_FUNCTION(function, priority, condition)                                                \
	void function(const char *format, ...)                                                     \
	{                                                                                          \
		va_list arguments;                                                                 \
                                                                                                   \
		if (!(condition))                                                                  \
			return;                                                                    \
		va_start(arguments, format);                                                       \
		log_line(priority, format, arguments);                                             \
		va_end(arguments);                                                                 \
	}

LOG_FUNCTION(log_error, LOG_ERR, true)
LOG_FUNCTION(log_warning, LOG_WARNING, true)
LOG_FUNCTION(log_notice, LOG_NOTICE, true)
LOG_FUNCTION(log_debug, LOG_DEBUG, the_log.verbose)
