/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the load generator and the program it executes have in common: a target, a clock, one
 * connect(2) and its result. Header only: the executed program is static and small.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct target {
	struct sockaddr_storage address;
	socklen_t length;
	int family;
};

struct result {
	uint64_t ns;
	int32_t error; /* errno of connect(2) */
	int32_t pid;   /* who called it: the truth */
};

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline bool target_parse(const char *address, const char *port, struct target *target)
{
	struct sockaddr_in *four = (void *)&target->address;
	struct sockaddr_in6 *six = (void *)&target->address;
	uint16_t number = htons((uint16_t)atoi(port));

	memset(target, 0, sizeof(*target));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = number;
		target->length = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = number;
		target->length = sizeof(*six);
	} else {
		return false;
	}
	target->family = target->address.ss_family;
	return true;
}

/* The address `step` further on, by its last 32 bits. */
static inline void target_add(struct target *target, uint32_t step)
{
	struct sockaddr_in *four = (void *)&target->address;
	struct sockaddr_in6 *six = (void *)&target->address;
	uint32_t *last =
		target->family == AF_INET ? &four->sin_addr.s_addr : &six->sin6_addr.s6_addr32[3];

	*last = htonl(ntohl(*last) + step);
}

static inline void connect_once(const struct target *target, struct result *result)
{
	struct linger reset = { .l_onoff = 1 }; /* or thousands would stay in TIME_WAIT */
	int fd = socket(target->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t start = now_ns();
	int got = connect(fd, (const struct sockaddr *)&target->address, target->length);

	result->ns = now_ns() - start;
	result->error = got < 0 ? errno : 0;
	result->pid = getpid();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

#endif
