/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the trick programs share: an address from text, a socket that connects, and who one is.
 * No trick judges anything; the truth it tells goes to the test.
 */
#ifndef TRICK_H
#define TRICK_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAIL_PORT 25

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	};
	socklen_t len;
};

static inline struct address address_of(const char *text)
{
	struct address to = { .len = 0 };

	if (inet_pton(AF_INET, text, &to.four.sin_addr) == 1) {
		to.any.sa_family = AF_INET;
		to.four.sin_port = htons(MAIL_PORT);
		to.len = sizeof(to.four);
	} else if (inet_pton(AF_INET6, text, &to.six.sin6_addr) == 1) {
		to.any.sa_family = AF_INET6;
		to.six.sin6_port = htons(MAIL_PORT);
		to.len = sizeof(to.six);
	} else {
		errno = EINVAL;
		die(text);
	}
	return to;
}

/* The n-th address of a network: in the last 16 bits. */
static inline struct address address_nth(const struct address *base, unsigned n)
{
	struct address to = *base;
	uint8_t *last = to.any.sa_family == AF_INET ? (uint8_t *)&to.four.sin_addr + 2
						    : to.six.sin6_addr.s6_addr + 14;

	last[0] = (uint8_t)(n >> 8);
	last[1] = (uint8_t)n;
	return to;
}

static inline int socket_for(const struct address *to, int flags)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* A refusal is what the box is for; anything else that is not a connection is an error. */
static inline void connect_to(int fd, const struct address *to)
{
	if (connect(fd, &to->any, to->len) < 0 && errno != EINPROGRESS && errno != ECONNREFUSED)
		die("connect");
}

/* Field 22 of /proc/self/stat, proc(5): with the pid it names one process of this boot. */
static inline unsigned long long start_ticks(void)
{
	char text[1024], *at;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		die("/proc/self/stat");
	close(fd);
	text[len] = '\0';
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		die("/proc/self/stat");
	return strtoull(at, NULL, 10);
}

#endif
